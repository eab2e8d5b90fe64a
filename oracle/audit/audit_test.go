package audit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/oracle/chain"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var contract = common.HexToAddress("0x00000000000000000000000000000000000000aa")

// world is a contract that emitted an event at each height of at, and a ledger that
// has some of them.
type world struct {
	at      []uint64 // height of each event, ascending
	have    map[int64]bool
	final   uint64
	uncount bool
	noState bool // of heights below the final one
	fail    error
	reads   int
	hidden  map[int64]bool // what no endpoint shows
	deploy  uint64
	joining bool
	each    int // of so many calls one fails, 0 for none
	late    int // so many reads of blocks show nothing
	calls   int
}

// flaky fails every so many calls.
func (w *world) flaky() error {
	if w.calls++; w.each > 0 && w.calls%w.each == 0 {
		return errors.New("503 Service Unavailable")
	}
	return nil
}

func (w *world) NextSeq(_ context.Context, _ common.Address, height uint64) (uint64, error) {
	err := w.flaky()
	switch {
	case w.fail != nil:
		return 0, w.fail
	case err != nil:
		return 0, err
	case w.uncount || height < w.deploy:
		return 0, ErrNoSeq
	case w.noState && height < w.final:
		return 0, ErrNoState
	}
	n := uint64(0)
	for _, h := range w.at {
		if h <= height {
			n++
		}
	}
	return n, nil
}

func (w *world) Everywhere(_ context.Context, from, to uint64, _ []common.Address) ([]chain.Log, error) {
	if err := w.flaky(); err != nil {
		return nil, err
	}
	if w.late > 0 {
		w.late--
		return nil, nil
	}
	w.reads += int(to - from + 1)
	var out []chain.Log
	for seq, h := range w.at {
		if h >= from && h <= to && !w.hidden[int64(seq)] {
			out = append(out, chain.Log{Height: h, Index: uint(seq), Address: contract})
		}
	}
	return out, nil
}

func (w *world) Cursor(_ context.Context, filter string) (chain.Cursor, bool, error) {
	if strings.HasPrefix(filter, "contract:") {
		return chain.Cursor{Height: 3, Head: 9}, w.joining, nil
	}
	return chain.Cursor{Final: w.final}, w.final > 0, nil
}

func (w *world) SeqAuditFrom(_ context.Context, _ common.Address, first int64) (count int64, missing []int64, highest int64, err error) {
	highest = first - 1
	for seq := range w.have {
		if seq >= first {
			count, highest = count+1, max(highest, seq)
		}
	}
	for seq := first; seq < highest; seq++ {
		if !w.have[seq] {
			missing = append(missing, seq)
		}
	}
	return count, missing, highest, nil
}

func (w *world) SeqHeights(_ context.Context, _ common.Address, seq int64) (below, above uint64, err error) {
	for s, h := range w.at {
		switch {
		case !w.have[int64(s)]:
		case int64(s) < seq:
			below = h
		case int64(s) > seq && above == 0:
			above = h
		}
	}
	return below, above, nil
}

func (w *world) Apply(_ context.Context, u chain.Update) error {
	if u.From <= u.To || u.Reorg || u.Final != (chain.Block{}) {
		return errors.New("a repair moves the cursor")
	}
	for _, l := range u.Logs {
		w.have[int64(l.Index)] = true
	}
	return nil
}

