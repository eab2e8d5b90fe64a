package sim

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/watch"
)

// settled says what is still to be done, nil when nothing is.
func (w *world) settled() error {
	w.chain.mu.Lock()
	now := w.chain.head().after
	open := 0
	for _, s := range now.open {
		if s == 1 {
			open++
		}
	}
	waiting := len(w.chain.gone)
	w.chain.mu.Unlock()
	if open+waiting > 0 {
		return fmt.Errorf("%d requests are not answered", open+waiting)
	}
	ctx := context.Background()
	requests, err := w.requests(ctx, w.now.ledger)
	if err != nil {
		return err
	}
	for _, r := range requests {
		if r.State != chain.RequestRetracted && !r.ClosedFinal {
			return fmt.Errorf("request %s is %s, and not for good", r.ID, r.State)
		}
	}
	counts, err := w.now.ledger.JobCounts(ctx)
	if err != nil {
		return err
	}
	for _, s := range []job.State{job.Available, job.Running, job.Retrying, job.Snoozed, job.Dead} {
		for kind, by := range counts {
			if by[s] > 0 {
				return fmt.Errorf("%d jobs of kind %s are %s", by[s], kind, s)
			}
		}
	}
	txs, err := w.now.ledger.OpenTxs(ctx, w.tx.Address())
	if err != nil || len(txs) > 0 {
		return fmt.Errorf("%d transactions are open, %w", len(txs), err)
	}
	return nil
}

func (w *world) requests(ctx context.Context, s *store.Store) ([]chain.Request, error) {
	var out []chain.Request
	for before := uint64(0); ; {
		page, err := s.Requests(ctx, chain.RequestFilter{Limit: 1000, BeforeSeq: before})
		if err != nil || len(page) == 0 {
			return out, err
		}
		out = append(out, page...)
		if before = page[len(page)-1].Seq; len(page) < 1000 {
			return out, nil
		}
	}
}

// check is the verdict over a world in which nothing is left to do.
func (w *world) check() error {
	if w.stale != nil {
		return w.stale
	}
	if err := w.settled(); err != nil {
		s := w.now.watch.Status()
		return fmt.Errorf("it never settles: %w (cursor %d, final %d, frozen %q, error %q)", err, s.Cursor, s.Final, s.Frozen, s.LastError)
	}
	return errors.Join(w.chain.fault, w.once(), w.nothingLeft(), w.nonces(), w.replay())
}

// once: every surviving request is answered once, on chain and in the ledger.
func (w *world) once() error {
	w.chain.mu.Lock()
	defer w.chain.mu.Unlock()
	answers := map[common.Hash]int{}
	id := contract.GetABI().Events["OracleAnswered"].ID
	for _, b := range w.chain.blocks {
		for _, l := range b.logs {
			if l.Topics[0] == id {
				answers[l.Topics[1]]++
			}
		}
	}
	var errs []error
	for r := range w.chain.head().after.open {
		if answers[r] != 1 {
			errs = append(errs, fmt.Errorf("request %s was answered %d times", r, answers[r]))
		}
	}
	return errors.Join(errs...)
}

// nothingLeft: what is held is what surviving requests asked for, all of it.
func (w *world) nothingLeft() error {
	w.node.mu.Lock()
	defer w.node.mu.Unlock()
	var errs []error
	want := map[string]bool{}
	for r := range w.chain.head().after.open {
		want[strings.ToLower(r.Hex())] = true
	}
	for ref := range w.node.held {
		if !want[ref] {
			errs = append(errs, fmt.Errorf("%s left the chain and is still held", ref))
		}
	}
	for ref := range want {
		if !w.node.held[ref] {
			errs = append(errs, fmt.Errorf("%s was answered as pinned and is not held (%s; %s)", ref, w.work(ref), w.node.story(ref)))
		}
	}
	return errors.Join(errs...)
}

// work says what became of the jobs of a request.
func (w *world) work(ref string) string {
	var out []string
	key := job.RequestKey(chainID, provider.Hex(), ref, 1)
	for _, k := range []string{key, job.CompensationKey(key)} {
		j, err := w.now.ledger.JobByKey(context.Background(), k)
		if err != nil {
			out = append(out, err.Error())
			continue
		}
		out = append(out, fmt.Sprintf("%s is %s, attempt %d, fence %d, updated %s", j.Kind, j.State, j.Attempt, j.Fence, j.UpdatedAt.UTC().Format(time.TimeOnly)))
	}
	return strings.Join(out, "; ")
}

