// Package config is the operator's settings: their types, defaults, layers and
// checks. Flags win over environment variables (TIDEGATE_…), those over the
// file, that over the defaults.
//
// It holds no secret: keys are named by where they are (a keystore file, the
// name of an environment variable, a remote signer), never by value.
//
// Map:
//
//	config.go  Config, Default: every setting with its meaning
//	load.go    Load: file, environment and flags over the defaults; Source of each
//	fields.go  Fields: the settings by path, for flags, `config show` and docs
//	check.go   Check: all problems at once, each naming the setting and the remedy
//	values.go  Duration, Size: how times and byte counts are written
package config

import (
	"path/filepath"
	"slices"
	"time"
)

// Config is every setting of the daemon. Each leaf has a path ("chain.rpc"), a
// flag ("--chain-rpc") and a variable ("TIDEGATE_CHAIN_RPC").
type Config struct {
	DataDir   string     `toml:"data_dir" doc:"directory of the ledger, the node's blocks, the embedded queue and the API key"`
	Roles     []string   `toml:"roles" doc:"what this daemon does: watch (read the chain), execute (do the work), send (report and send transactions), api (serve http.listen)"`
	Kinds     []string   `toml:"kinds" doc:"which work it does in the role execute: pin, prepare, served, status; empty: all. Content that it holds it also drops"`
	Log       Log        `toml:"log"`
	Ledger    Ledger     `toml:"ledger"`
	Trace     Trace      `toml:"trace"`
	Chain     Chain      `toml:"chain"`
	Keys      Keys       `toml:"keys"`
	Tx        Tx         `toml:"tx"`
	Report    Report     `toml:"report"`
	Operators Operators  `toml:"operators"`
	Queue     Queue      `toml:"queue"`
	Runner    Runner     `toml:"runner"`
	IPFS      IPFS       `toml:"ipfs"`
	Piece     Piece      `toml:"piece"`
	Bucket    Bucket     `toml:"bucket"`
	Served    Served     `toml:"served"`
	Keeper    Keeper     `toml:"keeper"`
	Deals     Deals      `toml:"deals"`
	HTTP      HTTP       `toml:"http"`
	Public    PublicPort `toml:"public"`
}

// Log is how the daemon logs.
type Log struct {
	Level  string `toml:"level" doc:"debug, info, warn or error"`
	Format string `toml:"format" doc:"text or json"`
}

// Trace is where each request's trace goes.
type Trace struct {
	Endpoint string `toml:"endpoint" doc:"OpenTelemetry collector that is sent a trace of each request (OTLP over HTTP), http://host:4318; empty: none"`
}

// Ledger is where the ledger is.
type Ledger struct {
	URL PostgresURL `toml:"url" doc:"postgres://user@host:5432/database of a ledger that several daemons share; empty: a file in data_dir. A password is better given by PGPASSFILE or TIDEGATE_LEDGER_URL than in a flag"`
}

// Chain is which chain and contracts are served, and how the chain is read.
type Chain struct {
	RPC           []string `toml:"rpc" doc:"JSON-RPC endpoints (http or ws), best first; the next is read where one fails or lags, transactions go to all"`
	Quorum        int      `toml:"quorum" doc:"endpoints that must agree on finality, on final logs, and on what keeps an answer from being sent (its request is closed or unknown); 1 trusts the one that is read"`
	ID            uint64   `toml:"id" doc:"expected chain id; the daemon refuses any other"`
	Provider      string   `toml:"provider" doc:"address of EstuaryProvider, whose requests are answered"`
	Pinning       string   `toml:"pinning" doc:"address of EstuaryPinning: its orders of deals are opened where keeper.enabled is on; for the command line too; empty: none"`
	Storage       string   `toml:"storage" doc:"address of PerpetualStorage, whose open slots are listed on the public port and which is kept; empty: none"`
	Pools         string   `toml:"pools" doc:"address of StoragePools: the list of open slots then says which are paid by a pool; empty: it does not"`
	Start         uint64   `toml:"start" doc:"height at which the provider was deployed; reading starts here"`
	PollInterval  Duration `toml:"poll_interval" doc:"how often the head is asked for"`
	SoftDepth     uint64   `toml:"soft_depth" doc:"blocks behind the head at which reversible work (pinning) starts: 5 on Filecoin, 1 on a devnet"`
	FinalityDepth uint64   `toml:"finality_depth" doc:"blocks behind the head that count as final where the endpoint has no finalized tag; 0 trusts the tag alone"`
	MaxRange      uint64   `toml:"max_range" doc:"most blocks of one eth_getLogs"`
	UndoDelay     Duration `toml:"undo_delay" doc:"how long content of a retracted request is kept for a re-included one to take over"`
}

