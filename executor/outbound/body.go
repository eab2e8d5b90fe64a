package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// errStalled is the cause of a body that was given up.
var errStalled = errors.New("no byte came for too long")

// body is a response's body that is given up when it stalls, and whose errors are
// *job.Fault.
type body struct {
	ctx    context.Context // the caller's
	r      io.ReadCloser
	cancel context.CancelCauseFunc // of the request
	stall  time.Duration
	timer  *time.Timer

	mu      sync.Mutex
	stalled bool
	read    int64
}

func newBody(ctx context.Context, res *http.Response, cancel context.CancelCauseFunc, stall time.Duration) *body {
	b := &body{ctx: ctx, r: res.Body, cancel: cancel, stall: stall}
	b.timer = time.AfterFunc(stall, func() {
		b.mu.Lock()
		b.stalled = true
		b.mu.Unlock()
		cancel(errStalled)
	})
	return b
}

// Read implements io.Reader.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	b.read += int64(n)
	if n > 0 {
		b.timer.Reset(b.stall)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return n, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.stalled:
		err = &job.Fault{Reason: job.ReasonStalled, Retry: true, Err: fmt.Errorf("after %d bytes: %w (%s)", b.read, errStalled, b.stall)}
	case b.ctx.Err() != nil:
		err = context.Cause(b.ctx)
	default:
		err = &job.Fault{Reason: job.ReasonStalled, Retry: true, Err: fmt.Errorf("after %d bytes: %w", b.read, err)}
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	b.timer.Stop()
	b.cancel(nil)
	return b.r.Close()
}
