package deals

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/outbound"
)

// TestALostPieceComesFromTheNext has one provider of two misbehave: the piece comes from the
// other, the open slot is proposed then, and the culprit scores less.
func TestALostPieceComesFromTheNext(t *testing.T) {
	for name, c := range wrong {
		t.Run(name, func(t *testing.T) {
			k := newLostWorld(t, func(c *deals.Config) { c.RepairGrace, c.RepairRate = 2*time.Second, 1<<30 })
			k.serve(1002, func(nth int, w http.ResponseWriter, r *http.Request) { c.h(k, nth, w, r) })
			k.serve(1003, nil)
			k.lose()
			before := k.score(1002)
			k.look()
			if live, _ := k.ledger.Offers(t.Context(), job.OfferFilter{Slot: k.open, Live: true}); len(live) > 0 {
				t.Fatal("a slot was proposed whose piece nobody can fetch")
			}
			k.repair()
			r, said := k.told()
			if r.State != job.RepairRestored || r.Miner != 1003 || r.Got != uint64(len(k.content)) || k.shelf.restored != 1 {
				t.Fatalf("%+v, put back %d times\n%s", r, k.shelf.restored, said)
			}
			if !strings.Contains(said, "fetching f01002 asked at "+k.sites[1002].URL) || !strings.Contains(said, c.words) || !strings.Contains(said, "restored f01003") {
				t.Errorf("it is said\n%s", said)
			}
			if after := k.score(1002); after >= before/2 || k.score(1003) <= after {
				t.Errorf("the culprit scored %.4f, and now %.4f; the other %.4f", before, after, k.score(1003))
			}
			k.run(k.m, 80, func() bool { return k.slots[k.open].State == active })
			k.nothingLeft()
		})
	}
}

// TestWhatWasCutIsGoneOnWith has a provider cut its answer again and again, with ranges and
// without, and send more than was asked for: it gives the piece all the same.
func TestWhatWasCutIsGoneOnWith(t *testing.T) {
	cut := func(w http.ResponseWriter, b []byte) {
		_, _ = w.Write(b)
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	for name, c := range map[string]struct {
		asked int
		h     func(k *lostWorld, nth int, w http.ResponseWriter, r *http.Request)
	}{
		"by ranges": {5, func(k *lostWorld, nth int, w http.ResponseWriter, r *http.Request) {
			var from int
			if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from); err != nil || from != nth*500_000 {
				k.Errorf("asked for %q after %d cuts", r.Header.Get("Range"), nth)
			}
			w.Header().Set("Content-Length", fmt.Sprint(len(k.content)-from))
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(k.content)-1, len(k.content)))
			w.WriteHeader(http.StatusPartialContent)
			if nth == 4 {
				_, _ = w.Write(k.content[from:])
				return
			}
			cut(w, k.content[from:from+500_000])
		}},
		"without ranges": {3, func(k *lostWorld, nth int, w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(k.content)))
			if nth < 2 {
				cut(w, k.content[:1<<20])
			}
			_, _ = w.Write(k.content)
		}},
		"busy": {3, func(k *lostWorld, nth int, w http.ResponseWriter, r *http.Request) {
			if nth < 2 {
				w.WriteHeader(http.StatusTooManyRequests)
				return
			}
			k.right(w, r)
		}},
		"with its padding": {1, func(k *lostWorld, _ int, w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(k.content)
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return // nobody reads so much
				}
			}
			k.Error("100 MiB behind the piece were read")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := newLostWorld(t)
			k.serve(1002, func(nth int, w http.ResponseWriter, r *http.Request) { c.h(k, nth, w, r) })
			k.serve(1003, nil)
			k.lose()
			before := k.score(1002)
			k.look()
			k.repair()
			if r, said := k.told(); r.State != job.RepairRestored || r.Miner != 1002 || len(k.sites[1002].asked()) != c.asked || len(k.sites[1003].asked()) != 0 {
				t.Fatalf("%+v after %q\n%s", r, k.sites[1002].asked(), said)
			}
			if k.score(1002) <= before {
				t.Error("who gave the piece does not score more")
			}
			k.nothingLeft()
		})
	}
}

// TestWhoServesBestIsAskedFirst gives one of two providers a bad record.
func TestWhoServesBestIsAskedFirst(t *testing.T) {
	k := newLostWorld(t)
	k.serve(1002, nil)
	k.serve(1003, nil)
	bad := job.Sample{Miner: 1002, Slot: 1, Piece: "p", URL: "u", At: k.now, Length: 1, Words: "garbage"}
	if err := k.ledger.AddSample(t.Context(), bad, time.Time{}); err != nil {
		t.Fatal(err)
	}
	k.lose()
	k.look()
	k.repair()
	if r, said := k.told(); r.Miner != 1003 || len(k.sites[1002].asked()) != 0 {
		t.Errorf("%+v\n%s", r, said)
	}
}

