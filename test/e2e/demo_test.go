package e2e

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/executor/httpapi"
)

// shown is the line of `tidegate demo --json`.
type shown struct {
	OK       bool   `json:"ok"`
	Error    string `json:"error"`
	Requests []struct {
		Action  string `json:"action"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
		Bytes   uint64 `json:"bytes"`
		Tx      string `json:"tx"`
		Gas     uint64 `json:"gas"`
	} `json:"requests"`
	Deals []httpapi.Deal `json:"deals"`
}

// The demo on a chain that is ten times as quick as for people: each request is answered
// as its story says, and of each order both copies are stored and renewed, though
// one provider refuses.
func TestDemo(t *testing.T) {
	t.Parallel()
	out := output(t, nil, tidegate(t), "demo", "--exit", "--json", "--block-time", "100ms")
	got := decode[shown](t, out)
	if !got.OK {
		t.Fatalf("the demo: %s", got.Error)
	}
	var ends []string
	for _, r := range got.Requests {
		ends = append(ends, strings.TrimSpace(fmt.Sprintf("%s %s %s", r.Action, r.Outcome, r.Reason)))
		if len(r.Tx) != 66 || r.Gas == 0 {
			t.Errorf("%s was answered by transaction %q with %d gas", r.Action, r.Tx, r.Gas)
		}
	}
	if !slices.Equal(ends, demoEnds) {
		t.Errorf("requests ended as %q, want %q", ends, demoEnds)
	}
	demoDeals(t, got.Deals)
}

var demoEnds = []string{
	"pin succeeded", "prepare succeeded", "served succeeded", "served succeeded",
	"prepare succeeded", "pin succeeded", "served succeeded",
	"pin failed not_found", "unpin succeeded", "pin succeeded",
}

// demoDeals wants two copies of both deals active with providers that are not each other
// nor the one that refused, and those of the first followed by their next term.
func demoDeals(t *testing.T, deals []httpapi.Deal) {
	t.Helper()
	const term = 180 * 2880
	bySlot, refused := map[uint64]httpapi.Deal{}, map[uint64]bool{}
	for _, d := range deals {
		slot, err := strconv.ParseUint(d.Slot, 10, 64)
		if err != nil || slot>>24 != d.DealID || !strings.HasPrefix(d.Piece, "baga") {
			t.Errorf("a deal's fields: %+v, %v", d, err)
		}
		switch {
		case d.State == "active" && d.Sector != nil && d.Evidence != nil:
			bySlot[slot] = d
		case d.State == "failed" && strings.Contains(d.Reason, "client not allowed by provider"):
			refused[d.Miner] = true
		default:
			t.Errorf("a deal is neither stored nor refused: %+v", d)
		}
	}
	if len(refused) != 1 {
		t.Errorf("refused by %v", refused)
	}
	for seat := range uint64(2) {
		for deal := range uint64(2) {
			slot := (deal+1)<<24 | seat<<16
			now, other := bySlot[slot], bySlot[slot^1<<16]
			if now.Miner == 0 || now.Miner == other.Miner || refused[now.Miner] || now.End != now.Start+term {
				t.Errorf("deal %d, seat %d: %+v", deal+1, seat, now)
			}
		}
		now, next := bySlot[1<<24|seat<<16], bySlot[1<<24|seat<<16|1]
		if next.Miner != now.Miner || next.Start != now.End || next.End != now.End+term {
			t.Errorf("seat %d: %+v, then %+v", seat, now, next)
		}
	}
	if len(bySlot) != 6 {
		t.Errorf("%d slots are stored", len(bySlot))
	}
}
