package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
)

// DialReads gives a client for reading contracts' state, over all endpoints that speak
// HTTP: a call that one of them does not answer as it should is made at the next. Where
// none does, it is a client of the first endpoint. It must not be used for sending.
func DialReads(ctx context.Context, endpoints []string) (*ethclient.Client, error) {
	reads := &anywhere{next: http.DefaultTransport.(*http.Transport).Clone(), rounds: 4, pause: 200 * time.Millisecond, patience: 10 * time.Second}
	for _, e := range endpoints {
		u, err := url.Parse(e)
		if err != nil {
			return nil, errors.New("chain.rpc: not a URL")
		}
		if u.Scheme == "http" || u.Scheme == "https" {
			reads.urls = append(reads.urls, u)
		}
	}
	if len(reads.urls) == 0 {
		return ethclient.DialContext(ctx, endpoints[0])
	}
	c, err := rpc.DialOptions(ctx, reads.urls[0].String(), rpc.WithHTTPClient(&http.Client{Transport: reads}))
	if err != nil {
		return nil, err
	}
	return ethclient.NewClient(c), nil
}

// anywhere makes a JSON-RPC read at one endpoint after the other, in rounds with a
// growing pause between, until one answers with JSON-RPC. What an answer says is not
// judged here.
type anywhere struct {
	urls     []*url.URL
	next     http.RoundTripper
	rounds   int
	pause    time.Duration // after the first round
	patience time.Duration // with one endpoint
	best     atomic.Int64  // who answered last
}

// mostRead bounds one answer.
const mostRead = 16 << 20

// RoundTrip implements http.RoundTripper.
func (a *anywhere) RoundTrip(r *http.Request) (*http.Response, error) {
	var ask []byte
	if r.Body != nil {
		var err error
		ask, err = io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil {
			return nil, err
		}
	}
	var failed error
	for round := range a.rounds {
		first := int(a.best.Load())
		for i := range a.urls {
			at := (first + i) % len(a.urls)
			resp, err := a.once(r, a.urls[at], ask)
			if err == nil {
				a.best.Store(int64(at))
				return resp, nil
			}
			if failed = err; r.Context().Err() != nil {
				return nil, r.Context().Err()
			}
		}
		pause := a.pause << round
		select {
		case <-time.After(pause*3/4 + rand.N(pause/2+1)):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return nil, fmt.Errorf("no endpoint of chain.rpc answers: %w", failed)
}

// once asks one endpoint and reads its whole answer.
func (a *anywhere) once(r *http.Request, to *url.URL, ask []byte) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), a.patience)
	defer cancel()
	c := r.Clone(ctx)
	c.URL, c.Host, c.Body, c.ContentLength = to, to.Host, io.NopCloser(bytes.NewReader(ask)), int64(len(ask))
	c.GetBody = nil
	if c.Header.Del("Authorization"); to.User != nil {
		password, _ := to.User.Password()
		c.SetBasicAuth(to.User.Username(), password)
	}
	resp, err := a.next.RoundTrip(c)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostRead))
	switch {
	case err != nil:
		return nil, err
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("HTTP %s", resp.Status)
	case !isAnswer(body):
		return nil, errors.New("not a JSON-RPC answer")
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return resp, nil
}

// isAnswer reports whether a body is one JSON-RPC answer, or a batch of them.
func isAnswer(body []byte) bool {
	body = bytes.TrimSpace(body)
	if bytes.HasPrefix(body, []byte("[")) {
		return json.Valid(body)
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	if json.Unmarshal(body, &answer) != nil || len(answer.Result) == 0 && answer.Error == nil {
		return false
	}
	return answer.Error == nil || !overloaded(answer.Error.Message)
}

// overloaded reports whether an error says that the endpoint would not, rather than
// that the call was wrong.
func overloaded(message string) bool {
	m := strings.ToLower(message)
	for _, sign := range []string{"rate limit", "too many requests", "timed out", "timeout", "temporarily", "overloaded", "try again"} {
		if strings.Contains(m, sign) {
			return true
		}
	}
	return false
}
