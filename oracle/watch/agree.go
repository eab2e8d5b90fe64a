package watch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Run looks at all endpoints every PoolConfig.Probe until ctx ends: who lags, who
// went back, who serves another chain, who has another final block.
func (p *Pool) Run(ctx context.Context) error {
	for {
		p.Look(ctx)
		if !sleep(ctx, p.cfg.Probe) {
			return nil
		}
	}
}

// Look asks every endpoint that is not put off for its chain id, head and final
// block, and compares them.
func (p *Pool) Look(ctx context.Context) {
	finals := p.finals(ctx, true)
	if len(finals) < 2 {
		return
	}
	low := finals[len(finals)-1] // the others have passed it
	for _, f := range finals[:len(finals)-1] {
		p.compare(ctx, f.member, low.Block)
	}
}

// compare asks a member for the block that another one calls final.
func (p *Pool) compare(ctx context.Context, i int, b chain.Block) bool {
	h, err := memberCall(ctx, p, i, func(ctx context.Context, c Client) (Header, error) { return c.HeaderByNumber(ctx, b.Height) })
	if err == nil && h.Hash == b.Hash {
		return true
	}
	if err == nil || kindOf(err) == FaultNullRound {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.members[i].trouble(TroubleDisagrees, fmt.Sprintf("it does not have block %s, which another endpoint calls final", b.ID()), p.cfg.Now())
		return false
	}
	_ = p.note(i, err)
	return false
}

// finalOf is what one member calls final.
type finalOf struct {
	Header
	member int
}

// finals asks all members that are not put off for their final blocks, highest
// first; with heads, for their heads too.
func (p *Pool) finals(ctx context.Context, heads bool) []finalOf {
	ask, _ := p.candidates()
	var out []finalOf
	for _, i := range ask {
		for _, tag := range []string{"latest", "finalized"} {
			if tag == "latest" && !heads {
				continue
			}
			h, err := memberCall(ctx, p, i, func(ctx context.Context, c Client) (Header, error) { return c.HeaderByTag(ctx, tag) })
			if ctx.Err() != nil {
				return nil
			}
			if err != nil {
				_ = p.note(i, err)
				break
			}
			p.saw(i, tag, h.Height)
			if tag == "finalized" {
				out = append(out, finalOf{h, i})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b finalOf) int { return cmp.Compare(b.Height, a.Height) })
	return out
}

// agreedFinal gives the highest block that Quorum endpoints call final, or have
// below what they call final.
func (p *Pool) agreedFinal(ctx context.Context) (Header, error) {
	finals := p.finals(ctx, false)
	if len(finals) < p.cfg.Quorum {
		return Header{}, p.tooFew("reading finality", len(finals))
	}
	for k := p.cfg.Quorum - 1; k < len(finals); k++ {
		at, votes := finals[k], 1
		for j, f := range finals {
			if j == k || f.Height < at.Height {
				continue
			}
			if f.Height == at.Height && f.Hash == at.Hash || f.Height > at.Height && p.compare(ctx, f.member, at.Block) {
				votes++
			}
		}
		if votes >= p.cfg.Quorum {
			return at.Header, nil
		}
	}
	return Header{}, &Fault{Kind: FaultGarbage, Endpoint: "the endpoints", Method: "reading finality",
		Err: fmt.Errorf("no block is called final by %d of them", p.cfg.Quorum)}
}

func (p *Pool) tooFew(what string, have int) error {
	_, soonest := p.candidates()
	f := &Fault{Kind: FaultTransport, Endpoint: "the endpoints", Method: what,
		Err: fmt.Errorf("%d must agree and %d answered", p.cfg.Quorum, have)}
	if !soonest.IsZero() {
		f.After = max(0, soonest.Sub(p.cfg.Now()))
	}
	return f
}

// Agree implements Judge.
func (p *Pool) Agree(ctx context.Context, b chain.Block) error {
	if p.cfg.Quorum < 2 {
		return nil
	}
	ask, _ := p.candidates()
	votes := 0
	for _, i := range ask {
		if p.compare(ctx, i, b) {
			votes++
		}
		if votes >= p.cfg.Quorum {
			return nil
		}
	}
	return p.tooFew("confirming block "+b.ID(), votes)
}

// agreedLogs asks one member after the other until Quorum of them gave the same.
func (p *Pool) agreedLogs(ctx context.Context, call func(context.Context, Client) ([]chain.Log, error)) ([]chain.Log, error) {
	ask, soonest := p.candidates()
	if len(ask) == 0 {
		return nil, p.allPutOff(soonest)
	}
	type answer struct {
		logs  []chain.Log
		votes []int
	}
	var answers []answer
	var failed error
	for _, i := range ask {
		logs, err := memberCall(ctx, p, i, call)
		if err != nil {
			if failed = err; ctx.Err() != nil || !p.note(i, err) {
				return nil, err
			}
			continue
		}
		n := slices.IndexFunc(answers, func(a answer) bool { return sameLogs(a.logs, logs) })
		if n < 0 {
			n, answers = len(answers), append(answers, answer{logs: logs})
		}
		if answers[n].votes = append(answers[n].votes, i); len(answers[n].votes) < p.cfg.Quorum {
			continue
		}
		for m := range answers {
			for _, i := range answers[m].votes {
				if m != n {
					p.untrue(i, fmt.Sprintf("it gave %d logs where %d endpoints agree on %d", len(answers[m].logs), p.cfg.Quorum, len(logs)))
				}
			}
		}
		p.gave(answers[n].votes[0], nil)
		return logs, nil
	}
	if len(answers) == 0 {
		return nil, failed
	}
	return nil, &Fault{Kind: FaultGarbage, Endpoint: "the endpoints", Method: "eth_getLogs",
		Err: errors.Join(fmt.Errorf("no %d of them give the same logs", p.cfg.Quorum), failed)}
}

func (p *Pool) untrue(i int, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members[i].trouble(TroubleUntrue, why, p.cfg.Now())
}

// sameLogs reports whether two answers hold the same logs, however numbered.
func sameLogs(a, b []chain.Log) bool {
	in := make(map[ident]bool, len(a))
	for _, l := range a {
		in[identOf(l)] = true
	}
	seen := make(map[ident]bool, len(b))
	for _, l := range b {
		if id := identOf(l); in[id] {
			seen[id] = true
		} else {
			return false
		}
	}
	return len(seen) == len(in)
}
