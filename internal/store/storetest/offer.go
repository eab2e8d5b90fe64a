package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/executor/job"
)

// OfferLedger is the part that deal making uses.
type OfferLedger interface {
	AddOffer(ctx context.Context, o job.Offer, now time.Time) error
	UpdateOffer(ctx context.Context, o job.Offer, from job.OfferState, words string, now time.Time) error
	Offer(ctx context.Context, id string) (job.Offer, []job.OfferEvent, error)
	Offers(ctx context.Context, f job.OfferFilter) ([]job.Offer, error)
	AddSample(ctx context.Context, s job.Sample, forget time.Time) error
	Samples(ctx context.Context, f job.SampleFilter) ([]job.Sample, error)
	SampleDays(ctx context.Context, since time.Time) ([]job.SampleDay, error)
	AddRepair(ctx context.Context, r job.Repair, now time.Time) error
	UpdateRepair(ctx context.Context, r job.Repair, from job.RepairState, words string, now time.Time) error
	Repairs(ctx context.Context, f job.RepairFilter) ([]job.Repair, error)
	Repair(ctx context.Context, id int64) (job.Repair, []job.RepairEvent, error)
	PutClaim(ctx context.Context, c job.Claim) error
	DropClaim(ctx context.Context, slot uint64) error
	Claims(ctx context.Context, due uint64, n int) ([]job.Claim, error)
}

func offerNo(n int, slot uint64) job.Offer {
	return job.Offer{
		ID: fmt.Sprintf("offer%03d", n), Slot: slot, Miner: 1000 + uint64(n), Protocol: job.ProtocolMK12, Piece: "piece",
		Request: []byte{1, byte(n)}, Choice: []byte("[]"), Deadline: 5000, DueEpoch: 100,
	}
}

func (w *world) offer(id string) job.Offer {
	w.Helper()
	o, _, err := w.l.Offer(w.ctx, id)
	w.ok(err)
	return o
}

// moveOffer takes an offer along an edge.
func (w *world) moveOffer(o job.Offer, to job.OfferState) (job.Offer, error) {
	from := o.State
	o.State = to
	switch to {
	case job.OfferFailed:
		o.Reason = "refused: no space"
	case job.OfferActive:
		o.Start, o.End, o.ActiveAt = 200, 900, w.now
	}
	return o, w.l.UpdateOffer(w.ctx, o, from, "", w.now)
}

