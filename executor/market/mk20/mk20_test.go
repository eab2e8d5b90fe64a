package mk20

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	fcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/lib/sigs"
	_ "github.com/filecoin-project/lotus/lib/sigs/secp"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"
)

var clock = time.Date(2026, 11, 22, 12, 34, 56, 0, time.UTC)

func identity(t *testing.T) *Identity {
	t.Helper()
	key, err := crypto.HexToECDSA(strings.Repeat("42", 32))
	if err != nil {
		t.Fatal(err)
	}
	i, err := NewIdentity(key)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// door dials anybody.
type door struct{ c *http.Client }

func (d door) Ask(_ context.Context, req *http.Request) (*http.Response, bool, error) {
	res, err := d.c.Do(req)
	return res, err == nil || !strings.Contains(err.Error(), "refused"), err
}

func testDeal(t *testing.T) Deal {
	t.Helper()
	provider, err := address.NewFromString("t01004")
	if err != nil {
		t.Fatal(err)
	}
	gate, err := address.NewDelegatedAddress(10, bytes.Repeat([]byte{7}, 20))
	if err != nil {
		t.Fatal(err)
	}
	start, slot := int64(9_000_000), uint64(16777216)
	return Deal{
		Identifier: ulid.MustParse("01ARZ3NDEKTSV4RRFFQ69G5FAV"), Client: identity(t).Address().String(),
		Data: Data{
			PieceCID:   cid.MustParse("bafkzcibfxx3meais3xzh6qn56y6hiasmrufhegoweu3o5ccofs74nfdfr4yn76pqz4pq"),
			SourceHTTP: SourceHTTP{URLs: []URL{{URL: "https://tide.example/piece/x", Headers: http.Header{}}}},
		},
		Products: Products{
			DDO: DDO{
				Provider: provider, StartEpoch: &start, Duration: 518_400, MarketAddress: "0x0707070707070707070707070707070707070707", MarketDealID: &slot,
				NotificationAddress: gate, NotificationPayload: []byte{0x1a, 1, 0, 0, 0},
			},
			Retrieval: Retrieval{Indexing: true, AnnouncePayload: true},
		},
	}
}

// The names and shapes are those of curio, market/mk20/types.go (commit 00c245b3:
// Deal, DataSource, PieceDataFormat, DataSourceHTTP, HttpUrl, Products),
// market/mk20/ddo_v1.go (commit 043fe9cf: DDOV1) and market/mk20/retrieval_v1.go
// (commit 1587e740), unchanged at e0294b0f of 2026-08-20. A cid.Cid is {"/": …}, []byte is base64, an address its text.
const golden = `{
  "identifier": "01ARZ3NDEKTSV4RRFFQ69G5FAV",
  "client": "CLIENT",
  "data": {
    "piece_cid": {"/": "bafkzcibfxx3meais3xzh6qn56y6hiasmrufhegoweu3o5ccofs74nfdfr4yn76pqz4pq"},
    "format": {"car": {}},
    "source_http": {"urls": [{"url": "https://tide.example/piece/x", "headers": {}, "priority": 0, "fallback": false}]}
  },
  "products": {
    "ddo_v1": {
      "provider": "PROVIDER", "start_epoch": 9000000, "duration": 518400,
      "market_address": "0x0707070707070707070707070707070707070707", "market_deal_id": 16777216,
      "notification_address": "GATE", "notification_payload": "GgEAAAA="
    },
    "retrieval_v1": {"indexing": true, "announce_payload": true, "announce_piece": false}
  }
}`

func TestDealIsCuriosJSON(t *testing.T) {
	d := testDeal(t)
	got, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer("CLIENT", d.Client, "PROVIDER", d.Products.DDO.Provider.String(), "GATE", d.Products.DDO.NotificationAddress.String()).Replace(golden)
	var want bytes.Buffer
	if err := json.Compact(&want, []byte(text)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Fatalf("got  %s\nwant %s", got, want.Bytes())
	}
}

// With an allocation there is one name more, a number: DDOV1.AllocationId,
// `json:"allocation_id,omitempty"`, of the same file and commit.
func TestAnAllocationIsCuriosJSON(t *testing.T) {
	d := testDeal(t)
	without, err := json.Marshal(d.Products.DDO)
	if err != nil {
		t.Fatal(err)
	}
	id := uint64(77)
	d.Products.DDO.AllocationID = &id
	with, err := json.Marshal(d.Products.DDO)
	want := strings.Replace(string(without), `"market_address"`, `"allocation_id":77,"market_address"`, 1)
	if err != nil || string(with) != want {
		t.Fatalf("got  %s\nwant %s, %v", with, want, err)
	}
}

// checkAuth does what curio, market/mk20/auth.go (commit d6f338ce) does, with
// lotus' own verification.
func checkAuth(t *testing.T, header, method, path string, now time.Time) {
	t.Helper()
	rest, ok := strings.CutPrefix(header, "CurioAuth ")
	parts := strings.SplitN(rest, ":", 3)
	if !ok || len(parts) != 3 || parts[0] != "secp256k1" {
		t.Fatalf("the header is %q", header)
	}
	raw, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	signed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		t.Fatal(err)
	}
	who, err := address.NewFromBytes(raw)
	if err != nil {
		t.Fatal(err)
	}
	var sig fcrypto.Signature
	if err := sig.UnmarshalBinary(signed); err != nil {
		t.Fatal(err)
	}
	digest := authMessage(who, method, path, now)
	if err := sigs.Verify(&sig, who, digest[:]); err != nil {
		t.Fatal(err)
	}
	other := authMessage(who, method, path, now.Add(time.Minute))
	if sigs.Verify(&sig, who, other[:]) == nil {
		t.Fatal("a signature holds for any minute")
	}
}

