package deals

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/outbound"
	"github.com/tidegate/tidegate/executor/piece"
)

// shelf is where the world's piece was, and is put back.
type shelf struct {
	w        *world
	mu       sync.Mutex
	whole    bool
	known    bool
	full     error
	refuses  error
	restored int
}

// Look implements deals.Shelf.
func (s *shelf) Look(context.Context, string) (whole, known bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.whole, s.known, nil
}

// Room implements deals.Shelf.
func (s *shelf) Room(uint64) error { return s.full }

// Restore implements deals.Shelf.
func (s *shelf) Restore(_ context.Context, want piece.Commitment, _ cid.Cid, from io.ReaderAt) error {
	if s.refuses != nil {
		return s.refuses
	}
	if err := s.w.may("before restore"); err != nil {
		return err
	}
	got, err := io.ReadAll(io.NewSectionReader(from, 0, 1<<40))
	if err != nil || !bytes.Equal(got, s.w.content) || want != s.w.piece() {
		s.w.Errorf("%d bytes are put back that are not the piece: %v", len(got), err)
	}
	s.mu.Lock()
	s.whole, s.known = true, true
	s.restored++
	s.mu.Unlock()
	return s.w.may("after restore")
}

// server serves the piece in some way, and remembers what it was asked.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func newServer(t testing.TB, h func(nth int, w http.ResponseWriter, r *http.Request)) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.ranges)
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		h(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.ranges...)
}

// lostWorld has three active copies of a piece of 2 MiB and a bit; the first is lost, and
// the piece with it here. A fourth provider may take the copy.
type lostWorld struct {
	*world
	m     *deals.Maker
	sites map[uint64]*server
	dir   string
	open  uint64 // slot
}

func content() []byte {
	b := make([]byte, 2<<20+77)
	_, _ = rand.NewChaCha8([32]byte{9}).Read(b) // it never fails
	return b
}

