package report

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/signer"
)

// Peers reaches the daemons of the other operators. Whoever answers is known by
// its report key; those that did not answer in time are absent.
type Peers interface {
	// Judge asks all of them about a proposal; a list of judgements has one entry a
	// claim.
	Judge(ctx context.Context, p chain.Proposal) map[common.Address][]chain.Judgement
	// Sign asks all of them for their signature over a proposal as a batch.
	Sign(ctx context.Context, p chain.Proposal) map[common.Address][]byte
}

// Disagreement is two operators finding different things about one request. Which
// of them is wrong, a person must find out.
type Disagreement struct {
	Operator common.Address `json:"operator"` // the other one
	Ours     chain.Claim    `json:"ours"`
	Theirs   *chain.Claim   `json:"theirs,omitempty"` // nil when it did not say
	At       time.Time      `json:"at"`
}

// maxDisagreements bounds what Status shows; the log and the metrics have all.
const maxDisagreements = 100

// termOfOffice is how long one operator is the first to seal; then the next is, so
// that all pay for transactions in turn.
const termOfOffice = time.Hour

// rank is how many operators come before this one in sealing answers at a time.
func rank(operators []common.Address, own common.Address, now time.Time) int {
	n := len(operators)
	first := int(now.Unix() / int64(termOfOffice/time.Second) % int64(n))
	return (slices.Index(operators, own) - first + n) % n
}

// mine leaves out answers that another operator is to seal first. next is when the
// first of them is this one's turn, 0 for none.
func (r *Reporter) mine(set operatorSet, ready []candidate, now time.Time) (out []candidate, next time.Duration) {
	if r.peers == nil {
		return ready, 0
	}
	pause := time.Duration(rank(set.operators, r.signer.Address(), now)) * r.cfg.Takeover
	r.mu.Lock()
	defer r.mu.Unlock()
	alive := map[common.Hash]time.Time{}
	for _, c := range ready {
		seen, known := r.seen[c.Request]
		if !known {
			seen = now
		}
		alive[c.Request] = seen
		wait := seen.Add(pause).Sub(now)
		if wait <= 0 {
			out = append(out, c)
		} else if next == 0 || wait < next {
			next = wait
		}
	}
	for id, t := range r.seen { // in a batch now; what comes back soon keeps its time
		if _, ok := alive[id]; !ok && now.Sub(t) < holdMost {
			alive[id] = t
		}
	}
	r.seen = alive
	return out, next
}

// agreed asks the other operators and leaves only what the same k of them, this
// one included, found alike. The rest waits, and who differs is told.
func (r *Reporter) agreed(ctx context.Context, set operatorSet, in []candidate) []candidate {
	if set.threshold <= 1 || len(in) == 0 {
		return in
	}
	p := chain.Proposal{ConfigDigest: set.digest}
	for _, c := range in {
		p.Claims = append(p.Claims, claimOf(c.Answer))
	}
	heard := r.peers.Judge(ctx, p)
	votes := map[common.Address][]bool{}
	differs := make([]int, len(in))
	for who, judged := range heard {
		if who == r.signer.Address() || !slices.Contains(set.operators, who) || len(judged) != len(in) {
			continue
		}
		votes[who] = make([]bool, len(in))
		var found []Disagreement
		for i, j := range judged {
			votes[who][i] = j.Verdict == chain.Agree
			if j.Verdict == chain.Disagree {
				differs[i]++
				found = append(found, Disagreement{Operator: who, Ours: p.Claims[i], Theirs: j.Own, At: r.now()})
			}
		}
		r.disagrees(who, found)
	}
	chosen := r.choose(votes, set.threshold-1, len(in))
	var out []candidate
	others := len(set.operators) - 1
	for i, c := range in {
		switch {
		case chosen[i]:
			out = append(out, c)
		case others-differs[i] < set.threshold-1: // not even if all the rest agreed
			r.hold(c.Answer, fmt.Sprintf("%d of %d other operators found something else; see the disagreements in the status", differs[i], others), true)
		default:
			r.putOff(c.Answer, fmt.Sprintf("fewer than %d operators have the same answer yet; %d of %d others answered, %d of them differently", set.threshold, len(heard), others, differs[i]))
		}
	}
	return out
}

