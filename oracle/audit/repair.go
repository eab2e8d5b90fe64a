package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// ContractFilter names the cursor under which watch reads the past of a contract
// that was added at run time.
func ContractFilter(a common.Address) string { return "contract:" + strings.ToLower(a.Hex()) }

// Repaired says what Repair did.
type Repaired struct {
	Logs   int `json:"logs"`   // that were handed to the ledger, those that it had among them
	Blocks int `json:"blocks"` // that were read
}

// ErrNoSink is returned by Repair of an Auditor without a Sink.
var ErrNoSink = errors.New("nothing to hand missing events to")

// Repair reads every block again in which a missing number can be: the one that
// nextSeq() at heights shows it in, or, where endpoints keep no old state, all between
// the numbers around it. What they hold goes to the Sink, which drops what is there.
// A call that fails is made again: a repair is many calls, and with an endpoint that
// fails one in ten it would otherwise never end.
func (a *Auditor) Repair(ctx context.Context, p Proof) (Repaired, error) {
	var done Repaired
	if a.d.Sink == nil {
		return done, ErrNoSink
	}
	read := uint64(0)              // heights up to here were read
	counted := map[uint64]uint64{} // nextSeq() at heights
	hidden := false                // a block did not show its event, however often it was read: others get one try
	for _, seq := range p.Missing {
		lo, hi, err := a.d.Ledger.SeqHeights(ctx, p.Contract, seq)
		if err != nil {
			return done, err
		}
		if hi == 0 || hi > p.Height {
			hi = p.Height
		}
		known := false // that the block lo = hi has the event
		if at, err := a.find(ctx, p.Contract, uint64(seq), lo, hi, counted); err == nil {
			lo, hi, known = at, at, !hidden
		} else if ctx.Err() != nil {
			return done, err
		}
		for lo = max(lo, read); lo <= hi; lo = read {
			read = min(hi, lo+maxRead-1) + 1
			switch err := a.reread(ctx, p.Contract, lo, read-1, known, &done); {
			case errors.Is(err, errHidden):
				hidden = true
			case err != nil:
				return done, err
			}
		}
	}
	return done, nil
}

// maxRead is how many heights are read again at once.
const maxRead = 500

// errHidden says that no endpoint shows an event which a block must have.
var errHidden = errors.New("no endpoint shows the event that the block has")

// reread hands over what the blocks from..to have, which is more than nothing where an
// event is known to be there.
func (a *Auditor) reread(ctx context.Context, contract common.Address, from, to uint64, known bool, done *Repaired) error {
	var logs []chain.Log
	err := a.patiently(ctx, func() (err error) {
		if logs, err = a.d.Chain.Everywhere(ctx, from, to, []common.Address{contract}); err == nil && known && len(logs) == 0 {
			return errHidden
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading blocks %d..%d again: %w", from, to, err)
	}
	done.Blocks += int(to - from + 1)
	if len(logs) == 0 {
		return nil
	}
	if err := a.d.Sink.Apply(ctx, chain.Update{Filter: a.cfg.Filter, From: 1, Logs: logs}); err != nil {
		return fmt.Errorf("handing over %d logs of blocks %d..%d: %w", len(logs), from, to, err)
	}
	done.Logs += len(logs)
	return nil
}

// find gives the lowest height in lo..hi at which the contract has counted past seq:
// the block of that event. What it learns of heights it keeps in counted.
func (a *Auditor) find(ctx context.Context, contract common.Address, seq, lo, hi uint64, counted map[uint64]uint64) (uint64, error) {
	for height, next := range counted {
		if next > seq {
			hi = min(hi, height)
		} else {
			lo = max(lo, height+1)
		}
	}
	for lo < hi {
		mid := lo + (hi-lo)/2
		var next uint64
		err := a.patiently(ctx, func() (err error) {
			next, err = a.d.Chain.NextSeq(ctx, contract, mid)
			return err
		})
		if err != nil && !errors.Is(err, ErrNoSeq) { // before its deployment it has none
			return 0, err
		}
		if counted[mid] = next; next > seq {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo, nil
}

// tries is how often a call is made before it counts as failed.
const tries = 6

// patiently makes a call again while it fails for a reason that may pass.
func (a *Auditor) patiently(ctx context.Context, call func() error) error {
	for n := range tries - 1 {
		err := call()
		if err == nil || errors.Is(err, ErrNoSeq) || errors.Is(err, ErrNoState) {
			return err
		}
		if !sleep(ctx, a.cfg.Pause<<n) {
			return err
		}
	}
	return call()
}
