package txmgr

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/oracle/chain"
)

const testChain = 1337

var target = common.HexToAddress("0x00000000000000000000000000000000000000aa")

// fakeNet is a chain with one pool, one interesting sender and blocks on demand.
// Data that begins with 0xff reverts.
type fakeNet struct {
	faults  *faults
	rules   types.Signer
	blocks  []fakeBlock // by height
	pool    map[uint64]*types.Transaction
	depth   uint64 // the final block is so far behind
	baseFee *big.Int
	balance *big.Int
	salt    uint64

	down      bool // nothing answers
	loseReply bool // broadcasts arrive, their reply does not
	refuse    error
	stuck     bool // nothing is mined

	// durable says whether bytes are stored; whatever arrives must be.
	durable func(common.Hash) bool
	loose   []common.Hash // arrived, and were not
}

type fakeBlock struct {
	hash common.Hash
	txs  []*types.Transaction
}

func newFakeNet() *fakeNet {
	n := &fakeNet{
		rules: types.LatestSignerForChainID(big.NewInt(testChain)), pool: map[uint64]*types.Transaction{}, depth: 2,
		baseFee: big.NewInt(100), balance: new(big.Int).Lsh(big.NewInt(1), 80),
	}
	n.append(nil)
	return n
}

func (n *fakeNet) append(txs []*types.Transaction) {
	n.salt++
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], n.salt)
	n.blocks = append(n.blocks, fakeBlock{hash: crypto.Keccak256Hash(b[:]), txs: txs})
}

func (n *fakeNet) count(upTo uint64) uint64 {
	var c uint64
	for h := uint64(0); h <= upTo && h < uint64(len(n.blocks)); h++ {
		c += uint64(len(n.blocks[h].txs))
	}
	return c
}

func (n *fakeNet) head() uint64 { return uint64(len(n.blocks) - 1) }

// mine puts what may go into one block.
func (n *fakeNet) mine() {
	var txs []*types.Transaction
	for !n.stuck {
		next := n.count(n.head()) + uint64(len(txs))
		tx := n.pool[next]
		if tx == nil || tx.GasFeeCap().Cmp(n.baseFee) < 0 {
			break
		}
		delete(n.pool, next)
		txs = append(txs, tx)
	}
	n.append(txs)
}

// reorg replaces the last blocks by empty ones and one more; their transactions go
// back to the pool, or are lost.
func (n *fakeNet) reorg(blocks int, lose bool) {
	keep := max(len(n.blocks)-blocks, int(max(n.head(), n.depth)-n.depth)+1)
	gone := n.blocks[keep:]
	n.blocks = n.blocks[:keep:keep]
	for _, b := range gone {
		for _, tx := range b.txs {
			if !lose {
				n.pool[tx.Nonce()] = tx
			}
		}
		n.append(nil)
	}
	n.append(nil)
}

// effects counts executions of each intent's data in canonical blocks, and fails
// when a nonce was used twice.
func (n *fakeNet) effects(t testing.TB) map[string]int {
	out := map[string]int{}
	seen := map[uint64]bool{}
	for _, b := range n.blocks {
		for _, tx := range b.txs {
			if seen[tx.Nonce()] {
				t.Fatalf("nonce %d is in two blocks", tx.Nonce())
			}
			seen[tx.Nonce()] = true
			if len(tx.Data()) > 0 {
				out[string(tx.Data())]++
			}
		}
	}
	return out
}

// fakeEndpoint is one door to a fakeNet.
type fakeEndpoint struct {
	*fakeNet
	name    string
	off     bool
	chainID uint64
}

var errDown = errors.New("connection refused")

func (e *fakeEndpoint) do(fn func() error) (err error) {
	e.faults.step(func() { err = e.answer(fn) })
	return err
}

func (e *fakeEndpoint) answer(fn func() error) error {
	if e.down || e.off {
		return errDown
	}
	return fn()
}

func (e *fakeEndpoint) Name() string { return e.name }

func (e *fakeEndpoint) ChainID(context.Context) (id uint64, err error) {
	e.faults.aside(func() { err = e.answer(func() error { id = e.chainID; return nil }) })
	return id, err
}

