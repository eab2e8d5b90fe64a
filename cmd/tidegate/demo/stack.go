package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/oracle/signer"
)

const (
	epochTime    = 30 * time.Second // of the chain's clock: a day has as many epochs as on Filecoin
	stallTimeout = 3 * time.Second
	startTimeout = 5 * time.Minute
	miners       = 3
)

// stack is everything that runs in the demo.
type stack struct {
	rpc          string
	chainID      uint64
	startBlock   uint64
	pinningAddr  common.Address
	providerAddr common.Address
	noteAddr     common.Address
	storageAddr  common.Address
	factoryAddr  common.Address // of DAOs
	net          *devnet.Devnet
	client       *ethclient.Client
	cfg          config.Config
	daemon       *daemon.Daemon
	peer         *ipfs.Node
	treeRoot     cid.Cid
	dealtRoot    cid.Cid // the part of the tree that deals are made for

	cancel  context.CancelFunc
	running sync.WaitGroup
	closers []func() error // in order of opening

	mu     sync.Mutex
	failed chan struct{} // closed when a part ended by itself
	err    error
}

// startStack starts the chain, deploys, and starts the daemon and the peer.
// What was started is stopped again when it fails.
func startStack(ctx, hasten context.Context, dir string, o Options, say func(string, ...any)) (*stack, error) {
	// The parts outlive ctx until stop, so that stories end before the chain does.
	runCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &stack{cancel: cancel, failed: make(chan struct{}), chainID: devnet.ChainID}
	ctx, done := context.WithTimeout(ctx, startTimeout)
	defer done()
	for _, step := range []func() error{
		func() error { return s.startChain(ctx, runCtx, o, say) },
		func() error { return s.startDaemon(ctx, runCtx, hasten, dir, say) },
		func() error { return s.startPeer(ctx, dir, say) },
	} {
		if err := step(); err != nil {
			return nil, errors.Join(err, s.stop())
		}
	}
	return s, nil
}

// run runs a part; its end before stop fails the demo.
func (s *stack) run(ctx context.Context, name string, f func(context.Context) error) {
	s.running.Go(func() {
		err := f(ctx)
		if ctx.Err() != nil && (err == nil || errors.Is(err, context.Canceled)) {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.err == nil {
			s.err = fmt.Errorf("the %s ended: %w", name, errors.Join(err, errors.New("see above")))
			close(s.failed)
		}
	})
}

func (s *stack) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *stack) startChain(ctx, runCtx context.Context, o Options, say func(string, ...any)) error {
	c := devnet.DefaultConfig()
	c.Port, c.BlockTime, c.Epoch = o.RPCPort, o.BlockTime, epochTime
	c.Miners, c.Market = miners, &market.Config{}
	net, err := devnet.New(ctx, c)
	if err != nil {
		return fmt.Errorf("starting the chain: %w", err)
	}
	s.closers = append(s.closers, net.Close)
	s.run(runCtx, "chain", net.Run)
	s.net, s.rpc = net, net.HTTPURL()
	if s.client, err = ethclient.DialContext(ctx, s.rpc); err != nil {
		return fmt.Errorf("connecting to the chain: %w", err)
	}
	s.closers = append(s.closers, func() error { s.client.Close(); return nil })
	say("chain    %s, an epoch every %s, final %d tipsets later", s.rpc, o.BlockTime, devnet.DefaultFinalityDepth)
	keys := devnet.Accounts()
	made, err := deploy.OnDevnet(ctx, s.client, keys[keyDeployer].Key(), keys[keyReport].Address)
	if err != nil {
		return err
	}
	s.startBlock = made.StartBlock
	s.providerAddr, s.pinningAddr, s.noteAddr = made.Contracts["EstuaryProvider"], made.Contracts["EstuaryPinning"], made.Contracts["RevertingNote"]
	s.storageAddr, s.factoryAddr = made.Contracts["PerpetualStorage"], made.Contracts["DataDAOFactory"]
	net.Market().Allow(made.Contracts["StorageGate"])
	say("deployed EstuaryProvider %s, EstuaryPinning %s, PerpetualStorage %s", s.providerAddr, s.pinningAddr, s.storageAddr)
	for _, p := range net.Market().Providers() {
		e := p.Endpoints()
		say("provider %s, sectors of %d MiB, %s", e.Miner, e.SectorSize>>20, e.Multiaddr)
	}
	return nil
}

