package e2e

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	collected "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector keeps in memory what is sent to it as OTLP over HTTP.
type collector struct {
	mu    sync.Mutex
	spans []*otlp.Span
}

// ServeHTTP takes spans.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var in collected.ExportTraceServiceRequest
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &in) != nil {
		http.Error(w, "not spans", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, resource := range in.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// named gives the spans of a request by name.
func (c *collector) named(request common.Hash) map[string]*otlp.Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]*otlp.Span{}
	for _, s := range c.spans {
		for _, kv := range s.Attributes {
			if kv.Key == "tidegate.request" && kv.Value.GetStringValue() == request.Hex() {
				out[s.Name] = s
			}
		}
	}
	return out
}

// One trace follows a request from its event to finality, though the daemon is
// killed between its work and its answer.
func TestOneTraceFromEventToFinality(t *testing.T) {
	t.Parallel()
	n := startAnvil(t, "--block-time", "0.25")
	told := &collector{}
	srv := httptest.NewServer(told)
	t.Cleanup(srv.Close)
	d := newDaemon(t, n, "--trace-endpoint", srv.URL)
	d.env = append(d.env, "OTEL_BSP_SCHEDULE_DELAY=100") // milliseconds
	d.start(t)
	cid := d.add(t, "x", content(51, 2000))
	id := n.pin(keyAlice, cid)
	eventually(t, 30*time.Second, "the work is told", func() error {
		if got := told.named(id); got["execute"] == nil || got["job"] == nil {
			return errNotYet
		}
		return nil
	})
	d.kill()
	d.start(t)
	n.awaitAnswers(t, []common.Hash{id}, time.Minute)
	eventually(t, 30*time.Second, "the end is told", func() error {
		if told.named(id)["final"] == nil {
			return errNotYet
		}
		return nil
	})
	d.stop(t)

	all := told.named(id)
	parents := map[string]string{"event": "", "job": "event", "execute": "job", "report": "event", "send": "event", "final": "event"}
	for name, parent := range parents {
		s := all[name]
		if s == nil {
			t.Errorf("no span %s", name)
			continue
		}
		want := ""
		if p := all[parent]; p != nil {
			want = hex.EncodeToString(p.SpanId)
		}
		if got := hex.EncodeToString(s.ParentSpanId); got != want {
			t.Errorf("the parent of %s is %q, not %q", name, got, want)
		}
		if trace := hex.EncodeToString(s.TraceId); !strings.HasPrefix(id.Hex(), "0x"+trace) {
			t.Errorf("%s is in trace %s", name, trace)
		}
		if s.EndTimeUnixNano < s.StartTimeUnixNano || s.Status.GetMessage() != "" {
			t.Errorf("%s: %v", name, s)
		}
	}
	if len(all) != len(parents) {
		t.Errorf("there are %d spans: %v", len(all), all)
	}
}
