package market

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	commcid "github.com/filecoin-project/go-fil-commcid"
	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/ipfs/go-cid"
)

// fetch brings a deal's data into a file, resuming after cuts, and checks its commitment
// with the reference library. It gives the file.
func (p *Provider) fetch(ctx context.Context, j *job) (path string, err error) {
	path = filepath.Join(p.dir, j.deal.ID)
	file, err := os.Create(path)
	if err != nil {
		return "", fmt.Errorf("make room for the data: %w", err)
	}
	defer func() {
		err = errors.Join(err, file.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if err := p.transfer(ctx, j, file); err != nil {
		return "", fmt.Errorf("transfer: %w", err)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	got, err := commitment(file, j.deal)
	if err != nil {
		return "", fmt.Errorf("commitment: %w", err)
	}
	if got != j.deal.PieceCID {
		return "", fmt.Errorf("commP mismatch: the data is %s, the deal says %s", got, j.deal.PieceCID)
	}
	return path, nil
}

// commitment is the piece CID of data, padded to the deal's size, by the reference
// library. What is there whole is read at once: the library cannot be given up midway
// through its first bytes.
func commitment(data io.Reader, d Deal) (cid.Cid, error) {
	if d.Size < commp.MinPiecePayload {
		return cid.Undef, fmt.Errorf("it is not defined for %d bytes, at least %d", d.Size, commp.MinPiecePayload)
	}
	sum := new(commp.Calc)
	if _, err := io.Copy(sum, data); err != nil {
		return cid.Undef, err
	}
	root, padded, err := sum.Digest()
	if err == nil && padded < uint64(d.PieceSize) {
		root, err = commp.PadCommP(root, padded, uint64(d.PieceSize))
	}
	if err != nil {
		return cid.Undef, err
	}
	return commcid.DataCommitmentV1ToCID(root)
}

// errTooLong means that a source has more bytes than the deal says.
var errTooLong = errors.New("the source sends more than the deal says")

// transfer reads the data from the deal's URLs in turn, each time from where it was cut.
func (p *Provider) transfer(ctx context.Context, j *job, to io.Writer) error {
	var errs []error
	var got uint64
	for attempt := range p.market.config.Attempts {
		if attempt > 0 {
			pause := time.NewTimer(p.market.config.RetryPause)
			select {
			case <-pause.C:
			case <-ctx.Done():
				pause.Stop()
				return ctx.Err()
			}
		}
		from := j.urls[attempt%len(j.urls)]
		n, err := p.part(ctx, j, from, got, to)
		got += n
		if err == nil && got == j.deal.Size {
			return nil
		}
		if err == nil {
			err = fmt.Errorf("%s: cut after %d of %d bytes", from.URL, got, j.deal.Size)
		}
		if ctx.Err() != nil || errors.Is(err, errTooLong) {
			return err
		}
		p.log.Info("a transfer was cut", "deal", j.deal.ID, "received", got, "err", err)
		errs = append(errs, err)
	}
	return fmt.Errorf("given up after %d attempts: %w", len(errs), errs[len(errs)-1])
}

// part reads from an offset on, and says how many bytes it wrote.
func (p *Provider) part(ctx context.Context, j *job, from HTTPURL, offset uint64, to io.Writer) (uint64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from.URL, nil)
	if err != nil {
		return 0, err
	}
	for name, values := range from.Headers {
		request.Header[http.CanonicalHeaderKey(name)] = values
	}
	if offset > 0 {
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	response, err := p.client.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }() // it was read as far as it was wanted
	switch {
	case response.StatusCode == http.StatusOK: // a server without ranges begins again
		if _, err := io.CopyN(io.Discard, response.Body, int64(offset)); err != nil {
			return 0, fmt.Errorf("%s: skip what is there: %w", from.URL, err)
		}
	case response.StatusCode == http.StatusPartialContent && offset > 0:
		var start uint64
		if _, err := fmt.Sscanf(response.Header.Get("Content-Range"), "bytes %d-", &start); err != nil || start != offset {
			return 0, fmt.Errorf("%s: asked for bytes from %d on, got %q", from.URL, offset, response.Header.Get("Content-Range"))
		}
	default:
		return 0, fmt.Errorf("%s: %s", from.URL, response.Status)
	}
	return p.receive(ctx, j, response.Body, j.deal.Size-offset, to)
}

// receive reads what is left, stops in the middle of it while the provider stalls, and
// counts as it goes.
func (p *Provider) receive(ctx context.Context, j *job, body io.Reader, left uint64, to io.Writer) (uint64, error) {
	var total uint64
	counted := func(limit uint64) error {
		n, err := io.CopyN(to, body, int64(limit))
		total += uint64(n)
		p.update(j, func(d *Deal) { d.Received += uint64(n) })
		if errors.Is(err, io.EOF) {
			return nil
		}
		return err
	}
	if err := counted(left / 2); err != nil {
		return total, err
	}
	if err := p.while(ctx, Stall); err != nil {
		return total, err
	}
	if err := counted(left - left/2); err != nil || total < left {
		return total, err
	}
	if n, _ := io.ReadFull(body, make([]byte, 1)); n > 0 {
		return total, errTooLong
	}
	return total, nil
}
