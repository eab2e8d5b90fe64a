package outbound

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"

	"github.com/tidegate/tidegate/executor/job"
)

// Ask sends a request to a URL that a stranger named, and gives the response
// whatever its status is; its body must be closed. Redirects are not followed:
// what is sent is meant for one server alone. sent is false where an error came
// before there was a connection, so that nobody can have got the request. Errors
// are as those of Get.
func (c *Client) Ask(ctx context.Context, req *http.Request) (res *http.Response, sent bool, err error) {
	if err := checkURL(req.URL); err != nil {
		return nil, false, &job.Fault{Reason: job.ReasonUnreachable, Err: err}
	}
	asked, cancel := context.WithCancelCause(ctx)
	var got atomic.Bool
	req = req.Clone(httptrace.WithClientTrace(asked, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { got.Store(true) }}))
	req.Header.Set("User-Agent", userAgent)
	once := &http.Client{Transport: c.http.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if res, err = once.Do(req); err != nil {
		cancel(nil)
		if ctx.Err() != nil {
			return nil, got.Load(), context.Cause(ctx)
		}
		return nil, got.Load(), &job.Fault{Reason: job.ReasonUnreachable, Retry: true, Err: fmt.Errorf("asking %s: %w", req.URL.Host, err)}
	}
	res.Body = newBody(ctx, res, cancel, c.cfg.StallTimeout)
	return res, true, nil
}
