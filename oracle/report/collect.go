package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// candidate is an answer that may be sealed, with its decoded terms.
type candidate struct {
	chain.Answer
	terms estuaryprovider.Terms
}

// needPeers is what to do about a threshold that one operator cannot reach.
const needPeers = "needs signatures of other operators: name their daemons in operators.peers"

// collect seals what waits, once its window has passed or a batch is full, and
// says when to look again. queued is how many batches wait for the sender.
func (r *Reporter) collect(ctx context.Context, queued int) (time.Duration, error) {
	now := r.now()
	// What is held back must not hide what is not.
	limit := r.cfg.MaxBatch*r.cfg.MaxQueued + len(r.trouble.held)
	pending, err := r.ledger.PendingAnswers(ctx, now, now.Add(r.cfg.DeadlineMargin), limit)
	if err != nil {
		return 0, fmt.Errorf("reading pending answers: %w", err)
	}
	r.trouble.keep(pending, now)
	r.mu.Lock()
	r.status.Pending = len(pending)
	r.mu.Unlock()
	ready, next := r.eligible(pending, now)
	if len(ready) == 0 {
		r.since = time.Time{}
		r.waiting("")
		return r.sleep(ctx, next)
	}
	set, err := r.operators(ctx)
	if err != nil {
		return 0, err
	}
	if err := r.mayReport(set); err != nil {
		return 0, err
	}
	if set.threshold > 1 && r.peers == nil {
		r.waiting(fmt.Sprintf("%d of %d operators must sign: %s", set.threshold, len(set.operators), needPeers))
		return r.cfg.Poll, nil
	}
	ready, turn := r.mine(set, ready, now)
	if turn > 0 && (next == 0 || turn < next) {
		next = turn
	}
	if len(ready) == 0 {
		r.since = time.Time{}
		r.waiting("")
		return r.sleep(ctx, next)
	}
	if r.since.IsZero() {
		r.since = now
	}
	if left := r.cfg.BatchWindow - now.Sub(r.since); len(ready) < r.cfg.MaxBatch && left > 0 {
		return min(left, r.cfg.Poll), nil
	}
	if queued >= r.cfg.MaxQueued {
		r.waiting(fmt.Sprintf("%d batches wait for the sender", queued))
		return r.cfg.Poll, nil
	}
	r.waiting("")
	open, err := r.stillOpen(ctx, ready)
	if err != nil {
		return 0, err
	}
	r.since = time.Time{}
	batches := r.pack(r.agreed(ctx, set, open))
	left := r.cfg.MaxQueued - queued
	for _, answers := range batches[:min(left, len(batches))] {
		if err := r.seal(ctx, set, answers); err != nil {
			return 0, err
		}
	}
	return r.sleep(ctx, next)
}

// sleep is until the next answer's time, at most the poll interval.
func (r *Reporter) sleep(ctx context.Context, next time.Duration) (time.Duration, error) {
	wait := r.cfg.Poll
	if next > 0 {
		wait = min(wait, next)
	}
	at, ok, err := r.ledger.NextAnswerAt(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the next answer's time: %w", err)
	}
	if ok {
		wait = min(wait, max(at.Sub(r.now()), time.Millisecond))
	}
	return wait, nil
}

// eligible leaves out what is held back, what no contract would take, and failures
// whose time has not come. next is when one of the last kind is due, 0 for none.
func (r *Reporter) eligible(pending []chain.Answer, now time.Time) (ready []candidate, next time.Duration) {
	for _, a := range pending {
		if !r.trouble.released(a.Request, now) {
			continue
		}
		terms, err := r.termsOf(a)
		if err != nil {
			r.hold(a, err.Error(), true)
			continue
		}
		if a.Outcome == job.Failed && a.Reason != job.ReasonInvalidContent {
			from := time.Unix(terms.AttemptUntil.Int64(), 0).Add(r.cfg.Skew)
			if wait := from.Sub(now); wait > 0 {
				if next == 0 || wait < next {
					next = wait
				}
				continue
			}
		}
		ready = append(ready, candidate{a, terms})
	}
	return ready, next
}

// pack cuts candidates into batches under the limits on count, bytes and callback
// gas. Answers in a group after trouble share a batch only with their group.
func (r *Reporter) pack(in []candidate) [][]chain.Answer {
	slices.SortStableFunc(in, func(a, b candidate) int { return r.trouble.groups[a.Request] - r.trouble.groups[b.Request] })
	var out [][]chain.Answer
	var bytes int
	var gas uint64
	group := -1
	for _, c := range in {
		g, more, promised := r.trouble.groups[c.Request], size(c.Answer), uint64(c.terms.CallbackGas)
		n := len(out)
		full := n == 0 || g != group || len(out[n-1]) >= r.cfg.MaxBatch || bytes+more > r.cfg.MaxBytes ||
			(r.cfg.MaxCallbackGas != 0 && gas+promised > r.cfg.MaxCallbackGas)
		if full {
			out = append(out, nil)
			bytes, gas, group, n = callSize, 0, g, n+1
		}
		out[n-1] = append(out[n-1], c.Answer)
		bytes, gas = bytes+more, gas+promised
	}
	return out
}

// seal makes a batch and takes it as far as it goes now.
func (r *Reporter) seal(ctx context.Context, set operatorSet, answers []chain.Answer) error {
	digest, err := Digest(r.cfg.ChainID, r.cfg.Provider, set.digest, answers)
	if err != nil {
		return err
	}
	seal := chain.Seal{ConfigDigest: set.digest, Digest: digest, Threshold: set.threshold, Answers: answers}
	id, err := r.ledger.SealBatch(ctx, seal, r.now())
	if errors.Is(err, job.ErrConflict) {
		r.log.Debug("an answer moved while its batch was made; collecting again", "error", err)
		return nil
	}
	if err != nil {
		return fmt.Errorf("sealing %d answers: %w", len(answers), err)
	}
	for _, a := range answers {
		delete(r.trouble.groups, a.Request)
	}
	r.metrics.sealed(len(answers))
	b := chain.ReportBatch{CreatedAt: r.now(), ID: id, ConfigDigest: set.digest, Digest: digest, State: chain.BatchSealed, Threshold: set.threshold, Items: answers}
	if err := r.advance(ctx, &b); err != nil {
		return fmt.Errorf("batch %d: %w", id, err)
	}
	return nil
}

// hold keeps an answer back and says so once.
func (r *Reporter) hold(a chain.Answer, why string, alarm bool) {
	if !r.trouble.hold(a.Request, why, alarm, r.now()) {
		return
	}
	log := r.log.Info
	if alarm {
		log = r.log.Error
	}
	log("an answer is held back", "request", a.Request.Hex(), "job", a.Job, "why", why)
}
