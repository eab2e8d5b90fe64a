package doctor

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
)

// node is an endpoint whose newest block is 1,000, of a given time, and which takes so
// many heights in one query of logs.
func node(t *testing.T, id uint64, made time.Time, takes uint64) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var ask struct {
			ID     json.RawMessage
			Method string
			Params []json.RawMessage
		}
		_ = json.NewDecoder(r.Body).Decode(&ask)
		var result any
		var refused map[string]any
		switch ask.Method {
		case "eth_chainId":
			result = fmt.Sprintf("0x%x", id)
		case "eth_getBlockByNumber":
			height := 1000
			if strings.Contains(string(ask.Params[0]), "finalized") {
				height = 990
			}
			result = map[string]any{"number": fmt.Sprintf("0x%x", height), "hash": fmt.Sprintf("0x%064x", height),
				"parentHash": fmt.Sprintf("0x%064x", height-1), "timestamp": fmt.Sprintf("0x%x", made.Unix())}
		case "eth_getLogs":
			var f struct{ FromBlock, ToBlock string }
			_ = json.Unmarshal(ask.Params[0], &f)
			var from, to uint64
			_, _ = fmt.Sscanf(f.FromBlock+" "+f.ToBlock, "0x%x 0x%x", &from, &to)
			if result = []any{}; to-from+1 > takes {
				refused = map[string]any{"code": -32005, "message": "block range exceeds maximum"}
			}
		}
		out := map[string]any{"jsonrpc": "2.0", "id": ask.ID, "result": result}
		if refused != nil {
			out = map[string]any{"jsonrpc": "2.0", "id": ask.ID, "error": refused}
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// An endpoint is judged by itself, too: by how old its newest block is, where chain time
// is time, and by what it takes as a query.
func TestWhatAnEndpointShows(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		id    uint64
		age   time.Duration
		takes uint64
		want  []string
	}{
		"all is well":              {config.MainnetID, time.Minute, 2880, nil},
		"an old head":              {config.MainnetID, time.Hour, 2880, []string{KindStale}},
		"an old head of a devnet":  {config.DevnetID, time.Hour, 2880, nil},
		"few heights in one query": {config.CalibrationID, time.Minute, 20, []string{KindLimits}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config.Config{}
			cfg.Chain.ID, cfg.Chain.MaxRange, cfg.Chain.SoftDepth = c.id, 2880, 5
			cfg.Chain.RPC = []string{node(t, c.id, now.Add(-c.age), c.takes)}
			well := &Daemon{Ready: true}
			well.Chain.LastGood = now
			found := Examine(t.Context(), cfg, nil, well, nil, now)
			if got := kinds(found); !slices.Equal(got, c.want) {
				t.Errorf("says %v, want %v: %s", got, c.want, Words(found))
			}
		})
	}
}
