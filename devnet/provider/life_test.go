package provider_test

import (
	"math/rand/v2"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/devnet/provider"
)

// Whatever a miner does from day to day, its sectors' states follow from it, and its
// power is that of the active ones. make soak takes more lives.
func TestAnyLifeOfMiner(t *testing.T) {
	lives, days := uint64(2), 5
	if soak {
		lives, days = 30, 12
	}
	for seed := range lives {
		life(t, rand.New(rand.NewPCG(seed, 5)), days)
	}
}

func life(t *testing.T, r *rand.Rand, days int) {
	n := start(t)
	m := n.miner(provider.Creation{})
	want := map[abi.SectorNumber]abi.SectorStatusCode{}
	for _, s := range n.seal(m, provider.Sector{}, provider.Sector{}, provider.Sector{}) {
		want[s] = abi.SectorStatusCodeActive
	}
	for range days {
		n.advance(day + 60)
		for s, status := range want {
			n.wantStatus(m, status, s)
		}
		active := uint64(0)
		for _, status := range want {
			if status == abi.SectorStatusCodeActive {
				active++
			}
		}
		if power := n.power(m); power != active*2048 {
			t.Errorf("epoch %d: power %d with %d active sectors", n.Head().Height(), power, active)
		}
		s, sealed := abi.SectorNumber(r.IntN(len(want))), false
		switch {
		case want[s] == abi.SectorStatusCodeActive && r.IntN(4) > 0:
			m.Skip(s)
			want[s] = abi.SectorStatusCodeFaulty
		case want[s] == abi.SectorStatusCodeFaulty && r.IntN(4) > 0:
			n.must(m.Recover(n.ctx, s))
			want[s] = abi.SectorStatusCodeActive
		case want[s] != abi.SectorStatusCodeDead:
			n.must(m.Terminate(n.ctx, s))
			want[s] = abi.SectorStatusCodeDead
		default:
			sealed = true // a proof that a reorg moves may come before its challenge
			for _, more := range n.seal(m, provider.Sector{}) {
				want[more] = abi.SectorStatusCodeActive
			}
		}
		if r.IntN(2) == 0 && !sealed { // messages are kept, what happened happens again
			if _, err := n.Reorg(n.ctx, 1, true); err != nil {
				t.Fatal(err)
			}
		}
	}
}
