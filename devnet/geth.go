package devnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/eth/filters"
	"github.com/ethereum/go-ethereum/event"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/p2p"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
)

const (
	genesisFile = "devnet.json"
	gethName    = "geth"
	// suggestedTip is what eth_maxPriorityFeePerGas answers on a quiet chain, in
	// attoFIL; Lotus nodes suggest premiums of this size.
	suggestedTip = 100_000
	// replaceBump is by how many percent a replacement must raise its fees: Lotus's rule.
	replaceBump = 25
	waitIndexed = 5 * time.Second
)

// geth is the Engine made of go-ethereum. Blocks are built by its miner and
// inserted directly; there is no consensus client and no peer.
type geth struct {
	stack *node.Node
	eth   *eth.Ethereum
	apis  []rpc.API

	// pool serialises Sync and Clear of go-ethereum's pool, which lose a waiter when
	// they overlap; submissions share it, a reorg that drops transactions excludes them.
	pool    sync.Mutex
	gate    sync.RWMutex
	stale   atomic.Bool // the pool has not looked at the newest head yet
	arrived chan struct{}
	txs     event.Subscription
	watcher sync.WaitGroup

	restoreLog func()
}

// genesisRecord is what DataDir/devnet.json holds: enough to make the same first
// block again.
type genesisRecord struct {
	ChainID  uint64 `json:"chainId"`
	Time     uint64 `json:"genesisTime"`
	GasLimit uint64 `json:"gasLimit"`
}