// Keys are the keys of an operator.
type Keys struct {
	Sender Key `toml:"sender"`
	Report Key `toml:"report"`
	// MoreSenders send beside Sender. Each is of the same kind as Sender: a file, a
	// NAME or an address, with everything else as for Sender.
	MoreSenders []string `toml:"more_senders" doc:"further keys that send in parallel: keystore files with the same password, NAMES of environment variables, or addresses at the same remote signer, whichever keys.sender is"`
}

// Senders are all keys that send, keys.sender first.
func (k Keys) Senders() []Key {
	out := []Key{k.Sender}
	for _, more := range k.MoreSenders {
		next := k.Sender
		switch {
		case k.Sender.Keystore != "":
			next.Keystore, next.Address = more, ""
		case k.Sender.Env != "":
			next.Env, next.Address = more, ""
		default:
			next.Address = more
		}
		out = append(out, next)
	}
	return out
}

// Key says where a key is. Exactly one of Keystore, Env and Remote is set.
type Key struct {
	Keystore     string `toml:"keystore" doc:"encrypted geth keystore file"`
	PasswordFile string `toml:"password_file" doc:"file with the keystore's password"`
	Env          string `toml:"env" doc:"NAME of the environment variable that holds the key in hex; devnets only"`
	Remote       string `toml:"remote" doc:"URL of a remote signer (eth_signTransaction, eth_signTypedData_v4)"`
	Address      string `toml:"address" doc:"expected address; required with a remote signer"`
	TLSCert      string `toml:"tls_cert" doc:"certificate with which the daemon shows itself to the remote signer (PEM)"`
	TLSKey       string `toml:"tls_key" doc:"its private key (PEM, mode 0600)"`
	TLSCA        string `toml:"tls_ca" doc:"certificate that the remote signer's must be signed by (PEM); empty: the system's"`
}

// Tx bounds what the sender does and pays.
type Tx struct {
	MaxInFlight  int      `toml:"max_in_flight" doc:"transactions of one key that may be unmined at once: 1 on foreign endpoints, up to 16 on your own node"`
	MaxFeeGwei   uint64   `toml:"max_fee_gwei" doc:"most that is paid per unit of gas, in nanoFIL"`
	ReplaceAfter Duration `toml:"replace_after" doc:"how long a transaction may stay unmined before it is replaced with a higher premium"`
	PollInterval Duration `toml:"poll_interval" doc:"how often receipts are asked for"`

	ReplaceBlocks uint64 `toml:"replace_blocks" doc:"how many blocks must have gone by too before a transaction is replaced"`
	MaxDaily      FIL    `toml:"max_daily_fil" doc:"most FIL that each key may spend in 24 hours, what is in flight counted at its most; empty for no cap"`
	LowBalance    FIL    `toml:"low_balance_fil" doc:"alarm when a key has less FIL than this; empty for never"`
	DryRun        bool   `toml:"dry_run" doc:"simulate, price and sign what would be sent, log it, and send nothing"`
}

// Report is how answers are batched.
type Report struct {
	BatchWindow    Duration `toml:"batch_window" doc:"how long an answer waits for others before it is sealed"`
	MaxBatch       int      `toml:"max_batch" doc:"most answers in one transaction"`
	DeadlineMargin Duration `toml:"deadline_margin" doc:"nothing is sealed this close to its deadline"`
}

// Operators is the talk with the other operators of a provider that needs several
// signatures. Who they are is the contract's configuration, not a setting.
type Operators struct {
	Listen     string   `toml:"listen" doc:"port for the other operators, for example 0.0.0.0:4783; mutual TLS bound to report keys; empty: none"`
	Peers      []string `toml:"peers" doc:"the other operators' ports, https://host:4783"`
	Takeover   Duration `toml:"takeover" doc:"how long the operator whose turn it is may take to send, before the next one does"`
	SignWithin Duration `toml:"sign_within" doc:"how long the other operators may take to sign a batch, before it is made anew"`
	AskAgain   Duration `toml:"ask_again" doc:"when operators who had no answer yet are asked again"`
}

// Queue is the wake-up transport.
type Queue struct {
	NSQD    []string `toml:"nsqd" doc:"external nsqd addresses (host:port); empty runs one in process"`
	Lookupd []string `toml:"lookupd" doc:"external nsqlookupd HTTP addresses (host:port)"`

	TLS        bool   `toml:"tls" doc:"speak TLS with external nsqd and nsqlookupd"`
	TLSCA      string `toml:"tls_ca" doc:"certificate that theirs must be signed by (PEM); empty: the system's"`
	TLSCert    string `toml:"tls_cert" doc:"certificate with which the daemon shows itself to them (PEM)"`
	TLSKey     string `toml:"tls_key" doc:"its private key (PEM)"`
	SecretFile string `toml:"secret_file" doc:"file with the secret for nsqd that ask for authorisation"`
}

