package fault

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// node is a chain of a hundred blocks, every third height a null round, with one log
// in each block.
func node(t *testing.T) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var c call
		if err := json.NewDecoder(r.Body).Decode(&c); err != nil {
			t.Error(err)
		}
		result, fault := say(c)
		out := map[string]any{"jsonrpc": "2.0", "id": c.ID, "result": result}
		if fault != nil {
			out = map[string]any{"jsonrpc": "2.0", "id": c.ID, "error": fault}
		}
		_ = json.NewEncoder(w).Encode(out)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func say(c call) (any, *rpcError) {
	const head, final = 100, 90
	blockAt := func(h uint64) any {
		return map[string]any{"number": fmt.Sprintf("0x%x", h), "hash": fmt.Sprintf("0x%064x", h)}
	}
	logAt := func(h uint64) any {
		return map[string]any{"blockNumber": fmt.Sprintf("0x%x", h), "blockHash": fmt.Sprintf("0x%064x", h), "logIndex": "0x1", "removed": false}
	}
	switch c.Method {
	case "eth_blockNumber":
		return fmt.Sprintf("0x%x", head), nil
	case "eth_getBlockByHash":
		return blockAt(quantity(c.Params[0])), nil
	case "eth_getBlockByNumber":
		h := quantity(c.Params[0])
		switch string(c.Params[0]) {
		case `"latest"`:
			h = head
		case `"finalized"`:
			h = final
		}
		if h%3 == 2 {
			return nil, &rpcError{Code: 12, Message: "requested epoch was a null round"}
		}
		return blockAt(h), nil
	case "eth_getLogs":
		var f struct{ FromBlock, ToBlock, BlockHash json.RawMessage }
		_ = json.Unmarshal(c.Params[0], &f)
		if f.BlockHash != nil {
			return []any{logAt(quantity(f.BlockHash))}, nil
		}
		out := []any{}
		for h := quantity(f.FromBlock); h <= quantity(f.ToBlock); h++ {
			out = append(out, logAt(h))
		}
		return out, nil
	case "eth_getTransactionReceipt":
		return map[string]any{"blockNumber": "0x64", "logs": []any{logAt(100)}}, nil
	case "eth_getBlockReceipts":
		return []any{map[string]any{"logs": []any{logAt(100)}}}, nil
	}
	return "0x1", nil
}

type rig struct {
	t     *testing.T
	proxy *Proxy
	url   string
}

func newRig(t *testing.T, cfg Config) *rig {
	cfg.Upstream = node(t).URL
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(p)
	t.Cleanup(func() { p.Close(); srv.Close() })
	return &rig{t, p, srv.URL}
}