// choose picks n peers, one after the other, so that as many of the claims as
// possible have the agreement of all of them, and says which these are.
func (r *Reporter) choose(votes map[common.Address][]bool, n, claims int) []bool {
	chosen := make([]bool, claims)
	for i := range chosen {
		chosen[i] = true
	}
	now := r.now()
	for range n {
		var best common.Address
		most := 0
		for who, vote := range votes {
			count := 0
			for i, yes := range vote {
				if yes && chosen[i] {
					count++
				}
			}
			// Who lately agreed and then did not sign comes last.
			if count > 0 && now.Before(r.unreliable[who]) {
				count = 1
			}
			if c := cmp.Compare(count, most); c > 0 || (c == 0 && count > 0 && who.Cmp(best) < 0) {
				best, most = who, count
			}
		}
		for i := range chosen {
			chosen[i] = chosen[i] && most > 0 && votes[best][i]
		}
		delete(votes, best)
	}
	return chosen
}

// gather asks the other operators to sign a batch and stores what is valid. It
// reports whether the batch has its threshold.
func (r *Reporter) gather(ctx context.Context, b *chain.ReportBatch, set operatorSet) (bool, error) {
	p := chain.Proposal{ConfigDigest: b.ConfigDigest}
	for _, a := range b.Items {
		p.Claims = append(p.Claims, claimOf(a))
	}
	got := r.peers.Sign(ctx, p)
	for _, who := range set.operators {
		sig, ok := got[who]
		if !ok || who == r.signer.Address() {
			continue
		}
		if from, err := signer.Recover(b.Digest[:], sig); err != nil || from != who {
			r.distrust(who, "its signature over a batch is not valid")
			continue
		}
		delete(r.unreliable, who)
		s := chain.Signature{Signer: who, Sig: sig}
		done, err := r.ledger.AddSignature(ctx, b.ID, s, r.now())
		if err != nil {
			return false, fmt.Errorf("storing the signature of %s: %w", who, err)
		}
		b.Signatures = append(b.Signatures, s)
		if done {
			b.State = chain.BatchSigned
			return true, nil
		}
	}
	if r.now().Sub(b.CreatedAt) < r.cfg.SignWithin {
		return false, nil
	}
	for _, who := range set.operators {
		if _, signed := got[who]; !signed && who != r.signer.Address() {
			r.distrust(who, "it did not sign a batch in time")
		}
	}
	return false, r.abandon(ctx, b, fmt.Sprintf("only %d of %d operators signed it within %s", len(b.Signatures), b.Threshold, r.cfg.SignWithin))
}

// distrust puts an operator last in choosing for a while.
func (r *Reporter) distrust(who common.Address, why string) {
	if r.now().After(r.unreliable[who]) {
		r.log.Error("another operator is not relied on for now", "operator", who.Hex(), "why", why)
	}
	r.unreliable[who] = r.now().Add(20 * r.cfg.SignWithin)
}

// putOff keeps an answer back until others may have found the same.
func (r *Reporter) putOff(a chain.Answer, why string) {
	r.trouble.held[a.Request] = Held{Request: a.Request, Why: why, Until: r.now().Add(r.cfg.AskAgain)}
	r.log.Debug("an answer waits for other operators", "request", a.Request.Hex(), "job", a.Job, "why", why)
}

// disagrees notes what another operator found differently, and alarms once for each
// operator and request. Safe for use beside Run.
func (r *Reporter) disagrees(who common.Address, found []Disagreement) {
	var news []Disagreement
	r.mu.Lock()
	for _, d := range found {
		if !slices.ContainsFunc(r.disagreements, func(old Disagreement) bool { return old.Operator == who && old.Ours.Request == d.Ours.Request }) {
			news = append(news, d)
		}
	}
	r.disagreements = append(r.disagreements, news...)
	if n := len(r.disagreements); n > maxDisagreements {
		r.disagreements = slices.Delete(r.disagreements, 0, n-maxDisagreements)
	}
	r.mu.Unlock()
	if len(news) == 0 {
		return
	}
	r.metrics.disagreed(who, len(news))
	first := news[0]
	args := []any{"operator", who.Hex(), "requests", len(news), "request", first.Ours.Request.Hex(), "ours", words(first.Ours)}
	if first.Theirs != nil {
		args = append(args, "theirs", words(*first.Theirs))
	}
	r.log.Error("another operator found something else: one of the two is wrong", args...)
}

func words(c chain.Claim) string {
	return fmt.Sprintf("%s %s %s", c.Outcome, c.Reason, c.ResultHash)
}

func claimOf(a chain.Answer) chain.Claim {
	return chain.Claim{Request: a.Request, Outcome: a.Outcome, Reason: a.Reason, ResultHash: crypto.Keccak256Hash(a.Result)}
}

// same reports whether two claims say the same. For failures only the outcome is
// compared: what one operator could not fetch may have stalled for another.
func same(a, b chain.Claim) bool {
	if a.Outcome != b.Outcome {
		return false
	}
	return a.Outcome == job.Failed || (a.Reason == b.Reason && a.ResultHash == b.ResultHash)
}