// TestNobodyGivesThePiece is stuck, with words, tries again later and not before, and ends
// when somebody gives it. Servers in the operator's own network are not asked.
func TestNobodyGivesThePiece(t *testing.T) {
	k := newLostWorld(t)
	lacks := wrong["lacks it"].h
	k.serve(1002, func(nth int, w http.ResponseWriter, r *http.Request) { lacks(k, nth, w, r) })
	k.lose()
	k.look()
	k.repair()
	k.repair() // not due
	r, said := k.told()
	if r.State != job.RepairStuck || r.Rounds != 1 || !strings.Contains(r.Words, "f01002: ") || !strings.Contains(r.Words, "404") || !strings.Contains(r.Words, "f01003: nobody knows where") {
		t.Fatalf("%+v\n%s", r, said)
	}
	if n := len(k.sites[1002].asked()); n != 1 {
		t.Errorf("f01002 was asked %d times", n)
	}
	guarded, err := outbound.New(outbound.Config{}, outbound.Deps{Check: func(netip.Addr) error { return fmt.Errorf("a private address") }})
	if err != nil {
		t.Fatal(err)
	}
	k.serve(1003, nil)
	k.door = guarded
	k.m = k.again()
	k.now = k.now.Add(11 * time.Minute)
	k.look()
	k.repair()
	if r, said := k.told(); r.State != job.RepairStuck || r.Rounds != 2 || !strings.Contains(r.Words, "a private address") || len(k.sites[1003].asked()) != 0 {
		t.Fatalf("%+v\n%s", r, said)
	}
	k.shelf.full = fmt.Errorf("no room")
	k.now = k.now.Add(30 * time.Minute)
	k.repair()
	if r, said := k.told(); r.Words != "no room" {
		t.Fatalf("%+v\n%s", r, said)
	}
	k.shelf.whole = true // somebody prepared it again
	k.now = k.now.Add(6 * time.Hour)
	k.repair()
	if r, said := k.told(); r.State != job.RepairRestored || k.shelf.restored != 0 {
		t.Fatalf("%+v\n%s", r, said)
	}
}

// TestAnUnknownPieceIsFetchedWhereTheDealSaysHere loses the ledger's knowledge too: what the
// deal's endpoint says to be here is fetched, what it does not is others'.
func TestAnUnknownPieceIsFetchedWhereTheDealSaysHere(t *testing.T) {
	for endpoint, want := range map[string]int{"http://tide.example/": 1, "http://other.example/": 0, "": 0} {
		k := newLostWorld(t, func(c *deals.Config) { c.Endpoint = endpoint })
		k.serve(1002, nil)
		k.lose()
		k.shelf.known = false
		k.look()
		k.repair()
		if k.shelf.restored != want {
			t.Errorf("with %q: fetched %d times", endpoint, k.shelf.restored)
		}
	}
}

// TestWhoClaimedMeanwhileIsGivenThePiece has a provider claim the open slot while the piece
// is away: it is handed the deal when the piece is back, be it by the next process.
func TestWhoClaimedMeanwhileIsGivenThePiece(t *testing.T) {
	for _, killed := range []bool{false, true} {
		k := newLostWorld(t)
		k.serve(1002, nil)
		k.lose()
		s := k.sps[1004]
		s.claims, s.state = true, nil
		e := k.entries[1004]
		e.Market = "http://four"
		k.entries[1004] = e
		s.market = e.Market
		v := k.slots[k.open]
		v.State, v.MinerId, v.SealDeadline = claimed, 1004, uint32(k.epoch+5760)
		k.event("SlotClaimed", k.open)
		k.look()
		offered := func() int {
			all, err := k.ledger.Offers(t.Context(), job.OfferFilter{Slot: k.open})
			if err != nil {
				t.Fatal(err)
			}
			return len(all)
		}
		if _, said := k.told(); offered() != 0 {
			t.Fatalf("it was offered what is not here\n%s", said)
		}
		k.repair()
		if killed {
			k.m = k.again()
		}
		k.look()
		if offered() != 1 {
			t.Errorf("killed %t: %d offers", killed, offered())
		}
	}
}

// TestARepairDiesAtEachStep kills the process before and after each write, and in the middle
// of the transfer: the next one ends with the piece back, one repair, and no file left.
func TestARepairDiesAtEachStep(t *testing.T) {
	for at := 0; ; at++ {
		k := newLostWorld(t)
		k.serve(1002, nil)
		k.lose()
		n, dead := 0, false
		k.die = func(step string) error {
			if !strings.Contains(step, "rep") && !strings.Contains(step, "restore") {
				return nil
			}
			if n++; n > at {
				dead = true
				return errLost
			}
			return nil
		}
		_ = k.step(k.m, 1) // it may die
		_ = k.m.RepairPass(t.Context())
		k.die = nil
		// what a killed process leaves
		if err := os.MkdirAll(k.dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(k.dir, "half"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		k.m = k.again()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		k.epoch += 30
		k.now = k.now.Add(11 * time.Minute)
		go func() { ended <- k.m.Run(ctx) }()
		for deadline := time.Now().Add(20 * time.Second); ; {
			all, err := k.ledger.Repairs(t.Context(), job.RepairFilter{})
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 1 && all[0].State == job.RepairRestored {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("killed at write %d: %+v", at, all)
			}
			tick := time.NewTimer(5 * time.Millisecond)
			<-tick.C
		}
		stop()
		<-ended
		k.nothingLeft()
		if !dead {
			if at < 8 {
				t.Fatalf("only %d steps", at)
			}
			return
		}
	}
}