// Runner is how work is run.
type Runner struct {
	PinWorkers  int      `toml:"pin_workers" doc:"pins fetched at once"`
	PinTimeout  Duration `toml:"pin_timeout" doc:"longest single attempt at a pin"`
	MaxAttempts int      `toml:"max_attempts" doc:"attempts before a failing job is answered failed, or dead"`
	Grace       Duration `toml:"grace" doc:"how long running work may go on after SIGTERM"`
	Backoff     Duration `toml:"backoff" doc:"wait before the second attempt; doubles with each"`
}

// IPFS is the embedded node.
type IPFS struct {
	Listen            []string `toml:"listen" doc:"libp2p listen multiaddrs"`
	Peers             []string `toml:"peers" doc:"static peers, multiaddrs ending in /p2p/…; kept connected and always asked"`
	Routing           string   `toml:"routing" doc:"none, or dht for the public DHT"`
	Bootstrap         []string `toml:"bootstrap" doc:"bootstrap peers for the DHT; empty uses the public ones"`
	AllowPrivatePeers bool     `toml:"allow_private_peers" doc:"let strangers' origins name loopback and private addresses; refused on chain ids 314 and 314159"`
	StallTimeout      Duration `toml:"stall_timeout" doc:"longest time without a new block before a fetch gives up"`
	MaxBytes          Size     `toml:"max_bytes" doc:"most unique bytes of one pin"`
	MaxLogicalBytes   Size     `toml:"max_logical_bytes" doc:"most bytes of one pin with repeated blocks counted each time"`
	MaxBlocks         uint64   `toml:"max_blocks" doc:"most blocks of one pin"`
	DiskReserve       Size     `toml:"disk_reserve" doc:"free disk space that new work may not touch"`
}

// Piece is how content becomes pieces.
type Piece struct {
	Jobs      int      `toml:"jobs" doc:"prepares at once, fetching included"`
	Workers   int      `toml:"workers" doc:"CARs and commitments computed at once"`
	MaxMemory Size     `toml:"max_memory" doc:"memory for computing them; bounds piece.workers at 64 MiB each"`
	MaxSize   Size     `toml:"max_size" doc:"largest piece, padded, a power of two; what is larger is answered too_large"`
	MinSize   Size     `toml:"min_size" doc:"smallest piece, padded, a power of two; what is smaller goes into a bucket"`
	Keep      Duration `toml:"keep" doc:"how long a piece stays on offer; 0s until it is cleaned by hand"`
	KeepFiles bool     `toml:"keep_files" doc:"keep the bytes of pieces on disk instead of making them from blocks when asked"`
	Timeout   Duration `toml:"timeout" doc:"longest single attempt at preparing"`
}

// Bucket is how small items become pieces together.
type Bucket struct {
	Format   string   `toml:"format" doc:"podsi (FRC-0058 aggregate with proofs of inclusion) or car (one CAR of all)"`
	Size     Size     `toml:"size" doc:"largest piece that a bucket becomes, padded, a power of two"`
	MaxItems int      `toml:"max_items" doc:"a bucket with so many items is sealed"`
	MaxAge   Duration `toml:"max_age" doc:"a bucket of that age is sealed"`
}

// Served is how attestations of fetching work.
type Served struct {
	Workers      int      `toml:"workers" doc:"pieces fetched at once"`
	Timeout      Duration `toml:"timeout" doc:"longest single attempt at fetching a piece"`
	StallTimeout Duration `toml:"stall_timeout" doc:"longest time without a byte before a fetch gives up"`
}

