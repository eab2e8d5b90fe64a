package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/tidegate/tidegate/executor/job"
)

// Deals is what the local API needs of deal making.
type Deals interface {
	Offers(ctx context.Context, f job.OfferFilter) ([]job.Offer, error)
	Offer(ctx context.Context, id string) (job.Offer, []job.OfferEvent, error) // job.ErrNotFound
	Repairs(ctx context.Context, f job.RepairFilter) ([]job.Repair, error)
	Repair(ctx context.Context, id int64) (job.Repair, []job.RepairEvent, error) // job.ErrNotFound
	Claims(ctx context.Context, due uint64, n int) ([]job.Claim, error)          // claimed slots, what is due first; all for 0
	OnChain(ctx context.Context, o job.Offer) (job.OnChain, error)               // what Filecoin's actors say now
	Rank(ctx context.Context) ([]job.ProviderScore, error)                       // best first
	Provider(ctx context.Context, miner uint64) (job.ProviderDetail, error)      // job.ErrNotFound
	Stats(ctx context.Context, by string, days int) ([]job.DealStats, error)     // by day, week or sp, of so many days
}

// Deal is a deal that was proposed to a storage provider.
type Deal struct {
	ID        string     `json:"id"` // the UUID or ULID that the provider knows it by
	DealID    uint64     `json:"dealId"`
	Slot      string     `json:"slot"`
	Miner     uint64     `json:"sp"`
	Protocol  string     `json:"protocol"`
	Piece     string     `json:"pieceCid"`
	State     string     `json:"state"`
	Reason    string     `json:"reason,omitempty"`
	Alarm     string     `json:"alarm,omitempty"`
	Faulty    bool       `json:"faulty,omitempty"`
	Attempts  int        `json:"attempts"`
	Deadline  uint64     `json:"deadline"`           // epoch by which it must be active
	Evidence  *uint64    `json:"f05Deal,omitempty"`  // deal of the storage market actor, once it is published
	Sector    *uint64    `json:"sector,omitempty"`   // once it is active
	Start     uint64     `json:"start,omitempty"`    // epochs that are paid for
	End       uint64     `json:"end,omitempty"`      // until here
	ActiveAt  *time.Time `json:"activeAt,omitempty"` // when it was first seen to be
	CreatedAt *time.Time `json:"createdAt,omitempty"`
	UpdatedAt *time.Time `json:"updatedAt,omitempty"`
}

// DealStep is one step of a deal.
type DealStep struct {
	At    *time.Time `json:"at,omitempty"`
	State string     `json:"state"`
	Words string     `json:"words,omitempty"`
}

// DealDetail is a deal with its steps and with why its provider was chosen.
type DealDetail struct {
	Deal
	Steps []DealStep   `json:"steps"`
	Chain *job.OnChain `json:"chain,omitempty"` // what Filecoin's actors say now; absent where they could not be asked
	// Repairs are the latest times that the piece was lost here and fetched back, newest first.
	Repairs []Repair        `json:"repairs,omitempty"`
	Choice  json.RawMessage `json:"choice"` // the candidates, best first, as they were scored
}

func viewDeal(o job.Offer) Deal {
	v := Deal{
		ID: o.ID, DealID: o.Slot >> 24, Slot: strconv.FormatUint(o.Slot, 10), Miner: o.Miner, Protocol: o.Protocol, Piece: o.Piece, State: string(o.State),
		Reason: o.Reason, Alarm: o.Alarm, Faulty: o.Faulty, Attempts: o.Attempts, Deadline: o.Deadline,
		Start: o.Start, End: o.End, ActiveAt: when(o.ActiveAt), CreatedAt: when(o.CreatedAt), UpdatedAt: when(o.UpdatedAt),
	}
	if o.WasPublished() {
		v.Evidence = &o.Evidence
	}
	if o.End > 0 {
		v.Sector = &o.Sector
	}
	return v
}

func (s *Server) readDeals(r chi.Router) {
	r.Get("/deals", s.withDeals(s.listDeals))
	r.Get("/deals/stats", s.withDeals(s.dealStats))
	r.Get("/deals/repairs", s.withDeals(s.listRepairs))
	r.Get("/deals/claims", s.withDeals(s.listClaims))
	r.Get("/deals/{id}", s.withDeals(s.getDeal))
	r.Get("/providers", s.withDeals(s.listProviders))
	r.Get("/providers/{miner}", s.withDeals(s.getProvider))
}

// withDeals answers for a daemon that makes none.
func (s *Server) withDeals(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.deps.Deals == nil {
			s.fail(w, http.StatusServiceUnavailable, "this daemon makes no deals", "")
			return
		}
		next(w, r)
	}
}

