package deals

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"

	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/deals"
	"github.com/tidegate/tidegate/executor/piece"
)

// open implements deals.Deps.Open.
func (w *world) open(context.Context, string) (io.ReadCloser, error) {
	if w.content == nil {
		return nil, job.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(w.content)), nil
}

// commitmentOf asks the reference library.
func commitmentOf(t testing.TB, content []byte) piece.Commitment {
	t.Helper()
	calc := new(commp.Calc)
	_, err := calc.Write(content)
	if err != nil {
		t.Fatal(err)
	}
	raw, padded, err := calc.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return piece.Commitment{Root: [32]byte(raw), Padded: padded, Payload: uint64(len(content))}
}

// serving is how a provider serves, beside the right way.
var serving = map[string]http.HandlerFunc{
	"a web page": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<!doctype html>") },
	"nothing":    func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
	"elsewhere": func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://127.0.0.1:1/", http.StatusFound)
	},
	"cut short": func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, "half")
	},
}

func sampledContent() []byte {
	content := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content) // it never fails
	return content
}

// sampled is a world whose only provider serves its piece of 3 MiB by a handler.
func sampled(t *testing.T, serve func(content []byte) http.HandlerFunc) (*world, *deals.Maker) {
	t.Helper()
	content := sampledContent()
	srv := httptest.NewServer(serve(content))
	t.Cleanup(srv.Close)
	w := newWorld(t, &sp{id: 1001})
	e := w.entries[1001]
	e.Retrieval = srv.URL + "/get/"
	w.entries[1001] = e
	w.openSlot(1, 0, 0)
	m := w.maker(func(c *deals.Config) { c.SampleEvery, c.Trees = time.Hour, filepath.Join(t.TempDir(), "trees") })
	w.run(m, 80, w.allActive)
	w.content = content
	return w, m
}

func right(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/get/baga") || r.Header.Get("Range") == "" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
	}
}

