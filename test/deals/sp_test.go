package deals

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
)

// sp plays a provider.
type sp struct {
	id      uint64
	market  string // MK20 base URL
	claims  bool   // claims open slots by itself and takes deals over MK20
	conduct string // "", refuse, away, silent (takes it, the answer is lost), idle (takes it, does nothing)

	w     *world
	got   map[string]uint64 // ids of what it took, and the slots
	work  []work
	asked int
	state map[string]mk20.State
	says  func(mk12.DealStatusRequest) (mk12.DealStatusResponse, error) // over MK12; nil: nothing of contracts' deals
}

type work struct {
	id    string
	slot  uint64
	epoch uint64 // since when
}

// take is what an honest provider does with a proposal: the same id is the same deal.
func (s *sp) take(id string, slot uint64) {
	if _, known := s.got[id]; known {
		return
	}
	s.got[id] = slot
	if s.conduct != "idle" {
		s.work = append(s.work, work{id, slot, s.w.epoch})
	}
}

// tick lets a provider work: it publishes after 2 epochs and is active 3 later.
func (s *sp) tick() {
	if s.claims {
		s.claim()
	}
	for _, k := range s.work {
		v := s.w.slots[k.slot]
		switch age := s.w.epoch - k.epoch; {
		case !s.claims && age == 2 && v.State == open:
			s.w.nextID++
			v.State, v.MinerId, v.F05DealId, v.Route, v.SealDeadline = published, s.id, s.w.nextID, 1, uint32(s.w.epoch+5760)
			s.w.facts[v.F05DealId] = factPublished
			s.w.event("SlotPublished", k.slot)
		case !s.claims && age == 5 && v.State == published && v.MinerId == s.id:
			s.w.facts[v.F05DealId] = factActive
		case s.claims && age == 5 && v.State == claimed && v.MinerId == s.id:
			s.state[k.id] = mk20.Complete
			v.Route = 2
			s.w.activate(k.slot)
		case s.claims && age == 2:
			s.state[k.id] = mk20.Sealing
		}
	}
}

// claim takes one open slot, if it has none.
func (s *sp) claim() {
	for _, v := range s.w.slots {
		if v.MinerId == s.id {
			return
		}
	}
	for id, v := range s.w.slots {
		if v.State == open {
			v.State, v.MinerId, v.SealDeadline = claimed, s.id, uint32(s.w.epoch+5760)
			s.w.event("SlotClaimed", id)
			return
		}
	}
}

var errLost = errors.New("the stream was reset")

// over12 is the providers over MK12.
type over12 struct{ w *world }

