// Package mk20 speaks market protocol 2.0 of Curio over HTTP: it offers a provider
// a piece to be sealed as direct data (product ddo_v1), on behalf of a contract,
// and asks how far that is.
//
// It decides nothing: which piece is offered to whom, and what becomes of it, is
// executor/market/deals. It connects through a door that knows whom it may dial
// (executor/outbound). It has no server.
//
// Map:
//
//	mk20.go  Client: Offer, Status, Contracts
//	deal.go  Deal: the request's JSON
//	auth.go  CurioAuth: who asks
//
// Invariants: the JSON is that of curio, market/mk20/types.go and ddo_v1.go; an
// answer is read up to a bound; a provider's words are in every refusal. The
// client's key holds no money: it shows that who asks for a deal's status is who
// offered it.
package mk20

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/executor/market/words"
)

// Timeout bounds one question; Curio itself gives up after 10 s.
const Timeout = 30 * time.Second

const (
	mostAnswer = 64 << 10
	mostList   = 1024
)

// Door sends a request to a stranger's server, under the rules for whom to dial.
// sent is false where nobody can have got it.
type Door interface {
	Ask(ctx context.Context, req *http.Request) (res *http.Response, sent bool, err error)
}

// Client asks providers. It is safe for concurrent use.
type Client struct {
	door Door
	key  Signer
	now  func() time.Time
}

// NewClient gives a Client that is known to providers by its key.
func NewClient(door Door, key Signer, now func() time.Time) *Client {
	return &Client{door: door, key: key, now: now}
}

// ErrUnsent is wrapped by errors after which the provider cannot have the deal.
var ErrUnsent = errors.New("the provider was not reached")

// ErrUnknownDeal is returned by Status for a deal that the provider does not know,
// or knows from another client: Curio does not say which.
var ErrUnknownDeal = errors.New("the provider does not know the deal")

// Refusal is a provider's answer that is no yes.
type Refusal struct {
	Code  int    // as in curio, market/mk20/types.go, DealCode
	Words string // the provider's
}

func (r *Refusal) Error() string { return fmt.Sprintf("the provider answered %d: %s", r.Code, r.Words) }

// Passing reports whether the same deal may be taken later: the provider is busy,
// under maintenance, or failed itself.
func (r *Refusal) Passing() bool {
	return r.Code == http.StatusTooManyRequests || r.Code >= http.StatusInternalServerError
}

// Offer sends a deal. A *Refusal is the provider's no. Of other errors, one that
// does not wrap ErrUnsent leaves open whether the provider has the deal: ask for
// its Status.
func (c *Client) Offer(ctx context.Context, base string, d Deal) error {
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("offering deal %s: %w: %w", d.Identifier, ErrUnsent, err)
	}
	code, answer, err := c.ask(ctx, http.MethodPost, base, "/deal", body)
	if err == nil && code != http.StatusOK {
		err = refusal(code, answer)
	}
	if err != nil {
		return fmt.Errorf("offering deal %s: %w", d.Identifier, err)
	}
	return nil
}

// State is where a provider says a deal is.
type State string

// curio, market/mk20/http/swagger.yaml, mk20.DealState.
const (
	Accepted   State = "accepted"
	Uploading  State = "uploading"
	Processing State = "processing"
	Sealing    State = "sealing"
	Indexing   State = "indexing"
	Failed     State = "failed"
	Complete   State = "complete"
)

// Status is what a provider says of a deal. It is the provider's word, no proof.
type Status struct {
	State State
	Words string // why it failed
}

// Status asks for a deal's status.
func (c *Client) Status(ctx context.Context, base string, id ulid.ULID) (Status, error) {
	code, answer, err := c.ask(ctx, http.MethodGet, base, "/status/"+id.String(), nil)
	switch {
	case err != nil:
	case code == http.StatusNotFound || code == http.StatusUnauthorized: // Curio looks for the client's deal before it looks for the deal
		err = ErrUnknownDeal
	case code != http.StatusOK:
		err = refusal(code, answer)
	default:
		var s Status
		if s, err = parseStatus(answer); err == nil {
			return s, nil
		}
	}
	return Status{}, fmt.Errorf("asking for the status of deal %s: %w", id, err)
}

// parseStatus reads mk20.DealProductStatusResponse.
func parseStatus(b []byte) (Status, error) {
	var v struct {
		DDO *struct {
			Status   State  `json:"status"`
			ErrorMsg string `json:"errorMsg"`
		} `json:"ddo_v1"`
	}
	if err := json.Unmarshal(b, &v); err != nil {
		return Status{}, fmt.Errorf("reading the answer: %w", err)
	}
	if v.DDO == nil {
		return Status{}, errors.New("reading the answer: it does not speak of ddo_v1")
	}
	switch v.DDO.Status {
	case Accepted, Uploading, Processing, Sealing, Indexing, Failed, Complete:
		return Status{State: v.DDO.Status, Words: words.Short(v.DDO.ErrorMsg)}, nil
	}
	return Status{}, fmt.Errorf("reading the answer: no state is called %q", words.Short(string(v.DDO.Status)))
}

// Contracts lists the contracts whose deals the provider takes, as it spells them.
func (c *Client) Contracts(ctx context.Context, base string) ([]string, error) {
	code, answer, err := c.ask(ctx, http.MethodGet, base, "/contracts", nil)
	if err == nil && code != http.StatusOK {
		err = refusal(code, answer)
	}
	var v struct {
		Contracts []string `json:"contracts"`
	}
	if err == nil {
		err = json.Unmarshal(answer, &v)
	}
	if err == nil && len(v.Contracts) > mostList {
		err = fmt.Errorf("%d contracts, at most %d", len(v.Contracts), mostList)
	}
	if err != nil {
		return nil, fmt.Errorf("asking which contracts a provider works with: %w", err)
	}
	return v.Contracts, nil
}

func refusal(code int, answer []byte) error {
	said := strings.TrimPrefix(strings.TrimSpace(string(answer)), "Reason:")
	return &Refusal{Code: code, Words: words.Short(said)}
}

// ask sends one request below a provider's base URL, which ends in /market/mk20 or
// is that of the server, which Curio serves the market under.
func (c *Client) ask(ctx context.Context, method, base, path string, body []byte) (code int, answer []byte, err error) {
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	u, err := url.Parse(base)
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	if strings.Trim(u.Path, "/") == "" {
		u.Path = "/market/mk20"
	}
	u = u.JoinPath(path)
	req, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json") // exactly this
	}
	auth, err := c.authorization(ctx, method, u.EscapedPath())
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	req.Header.Set("Authorization", auth)
	res, sent, err := c.door.Ask(ctx, req)
	if err != nil && !sent {
		return 0, nil, fmt.Errorf("%w: %w", ErrUnsent, err)
	}
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	if answer, err = io.ReadAll(io.LimitReader(res.Body, mostAnswer)); err != nil {
		return 0, nil, fmt.Errorf("reading the answer: %w", err)
	}
	return res.StatusCode, answer, nil
}
