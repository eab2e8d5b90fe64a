package chain

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
)

// The numbers are those of Lotus's own tests (chain/store/basefee_test.go).
func TestBaseFeeFromUse(t *testing.T) {
	limit, target := buildconstants.BlockGasLimit, buildconstants.BlockGasTarget
	for _, c := range []struct {
		used int64
		want int64
	}{
		{0, 87_500_000}, {target, 100_000_000}, {limit, 112_500_000}, {limit * 3 / 4, 106_250_000},
	} {
		if got := baseFeeFromUse(big.NewInt(100e6), c.used); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("base fee after %d gas: %s, want %d", c.used, got, c.want)
		}
	}
	if got := baseFeeFromUse(big.NewInt(101), 0); !got.Equals(big.NewInt(buildconstants.MinimumBaseFee)) {
		t.Errorf("base fee falls to %s, below the minimum", got)
	}
}

func TestBaseFeeFromPremium(t *testing.T) {
	for _, c := range []struct{ fee, premium, want int64 }{
		{100, 0, 100}, {100, 13, 100}, {100, 14, 101}, {100, 26, 113}, {801, 0, 700}, {801, 20, 720},
		{801, 100, 800}, {801, 200, 900}, {801, 201, 901}, {808, 0, 707}, {808, 1, 708}, {808, 201, 908},
	} {
		if got := baseFeeFromPremium(big.NewInt(c.fee), big.NewInt(c.premium)); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("base fee %d with premium %d: %s, want %d", c.fee, c.premium, got, c.want)
		}
	}
}

func TestPercentilePremium(t *testing.T) {
	for i, c := range []struct {
		premiums, limits []int64
		want             int64
	}{
		{nil, nil, 0},
		{[]int64{123, 100}, []int64{5_999_999_999, 2_000_000_000}, 0},
		{[]int64{123, 0}, []int64{5_999_999_999, 2_000_000_001}, 0},
		{[]int64{123, 100}, []int64{5_999_999_999, 2_000_000_001}, 100},
		{[]int64{123, 100}, []int64{7_999_999_999, 2_000_000_001}, 100},
		{[]int64{123, 100}, []int64{8_000_000_000, 2_000_000_000}, 123},
		{[]int64{100, 200, 300, 400, 500, 600, 700}, []int64{4e9, 1e9, 2e9, 1e9, 2e9, 2e9, 3e9}, 400},
	} {
		var messages []*types.Message
		for j, p := range c.premiums {
			messages = append(messages, &types.Message{GasLimit: c.limits[j], GasPremium: big.NewInt(p), GasFeeCap: big.NewInt(p + 100)})
		}
		if got := percentilePremium(big.NewInt(100), messages); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("case %d: %s, want %d", i, got, c.want)
		}
	}
}

// tree makes a chain of n tipsets over random null rounds.
func chainOf(t *testing.T, n int, rng *rand.Rand) []*node {
	t.Helper()
	some := cid.MustParse(genesisParent)
	height := abi.ChainEpoch(0)
	var nodes []*node
	for i := range n {
		miner, err := address.NewIDAddress(1000)
		if err != nil {
			t.Fatal(err)
		}
		ts, err := types.NewTipSet([]*types.BlockHeader{{
			Miner: miner, Height: height, Ticket: &types.Ticket{VRFProof: fmt.Append(nil, i)}, ParentWeight: big.Zero(),
			Parents: []cid.Cid{some}, ParentStateRoot: some, ParentMessageReceipts: some, Messages: some, ParentBaseFee: big.Zero(),
		}})
		if err != nil {
			t.Fatal(err)
		}
		var parent *node
		if i > 0 {
			parent = nodes[i-1]
		}
		nodes = append(nodes, newNode(ts, parent))
		height += 1 + abi.ChainEpoch(rng.IntN(3))
	}
	return nodes
}