// nonces: no nonce was broadcast for two effects, and no effect happened twice.
func (w *world) nonces() error {
	w.chain.mu.Lock()
	defer w.chain.mu.Unlock()
	var errs []error
	for nonce, effects := range w.chain.seen {
		if len(effects) > 1 {
			errs = append(errs, fmt.Errorf("nonce %d was used for %d effects", nonce, len(effects)))
		}
	}
	done := map[string]uint64{}
	for _, b := range w.chain.blocks {
		for _, tx := range b.txs {
			if len(tx.Data()) == 0 || !b.changedBy(tx.Hash()) {
				continue // it freed a nonce, or came after its requests were closed
			}
			if before, twice := done[string(tx.Data())]; twice {
				errs = append(errs, fmt.Errorf("one batch was executed in blocks %d and %d", before, b.Height))
			}
			done[string(tx.Data())] = b.Height
		}
	}
	return errors.Join(errs...)
}

// changedBy reports whether a transaction had an effect in a block.
func (b *block) changedBy(tx common.Hash) bool {
	return slices.ContainsFunc(b.logs, func(l chain.Log) bool { return l.Tx == tx })
}

// quiet is intake's notifier in the replay.
type quiet struct{}

func (quiet) Notify(job.Kind) {}

// replay: a new ledger, filled from the chain as it is, says the same.
func (w *world) replay() error {
	ctx := context.Background()
	fresh, err := store.Open(ctx, store.Config{Path: filepath.Join(w.dir, "replay.db"), NodeID: "node"})
	if err != nil {
		return err
	}
	defer fresh.Close()
	sink, err := intake.New(intake.Config{ChainID: chainID, Providers: []common.Address{provider}}, intake.Deps{Ledger: fresh, Notifier: quiet{}})
	if err != nil {
		return err
	}
	fair := &endpoint{w: w, name: "fair", d: w.stream("fair"), fair: true}
	again, err := watch.New(watch.Config{Filter: "provider", Addresses: []common.Address{provider}, ChainID: chainID, SoftDepth: 1}, watch.Deps{RPC: fair, Ledger: fresh, Sink: sink})
	if err != nil {
		return err
	}
	for idle := 0; idle < 3; {
		progress, err := again.Step(ctx)
		if err != nil {
			return fmt.Errorf("replaying: %w", err)
		}
		if idle++; progress {
			idle = 0
		}
	}
	return errors.Join(w.sameRequests(ctx, fresh), w.sameLogs(ctx, fresh))
}

func (w *world) sameRequests(ctx context.Context, fresh *store.Store) error {
	said := func(s *store.Store) ([]string, error) {
		all, err := w.requests(ctx, s)
		var out []string
		for _, r := range all {
			if r.State != chain.RequestRetracted {
				out = append(out, fmt.Sprintf("%s seq %d in %s: %s %v %v", r.ID, r.Seq, r.Log.Block, r.State, r.Outcome, r.CloseTx))
			}
		}
		slices.Sort(out)
		return out, err
	}
	have, err := said(w.now.ledger)
	want, err2 := said(fresh)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	return differ("requests", have, want)
}

func (w *world) sameLogs(ctx context.Context, fresh *store.Store) error {
	said := func(s *store.Store) ([]string, error) {
		var out []string
		for after := int64(0); ; {
			page, err := s.Logs(ctx, chain.LogFilter{AfterID: after, Limit: 1000})
			for _, l := range page {
				if after = l.ID; l.State != chain.LogRetracted && l.Height <= w.chain.final {
					out = append(out, fmt.Sprintf("%d %s %s %x seq %d %s", l.Height, l.Block, l.Tx, l.Topics, l.Seq, l.State))
				}
			}
			if err != nil || len(page) < 1000 {
				slices.Sort(out)
				return out, err
			}
		}
	}
	w.now.caughtUp()
	have, err := said(w.now.ledger)
	want, err2 := said(fresh)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	return differ("logs", have, want)
}

// caughtUp waits until the daemon has seen what the chain has.
func (in *incarnation) caughtUp() {
	for range 60 {
		if s := in.watch.Status(); s.Final >= in.w.chain.final {
			return
		}
		sleep(context.Background(), time.Second)
	}
}

func differ(what string, have, want []string) error {
	for _, x := range want {
		if !slices.Contains(have, x) {
			return fmt.Errorf("%s: the ledger lacks %s (it has %d, a replay %d)", what, x, len(have), len(want))
		}
	}
	for _, x := range have {
		if !slices.Contains(want, x) {
			return fmt.Errorf("%s: the ledger has %s, a replay does not (it has %d, a replay %d)", what, x, len(have), len(want))
		}
	}
	return nil
}
