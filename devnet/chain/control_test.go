package chain_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

func cidsOf(messages []*types.SignedMessage) []cid.Cid {
	out := make([]cid.Cid, len(messages))
	for i, m := range messages {
		out[i] = m.Cid()
	}
	return out
}

// A snapshot brings back head, state, pool and finality; it and later ones are gone
// afterwards.
func TestSnapshotRevert(t *testing.T) {
	n := start(t)
	heads := n.Heads(n.ctx)
	<-heads
	from, to := n.of(chain.Secp256k1, 0), fresh(t, 1)
	waiting := n.send(from, to, func(m *types.Message) { m.Nonce = 1 })
	n.mine(2)
	head, root := n.Head(), mustExecution(n, n.Head()).Root
	first, err := n.Snapshot(n.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.SetBalance(n.ctx, to, big.NewInt(5)); err != nil {
		t.Fatal(err)
	}
	second, err := n.Snapshot(n.ctx)
	if err != nil || second == first {
		t.Fatalf("snapshots %d and %d: %v", first, second, err)
	}
	mined := n.send(from, to, func(m *types.Message) { m.Nonce = 0 })
	if err := n.SetFinalityDepth(1); err != nil {
		t.Fatal(err)
	}
	n.mine(2)
	if len(n.Pending()) != 0 {
		t.Fatal("the gap was not filled")
	}
	if err := n.Revert(n.ctx, first); err != nil {
		t.Fatal(err)
	}
	if n.Head() != head || mustExecution(n, head).Root != root || n.Finalized() != n.Genesis() {
		t.Error("head, state or finality is not what it was")
	}
	if got := cidsOf(n.Pending()); !slices.Equal(got, []cid.Cid{waiting}) {
		t.Errorf("pending %v, want %s", got, waiting)
	}
	if _, ok := n.Lookup(mined); ok {
		t.Error("a reverted message is still found")
	}
	if _, ok := n.Message(mined); !ok {
		t.Error("a reverted message is forgotten")
	}
	for _, id := range []uint64{first, second, 99} {
		if err := n.Revert(n.ctx, id); !errors.Is(err, chain.ErrNoSnapshot) {
			t.Errorf("revert to %d: %v", id, err)
		}
	}
	for range 4 {
		<-heads
	}
	if change := <-heads; len(change.Revert) != 2 || len(change.Apply) != 0 || change.Revert[0].Height() != 4 {
		t.Errorf("subscribers see %d reverted, %d applied", len(change.Revert), len(change.Apply))
	}
	n.send(from, to, func(m *types.Message) { m.Nonce = 0 })
	if n.mine(1); n.actor(from.Address).Nonce != 2 {
		t.Error("the chain does not go on after a revert")
	}
}

// A reorg gives one head change, other tipsets at the same epochs and one more, and
// the messages again.
func TestReorgKeepsMessages(t *testing.T) {
	n := start(t)
	heads := n.Heads(n.ctx)
	from := n.of(chain.Ethereum, 0)
	n.mine(1)
	base := n.Head()
	first, second := n.send(from, fresh(t, 1)), n.send(n.of(chain.BLS, 0), fresh(t, 2))
	n.mine(1)
	third := n.send(from, fresh(t, 3))
	if _, err := n.NullRounds(n.ctx, 2); err != nil {
		t.Fatal(err)
	}
	oldHead, oldPlace := n.Head(), n.found(first).TipSet
	done, err := n.Reorg(n.ctx, 2, true)
	if err != nil {
		t.Fatal(err)
	}
	if done.Ancestor != base || done.OldHead != oldHead || done.Head != n.Head() || len(done.Dropped) != 0 || n.Head().Height() != oldHead.Height()+1 {
		t.Errorf("reorged: %+v", done)
	}
	if got := n.found(first).TipSet; got == oldPlace || got.Height() != oldPlace.Height() || n.Canonical(oldPlace) || !n.Canonical(got) {
		t.Error("the message is where it was")
	}
	for _, id := range []cid.Cid{first, second, third} {
		if !n.found(id).Receipt.ExitCode.IsSuccess() {
			t.Errorf("message %s: %s", id, n.found(id).Error)
		}
	}
	if again, err := n.TipSet(oldHead.Key()); err != nil || again != oldHead {
		t.Errorf("the dropped head is gone: %v", err)
	}
	for range 4 {
		<-heads
	}
	change := <-heads
	if len(change.Revert) != 2 || change.Revert[0] != oldHead || len(change.Apply) != 3 || change.Apply[2] != n.Head() {
		t.Errorf("subscribers see %d reverted, %d applied", len(change.Revert), len(change.Apply))
	}
	if n.Head().ParentWeight().LessThanEqual(oldHead.ParentWeight()) {
		t.Error("the branch that won is not heavier")
	}
	if total := n.total(n.Head()); !total.Equals(types.TotalFilecoinInt) {
		t.Errorf("%s attoFIL exist", total)
	}
}

// A snapshot outlives a reorg that drops its tipset: the revert goes back to that
// branch.
func TestRevertAcrossReorg(t *testing.T) {
	n := start(t)
	id := n.send(n.of(chain.Secp256k1, 0), fresh(t, 1))
	head := n.mine(2)
	place := n.found(id).TipSet
	snapshot, err := n.Snapshot(n.ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.Reorg(n.ctx, 2, true); err != nil {
		t.Fatal(err)
	}
	heads := n.Heads(n.ctx)
	<-heads
	if err := n.Revert(n.ctx, snapshot); err != nil {
		t.Fatal(err)
	}
	if n.Head() != head || n.found(id).TipSet != place || len(n.Pending()) != 0 {
		t.Errorf("head %d, %d pending", n.Head().Height(), len(n.Pending()))
	}
	if change := <-heads; len(change.Revert) != 3 || len(change.Apply) != 2 || change.Apply[1] != head {
		t.Errorf("subscribers see %d reverted, %d applied", len(change.Revert), len(change.Apply))
	}
	n.mine(1)
}

func TestReorgDropsMessages(t *testing.T) {
	n := start(t)
	from := n.of(chain.Secp256k1, 0)
	n.mine(1)
	gone := n.send(from, fresh(t, 1))
	n.mine(1)
	later := n.send(from, fresh(t, 2))
	done, err := n.Reorg(n.ctx, 1, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := cidsOf(done.Dropped); !slices.Equal(got, []cid.Cid{gone}) {
		t.Errorf("dropped %v, want %s", got, gone)
	}
	if _, ok := n.Lookup(gone); ok {
		t.Error("the dropped message is found")
	}
	if got := cidsOf(n.Pending()); !slices.Equal(got, []cid.Cid{later}) || n.actor(from.Address).Nonce != 0 {
		t.Errorf("pending %v: the later message has a gap before it", got)
	}
	if nonce, err := n.NextNonce(n.ctx, from.Address); err != nil || nonce != 0 {
		t.Errorf("next nonce %d, %v", nonce, err)
	}
	for _, depth := range []int{0, -1, 4} {
		if _, err := n.Reorg(n.ctx, depth, true); !errors.Is(err, chain.ErrDeepReorg) {
			t.Errorf("reorg of %d: %v", depth, err)
		}
	}
}

// A reorg that is cancelled on the way leaves everything as it was.
func TestReorgFails(t *testing.T) {
	n := start(t)
	id := n.send(n.of(chain.Secp256k1, 0), fresh(t, 1))
	n.mine(1)
	if _, err := n.NullRounds(n.ctx, 200); err != nil {
		t.Fatal(err)
	}
	head := n.Head()
	pending := n.send(n.of(chain.Secp256k1, 1), fresh(t, 2))
	ctx, cancel := context.WithCancel(n.ctx)
	defer cancel()
	changes := n.MempoolChanges(n.ctx)
	go func() {
		<-changes // the dropped message is back in the pool: two hundred null rounds are to come
		cancel()
	}()
	if _, err := n.Reorg(ctx, 2, true); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled reorg: %v", err)
	}
	if got := cidsOf(n.Pending()); n.Head() != head || !slices.Equal(got, []cid.Cid{pending}) || n.found(id).TipSet.Height() != 1 {
		t.Errorf("a failed reorg left a trace: head %d, pending %v", n.Head().Height(), got)
	}
	n.mine(1)
}

// SetBalance makes and changes actors, and the total stays.
func TestSetBalance(t *testing.T) {
	n := start(t)
	unused, account := fresh(t, 1), n.of(chain.Secp256k1, 0)
	for to, amount := range map[address.Address]int64{unused: 1e18, account.Address: 0, n.of(chain.Ethereum, 0).Address: 3} {
		if err := n.SetBalance(n.ctx, to, big.NewInt(amount)); err != nil {
			t.Fatal(err)
		}
		if got := n.actor(to).Balance; !got.Equals(big.NewInt(amount)) {
			t.Errorf("%s has %s", to, got)
		}
	}
	if n.code(unused) != "placeholder" {
		t.Errorf("the new actor is a %s", n.code(unused))
	}
	if err := n.trySend(account, unused); !errors.Is(err, chain.ErrNotEnoughFunds) {
		t.Errorf("an account without money sends: %v", err)
	}
	n.mine(2)
	if total := n.total(n.Head()); !total.Equals(types.TotalFilecoinInt) {
		t.Errorf("%s attoFIL exist", total)
	}
	for _, refused := range []error{
		n.SetBalance(n.ctx, unused, big.NewInt(-1)),
		n.SetBalance(n.ctx, unused, types.TotalFilecoinInt),
		n.SetBalance(n.ctx, builtin.RewardActorAddr, big.Zero()),
	} {
		if refused == nil {
			t.Error("an impossible balance is accepted")
		}
	}
}