func (w *world) auditor(t interface{ Fatal(...any) }, c chain.Contract) *Auditor {
	a, err := New(Config{Filter: "provider", Contracts: func(context.Context) ([]chain.Contract, error) { return []chain.Contract{c}, nil }, Pause: 1},
		Deps{Chain: w, Ledger: w, Sink: w})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Whatever is missing, the proof names exactly that, and repairing finds it with few
// reads, where heights have state, and without any, however often a call fails.
func TestProofNamesWhatIsMissingAndRepairFindsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{have: map[int64]bool{}, final: 10_000, noState: rapid.Bool().Draw(t, "no state")}
		h := uint64(1)
		for range rapid.IntRange(0, 60).Draw(t, "events") {
			h += rapid.Uint64Range(0, 50).Draw(t, "gap")
			w.at = append(w.at, h)
		}
		var missing []int64
		for seq := range w.at {
			if w.have[int64(seq)] = rapid.IntRange(0, 3).Draw(t, "have") > 0; !w.have[int64(seq)] {
				delete(w.have, int64(seq))
				missing = append(missing, int64(seq))
			}
		}
		a := w.auditor(t, chain.Contract{Address: contract, Joined: -1})
		proofs, err := a.Check(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		p := proofs[0]
		if !slices.Equal(p.Missing, missing) && len(p.Missing)+len(missing) > 0 || p.Complete != (len(missing) == 0) || p.NextSeq != uint64(len(w.at)) {
			t.Fatalf("proof %+v, missing are %v", p, missing)
		}
		w.each = rapid.SampledFrom([]int{0, 2, 3, 9}).Draw(t, "of so many calls one fails")
		if !w.noState {
			w.late = rapid.IntRange(0, 2).Draw(t, "first reads that show nothing")
		}
		if _, err := a.Repair(context.Background(), p); err != nil {
			t.Fatal(err)
		}
		if w.each = 0; !w.noState && w.calls > 4*15*(len(missing)+1) {
			t.Fatalf("%d calls for %d events", w.calls, len(missing))
		}
		if proofs, err = a.Check(context.Background()); err != nil || !proofs[0].Complete || int(proofs[0].Have) != len(w.at) {
			t.Fatalf("after repairing: %+v, %v", proofs[0], err)
		}
		if !w.noState && w.reads > len(missing) {
			t.Fatalf("%d blocks were read for %d events", w.reads, len(missing))
		}
	})
}

func TestWhatCannotBeProvenIsSaid(t *testing.T) {
	at := []uint64{5, 6, 7, 8}
	all := map[int64]bool{0: true, 1: true, 2: true, 3: true}
	for name, c := range map[string]struct {
		w    *world
		c    chain.Contract
		want func(Proof) bool
	}{
		"no nextSeq()":                 {&world{at: at, have: all, final: 9, uncount: true}, chain.Contract{Joined: -1}, func(p Proof) bool { return p.Uncounted && !p.Complete }},
		"an endpoint that fails":       {&world{at: at, have: all, final: 9, fail: errors.New("no")}, chain.Contract{Joined: -1}, func(p Proof) bool { return p.Error != "" && !p.Complete }},
		"its past is being read":       {&world{at: at, have: all, final: 9, joining: true}, chain.Contract{Joined: 8}, func(p Proof) bool { return p.Joining }},
		"watched from later on":        {&world{at: at, have: map[int64]bool{2: true, 3: true}, final: 9}, chain.Contract{Start: 7, Joined: -1}, func(p Proof) bool { return p.Complete && p.First == 2 && p.Have == 2 }},
		"watched from deployment":      {&world{at: at, have: all, final: 9, deploy: 5}, chain.Contract{Start: 5, Joined: -1}, func(p Proof) bool { return p.Complete && p.First == 0 }},
		"nothing is there":             {&world{at: at, have: map[int64]bool{}, final: 9}, chain.Contract{Joined: -1}, func(p Proof) bool { return len(p.Missing) == 4 && !p.Complete }},
		"events after the final block": {&world{at: at, have: map[int64]bool{0: true}, final: 5}, chain.Contract{Joined: -1}, func(p Proof) bool { return p.Complete && p.NextSeq == 1 }},
	} {
		t.Run(name, func(t *testing.T) {
			c.c.Address = contract
			proofs, err := c.w.auditor(t, c.c).Check(t.Context())
			if err != nil || !c.want(proofs[0]) {
				t.Errorf("%+v, %v", proofs, err)
			}
		})
	}
	if _, err := (&world{}).auditor(t, chain.Contract{}).Check(t.Context()); err == nil || !strings.Contains(err.Error(), "no final block") {
		t.Errorf("an empty ledger: %v", err)
	}
}

func TestRunRepairsByItself(t *testing.T) {
	w := &world{at: []uint64{5, 6, 7}, have: map[int64]bool{0: true, 2: true}, final: 9, hidden: map[int64]bool{}}
	a := w.auditor(t, chain.Contract{Address: contract, Joined: -1})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- a.Run(ctx) }()
	for deadline := time.Now().Add(10 * time.Second); len(a.Last()) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no proof")
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	if err := <-done; err != nil || !a.Last()[0].Complete {
		t.Errorf("%+v, %v", a.Last(), err)
	}
}