func TestOfferAndStatus(t *testing.T) {
	answers := map[string]func(w http.ResponseWriter){
		"/market/mk20/deal": func(w http.ResponseWriter) {
			w.WriteHeader(426)
			_, _ = io.WriteString(w, "Reason: deal rejected\nby market")
		},
	}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		checkAuth(t, r.Header.Get("Authorization"), r.Method, r.URL.EscapedPath(), clock)
		if r.Method == http.MethodPost && r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("Content-Type is %q", r.Header.Get("Content-Type"))
		}
		answer := answers[r.URL.Path]
		if answer == nil {
			t.Errorf("%s was asked for", r.URL.Path)
			return
		}
		answer(w)
	}))
	defer srv.Close()
	c := NewClient(door{srv.Client()}, identity(t), func() time.Time { return clock })
	d := testDeal(t)
	var no *Refusal
	if err := c.Offer(t.Context(), srv.URL, d); !errors.As(err, &no) || no.Code != 426 || no.Words != "deal rejected by market" || no.Passing() {
		t.Fatalf("a refusal: %v", err)
	}
	answers["/market/mk20/deal"] = func(w http.ResponseWriter) { _, _ = io.WriteString(w, "Reason: ") }
	if err := c.Offer(t.Context(), srv.URL+"/market/mk20/", d); err != nil {
		t.Fatal(err)
	}
	path := "/market/mk20/status/" + d.Identifier.String()
	answers[path] = func(w http.ResponseWriter) {
		_, _ = io.WriteString(w, `{"ddo_v1":{"status":"failed","errorMsg":"disk\u0007 full"}}`)
	}
	if s, err := c.Status(t.Context(), srv.URL, d.Identifier); err != nil || s != (Status{Failed, "disk full"}) {
		t.Fatalf("%+v, %v", s, err)
	}
	answers[path] = func(w http.ResponseWriter) { http.Error(w, "Unauthorized", http.StatusUnauthorized) }
	if _, err := c.Status(t.Context(), srv.URL, d.Identifier); !errors.Is(err, ErrUnknownDeal) {
		t.Fatalf("a deal that is not there: %v", err)
	}
	answers["/market/mk20/contracts"] = func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"contracts":["0xAB"]}`) }
	if got, err := c.Contracts(t.Context(), srv.URL); err != nil || len(got) != 1 || got[0] != "0xAB" {
		t.Fatalf("%v, %v", got, err)
	}
	srv.Close()
	var gone *url.Error
	if err := c.Offer(t.Context(), srv.URL, d); !errors.Is(err, ErrUnsent) || !errors.As(err, &gone) {
		t.Fatalf("a server that is gone: %v", err)
	}
}

func FuzzStatus(f *testing.F) {
	f.Add([]byte(`{"ddo_v1":{"status":"sealing"}}`))
	f.Add([]byte(`{"ddo_v1":{"status":"odd"}}`))
	f.Add([]byte(`{"pdp_v1":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parseStatus(b)
		if (err == nil) != (s.State != "") {
			t.Fatalf("%q: %+v, %v", b, s, err)
		}
	})
}