// Keeper is what the daemon does for contracts because somebody must: calls that anyone
// may make when they are due, some of which pay a tip.
type Keeper struct {
	Enabled   bool     `toml:"enabled" doc:"expire claims, close what is over, open renewals and prepared deals, in the contracts of chain.storage and chain.pinning, and execute what keeper.daos and the DAOs of keeper.factory passed"`
	DAOs      []string `toml:"daos" doc:"addresses of DataDAOs whose passed proposals are executed; what that sends and costs counts under max_cost_fil"`
	Factory   string   `toml:"factory" doc:"address of a DataDAOFactory, of whose DAOs any passed proposal is executed whose tip pays for the gas, whatever max_cost_fil is; empty: none"`
	Clients   []string `toml:"clients" doc:"addresses whose deals in chain.storage are kept claimable: operators are asked, for the quoted fee, whether the piece is served, when a slot is open and their last word is over; fee and gas count under max_cost_fil"`
	Every     Duration `toml:"every" doc:"how often the contracts are asked what is due, at the final block"`
	MaxCost   FIL      `toml:"max_cost_fil" doc:"most FIL that one call may cost, with what it sends, beyond its tip; 0: only calls whose tips pay for their gas"`
	TryAgain  Duration `toml:"try_again" doc:"when a call that did not pay is priced again"`
	Node      string   `toml:"node" doc:"Filecoin node that knows where sectors are, URL or multiaddr without a token; dead and faulty sectors are then looked for; empty: they are not"`
	NodeEvery Duration `toml:"node_every" doc:"how often every active slot's sector, and every deal of clients, is looked at"`
}

// Deals is how deals are made with storage providers.
type Deals struct {
	Enabled       bool     `toml:"enabled" doc:"propose open slots of chain.storage to storage providers, and follow them; keeper.enabled opens renewals"`
	Providers     []string `toml:"providers" doc:"providers beside those of ProviderRegistry, each \"f01004 https://market /ip4/…/p2p/…\": where it is reached over MK20, MK12, or both"`
	MaxPending    int      `toml:"max_pending" doc:"deals of one provider that may be pending at once"`
	PublishWithin uint64   `toml:"publish_within" doc:"epochs that a provider has to publish a deal that it took, before another is asked"`
	Activate      bool     `toml:"activate" doc:"show the contract f05 deals that became active, at this operator's cost, instead of waiting for their providers to"`
	PollInterval  Duration `toml:"poll_interval" doc:"how often deals are looked at"`
	AnswerWithin  Duration `toml:"answer_within" doc:"how long a provider is waited for when it is asked; 0: 1 minute over MK12, 30 s over MK20"`
	Repair        bool     `toml:"repair" doc:"fetch a piece that a slot needs, and that is lost here, back from a provider that is proven to store it"`
	RepairRate    Size     `toml:"repair_rate" doc:"bytes a second that such a provider has to give on the whole, after 5 minutes of grace; else the next is asked"`
	Endpoint      string   `toml:"endpoint" doc:"what deals' endpoints begin with that are served here, for example https://tide.example/piece/: their pieces are fetched back even where the ledger was lost too"`
	SampleEvery   Duration `toml:"sample_every" doc:"how often a provider with active deals is asked for a random range, up to 1 MiB, of a piece that it stores; 0: never"`
}

// PublicPort is what strangers may read.
type PublicPort struct {
	Listen            string `toml:"listen" doc:"public port, for example 0.0.0.0:4782; empty: none"`
	RequireToken      bool   `toml:"require_token" doc:"give pieces and CARs only to bearers of a token"`
	RequestsPerSecond int    `toml:"requests_per_second" doc:"requests of one client"`
	BytesPerSecond    Size   `toml:"bytes_per_second" doc:"bytes to one client; 0 for no bound"`
	MaxStreams        int    `toml:"max_streams" doc:"downloads at once"`
}

// HTTP is the daemon's local surface.
type HTTP struct {
	Listen       string   `toml:"listen" doc:"local API; keep it on loopback"`
	Admin        string   `toml:"admin" doc:"metrics, health and readiness"`
	AllowedHosts []string `toml:"allowed_hosts" doc:"Host headers that are served besides loopback names"`
	Pprof        bool     `toml:"pprof" doc:"serve /debug/pprof on the admin port"`
}

// Chain ids of the public networks, on which devnet conveniences are refused.
const (
	MainnetID     = 314
	CalibrationID = 314159
	DevnetID      = 31415926
)

// Roles of a daemon.
const (
	RoleWatch   = "watch"
	RoleExecute = "execute"
	RoleSend    = "send"
	RoleAPI     = "api"
)

// Has reports whether the daemon has a role.
func (c Config) Has(role string) bool { return slices.Contains(c.Roles, role) }

// Works reports whether the daemon does a kind of work: "pin", "prepare", "served", "status".
func (c Config) Works(kind string) bool {
	return c.Has(RoleExecute) && (len(c.Kinds) == 0 || slices.Contains(c.Kinds, kind))
}

// LedgerPath is where the ledger is, a file or a URL, for store.Open. It may hold a
// password.
func (c Config) LedgerPath() string {
	if c.Ledger.URL != "" {
		return string(c.Ledger.URL)
	}
	return filepath.Join(c.DataDir, "ledger.db")
}

