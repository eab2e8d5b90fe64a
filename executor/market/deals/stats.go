package deals

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// By what offers are counted.
const (
	ByDay  = "day"
	ByWeek = "week"
	BySP   = "sp"
)

// ErrBy is returned for another way to count.
var ErrBy = errors.New("deals are counted by day, week or sp")

// Stats counts the offers of so many days until now, by the day or week (UTC) in which they were
// made, or by provider. Errors: ErrBy.
func (m *Maker) Stats(ctx context.Context, by string, days int) ([]job.DealStats, error) {
	if by != ByDay && by != ByWeek && by != BySP {
		return nil, ErrBy
	}
	offers, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Since: m.d.Now().AddDate(0, 0, -days), Brief: true})
	if err != nil {
		return nil, err
	}
	return tally(offers, by), nil
}

// tally counts offers, by key.
func tally(offers []job.Offer, by string) []job.DealStats {
	of := map[string]*job.DealStats{}
	for _, o := range offers {
		key := keyOf(o, by)
		s := of[key]
		if s == nil {
			s = &job.DealStats{Key: key, Reasons: map[string]int{}}
			of[key] = s
		}
		s.Attempted++
		s.Accepted += flag(wasTaken(o))
		s.Ended += flag(o.State == job.OfferEnded)
		s.Pending += flag(o.State.Pending())
		if o.State == job.OfferFailed {
			s.Failed++
			s.Reasons[kindOf(o.Reason)]++
		}
		if !o.ActiveAt.IsZero() {
			s.Active++
			hours := o.ActiveAt.Sub(o.CreatedAt).Hours()
			s.Hours += (hours - s.Hours) / float64(s.Active)
			s.MostHours = max(s.MostHours, hours)
		}
	}
	out := make([]job.DealStats, 0, len(of))
	for _, s := range of {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(a, b job.DealStats) int { return strings.Compare(a.Key, b.Key) })
	return out
}

func keyOf(o job.Offer, by string) string {
	at := o.CreatedAt.UTC()
	switch by {
	case ByWeek:
		year, week := at.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	case BySP:
		return fmt.Sprintf("f0%d", o.Miner)
	}
	return at.Format(time.DateOnly)
}

// Reasons for which an offer fails begin with these; what follows a colon is in the words
// of who failed.
const (
	whyRefused    = "refused: "
	whyUnreached  = "unreached: "
	whyGivenUp    = "given up: "
	whyLate       = "too late: "
	whyLost       = "lost: "
	whyTerminated = "terminated: "
	whyInactive   = job.NeverActive
	whyTaken      = "taken: "
	whyUnasked    = "not asked: " // found wanting before it was sent
)

// kindOf is a failure's kind, as it is counted.
func kindOf(reason string) string {
	kind, _, found := strings.Cut(reason, ": ")
	if !found {
		return "other"
	}
	return kind
}

// taken reports whether a provider took an offer that failed for a reason.
func taken(reason string) bool {
	return !strings.HasPrefix(reason, whyRefused) && !strings.HasPrefix(reason, whyUnreached) && !strings.HasPrefix(reason, whyUnasked)
}
