package watch

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

var (
	hash1 = `"0x` + strings.Repeat("11", 32) + `"`
	hash2 = `"0x` + strings.Repeat("22", 32) + `"`
)

func header(edit ...string) string {
	h := `{"number":"0x5","hash":` + hash1 + `,"parentHash":` + hash2 + `,"timestamp":"0x65","logsBloom":null,"unknown":[1]}`
	return strings.NewReplacer(edit...).Replace(h)
}

func oneLog(edit ...string) string {
	l := `[{"address":"0x00000000000000000000000000000000000000aa","topics":[` + hash1 + `],"data":"0x01","blockNumber":"0x5","blockHash":` +
		hash1 + `,"transactionHash":` + hash2 + `,"transactionIndex":"0x0","logIndex":"0x3","removed":false}]`
	return strings.NewReplacer(edit...).Replace(l)
}

func TestDecodeHeader(t *testing.T) {
	h, err := decodeHeader(json.RawMessage(header()))
	if err != nil || h.Height != 5 || h.Hash[0] != 0x11 || h.Parent[0] != 0x22 || h.Time.Unix() != 0x65 || h.Bloom != nil {
		t.Fatalf("%+v, %v", h, err)
	}
	for name, bad := range map[string]string{
		"null": "null", "list": "[]", "text": `"x"`,
		"no hash": header(`"hash"`, `"h"`), "null hash": header(hash1, "null"), "zero hash": header("11", "00"),
		"no number": header(`"number"`, `"n"`), "decimal number": header(`"0x5"`, "5"), "huge number": header(`"0x5"`, `"0xffffffffffffffff"`),
		"no parent": header(`"parentHash"`, `"p"`), "no time": header(`"timestamp"`, `"t"`), "time after 9999": header("0x65", "0xffffffffff"),
		"short bloom": header(`"logsBloom":null`, `"logsBloom":"0x01"`),
	} {
		if _, err := decodeHeader(json.RawMessage(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestDecodeLogs(t *testing.T) {
	logs, err := decodeLogs(json.RawMessage(oneLog()))
	if err != nil || len(logs) != 1 || logs[0].Index != 3 || logs[0].Height != 5 || logs[0].Address != ours {
		t.Fatalf("%+v, %v", logs, err)
	}
	if logs, err := decodeLogs(json.RawMessage("[]")); err != nil || len(logs) != 0 {
		t.Fatalf("%v, %v", logs, err)
	}
	for name, bad := range map[string]string{
		"null": "null", "object": "{}", "null entry": "[null]", "removed": oneLog("false", "true"),
		"pending": oneLog(`"blockHash":`+hash1, `"blockHash":null`), "no topics": oneLog(`"topics"`, `"t"`),
		"five topics": oneLog(`"topics":[`, `"topics":[`+strings.Repeat(hash2+",", 4)), "no data": oneLog(`"data"`, `"d"`),
		"no index": oneLog(`"logIndex"`, `"l"`), "huge index": oneLog(`"0x3"`, `"0xffffffffff"`), "odd data": oneLog(`"0x01"`, `"0x1"`),
	} {
		if _, err := decodeLogs(json.RawMessage(bad)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		code int
		text string
		want FaultKind
	}{
		{12, "requested epoch was a null round (7)", FaultNullRound},
		{1, "requested epoch was a null round", FaultNullRound},
		{-32005, "block range exceeds maximum of 2880 (got 5000)", FaultTooMany},
		{-32005, "daily request count exceeded, request rate limited", FaultThrottled},
		{429, "slow down", FaultThrottled},
		{1, "filter matches too many events, try a more restricted filter", FaultTooMany},
		{-32000, "query returned more than 10000 results", FaultTooMany},
		{-32000, "Log response size exceeded", FaultTooMany},
		{1, "requested a future epoch (beyond 'latest')", FaultNotYet},
		{-32000, "block range extends beyond current head block", FaultNotYet},
		{-39001, "finalized block not found", FaultNotYet},
		{-32000, "unknown block", FaultNotYet},
		{-32601, "the method does not exist", FaultRefused},
		{-32002, "refusing explicit call due to state fork", FaultNotYet},                    // at another block it is answered
		{-32000, "looking for tipset with null round at 42", FaultNullRound},                 // forest
		{1, "epoch is null round", FaultNullRound},                                           // venus
		{-32600, "BlockOutOfRangeError: block height is 5 but requested was 9", FaultNotYet}, // anvil
		{-32000, "upstream timed out", FaultTransport},
		{3, "execution reverted", FaultRefused},
	} {
		if got := classify(c.code, c.text); got != c.want {
			t.Errorf("%d %q is %s, want %s", c.code, c.text, got, c.want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for in, want := range map[string]time.Duration{
		"": 0, "x": 0, "-3": 0, "0": 0, "12": 12 * time.Second, "99999999": 0,
		"Fri, 02 Jan 2026 03:05:05 GMT": time.Minute, "Fri, 02 Jan 2025 03:05:05 GMT": 0,
	} {
		if got := retryAfter(in, now); got != want {
			t.Errorf("%q gives %s, want %s", in, got, want)
		}
	}
}

func TestNewClientRefusesOtherURLsAndHidesSecrets(t *testing.T) {
	for _, bad := range []string{"", "localhost:1", "ftp://x", "http://", "http://a b", "/ipc"} {
		if _, err := NewClient(bad); err == nil {
			t.Errorf("%q accepted", bad)
		}
	}
	c, err := NewClient("http://user:word@127.0.0.1:1/v3/topsecret")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.ChainID(t.Context())
	if kindOf(err) != FaultTransport || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "word") {
		t.Fatalf("got %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{header(), oneLog(), "null", "[]", "{}", `"0x7"`, "[null]", "0x", header("0x5", "0x"+strings.Repeat("f", 17))} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if h, err := decodeHeader(raw); err == nil && (h.Hash == (common.Hash{}) || h.Height > math.MaxInt64 || h.Time.Year() > 9999) {
			t.Errorf("header %+v", h)
		}
		if logs, err := decodeLogs(raw); err == nil {
			for _, l := range logs {
				if l.Height > math.MaxInt64 || len(l.Topics) > 4 {
					t.Errorf("log %+v", l)
				}
			}
		}
		_, _ = decodeQuantity(raw)
	})
}