// ask gives status and body of one call.
func (r *rig) ask(method, params string) (int, string, error) {
	body := fmt.Sprintf(`{"jsonrpc":"2.0","id":7,"method":%q,"params":%s}`, method, params)
	resp, err := http.Post(r.url, "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(text)), err
}

func TestEachFaultDoesWhatItIsNamedFor(t *testing.T) {
	const logs, byHash = `[{"fromBlock":"0x5a","toBlock":"0x64"}]`, `[{"blockHash":"0x5a"}]`
	has := func(parts ...string) func(int, string, error) bool {
		return func(_ int, body string, _ error) bool {
			for _, p := range parts {
				if !strings.Contains(body, p) {
					return false
				}
			}
			return true
		}
	}
	lacks := func(part string) func(int, string, error) bool {
		return func(_ int, body string, err error) bool { return err == nil && !strings.Contains(body, part) }
	}
	for _, c := range []struct {
		fault          Fault
		rate           float64
		method, params string
		want           func(int, string, error) bool
	}{
		{Lagging, 1, "eth_getBlockByNumber", `["latest",false]`, has(`"0x5b"`)}, // 92 is a null round
		{Lagging, 1, "eth_blockNumber", `[]`, has(`"0x5c"`)},
		{Lagging, 1, "eth_getBlockByNumber", `["0x63",false]`, has("future epoch")},
		{Lagging, 1, "eth_getLogs", logs, has("future epoch")},
		{Lagging, 1, "eth_getLogs", `[{"blockHash":"0x64"}]`, has("block not found")},
		{Lagging, 1, "eth_getTransactionReceipt", `["0x1"]`, has("null")},
		{Backwards, 1, "eth_getBlockByNumber", `["latest",false]`, lacks(`"0x64"`)},
		{Throttle, 1, "eth_chainId", `[]`, func(code int, _ string, _ error) bool { return code == 429 }},
		{Unavailable, 1, "eth_chainId", `[]`, func(code int, _ string, _ error) bool { return code == 502 || code == 503 }},
		{Garbage, 1, "eth_chainId", `[]`, func(code int, body string, _ error) bool { return code == 200 && !strings.Contains(body, `"id":7`) }},
		{Truncated, 1, "eth_getLogs", logs, func(_ int, body string, _ error) bool { return !json.Valid([]byte(body)) }},
		{Stall, 1, "eth_chainId", `[]`, func(_ int, _ string, err error) bool { return err != nil }},
		{LateLogs, 1, "eth_getLogs", logs, func(_ int, body string, _ error) bool {
			return !strings.Contains(body, `"0x64"`) && !strings.Contains(body, `"0x63"`) && strings.Contains(body, `"0x62"`)
		}},
		{IndexHoles, 1, "eth_getLogs", logs, has(`"result":[]`)},
		{IndexHoles, 1, "eth_getBlockReceipts", `["0x64"]`, has(`"blockNumber"`)},
		{NoReceipts, 1, "eth_getTransactionReceipt", `["0x1"]`, has(`null`)},
		{EmptyReceipts, 1, "eth_getTransactionReceipt", `["0x1"]`, has(`"logs":[]`)},
		{EmptyReceipts, 1, "eth_getBlockReceipts", `["0x64"]`, has(`"logs":[]`)},
		{RemovedLogs, 1, "eth_getLogs", logs, has(`"removed":true`)},
		{DoubleLogs, 1, "eth_getLogs", byHash, has(`"0x1"`, `"0x3e9"`)},
		{LogIndex, 1, "eth_getLogs", byHash, has(`"0x65"`)},
		{LogIndex, 1, "eth_getLogs", logs, has(`"logIndex":"0x1"`)},
		{FinalityLies, 1, "eth_getBlockByNumber", `["finalized",false]`, has(`"0x64"`)},
	} {
		t.Run(fmt.Sprint(c.fault, " ", c.method), func(t *testing.T) {
			r := newRig(t, Config{Rates: map[Fault]float64{c.fault: c.rate}, Stall: 20 * time.Millisecond})
			if code, body, err := r.ask(c.method, c.params); !c.want(code, body, err) {
				t.Errorf("got %d %q %v", code, body, err)
			}
			r.proxy.Clear()
			if code, body, err := r.ask(c.method, c.params); err != nil || code != 200 || !json.Valid([]byte(body)) || strings.Contains(body, `"error"`) {
				t.Errorf("after Clear: %d %q %v", code, body, err)
			}
		})
	}
}

func TestEveryFaultHasItsSourceAndTest(t *testing.T) {
	for _, f := range All() {
		if About[f] == "" {
			t.Errorf("%s imitates nothing", f)
		}
	}
	if len(All()) != 15 {
		t.Errorf("%d faults: write the new one's test", len(All()))
	}
}

func TestWithoutFaultsAnswersAreTheNodes(t *testing.T) {
	r := newRig(t, Config{})
	for _, method := range []string{"eth_getLogs", "eth_getBlockByNumber"} {
		params := map[string]string{"eth_getLogs": `[{"fromBlock":"0x5a","toBlock":"0x64"}]`, "eth_getBlockByNumber": `["latest",false]`}[method]
		_, got, err := r.ask(method, params)
		direct := &rig{t, r.proxy, r.proxy.cfg.Upstream}
		_, want, err2 := direct.ask(method, params)
		if err := errors.Join(err, err2); err != nil || got != want {
			t.Errorf("%s: %q, the node says %q, %v", method, got, want, err)
		}
	}
}

func TestOneSeedIsOneStory(t *testing.T) {
	story := func(seed uint64) string {
		r := newRig(t, Config{Seed: seed, Rates: map[Fault]float64{Throttle: 0.3, Garbage: 0.2, Unavailable: 0.2}})
		var b strings.Builder
		for range 60 {
			code, body, _ := r.ask("eth_blockNumber", "[]")
			fmt.Fprintln(&b, code, body)
		}
		return b.String()
	}
	if a, b := story(5), story(5); a != b {
		t.Errorf("one seed, two stories:\n%s\n%s", a, b)
	}
	if story(5) == story(6) {
		t.Error("two seeds, one story")
	}
}

func TestScriptAndControlSwitchFaults(t *testing.T) {
	r := newRig(t, Config{Script: []Step{{At: 3, Fault: Throttle, Rate: 1}, {At: 5, Fault: Throttle, Rate: 0}}})
	var codes []int
	for range 6 {
		code, _, err := r.ask("eth_chainId", "[]")
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	if fmt.Sprint(codes) != "[200 200 429 429 200 200]" {
		t.Errorf("codes %v", codes)
	}
	if _, body, err := r.ask("fault_set", `["unavailable",1]`); err != nil || !strings.Contains(body, "true") {
		t.Fatal(body, err)
	}
	if code, _, _ := r.ask("eth_chainId", "[]"); code < 500 {
		t.Errorf("code %d", code)
	}
	if _, body, _ := r.ask("fault_set", `["no such"]`); !strings.Contains(body, "no fault") {
		t.Errorf("an unknown fault: %s", body)
	}
	if _, body, _ := r.ask("fault_status", `[]`); !strings.Contains(body, `"unavailable":1`) || !strings.Contains(body, `"throttle":2`) {
		t.Errorf("status %s", body)
	}
	if code, _, _ := r.ask("eth_sendRawTransaction", `["0x"]`); code != 200 {
		t.Errorf("a transaction was kept from the node: %d", code)
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("garbage=0.5, stall,realistic")
	if err != nil || got[Stall] != 1 || got[Throttle] != Realistic()[Throttle] || got[Garbage] != Realistic()[Garbage] {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []string{"x", "stall=2", "stall=a"} {
		if _, err := Parse(bad); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	if _, err := New(Config{Upstream: "ftp://x"}); !errors.Is(err, ErrConfig) {
		t.Errorf("a bad URL: %v", err)
	}
}

// docs/devnet.md has a line for each fault, with where it comes from.
func TestTheManualHasALineForEachFault(t *testing.T) {
	manual, err := os.ReadFile("../../docs/devnet.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range All() {
		found := false
		for _, line := range strings.Split(string(manual), "\n") {
			cells := strings.Split(line, "|")
			found = found || len(cells) == 6 && strings.TrimSpace(cells[1]) == "`"+string(f)+"`" &&
				strings.TrimSpace(cells[2]) != "" && strings.TrimSpace(cells[3]) != ""
		}
		if !found || About[f] == "" {
			t.Errorf("%s has no line of three cells", f)
		}
	}
}
