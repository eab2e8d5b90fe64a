package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/market/deals"
)

// Check reports every problem of the configuration at once, each with the
// setting's path and what to do. It opens nothing.
func (c Config) Check() error {
	var p problems
	if c.DataDir == "" {
		p.add("data_dir", "is empty: name a directory")
	}
	if len(c.Roles) == 0 {
		p.add("roles", "is empty: the daemon would do nothing")
	}
	for _, r := range c.Roles {
		p.oneOf("roles", r, RoleWatch, RoleExecute, RoleSend, RoleAPI)
	}
	for _, k := range c.Kinds {
		p.oneOf("kinds", k, "pin", "prepare", "served", "status")
	}
	if c.Ledger.URL != "" {
		u, err := url.Parse(string(c.Ledger.URL))
		if err != nil || !oneOf(u.Scheme, "postgres", "postgresql") || strings.Trim(u.Path, "/") == "" {
			p.add("ledger.url", "is not like postgres://user@host:5432/database")
		}
	} else if !c.Has(RoleWatch) || !c.Has(RoleSend) || !c.Has(RoleExecute) {
		p.add("roles", "lacks watch, execute or send: daemons that share the work need a ledger that they share, name it with ledger.url")
	}
	c.checkTrace(&p)
	p.oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	p.oneOf("log.format", c.Log.Format, "text", "json")
	c.checkChain(&p)
	if c.Has(RoleSend) {
		for i, k := range c.Keys.Senders() {
			path := "keys.sender"
			if i > 0 {
				path = "keys.more_senders"
			}
			k.check(&p, path, c.Chain.ID)
		}
		c.Keys.Report.check(&p, "keys.report", c.Chain.ID)
	}
	p.between("tx.max_in_flight", c.Tx.MaxInFlight, 1, 64)
	p.between("report.max_batch", c.Report.MaxBatch, 1, 100)
	p.between("runner.pin_workers", c.Runner.PinWorkers, 1, 256)
	p.between("runner.max_attempts", c.Runner.MaxAttempts, 1, 100)
	if c.Tx.MaxFeeGwei == 0 {
		p.add("tx.max_fee_gwei", "is 0: nothing could ever be sent")
	}
	for _, d := range []struct {
		path string
		d    Duration
	}{
		{"chain.poll_interval", c.Chain.PollInterval}, {"tx.poll_interval", c.Tx.PollInterval},
		{"tx.replace_after", c.Tx.ReplaceAfter}, {"runner.pin_timeout", c.Runner.PinTimeout},
		{"runner.backoff", c.Runner.Backoff}, {"operators.takeover", c.Operators.Takeover},
		{"operators.sign_within", c.Operators.SignWithin}, {"operators.ask_again", c.Operators.AskAgain}, {"ipfs.stall_timeout", c.IPFS.StallTimeout},
	} {
		if d.d <= 0 {
			p.add(d.path, "must be a positive duration")
		}
	}
	c.checkIPFS(&p)
	c.checkPieces(&p)
	c.checkKeeper(&p)
	c.checkDeals(&p)
	p.listen("http.listen", c.HTTP.Listen)
	p.listen("http.admin", c.HTTP.Admin)
	c.checkOperators(&p)
	for _, a := range c.Queue.NSQD {
		p.hostPort("queue.nsqd", a)
	}
	for _, a := range c.Queue.Lookupd {
		p.hostPort("queue.lookupd", a)
	}
	if q := c.Queue; !q.TLS && (q.TLSCA != "" || q.TLSCert != "" || q.TLSKey != "") {
		p.add("queue.tls", "is false while a certificate is named: set it to true")
	} else if (q.TLSCert == "") != (q.TLSKey == "") {
		p.add("queue.tls_cert", "and tls_key go together: give both or neither")
	}
	if len(c.Queue.Lookupd) > 0 && len(c.Queue.NSQD) == 0 {
		p.add("queue.nsqd", "is empty while queue.lookupd is set: name the nsqd to publish to")
	}
	return errors.Join(p...)
}

