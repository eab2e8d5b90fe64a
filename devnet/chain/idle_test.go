package chain_test

import (
	"context"
	"slices"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Null rounds that are skipped leave the state that cron leaves in each of them: the
// same calls give the same tipsets, by CID, and so the same state of every actor.
func TestSkippedEpochsAreThoseThatCronRan(t *testing.T) {
	skipping := start(t)
	every := start(t, func(c *chain.Config) { c.EveryEpoch = true })
	for _, epochs := range []int{1, 0, 2, 700, 0, 0, 2177} { // with the tipsets 2,887 epochs
		for _, n := range []*net{skipping, every} {
			n.send(n.of(chain.Secp256k1, 0), fresh(n, 1))
			if _, err := n.NullRounds(n.ctx, epochs); err != nil {
				t.Fatal(err)
			}
		}
		if a, b := skipping.Head(), every.Head(); a.Key() != b.Key() {
			t.Fatalf("epoch %d: skipping leads to %s, cron to %s", a.Height(), a.Key(), b.Key())
		}
	}
}

// clockwork sends a message at each of its epochs.
type clockwork struct {
	n      *net
	epochs []abi.ChainEpoch
	asked  []abi.ChainEpoch
}

func (w *clockwork) Due(_ context.Context, at chain.View) (abi.ChainEpoch, error) {
	for _, epoch := range w.epochs {
		if epoch > at.TipSet().Height() {
			return epoch, nil
		}
	}
	return 0, nil
}

func (w *clockwork) Messages(ctx context.Context, at chain.View, epoch abi.ChainEpoch) ([]*types.SignedMessage, error) {
	w.asked = append(w.asked, epoch)
	if !slices.Contains(w.epochs, epoch) {
		return nil, nil
	}
	from := w.n.of(chain.BLS, 0)
	nonce, err := at.NextNonce(ctx, from.Address)
	if err != nil {
		return nil, err
	}
	signed, err := from.Key.SignMessage(&types.Message{
		From: from.Address, To: w.n.of(chain.BLS, 1).Address, Nonce: nonce, Value: big.NewInt(1), GasLimit: gasLimit,
		GasFeeCap: big.NewInt(feeCap), GasPremium: big.NewInt(premium),
	}, w.n.ChainID())
	return []*types.SignedMessage{signed}, err
}

// heights are the epochs of the tipsets from the genesis on.
func (n *net) heights() []abi.ChainEpoch {
	var out []abi.ChainEpoch
	for ts := n.Head(); ts.Height() > 0; {
		out = append(out, ts.Height())
		parent, err := n.TipSet(ts.Parents())
		if err != nil {
			n.Fatal(err)
		}
		ts = parent
	}
	slices.Reverse(out)
	return out
}

func TestAdvanceStopsWhereThereIsSomethingToDo(t *testing.T) {
	n := start(t)
	w := &clockwork{n: n, epochs: []abi.ChainEpoch{7, 20}}
	if err := n.Join(n.ctx, w); err != nil {
		t.Fatal(err)
	}
	n.send(n.of(chain.Secp256k1, 0), fresh(t, 1))
	if head, err := n.Advance(n.ctx, 30); err != nil || head.Height() != 30 {
		t.Fatalf("advanced to %v, %v", head, err)
	}
	if got, want := n.heights(), []abi.ChainEpoch{1, 7, 20, 30}; !slices.Equal(got, want) {
		t.Errorf("tipsets at %v, want %v: the pool's message, the crew's two epochs, the target", got, want)
	}
	if nonce := n.actor(n.of(chain.BLS, 0).Address).Nonce; nonce != 2 {
		t.Errorf("the crew sent %d messages, want 2", nonce)
	}
	if len(n.Pending()) != 0 {
		t.Errorf("%d messages are left in the pool", len(n.Pending()))
	}
}

func TestNullRoundsAskNoCrew(t *testing.T) {
	n := start(t)
	w := &clockwork{n: n, epochs: []abi.ChainEpoch{3}}
	if err := n.Join(n.ctx, w); err != nil {
		t.Fatal(err)
	}
	if _, err := n.NullRounds(n.ctx, 5); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(w.asked, []abi.ChainEpoch{6}) {
		t.Errorf("asked at %v, want only at the tipset after the null rounds", w.asked)
	}
}

func TestCrewIsAskedAgainAfterReorg(t *testing.T) {
	n := start(t)
	w := &clockwork{n: n, epochs: []abi.ChainEpoch{3}}
	if err := n.Join(n.ctx, w); err != nil {
		t.Fatal(err)
	}
	n.mine(5)
	if _, err := n.Reorg(n.ctx, 4, false); err != nil {
		t.Fatal(err)
	}
	if nonce := n.actor(n.of(chain.BLS, 0).Address).Nonce; nonce != 1 {
		t.Errorf("on the new branch the crew has sent %d messages, want 1", nonce)
	}
	if want := []abi.ChainEpoch{1, 2, 3, 4, 5, 2, 3, 4, 5, 6}; !slices.Equal(w.asked, want) {
		t.Errorf("asked at %v, want %v", w.asked, want)
	}
}

func TestRefuseProofsWantsKnownKinds(t *testing.T) {
	n := start(t)
	if err := n.RefuseProofs("window"); err == nil {
		t.Error("took a kind of proofs that there is not")
	}
	if err := n.RefuseProofs(chain.PoStProof, chain.SealProof); err != nil {
		t.Fatal(err)
	}
	if got := n.RefusedProofs(); !slices.Equal(got, []string{"post", "seal"}) {
		t.Errorf("refused are %v", got)
	}
}