func newLostWorld(t *testing.T, change ...func(*deals.Config)) *lostWorld {
	t.Helper()
	k := &lostWorld{world: newWorld(t, &sp{id: 1001}, &sp{id: 1002}, &sp{id: 1003}, &sp{id: 1004}), sites: map[uint64]*server{}, dir: filepath.Join(t.TempDir(), "repairs")}
	k.content = content()
	c := commitmentOf(t, k.content)
	k.stored = &c
	k.shelf = &shelf{w: k.world, whole: true, known: true}
	door, err := outbound.New(outbound.Config{AllowPrivate: true, StallTimeout: 200 * time.Millisecond, HeadTimeout: 200 * time.Millisecond}, outbound.Deps{Check: func(netip.Addr) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	k.door = door
	k.threeOpen(1)
	k.m = k.again(change...)
	k.run(k.m, 80, k.allActive)
	for _, s := range k.slots {
		if s.MinerId == 1004 {
			t.Fatal("f01004 was to have no copy")
		}
	}
	return k
}

// again makes a Maker as a daemon that starts does.
func (k *lostWorld) again(change ...func(*deals.Config)) *deals.Maker {
	k.Helper()
	return k.maker(append([]func(*deals.Config){func(c *deals.Config) {
		c.Repairs, c.RepairRate, c.MaxPiece, c.RepairWait = k.dir, 1<<20, 32<<30, time.Millisecond
	}}, change...)...)
}

// serve has a provider serve in some way; nil: rightly.
func (k *lostWorld) serve(miner uint64, h func(nth int, w http.ResponseWriter, r *http.Request)) {
	if h == nil {
		h = func(_ int, w http.ResponseWriter, r *http.Request) { k.right(w, r) }
	}
	k.sites[miner] = newServer(k.TB, h)
	e := k.entries[miner]
	e.Retrieval = k.sites[miner].URL + "/piece/"
	k.entries[miner] = e
}

func (k *lostWorld) right(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/piece/"+k.piece().CID().String()) {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(k.content))
}

// lose ends the copy of f01001, opens its seat again, and takes the piece from the shelf.
func (k *lostWorld) lose() {
	k.Helper()
	for id, s := range k.slots {
		if s.MinerId == 1001 {
			s.State = lost
			k.open = id + 1
			k.event("SlotClosed", id)
		}
	}
	k.openSlot(1, uint8(k.open>>16), uint16(k.open))
	seat := k.seats[k.open>>16]
	seat.Current, seat.Next = k.open, 0
	k.seats[k.open>>16] = seat
	k.event("SlotOpened", k.open)
	k.shelf.whole = false
	k.now = k.now.Add(time.Hour) // the list of providers is read again, the piece looked for
	k.epoch += 120
}

// look lets a pass see what is missing.
func (k *lostWorld) look() {
	k.Helper()
	if err := k.step(k.m, 1); err != nil {
		k.Fatal(err)
	}
}

func (k *lostWorld) repair() {
	k.Helper()
	if err := k.m.RepairPass(k.Context()); err != nil {
		k.Fatal(err)
	}
}

// told is the only repair and its steps.
func (k *lostWorld) told() (job.Repair, string) {
	k.Helper()
	all, err := k.ledger.Repairs(context.Background(), job.RepairFilter{})
	if err != nil || len(all) != 1 {
		k.Fatalf("%+v, %v", all, err)
	}
	r, steps, err := k.ledger.Repair(context.Background(), all[0].ID)
	if err != nil {
		k.Fatal(err)
	}
	var said []string
	for _, s := range steps {
		said = append(said, fmt.Sprintf("%s f0%d %s", s.State, s.Miner, s.Words))
	}
	return r, strings.Join(said, "\n")
}

// nothingLeft wants the folder of pieces on their way empty.
func (k *lostWorld) nothingLeft() {
	k.Helper()
	left, err := os.ReadDir(k.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) || len(left) > 0 {
		k.Errorf("%v is left, %v", left, err)
	}
}

func (k *lostWorld) score(miner uint64) float64 {
	k.Helper()
	d, err := k.m.Show(k.Context(), miner)
	if err != nil {
		k.Fatal(err)
	}
	return d.Score.Score
}

// wrong are ways not to give a piece, and words of what is written down about each.
var wrong = map[string]struct {
	words string
	h     func(k *lostWorld, nth int, w http.ResponseWriter, r *http.Request)
}{
	"corrupt": {"not those of the piece commitment", func(k *lostWorld, _ int, w http.ResponseWriter, r *http.Request) {
		b := bytes.Clone(k.content)
		b[len(b)-1] ^= 1
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}},
	"truncated": {"503", func(k *lostWorld, _ int, w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") != fmt.Sprintf("bytes=0-%d", len(k.content)-1) {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(k.content[:1000])
	}},
	"short for good": {"416", func(k *lostWorld, _ int, w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(k.content[:1<<20]))
	}},
	"longer, and not the piece": {"not those of the piece commitment", func(_ *lostWorld, _ int, w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(make([]byte, 8<<20))
	}},
	"stalls": {"no byte came for too long", func(k *lostWorld, nth int, w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_, _ = w.Write(k.content[:5000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}},
	"hangs": {"timeout awaiting response headers", func(_ *lostWorld, _ int, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }},
	"trickles": {"too slow on the whole", func(k *lostWorld, _ int, w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(k.content) && r.Context().Err() == nil; i += 100 {
			_, _ = w.Write(k.content[i : i+100])
			w.(http.Flusher).Flush()
			pause := time.NewTimer(50 * time.Millisecond)
			select {
			case <-pause.C:
			case <-r.Context().Done():
			}
		}
	}},
	"lacks it": {"404", func(_ *lostWorld, _ int, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }},
	"elsewhere": {"302", func(_ *lostWorld, _ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/", http.StatusFound)
	}},
	"other range": {"it gives \"bytes 7-", func(k *lostWorld, _ int, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 7-%d/%d", len(k.content)-1, len(k.content)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(k.content[7:])
	}},
	"a web page": {"ended after 15 of", func(_ *lostWorld, _ int, w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "<!doctype html>")
	}},
}

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