func newGeth(c Config) (*geth, error) {
	record, err := loadGenesis(c)
	if err != nil {
		return nil, err
	}
	g := &geth{arrived: make(chan struct{}, 1), restoreLog: routeGethLog(c)}
	if err := g.open(c, record); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

// loadGenesis reads the record of an existing data directory or writes that of a
// new one.
func loadGenesis(c Config) (genesisRecord, error) {
	fresh := genesisRecord{ChainID: ChainID, Time: uint64(c.Now().Unix()), GasLimit: c.GasLimit}
	if c.DataDir == "" {
		return fresh, nil
	}
	path := filepath.Join(c.DataDir, genesisFile)
	raw, err := os.ReadFile(path)
	if err == nil {
		var found genesisRecord
		if err := json.Unmarshal(raw, &found); err != nil || found.ChainID != ChainID || found.GasLimit == 0 {
			return found, fmt.Errorf("%w: %s does not describe a chain of this devnet: choose another data directory or delete this one", ErrConfig, path)
		}
		return found, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fresh, fmt.Errorf("read the devnet's data directory: %w", err)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return fresh, fmt.Errorf("create the devnet's data directory: %w", err)
	}
	raw, err = json.Marshal(fresh)
	if err != nil {
		return fresh, fmt.Errorf("encode the devnet's genesis: %w", err)
	}
	temporary := path + ".new"
	if err := os.WriteFile(temporary, append(raw, '\n'), 0o600); err != nil {
		return fresh, fmt.Errorf("write the devnet's genesis: %w", err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return fresh, fmt.Errorf("write the devnet's genesis: %w", err)
	}
	return fresh, nil
}

// open builds the node and brings it to the point where blocks can be sealed.
func (g *geth) open(c Config, record genesisRecord) error {
	key, err := crypto.GenerateKey()
	if err != nil {
		return fmt.Errorf("make the node's key: %w", err)
	}
	g.stack, err = node.New(&node.Config{
		Name:    gethName,
		DataDir: c.DataDir,
		P2P:     p2p.Config{PrivateKey: key, NoDiscovery: true, NoDial: true},
	})
	if errors.Is(err, node.ErrDatadirUsed) {
		return fmt.Errorf("%w: another devnet runs on %s: stop it or choose another directory", ErrDataDirInUse, c.DataDir)
	}
	if err != nil {
		return fmt.Errorf("open the devnet's node: %w", err)
	}
	if g.eth, err = eth.New(g.stack, ethConfig(record)); err != nil {
		return fmt.Errorf("open the devnet's chain: %w", err)
	}
	g.apis = g.services()
	if err := g.stack.Start(); err != nil {
		return fmt.Errorf("start the devnet's chain: %w", err)
	}
	// No minimum tip: the wallet's choice decides only the order.
	g.eth.Miner().SetGasTip(new(big.Int))
	g.eth.TxPool().SetGasTip(new(big.Int))
	if err := g.prepareIndex(); err != nil {
		return err
	}
	incoming := make(chan core.NewTxsEvent, 64)
	g.txs = g.eth.TxPool().SubscribeTransactions(incoming, true)
	g.watcher.Go(func() { g.watchArrivals(incoming) })
	return nil
}

func ethConfig(record genesisRecord) *ethconfig.Config {
	c := ethconfig.Defaults
	c.Genesis = genesis(record)
	c.NetworkId = ChainID
	c.SyncMode = ethconfig.FullSync
	// Every state is kept: calls at old blocks answer, and a kill loses nothing.
	c.StateScheme = rawdb.HashScheme
	c.NoPruning = true
	c.NoPrefetch = true
	c.SnapshotCache = 0
	c.DatabaseCache = 64
	c.TrieCleanCache = 32
	c.TrieDirtyCache = 32
	c.TransactionHistory = 0 // all
	c.LogNoHistory = true    // logs are found by the headers' bloom filters, never late
	c.Miner.GasCeil = record.GasLimit
	c.Miner.GasPrice = big.NewInt(suggestedTip)
	c.TxPool.NoLocals = true
	c.TxPool.Journal = ""
	c.TxPool.PriceBump = replaceBump
	c.TxPool.AccountSlots = 4096
	c.TxPool.GlobalSlots = 16384
	c.TxPool.AccountQueue = 1024
	c.TxPool.GlobalQueue = 16384
	c.BlobPool.Datadir = ""
	c.RPCGasCap = record.GasLimit
	c.RPCTxFeeCap = 0 // no cap
	return &c
}

// genesis is the first block: every fork up to Cancun, the funded accounts, and
// none of Ethereum's system contracts, which Filecoin does not have either.
func genesis(record genesisRecord) *core.Genesis {
	zero, cancun := new(big.Int), uint64(0)
	alloc := make(types.GenesisAlloc, len(accounts))
	for _, a := range accounts {
		alloc[a.Address] = types.Account{Balance: AccountBalance()}
	}
	return &core.Genesis{
		Config: &params.ChainConfig{
			ChainID:             new(big.Int).SetUint64(record.ChainID),
			HomesteadBlock:      zero,
			EIP150Block:         zero,
			EIP155Block:         zero,
			EIP158Block:         zero,
			ByzantiumBlock:      zero,
			ConstantinopleBlock: zero,
			PetersburgBlock:     zero,
			IstanbulBlock:       zero,
			MuirGlacierBlock:    zero,
			BerlinBlock:         zero,
			LondonBlock:         zero,
			ArrowGlacierBlock:   zero,
			GrayGlacierBlock:    zero,
			MergeNetsplitBlock:  zero,

			ShanghaiTime:            &cancun,
			CancunTime:              &cancun,
			TerminalTotalDifficulty: zero,
			BlobScheduleConfig:      &params.BlobScheduleConfig{Cancun: params.DefaultCancunBlobConfig},
		},
		Timestamp:  record.Time,
		GasLimit:   record.GasLimit,
		BaseFee:    big.NewInt(params.InitialBaseFee),
		Difficulty: new(big.Int),
		Alloc:      alloc,
	}
}

// services picks the public namespaces; go-ethereum's admin, debug and miner stay
// unreachable.
func (g *geth) services() []rpc.API {
	apis := []rpc.API{
		{Namespace: "eth", Service: filters.NewFilterAPI(filters.NewFilterSystem(g.eth.APIBackend, filters.Config{}))},
		{Namespace: "web3", Service: web3{}},
	}
	for _, api := range g.eth.APIs() {
		switch api.Namespace {
		case "eth", "net", "txpool":
			apis = append(apis, api)
		}
	}
	return apis
}

// APIs implements Engine.
func (g *geth) APIs() []rpc.API { return g.apis }

// prepareIndex tells the transaction indexer of an empty chain that it has seen
// everything; otherwise a receipt of an unknown transaction is an error until the
// first block.
func (g *geth) prepareIndex() error {
	chain := g.eth.BlockChain()
	if chain.CurrentBlock().Number.Sign() == 0 {
		rawdb.WriteTxIndexTail(g.eth.ChainDb(), 0)
		if _, err := chain.SetCanonical(chain.Genesis()); err != nil {
			return fmt.Errorf("announce the first block: %w", err)
		}
	}
	deadline := time.NewTimer(waitIndexed)
	defer deadline.Stop()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for !chain.TxIndexDone() {
		select {
		case <-poll.C:
		case <-deadline.C:
			return nil // a long chain: the index catches up while it runs
		}
	}
	return nil
}

// Close implements Engine. It also undoes a start that failed half-way.
func (g *geth) Close() error {
	var err error
	if g.txs != nil {
		g.txs.Unsubscribe()
	}
	g.watcher.Wait()
	if g.stack != nil {
		if closed := g.stack.Close(); closed != nil {
			err = fmt.Errorf("close the devnet's chain: %w", closed)
		}
	}
	g.restoreLog()
	return err
}

// web3 is the namespace of that name.
type web3 struct{}

// ClientVersion names the software.
func (web3) ClientVersion() string { return "tidegate-devnet/geth" }

// Sha3 hashes with Keccak-256.
func (web3) Sha3(_ context.Context, input hexutil.Bytes) hexutil.Bytes {
	return crypto.Keccak256(input)
}
