package market

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// maxRequest bounds a request's body.
const maxRequest = 1 << 20

// routes are all that a provider serves over HTTP.
func (p *Provider) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+MK20Path+"/deal", p.signed(p.postDeal))
	mux.HandleFunc("GET "+MK20Path+"/status/{id}", p.signed(p.getStatus))
	mux.HandleFunc("GET "+MK20Path+"/products", p.signed(listed("products", func() []string { return []string{"ddo_v1", "retrieval_v1"} })))
	mux.HandleFunc("GET "+MK20Path+"/sources", p.signed(listed("sources", func() []string { return []string{"http"} })))
	mux.HandleFunc("GET "+MK20Path+"/contracts", p.signed(listed("contracts", p.market.allowed)))
	p.retrieval(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := p.while(r.Context(), Hang); err != nil {
			panic(http.ErrAbortHandler) // the client is gone, or the provider ends
		}
		mux.ServeHTTP(w, r)
	})
}

// signed lets requests through that carry CurioAuth, and tells who signed.
func (p *Provider) signed(next func(w http.ResponseWriter, r *http.Request, signer string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := r.Header.Get("Authorization")
		if header == "" {
			http.Error(w, "Missing Authorization header", http.StatusUnauthorized)
			return
		}
		signer, err := authenticate(header, r.Method, r.URL.EscapedPath(), p.market.config.Now())
		if err != nil {
			p.log.Info("a request is not authentic", "path", r.URL.Path, "err", err)
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
		next(w, r, signer)
	}
}

// authenticate reads CurioAuth, by curio market/mk20/auth.go: "CurioAuth type:address:
// signature", the latter two in base64, signed over the SHA-256 of address, method, path
// and minute. A minute early or late is forgiven.
func authenticate(header, method, path string, now time.Time) (signer string, err error) {
	rest, ok := strings.CutPrefix(header, "CurioAuth ")
	parts := strings.SplitN(rest, ":", 3)
	if !ok || len(parts) != 3 {
		return "", errors.New("want CurioAuth type:address:signature")
	}
	if kind := parts[0]; kind != "secp256k1" && kind != "bls" && kind != "delegated" {
		return "", fmt.Errorf("unsupported key type: %s", kind)
	}
	who, err := base64.StdEncoding.DecodeString(parts[1])
	if err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	addr, err := address.NewFromBytes(who)
	if err != nil {
		return "", fmt.Errorf("address: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	var signature crypto.Signature
	if err := signature.UnmarshalBinary(raw); err != nil {
		return "", fmt.Errorf("signature: %w", err)
	}
	for _, late := range []time.Duration{0, -time.Minute, time.Minute} {
		message := AuthMessage(who, method, path, now.Add(late))
		if err = sig.Verify(signature, addr, message[:]); err == nil {
			return addr.String(), nil
		}
	}
	return "", err
}

// AuthMessage is what CurioAuth signs for a request: the address in bytes, the method,
// the escaped path without query, the minute.
func AuthMessage(who []byte, method, path string, at time.Time) [32]byte {
	if path == "" {
		path = "/"
	}
	minute := at.UTC().Truncate(time.Minute).Format(time.RFC3339)
	return sha256.Sum256(bytes.Join([][]byte{who, []byte(strings.ToUpper(method)), []byte(path), []byte(minute)}, nil))
}

// postDeal answers POST /deal: the code says what became of it, the body why.
func (p *Provider) postDeal(w http.ResponseWriter, r *http.Request, signer string) {
	if r.Header.Get("Content-Type") != "application/json" {
		http.Error(w, "invalid content type", http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxRequest+1))
	if err == nil && len(body) > maxRequest {
		err = errors.New("request body too large")
	}
	var deal MK20Deal
	if err == nil {
		err = json.Unmarshal(body, &deal)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	code, reason := http.StatusOK, ""
	if refused := p.checkMK20(r.Context(), &deal, signer); refused != nil {
		code, reason = refused.code, refused.reason
	} else if err := p.takeMK20(&deal); err != nil {
		code = http.StatusInternalServerError // as Curio, whose row exists already
	}
	p.log.Info("a deal was proposed", "deal", deal.Identifier.String(), "code", code, "reason", reason)
	w.WriteHeader(code)
	_, _ = fmt.Fprint(w, "Reason: ", reason) // a client that is gone asks for the status
}

// getStatus answers GET /status/{ulid} to the deal's client. Deals of others are as
// unknown to him as those that never were.
func (p *Provider) getStatus(w http.ResponseWriter, r *http.Request, signer string) {
	id, err := ulid.Parse(r.PathValue("id"))
	if err != nil {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	deal, ok := p.Deal(id.String())
	if !ok || deal.Protocol != MK20 || deal.Client.String() != signer {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	answer(w, MK20Status{DDOV1: &ProductStatus{State: deal.State.mk20(), ErrorMsg: deal.Error}})
}

func listed(name string, items func() []string) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, _ *http.Request, _ string) { answer(w, map[string][]string{name: items()}) }
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	out, err := json.Marshal(body)
	if err != nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(out) // a client that is gone asks again
}
