package report

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// advance takes an open batch as far as it goes now. It may be called again at any
// step: each one is recorded before the next.
func (r *Reporter) advance(ctx context.Context, b *chain.ReportBatch) error {
	if b.State == chain.BatchSubmitted {
		return r.resolve(ctx, b)
	}
	set, err := r.operators(ctx)
	if err != nil {
		return err
	}
	if why := r.outdated(b, set); why != "" {
		return r.abandon(ctx, b, why)
	}
	if b.State == chain.BatchSealed {
		if err := r.mayReport(set); err != nil {
			return err
		}
		if done, err := r.sign(ctx, b, set); err != nil || !done {
			return err
		}
	}
	return r.submit(ctx, b)
}

// outdated says why a batch that was not submitted should be sealed anew: other
// operators, or over half of it too late.
func (r *Reporter) outdated(b *chain.ReportBatch, set operatorSet) string {
	if b.ConfigDigest != set.digest {
		return "another configuration of operators is in force"
	}
	late := 0
	for _, a := range b.Items {
		if !a.Deadline.After(r.now()) {
			late++
		}
	}
	if 2*late > len(b.Items) {
		return fmt.Sprintf("the deadlines of %d of its %d answers have passed", late, len(b.Items))
	}
	return ""
}

func (r *Reporter) abandon(ctx context.Context, b *chain.ReportBatch, why string) error {
	n, err := r.ledger.AbandonBatch(ctx, b.ID, r.now())
	if err != nil {
		return fmt.Errorf("giving it up: %w", err)
	}
	r.metrics.ended("abandoned")
	r.log.Warn("batch given up before it was sent", "batch", b.ID, "why", why, "answers", len(b.Items), "pending", n)
	return nil
}

// sign adds this operator's signature, after the results are recorded, and those
// of others where more are needed. It reports whether the batch has its threshold.
func (r *Reporter) sign(ctx context.Context, b *chain.ReportBatch, set operatorSet) (bool, error) {
	own := r.signer.Address()
	if slices.ContainsFunc(b.Signatures, func(s chain.Signature) bool { return s.Signer == own }) {
		switch {
		case len(b.Signatures) >= b.Threshold:
			return true, nil
		case r.peers == nil:
			r.waiting(fmt.Sprintf("batch %d has %d of %d signatures: %s", b.ID, len(b.Signatures), b.Threshold, needPeers))
			return false, nil
		}
		return r.gather(ctx, b, set)
	}
	data := TypedData(r.cfg.ChainID, r.cfg.Provider, b.ConfigDigest, b.Items)
	digest, err := Digest(r.cfg.ChainID, r.cfg.Provider, b.ConfigDigest, b.Items)
	if err != nil {
		return false, err
	}
	if digest != b.Digest {
		return false, r.abandon(ctx, b, fmt.Sprintf("its answers hash to %s, it was sealed as %s", digest, b.Digest))
	}
	results := make([]chain.SignedResult, len(b.Items))
	for i, a := range b.Items {
		results[i] = chain.SignedResult{Request: a.Request, ResultHash: boundHash(claimOf(a))}
	}
	err = r.ledger.RecordSigned(ctx, own, results, r.now())
	if errors.Is(err, chain.ErrConflictingResult) {
		return false, r.refuse(ctx, b, results)
	}
	if err != nil {
		return false, fmt.Errorf("recording what is to be signed: %w", err)
	}
	sig, err := r.signer.SignTyped(ctx, data)
	if err != nil {
		return false, fmt.Errorf("signing: %w", err)
	}
	s := chain.Signature{Signer: own, Sig: sig}
	done, err := r.ledger.AddSignature(ctx, b.ID, s, r.now())
	if err != nil {
		return false, fmt.Errorf("storing the signature: %w", err)
	}
	b.Signatures = append(b.Signatures, s)
	if done {
		b.State = chain.BatchSigned
	}
	if done || r.peers == nil {
		return done, nil
	}
	return r.gather(ctx, b, set)
}

// refuse gives up a batch that holds another result of a request than this key has
// signed before, and holds back the answers that are so. They are never signed.
func (r *Reporter) refuse(ctx context.Context, b *chain.ReportBatch, results []chain.SignedResult) error {
	for i, one := range results {
		err := r.ledger.RecordSigned(ctx, r.signer.Address(), []chain.SignedResult{one}, r.now())
		switch {
		case errors.Is(err, chain.ErrConflictingResult):
			r.metrics.refused()
			r.hold(b.Items[i], "this key has signed another result of the request before and never signs two: "+err.Error(), true)
		case err != nil:
			return fmt.Errorf("recording what is to be signed: %w", err)
		}
	}
	return r.abandon(ctx, b, "an answer contradicts what was signed before")
}

