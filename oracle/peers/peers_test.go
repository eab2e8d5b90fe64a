package peers

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/signer"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	here  = Domain{ChainID: 31415926, Provider: common.HexToAddress("0x10")}
	quiet = slog.New(slog.DiscardHandler)
)

func operatorKey(t *testing.T, n int) signer.Signer {
	t.Helper()
	s, err := signer.FromHex(fmt.Sprintf("%064x", 1000+n))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// office is an operator who agrees with whatever has a request.
type office struct {
	operators []common.Address
	mu        sync.Mutex
	callers   []common.Address
}

func (o *office) Operators(context.Context) ([]common.Address, error) { return o.operators, nil }

func (o *office) Judge(_ context.Context, from common.Address, p chain.Proposal) ([]chain.Judgement, error) {
	o.mu.Lock()
	o.callers = append(o.callers, from)
	o.mu.Unlock()
	out := make([]chain.Judgement, len(p.Claims))
	for i, c := range p.Claims {
		out[i] = chain.Judgement{Verdict: chain.Disagree, Own: &chain.Claim{Request: c.Request, Outcome: job.Failed, Reason: job.ReasonStalled}}
		if c.Outcome == job.Succeeded {
			out[i] = chain.Judgement{Verdict: chain.Agree}
		}
	}
	return out, nil
}

func (o *office) Countersign(_ context.Context, _ common.Address, p chain.Proposal) ([]byte, error) {
	if len(p.Claims) == 0 {
		return nil, errors.New("the batch is empty")
	}
	return bytes.Repeat([]byte{7}, 65), nil
}

func serveOffice(t *testing.T, o *office, key signer.Signer, now func() time.Time) *Server {
	t.Helper()
	s, err := NewServer("127.0.0.1:0", NewIdentity(here, key, now), o, quiet)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

func clientOf(t *testing.T, id *Identity, urls ...string) *Client {
	t.Helper()
	c, err := NewClient(urls, id, quiet)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var proposal = chain.Proposal{ConfigDigest: common.Hash{1}, Claims: []chain.Claim{
	{Request: common.Hash{2}, Outcome: job.Succeeded, ResultHash: common.Hash{3}}, {Request: common.Hash{4}, Outcome: job.Failed, Reason: job.ReasonTooLarge},
}}

func TestOperatorsTalkAndKnowEachOtherByTheirReportKeys(t *testing.T) {
	a, b, c := operatorKey(t, 1), operatorKey(t, 2), operatorKey(t, 3)
	all := []common.Address{a.Address(), b.Address(), c.Address()}
	ob, oc := &office{operators: all}, &office{operators: all}
	sb, sc := serveOffice(t, ob, b, time.Now), serveOffice(t, oc, c, time.Now)
	client := clientOf(t, NewIdentity(here, a, time.Now), "https://"+sb.Addr(), "https://"+sc.Addr(), "https://127.0.0.1:1")
	heard := client.Judge(t.Context(), proposal)
	if len(heard) != 2 {
		t.Fatalf("heard %v", heard)
	}
	for _, who := range []common.Address{b.Address(), c.Address()} {
		j := heard[who]
		if len(j) != 2 || j[0].Verdict != chain.Agree || j[1].Verdict != chain.Disagree || j[1].Own == nil || j[1].Own.Reason != job.ReasonStalled {
			t.Errorf("%s says %+v", who, j)
		}
	}
	if len(ob.callers) != 1 || ob.callers[0] != a.Address() {
		t.Errorf("the caller was %v", ob.callers)
	}
	signed := client.Sign(t.Context(), proposal)
	if len(signed) != 2 || len(signed[b.Address()]) != 65 {
		t.Errorf("signatures %v", signed)
	}
	if got := client.Sign(t.Context(), chain.Proposal{}); len(got) != 0 {
		t.Errorf("a refusal gave %v", got)
	}
}

func TestStrangersAreNotHeard(t *testing.T) {
	member, stranger := operatorKey(t, 1), operatorKey(t, 9)
	o := &office{operators: []common.Address{member.Address()}}
	s := serveOffice(t, o, member, time.Now)
	other := here
	other.Provider = common.HexToAddress("0x11")
	yearAgo := func() time.Time { return time.Now().AddDate(-1, 0, 0) }
	for name, id := range map[string]*Identity{
		"a key that is no operator":   NewIdentity(here, stranger, time.Now),
		"an operator of another case": NewIdentity(other, member, time.Now),
		"a certificate of last year":  NewIdentity(here, member, yearAgo),
	} {
		client := clientOf(t, id, "https://"+s.Addr())
		if got := client.Judge(t.Context(), proposal); len(got) != 0 {
			t.Errorf("%s was heard: %v", name, got)
		}
	}
	plain := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer plain.CloseIdleConnections()
	if resp, err := (&http.Client{Transport: plain}).Post("https://"+s.Addr()+judgePath, "application/json", strings.NewReader("{}")); err == nil {
		resp.Body.Close()
		t.Errorf("a caller without a certificate got %s", resp.Status)
	}
	if len(o.callers) != 0 {
		t.Errorf("callers %v", o.callers)
	}
}

func TestACertificateIsWorthNothingForAnotherKey(t *testing.T) {
	member, thief := operatorKey(t, 1), operatorKey(t, 9)
	good, err := NewIdentity(here, member, time.Now).certificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	leaf := parse(t, good)
	if who, err := operatorOf(here, leaf, time.Now()); err != nil || who != member.Address() {
		t.Fatalf("%s, %v", who, err)
	}
	// The member's word on a thief's TLS key recovers to nobody of the operators.
	stolen, err := NewIdentity(here, thief, time.Now).certificate(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fake := parse(t, stolen)
	fake.URIs = leaf.URIs
	if who, err := operatorOf(here, fake, time.Now()); err == nil && who == member.Address() {
		t.Error("a stolen word was taken")
	}
	fake.URIs = nil
	if _, err := operatorOf(here, fake, time.Now()); !errors.Is(err, ErrNoOperator) {
		t.Error(err)
	}
}

func TestAnIdentityIsRenewedBeforeItEnds(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	id := NewIdentity(here, operatorKey(t, 1), func() time.Time { return now })
	serials := map[string]bool{}
	for range 4 {
		c, err := id.certificate(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		serials[parse(t, c).SerialNumber.String()] = true
		now = now.Add(lifetime / 4)
	}
	if len(serials) != 2 {
		t.Errorf("%d certificates in a life", len(serials))
	}
}

// raw makes a call by hand.
func raw(t *testing.T, id *Identity, to string, body any) (int, string) {
	t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: id.clientTLS()}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Post(to, "application/json", bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func TestACallIsTakenOnceAndNotAfterItsExpiry(t *testing.T) {
	a, b := operatorKey(t, 1), operatorKey(t, 2)
	o := &office{operators: []common.Address{a.Address(), b.Address()}}
	s := serveOffice(t, o, b, time.Now)
	id := NewIdentity(here, a, time.Now)
	to := "https://" + s.Addr() + judgePath
	good, err := newCall(proposal, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if status, text := raw(t, id, to, good); status != http.StatusOK {
		t.Fatal(status, text)
	}
	made := func(change func(*call)) call {
		c, err := newCall(proposal, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		change(&c)
		return c
	}
	for name, c := range map[string]struct {
		call call
		want int
	}{
		"again":           {good, http.StatusConflict},
		"expired":         {made(func(c *call) { c.Expires = time.Now().Add(-time.Second) }), http.StatusConflict},
		"of far away":     {made(func(c *call) { c.Expires = time.Now().Add(time.Hour) }), http.StatusConflict},
		"without a nonce": {made(func(c *call) { c.Nonce = "" }), http.StatusConflict},
		"too many claims": {made(func(c *call) { c.Claims = make([]chain.Claim, maxClaims+1) }), http.StatusBadRequest},
	} {
		if status, text := raw(t, id, to, c.call); status != c.want {
			t.Errorf("%s: %d %s, want %d", name, status, text, c.want)
		}
	}
	if status, _ := raw(t, id, to, map[string]string{"claims": strings.Repeat("x", maxBody)}); status != http.StatusBadRequest {
		t.Errorf("a body of 1 MiB: %d", status)
	}
	if len(o.callers) != 1 {
		t.Errorf("%d calls were answered", len(o.callers))
	}
}

func TestAClientTakesOnlyPortsOfOperators(t *testing.T) {
	for _, bad := range []string{"http://127.0.0.1:1", "127.0.0.1:1", "https://", "https://h/path"} {
		if _, err := NewClient([]string{bad}, NewIdentity(here, operatorKey(t, 1), time.Now), quiet); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

func FuzzACallNeverPanics(f *testing.F) {
	f.Add([]byte(`{"nonce":"00","expires":"2030-01-01T00:00:00Z","claims":[{"request":"0x01","outcome":1}]}`))
	n := nonces{seen: map[string]time.Time{}}
	f.Fuzz(func(_ *testing.T, b []byte) {
		var c call
		if json.Unmarshal(b, &c) == nil {
			_ = n.take(common.Address{}, c, time.Now())
		}
	})
}

func parse(t *testing.T, c *tls.Certificate) *x509.Certificate {
	t.Helper()
	leaf, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}
