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