func (o over12) Propose(_ context.Context, addrs []string, p mk12.DealParams) (mk12.DealResponse, error) {
	id, err := strconv.ParseUint(addrs[0], 10, 64)
	if err != nil {
		return mk12.DealResponse{}, err
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	s := o.w.sps[id]
	s.asked++
	if err := o.w.may("before propose"); err != nil {
		return mk12.DealResponse{}, err
	}
	var slot uint64
	if _, err := fmt.Sscanf(string(p.Proposal.Label), "%d/", &slot); err != nil {
		return mk12.DealResponse{}, err
	}
	if got, _ := o.w.idOf(p.Proposal.Provider); got != id {
		return mk12.DealResponse{}, fmt.Errorf("the proposal is for miner %d", got)
	}
	_, again := s.got[p.UUID.String()]
	switch s.conduct {
	case "refuse":
		return mk12.DealResponse{Message: "price too low"}, nil
	case "away":
		return mk12.DealResponse{}, fmt.Errorf("%w: no route", mk12.ErrUnsent)
	}
	s.take(p.UUID.String(), slot)
	if s.conduct == "silent" && !again {
		return mk12.DealResponse{}, errLost
	}
	if err := o.w.may("after propose"); err != nil {
		return mk12.DealResponse{}, err
	}
	if again {
		return mk12.DealResponse{Message: "deal uuid is duplicate"}, nil
	}
	return mk12.DealResponse{Accepted: true}, nil
}

// Status answers as Boost does whom it believes, or as the test says.
func (o over12) Status(_ context.Context, addrs []string, q mk12.DealStatusRequest) (mk12.DealStatusResponse, error) {
	id, err := strconv.ParseUint(addrs[0], 10, 64)
	if err != nil {
		return mk12.DealStatusResponse{}, err
	}
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	s := o.w.sps[id]
	if s.says == nil {
		return mk12.DealStatusResponse{UUID: q.UUID, Error: "signature verification failed"}, nil
	}
	return s.says(q)
}

// over20 is the providers over MK20.
type over20 struct{ w *world }

func (o over20) sp(base string) *sp {
	for _, s := range o.w.sps {
		if s.market == base {
			return s
		}
	}
	return nil
}

func (o over20) Offer(_ context.Context, base string, d mk20.Deal) error {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	s := o.sp(base)
	s.asked++
	if err := o.w.may("before offer"); err != nil {
		return err
	}
	if _, known := s.got[d.Identifier.String()]; known {
		return &mk20.Refusal{Code: 500} // as Curio answers
	}
	switch s.conduct {
	case "refuse":
		return &mk20.Refusal{Code: 426, Words: "rejected by market"}
	case "away":
		return fmt.Errorf("%w: no route", mk20.ErrUnsent)
	}
	s.take(d.Identifier.String(), *d.Products.DDO.MarketDealID)
	if s.state == nil {
		s.state = map[string]mk20.State{}
	}
	s.state[d.Identifier.String()] = mk20.Accepted
	if s.conduct == "silent" {
		return errLost
	}
	return o.w.may("after offer")
}

func (o over20) Contracts(ctx context.Context, base string) ([]string, error) {
	if o.sp(base).conduct == "hang" {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return nil, nil
}

func (o over20) Status(_ context.Context, base string, id ulid.ULID) (mk20.Status, error) {
	o.w.mu.Lock()
	defer o.w.mu.Unlock()
	s := o.sp(base)
	if _, known := s.got[id.String()]; !known {
		return mk20.Status{}, mk20.ErrUnknownDeal
	}
	return mk20.Status{State: s.state[id.String()]}, nil
}

// errDead is what a killed process gets of everything.
var errDead = errors.New("the process is dead")

func (w *world) may(step string) error {
	if w.die == nil {
		return nil
	}
	return w.die(step)
}

// dying is the ledger of a process that may die before or after each write.
type dying struct{ w *world }

func (d dying) around(step string, do func() error) error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if err := d.w.may("before " + step); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return d.w.may("after " + step)
}

func (d dying) AddOffer(ctx context.Context, o job.Offer, now time.Time) error {
	return d.around("add", func() error { return d.w.ledger.AddOffer(ctx, o, now) })
}

func (d dying) UpdateOffer(ctx context.Context, o job.Offer, from job.OfferState, words string, now time.Time) error {
	return d.around("update "+string(o.State), func() error { return d.w.ledger.UpdateOffer(ctx, o, from, words, now) })
}

func (d dying) Offers(ctx context.Context, f job.OfferFilter) ([]job.Offer, error) {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	if err := d.w.may("read"); err != nil {
		return nil, err
	}
	return d.w.ledger.Offers(ctx, f)
}

func (d dying) AddSample(ctx context.Context, s job.Sample, forget time.Time) error {
	return d.w.ledger.AddSample(ctx, s, forget)
}

func (d dying) Samples(ctx context.Context, f job.SampleFilter) ([]job.Sample, error) {
	return d.w.ledger.Samples(ctx, f)
}

func (d dying) SampleDays(ctx context.Context, since time.Time) ([]job.SampleDay, error) {
	return d.w.ledger.SampleDays(ctx, since)
}

func (d dying) AddRepair(ctx context.Context, r job.Repair, now time.Time) error {
	return d.around("add repair", func() error { return d.w.ledger.AddRepair(ctx, r, now) })
}

func (d dying) UpdateRepair(ctx context.Context, r job.Repair, from job.RepairState, words string, now time.Time) error {
	return d.around("repair "+string(r.State), func() error { return d.w.ledger.UpdateRepair(ctx, r, from, words, now) })
}

func (d dying) Repairs(ctx context.Context, f job.RepairFilter) ([]job.Repair, error) {
	return d.w.ledger.Repairs(ctx, f)
}

func (d dying) PutClaim(ctx context.Context, c job.Claim) error {
	return d.around("claim", func() error { return d.w.ledger.PutClaim(ctx, c) })
}

func (d dying) DropClaim(ctx context.Context, slot uint64) error {
	return d.around("end of a claim", func() error { return d.w.ledger.DropClaim(ctx, slot) })
}

func (d dying) Claims(ctx context.Context, due uint64, n int) ([]job.Claim, error) {
	return d.w.ledger.Claims(ctx, due, n)
}

func (d dying) SetMeta(ctx context.Context, key, value string) error {
	return d.around("cursor", func() error { return d.w.ledger.SetMeta(ctx, key, value) })
}

func (d dying) GetMeta(ctx context.Context, key string) (string, error) {
	return d.w.ledger.GetMeta(ctx, key)
}
