package prepare

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

// shelf is a node and a maker that remember what they hold.
type shelf struct {
	held, kept map[string]bool
	fetchErr   error
	makeErr    error
	asked      Spec
}

func (s *shelf) Fetch(_ context.Context, spec Spec, _ func(job.Progress)) (uint64, error) {
	s.asked = spec
	s.held[spec.Ref] = true
	return 1000, s.fetchErr
}

func (s *shelf) Release(_ context.Context, ref string) error { delete(s.held, ref); return nil }

func (s *shelf) Make(_ context.Context, o Order, report func(job.Progress)) (Made, error) {
	if !s.held[o.Ref] {
		return Made{}, errors.New("made of what is not held")
	}
	report(job.Progress{Bytes: 10, Phase: "computing"})
	if s.makeErr != nil {
		return Made{}, s.makeErr
	}
	s.kept[o.Ref] = true
	return Made{Piece: pieceCID(), PieceV2: "v2", Padded: 2048, CARSize: 1100, Blocks: 3}, nil
}

func (s *shelf) Drop(_ context.Context, ref string) error { delete(s.kept, ref); return nil }

func pieceCID() cid.Cid {
	h, err := mh.Encode(make([]byte, 32), 0x1012)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(0xf101, h)
}

func rootCID() cid.Cid {
	h, err := mh.Sum([]byte("x"), mh.SHA2_256, -1)
	if err != nil {
		panic(err)
	}
	return cid.NewCidV1(cid.Raw, h)
}

var now = time.Unix(1_700_000_000, 0)

func run(t *testing.T, s *shelf, p job.Prepare) (job.Result, *Handler, job.Job, error) {
	t.Helper()
	s.held, s.kept = map[string]bool{}, map[string]bool{}
	h, err := New(Config{}, Deps{Node: s, Maker: s, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	j := job.Job{Key: "req:1", Request: "0xabc", Payload: job.Encode(p)}
	res, err := h.Handle(t.Context(), j, func(job.Progress) {})
	return res, h, j, err
}

func TestAnswerIsWhatAContractDecodes(t *testing.T) {
	s := &shelf{}
	res, _, _, err := run(t, s, job.Prepare{CID: rootCID().Bytes(), Owner: "a:b"})
	if err != nil || res.Outcome != job.Succeeded {
		t.Fatalf("%v %v", res, err)
	}
	kind := func(name string) abi.Type {
		v, err := abi.NewType(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	got, err := abi.Arguments{{Type: kind("bytes")}, {Type: kind("uint64")}, {Type: kind("uint64")}, {Type: kind("uint64")}}.Unpack(res.Answer)
	if err != nil {
		t.Fatal(err)
	}
	if string(got[0].([]byte)) != string(pieceCID().Bytes()) || got[1] != uint64(2048) || got[2] != uint64(1100) {
		t.Errorf("decoded %v", got)
	}
	if len(s.held) != 0 || !s.kept["0xabc"] {
		t.Errorf("held %v, kept %v: the shelf should hold it, the request no longer", s.held, s.kept)
	}
	if s.asked.MaxBytes != 32<<30/128*127 {
		t.Errorf("fetched at most %d bytes", s.asked.MaxBytes)
	}
}

func TestEndings(t *testing.T) {
	good := job.Prepare{CID: rootCID().Bytes()}
	for name, c := range map[string]struct {
		p      job.Prepare
		s      shelf
		reason job.Reason // of the result
		fault  job.Reason // of the error
		snooze bool
	}{
		"no CID":           {p: job.Prepare{CID: []byte{1, 2}}, reason: job.ReasonInvalidContent},
		"over":             {p: job.Prepare{CID: good.CID, Until: now.Unix()}, reason: job.ReasonExpired},
		"too large":        {p: good, s: shelf{makeErr: fmt.Errorf("x: %w", ErrTooLarge)}, fault: job.ReasonTooLarge},
		"no room to make":  {p: good, s: shelf{makeErr: fmt.Errorf("x: %w", ErrNoRoom)}, snooze: true},
		"no room to fetch": {p: good, s: shelf{fetchErr: fmt.Errorf("x: %w", ErrNoRoom)}, snooze: true},
		"not found":        {p: good, s: shelf{fetchErr: &job.Fault{Reason: job.ReasonNotFound, Err: errors.New("x")}}, fault: job.ReasonNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			res, h, j, err := run(t, &c.s, c.p)
			var f *job.Fault
			var z *job.Snooze
			switch {
			case c.reason != 0 && (err != nil || res.Outcome != job.Failed || res.Reason != c.reason):
				t.Fatalf("%v %v", res, err)
			case c.fault != 0 && (!errors.As(err, &f) || f.Reason != c.fault):
				t.Fatalf("%v", err)
			case c.snooze && !errors.As(err, &z):
				t.Fatalf("%v", err)
			}
			if err := h.Abandon(t.Context(), j); err != nil || len(c.s.held)+len(c.s.kept) > 0 {
				t.Errorf("after giving up it holds %v %v (%v)", c.s.held, c.s.kept, err)
			}
		})
	}
}

func TestAnswerFitsTheReport(t *testing.T) {
	a := Answer(pieceCID(), 7, 8, 9)
	words := []int64{128, 7, 8, 9, 39}
	for i, want := range words {
		if got := new(big.Int).SetBytes(a[32*i : 32*i+32]).Int64(); got != want {
			t.Errorf("word %d is %d, want %d", i, got, want)
		}
	}
	if len(a) != 224 || !bytes.Equal(a[160:199], pieceCID().Bytes()) {
		t.Errorf("%d bytes: %x", len(a), a)
	}
}