func TestAncestors(t *testing.T) {
	nodes := chainOf(t, 300, rand.New(rand.NewPCG(1, 2)))
	for _, from := range []*node{nodes[299], nodes[150], nodes[1], nodes[0]} {
		for h := abi.ChainEpoch(0); h <= from.height(); h++ {
			after := slices.IndexFunc(nodes, func(n *node) bool { return n.height() >= h })
			before := after
			if nodes[after].height() > h {
				before--
			}
			if got := from.ancestor(h, false); got != nodes[after] {
				t.Fatalf("at or after %d: epoch %d, want %d", h, got.height(), nodes[after].height())
			}
			if got := from.ancestor(h, true); got != nodes[before] {
				t.Fatalf("at or before %d: epoch %d, want %d", h, got.height(), nodes[before].height())
			}
		}
		for depth := range from.index + 1 {
			if got := from.back(depth); got != nodes[from.index-depth] {
				t.Fatalf("%d back from %d: %d", depth, from.index, got.index)
			}
		}
		if from.back(from.index+1) != nil || from.back(-1) != nil {
			t.Error("there is something beyond the genesis")
		}
	}
	leave, enter := path(nodes[10], nodes[12])
	if len(leave) != 0 || !slices.Equal(enter, nodes[11:13]) {
		t.Errorf("path up: %d to leave, %d to enter", len(leave), len(enter))
	}
	leave, enter = path(nodes[12], nodes[10])
	if len(enter) != 0 || leave[0] != nodes[12] || leave[1] != nodes[11] || len(leave) != 2 {
		t.Errorf("path down: %d to leave, %d to enter", len(leave), len(enter))
	}
}

func TestRandomnessOfNullRounds(t *testing.T) {
	nodes := chainOf(t, 50, rand.New(rand.NewPCG(3, 4)))
	x := externs{at: nodes[49]}
	ctx := context.Background()
	for h := abi.ChainEpoch(0); h <= nodes[49].height(); h++ {
		ticket, err := x.ChainRandomness(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		after, err := x.ChainRandomness(ctx, nodes[49].ancestor(h, false).height())
		if err != nil {
			t.Fatal(err)
		}
		if ticket != after {
			t.Errorf("epoch %d draws from another tipset than the one after it", h)
		}
		key, err := x.TipsetCID(ctx, h)
		if err != nil {
			t.Fatal(err)
		}
		before, err := nodes[49].ancestor(h, true).ts.Key().Cid()
		if err != nil {
			t.Fatal(err)
		}
		if key != before {
			t.Errorf("epoch %d names another tipset than the one before it", h)
		}
	}
	for _, draw := range []func(context.Context, abi.ChainEpoch) ([32]byte, error){x.ChainRandomness, x.BeaconRandomness} {
		if _, err := draw(ctx, nodes[49].height()+1); err == nil {
			t.Error("randomness of the future is drawn")
		}
	}
}

func TestBeaconEntries(t *testing.T) {
	seed := [32]byte{7}
	entries := beaconEntries(seed, 10, 13)
	if len(entries) != 3 || entries[0].Round != 11 || entries[2].Round != 13 {
		t.Errorf("entries after two null rounds: %+v", entries)
	}
	if many := beaconEntries(seed, 0, 5000); len(many) != maxBeaconEntries || many[len(many)-1].Round != 5000 {
		t.Errorf("%d entries, the last of round %d", len(many), many[len(many)-1].Round)
	}
	if string(beaconEntry(seed, 3).Data) == string(beaconEntry([32]byte{8}, 3).Data) {
		t.Error("two seeds have the same beacon")
	}
}

func signedBy(t *testing.T, id uint64, nonce uint64, kind crypto.SigType, premium, limit int64) *types.SignedMessage {
	t.Helper()
	from, err := address.NewIDAddress(id)
	if err != nil {
		t.Fatal(err)
	}
	return &types.SignedMessage{
		Message: types.Message{From: from, To: from, Nonce: nonce, GasLimit: limit, Value: big.Zero(),
			GasFeeCap: big.NewInt(1e9), GasPremium: big.NewInt(premium)},
		Signature: crypto.Signature{Type: kind},
	}
}

// Whatever is pending, a block keeps its gas limit, senders' nonces stay in order,
// and no sender that fits is passed over for one that pays less.
func TestSelection(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var queues [][]*types.SignedMessage
		for sender := range rng.IntN(20) {
			var queue []*types.SignedMessage
			kind := crypto.SigTypeSecp256k1
			if sender%2 == 0 {
				kind = crypto.SigTypeBLS
			}
			for nonce := range rng.IntN(10) {
				queue = append(queue, signedBy(t, uint64(100+sender), uint64(nonce), kind, rng.Int64N(1e6), 1+rng.Int64N(3e9)))
			}
			queues = append(queues, queue)
		}
		bls, secp := selection(queues, big.NewInt(100))
		next := map[address.Address]uint64{}
		gas := int64(0)
		for _, m := range append(slices.Clone(bls), secp...) {
			if m.Message.Nonce != next[m.Message.From] {
				t.Fatalf("seed %d: nonce %d of %s comes when %d is next", seed, m.Message.Nonce, m.Message.From, next[m.Message.From])
			}
			next[m.Message.From]++
			gas += m.Message.GasLimit
		}
		if gas > buildconstants.BlockGasLimit {
			t.Fatalf("seed %d: %d gas in a block", seed, gas)
		}
		for _, queue := range queues {
			if len(queue) == 0 {
				continue
			}
			taken := next[queue[0].Message.From]
			if int(taken) < len(queue) && queue[taken].Message.GasLimit <= buildconstants.BlockGasLimit-gas {
				t.Fatalf("seed %d: a message that fits is left out", seed)
			}
		}
	}
}

