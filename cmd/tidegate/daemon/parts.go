package daemon

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/handler/pin"
	"github.com/tidegate/tidegate/executor/handler/release"
	"github.com/tidegate/tidegate/executor/handler/unpin"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/queue"
	"github.com/tidegate/tidegate/executor/runner"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/peers"
	"github.com/tidegate/tidegate/oracle/report"
	"github.com/tidegate/tidegate/oracle/signer"
	"github.com/tidegate/tidegate/oracle/txmgr"
	"github.com/tidegate/tidegate/oracle/watch"
)

func (d *Daemon) openDir(context.Context) (err error) {
	if d.lock, err = lockDir(d.cfg.DataDir); err != nil {
		return err
	}
	left, err := filepath.Glob(filepath.Join(d.cfg.DataDir, uploadPrefix+"*")) // of a daemon that was killed
	for _, path := range left {
		err = errors.Join(err, os.RemoveAll(path))
	}
	return err
}

func (d *Daemon) openKeys(ctx context.Context) error {
	if !d.cfg.Has(config.RoleSend) {
		return nil
	}
	if d.deps.SenderKeys == nil {
		for i, k := range d.cfg.Keys.Senders() {
			key, err := signer.FromSpec(ctx, keySpec(k), d.cfg.Chain.ID)
			if err != nil {
				return fmt.Errorf("%s: %w", [...]string{"keys.sender", "keys.more_senders"}[min(i, 1)], err)
			}
			d.deps.SenderKeys = append(d.deps.SenderKeys, key)
		}
	}
	if d.deps.ReportSigner == nil {
		key, err := signer.FromSpec(ctx, keySpec(d.cfg.Keys.Report), d.cfg.Chain.ID)
		if err != nil {
			return fmt.Errorf("keys.report: %w", err)
		}
		d.deps.ReportSigner = key
	}
	seen := map[common.Address]bool{}
	for _, key := range d.deps.SenderKeys {
		if seen[key.Address()] {
			return fmt.Errorf("keys.more_senders: %s is named twice", key.Address())
		}
		seen[key.Address()] = true
		if err := signer.CheckSeparate(key, d.deps.ReportSigner, d.cfg.Chain.ID); err != nil {
			return fmt.Errorf("keys.sender and keys.report: %w", err)
		}
	}
	return nil
}

func keySpec(k config.Key) signer.Spec {
	return signer.Spec{
		Keystore: k.Keystore, PasswordFile: k.PasswordFile, Env: k.Env, Remote: k.Remote, Address: common.HexToAddress(k.Address),
		TLSCert: k.TLSCert, TLSKey: k.TLSKey, TLSCA: k.TLSCA,
	}
}

func (d *Daemon) openLedger(ctx context.Context) (err error) {
	if d.ledger, err = store.Open(ctx, store.Config{Path: d.cfg.LedgerPath(), Now: d.clock.Now}); err != nil {
		return err
	}
	name, err := identity(d.cfg.DataDir)
	if err != nil {
		return err
	}
	d.owner = name + "/" + rand.Text()[:8]
	// The directory's lock says that no other daemon holds these; a ledger in the
	// directory is nobody else's.
	if !d.shared() {
		name = ""
	}
	freed, err := d.ledger.FreeLeases(ctx, name)
	if freed > 0 {
		d.log.Info("the daemon before ended in the middle of work, which is taken up again", "jobs", freed)
	}
	return err
}

func (d *Daemon) openNode(ctx context.Context) (err error) {
	if !d.cfg.Has(config.RoleExecute) && !d.cfg.Has(config.RoleAPI) {
		return nil
	}
	c := d.cfg.IPFS
	d.node, err = ipfs.New(ctx, ipfs.Config{
		DataDir: filepath.Join(d.cfg.DataDir, "ipfs"), Listen: c.Listen, Peers: c.Peers, Routing: c.Routing, Bootstrap: c.Bootstrap,
		AllowPrivatePeers: c.AllowPrivatePeers, StallTimeout: c.StallTimeout.D(), DiskReserve: uint64(c.DiskReserve),
		Limits: ipfs.Limits{MaxBytes: uint64(c.MaxBytes), MaxLogicalBytes: uint64(c.MaxLogicalBytes), MaxBlocks: c.MaxBlocks},
	}, ipfs.Deps{Logger: d.log, Metrics: d.metrics})
	if err != nil {
		return fmt.Errorf("%w (settings: ipfs.listen, data_dir)", err)
	}
	return nil
}

