package deals

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

const (
	fruitless   = 3               // tries in a row without a byte, after which a provider is left
	defaultWait = 2 * time.Second // before the second of them; twice as long before the third
	tellEvery   = 15 * time.Second
)

var (
	// errFinal is in errors after which the same provider is not asked again.
	errFinal = errors.New("no use in asking again")
	// errHere is in errors that are no provider's fault.
	errHere = errors.New("on this side")
	errSlow = errors.New("too slow on the whole")
)

// refetch is a whole piece on its way from one provider into a file.
type refetch struct {
	door Door
	url  string
	want piece.Commitment
	wait time.Duration // between tries
	tell func(got uint64)

	f     *os.File
	w     *piece.Writer // of what is in the file
	got   uint64
	began time.Time
	first time.Duration // until the first byte; 0: none came
	told  time.Time
}

// run fetches until the file is the piece, by ranges: what was cut is gone on with where
// it ended. No byte beyond the piece's payload is read. The error is the provider's fault,
// or has errHere, or is ctx's cause.
func (d *refetch) run(ctx context.Context) error {
	d.w = piece.NewWriter()
	defer d.w.Reset()
	d.began = time.Now()
	for vain := 0; ; {
		before := d.got
		err := d.once(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err == nil:
			return d.check()
		case errors.Is(err, errFinal), errors.Is(err, errHere):
			return err
		case d.got > before:
			vain = 0
		default:
			vain++
		}
		if vain == fruitless {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(d.wait << max(vain-1, 0)):
		}
	}
}

// once asks for what is missing, and is done when all of it came.
func (d *refetch) once(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errFinal, err)
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", d.got, d.want.Payload-1))
	res, _, err := d.door.Ask(ctx, req)
	if err != nil {
		var fault *job.Fault
		if errors.As(err, &fault) && !fault.Retry {
			err = fmt.Errorf("%w: %w", errFinal, err)
		}
		return err
	}
	defer res.Body.Close()
	switch code := res.StatusCode; {
	case code == http.StatusPartialContent:
		if said := res.Header.Get("Content-Range"); !strings.HasPrefix(said, fmt.Sprintf("bytes %d-", d.got)) {
			return fmt.Errorf("%w: asked for bytes from %d on, it gives %.60q", errFinal, d.got, said)
		}
	case code == http.StatusOK: // a server without ranges begins anew
		if err := d.restart(); err != nil {
			return err
		}
	case code >= 500, code == http.StatusTooManyRequests, code == http.StatusRequestTimeout, code == http.StatusTooEarly:
		return fmt.Errorf("it answered %s", res.Status)
	default:
		return fmt.Errorf("%w: it answered %s", errFinal, res.Status)
	}
	return d.copy(ctx, io.LimitReader(res.Body, int64(d.want.Payload-d.got)))
}

func (d *refetch) restart() error {
	if d.got == 0 {
		return nil
	}
	d.got = 0
	d.w.Reset()
	_, err := d.f.Seek(0, io.SeekStart)
	if err = errors.Join(err, d.f.Truncate(0)); err != nil {
		return fmt.Errorf("%w: %w", errHere, err)
	}
	return nil
}

// copy takes what comes into the file and its commitment.
func (d *refetch) copy(ctx context.Context, r io.Reader) error {
	buf := make([]byte, 256<<10)
	for d.got < d.want.Payload {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		n, err := r.Read(buf)
		if n > 0 {
			if d.first == 0 {
				d.first = time.Since(d.began)
			}
			if _, err := d.f.Write(buf[:n]); err != nil {
				return fmt.Errorf("%w: %w", errHere, err)
			}
			if _, err := d.w.Write(buf[:n]); err != nil {
				return fmt.Errorf("%w: %w", errHere, err)
			}
			d.got += uint64(n)
			if now := time.Now(); now.Sub(d.told) >= tellEvery {
				d.told = now
				d.tell(d.got)
			}
		}
		switch {
		case d.got == d.want.Payload:
			return nil
		case errors.Is(err, io.EOF):
			return fmt.Errorf("it ended after %d of %d bytes", d.got, d.want.Payload)
		case err != nil:
			return err
		}
	}
	return nil
}

// check tells whether what came is the piece.
func (d *refetch) check() error {
	c, err := d.w.Sum()
	if err == nil && c.Padded < d.want.Padded {
		c, err = c.Pad(d.want.Padded)
	}
	if err == nil && c.Root != d.want.Root {
		err = piece.ErrMismatch
	}
	if err != nil {
		return fmt.Errorf("%w: its %d bytes: %w", errFinal, d.got, err)
	}
	return nil
}