func (e *fakeEndpoint) height(at Tag) (uint64, error) {
	switch at {
	case Latest:
		return e.head(), nil
	case Finalized:
		if e.head() < e.depth {
			return 0, ErrNoBlock
		}
		return e.head() - e.depth, nil
	}
	var h uint64
	if _, err := fmt.Sscanf(string(at), "0x%x", &h); err != nil {
		return 0, err
	}
	if h > e.head() {
		return 0, ErrNoBlock
	}
	return h, nil
}

func (e *fakeEndpoint) Nonce(_ context.Context, _ common.Address, at Tag) (c uint64, err error) {
	err = e.do(func() error {
		h, err := e.height(at)
		c = e.count(h)
		return err
	})
	return c, err
}

func (e *fakeEndpoint) Balance(context.Context, common.Address) (b *big.Int, err error) {
	err = e.do(func() error { b = new(big.Int).Set(e.balance); return nil })
	return b, err
}

func (e *fakeEndpoint) Head(_ context.Context, at Tag) (h Head, err error) {
	err = e.do(func() error {
		n, err := e.height(at)
		if err != nil {
			return err
		}
		h = Head{Height: n, Hash: e.blocks[n].hash, BaseFee: new(big.Int).Set(e.baseFee), GasLimit: 30_000_000}
		return nil
	})
	return h, err
}

func (e *fakeEndpoint) Receipt(_ context.Context, hash common.Hash) (r Receipt, ok bool, err error) {
	err = e.do(func() error {
		for h, b := range e.blocks {
			for _, tx := range b.txs {
				if tx.Hash() == hash {
					r, ok = Receipt{Block: b.hash, Height: uint64(h), GasUsed: 21000, Price: big.NewInt(7), Success: !reverts(tx.Data())}, true
				}
			}
		}
		return nil
	})
	return r, ok, err
}

func reverts(data []byte) bool { return bytes.HasPrefix(data, []byte{0xff}) }

func (e *fakeEndpoint) Call(_ context.Context, m ethereum.CallMsg, _ Tag) error {
	return e.do(func() error {
		if reverts(m.Data) {
			return &Revert{Words: "execution reverted: no such thing"}
		}
		return nil
	})
}

// EstimateGas finds more gas needed when gas has a price, and tries no more than
// the balance buys, as go-ethereum does.
func (e *fakeEndpoint) EstimateGas(_ context.Context, m ethereum.CallMsg) (gas uint64, err error) {
	gas = 30_000
	err = e.do(func() error {
		if m.GasFeeCap == nil {
			return nil
		}
		if gas = 50_000; cost(gas, m.GasFeeCap, m.Value).Cmp(e.balance) > 0 {
			return &Revert{Words: "gas required exceeds allowance (5)"}
		}
		return nil
	})
	return gas, err
}

func (e *fakeEndpoint) Tip(context.Context) (t *big.Int, err error) {
	return big.NewInt(10), e.do(func() error { return nil })
}

func (e *fakeEndpoint) SendRaw(_ context.Context, raw []byte) error {
	err := errDown
	e.faults.aside(func() { err = e.answer(func() error { return e.receive(raw) }) })
	return err
}

func (e *fakeEndpoint) receive(raw []byte) error {
	if e.refuse != nil {
		return e.refuse
	}
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return err
	}
	if e.durable != nil && !e.durable(tx.Hash()) {
		e.loose = append(e.loose, tx.Hash())
	}
	reply := e.admit(tx)
	if e.loseReply {
		return errors.New("context deadline exceeded")
	}
	return reply
}

func (n *fakeNet) admit(tx *types.Transaction) error {
	if tx.Nonce() < n.count(n.head()) {
		return fmt.Errorf("nonce too low: next nonce %d, tx nonce %d", n.count(n.head()), tx.Nonce())
	}
	if cost(tx.Gas(), tx.GasFeeCap(), tx.Value()).Cmp(n.balance) > 0 {
		return errors.New("insufficient funds for gas * price + value")
	}
	if old := n.pool[tx.Nonce()]; old != nil {
		if old.Hash() == tx.Hash() {
			return errors.New("already known")
		}
		if less(tx.GasTipCap(), old.GasTipCap()) || less(tx.GasFeeCap(), old.GasFeeCap()) {
			return errors.New("replacement transaction underpriced")
		}
	}
	n.pool[tx.Nonce()] = tx
	return nil
}

