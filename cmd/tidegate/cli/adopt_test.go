package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/txmgr"
)

func TestANonceIsReadFromWhicheverEndpointAnswers(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var call struct{ ID json.RawMessage }
		_ = json.NewDecoder(r.Body).Decode(&call)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"jsonrpc": "2.0", "id": call.ID, "result": "0x7"})
	}))
	defer srv.Close()
	const dead = "http://127.0.0.1:1"
	if n, err := (anyEndpoint{dead, srv.URL}).Nonce(t.Context(), common.Address{1}, txmgr.Latest); err != nil || n != 7 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := (anyEndpoint{dead}).Nonce(t.Context(), common.Address{1}, txmgr.Latest); err == nil {
		t.Error("an endpoint that is not there answered")
	}
}
