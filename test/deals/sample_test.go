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

// sampled is a world whose only provider serves its piece of 3 MiB by a handler.
func sampled(t *testing.T, serve func(content []byte) http.HandlerFunc) (*world, *deals.Maker) {
	t.Helper()
	content := make([]byte, 3<<20)
	_, _ = rand.NewChaCha8([32]byte{7}).Read(content) // it never fails
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