// less reports whether a is below 1.25 b, as Lotus wants it.
func less(a, b *big.Int) bool {
	return new(big.Int).Mul(a, big.NewInt(100)).Cmp(new(big.Int).Mul(b, big.NewInt(125))) < 0
}

type fakeSigner struct {
	key *ecdsa.PrivateKey
	err error
}

func (s *fakeSigner) Address() common.Address { return crypto.PubkeyToAddress(s.key.PublicKey) }

func (s *fakeSigner) SignTx(_ context.Context, tx *types.Transaction, id *big.Int) (*types.Transaction, error) {
	if s.err != nil {
		return nil, s.err
	}
	return types.SignTx(tx, types.LatestSignerForChainID(id), s.key)
}

// world is a ledger, a chain, a clock and whoever sends at the moment.
type world struct {
	t      testing.TB
	faults *faults
	net    *fakeNet
	doors  []Endpoint
	ledger *fakeLedger
	signer *fakeSigner
	now    time.Time
	cfg    Config
	sender *Sender
	ended  int // calls of Changed
}

func newWorld(t testing.TB, cfg Config) *world {
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("a key for tests")))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, net: newFakeNet(), signer: &fakeSigner{key: key}, now: time.Unix(1_700_000_000, 0), faults: &faults{}, cfg: cfg}
	w.cfg.ChainID, w.cfg.Owner = testChain, "here"
	w.net.faults = w.faults
	w.ledger = newFakeLedger(w.signer.Address())
	w.ledger.faults = w.faults
	w.net.durable = func(hash common.Hash) bool { _, a := w.ledger.attempt(hash); return a != nil }
	w.doors = []Endpoint{&fakeEndpoint{fakeNet: w.net, name: "one", chainID: testChain}}
	w.start()
	return w
}

// start is a new process.
func (w *world) start() {
	s, err := New(w.cfg, Deps{
		Ledger: w.ledger, Signer: w.signer, Endpoints: w.doors,
		Now: func() time.Time { return w.now }, Changed: func() { w.ended++ },
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.sender = s
}

// pass runs one pass; a planned crash ends the process, and a new one takes over.
func (w *world) pass() (err error) {
	defer func() {
		if r := recover(); r != nil {
			if _, planned := r.(crash); !planned {
				panic(r)
			}
			w.start()
		}
	}()
	_, err = w.sender.pass(context.Background())
	return err
}

func (w *world) intent(name string) *chain.Tx {
	return w.ledger.queue(chain.Intent{Key: name, To: target, Data: []byte(name)}, w.now)
}

// settle lets time pass, a block each second, until no row is open.
func (w *world) settle(seconds int) {
	for range seconds {
		w.now = w.now.Add(time.Second)
		_ = w.pass() // trouble is part of the world; what counts is where it ends
		w.net.mine()
		if w.open() == 0 {
			return
		}
	}
}

func (w *world) open() int {
	n := 0
	for _, r := range w.ledger.rows {
		if !r.State.Ended() {
			n++
		}
	}
	return n
}

// once fails unless each intent had its effect as often as its row says: once when
// final, never when it ended otherwise.
func (w *world) once() {
	w.t.Helper()
	if len(w.net.loose) > 0 {
		w.t.Fatalf("%d broadcasts of bytes that were not stored", len(w.net.loose))
	}
	got := w.net.effects(w.t)
	for _, r := range w.ledger.rows {
		want := 0
		if r.State == chain.TxFinal {
			want = 1
		}
		if !r.State.Ended() || got[r.Intent.Key] != want {
			w.t.Fatalf("intent %q is %s (%s) and had %d effects", r.Intent.Key, r.State, r.Why, got[r.Intent.Key])
		}
	}
}