func TestSelectionByPremium(t *testing.T) {
	queue := func(id uint64, premium int64) []*types.SignedMessage {
		return []*types.SignedMessage{signedBy(t, id, 0, crypto.SigTypeSecp256k1, premium, 4e9)}
	}
	_, secp := selection([][]*types.SignedMessage{queue(100, 1), queue(101, 3), queue(102, 2)}, big.NewInt(100))
	if len(secp) != 2 || !secp[0].Message.GasPremium.Equals(big.NewInt(3)) || !secp[1].Message.GasPremium.Equals(big.NewInt(2)) {
		t.Errorf("selected %d messages, want those with premiums 3 and 2", len(secp))
	}
}

func TestPayable(t *testing.T) {
	run := []*types.SignedMessage{
		signedBy(t, 100, 0, crypto.SigTypeSecp256k1, 1, 1e6),
		signedBy(t, 100, 1, crypto.SigTypeSecp256k1, 1, 1e6),
	}
	one := run[0].Message.RequiredFunds()
	for _, c := range []struct {
		balance, baseFee abi.TokenAmount
		want             int
	}{
		{big.Mul(one, big.NewInt(2)), big.NewInt(100), 2},
		{big.Sub(big.Mul(one, big.NewInt(2)), big.NewInt(1)), big.NewInt(100), 1},
		{big.Mul(one, big.NewInt(2)), big.NewInt(2e9), 0},
		{big.Zero(), big.NewInt(100), 0},
	} {
		if got := payable(run, c.balance, c.baseFee); len(got) != c.want {
			t.Errorf("balance %s, base fee %s: %d messages, want %d", c.balance, c.baseFee, len(got), c.want)
		}
	}
}

// A reader that does not read holds nobody up and misses nothing.
func TestFeed(t *testing.T) {
	var f feed[int]
	ctx, cancel := context.WithCancel(context.Background())
	slow, gone := f.subscribe(ctx, -1), f.subscribe(ctx)
	for i := range 1000 {
		f.publish(i)
	}
	for want := -1; want < 1000; want++ {
		if got := <-slow; got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
	cancel()
	for range gone { // what was under way may still come, then the channel closes
	}
	open := f.subscribe(context.Background())
	f.close()
	if _, ok := <-open; ok {
		t.Error("a closed feed gave a value")
	}
	if _, ok := <-f.subscribe(context.Background()); ok {
		t.Error("a closed feed gave a value to a late subscriber")
	}
}

func TestConfigRefused(t *testing.T) {
	for name, config := range map[string]Config{
		"half seconds":   {Epoch: 1500 * 1e6},
		"negative pace":  {BlockTime: -1},
		"no finality":    {FinalityDepth: -1},
		"deep finality":  {FinalityDepth: 901},
		"too many keys":  {Secp256k1Accounts: 101},
		"before history": {GenesisTime: DefaultGenesisTime.AddDate(-100, 0, 0)},
	} {
		if _, err := config.withDefaults(); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
}
