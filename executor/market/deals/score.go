package deals

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	halfLife = 30 * 24 * time.Hour // of what is known of a provider
	history  = 6 * halfLife        // what is older weighs nothing

	// usual is the time from an offer to an active deal that scores like none known,
	// usualByte the seconds until a range begins to come that do.
	usual     = 48 * time.Hour
	usualByte = 1.0

	// Of who is unknown four things in five are expected to go well.
	expectedGood, expected = 4, 5
	// grave is how much a copy that was not kept, or a range that was not served, weighs:
	// who stored one copy quickly and lost it is to score less than who was never tried.
	grave = 8
)

// Rates of an input.
const (
	rateAccepted  = "accepted"
	rateSealed    = "sealed"
	rateKept      = "kept"
	rateServed    = "served"
	rateHours     = "hours"
	rateFirstByte = "firstByte"
)

// past is what scores are made from.
type past struct {
	offers []job.Offer            // newest first
	of     map[uint64][]job.Offer // by provider
	days   map[uint64][]job.SampleDay
}

func (m *Maker) past(ctx context.Context, miner uint64) (p past, err error) {
	since := m.d.Now().Add(-history)
	if p.offers, err = m.d.Ledger.Offers(ctx, job.OfferFilter{Miner: miner, Since: since, Brief: true}); err != nil {
		return p, err
	}
	days, err := m.d.Ledger.SampleDays(ctx, since)
	p.of, p.days = map[uint64][]job.Offer{}, map[uint64][]job.SampleDay{}
	for _, o := range p.offers {
		p.of[o.Miner] = append(p.of[o.Miner], o)
	}
	for _, d := range days {
		p.days[d.Miner] = append(p.days[d.Miner], d)
	}
	return p, err
}

// inputsOf lists what a provider's score is made of.
func (p past) inputsOf(miner uint64, now time.Time) (out []job.ProviderInput) {
	weight := func(at time.Time) float64 { return math.Exp2(-float64(max(now.Sub(at), 0)) / float64(halfLife)) }
	type ofClaim struct{ slot, deadline uint64 }
	counted := map[ofClaim]bool{}
	for _, o := range p.of[miner] {
		// What a claim was offered with again and again is one offer: the newest.
		if is := (ofClaim{o.Slot, o.Deadline}); o.Protocol == job.ProtocolMK20 && !strings.HasPrefix(o.Reason, whyUnasked) {
			if counted[is] && o.ActiveAt.IsZero() {
				continue
			}
			counted[is] = true
		}
		wasActive := !o.ActiveAt.IsZero()
		began := o.UpdatedAt // when it was taken, and sealed, or neither; what is kept is looked at again
		if wasActive {
			began = o.ActiveAt
		}
		count := func(rate string, good bool, at time.Time) {
			w := weight(at)
			if rate == rateKept && !good {
				w *= grave
			}
			out = append(out, job.ProviderInput{Rate: rate, Good: float64(flag(good)), All: 1, Weight: w, At: at, Of: o.ID, Words: o.Reason})
		}
		if strings.HasPrefix(o.Reason, whyUnasked) {
			continue // it had no part in that
		}
		if o.State != job.OfferProposing {
			count(rateAccepted, o.State != job.OfferFailed || wasTaken(o), began)
		}
		if wasTaken(o) && (wasActive || o.State == job.OfferFailed) {
			count(rateSealed, wasActive, began)
		}
		if wasActive {
			count(rateKept, o.State != job.OfferFailed && !o.Faulty, o.UpdatedAt)
			if strings.Contains(o.ID, extendedInfix) {
				continue // nothing was sealed
			}
			out = append(out, job.ProviderInput{
				Rate: rateHours, Good: o.ActiveAt.Sub(o.CreatedAt).Hours(), All: 1, Weight: weight(began), At: began, Of: o.ID,
			})
		}
	}
	for _, d := range p.days[miner] {
		at := d.Day.Add(24 * time.Hour) // as if all had been at its end
		good, bad := float64(d.Good), float64(d.Bad)
		if bad > 0 {
			out = append(out, job.ProviderInput{Rate: rateServed, All: bad, Weight: grave * weight(at), At: d.Day, Of: "samples", Words: "not served, or not the piece"})
		}
		if good > 0 {
			out = append(out, job.ProviderInput{Rate: rateServed, Good: good, All: good, Weight: weight(at), At: d.Day, Of: "samples"})
			out = append(out, job.ProviderInput{Rate: rateFirstByte, Good: good * d.FirstByte.Seconds(), All: good, Weight: weight(at), At: d.Day, Of: "samples"})
		}
	}
	slices.SortStableFunc(out, func(a, b job.ProviderInput) int { return b.At.Compare(a.At) })
	return out
}