// Public reports whether id is a network with other people's money.
func Public(id uint64) bool { return id == MainnetID || id == CalibrationID }

// Default is the configuration for a public Filecoin network, less what only
// the operator knows.
func Default() Config {
	return Config{
		DataDir: "~/.tidegate",
		Roles:   []string{RoleWatch, RoleExecute, RoleSend, RoleAPI},
		Log:     Log{Level: "info", Format: "text"},
		Chain: Chain{
			Quorum: 1, PollInterval: Duration(5 * time.Second), SoftDepth: 5, FinalityDepth: 900, MaxRange: 2880,
			UndoDelay: Duration(2 * time.Minute),
		},
		Tx:        Tx{MaxInFlight: 1, MaxFeeGwei: 100, ReplaceAfter: Duration(150 * time.Second), ReplaceBlocks: 5, PollInterval: Duration(5 * time.Second)},
		Report:    Report{BatchWindow: Duration(30 * time.Second), MaxBatch: 50, DeadlineMargin: Duration(10 * time.Minute)},
		Operators: Operators{Takeover: Duration(5 * time.Minute), SignWithin: Duration(30 * time.Second), AskAgain: Duration(15 * time.Second)},
		Runner: Runner{
			PinWorkers: 16, PinTimeout: Duration(24 * time.Hour), MaxAttempts: 8,
			Grace: Duration(10 * time.Second), Backoff: Duration(5 * time.Second),
		},
		IPFS: IPFS{
			Listen:  []string{"/ip4/127.0.0.1/tcp/4790", "/ip4/127.0.0.1/udp/4790/quic-v1"},
			Routing: "none", StallTimeout: Duration(2 * time.Minute),
			MaxBytes: 64 << 30, MaxLogicalBytes: 256 << 30, MaxBlocks: 4 << 20, DiskReserve: 1 << 30,
		},
		Piece: Piece{
			Jobs: 8, Workers: 2, MaxMemory: 512 << 20, MaxSize: 32 << 30, MinSize: 1 << 30, Timeout: Duration(24 * time.Hour),
		},
		Bucket: Bucket{Format: "podsi", Size: 4 << 30, MaxItems: 1024, MaxAge: Duration(24 * time.Hour)},
		Served: Served{Workers: 4, Timeout: Duration(6 * time.Hour), StallTimeout: Duration(time.Minute)},
		Keeper: Keeper{Every: Duration(5 * time.Minute), MaxCost: "0", TryAgain: Duration(time.Hour), NodeEvery: Duration(6 * time.Hour)},
		Deals:  Deals{MaxPending: 8, PublishWithin: 5760, PollInterval: Duration(30 * time.Second), SampleEvery: Duration(6 * time.Hour), Repair: true, RepairRate: 512 << 10},
		HTTP:   HTTP{Listen: "127.0.0.1:4780", Admin: "127.0.0.1:4781"},
		Public: PublicPort{RequestsPerSecond: 10, MaxStreams: 64},
	}
}

// Devnet is Default made quick for a chain on the same machine.
func Devnet() Config {
	c := Default()
	c.Chain.ID = DevnetID
	c.Chain.PollInterval = Duration(200 * time.Millisecond)
	c.Chain.SoftDepth, c.Chain.FinalityDepth = 1, 0
	c.Chain.UndoDelay = Duration(5 * time.Second)
	c.Tx.MaxInFlight = 16
	c.Tx.ReplaceAfter, c.Tx.PollInterval = Duration(15*time.Second), Duration(250*time.Millisecond)
	c.Tx.MaxFeeGwei, c.Tx.ReplaceBlocks = 10_000, 1
	c.Report.BatchWindow, c.Report.DeadlineMargin = Duration(250*time.Millisecond), Duration(5*time.Second)
	c.Operators = Operators{Takeover: Duration(5 * time.Second), SignWithin: Duration(5 * time.Second), AskAgain: Duration(time.Second)}
	c.Runner.MaxAttempts, c.Runner.Backoff = 2, Duration(time.Second)
	c.Piece.MinSize, c.Bucket.Size, c.Bucket.MaxAge = 1<<20, 64<<20, Duration(10*time.Second)
	c.Keeper.Every, c.Keeper.TryAgain, c.Keeper.NodeEvery = Duration(time.Second), Duration(10*time.Second), Duration(10*time.Second)
	c.IPFS.AllowPrivatePeers = true
	c.Deals.PollInterval, c.Deals.Activate, c.Deals.AnswerWithin = Duration(500*time.Millisecond), true, Duration(10*time.Second)
	c.IPFS.StallTimeout = Duration(10 * time.Second)
	return c
}