func (s *Server) listDeals(w http.ResponseWriter, r *http.Request) {
	limit, ok := s.limit(w, r)
	if !ok {
		return
	}
	q := r.URL.Query()
	f := job.OfferFilter{State: job.OfferState(q.Get("state")), Live: q.Get("live") == "true", Limit: limit}
	if f.State != "" && !slices.Contains(job.OfferStates(), f.State) {
		s.fail(w, http.StatusBadRequest, "there is no such state", string(f.State))
		return
	}
	for name, to := range map[string]*uint64{"slot": &f.Slot, "sp": &f.Miner} {
		var err error
		if text := q.Get(name); text != "" {
			if *to, err = strconv.ParseUint(text, 10, 63); err != nil {
				s.fail(w, http.StatusBadRequest, name+" is a number", text)
				return
			}
		}
	}
	rows, err := s.deps.Deals.Offers(r.Context(), f)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	page := Page[Deal]{Items: []Deal{}}
	for _, o := range rows {
		page.Items = append(page.Items, viewDeal(o))
	}
	s.ok(w, http.StatusOK, page)
}

func (s *Server) getDeal(w http.ResponseWriter, r *http.Request) {
	o, steps, err := s.deps.Deals.Offer(r.Context(), chi.URLParam(r, "id"))
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	v := DealDetail{Deal: viewDeal(o), Steps: []DealStep{}, Choice: o.Choice}
	if !json.Valid(v.Choice) {
		v.Choice = json.RawMessage("[]")
	}
	for _, e := range steps {
		v.Steps = append(v.Steps, DealStep{when(e.At), string(e.State), e.Words})
	}
	if v.Repairs, err = s.repairs(r.Context(), job.RepairFilter{Piece: o.Piece, Limit: repairsShown}, true); err != nil {
		s.failWith(w, r, err)
		return
	}
	if chain, err := s.deps.Deals.OnChain(r.Context(), o); err == nil {
		v.Chain = &chain
	} else {
		s.deps.Log.Warn("what the chain says of a deal", "deal", o.ID, "error", err)
	}
	s.ok(w, http.StatusOK, v)
}

// Claim is a slot that a provider has claimed.
type Claim struct {
	Slot     string `json:"slot"`
	DealID   uint64 `json:"dealId"`
	Miner    uint64 `json:"sp"`
	Piece    string `json:"pieceCid"`
	Deadline uint64 `json:"deadline"`      // epoch by which the provider must have sealed it
	Next     uint64 `json:"next"`          // epoch at which it is looked at again
	Looks    int    `json:"looks"`         // that led to nothing, or to an offer that failed
	Why      string `json:"why,omitempty"` // what it waits for; absent while the provider has an offer
	Alarm    string `json:"alarm,omitempty"`
}

// listClaims lists the slots that providers have claimed, and what each waits for.
func (s *Server) listClaims(w http.ResponseWriter, r *http.Request) {
	limit, ok := s.limit(w, r)
	if !ok {
		return
	}
	rows, err := s.deps.Deals.Claims(r.Context(), 0, limit)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	page := Page[Claim]{Items: []Claim{}}
	for _, c := range rows {
		page.Items = append(page.Items, Claim{strconv.FormatUint(c.Slot, 10), c.Slot >> 24, c.Miner, c.Piece, c.Deadline, c.DueEpoch, c.Looks, c.Why, c.Alarm})
	}
	s.ok(w, http.StatusOK, page)
}

// dealStats counts offers of so many days by day, week or sp.
func (s *Server) dealStats(w http.ResponseWriter, r *http.Request) {
	days := 30
	if text := r.URL.Query().Get("days"); text != "" {
		var err error
		if days, err = strconv.Atoi(text); err != nil || days < 1 || days > mostDays {
			s.fail(w, http.StatusBadRequest, "days is a number from 1 to "+strconv.Itoa(mostDays), text)
			return
		}
	}
	by := r.URL.Query().Get("by")
	if by == "" {
		by = "day"
	}
	if !slices.Contains([]string{"day", "week", "sp"}, by) {
		s.fail(w, http.StatusBadRequest, "by is day, week or sp", by)
		return
	}
	stats, err := s.deps.Deals.Stats(r.Context(), by, days)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, Page[job.DealStats]{Items: stats})
}

// mostDays bounds what statistics look back.
const mostDays = 1000

func (s *Server) getProvider(w http.ResponseWriter, r *http.Request) {
	miner, err := strconv.ParseUint(chi.URLParam(r, "miner"), 10, 63)
	if err != nil {
		s.fail(w, http.StatusBadRequest, "a provider is named by its miner's number", chi.URLParam(r, "miner"))
		return
	}
	d, err := s.deps.Deals.Provider(r.Context(), miner)
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, d)
}

func (s *Server) listProviders(w http.ResponseWriter, r *http.Request) {
	ranked, err := s.deps.Deals.Rank(r.Context())
	if err != nil {
		s.failWith(w, r, err)
		return
	}
	s.ok(w, http.StatusOK, Page[job.ProviderScore]{Items: ranked})
}
