package watch

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

func answerOf(list string) string { return `{"jsonrpc":"2.0","id":1,"result":` + list + "}\n" }

// sameOpinion checks that an answer which is read in one pass is what the strict decoder
// makes of it.
func sameOpinion(t testing.TB, body []byte) (plain bool) {
	t.Helper()
	got, ok := scanAnswer(body)
	if !ok {
		return false
	}
	raw, err := resultOf(body)
	if err != nil {
		t.Fatalf("read in one pass, but it is %v: %s", err, body)
	}
	want, err := decodeLogs(raw)
	if err != nil {
		t.Fatalf("read in one pass, but the decoder says %v: %s", err, body)
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("read in one pass\n%+v\nby the decoder\n%+v", got, want)
	}
	return true
}

func TestAnswersReadInOnePassAreWhatTheDecoderReads(t *testing.T) {
	list := oneLog()
	two := "[" + list[1:len(list)-1] + ", " + list[1:len(list)-1] + "]"
	for name, body := range map[string]string{
		"one": answerOf(list), "two": answerOf(two), "none": answerOf("[]"), "no error": strings.Replace(answerOf(list), `"id"`, `"error":null,"id"`, 1),
		"no topics": answerOf(oneLog("["+hash1+"]", "[]")), "no data": answerOf(oneLog(`"0x01"`, `"0x"`)),
		"geth": answerOf(oneLog(`"removed"`, `"blockTimestamp":"0x6","removed"`)), "spaced": strings.ReplaceAll(answerOf(list), ",", " ,\n\t"),
	} {
		if !sameOpinion(t, []byte(body)) {
			t.Errorf("%s: not read in one pass: %s", name, body)
		}
	}
	for name, body := range map[string]string{
		"removed": answerOf(oneLog("false", "true")), "twice": answerOf(oneLog(`"logIndex"`, `"logIndex":"0x4","logIndex"`)),
		"unknown": answerOf(oneLog(`"logIndex"`, `"LogIndex":"0x4","logIndex"`)), "error": `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}`,
		"cut": answerOf(list)[:100], "trailing": answerOf(list) + "x", "two results": strings.Replace(answerOf(list), `"id"`, `"result":[],"id"`, 1),
		"leading zero": answerOf(oneLog(`"0x3"`, `"0x03"`)), "five topics": answerOf(oneLog(`"topics":[`, `"topics":[`+strings.Repeat(hash2+",", 4))),
		"escape": answerOf(oneLog(`"address"`, `"\u0061ddress"`)), "null": answerOf("null"), "empty": "",
	} {
		if _, ok := scanAnswer([]byte(body)); ok {
			t.Errorf("%s: read in one pass: %s", name, body)
		}
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	plain := 0
	for range 20_000 {
		body := []byte(answerOf(two))
		body[rnd.IntN(len(body))] = "0123456789abcdefx\"[]{},:\\ nt"[rnd.IntN(28)]
		if sameOpinion(t, body) {
			plain++
		}
	}
	if plain < 1000 {
		t.Fatalf("only %d of them were read in one pass", plain)
	}
}

func FuzzScanAnswer(f *testing.F) {
	for _, s := range []string{oneLog(), "[]", "null", oneLog("false", "true"), oneLog(`"0x3"`, `"0x"`)} {
		f.Add([]byte(answerOf(s)))
	}
	f.Fuzz(func(t *testing.T, body []byte) { sameOpinion(t, body) })
}

// What an endpoint says instead of logs is as bad as it is through the JSON-RPC client.
func TestAnswersThatAreNoLogs(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		body   string
		want   FaultKind
	}{
		"too many":   {200, `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"query returned more than 10000 results"}}`, FaultTooMany},
		"null round": {200, `{"jsonrpc":"2.0","id":1,"error":{"code":12,"message":"requested epoch was a null round"}}`, FaultNullRound},
		"page":       {200, "<html>", FaultGarbage}, "nothing": {200, "", FaultTransport}, "cut": {200, answerOf(oneLog())[:60], FaultTransport},
		"no result": {200, `{"jsonrpc":"2.0","id":1}`, FaultGarbage}, "null": {200, answerOf("null"), FaultGarbage},
		"text": {200, answerOf(`"x"`), FaultGarbage}, "removed": {200, answerOf(oneLog("false", "true")), FaultGarbage},
		"bad gateway": {502, "upstream", FaultTransport}, "forbidden": {403, "no", FaultRefused}, "limit": {429, "", FaultThrottled},
		"large": {413, "query returned more than 10000 results", FaultTooMany},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(c.status)
			_, _ = fmt.Fprint(w, c.body)
		}))
		client, err := NewClient(srv.URL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = client.LogsByRange(t.Context(), 1, 2, nil); kindOf(err) != c.want {
			t.Errorf("%s: %v is %q, want %q", name, err, kindOf(err), c.want)
		}
		client.Close()
		srv.Close()
	}
}

func BenchmarkDecodeLogs(b *testing.B) {
	one := oneLog(`"0x01"`, `"0x`+strings.Repeat("0a", 768)+`"`)
	body := []byte(answerOf("[" + strings.Repeat(one[1:len(one)-1]+",", 999) + one[1:len(one)-1] + "]"))
	b.Run("one pass", func(b *testing.B) {
		for b.Loop() {
			if _, ok := scanAnswer(body); !ok {
				b.Fatal("not read")
			}
		}
	})
	b.Run("decoder", func(b *testing.B) {
		for b.Loop() {
			raw, _ := resultOf(body)
			if _, err := decodeLogs(json.RawMessage(raw)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
