package served

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

// web answers one URL.
type web struct {
	url, body string
	err       error
}

func (w web) Fetch(_ context.Context, url string) (io.ReadCloser, error) {
	if url != w.url {
		return nil, &job.Fault{Reason: job.ReasonNotFound, Retry: true, Err: errors.New(url)}
	}
	return io.NopCloser(strings.NewReader(w.body)), w.err
}

// verifier takes "good" for the piece.
type verifier struct{}

func (verifier) Check(c cid.Cid) error {
	if c.Type() != 0xf101 {
		return ErrNoPiece
	}
	return nil
}

func (verifier) Verify(_ context.Context, _ cid.Cid, r io.Reader, _ func(uint64)) (uint64, error) {
	b, err := io.ReadAll(r)
	if err == nil && string(b) != "good" {
		err = ErrMismatch
	}
	return uint64(len(b)), err
}

func pieceCID() cid.Cid {
	h, err := mh.Encode(make([]byte, 32), 0x1012)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(0xf101, h)
}

func TestEndings(t *testing.T) {
	id := pieceCID().String()
	for name, c := range map[string]struct {
		piece    []byte
		endpoint string
		web      web
		outcome  job.Outcome
		reason   job.Reason
	}{
		"appended":         {pieceCID().Bytes(), "https://sp.example/piece/", web{url: "https://sp.example/piece/" + id, body: "good"}, job.Succeeded, 0},
		"as it is":         {pieceCID().Bytes(), "http://sp.example/x?y=z", web{url: "http://sp.example/x?y=z", body: "good"}, job.Succeeded, 0},
		"other data":       {pieceCID().Bytes(), "http://sp.example/x", web{url: "http://sp.example/x", body: "evil"}, job.Failed, job.ReasonInvalidContent},
		"nothing there":    {pieceCID().Bytes(), "http://sp.example/x", web{}, job.Failed, job.ReasonNotFound},
		"no piece CID":     {[]byte{1}, "http://sp.example/x", web{}, job.Failed, job.ReasonInvalidContent},
		"a file":           {pieceCID().Bytes(), "file:///etc/passwd", web{}, job.Failed, job.ReasonInvalidContent},
		"with a password":  {pieceCID().Bytes(), "http://a:b@sp.example/", web{}, job.Failed, job.ReasonInvalidContent},
		"without host":     {pieceCID().Bytes(), "http:///x", web{}, job.Failed, job.ReasonInvalidContent},
		"far too long":     {pieceCID().Bytes(), "http://h/" + strings.Repeat("x", 3000), web{}, job.Failed, job.ReasonInvalidContent},
		"nothing in place": {pieceCID().Bytes(), "", web{}, job.Failed, job.ReasonInvalidContent},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := New(Deps{c.web, verifier{}})
			if err != nil {
				t.Fatal(err)
			}
			res, err := h.Handle(t.Context(), job.Job{Payload: job.Encode(job.Served{Piece: c.piece, Endpoint: c.endpoint})}, func(job.Progress) {})
			var f *job.Fault
			if errors.As(err, &f) {
				res, err = job.Result{Outcome: job.Failed, Reason: f.Reason}, nil
			}
			if err != nil || res.Outcome != c.outcome || res.Reason != c.reason || len(res.Answer) > 0 {
				t.Fatalf("%+v %v", res, err)
			}
		})
	}
}
