package ipfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
)

const gatewayTimeout = 30 * time.Second

// gatewaySet asks the operator's trustless gateways for raw blocks. What they
// answer is believed only if it hashes to the CID.
type gatewaySet struct {
	urls   []string
	client *http.Client
}

func newGateways(urls []string) *gatewaySet {
	if len(urls) == 0 {
		return nil
	}
	return &gatewaySet{urls: urls, client: &http.Client{
		Timeout: gatewayTimeout,
		// A gateway has the block or it has not; it does not send us elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return errors.New("redirects are not followed")
		},
	}}
}

// fetch returns the first good answer, asking one gateway after the other.
func (g *gatewaySet) fetch(ctx context.Context, c cid.Cid, maxSize int) ([]byte, error) {
	var errs []error
	for _, u := range g.urls {
		data, err := g.fetchFrom(ctx, u, c, maxSize)
		if err == nil {
			return data, nil
		}
		errs = append(errs, fmt.Errorf("%s: %w", u, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

func (g *gatewaySet) fetchFrom(ctx context.Context, base string, c cid.Cid, maxSize int) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/ipfs/"+c.String()+"?format=raw", nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/vnd.ipld.raw")
	req.Header.Set("User-Agent", userAgent)
	res, err := g.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("answered %s", res.Status)
	}
	data, err := io.ReadAll(io.LimitReader(res.Body, int64(maxSize)+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("sent more than %d bytes", maxSize)
	}
	got, err := c.Prefix().Sum(data)
	if err != nil {
		return nil, err
	}
	if !got.Equals(c) {
		return nil, fmt.Errorf("sent another block (%s)", got)
	}
	return data, nil
}