// submit hands a signed batch to the sender.
func (r *Reporter) submit(ctx context.Context, b *chain.ReportBatch) error {
	data, err := r.calldata(b)
	if err != nil {
		return err
	}
	intent := chain.Intent{
		// The same answers may be sealed again after a batch that failed: another
		// batch, another intent, the same digest.
		Key:    fmt.Sprintf("batch:%d:%s", b.ID, b.Digest.Hex()),
		Sender: r.sender(), To: r.cfg.Provider, Data: data, Expiry: earliest(b.Items),
	}
	if _, err := r.ledger.SubmitBatch(ctx, b.ID, intent, r.now()); err != nil {
		return fmt.Errorf("handing it to the sender: %w", err)
	}
	b.State = chain.BatchSubmitted
	r.answered(b, "report", b.CreatedAt, r.now(), "")
	r.log.Info("batch submitted", "batch", b.ID, "answers", len(b.Items), "digest", b.Digest.Hex())
	r.queued()
	return nil
}

// earliest is the first deadline in a batch. A batch that was not sent by then is
// sealed anew without what is too late.
func earliest(items []chain.Answer) time.Time {
	var first time.Time
	for _, a := range items {
		if first.IsZero() || a.Deadline.Before(first) {
			first = a.Deadline
		}
	}
	return first
}

// inOrder gives exactly n signatures ascending by signer, as the contract wants.
func inOrder(in []chain.Signature, n int) ([][]byte, error) {
	if len(in) < n {
		return nil, fmt.Errorf("%d of %d signatures: needs signatures of other operators", len(in), n)
	}
	sorted := slices.Clone(in)
	slices.SortFunc(sorted, func(a, b chain.Signature) int { return a.Signer.Cmp(b.Signer) })
	out := make([][]byte, n)
	for i := range n {
		if i > 0 && sorted[i].Signer == sorted[i-1].Signer {
			return nil, fmt.Errorf("two signatures of %s", sorted[i].Signer)
		}
		if len(sorted[i].Sig) != 65 {
			return nil, fmt.Errorf("the signature of %s has %d bytes instead of 65", sorted[i].Signer, len(sorted[i].Sig))
		}
		out[i] = bytes.Clone(sorted[i].Sig)
	}
	return out, nil
}

// resolve ends a submitted batch whose transaction has ended.
func (r *Reporter) resolve(ctx context.Context, b *chain.ReportBatch) error {
	if !b.TxState.Ended() {
		return nil
	}
	r.tellEnd(b)
	failed := b.TxState != chain.TxFinal || b.TxReverted
	if failed && !r.trouble.split[b.ID] {
		r.blame(ctx, b)
		r.trouble.split[b.ID] = true
	}
	n, err := r.ledger.ResolveBatch(ctx, b.ID, r.now())
	if errors.Is(err, job.ErrConflict) {
		r.log.Debug("the batch's transaction is open again", "batch", b.ID)
		return nil
	}
	if err != nil {
		return fmt.Errorf("resolving it: %w", err)
	}
	if n > 0 && !failed {
		r.skipped(ctx, b)
	}
	r.ending[b.ID] = *b
	return nil
}

// finish tells of batches that are no longer open. Resolving alone does not say
// so: it does nothing until the watcher has read the transaction's block.
func (r *Reporter) finish(open []chain.ReportBatch) {
	still := map[int64]bool{}
	for _, b := range open {
		still[b.ID] = true
	}
	for id, b := range r.ending {
		if still[id] {
			continue
		}
		delete(r.ending, id)
		delete(r.trouble.split, id)
		if b.TxState != chain.TxFinal || b.TxReverted {
			r.metrics.ended("failed")
			r.log.Warn("batch did not land", "batch", id, "tx", b.Tx, "state", string(b.TxState), "why", b.TxWhy)
			continue
		}
		r.metrics.ended("final")
		r.log.Info("batch final", "batch", id, "tx", b.Tx, "answers", len(b.Items))
		r.trouble.settle(b.Items, r.now())
	}
}

// blame finds out what a batch that did not land says about its answers. One that
// can only fail is cut in two until the answer that spoils it is alone.
func (r *Reporter) blame(ctx context.Context, b *chain.ReportBatch) {
	fails := b.TxReverted || strings.HasPrefix(b.TxWhy, chain.WhyReverts) || strings.HasPrefix(b.TxWhy, chain.WhyRefused)
	if !fails {
		return // expired, or its nonce went elsewhere: nothing is wrong with the answers
	}
	r.forgetSet() // the configuration may be the reason
	if set, err := r.operators(ctx); err == nil && set.digest != b.ConfigDigest {
		return
	}
	if r.trouble.cut(b) {
		r.log.Warn("a batch can only fail; its halves are tried apart", "batch", b.ID, "answers", len(b.Items), "why", b.TxWhy)
		return
	}
	for _, a := range b.Items {
		r.hold(a, "a transaction with this answer alone fails: "+b.TxWhy, true)
	}
}

// skipped holds back answers that a landed batch left open, so that they are not
// paid for again at once.
func (r *Reporter) skipped(ctx context.Context, b *chain.ReportBatch) {
	for _, a := range b.Items {
		state, err := call(ctx, r, r.contract.PackStateOf(a.Request), r.contract.UnpackStateOf)
		if err != nil || state == stateOpen || state == stateCancelling {
			r.hold(a, "the contract skipped this answer in a batch that landed (see its ReportSkipped event)", true)
		}
	}
}
