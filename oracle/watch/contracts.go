package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Registry remembers the contracts that were added at run time. JoinContract fixes
// a contract's height once, and gives the one that was fixed first.
type Registry interface {
	Contracts(ctx context.Context) ([]chain.Contract, error)
	JoinContract(ctx context.Context, contract common.Address, height uint64) (uint64, error)
}

// registryPoll is how often the Registry is looked at.
const registryPoll = 5 * time.Second

// ContractFilter names the cursor of an added contract's past.
func ContractFilter(a common.Address) string { return "contract:" + strings.ToLower(a.Hex()) }

// admit takes in the contracts that were added since the last look. From then on
// their logs come with all others': in the same calls, which name one address more.
// What is between the final block and the cursor is shown by the second read; the
// past up to the final block is read by a watcher of its own, beside this one.
func (w *Watcher) admit(ctx context.Context, s sight) error {
	if w.registry == nil || !s.has || w.now().Before(w.looked.Add(registryPoll)) {
		return nil
	}
	added, err := w.registry.Contracts(ctx)
	if err != nil {
		return fmt.Errorf("reading added contracts: %w", err)
	}
	for _, c := range added {
		if w.wanted[c.Address] {
			continue
		}
		joined := uint64(c.Joined)
		if c.Joined < 0 {
			if joined, err = w.registry.JoinContract(ctx, c.Address, s.cur.Final); err != nil {
				return fmt.Errorf("joining an added contract: %w", err)
			}
		}
		w.forget() // what was read ahead lacks the contract
		w.wanted[c.Address] = true
		w.cfg.Addresses = append(slices.Clone(w.cfg.Addresses), c.Address)
		w.log.Info("watching one more contract", "contract", c.Address, "start", c.Start, "joined", joined)
		if c.Start <= joined {
			if err := w.backfill(c.Address, c.Start, joined); err != nil {
				return err
			}
		}
	}
	w.looked = w.now()
	return nil
}

// backfill prepares the reading of a contract's past; Run runs it.
func (w *Watcher) backfill(a common.Address, start, until uint64) error {
	cfg := w.cfg
	cfg.Filter, cfg.Addresses, cfg.Start, cfg.until = ContractFilter(a), []common.Address{a}, start, until
	past, err := New(cfg, Deps{RPC: w.rpc, Ledger: w.ledger, Sink: w.sink, Ahead: w.told, Logger: w.logger, Now: w.now, Jitter: w.jitter})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pasts = append(w.pasts, past)
	if w.started != nil {
		w.started(past)
	}
	return nil
}

// Pasts gives the readers of added contracts' pasts, of which each reads up to where
// the contract joined; Run runs them by itself, Step does not.
func (w *Watcher) Pasts() []*Watcher {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.pasts)
}

// errPast ends a reader of the past: it has come to where the contract joined.
var errPast = errors.New("the past is read")

// lookBack is look for a reader of the past, whose head and final block are the
// block at which it ends.
func (w *Watcher) lookBack(ctx context.Context) (sight, error) {
	var s sight
	var err error
	if s.cur, s.has, err = w.ledger.Cursor(ctx, w.cfg.Filter); err != nil {
		return s, fmt.Errorf("reading the cursor: %w", err)
	}
	w.judged = s.cur
	if w.end == nil {
		head, err := w.tag(ctx, "latest")
		if err != nil {
			return s, err
		}
		end, err := w.atOrBelow(ctx, w.cfg.until, head)
		if err != nil {
			return s, err
		}
		w.end = &end
	}
	s.head, s.final = *w.end, w.end.Block
	if s.has && s.cur.Height >= s.final.Height {
		return s, errPast
	}
	return s, nil
}
