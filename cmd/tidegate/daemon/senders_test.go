package daemon

import (
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/txmgr"
)

func TestKeysTakeTurns(t *testing.T) {
	a, b, c := common.Address{1}, common.Address{2}, common.Address{3}
	now := time.Unix(1_700_000_000, 0)
	idle := func(at common.Address) txmgr.Status { return txmgr.Status{Address: at, Holding: true, Passed: now} }
	busy, parked, waiting, elsewhere := idle(a), idle(b), idle(b), idle(b)
	busy.Queued, busy.InFlight = 2, 1
	parked.Parked, waiting.Waiting, elsewhere.Holding = "another program uses it", "balance", false
	var turns turns
	give := func(what string, keys []txmgr.Status, want ...common.Address) {
		t.Helper()
		for i, w := range want {
			if would := turns.next(keys, false); would != w {
				t.Errorf("%s: %d would go to %s", what, i, would)
			}
			if got := turns.next(keys, true); got != w {
				t.Errorf("%s: %d went to %s", what, i, got)
			}
		}
	}
	give("idle keys, whose status does not change", []txmgr.Status{idle(a), idle(b), idle(c)}, a, b, c, a, b, c)
	now = now.Add(time.Second)
	busy.Passed = now
	give("one has more to send", []txmgr.Status{busy, idle(b), idle(c)}, b, c, b, c, b, c, a)
	now = now.Add(time.Second)
	for _, held := range []txmgr.Status{parked, waiting, elsewhere} {
		held.Passed = now
		give("one is held up", []txmgr.Status{idle(a), held}, a, a, a)
		now = now.Add(time.Second)
	}
	give("its turn is longest ago", []txmgr.Status{idle(a), idle(b)}, b, a, b)
	give("one key", []txmgr.Status{parked}, b, b)
}
