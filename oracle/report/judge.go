package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// The other side of peers.go: what this operator answers when another one leads.
// Everything here may run beside Run.

// ErrNotAgreed is returned when this operator is asked to sign what it did not find
// itself, does not see final, or has signed otherwise.
var ErrNotAgreed = errors.New("not agreed")

// Operators gives who may sign now.
func (r *Reporter) Operators(ctx context.Context) ([]common.Address, error) {
	set, err := r.operators(ctx)
	return set.operators, err
}

// Judge says of each claim of another operator whether this one found the same.
func (r *Reporter) Judge(ctx context.Context, from common.Address, p chain.Proposal) ([]chain.Judgement, error) {
	out := make([]chain.Judgement, len(p.Claims))
	var differs []Disagreement
	for i, c := range p.Claims {
		own, err := r.own(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("judging the claim about request %s: %w", c.Request, err)
		}
		switch {
		case own == nil:
			out[i] = chain.Judgement{Verdict: chain.Unknown}
		case same(*own, c):
			out[i] = chain.Judgement{Verdict: chain.Agree}
		default:
			out[i] = chain.Judgement{Verdict: chain.Disagree, Own: own}
			differs = append(differs, Disagreement{Operator: from, Ours: *own, Theirs: &c, At: r.now()})
		}
	}
	r.disagrees(from, differs)
	return out, nil
}

// own is what this operator found about a claim's request; nil when it has nothing
// to say: no answer, a request that it does not see final and open, or a failure
// that may not be reported yet.
func (r *Reporter) own(ctx context.Context, c chain.Claim) (*chain.Claim, error) {
	a, ok, err := r.ledger.AnswerTo(ctx, c.Request)
	if err != nil || !ok {
		return nil, err
	}
	terms, err := r.termsOf(a)
	if err != nil {
		return nil, nil // an answer that no contract takes is none; the reporter says so itself
	}
	found := claimOf(a)
	if same(found, c) && c.Outcome == job.Failed && !r.mayFail(terms, a.Reason, c) {
		return nil, nil
	}
	return &found, nil
}

// mayFail reports whether a failure may be signed now. Only invalid content, found
// by both, is final before the time that the terms give to attempts.
func (r *Reporter) mayFail(terms estuaryprovider.Terms, own job.Reason, c chain.Claim) bool {
	if c.Reason == job.ReasonNone || c.Reason > job.ReasonUnreachable || c.ResultHash != crypto.Keccak256Hash() {
		return false
	}
	if c.Reason == job.ReasonInvalidContent {
		return own == job.ReasonInvalidContent
	}
	return !r.now().Before(time.Unix(terms.AttemptUntil.Int64(), 0).Add(r.cfg.Skew))
}

// Countersign signs another operator's batch when this one found the same for every
// claim in it. What is signed is on disk before.
func (r *Reporter) Countersign(ctx context.Context, from common.Address, p chain.Proposal) ([]byte, error) {
	set, err := r.operators(ctx)
	if err != nil {
		return nil, err
	}
	own := r.signer.Address()
	switch {
	case p.ConfigDigest != set.digest:
		return nil, fmt.Errorf("%w: the batch is of configuration %s, in force is %s", ErrNotAgreed, p.ConfigDigest, set.digest)
	case !slices.Contains(set.operators, own):
		return nil, r.mayReport(set)
	case len(p.Claims) == 0:
		return nil, fmt.Errorf("%w: the batch is empty", ErrNotAgreed)
	}
	judged, err := r.Judge(ctx, from, p)
	if err != nil {
		return nil, err
	}
	results := make([]chain.SignedResult, len(p.Claims))
	once := map[common.Hash]bool{}
	for i, c := range p.Claims {
		if judged[i].Verdict != chain.Agree || once[c.Request] {
			return nil, fmt.Errorf("%w: about request %s this operator says %s", ErrNotAgreed, c.Request, judged[i].Verdict)
		}
		once[c.Request] = true
		results[i] = chain.SignedResult{Request: c.Request, ResultHash: boundHash(c)}
	}
	err = r.ledger.RecordSigned(ctx, own, results, r.now())
	if errors.Is(err, chain.ErrConflictingResult) {
		r.metrics.refused()
		r.log.Error("another operator asks for a signature over a result that contradicts one signed before", "operator", from.Hex(), "error", err)
		return nil, fmt.Errorf("%w: %w", ErrNotAgreed, err)
	}
	if err != nil {
		return nil, fmt.Errorf("recording what is to be signed: %w", err)
	}
	sig, err := r.signer.SignTyped(ctx, typedData(r.cfg.ChainID, r.cfg.Provider, p.ConfigDigest, p.Claims))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	r.mu.Lock() // the leader has its full time to send, counted anew
	for _, c := range p.Claims {
		r.seen[c.Request] = r.now()
	}
	r.mu.Unlock()
	return sig, nil
}