func (c Config) checkTrace(p *problems) {
	if c.Trace.Endpoint == "" {
		return
	}
	if u, err := url.Parse(c.Trace.Endpoint); err != nil || u.Host == "" || !oneOf(u.Scheme, "http", "https") {
		p.add("trace.endpoint", "%q is not an http(s) URL", Redact(c.Trace.Endpoint))
	}
}

func (c Config) checkChain(p *problems) {
	if len(c.Chain.RPC) == 0 {
		p.add("chain.rpc", "is empty: name an endpoint, for example http://127.0.0.1:8545")
	}
	for _, raw := range c.Chain.RPC {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || !oneOf(u.Scheme, "http", "https", "ws", "wss") {
			p.add("chain.rpc", "%q is not an http(s) or ws(s) URL", Redact(raw))
		}
	}
	if c.Chain.Quorum < 1 || c.Chain.Quorum > max(1, len(c.Chain.RPC)) {
		p.add("chain.quorum", "is %d with %d endpoints: give 1, or as many as must agree of those in chain.rpc", c.Chain.Quorum, len(c.Chain.RPC))
	}
	if c.Chain.ID == 0 {
		p.add("chain.id", "is 0: give the chain id (314 mainnet, 314159 calibration, 31415926 devnet)")
	}
	if !common.IsHexAddress(c.Chain.Provider) {
		p.add("chain.provider", "%q is not an address: give the deployed EstuaryProvider", c.Chain.Provider)
	}
	if c.Chain.Pinning != "" && !common.IsHexAddress(c.Chain.Pinning) {
		p.add("chain.pinning", "%q is not an address", c.Chain.Pinning)
	}
	if c.Chain.Storage != "" && !common.IsHexAddress(c.Chain.Storage) {
		p.add("chain.storage", "%q is not an address", c.Chain.Storage)
	}
	if c.Chain.Pools != "" && !common.IsHexAddress(c.Chain.Pools) {
		p.add("chain.pools", "%q is not an address", c.Chain.Pools)
	}
	if c.Chain.MaxRange == 0 {
		p.add("chain.max_range", "is 0: at least one block must be readable at once")
	}
}

// leastSample bounds what providers are asked for; leastRate the time that one may take.
const (
	leastSample = time.Minute
	leastRate   = 16 << 10
)

func (c Config) checkDeals(p *problems) {
	p.between("deals.max_pending", c.Deals.MaxPending, 1, 1000)
	if c.Deals.PollInterval <= 0 {
		p.add("deals.poll_interval", "must be a positive duration")
	}
	if c.Deals.AnswerWithin < 0 {
		p.add("deals.answer_within", "must not be negative")
	}
	if c.Deals.SampleEvery < 0 || c.Deals.SampleEvery > 0 && c.Deals.SampleEvery.D() < leastSample {
		p.add("deals.sample_every", "must be %s at least, or 0", leastSample)
	}
	if c.Deals.RepairRate < leastRate {
		p.add("deals.repair_rate", "must be %d bytes a second at least", leastRate)
	}
	if at := c.Deals.Endpoint; at != "" {
		if u, err := url.Parse(at); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.Path == "" {
			p.add("deals.endpoint", "%q is not http(s)://host/…, with a path, were it only /", Redact(at))
		}
	}
	if !c.Deals.Enabled {
		return
	}
	if c.Chain.Storage == "" {
		p.add("deals.enabled", "needs chain.storage: give the address of PerpetualStorage")
	}
	if c.Public.Listen == "" {
		p.add("deals.enabled", "needs public.listen: providers fetch the pieces there")
	}
	for _, text := range c.Deals.Providers {
		if _, err := deals.ParseProvider(text); err != nil {
			p.add("deals.providers", "%v", err)
		}
	}
}