func (d *Daemon) openQueue(context.Context) (err error) {
	c := d.cfg.Queue
	cfg := queue.Config{DataDir: d.cfg.DataDir, NSQD: c.NSQD, Lookupd: c.Lookupd}
	if c.TLS {
		if cfg.TLS, err = queueTLS(c); err != nil {
			return err
		}
	}
	if c.SecretFile != "" {
		secret, err := os.ReadFile(c.SecretFile)
		if err != nil {
			return fmt.Errorf("queue.secret_file: %w", err)
		}
		cfg.AuthSecret = strings.TrimSpace(string(secret))
	}
	d.queue, err = queue.New(cfg, queue.Deps{Log: d.log, Metrics: d.metrics})
	return err
}

func (d *Daemon) openSender(ctx context.Context) (err error) {
	if !d.cfg.Has(config.RoleSend) {
		return nil
	}
	var endpoints []txmgr.Endpoint
	for _, url := range d.cfg.Chain.RPC {
		e, err := txmgr.NewRPC(ctx, url)
		if err != nil {
			return fmt.Errorf("chain.rpc: %w", err)
		}
		d.closers = append(d.closers, e.Close)
		endpoints = append(endpoints, e)
	}
	provider, err := estuaryprovider.EstuaryProviderMetaData.ParseABI()
	if err != nil {
		return fmt.Errorf("the provider's ABI: %w", err)
	}
	pinning, err := estuarypinning.EstuaryPinningMetaData.ParseABI()
	if err != nil {
		return fmt.Errorf("the pinning contract's ABI: %w", err)
	}
	storage, err := perpetualstorage.PerpetualStorageMetaData.ParseABI()
	if err != nil {
		return fmt.Errorf("the storage contract's ABI: %w", err)
	}
	c := d.cfg.Tx
	for _, key := range d.deps.SenderKeys {
		byKey := prometheus.WrapRegistererWith(prometheus.Labels{"sender": key.Address().Hex()}, d.metrics)
		s, err := txmgr.New(txmgr.Config{
			ChainID: d.cfg.Chain.ID, Owner: d.owner, Lease: leaseFor, MaxInFlight: c.MaxInFlight, Poll: c.PollInterval.D(),
			ReplaceAfter: c.ReplaceAfter.D(), ReplaceBlocks: c.ReplaceBlocks, MaxFeeCap: new(big.Int).Mul(new(big.Int).SetUint64(c.MaxFeeGwei), big.NewInt(1e9)),
			MaxDailySpend: c.MaxDaily.Atto(), LowBalance: c.LowBalance.Atto(), DryRun: c.DryRun,
		}, txmgr.Deps{
			Ledger: senderLedger{d.ledger}, Signer: key, Endpoints: endpoints, Decode: txmgr.ABIDecoder(*provider, *pinning, *storage),
			Changed: d.wakeReport, Metrics: txmgr.NewMetrics(byKey), Log: d.log,
		})
		if err != nil {
			return err
		}
		d.senders = append(d.senders, s)
	}
	return nil
}

func (d *Daemon) wakeSenders() {
	for _, s := range d.senders {
		s.Wake()
	}
}

func (d *Daemon) wakeReport() {
	if d.report != nil {
		d.report.Wake()
	}
}

