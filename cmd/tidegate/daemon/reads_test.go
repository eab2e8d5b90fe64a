package daemon

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const fine = `{"jsonrpc":"2.0","id":1,"result":"0x7"}`

// saying is an endpoint that gives these answers, the last one again and again; a
// number is a status.
func saying(t *testing.T, calls *atomic.Int64, answers ...string) string {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := int(calls.Add(1))
		switch a := answers[min(n, len(answers))-1]; a {
		case "503":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "429":
			w.WriteHeader(http.StatusTooManyRequests)
		case "cut":
			panic(http.ErrAbortHandler)
		default:
			_, _ = w.Write([]byte(a))
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestReadsAreMadeWhereverTheyAreAnswered(t *testing.T) {
	for name, c := range map[string]struct{ first, second []string }{
		"the first answers":      {[]string{fine}, []string{"503"}},
		"the first is down":      {[]string{"503"}, []string{fine}},
		"it talks nonsense":      {[]string{"<html>"}, []string{fine}},
		"it says nothing":        {[]string{"cut"}, []string{fine}},
		"it is limited":          {[]string{`{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"rate limit exceeded"}}`}, []string{fine}},
		"both fail for a moment": {[]string{"429", "null", fine}, []string{"503", "cut", "503"}},
		"an empty object":        {[]string{"{}", fine}, []string{"{}"}},
	} {
		t.Run(name, func(t *testing.T) {
			var one, two atomic.Int64
			client, err := DialReads(t.Context(), []string{"ws://127.0.0.1:1", saying(t, &one, c.first...), saying(t, &two, c.second...)})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if id, err := client.ChainID(t.Context()); err != nil || id.Uint64() != 7 {
				t.Fatalf("%v, %v", id, err)
			}
		})
	}
}

// What an endpoint refuses is refused: it is not asked for again elsewhere.
func TestReadsThatAreRefusedStayRefused(t *testing.T) {
	var one, two atomic.Int64
	refusal := `{"jsonrpc":"2.0","id":1,"error":{"code":3,"message":"execution reverted"}}`
	client, err := DialReads(t.Context(), []string{saying(t, &one, refusal), saying(t, &two, fine)})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if _, err := client.ChainID(t.Context()); err == nil || !strings.Contains(err.Error(), "reverted") || two.Load() != 0 {
		t.Fatalf("%v after %d calls to the second", err, two.Load())
	}
}

func TestReadsEndWhenNobodyAnswers(t *testing.T) {
	var calls atomic.Int64
	u := saying(t, &calls, "503")
	client, err := DialReads(t.Context(), []string{u})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	began := time.Now()
	if _, err := client.ChainID(t.Context()); err == nil || calls.Load() < 2 {
		t.Fatalf("%v after %d calls", err, calls.Load())
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Fatalf("gave up after %s", took)
	}
}
