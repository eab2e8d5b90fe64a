package sending

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/report"
	"github.com/tidegate/tidegate/oracle/signer"
	"github.com/tidegate/tidegate/oracle/txmgr"
)

const (
	chainID = 1337 // of the simulated chain
	filter  = "provider"
	unpin   = 2 // action
)

var contract = estuaryprovider.NewEstuaryProvider()

// bench is a chain with the provider on it, a ledger that follows it, and whoever
// reports and sends at the moment.
type bench struct {
	t        *testing.T
	sim      *simulated.Backend
	rpc      *rpc.Client
	eth      *ethclient.Client
	user     *bind.TransactOpts
	nonce    int64 // of the user's last transaction
	provider common.Address
	ledger   *store.Store
	txKey    signer.Signer
	repKey   signer.Signer
	read     chain.Block // newest block in the ledger
	answers  map[common.Hash]int
	landed   map[common.Hash]int // answers by the transaction that brought them
	maxBatch int
	maySkip  bool // two operators may answer the same request
	log      *slog.Logger
}

// meta is the ledger as the sender reads single values.
type meta struct{ *store.Store }

func (m meta) GetMeta(ctx context.Context, key string) (string, bool, error) {
	v, err := m.Store.GetMeta(ctx, key)
	if errors.Is(err, job.ErrNotFound) {
		return "", false, nil
	}
	return v, err == nil, err
}

func key(t *testing.T, seed byte) (signer.Signer, string) {
	t.Helper()
	text := fmt.Sprintf("%064x", uint64(seed)+0x1234567)
	s, err := signer.FromHex(text)
	if err != nil {
		t.Fatal(err)
	}
	return s, text
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := newChain(t, []byte{1}, []byte{2}, 1)
	b.openLedger()
	return b
}

func (b *bench) openLedger() {
	b.t.Helper()
	var err error
	b.ledger, err = store.Open(b.t.Context(), store.Config{Path: filepath.Join(b.t.TempDir(), "ledger.db"), NodeID: "node"})
	must(b.t, err)
	b.t.Cleanup(func() { b.ledger.Close() })
}