// score sums a provider's inputs up.
func (p past) score(miner uint64, now time.Time) job.ProviderScore {
	s := job.ProviderScore{Miner: miner}
	good, all := map[string]float64{}, map[string]float64{}
	for _, in := range p.inputsOf(miner, now) {
		good[in.Rate] += in.Weight * in.Good
		all[in.Rate] += in.Weight * in.All
		if in.Rate == rateServed {
			s.Samples += int(in.All)
		}
	}
	for _, o := range p.of[miner] {
		s.Offers++
		switch {
		case o.State.Pending():
			s.Pending++
		case o.State == job.OfferActive:
			s.Deals++
		}
	}
	rate := func(name string) float64 { return (good[name] + expectedGood) / (all[name] + expected) }
	// Speed is worth half of a score at most: who keeps data slowly is better than who loses
	// it fast. A measure that is not known counts as the usual one.
	speed := func(name string, usual float64) (mean, factor float64) {
		factor = usual / (usual + usual)
		if all[name] > 0 {
			mean = good[name] / all[name]
			factor = usual / (usual + mean)
		}
		return mean, (1 + factor) / 2
	}
	var sealing, giving float64
	s.Accepted, s.Sealed, s.Kept, s.Served = rate(rateAccepted), rate(rateSealed), rate(rateKept), rate(rateServed)
	s.Hours, sealing = speed(rateHours, usual.Hours())
	s.FirstByte, giving = speed(rateFirstByte, usualByte)
	s.Score = s.Accepted * s.Sealed * s.Kept * s.Served * sealing * giving
	return s
}

// wasTaken reports whether a provider took an offer: its deadline is set anew when
// it is refused or given up before that.
func wasTaken(o job.Offer) bool {
	return o.State != job.OfferProposing && (o.State != job.OfferFailed || !o.ActiveAt.IsZero() || o.Evidence != 0 || taken(o.Reason))
}

const (
	mostShown = 200 // offers among which a provider's choices are looked for
	someShown = 50  // samples
)

// Show gives all that is known of a provider. Errors: job.ErrNotFound for one that is
// neither known nor ever was.
func (m *Maker) Show(ctx context.Context, miner uint64) (d job.ProviderDetail, err error) {
	known, found := m.known()[miner]
	p, err := m.past(ctx, miner)
	if err != nil {
		return d, err
	}
	if !found && len(p.offers) == 0 {
		return d, fmt.Errorf("provider f0%d: %w", miner, job.ErrNotFound)
	}
	now := m.d.Now()
	d = job.ProviderDetail{
		Score: p.score(miner, now), Market: known.Market, Retrieval: known.Retrieval, Addrs: append([]string{}, known.Addrs...), MinPiece: known.MinPiece,
		MaxPiece: known.MaxPiece, MinRate: known.MinRate, Owner: known.Owner, Organisation: known.Organisation,
		Inputs: append([]job.ProviderInput{}, p.inputsOf(miner, now)...), Choices: []job.ProviderChoice{},
	}
	if d.Samples, err = m.d.Ledger.Samples(ctx, job.SampleFilter{Miner: miner, Limit: someShown}); err != nil {
		return d, err
	}
	d.Samples = append([]job.Sample{}, d.Samples...)
	made, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Limit: mostShown})
	if err != nil {
		return d, err
	}
	for _, o := range made {
		var among []job.ProviderScore
		if err := json.Unmarshal(o.Choice, &among); err != nil {
			return d, fmt.Errorf("the candidates of offer %s: %w", o.ID, err)
		}
		if at := slices.IndexFunc(among, func(s job.ProviderScore) bool { return s.Miner == miner }); at >= 0 {
			d.Choices = append(d.Choices, job.ProviderChoice{
				At: o.CreatedAt, Deal: o.ID, Slot: o.Slot, Chosen: o.Miner == miner, Place: at + 1, Of: len(among), Score: among[at],
			})
		}
	}
	return d, nil
}

// best compares scores, better ones first, those that cannot be asked last.
func best(a, b job.ProviderScore) int {
	return cmp.Or(cmp.Compare(flag(a.Why != ""), flag(b.Why != "")), cmp.Compare(b.Score, a.Score), cmp.Compare(a.Pending+a.Deals, b.Pending+b.Deals), cmp.Compare(a.Miner, b.Miner))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
