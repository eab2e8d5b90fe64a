package deals

import (
	"context"
	"math/big"
	"slices"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	avoidFor = 2 * time.Hour      // how long a provider that failed with a slot is not asked for it again
	lostFor  = 3 * 24 * time.Hour // how long one that lost a copy is not asked for another of the same deal
)

// wanted is a slot that somebody is sought for.
type wanted struct {
	slot      uint64
	incumbent uint64 // 0: anybody
	padded    uint64
	rate      *big.Int // attoFIL an epoch for the whole piece
}

// rank scores everybody for a slot, best first. Why is set for those that cannot
// have it; they come last.
func (m *Maker) rank(p past, w wanted) []job.ProviderScore {
	now := m.d.Now()
	all := []job.ProviderScore{}
	known := m.known()
	var near []job.Offer // for this slot, and for other copies of its deal
	for _, o := range p.offers {
		if o.Slot>>24 == w.slot>>24 {
			near = append(near, o)
		}
	}
	for _, who := range known {
		s := p.score(who.Miner, now)
		s.Why = m.unfit(who, s, w)
		for _, o := range near {
			if other := known[o.Miner]; s.Why == "" && elsewhere(o, w.slot) && who.akin(other) {
				s.Why = "another copy is with it, its owner or its organisation"
			}
			if s.Why != "" || o.Miner != who.Miner || o.State != job.OfferFailed {
				continue
			}
			switch ago := now.Sub(o.UpdatedAt); {
			case !o.ActiveAt.IsZero() && ago < lostFor:
				s.Why = "lost a copy of this deal lately"
			case o.Slot == w.slot && ago < avoidFor:
				s.Why = "failed with this slot lately"
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, best)
	return all
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

// unfit says why a provider cannot have a slot.
func (m *Maker) unfit(p Provider, s job.ProviderScore, w wanted) string {
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
func (m *Maker) Rank(ctx context.Context) ([]job.ProviderScore, error) {
	p, err := m.past(ctx, 0)
	if err != nil {
		return nil, err
	}
	return m.rank(p, wanted{}), nil
}