func (c Config) checkOperators(p *problems) {
	if c.Operators.Listen != "" {
		p.hostPort("operators.listen", c.Operators.Listen)
	}
	for _, raw := range c.Operators.Peers {
		if u, err := url.Parse(raw); err != nil || u.Scheme != "https" || u.Host == "" {
			p.add("operators.peers", "%q is not https://host:port", Redact(raw))
		}
	}
	if (c.Operators.Listen == "") != (len(c.Operators.Peers) == 0) {
		p.add("operators.listen", "and operators.peers go together: others must reach this operator, and it them")
	}
}

func (c Config) checkIPFS(p *problems) {
	p.oneOf("ipfs.routing", c.IPFS.Routing, "none", "dht")
	if len(c.IPFS.Listen) == 0 {
		p.add("ipfs.listen", "is empty: name a multiaddr, for example /ip4/127.0.0.1/tcp/4790")
	}
	for _, a := range c.IPFS.Peers {
		if !strings.Contains(a, "/p2p/") {
			p.add("ipfs.peers", "%q does not end in /p2p/<peer id>", a)
		}
	}
	if c.IPFS.AllowPrivatePeers && Public(c.Chain.ID) {
		p.add("ipfs.allow_private_peers", "is refused on chain id %d: strangers could make the node dial your network", c.Chain.ID)
	}
	if c.IPFS.MaxBytes == 0 || c.IPFS.MaxLogicalBytes < c.IPFS.MaxBytes {
		p.add("ipfs.max_logical_bytes", "must be at least ipfs.max_bytes, and that not 0")
	}
	if c.IPFS.MaxBlocks == 0 {
		p.add("ipfs.max_blocks", "is 0: nothing could be pinned")
	}
}

func (c Config) checkPieces(p *problems) {
	p.between("piece.jobs", c.Piece.Jobs, 1, 256)
	p.between("piece.workers", c.Piece.Workers, 1, 256)
	p.between("served.workers", c.Served.Workers, 1, 256)
	p.between("bucket.max_items", c.Bucket.MaxItems, 1, 1<<20)
	p.oneOf("bucket.format", c.Bucket.Format, "podsi", "car")
	if c.Piece.MaxMemory < 64<<20 {
		p.add("piece.max_memory", "is below 64 MiB: nothing could be computed")
	}
	for _, v := range []struct {
		path string
		size Size
	}{{"piece.max_size", c.Piece.MaxSize}, {"piece.min_size", c.Piece.MinSize}, {"bucket.size", c.Bucket.Size}} {
		if v.size < 128 || v.size > 64<<30 || v.size&(v.size-1) != 0 {
			p.add(v.path, "is %s: use a power of two from 128 B to 64 GiB", v.size)
		}
	}
	if c.Bucket.Size < c.Piece.MinSize || c.Bucket.Size > c.Piece.MaxSize {
		p.add("bucket.size", "must be from piece.min_size to piece.max_size")
	}
	for _, d := range []struct {
		path string
		d    Duration
	}{
		{"piece.timeout", c.Piece.Timeout}, {"bucket.max_age", c.Bucket.MaxAge}, {"served.timeout", c.Served.Timeout}, {"served.stall_timeout", c.Served.StallTimeout},
	} {
		if d.d <= 0 {
			p.add(d.path, "must be a positive duration")
		}
	}
	if c.Piece.Keep < 0 {
		p.add("piece.keep", "must not be negative; 0s keeps pieces until they are cleaned by hand")
	}
	if c.Public.Listen != "" {
		p.hostPort("public.listen", c.Public.Listen)
	}
	p.between("public.requests_per_second", c.Public.RequestsPerSecond, 1, 1<<20)
	p.between("public.max_streams", c.Public.MaxStreams, 1, 1<<16)
}

