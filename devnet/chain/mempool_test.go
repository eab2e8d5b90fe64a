package chain_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// What the pool refuses, with Lotus's words.
func TestRefusedMessages(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	for _, c := range []struct {
		name   string
		change func(*types.Message)
		is     error
		says   string
	}{
		{"too big", func(m *types.Message) { m.Params = make([]byte, 64<<10) }, chain.ErrMessageTooBig, "mpool message too large (65"},
		{"no gas", func(m *types.Message) { m.GasLimit = 0 }, nil, "'GasLimit' field 0 must be positive"},
		{"little gas", func(m *types.Message) { m.GasLimit = 100_000 }, nil, "verify msg failed: message will not be included in a block: 'GasLimit' field cannot be less than the cost of storing a message on chain 100000 <"},
		{"much gas", func(m *types.Message) { m.GasLimit = 10_000_000_001 }, nil, "'GasLimit' field cannot be greater than a block's gas limit (10000000001 > 10000000000)"},
		{"premium above cap", func(m *types.Message) { m.GasPremium = big.NewInt(feeCap + 1) }, nil, "'GasFeeCap' less than 'GasPremium'"},
		{"cap below every base fee", func(m *types.Message) { m.GasFeeCap, m.GasPremium = big.NewInt(99), big.Zero() }, chain.ErrGasFeeCapTooLow, "gas fee cap too low"},
		{"negative value", func(m *types.Message) { m.Value = big.NewInt(-1) }, nil, "'Value' field cannot be negative"},
		{"all filecoin", func(m *types.Message) { m.Value = types.TotalFilecoinInt }, chain.ErrMessageValueTooHigh, "cannot send more filecoin than will ever exist"},
		{"unaffordable gas", func(m *types.Message) { m.GasFeeCap = big.NewInt(1e18) }, chain.ErrNotEnoughFunds, "failed to check balance: not enough funds (required: 20000000 FIL"},
		{"to nobody", func(m *types.Message) { m.To = address.Undef }, nil, ""},
	} {
		err := func() error {
			m := n.message(from, to, c.change)
			if m.To == address.Undef { // has no CID to sign
				_, err := n.Push(n.ctx, &types.SignedMessage{Message: *m, Signature: crypto.Signature{Type: crypto.SigTypeSecp256k1}})
				return err
			}
			_, err := n.Push(n.ctx, n.sign(from, m))
			return err
		}()
		if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if pending := n.Pending(); len(pending) != 0 {
		t.Errorf("%d refused messages are pending", len(pending))
	}
}

// A message that was pushed is in the pool or behind the head, at any moment: what an
// estimate is made on.
func TestNoMessageIsMissingBetweenPoolAndHead(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	over := make(chan struct{})
	seen := make(chan error, 1)
	go func() {
		var last uint64
		for {
			select {
			case <-over:
				seen <- nil
				return
			default:
			}
			head, pending, err := n.PendingAtHead(n.ctx)
			var actor *types.Actor
			if err == nil {
				actor, err = n.Actor(n.ctx, from.Address, head)
			}
			if err == nil && actor.Nonce+uint64(len(pending)) < last {
				err = fmt.Errorf("of %d messages %d are behind epoch %d and %d in the pool", last, actor.Nonce, head.Height(), len(pending))
			}
			if err != nil {
				seen <- err
				return
			}
			last = actor.Nonce + uint64(len(pending))
		}
	}()
	for range 100 {
		if _, err := n.Push(n.ctx, n.sign(from, n.message(from, to))); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Advance(n.ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	close(over)
	if err := <-seen; err != nil {
		t.Error(err)
	}
}

func TestRefusedSenders(t *testing.T) {
	n := start(t)
	to := n.of(chain.BLS, 0).Address
	stranger, err := sig.GenerateKey(crypto.SigTypeSecp256k1, [32]byte{9}, 9)
	if err != nil {
		t.Fatal(err)
	}
	account := chain.Account{Kind: chain.Secp256k1, Address: stranger.Address(), Key: stranger}
	m := n.message(n.of(chain.Secp256k1, 0), to)
	m.From, m.Nonce = account.Address, 0
	if _, err := n.Push(n.ctx, n.sign(account, m)); !errors.Is(err, chain.ErrSoftValidationFailure) || !errors.Is(err, chain.ErrUnknownAddr) ||
		!strings.Contains(err.Error(), "failed to look up actor state nonce") {
		t.Errorf("a sender that is not there: %v", err)
	}
	for _, kind := range []chain.AccountKind{chain.Secp256k1, chain.BLS, chain.Ethereum} {
		from := n.of(kind, 0)
		signed := n.sign(from, n.message(from, to, func(m *types.Message) {
			if kind == chain.Ethereum {
				m.To = n.of(chain.Ethereum, 1).Address
			}
		}))
		signed.Message.Value = big.Add(signed.Message.Value, big.NewInt(1))
		if _, err := n.Push(n.ctx, signed); err == nil || !strings.HasPrefix(err.Error(), "signature verification failed: ") {
			t.Errorf("%s: a changed message: %v", kind, err)
		}
	}
	if _, err := n.NextNonce(n.ctx, account.Address); !errors.Is(err, chain.ErrUnknownAddr) {
		t.Errorf("nonce of a sender that is not there: %v", err)
	}
}

func TestNonces(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	id, err := address.NewIDAddress(uint64(from.ID))
	if err != nil {
		t.Fatal(err)
	}
	expect := func(want uint64) {
		t.Helper()
		for _, addr := range []address.Address{from.Address, id} {
			if got, err := n.NextNonce(n.ctx, addr); err != nil || got != want {
				t.Errorf("next nonce of %s: %d (%v), want %d", addr, got, err, want)
			}
		}
	}
	at := func(nonce uint64) func(*types.Message) { return func(m *types.Message) { m.Nonce = nonce } }
	n.send(from, to)
	n.send(from, to, at(3))
	n.send(from, to, at(2))
	expect(1)
	n.mine(2)
	if pending := n.Pending(); len(pending) != 2 || n.actor(from.Address).Nonce != 1 {
		t.Fatalf("%d messages wait behind the gap, the state's nonce is %d", len(pending), n.actor(from.Address).Nonce)
	}
	if _, err := n.PushUntrusted(n.ctx, n.sign(from, n.message(from, to, at(9)))); !errors.Is(err, chain.ErrNonceGap) {
		t.Errorf("a gateway takes a nonce gap: %v", err)
	}
	n.send(from, to)
	expect(4)
	n.mine(1)
	expect(4)
	if pending := n.Pending(); len(pending) != 0 || n.actor(from.Address).Nonce != 4 {
		t.Errorf("%d messages left after the gap was filled", len(pending))
	}
	if err := n.trySend(from, to, at(3)); !errors.Is(err, chain.ErrNonceTooLow) || !strings.Contains(err.Error(), "minimum expected nonce is 4, got 3") {
		t.Errorf("a spent nonce: %v", err)
	}
}

func TestReplacement(t *testing.T) {
	n := start(t)
	ctx, cancel := context.WithCancel(n.ctx)
	defer cancel()
	changes := n.MempoolChanges(ctx)
	from, to := n.of(chain.Ethereum, 0), n.of(chain.Ethereum, 1).Address
	pay := func(premium int64) func(*types.Message) {
		return func(m *types.Message) { m.Nonce, m.GasPremium = 0, big.NewInt(premium) }
	}
	first := n.send(from, to, pay(1000))
	if err := n.trySend(from, to, pay(1000)); !errors.Is(err, chain.ErrExistingNonce) {
		t.Errorf("the same message again: %v", err)
	}
	if err := n.trySend(from, to, pay(1250)); !errors.Is(err, chain.ErrRBFTooLowPremium) ||
		!strings.Contains(err.Error(), "already in mpool, increase GasPremium to 1251 from 1250 to trigger replace by fee: replace by fee has too low GasPremium") {
		t.Errorf("a premium of 1.25: %v", err)
	}
	second := n.send(from, to, pay(1251))
	if _, ok := n.PendingMessage(first); ok {
		t.Error("the replaced message is pending")
	}
	if m, ok := n.PendingMessage(second); !ok || m.Cid() != second {
		t.Error("the replacement is not pending")
	}
	n.mine(1)
	if _, ok := n.Lookup(first); ok {
		t.Error("the replaced message was mined")
	}
	n.found(second)
	for i, want := range []struct {
		id      any
		removed bool
	}{{first, false}, {first, true}, {second, false}, {second, true}} {
		if got := <-changes; got.Message.Cid() != want.id || got.Removed != want.removed {
			t.Errorf("change %d: %s removed %v", i, got.Message.Cid(), got.Removed)
		}
	}
}

func TestSenderLimits(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	nonce := uint64(0)
	push := func(push func(context.Context, *types.SignedMessage) (any, error)) error {
		_, err := push(n.ctx, n.sign(from, n.message(from, to, func(m *types.Message) { m.Nonce, m.GasLimit = nonce, 1_000_000 })))
		nonce++
		return err
	}
	untrusted := func(ctx context.Context, m *types.SignedMessage) (any, error) { return n.PushUntrusted(ctx, m) }
	trusted := func(ctx context.Context, m *types.SignedMessage) (any, error) { return n.Push(ctx, m) }
	for range chain.MaxUntrustedActorPendingMessages {
		if err := push(untrusted); err != nil {
			t.Fatal(err)
		}
	}
	if err := push(untrusted); !errors.Is(err, chain.ErrTooManyPendingMessages) {
		t.Errorf("message %d at a gateway: %v", nonce, err)
	}
	nonce--
	for range chain.MaxActorPendingMessages - chain.MaxUntrustedActorPendingMessages {
		if err := push(trusted); err != nil {
			t.Fatal(err)
		}
	}
	if err := push(trusted); !errors.Is(err, chain.ErrTooManyPendingMessages) {
		t.Errorf("message %d: %v", nonce, err)
	}
	if got := n.DropPending(n.Pending()[999].Cid()); got != 1 {
		t.Errorf("dropped %d", got)
	}
	if got := n.DropPending(); got != 999 || len(n.Pending()) != 0 {
		t.Errorf("dropped %d, %d left", got, len(n.Pending()))
	}
}

// All pending messages of a sender must be payable together.
func TestFundsOfPendingMessages(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	dear := func(m *types.Message) { m.GasLimit, m.GasFeeCap = 10_000_000, big.NewInt(6e14) } // 6,000 FIL
	n.send(from, to, dear)
	if err := n.trySend(from, to, dear); !errors.Is(err, chain.ErrSoftValidationFailure) || !strings.Contains(err.Error(), "not enough funds including pending messages") {
		t.Errorf("two messages for 6,000 FIL each: %v", err)
	}
	n.send(from, to)
	n.mine(1)
	if len(n.Pending()) != 0 {
		t.Errorf("%d messages left", len(n.Pending()))
	}
}

// A message whose cap is below the base fee waits until it falls.
func TestWaitsForBaseFee(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), n.of(chain.BLS, 0).Address
	id := n.send(from, to, func(m *types.Message) { m.GasFeeCap, m.GasPremium = big.NewInt(60e6), big.NewInt(1) })
	for range 20 {
		ts := n.mine(1)
		_, mined := n.Lookup(id)
		if low := !ts.Blocks()[0].ParentBaseFee.GreaterThan(big.NewInt(60e6)); mined != low {
			t.Fatalf("base fee %s: mined %v", ts.Blocks()[0].ParentBaseFee, mined)
		} else if mined {
			return
		}
	}
	t.Error("the base fee did not fall")
}

// A block has BLS messages first, then the others by premium.
func TestBlockOrder(t *testing.T) {
	n := start(t)
	to := n.of(chain.Ethereum, 9).Address
	cheap := n.send(n.of(chain.Ethereum, 0), to, func(m *types.Message) { m.GasPremium = big.NewInt(10) })
	dear := n.send(n.of(chain.Secp256k1, 0), to, func(m *types.Message) { m.GasPremium = big.NewInt(30) })
	middle := n.send(n.of(chain.Ethereum, 1), to, func(m *types.Message) { m.GasPremium = big.NewInt(20) })
	bls := n.send(n.of(chain.BLS, 0), to, func(m *types.Message) { m.GasPremium = big.NewInt(1) })
	messages, err := n.Messages(n.mine(1))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range messages {
		got = append(got, m.Cid().String())
	}
	if want := []string{bls.String(), dear.String(), middle.String(), cheap.String()}; !slices.Equal(got, want) {
		t.Errorf("the block has %v, want %v", got, want)
	}
}

// An actor that is no account cannot send, whoever signs.
func TestAccountsOnly(t *testing.T) {
	n := start(t)
	from := n.of(chain.Ethereum, 0)
	// runtime: STOP
	created := n.send(from, builtin.EthereumAddressManagerActorAddr, func(m *types.Message) {
		m.Method, m.Value, m.GasLimit = builtin.MethodsEAM.CreateExternal, big.Zero(), 1_000_000_000
		m.Params = byteArray(t, []byte{0x60, 0x01, 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3, 0x00})
	})
	n.mine(1)
	contract := createdAddress(t, n.found(created).Receipt.Return)
	m := n.message(from, from.Address)
	m.From, m.Nonce = contract, 1
	signed := n.sign(from, m)
	if _, err := n.Push(n.ctx, signed); err == nil {
		t.Error("a contract sends a message signed by its creator")
	}
}
