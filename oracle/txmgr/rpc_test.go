package txmgr

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/common"
)

// A read whose failure may pass is made again; what the endpoint refuses, and sending, is
// not.
func TestReadsThatFailOnTheirWayAreMadeAgain(t *testing.T) {
	for name, c := range map[string]struct {
		code  int
		body  string
		send  bool
		calls int
	}{
		"502":            {code: 502, calls: 3},
		"429":            {code: 429, calls: 3},
		"404":            {code: 404, calls: 1},
		"a web page":     {code: 200, body: "<html>", calls: 3},
		"another answer": {code: 200, body: `{"jsonrpc":"2.0","id":%s,"result":{}}`, calls: 3},
		"a cut answer":   {code: 200, body: `{"jsonrpc":"2.0","id":%s,"res`, calls: 3},
		"a refusal":      {code: 200, body: `{"jsonrpc":"2.0","id":%s,"error":{"code":1,"message":"no"}}`, calls: 1},
		"sending":        {code: 502, send: true, calls: 1},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var ask struct{ ID json.RawMessage }
				_ = json.NewDecoder(r.Body).Decode(&ask)
				calls++
				switch {
				case calls == 3:
					_, _ = fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":"0x7"}`, ask.ID)
				case c.code != 200:
					w.WriteHeader(c.code)
				case c.body == "<html>":
					_, _ = io.WriteString(w, c.body)
				default:
					_, _ = fmt.Fprintf(w, c.body, ask.ID)
				}
			}))
			defer srv.Close()
			e, err := NewRPC(t.Context(), srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if c.send {
				err = e.SendRaw(t.Context(), []byte{1})
			} else {
				var n uint64
				if n, err = e.Nonce(t.Context(), common.Address{1}, Latest); (err == nil) != (n == 7) {
					t.Errorf("%d, %v", n, err)
				}
			}
			if calls != c.calls || (err == nil) != (c.calls == 3) {
				t.Errorf("%d calls, want %d: %v", calls, c.calls, err)
			}
		})
	}
}
