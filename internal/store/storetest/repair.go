package storetest

import (
	"errors"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

var repairTests = []test{
	{"a piece is fetched back once at a time", func(w *world) {
		want := job.Repair{Piece: "piece", Deal: 1, Slot: 1 << 24, Size: 100, DueAt: w.now, Words: "blocks are missing"}
		w.ok(w.l.AddRepair(w.ctx, want, w.now))
		if err := w.l.AddRepair(w.ctx, want, w.now); !errors.Is(err, job.ErrConflict) {
			w.Fatalf("a second one: %v", err)
		}
		other := want
		other.Piece = "other"
		w.ok(w.l.AddRepair(w.ctx, other, w.now))
		live, err := w.l.Repairs(w.ctx, job.RepairFilter{Piece: "piece", Live: true})
		w.ok(err)
		equal(w, "live", len(live), 1)
		r := live[0]
		r.State, r.Words = job.RepairRestored, ""
		w.ok(w.l.UpdateRepair(w.ctx, r, job.RepairWanted, "it is here", w.now))
		w.ok(w.l.AddRepair(w.ctx, want, w.now.Add(time.Second)))
		all, err := w.l.Repairs(w.ctx, job.RepairFilter{Piece: "piece"})
		w.ok(err)
		equal(w, "repairs of the piece", len(all), 2)
		equal(w, "newest", all[0].State, job.RepairWanted)
	}},
	{"a repair is due at its time, and its steps are kept", func(w *world) {
		w.ok(w.l.AddRepair(w.ctx, job.Repair{Piece: "piece", Deal: 1, Slot: 1 << 24, Size: 100, DueAt: w.now.Add(time.Hour)}, w.now))
		early, err := w.l.Repairs(w.ctx, job.RepairFilter{DueBy: w.now})
		w.ok(err)
		equal(w, "due early", len(early), 0)
		due, err := w.l.Repairs(w.ctx, job.RepairFilter{DueBy: w.now.Add(time.Hour)})
		w.ok(err)
		equal(w, "due", len(due), 1)
		r := due[0]
		r.State, r.Miner = job.RepairFetching, 1004
		w.ok(w.l.UpdateRepair(w.ctx, r, job.RepairWanted, "asked", w.now))
		r.Got = 60
		w.ok(w.l.UpdateRepair(w.ctx, r, r.State, "", w.now)) // progress is no step
		stale := r
		r.State, r.Rounds, r.Words, r.DueAt = job.RepairStuck, 1, "it is not the piece", w.now.Add(2*time.Hour)
		w.ok(w.l.UpdateRepair(w.ctx, r, job.RepairFetching, r.Words, w.now))
		if err := w.l.UpdateRepair(w.ctx, stale, job.RepairFetching, "", w.now); !errors.Is(err, job.ErrConflict) {
			w.Fatalf("a stale update: %v", err)
		}
		got, steps, err := w.l.Repair(w.ctx, r.ID)
		w.ok(err)
		equal(w, "repair", fmt.Sprintf("%s f0%d %d of %d, %d %t: %s", got.State, got.Miner, got.Got, got.Size, got.Rounds, got.DueAt.Equal(r.DueAt), got.Words), "stuck f01004 60 of 100, 1 true: it is not the piece")
		var said []string
		for _, s := range steps {
			said = append(said, fmt.Sprint(s.State, s.Miner, s.Words))
		}
		equal(w, "steps", fmt.Sprint(said), "[wanted0 fetching1004asked stuck1004it is not the piece]")
		bad := got
		bad.State = job.RepairWanted
		if err := w.l.UpdateRepair(w.ctx, bad, job.RepairStuck, "", w.now); err == nil {
			w.Fatal("from stuck to wanted")
		}
		if _, _, err := w.l.Repair(w.ctx, 99); !errors.Is(err, job.ErrNotFound) {
			w.Fatalf("of none: %v", err)
		}
	}},
}