func (d *Daemon) openReport(ctx context.Context) (err error) {
	if !d.cfg.Has(config.RoleSend) {
		return nil
	}
	d.reporting = d.newTerm(leadReport)
	client, err := DialReads(ctx, d.cfg.Chain.RPC)
	if err != nil {
		return fmt.Errorf("chain.rpc: %w", err)
	}
	d.closers = append(d.closers, client.Close)
	deps := report.Deps{
		Ledger: reportLedger{d.reporting.under(d.ledger), d.ledger}, Chain: client, Batches: client.Client(), Signer: d.deps.ReportSigner, Sender: d.takeSender, Span: d.span(), Queued: d.wakeSenders, Now: d.clock.Now, Log: d.log, Metrics: d.metrics,
	}
	if d.cfg.Chain.Quorum > 1 {
		pool, closers, err := Endpoints(d.cfg) // the watcher's is only where there is one
		if err != nil {
			return err
		}
		d.closers = append(d.closers, closers...)
		deps.Agreed = agreed{pool, d.ledger}
	}
	provider := common.HexToAddress(d.cfg.Chain.Provider)
	identity := peers.NewIdentity(peers.Domain{ChainID: d.cfg.Chain.ID, Provider: provider}, d.deps.ReportSigner, time.Now)
	if len(d.cfg.Operators.Peers) > 0 {
		others, err := peers.NewClient(d.cfg.Operators.Peers, identity, d.log)
		if err != nil {
			return fmt.Errorf("operators.peers: %w", err)
		}
		d.closers = append(d.closers, others.Close)
		deps.Peers = others
	}
	o := d.cfg.Operators
	d.report, err = report.New(report.Config{
		ChainID: d.cfg.Chain.ID, Provider: provider, MaxQueued: 4 * len(d.senders),
		BatchWindow: d.cfg.Report.BatchWindow.D(), MaxBatch: d.cfg.Report.MaxBatch, DeadlineMargin: d.cfg.Report.DeadlineMargin.D(),
		Takeover: o.Takeover.D(), SignWithin: o.SignWithin.D(), AskAgain: o.AskAgain.D(),
	}, deps)
	if err != nil || o.Listen == "" {
		return err
	}
	if d.operators, err = peers.NewServer(o.Listen, identity, d.report, d.log); err != nil {
		return fmt.Errorf("operators.listen: %w", err)
	}
	return nil
}

func (d *Daemon) openRunner(ctx context.Context) (err error) {
	c := d.cfg.Runner
	if !d.cfg.Has(config.RoleExecute) {
		return nil
	}
	pins, err := pin.New(pin.Config{NodeID: d.node.ID().String()}, pin.Deps{Node: contentNode{d.node}})
	if err != nil {
		return err
	}
	unpins, err := unpin.New(unpin.Deps{Node: droppingNode{d.node}})
	if err != nil {
		return err
	}
	releases, err := release.New(release.Deps{Node: releasing{droppingNode{d.node}, d.shelf}})
	if err != nil {
		return err
	}
	const dropping, dropTimeout = 4, time.Hour
	lanes := []runner.Lane{ // what a node holds it also drops, whatever else it does
		{Kind: job.KindUnpin, Handler: unpins, Concurrency: dropping, Timeout: dropTimeout, MaxAttempts: c.MaxAttempts},
		{Kind: job.KindRelease, Handler: releases, Concurrency: dropping, Timeout: dropTimeout, MaxAttempts: c.MaxAttempts},
	}
	if d.cfg.Works(string(job.KindPin)) {
		lanes = append(lanes, runner.Lane{Kind: job.KindPin, Handler: pins, Concurrency: c.PinWorkers, Timeout: c.PinTimeout.D(), MaxAttempts: c.MaxAttempts})
	}
	if d.shelf != nil {
		prepares, err := d.preparing()
		if err != nil {
			return err
		}
		lanes = append(lanes, runner.Lane{Kind: job.KindPrepare, Handler: prepares, Concurrency: d.cfg.Piece.Jobs, Timeout: d.cfg.Piece.Timeout.D(), MaxAttempts: c.MaxAttempts})
	}
	if d.cfg.Works(string(job.KindServed)) {
		serveds, err := d.serving()
		if err != nil {
			return err
		}
		lanes = append(lanes, runner.Lane{Kind: job.KindServed, Handler: serveds, Concurrency: d.cfg.Served.Workers, Timeout: d.cfg.Served.Timeout.D(), MaxAttempts: c.MaxAttempts})
	}
	if d.cfg.Works(string(job.KindStatus)) {
		statuses, err := d.asking(ctx)
		if err != nil {
			return err
		}
		const workers, timeout = 4, 2 * time.Minute
		lanes = append(lanes, runner.Lane{Kind: job.KindStatus, Handler: statuses, Concurrency: workers, Timeout: timeout, MaxAttempts: c.MaxAttempts})
	}
	keeping, err := d.openKeeper(ctx)
	if err != nil {
		return err
	}
	lanes = append(lanes, keeping...)
	cfg := runner.Config{
		Owner: d.owner, NodeID: d.nodeID(), Grace: c.Grace.D(), BackoffBase: c.Backoff.D(), Lanes: lanes,
		DeadlineMargin: d.cfg.Report.DeadlineMargin.D() + d.cfg.Report.BatchWindow.D(),
	}
	if d.shared() { // others take up the work of one that died
		cfg.Lease = jobLease
	}
	d.runner, err = runner.New(cfg, runner.Deps{Ledger: d.ledger, Waker: d.queue, OnFinish: d.finished, Span: d.span(), Counter: d.ledger, Ahead: d.clock.Ahead, Log: d.log, Metrics: d.metrics})
	return err
}