// newChain is a chain with funded senders and the provider, k of whose operators
// must sign; senders and operators are seeds of keys, the first of each is b's.
func newChain(t *testing.T, senders, operators []byte, k uint8) *bench {
	t.Helper()
	b := &bench{t: t, answers: map[common.Hash]int{}, landed: map[common.Hash]int{}, log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	b.txKey, _ = key(t, senders[0])
	b.repKey, _ = key(t, operators[0])
	userKey, userHex := key(t, 3)
	private, err := crypto.HexToECDSA(userHex)
	must(t, err)
	b.user = bind.NewKeyedTransactor(private, big.NewInt(chainID))

	rich := types.Account{Balance: new(big.Int).Lsh(big.NewInt(1), 90)}
	dir, err := os.MkdirTemp("", "tg") // a socket's path must be short
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	alloc := types.GenesisAlloc{userKey.Address(): rich}
	for _, seed := range senders {
		s, _ := key(t, seed)
		alloc[s.Address()] = rich
	}
	b.sim = simulated.NewBackend(alloc,
		func(n *node.Config, _ *ethconfig.Config) { n.IPCPath = filepath.Join(dir, "rpc") })
	t.Cleanup(func() { b.sim.Close() })
	b.rpc, err = rpc.DialContext(t.Context(), filepath.Join(dir, "rpc"))
	must(t, err)
	t.Cleanup(b.rpc.Close)
	b.eth = ethclient.NewClient(b.rpc)
	var addresses []common.Address
	for _, seed := range operators {
		s, _ := key(t, seed)
		addresses = append(addresses, s.Address())
	}
	b.deploy(addresses, k)
	return b
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (b *bench) deploy(operators []common.Address, k uint8) {
	p := deploy.Anvil()
	_, tx, err := bind.DeployContract(b.user, common.FromHex(estuaryprovider.EstuaryProviderMetaData.Bin), b.eth,
		contract.PackConstructor(p.Provider, b.user.From, operators, k, p.GasPriceCap))
	must(b.t, err)
	b.sim.Commit()
	receipt, err := b.eth.TransactionReceipt(b.t.Context(), tx.Hash())
	must(b.t, err)
	b.provider = receipt.ContractAddress
	b.send(contract.PackSetPrice(unpin, p.Unpin), nil)
	b.sim.Commit()
}

func (b *bench) send(data []byte, value *big.Int) {
	b.t.Helper()
	opts := *b.user
	// Counted here: what the pool says of pending nonces is stale while it takes in a block.
	b.nonce++
	opts.Value, opts.Nonce, opts.Context = value, big.NewInt(b.nonce), b.t.Context()
	_, err := bind.Transact(contract.Instance(b.eth, b.provider), &opts, data)
	must(b.t, err)
}

// ask makes n requests in one block.
func (b *bench) ask(n int) {
	b.t.Helper()
	head, err := b.eth.HeaderByNumber(b.t.Context(), nil)
	must(b.t, err)
	options := estuaryprovider.RequestOptions{Deadline: new(big.Int).SetUint64(head.Time + 3600), RefundTo: b.user.From}
	for i := range n {
		b.send(contract.PackRequest(unpin, 0, new(big.Int), []byte{byte(i)}, []byte("context"), options), big.NewInt(1e18))
	}
	b.sim.Commit()
}

// follow brings the ledger up to the chain, one block a batch, as the watcher and
// the intake do.
func (b *bench) follow() {
	b.t.Helper()
	head, err := b.eth.HeaderByNumber(b.t.Context(), nil)
	must(b.t, err)
	final, err := b.eth.HeaderByNumber(b.t.Context(), big.NewInt(rpc.FinalizedBlockNumber.Int64()))
	must(b.t, err)
	for h := b.read.Height + 1; h <= head.Number.Uint64(); h++ {
		header, err := b.eth.HeaderByNumber(b.t.Context(), new(big.Int).SetUint64(h))
		must(b.t, err)
		batch := chain.Batch{Now: time.Now()}
		b.read = block(header)
		batch.Update = chain.Update{
			Filter: filter, Blocks: []chain.Block{b.read}, From: h, To: h, Head: block(head), Soft: h,
			Final: block(final),
		}
		if final.Number.Uint64() > h { // no more is final than was read
			batch.Update.Final = b.read
		}
		hash := header.Hash()
		logs, err := b.eth.FilterLogs(b.t.Context(), ethereum.FilterQuery{BlockHash: &hash, Addresses: []common.Address{b.provider}})
		must(b.t, err)
		for i := range logs {
			b.decode(&batch, &logs[i])
		}
		_, err = b.ledger.CommitBatch(b.t.Context(), batch)
		must(b.t, err)
	}
}

func block(h *types.Header) chain.Block {
	return chain.Block{Height: h.Number.Uint64(), Hash: h.Hash(), Parent: h.ParentHash, Time: time.Unix(int64(h.Time), 0)}
}

func (b *bench) decode(batch *chain.Batch, l *types.Log) {
	at := chain.Log{
		Height: l.BlockNumber, Block: l.BlockHash, Index: l.Index, Tx: l.TxHash, TxIndex: l.TxIndex,
		Address: l.Address, Topics: l.Topics, Data: l.Data,
	}
	batch.Logs, batch.Seq = append(batch.Logs, at), append(batch.Seq, -1)
	if e, err := contract.UnpackOracleRequestedEvent(l); err == nil {
		terms, err := contract.GetABI().Methods["idOf"].Inputs.Pack(e.Terms)
		must(b.t, err)
		r := chain.Request{
			ID: e.RequestId, Chain: chainID, Provider: b.provider, Consumer: e.Consumer, Requester: e.Consumer, Action: e.Action, Seq: e.Terms.Seq,
			Terms: terms, Payload: e.Payload, Context: e.Context, Deadline: time.Unix(e.Terms.Deadline.Int64(), 0),
			AttemptUntil: time.Unix(e.Terms.AttemptUntil.Int64(), 0), Log: at, State: chain.RequestOpen,
		}
		batch.Requests = append(batch.Requests, r)
		batch.Jobs = append(batch.Jobs, job.New{
			Key: job.RequestKey(chainID, b.provider.Hex(), r.ID.Hex(), r.Action), Kind: job.KindUnpin, Class: job.ClassPaid, Request: r.ID.Hex(),
			Requester: r.Requester.Hex(), Payload: job.Encode(job.Unpin{CID: e.Payload, Owner: "owner", Seq: r.Seq}),
			Lane: job.LaneSoft, Height: at.Height, RunAt: time.Now(), Deadline: r.Deadline, NotBefore: r.AttemptUntil,
		})
	}
	if e, err := contract.UnpackOracleAnsweredEvent(l); err == nil {
		b.answers[e.RequestId]++
		b.landed[l.TxHash]++
		batch.Closings = append(batch.Closings, chain.Closing{
			Request: e.RequestId, State: chain.RequestAnswered, Outcome: job.Outcome(e.Outcome), Reason: job.Reason(e.Reason), Log: at,
		})
	}
	if e, err := contract.UnpackReportSkippedEvent(l); err == nil && !b.maySkip {
		b.t.Errorf("request %x was skipped: %d", e.RequestId, e.Reason)
	}
}

// work does every job that is due.
func (b *bench) work() {
	for {
		j, ok, err := b.ledger.Claim(b.t.Context(), job.ClaimRequest{Kind: job.KindUnpin, Owner: "test", Lease: time.Minute, Now: time.Now(), NodeID: "node"})
		must(b.t, err)
		if !ok {
			return
		}
		_, err = b.ledger.FinishJob(b.t.Context(), j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Answer: []byte("done")}, time.Now())
		must(b.t, err)
	}
}

// run starts a sender and a reporter; stop ends both and waits.
func (b *bench) run() (stop func()) {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	var reporter *report.Reporter
	sender, err := txmgr.New(txmgr.Config{ChainID: chainID, Owner: "daemon", Poll: 10 * time.Millisecond, MaxInFlight: 4}, txmgr.Deps{
		Ledger: meta{b.ledger}, Signer: b.txKey, Endpoints: []txmgr.Endpoint{txmgr.FromClient("simulated", b.rpc)},
		Decode: txmgr.ABIDecoder(contract.GetABI()), Changed: func() { reporter.Wake() }, Log: b.log,
	})
	must(b.t, err)
	reporter, err = report.New(report.Config{
		ChainID: chainID, Provider: b.provider, BatchWindow: 20 * time.Millisecond, MaxBatch: max(4, b.maxBatch), Poll: 10 * time.Millisecond,
	}, report.Deps{Ledger: b.ledger, Chain: b.eth, Signer: b.repKey, Sender: b.txKey.Address, Queued: sender.Wake, Log: b.log})
	must(b.t, err)
	var wg sync.WaitGroup
	wg.Go(func() { _ = sender.Run(ctx) })
	wg.Go(func() { _ = reporter.Run(ctx) })
	return func() { cancel(); wg.Wait() }
}

// settled reports whether all n requests are answered for good.
func (b *bench) settled(n int) bool {
	requests, err := b.ledger.Requests(b.t.Context(), chain.RequestFilter{Limit: 1000})
	must(b.t, err)
	done := 0
	for _, r := range requests {
		if r.State == chain.RequestAnswered && r.ClosedFinal {
			done++
		}
	}
	open, err := b.ledger.OpenBatches(b.t.Context())
	must(b.t, err)
	txs, err := b.ledger.OpenTxs(b.t.Context(), b.txKey.Address())
	must(b.t, err)
	return done == n && len(open) == 0 && len(txs) == 0
}

// state is what is still open, in words.
func (b *bench) state() string {
	open, err := b.ledger.OpenBatches(b.t.Context())
	must(b.t, err)
	out := fmt.Sprintf("%d answered", len(b.answers))
	for _, o := range open {
		out += fmt.Sprintf("; batch %d of %d is %s, its transaction %s (%s)", o.ID, len(o.Items), o.State, o.TxState, o.TxWhy)
	}
	return out
}

func TestAnswersReachTheChainOnceThoughTheDaemonRestartsAllTheTime(t *testing.T) {
	b := newBench(t)
	const n = 14
	b.ask(n)
	b.follow()
	ticks := time.NewTicker(10 * time.Millisecond)
	defer ticks.Stop()
	give := time.Now().Add(90 * time.Second)
	stop := b.run()
	for i := 1; !b.settled(n); i++ {
		if time.Now().After(give) {
			stop()
			t.Fatalf("not settled in time: %s", b.state())
		}
		<-ticks.C
		b.sim.Commit()
		b.follow()
		b.work()
		if i%15 == 0 {
			stop()
			stop = b.run()
		}
	}
	stop()
	for id := int64(1); ; id++ {
		tx, err := b.ledger.Tx(t.Context(), id)
		if errors.Is(err, job.ErrNotFound) {
			break
		}
		must(t, err)
		if tx.State != chain.TxFinal || tx.Reverted {
			t.Errorf("transaction %d is %s, reverted %t: %s", id, tx.State, tx.Reverted, tx.Why)
		}
	}
	if len(b.answers) != n {
		t.Errorf("%d requests were answered on chain, want %d", len(b.answers), n)
	}
	for id, times := range b.answers {
		if times != 1 {
			t.Errorf("request %s was answered %d times", id, times)
		}
	}
	counts, err := b.ledger.JobCounts(t.Context())
	must(t, err)
	if got := counts[job.KindUnpin][job.Settled]; got != n {
		t.Errorf("%d jobs are settled: %v", got, counts)
	}
}

func TestTheEndpointSpeaksWithARealNode(t *testing.T) {
	b := newBench(t)
	e := txmgr.FromClient("simulated", b.rpc)
	ctx := t.Context()
	if id, err := e.ChainID(ctx); err != nil || id != chainID {
		t.Errorf("chain %d, %v", id, err)
	}
	head, err := e.Head(ctx, txmgr.Latest)
	if err != nil || head.BaseFee == nil || head.GasLimit == 0 || head.Hash == (common.Hash{}) {
		t.Errorf("head %+v, %v", head, err)
	}
	if _, err := e.Head(ctx, txmgr.At(head.Height+100)); !errors.Is(err, txmgr.ErrNoBlock) {
		t.Errorf("a block of the future: %v", err)
	}
	if n, err := e.Nonce(ctx, b.user.From, txmgr.At(head.Height)); err != nil || n == 0 {
		t.Errorf("nonce %d, %v", n, err)
	}
	if bal, err := e.Balance(ctx, b.txKey.Address()); err != nil || bal.Sign() == 0 {
		t.Errorf("balance %v, %v", bal, err)
	}
	if _, ok, err := e.Receipt(ctx, common.Hash{1}); ok || err != nil {
		t.Errorf("a receipt of nothing: %v, %v", ok, err)
	}
	msg := ethereum.CallMsg{From: b.txKey.Address(), To: &b.provider, Data: contract.PackFulfill([32]byte{}, nil, nil)}
	err = e.Call(ctx, msg, txmgr.Latest)
	var r *txmgr.Revert
	if !errors.As(err, &r) || txmgr.ABIDecoder(contract.GetABI())(r.Data) != "EstuaryProvider_EmptyBatch()" {
		t.Errorf("an empty batch: %v", err)
	}
	if _, err := e.EstimateGas(ctx, msg); !errors.As(err, &r) {
		t.Errorf("an estimate of what reverts: %v", err)
	}
	if tip, err := e.Tip(ctx); err != nil || tip.Sign() < 0 {
		t.Errorf("tip %v, %v", tip, err)
	}
	if err := e.SendRaw(ctx, []byte{1, 2, 3}); err == nil {
		t.Error("garbage was accepted")
	}
}
