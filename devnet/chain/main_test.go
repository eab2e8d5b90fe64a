package chain_test

import (
	"context"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
)

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) { fvmtest.Main(m) }

// patience bounds every wait; nothing is expected to take as long.
const patience = 10 * time.Minute

// net is a chain under test.
type net struct {
	testing.TB
	ctx context.Context
	*chain.Chain
}

func start(tb testing.TB, change ...func(*chain.Config)) *net {
	tb.Helper()
	config := chain.Config{Engine: fvmtest.Engine(tb), FinalityDepth: 5}
	for _, f := range change {
		f(&config)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	tb.Cleanup(cancel)
	c, err := chain.New(ctx, config)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := c.Close(); err != nil {
			tb.Error(err)
		}
	})
	return &net{tb, ctx, c}
}

// of gives the i-th funded account of a kind.
func (n *net) of(kind chain.AccountKind, i int) chain.Account {
	n.Helper()
	for _, a := range n.Accounts() {
		if a.Kind == kind {
			if i == 0 {
				return a
			}
			i--
		}
	}
	n.Fatalf("too few %s accounts", kind)
	return chain.Account{}
}

const (
	gasLimit = 20_000_000
	feeCap   = 1_000_000_000
	premium  = 100_000
)

// message is a transfer of one attoFIL with the nonce that comes next; change what
// a test is about.
func (n *net) message(from chain.Account, to address.Address, change ...func(*types.Message)) *types.Message {
	n.Helper()
	nonce, err := n.NextNonce(n.ctx, from.Address)
	if err != nil {
		n.Fatal(err)
	}
	m := &types.Message{
		From: from.Address, To: to, Nonce: nonce, Value: big.NewInt(1), GasLimit: gasLimit,
		GasFeeCap: big.NewInt(feeCap), GasPremium: big.NewInt(premium),
	}
	if from.Kind == chain.Ethereum {
		m.Method = builtin.MethodsEVM.InvokeContract
	}
	for _, f := range change {
		f(m)
	}
	return m
}

func (n *net) sign(from chain.Account, m *types.Message) *types.SignedMessage {
	n.Helper()
	signed, err := from.Key.SignMessage(m, n.ChainID())
	if err != nil {
		n.Fatal(err)
	}
	return signed
}

// send pushes a message and gives its CID.
func (n *net) send(from chain.Account, to address.Address, change ...func(*types.Message)) cid.Cid {
	n.Helper()
	id, err := n.Push(n.ctx, n.sign(from, n.message(from, to, change...)))
	if err != nil {
		n.Fatal(err)
	}
	return id
}

// trySend is the error that pushing a message gives.
func (n *net) trySend(from chain.Account, to address.Address, change ...func(*types.Message)) error {
	n.Helper()
	_, err := n.Push(n.ctx, n.sign(from, n.message(from, to, change...)))
	return err
}

func (n *net) mine(count int) *types.TipSet {
	n.Helper()
	head, err := n.Mine(n.ctx, count)
	if err != nil {
		n.Fatal(err)
	}
	return head
}

func (n *net) found(id cid.Cid) *chain.Found {
	n.Helper()
	found, ok := n.Lookup(id)
	if !ok {
		n.Fatalf("message %s is in no tipset", id)
	}
	return found
}

func (n *net) actor(addr address.Address) *types.Actor {
	n.Helper()
	actor, err := n.Actor(n.ctx, addr, n.Head())
	if err != nil {
		n.Fatal(err)
	}
	return actor
}

func (n *net) code(addr address.Address) string {
	n.Helper()
	return n.Engine().Name(n.actor(addr).Code)
}

// total is the sum of all balances after a tipset.
func (n *net) total(ts *types.TipSet) abi.TokenAmount {
	n.Helper()
	root, _, err := n.StateAt(ts)
	if err != nil {
		n.Fatal(err)
	}
	tree, err := fvm.LoadStateTree(n.ctx, n.Store(), root)
	if err != nil {
		n.Fatal(err)
	}
	sum := big.Zero()
	if err := tree.ForEach(n.ctx, func(_ abi.ActorID, a *types.Actor) error {
		sum = big.Add(sum, a.Balance)
		return nil
	}); err != nil {
		n.Fatal(err)
	}
	return sum
}

// fresh is an Ethereum address that nobody has used.
func fresh(tb testing.TB, i int) address.Address {
	tb.Helper()
	var eth [20]byte
	eth[0], eth[18], eth[19] = 0xab, byte(i>>8), byte(i)
	a, err := address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, eth[:])
	if err != nil {
		tb.Fatal(err)
	}
	return a
}