// finished wakes what a finished job gave work to.
func (d *Daemon) finished(c job.Committed) {
	if c.Answer {
		d.wakeReport()
	}
	for _, kind := range c.Ready {
		d.queue.Notify(kind)
	}
}

func (d *Daemon) openWatcher(context.Context) (err error) {
	c := d.cfg.Chain
	if !d.cfg.Has(config.RoleWatch) {
		return nil
	}
	d.watching = d.newTerm(leadWatch)
	ledger := d.watching.under(d.ledger)
	var closers []func()
	if d.endpoints, closers, err = Endpoints(d.cfg); err != nil {
		return err
	}
	d.closers = append(d.closers, closers...)
	sink, err := Intake(d.cfg, intake.Deps{Ledger: ledger, Notifier: d.queue, Answers: d.wakeReport, Span: d.span(), Logger: d.log, Metrics: d.metrics})
	if err != nil {
		return err
	}
	d.watcher, err = watch.New(watch.Config{
		Filter: Filter, Addresses: watched(d.cfg), Start: c.Start, ChainID: c.ID, SoftDepth: c.SoftDepth,
		FinalityDepth: c.FinalityDepth, PollInterval: c.PollInterval.D(), MaxRange: c.MaxRange,
	}, watch.Deps{RPC: d.endpoints, Ledger: ledger, Registry: ledger, Sink: d.clock.through(sink), Ahead: sink.Ahead, Logger: d.log, Metrics: d.metrics})
	if err != nil {
		return err
	}
	d.auditor, err = Auditor(d.cfg, ledger, d.endpoints, sink, d.log, d.metrics)
	return err
}

func (d *Daemon) openHTTP(context.Context) (err error) {
	listen := d.cfg.HTTP.Listen
	if !d.cfg.Has(config.RoleAPI) {
		listen = ""
	}
	d.api, err = httpapi.New(httpapi.Config{
		Listen: listen, Admin: d.cfg.HTTP.Admin, AllowedHosts: d.cfg.HTTP.AllowedHosts, Pprof: d.cfg.HTTP.Pprof,
		KeyFile: filepath.Join(d.cfg.DataDir, "api.key"),
	}, httpapi.Deps{
		Jobs: d.ledger, Requests: requestReader{d.ledger}, Node: apiNode{d}, Shelf: apiShelf{d}, Proofs: apiShelf{d}, Deals: apiDeals{d}, Notify: func(k job.Kind) { d.queue.Notify(k) },
		Status: d.status, Checks: d.checks(), Metrics: d.metrics, Log: d.log,
	})
	return err
}

// checkOperator makes sure that the report key may sign: a daemon whose answers
// nobody accepts would only burn work.
func (d *Daemon) checkOperator(ctx context.Context, client *ethclient.Client) error {
	if d.deps.ReportSigner == nil {
		return nil // others sign
	}
	c := estuaryprovider.NewEstuaryProvider()
	got, err := bind.Call(c.Instance(client, common.HexToAddress(d.cfg.Chain.Provider)), &bind.CallOpts{Context: ctx},
		c.PackOperators(), c.UnpackOperators)
	if err != nil {
		return fmt.Errorf("reading the operators: %w", err)
	}
	if me := d.deps.ReportSigner.Address(); !slices.Contains(got, me) {
		return wrong("keys.report is %s, which is not an operator of the provider %s (operators: %v): use the operator's key, or let the owner propose it",
			me, d.cfg.Chain.Provider, got)
	}
	return nil
}
