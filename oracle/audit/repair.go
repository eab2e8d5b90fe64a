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
func (a *Auditor) Repair(ctx context.Context, p Proof) (Repaired, error) {
	var done Repaired
	if a.d.Sink == nil {
		return done, ErrNoSink
	}
	read := uint64(0) // heights up to here were read
	for _, seq := range p.Missing {
		lo, hi, err := a.d.Ledger.SeqHeights(ctx, p.Contract, seq)
		if err != nil {
			return done, err
		}
		if hi == 0 || hi > p.Height {
			hi = p.Height
		}
		if at, err := a.find(ctx, p.Contract, uint64(seq), lo, hi); err == nil {
			lo, hi = at, at
		} else if ctx.Err() != nil {
			return done, err
		}
		for lo = max(lo, read); lo <= hi; lo = read {
			read = min(hi, lo+maxRead-1) + 1
			if err := a.reread(ctx, p.Contract, lo, read-1, &done); err != nil {
				return done, err
			}
		}
	}
	return done, nil
}

// maxRead is how many heights are read again at once.
const maxRead = 500

func (a *Auditor) reread(ctx context.Context, contract common.Address, from, to uint64, done *Repaired) error {
	logs, err := a.d.Chain.Everywhere(ctx, from, to, []common.Address{contract})
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
// the block of that event.
func (a *Auditor) find(ctx context.Context, contract common.Address, seq, lo, hi uint64) (uint64, error) {
	for lo < hi {
		mid := lo + (hi-lo)/2
		next, err := a.d.Chain.NextSeq(ctx, contract, mid)
		switch {
		case err != nil && !errors.Is(err, ErrNoSeq): // before its deployment it has none
			return 0, err
		case err == nil && next > seq:
			hi = mid
		default:
			lo = mid + 1
		}
	}
	return lo, nil
}