func (s *stack) startDaemon(ctx, runCtx, hasten context.Context, dir string, say func(string, ...any)) error {
	s.cfg = daemonConfig(s, dir)
	logFile, err := os.OpenFile(filepath.Join(dir, "daemon.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("the daemon's log: %w", err)
	}
	s.closers = append(s.closers, logFile.Close)
	keys := devnet.Accounts()
	sender, err := signer.FromHex(keys[keySender].PrivateKey)
	if err != nil {
		return err
	}
	report, err := signer.FromHex(keys[keyReport].PrivateKey)
	if err != nil {
		return err
	}
	s.daemon, err = daemon.New(ctx, s.cfg, daemon.Deps{Log: daemon.NewLogger(logFile, "debug", "text"), SenderKeys: []signer.TxSigner{sender}, ReportSigner: report})
	if err != nil {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	s.closers = append(s.closers, s.daemon.Close)
	s.cfg.HTTP.Listen, s.cfg.HTTP.Admin = s.daemon.API(), s.daemon.Admin()
	s.run(runCtx, "daemon", func(ctx context.Context) error { return s.daemon.Run(ctx, hasten) })
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !s.daemon.Ready() {
		select {
		case <-tick.C:
		case <-s.failed:
			return s.failure()
		case <-ctx.Done():
			return fmt.Errorf("the daemon was not ready in time; its log is %s: %w", logFile.Name(), ctx.Err())
		}
	}
	say("daemon   API http://%s, node %s, log %s", s.cfg.HTTP.Listen, s.daemon.Node().ID(), logFile.Name())
	return nil
}

func daemonConfig(s *stack, dir string) config.Config {
	c := config.Devnet()
	c.DataDir = filepath.Join(dir, "daemon")
	c.Chain.RPC, c.Chain.Start = []string{s.rpc}, s.startBlock
	c.Chain.Provider, c.Chain.Pinning = s.providerAddr.Hex(), s.pinningAddr.Hex()
	c.IPFS.Listen = []string{"/ip4/127.0.0.1/tcp/0"}
	c.IPFS.StallTimeout = config.Duration(stallTimeout)
	c.HTTP.Listen, c.HTTP.Admin = "127.0.0.1:0", "127.0.0.1:0"
	// Deals: pieces are served to providers, however small; the keeper opens deals and renewals.
	c.Chain.Storage = s.storageAddr.Hex()
	c.Public.Listen, c.Public.RequestsPerSecond, c.Piece.MinSize = "127.0.0.1:0", 1000, 1<<10
	c.Deals.Enabled, c.Keeper.Enabled, c.Keeper.MaxCost = true, true, "1"
	for _, p := range s.net.Market().Providers() {
		e := p.Endpoints()
		c.Deals.Providers = append(c.Deals.Providers, fmt.Sprintf("%s %s %s", e.Miner, e.URL, e.Multiaddr))
	}
	return c
}

func (s *stack) startPeer(ctx context.Context, dir string, say func(string, ...any)) (err error) {
	s.peer, err = ipfs.New(ctx, ipfs.Config{
		DataDir: filepath.Join(dir, "peer"), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, AllowPrivatePeers: true,
	}, ipfs.Deps{})
	if err != nil {
		return fmt.Errorf("starting the peer: %w", err)
	}
	say("peer     %s", s.peerOrigin())
	return nil
}

// peerOrigin is the peer's address, as a wallet names it.
func (s *stack) peerOrigin() string { return s.peer.Addrs()[0] }

func (s *stack) nodeAddr() string { return s.daemon.Node().Addrs()[0] }

func (s *stack) stopPeer() error {
	peer := s.peer
	s.peer = nil
	if peer == nil {
		return nil
	}
	if err := peer.Close(); err != nil {
		return fmt.Errorf("stopping the peer: %w", err)
	}
	return nil
}

// stop stops everything, the latest first.
func (s *stack) stop() error {
	errs := []error{s.stopPeer()}
	s.cancel()
	s.running.Wait()
	for i := len(s.closers) - 1; i >= 0; i-- {
		errs = append(errs, s.closers[i]())
	}
	return errors.Join(errs...)
}
