package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
)

// TestDealsAndProvidersAreShown plays a daemon, for people and for programs.
func TestDealsAndProvidersAreShown(t *testing.T) {
	score := job.ProviderScore{Miner: 1004, Score: 0.125, Served: 0.75, FirstByte: 0.25, Offers: 1, Samples: 2}
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	answers := map[string]any{
		"/api/v1/providers": httpapi.Page[job.ProviderScore]{Items: []job.ProviderScore{score}},
		"/api/v1/providers/1004": job.ProviderDetail{
			Score: score, Market: "https://sp.example", Inputs: []job.ProviderInput{{Rate: "served", Good: 1, All: 2, Weight: 0.5, At: at, Of: "samples"}},
			Choices: []job.ProviderChoice{{At: at, Deal: "6f96", Slot: 1 << 24, Place: 2, Of: 3, Score: job.ProviderScore{Why: "price"}}},
			Samples: []job.Sample{{At: at, Slot: 1 << 24, Offset: 7, Length: 9, Words: "a web page"}, {At: at, Slot: 1 << 24, Good: true, FirstByte: time.Second}},
		},
		"/api/v1/deals/stats?by=week&days=9": httpapi.Page[job.DealStats]{Items: []job.DealStats{
			{Key: "2026-W47", Attempted: 5, Accepted: 4, Active: 3, Failed: 2, Hours: 1.5, Reasons: map[string]int{"refused": 1, "lost": 1}},
		}},
		"/api/v1/deals/claims": httpapi.Page[httpapi.Claim]{Items: []httpapi.Claim{
			{Slot: "16777216", DealID: 1, Miner: 1004, Deadline: 900, Next: 120, Why: "the piece is not here"}, {Slot: "16777217", DealID: 1, Miner: 1005, Alarm: "no deal yet"},
		}},
		"/api/v1/deals/6f96": httpapi.DealDetail{
			Deal: httpapi.Deal{ID: "6f96", State: "failed"}, Chain: &job.OnChain{Status: "lost", Epoch: 77, Words: "f05 deal 5 is gone"}, Choice: json.RawMessage(`[{"miner":1004,"score":0.5,"hours":3},{"miner":1007,"why":"its price is above the slot's"}]`),
		},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		if r.URL.RawQuery != "" {
			path += "?" + r.URL.RawQuery
		}
		body, known := answers[path]
		if !known {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		if err := json.NewEncoder(w).Encode(body); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	flags := []string{"--api", srv.URL, "--data-dir", t.TempDir()}
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"sp", "rank"}, []string{"f01004", "0.1250", "0.75", "  -  ", "0.25s"}},
		{[]string{"sp", "show", "f01004"}, []string{"https://sp.example", "served", "0.50", "a web page", "7+9", "2 of 3", "price", "6f96", "right", "1s"}},
		{[]string{"deals", "stats", "--by", "week", "--days", "9"}, []string{"2026-W47", "1.5", "lost 1, refused 1"}},
		{[]string{"deals", "claims"}, []string{"16777216", "f01004", "900", "the piece is not here", "! no deal yet"}},
		{[]string{"deals", "show", "6f96"}, []string{"lost, at epoch 77: f05 deal 5 is gone", "f01004", "0.5000", "3.0", "f01007", "its price is above"}},
	} {
		args := append(c.args[:2:2], flags...) // flags stand before arguments
		code, out, errOut := tide(t, append(args, c.args[2:]...)...)
		if code != 0 {
			t.Errorf("%v: code %d\n%s%s", c.args, code, out, errOut)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%v lacks %q:\n%s", c.args, want, out)
			}
		}
	}
	var detail job.ProviderDetail
	tideJSON(t, &detail, append(append([]string{"sp", "show"}, flags...), "1004")...)
	if len(detail.Samples) != 2 || detail.Samples[0].Words != "a web page" || detail.Choices[0].Slot != 1<<24 {
		t.Errorf("%+v", detail)
	}
	var stats []job.DealStats
	tideJSON(t, &stats, append(append([]string{"deals", "stats"}, flags...), "--by", "week", "--days", "9")...)
	if len(stats) != 1 || stats[0].Reasons["refused"] != 1 {
		t.Errorf("%+v", stats)
	}
	if code, out, errOut := tide(t, append([]string{"sp", "show"}, flags...)...); code != 2 || !strings.Contains(errOut, "name one storage provider") {
		t.Errorf("code %d\n%s%s", code, out, errOut)
	}
}