func (c Config) checkKeeper(p *problems) {
	k := c.Keeper
	if !k.Enabled {
		return
	}
	if c.Chain.Storage == "" && c.Chain.Pinning == "" && len(k.DAOs) == 0 && k.Factory == "" {
		p.add("keeper.enabled", "is true, and neither chain.storage, chain.pinning, keeper.daos nor keeper.factory is set: name what is to be kept")
	}
	if k.Factory != "" && !common.IsHexAddress(k.Factory) {
		p.add("keeper.factory", "%q is not an address", k.Factory)
	}
	seen := map[common.Address]bool{}
	for _, dao := range k.DAOs {
		if at := common.HexToAddress(dao); !common.IsHexAddress(dao) || seen[at] {
			p.add("keeper.daos", "%q is not an address, or is named twice", dao)
		} else {
			seen[at] = true
		}
	}
	for _, client := range k.Clients {
		if !common.IsHexAddress(client) {
			p.add("keeper.clients", "%q is not an address", client)
		}
	}
	if len(k.Clients) > 0 && c.Chain.Storage == "" {
		p.add("keeper.clients", "is set without chain.storage, in which their deals are")
	}
	if k.MaxCost.Atto() == nil {
		p.add("keeper.max_cost_fil", "is empty: give 0, or what one call may cost beyond its tip")
	}
	if k.Node != "" && c.Chain.Storage == "" {
		p.add("keeper.node", "is set without chain.storage, whose slots' sectors it would look for")
	}
	for _, d := range []struct {
		path string
		d    Duration
	}{{"keeper.every", k.Every}, {"keeper.try_again", k.TryAgain}, {"keeper.node_every", k.NodeEvery}} {
		if d.d <= 0 {
			p.add(d.path, "must be a positive duration")
		}
	}
}

func (k Key) check(p *problems, path string, chainID uint64) {
	set := 0
	for _, s := range []string{k.Keystore, k.Env, k.Remote} {
		if s != "" {
			set++
		}
	}
	if set != 1 {
		p.add(path, "needs exactly one of keystore, env and remote (tidegate keys new makes a keystore)")
	}
	if k.Keystore != "" && k.PasswordFile == "" {
		p.add(path+".password_file", "is empty: the keystore needs a password file")
	}
	if k.Env != "" && Public(chainID) {
		p.add(path+".env", "is for devnets: on chain id %d use a keystore or a remote signer", chainID)
	}
	if k.Remote != "" && !common.IsHexAddress(k.Address) {
		p.add(path+".address", "is needed with a remote signer")
	}
	if (k.TLSCert == "") != (k.TLSKey == "") {
		p.add(path+".tls_cert", "and tls_key go together: give both or neither")
	}
	if u, err := url.Parse(k.Remote); k.Remote != "" && Public(chainID) && (err != nil || u.Scheme != "https" || k.TLSCert == "") {
		p.add(path+".remote", "must be https with tls_cert and tls_key on chain id %d: whoever reaches the signer could have it sign", chainID)
	}
	if k.Address != "" && !common.IsHexAddress(k.Address) {
		p.add(path+".address", "%q is not an address", k.Address)
	}
}

// Redact hides credentials of a URL.
func Redact(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(unreadable URL)"
	}
	if u.User != nil {
		u.User = url.User("redacted")
	}
	if u.RawQuery != "" {
		u.RawQuery = "redacted"
	}
	return u.String()
}

type problems []error

func (p *problems) add(path, format string, args ...any) {
	*p = append(*p, fmt.Errorf("%s %s", path, fmt.Sprintf(format, args...)))
}

func (p *problems) oneOf(path, got string, want ...string) {
	if !oneOf(got, want...) {
		p.add(path, "is %q: use one of %s", got, strings.Join(want, ", "))
	}
}

func (p *problems) between(path string, got, lo, hi int) {
	if got < lo || got > hi {
		p.add(path, "is %d: use %d to %d", got, lo, hi)
	}
}

func (p *problems) hostPort(path, addr string) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		p.add(path, "%q is not host:port", addr)
	}
}

func (p *problems) listen(path, addr string) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		p.add(path, "%q is not host:port", addr)
		return
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		p.add(path, "%q is not a loopback address: this port has no protection for strangers; put a proxy with access control in front", addr)
	}
}

func oneOf(got string, want ...string) bool {
	for _, w := range want {
		if got == w {
			return true
		}
	}
	return false
}
