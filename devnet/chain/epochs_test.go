package chain_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
)

// An emptier network gets cheaper, a block full of messages that pay gets dearer.
func TestBaseFeeMoves(t *testing.T) {
	n := start(t)
	initial := n.Head().Blocks()[0].ParentBaseFee
	if !initial.Equals(big.NewInt(buildconstants.InitialBaseFee)) {
		t.Fatalf("initial base fee %s", initial)
	}
	fell := n.mine(2).Blocks()[0].ParentBaseFee
	if !fell.LessThan(initial) {
		t.Errorf("after empty blocks it is %s", fell)
	}
	next, err := n.NextBaseFee(n.Head())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 9 { // nine tenths of a block
		n.send(n.of(chain.Ethereum, i), n.of(chain.Ethereum, 9).Address, func(m *types.Message) {
			m.GasLimit, m.GasPremium = buildconstants.BlockGasLimit/10, big.NewInt(feeCap)
		})
	}
	full := n.mine(1)
	if !full.Blocks()[0].ParentBaseFee.Equals(next) {
		t.Errorf("base fee %s, foretold %s", full.Blocks()[0].ParentBaseFee, next)
	}
	if rose := n.mine(1).Blocks()[0].ParentBaseFee; !rose.GreaterThan(next) {
		t.Errorf("after a full block it is %s, it was %s", rose, next)
	}
	n.mine(150)
	if least := n.Head().Blocks()[0].ParentBaseFee; !least.Equals(big.NewInt(buildconstants.MinimumBaseFee)) {
		t.Errorf("after 150 empty blocks it is %s", least)
	}
}

// Null rounds have no tipset but their cron runs, in their own epoch.
func TestNullRounds(t *testing.T) {
	n := start(t)
	n.mine(1)
	id := n.send(n.of(chain.Secp256k1, 0), fresh(t, 1))
	ts, err := n.NullRounds(n.ctx, 4)
	if err != nil {
		t.Fatal(err)
	}
	if ts.Height() != 6 || n.found(id).TipSet != ts {
		t.Errorf("the tipset after epochs 2 to 5 is at %d", ts.Height())
	}
	var market market18.State
	if err := fvm.CBORStore(n.Store()).Get(n.ctx, n.actor(builtin.StorageMarketActorAddr).Head, &market); err != nil {
		t.Fatal(err)
	}
	var power power18.State
	if err := fvm.CBORStore(n.Store()).Get(n.ctx, n.actor(builtin.StoragePowerActorAddr).Head, &power); err != nil {
		t.Fatal(err)
	}
	if market.LastCron != 6 || power.FirstCronEpoch != 7 {
		t.Errorf("the market's cron ran last at %d, the power actor's goes on at %d", market.LastCron, power.FirstCronEpoch)
	}
	if entries := ts.Blocks()[0].BeaconEntries; len(entries) != 5 || entries[0].Round != 2 {
		t.Errorf("beacon entries %+v", entries)
	}
	if want := n.Genesis().MinTimestamp() + 6*30; ts.MinTimestamp() != want {
		t.Errorf("timestamp %d, want %d", ts.MinTimestamp(), want)
	}
	for _, c := range []struct {
		at     abi.ChainEpoch
		before bool
		want   abi.ChainEpoch
	}{{3, true, 1}, {3, false, 6}, {6, true, 6}, {1, false, 1}, {0, true, 0}} {
		if got, err := n.TipSetByHeight(c.at, nil, c.before); err != nil || got.Height() != c.want {
			t.Errorf("epoch %d, before %v: %v, %v", c.at, c.before, got, err)
		}
	}
	if _, err := n.TipSetByHeight(7, nil, true); !errors.Is(err, chain.ErrFuture) {
		t.Errorf("the future: %v", err)
	}
	later, err := n.AdvanceTime(n.ctx, 61*time.Second)
	if err != nil || later.MinTimestamp() != ts.MinTimestamp()+90 {
		t.Errorf("61 seconds later: %v, %v", later, err)
	}
}

