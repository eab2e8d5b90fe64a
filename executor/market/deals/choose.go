package deals

import (
	"cmp"
	"context"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	halfLife = 30 * 24 * time.Hour // of what is known of a provider
	history  = 6 * halfLife        // what is older weighs nothing
	avoidFor = 2 * time.Hour       // how long a provider that failed with a slot is not asked for it again

	// usual is the time from an offer to an active deal that scores half.
	usual = 48 * time.Hour
)

// Score is what is known of a provider, older things counting less: each rate is
// (good + 1) / (all + 2), so that who is unknown scores a half.
type Score struct {
	Miner    uint64  `json:"miner"`
	Score    float64 `json:"score"`    // product of the rates below and of speed
	Accepted float64 `json:"accepted"` // offers that were taken
	Sealed   float64 `json:"sealed"`   // taken offers that became active
	Kept     float64 `json:"kept"`     // active deals that are neither lost nor faulty
	Hours    float64 `json:"hours"`    // from the offer to active, on average; 0: not known
	Pending  int     `json:"pending"`
	Deals    int     `json:"deals"` // active ones
	Why      string  `json:"why,omitempty"`
}

type rate struct{ good, all float64 }

func (r *rate) add(good bool, w float64) {
	r.all += w
	if good {
		r.good += w
	}
}

func (r rate) value() float64 { return (r.good + 1) / (r.all + 2) }

// ScoreOf scores a provider by its offers.
func ScoreOf(miner uint64, offers []job.Offer, now time.Time) Score {
	s := Score{Miner: miner}
	var accepted, sealed, kept rate
	var hours, weight float64
	for _, o := range offers {
		if o.Miner != miner {
			continue
		}
		w := math.Exp2(-float64(now.Sub(o.UpdatedAt)) / float64(halfLife))
		wasActive := !o.ActiveAt.IsZero()
		switch {
		case o.State.Pending():
			s.Pending++
		case o.State == job.OfferActive:
			s.Deals++
		}
		if o.State != job.OfferProposing {
			accepted.add(o.State != job.OfferFailed || wasTaken(o), w)
		}
		if wasTaken(o) && (wasActive || o.State == job.OfferFailed) {
			sealed.add(wasActive, w)
		}
		if wasActive {
			kept.add(o.State != job.OfferFailed && !o.Faulty, w)
			hours, weight = hours+w*o.ActiveAt.Sub(o.CreatedAt).Hours(), weight+w
		}
	}
	s.Accepted, s.Sealed, s.Kept = accepted.value(), sealed.value(), kept.value()
	speed := 0.5
	if weight > 0 {
		s.Hours = hours / weight
		speed = usual.Hours() / (usual.Hours() + s.Hours)
	}
	s.Score = s.Accepted * s.Sealed * s.Kept * speed
	return s
}

// wasTaken reports whether a provider took an offer: its deadline is set anew when
// it is refused or given up before that.
func wasTaken(o job.Offer) bool {
	return o.State != job.OfferProposing && (o.State != job.OfferFailed || !o.ActiveAt.IsZero() || o.Evidence != 0 || taken(o.Reason))
}

// wanted is a slot that somebody is sought for.
type wanted struct {
	slot      uint64
	incumbent uint64 // 0: anybody
	padded    uint64
	rate      *big.Int // attoFIL an epoch for the whole piece
}

// rank scores everybody for a slot, best first. Why is set for those that cannot
// have it; they come last.
func (m *Maker) rank(ctx context.Context, w wanted) ([]Score, error) {
	now := m.d.Now()
	offers, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Since: now.Add(-history), Limit: 1000})
	if err != nil {
		return nil, err
	}
	var all []Score
	known := m.known()
	for _, p := range known {
		s := ScoreOf(p.Miner, offers, now)
		s.Why = m.unfit(p, s, w)
		for _, o := range offers {
			if other := known[o.Miner]; s.Why == "" && elsewhere(o, w.slot) && p.akin(other) {
				s.Why = "another copy is with it, its owner or its organisation"
			}
			if s.Why == "" && o.Slot == w.slot && o.Miner == p.Miner && o.State == job.OfferFailed && now.Sub(o.UpdatedAt) < avoidFor {
				s.Why = "failed with this slot lately"
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(a, b Score) int {
		return cmp.Or(cmp.Compare(flag(a.Why != ""), flag(b.Why != "")), cmp.Compare(b.Score, a.Score), cmp.Compare(a.Pending+a.Deals, b.Pending+b.Deals), cmp.Compare(a.Miner, b.Miner))
	})
	return all, nil
}

// elsewhere reports whether an offer that is not over is for another seat of a slot's
// deal. The contract knows of those that were published; of the others this alone does.
func elsewhere(o job.Offer, slot uint64) bool {
	return slot != 0 && !o.State.Over() && o.Slot>>24 == slot>>24 && o.Slot>>16 != slot>>16
}

// akin reports whether two miners are one provider, as far as that is known.
func (p Provider) akin(q Provider) bool {
	return p.Miner == q.Miner || p.Owner != 0 && p.Owner == q.Owner || p.Organisation != 0 && p.Organisation == q.Organisation
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// unfit says why a provider cannot have a slot.
func (m *Maker) unfit(p Provider, s Score, w wanted) string {
	price := new(big.Int).Mul(new(big.Int).SetUint64(p.MinRate), new(big.Int).SetUint64(w.padded))
	price.Rsh(price, 30)
	switch {
	case len(p.Addrs) == 0:
		return "no address for mk12: it claims by itself"
	case w.incumbent != 0 && w.incumbent != p.Miner:
		return "another has first refusal"
	case w.padded < p.MinPiece || p.MaxPiece != 0 && w.padded > p.MaxPiece:
		return "size"
	case w.rate != nil && price.Cmp(w.rate) > 0:
		return "price"
	case s.Pending >= m.cfg.MaxPending:
		return "enough is pending"
	}
	return ""
}

// Rank scores all providers that are known, best first: what a choice would start
// from.
func (m *Maker) Rank(ctx context.Context) ([]Score, error) { return m.rank(ctx, wanted{}) }