func (w *world) sample(m *deals.Maker, n int) []job.Sample {
	w.Helper()
	for range n {
		w.now = w.now.Add(time.Hour + time.Second)
		for range 2 { // the second time nobody is due
			if err := m.SamplePass(w.Context()); err != nil {
				w.Fatal(err)
			}
		}
	}
	got, err := w.ledger.Samples(w.Context(), job.SampleFilter{Miner: 1001})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

// TestRangesAreFetchedAndProven asks an honest provider, by the tree in memory, by the one
// in a file, with the piece gone, and after its file was damaged.
func TestRangesAreFetchedAndProven(t *testing.T) {
	w, m := sampled(t, right)
	before, err := m.Rank(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := w.sample(m, 20)
	offsets := map[uint64]bool{}
	for _, s := range got {
		if !s.Good || s.Words != "" || s.FirstByte <= 0 || s.Took < s.FirstByte || s.Length == 0 || s.Offset+s.Length > uint64(len(w.content)) {
			t.Errorf("%+v", s)
		}
		offsets[s.Offset] = true
	}
	if len(got) != 20 || len(offsets) < 2 {
		t.Fatalf("%d samples at %v", len(got), offsets)
	}
	after, err := m.Rank(t.Context())
	if err != nil || after[0].Score <= before[0].Score || after[0].Served < 0.9 || after[0].Samples != 20 {
		t.Errorf("%+v, before %+v, %v", after, before, err)
	}
}

// TestATreeIsBelievedAsFarAsItsRootGoes damages the file by which ranges are checked.
func TestATreeIsBelievedAsFarAsItsRootGoes(t *testing.T) {
	w, _ := sampled(t, right)
	dir := filepath.Join(t.TempDir(), "trees")
	m := w.maker(func(c *deals.Config) { c.SampleEvery, c.Trees = time.Hour, dir })
	if err := w.step(m, 1); err != nil {
		t.Fatal(err)
	}
	w.sample(m, 1)
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	if err := os.WriteFile(filepath.Join(dir, files[0].Name()), bytes.Repeat([]byte{1}, 128), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.sample(m, 3) {
		if !s.Good {
			t.Errorf("%+v", s)
		}
	}
}

// TestWhatIsServedWronglyIsSeen lets a provider serve in wrong ways: each is on record
// with its reason, the score falls, and comes back with time.
func TestWhatIsServedWronglyIsSeen(t *testing.T) {
	serving["changed bytes"] = func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusPartialContent)
		_, _ = w.Write(make([]byte, 2<<20))
	}
	for name, wrong := range serving {
		t.Run(name, func(t *testing.T) {
			w, m := sampled(t, func([]byte) http.HandlerFunc { return wrong })
			before, err := m.Rank(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range w.sample(m, 4) {
				if s.Good || s.Words == "" {
					t.Errorf("%+v", s)
				}
			}
			fallen, err := m.Rank(t.Context())
			if err != nil || fallen[0].Score >= before[0].Score/2 || fallen[0].Served > 0.2 {
				t.Fatalf("%+v, before %+v, %v", fallen, before, err)
			}
			w.now = w.now.Add(100 * 24 * time.Hour)
			if later, err := m.Rank(t.Context()); err != nil || later[0].Served <= fallen[0].Served {
				t.Errorf("%+v after 100 days, %v", later, err)
			}
		})
	}
}

// TestAnOutageOfOursIsNobodysFault cuts the daemon off, its chain too: no provider answers,
// none has failed, and they are asked again. One that is silent by itself has, be it that
// the chain goes on, or that another provider answers.
func TestAnOutageOfOursIsNobodysFault(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	w, m := sampled(t, right)
	w.openSlot(1, 1, 0)
	w.sps[1002] = &sp{id: 1002, w: w, got: map[string]uint64{}}
	w.order = append(w.order, 1002)
	at := func(miner uint64, url string) {
		w.entries[miner] = providerregistry.ProviderEntry{MaxPieceSize: 1 << 35, Retrieval: url}
		w.now = w.now.Add(11 * time.Minute) // after which the list is read again
		if err := w.step(m, 1); err != nil {
			t.Fatal(err)
		}
	}
	there := w.entries[1001].Retrieval
	at(1002, there)
	m = w.maker(func(c *deals.Config) { c.SampleEvery, c.Trees = time.Hour, filepath.Join(t.TempDir(), "trees") })
	w.content = nil // as the piece was offered
	w.run(m, 80, w.allActive)
	w.content = sampledContent()
	round := func() (of [2]int) {
		t.Helper()
		w.now = w.now.Add(time.Hour + time.Second)
		if err := m.SamplePass(t.Context()); err != nil {
			t.Fatal(err)
		}
		for i, miner := range []uint64{1001, 1002} {
			got, err := w.ledger.Samples(t.Context(), job.SampleFilter{Miner: miner})
			if err != nil {
				t.Fatal(err)
			}
			of[i] = len(got)
		}
		return of
	}
	at(1001, gone.URL+"/")
	at(1002, gone.URL+"/")
	before, err := m.Rank(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w.cutOff = true
	for range 3 {
		if got := round(); got != [2]int{} {
			t.Errorf("the outage is held against %v", got)
		}
	}
	if after, err := m.Rank(t.Context()); err != nil || after[0].Samples != 0 || after[0].Served != before[0].Served {
		t.Errorf("%+v, before %+v, %v", after, before, err)
	}
	w.cutOff = false
	if got := round(); got != [2]int{1, 1} {
		t.Errorf("the chain goes on, and providers who do not answer have %v samples", got)
	}
	w.cutOff = true
	at(1001, there)
	if got := round(); got != [2]int{2, 2} {
		t.Errorf("one answers, the other does not: they have %v samples", got)
	}
}

// TestNobodyIsGivenUpWhileWeAreCutOff lets a provider be out of reach, first because all is.
func TestNobodyIsGivenUpWhileWeAreCutOff(t *testing.T) {
	w := newWorld(t, &sp{id: 1001, conduct: "away"})
	w.cutOff = true
	w.openSlot(1, 0, 0)
	m := w.maker()
	failed := func() int {
		got, err := w.ledger.Offers(t.Context(), job.OfferFilter{State: job.OfferFailed})
		if err != nil {
			t.Fatal(err)
		}
		return len(got)
	}
	for range 400 {
		if err := w.step(m, 1); err != nil {
			t.Fatal(err)
		}
	}
	if asked := w.sps[1001].asked; asked < 9 || failed() != 0 {
		t.Fatalf("after %d tries %d offers have failed", asked, failed())
	}
	w.cutOff = false
	w.run(m, 100, func() bool { return failed() == 1 })
}

// TestAProviderIsShownWithEveryInput looks at what `tidegate sp show` and `deals stats`
// show: a refusal, an active deal, a sample, and the choices.
func TestAProviderIsShownWithEveryInput(t *testing.T) {
	w := newWorld(t, &sp{id: 1001, conduct: "refuse"}, &sp{id: 1002})
	w.openSlot(1, 0, 0)
	m := w.maker()
	w.run(m, 80, w.allActive)
	bad, err := m.Show(t.Context(), 1001)
	if err != nil {
		t.Fatal(err)
	}
	if len(bad.Inputs) != 1 || bad.Inputs[0].Rate != "accepted" || bad.Inputs[0].Good != 0 || bad.Inputs[0].Weight < 0.99 || !strings.Contains(bad.Inputs[0].Words, "price too low") {
		t.Errorf("%+v", bad.Inputs)
	}
	if len(bad.Choices) != 2 || !bad.Choices[1].Chosen || bad.Choices[0].Chosen || bad.Choices[0].Place != 2 || bad.Choices[0].Of != 2 || bad.Choices[0].Score.Why == "" {
		t.Errorf("%+v", bad.Choices)
	}
	good, err := m.Show(t.Context(), 1002)
	if err != nil || good.Score.Deals != 1 || fmt.Sprint(ratesOf(good)) != "map[accepted:1 hours:1 kept:1 sealed:1]" || len(good.Choices) != 2 || !good.Choices[0].Chosen {
		t.Errorf("%+v, %v", good, err)
	}
	if _, err := m.Show(t.Context(), 9); err == nil {
		t.Error("a provider that nobody knows is shown")
	}
	for by, want := range map[string]string{
		"day":  w.now.Format(time.DateOnly) + " 2 1 1 1 map[refused:1]",
		"week": "2027-W02 2 1 1 1 map[refused:1]",
		"sp":   "f01001 1 0 0 1 map[refused:1], f01002 1 1 1 0 map[]",
	} {
		stats, err := m.Stats(t.Context(), by, 7)
		var got []string
		for _, s := range stats {
			got = append(got, fmt.Sprint(s.Key, " ", s.Attempted, " ", s.Accepted, " ", s.Active, " ", s.Failed, " ", s.Reasons))
			if s.Active == 1 && (s.Hours <= 0 || s.Hours > 1 || s.MostHours != s.Hours) {
				t.Errorf("%+v", s)
			}
		}
		if err != nil || strings.Join(got, ", ") != want {
			t.Errorf("by %s: %q, %v", by, got, err)
		}
	}
	if _, err := m.Stats(t.Context(), "moon", 1); err == nil {
		t.Error("deals are counted by the moon")
	}
}

func ratesOf(d job.ProviderDetail) map[string]int {
	n := map[string]int{}
	for _, in := range d.Inputs {
		n[in.Rate]++
	}
	return n
}