func TestFinality(t *testing.T) {
	n := start(t)
	for range 4 {
		if n.mine(1); n.Finalized() != n.Genesis() || n.Safe() != n.Genesis() {
			t.Fatal("something is final too early")
		}
	}
	n.mine(3)
	if n.Finalized().Height() != 2 || n.Safe().Height() != 2 {
		t.Errorf("finalized %d, safe %d", n.Finalized().Height(), n.Safe().Height())
	}
	if err := n.SetFinalityDepth(2); err != nil || n.Finalized().Height() != 5 {
		t.Errorf("finalized %d, %v", n.Finalized().Height(), err)
	}
	if n.SetFinalityDepth(0) == nil {
		t.Error("finality of 0 is accepted")
	}
	if !n.Canonical(n.Finalized()) {
		t.Error("the finalized tipset is off the chain")
	}
}

// Run makes epochs at the pace that is set, and none while paused.
func TestTimedEpochs(t *testing.T) {
	n := start(t, func(c *chain.Config) { c.BlockTime = time.Hour })
	ctx, cancel := context.WithCancel(n.ctx)
	defer cancel()
	heads := n.Heads(ctx)
	if first := <-heads; !first.Current || first.Apply[0] != n.Genesis() {
		t.Fatalf("first head: %+v", first)
	}
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	if err := n.SetPace(chain.Pace{BlockTime: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for want := abi.ChainEpoch(1); want <= 3; want++ {
		if change := <-heads; change.Apply[0].Height() != want || len(change.Revert) != 0 || change.Current {
			t.Fatalf("head change %+v", change)
		}
	}
	if err := n.SetPace(chain.Pace{BlockTime: time.Millisecond, AutoMine: true, Paused: true}); err != nil {
		t.Fatal(err)
	}
	id := n.send(n.of(chain.Secp256k1, 0), fresh(t, 1))
	if _, ok := n.Lookup(id); ok && !n.Pace().Paused {
		t.Error("a paused chain mines")
	}
	if n.SetPace(chain.Pace{BlockTime: -1}) == nil {
		t.Error("a negative block time is accepted")
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestNoTipsetAfterAPause(t *testing.T) {
	n := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	for range 30 {
		for _, paused := range []bool{false, true} {
			if err := n.SetPace(chain.Pace{BlockTime: 100 * time.Microsecond, Paused: paused}); err != nil {
				t.Fatal(err)
			}
			at := n.Head()
			<-time.After(2 * time.Millisecond) // twenty tipsets, if there were any
			if paused && !n.Head().Equals(at) {
				t.Fatalf("paused at %d, the head is %d", at.Height(), n.Head().Height())
			}
		}
	}
	cancel()
	if err := <-done; err != nil || n.Head().Height() == 0 {
		t.Errorf("at %d: %v", n.Head().Height(), err)
	}
}

func TestAutoMine(t *testing.T) {
	n := start(t, func(c *chain.Config) { c.AutoMine = true })
	id := n.send(n.of(chain.Ethereum, 0), fresh(t, 1))
	if found := n.found(id); found.TipSet.Height() != 1 || n.Head().Height() != 2 {
		t.Errorf("in %d, head %d", found.TipSet.Height(), n.Head().Height())
	}
}

func TestClose(t *testing.T) {
	c, err := chain.New(context.Background(), chain.Config{Engine: fvmtest.Engine(t)})
	if err != nil {
		t.Fatal(err)
	}
	heads := c.Heads(context.Background())
	<-heads
	run := make(chan error, 1)
	go func() { run <- c.Run(context.Background()) }()
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, ok := <-heads; ok {
		t.Error("a subscription outlives the chain")
	}
	if err := <-run; err != nil {
		t.Error(err)
	}
	if _, err := c.Mine(context.Background(), 1); !errors.Is(err, chain.ErrClosed) {
		t.Errorf("mine: %v", err)
	}
	if _, err := c.Push(context.Background(), &types.SignedMessage{}); !errors.Is(err, chain.ErrClosed) {
		t.Errorf("push: %v", err)
	}
}

// A context that has ended makes nothing.
func TestCancelled(t *testing.T) {
	n := start(t)
	ctx, cancel := context.WithCancel(n.ctx)
	cancel()
	if _, err := n.NullRounds(ctx, 3); !errors.Is(err, context.Canceled) {
		t.Errorf("null rounds: %v", err)
	}
	if n.Head() != n.Genesis() {
		t.Error("a cancelled epoch became the head")
	}
	n.mine(1)
}
