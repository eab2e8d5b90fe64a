package daemon

import (
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/txmgr"
)

// turns shares what is to be sent among the keys. What a key was just given is not in
// its status yet: without counting it, all that becomes ready at once would go to one.
type turns struct {
	mu sync.Mutex
	of map[common.Address]*turn
	n  int64 // how much was given in all
}

// turn is what a key was given since its status is what it is.
type turn struct {
	passed time.Time // txmgr.Status.Passed
	given  int
	last   int64 // turns.n when it was last given something
}

// next gives the key that has least to send and is not held up; among equals the one
// whose turn is longest ago. With take it is given one more.
func (t *turns) next(keys []txmgr.Status, take bool) common.Address {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of == nil {
		t.of = map[common.Address]*turn{}
	}
	var best *turn
	var address common.Address
	least := 0
	for _, k := range keys {
		own := t.of[k.Address]
		if own == nil {
			own = &turn{}
			t.of[k.Address] = own
		}
		if !own.passed.Equal(k.Passed) {
			own.passed, own.given = k.Passed, 0
		}
		n := burden(k) + own.given
		if best == nil || n < least || n == least && own.last < best.last {
			best, address, least = own, k.Address, n
		}
	}
	if take && best != nil {
		t.n++
		best.given, best.last = best.given+1, t.n
	}
	return address
}

func burden(s txmgr.Status) int {
	n := s.Queued + s.InFlight
	if s.Parked != "" || s.Waiting != "" || !s.Holding {
		n += 1 << 20
	}
	return n
}

// freeSender is the key that would send now.
func (d *Daemon) freeSender() common.Address { return d.turns.next(d.keys(), false) }

// takeSender is the key that is to send what the caller has.
func (d *Daemon) takeSender() common.Address { return d.turns.next(d.keys(), true) }

func (d *Daemon) keys() []txmgr.Status {
	keys := make([]txmgr.Status, len(d.senders))
	for i, s := range d.senders {
		keys[i] = s.Status()
	}
	return keys
}