var offerTests = []test{
	{"an offer is stored once, and a slot has one at a time", func(w *world) {
		w.ok(w.l.AddOffer(w.ctx, offerNo(1, 7), w.now))
		for _, again := range []job.Offer{offerNo(1, 7), offerNo(1, 8), offerNo(2, 7)} {
			if err := w.l.AddOffer(w.ctx, again, w.now); !errors.Is(err, job.ErrConflict) {
				w.Fatalf("%s of slot %d: %v", again.ID, again.Slot, err)
			}
		}
		o := w.offer("offer001")
		equal(w, "state", o.State, job.OfferProposing)
		equal(w, "request", string(o.Request), "\x01\x01")
		_, err := w.moveOffer(o, job.OfferFailed)
		w.ok(err)
		w.ok(w.l.AddOffer(w.ctx, offerNo(2, 7), w.now.Add(time.Second)))
		all, err := w.l.Offers(w.ctx, job.OfferFilter{Slot: 7})
		w.ok(err)
		equal(w, "offers of the slot", len(all), 2)
		equal(w, "newest", all[0].ID, "offer002")
	}},
	{"steps are kept, and a state that has moved on is not overwritten", func(w *world) {
		w.ok(w.l.AddOffer(w.ctx, offerNo(1, 7), w.now))
		o, err := w.moveOffer(w.offer("offer001"), job.OfferAccepted)
		w.ok(err)
		stale := o
		if o, err = w.moveOffer(o, job.OfferActive); err != nil {
			w.Fatal(err)
		}
		if _, err := w.moveOffer(stale, job.OfferFailed); !errors.Is(err, job.ErrConflict) {
			w.Fatalf("a stale update: %v", err)
		}
		w.ok(w.l.UpdateOffer(w.ctx, o, o.State, "f05 lacks the deal", w.now))
		got, steps, err := w.l.Offer(w.ctx, "offer001")
		w.ok(err)
		equal(w, "end", got.End, uint64(900))
		equal(w, "active at", got.ActiveAt.Equal(w.now), true)
		var said []string
		for _, s := range steps {
			said = append(said, string(s.State)+":"+s.Words)
		}
		equal(w, "steps", fmt.Sprint(said), "[proposing: accepted: active: active:f05 lacks the deal]")
		if _, _, err := w.l.Offer(w.ctx, "none"); !errors.Is(err, job.ErrNotFound) {
			w.Fatalf("an offer that is not there: %v", err)
		}
	}},
	{"what is due is found by either clock", func(w *world) {
		late, early, never := offerNo(1, 1), offerNo(2, 2), offerNo(3, 3)
		late.DueAt, late.DueEpoch = w.now, 1000
		early.DueAt, early.DueEpoch = w.now.Add(time.Hour), 50
		never.DueAt, never.DueEpoch = w.now.Add(time.Hour), 1000
		for _, o := range []job.Offer{late, early, never} {
			w.ok(w.l.AddOffer(w.ctx, o, w.now))
		}
		due, err := w.l.Offers(w.ctx, job.OfferFilter{DueBy: w.now, DueEpoch: 60})
		w.ok(err)
		equal(w, "due", len(due), 2)
		_, err = w.moveOffer(w.offer(late.ID), job.OfferFailed)
		w.ok(err)
		due, err = w.l.Offers(w.ctx, job.OfferFilter{DueBy: w.now, DueEpoch: 60})
		w.ok(err)
		equal(w, "due after one is over", len(due), 1)
		live, err := w.l.Offers(w.ctx, job.OfferFilter{Live: true, Miner: early.Miner})
		w.ok(err)
		equal(w, "live of a miner", len(live), 1)
		none, err := w.l.Offers(w.ctx, job.OfferFilter{Since: w.now.Add(time.Minute)})
		w.ok(err)
		equal(w, "made later", len(none), 0)
	}},
	{"offers are counted without what they say, all of them", func(w *world) {
		for n := range 120 {
			w.ok(w.l.AddOffer(w.ctx, offerNo(n, uint64(n+1)), w.now))
		}
		some, err := w.l.Offers(w.ctx, job.OfferFilter{})
		w.ok(err)
		all, err := w.l.Offers(w.ctx, job.OfferFilter{Brief: true})
		w.ok(err)
		equal(w, "listed", len(some), 100)
		equal(w, "counted", len(all), 120)
		equal(w, "request", len(all[0].Request)+len(all[0].Choice), 0)
		equal(w, "the rest", all[0].Slot > 0 && all[0].State == job.OfferProposing, true)
	}},
	{"samples are kept, counted by day, and forgotten", func(w *world) {
		day := w.now.UTC().Truncate(24 * time.Hour)
		good := job.Sample{Miner: 1004, Slot: 7, Piece: "piece", URL: "http://sp/piece", Offset: 1 << 33, Length: 9, Good: true, FirstByte: 30 * time.Millisecond, Took: time.Second, At: day.Add(time.Hour)}
		slow, bad, other := good, good, good
		slow.FirstByte, slow.At = 50*time.Millisecond, day.Add(2*time.Hour)
		bad.Good, bad.Words, bad.FirstByte, bad.At = false, "garbage", 5*time.Second, day.Add(3*time.Hour)
		other.Miner, other.At = 1005, day.Add(25*time.Hour)
		for _, s := range []job.Sample{good, slow, bad, other} {
			w.ok(w.l.AddSample(w.ctx, s, day))
		}
		got, err := w.l.Samples(w.ctx, job.SampleFilter{Miner: 1004})
		w.ok(err)
		equal(w, "newest first", fmt.Sprintf("%d %s %t", len(got), got[0].Words, got[2].At.Equal(good.At)), "3 garbage true")
		got[2].At = good.At
		equal(w, "kept", got[2], good)
		days, err := w.l.SampleDays(w.ctx, day)
		w.ok(err)
		equal(w, "days", fmt.Sprint(days), fmt.Sprint([]job.SampleDay{
			{Miner: 1004, Day: day, Good: 2, Bad: 1, FirstByte: 40 * time.Millisecond}, {Miner: 1005, Day: day.Add(24 * time.Hour), Good: 1, FirstByte: 30 * time.Millisecond},
		}))
		since, err := w.l.Samples(w.ctx, job.SampleFilter{Since: bad.At, Limit: 9})
		w.ok(err)
		equal(w, "since", len(since), 2)
		w.ok(w.l.AddSample(w.ctx, other, bad.At))
		left, err := w.l.Samples(w.ctx, job.SampleFilter{Miner: 1004})
		w.ok(err)
		equal(w, "not forgotten", len(left), 1)
	}},
	{"offers keep to their machine", func(w *world) {
		w.ok(w.l.AddOffer(w.ctx, offerNo(0, 7), w.now))
		n, o := 0, w.offer("offer000")
		rapid.Check(w, func(r *rapid.T) {
			to := rapid.SampledFrom(job.OfferStates()).Draw(r, "to")
			next, err := w.moveOffer(o, to)
			edge := to == o.State
			for _, e := range job.OfferTransitions[o.State] {
				edge = edge || e == to
			}
			if edge != (err == nil) {
				r.Fatalf("%s to %s: %v", o.State, to, err)
			}
			if err := w.l.AddOffer(w.ctx, offerNo(n+1, 7), w.now); edge && to.Over() {
				if err != nil {
					r.Fatalf("after %s the slot is free: %v", to, err)
				}
				n++
				next = offerNo(n, 7)
				next.State = job.OfferProposing
			} else if !errors.Is(err, job.ErrConflict) {
				r.Fatalf("beside one in %s: %v", o.State, err)
			}
			if edge {
				o = next
			}
		})
	}},
	{"what is known of a claimed slot is replaced, listed by when it is due, and forgotten", func(w *world) {
		first := job.Claim{Slot: 9, Miner: 1001, Piece: "piece", Deadline: 900, DueEpoch: 50, Why: "the piece is not here"}
		second := job.Claim{Slot: 7, Miner: 1002, Piece: "piece", Deadline: 900, DueEpoch: 60, Looks: 3, Alarm: "late"}
		w.ok(w.l.PutClaim(w.ctx, second))
		w.ok(w.l.PutClaim(w.ctx, job.Claim{Slot: 9, Miner: 5, Piece: "other", Deadline: 1, DueEpoch: 1, Looks: 8}))
		w.ok(w.l.PutClaim(w.ctx, first))
		for _, c := range []struct {
			due  uint64
			n    int
			want []job.Claim
		}{{0, 0, []job.Claim{first, second}}, {0, 1, []job.Claim{first}}, {49, 0, nil}, {50, 0, []job.Claim{first}}, {60, 0, []job.Claim{first, second}}} {
			got, err := w.l.Claims(w.ctx, c.due, c.n)
			w.ok(err)
			if !slices.Equal(got, c.want) {
				w.Errorf("due by %d, at most %d: %+v", c.due, c.n, got)
			}
		}
		w.ok(w.l.DropClaim(w.ctx, 9))
		w.ok(w.l.DropClaim(w.ctx, 9))
		if got, err := w.l.Claims(w.ctx, 0, 0); err != nil || !slices.Equal(got, []job.Claim{second}) {
			w.Errorf("%+v, %v", got, err)
		}
	}},
}
