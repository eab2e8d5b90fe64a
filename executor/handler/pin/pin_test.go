package pin

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

// node holds what it is asked to, or fails as told.
type node struct {
	held     map[string]Spec
	err      error
	released []string
}

func (n *node) Pin(_ context.Context, s Spec, progress func(job.Progress)) (Stat, error) {
	progress(job.Progress{Blocks: 1, Phase: "fetching"})
	n.held[s.Ref] = s // partly, at least
	if n.err != nil {
		return Stat{}, n.err
	}
	return Stat{Blocks: 0x0102, Bytes: 0x0304_0506, LogicalBytes: 9, Fetched: 3}, nil
}

func (n *node) Release(_ context.Context, ref string) error {
	if n.err != nil {
		return n.err
	}
	delete(n.held, ref)
	n.released = append(n.released, ref)
	return nil
}

var now = time.Unix(1_800_000_000, 0)

func testCID(t *testing.T) cid.Cid {
	t.Helper()
	h, err := multihash.Sum([]byte("tide"), multihash.SHA2_256, -1)
	if err != nil {
		t.Fatal(err)
	}
	return cid.NewCidV1(cid.Raw, h)
}

func handler(t *testing.T) (*Handler, *node) {
	t.Helper()
	n := &node{held: map[string]Spec{}}
	h, err := New(Config{NodeID: "12D3"}, Deps{Node: n, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	return h, n
}

func pinJob(p job.Pin) job.Job {
	return job.Job{ID: 1, Key: "req:1:0xp:0xaa:1", Kind: job.KindPin, Request: "0xaa", Payload: job.Encode(p)}
}

func none(job.Progress) {}

func TestAPinIsHeldUnderItsRequestAndAnswersItsSize(t *testing.T) {
	h, n := handler(t)
	c := testCID(t)
	p := job.Pin{CID: c.Bytes(), Origins: []string{"/ip4/1.2.3.4/tcp/1/p2p/x"}, Name: "n", MaxBytes: 7, Expiry: now.Unix() + 60, Owner: "o", Seq: 5}
	var seen job.Progress
	r, err := h.Handle(context.Background(), pinJob(p), func(p job.Progress) { seen = p })
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%064x%064x", 0x0102, 0x0304_0506)
	if got := hex.EncodeToString(r.Answer); got != want {
		t.Errorf("answer %s, want %s", got, want)
	}
	if r.Outcome != job.Succeeded || !r.Held || r.NodeID != "12D3" || r.ReleaseAt.Unix() != p.Expiry || r.Progress.Blocks != 0x0102 {
		t.Errorf("result %+v", r)
	}
	s := n.held["0xaa"]
	if s.Owner != "o" || s.Seq != 5 || !s.Root.Equals(c) || len(s.Origins) != 1 || s.MaxBytes != 7 || s.Name != "n" {
		t.Errorf("the node was asked for %+v", s)
	}
	if seen.Phase != "fetching" {
		t.Errorf("progress %+v did not come through", seen)
	}
	var d map[string]any
	if err := json.Unmarshal(r.Detail, &d); err != nil || d["cid"] != c.String() || d["logicalBytes"] != 9.0 || d["fetched"] != 3.0 {
		t.Errorf("detail %s: %v", r.Detail, err)
	}
}

func TestALocalPinIsHeldUnderItsKeyForEver(t *testing.T) {
	h, n := handler(t)
	j := pinJob(job.Pin{CID: testCID(t).Bytes(), Owner: "local"})
	j.Key, j.Request = job.LocalKey("01J"), ""
	r, err := h.Handle(context.Background(), j, none)
	if err != nil || !r.ReleaseAt.IsZero() {
		t.Fatalf("%+v, %v", r, err)
	}
	if _, ok := n.held["local:01J"]; !ok {
		t.Errorf("held %v", n.held)
	}
}

func TestWhatIsAnsweredWithoutAskingTheNode(t *testing.T) {
	good := testCID(t).Bytes()
	for name, c := range map[string]struct {
		p        job.Pin
		deadline time.Time
		want     job.Reason
	}{
		"no CID":             {p: job.Pin{}, want: job.ReasonInvalidContent},
		"garbage":            {p: job.Pin{CID: []byte("garbage")}, want: job.ReasonInvalidContent},
		"trailing bytes":     {p: job.Pin{CID: append(append([]byte{}, good...), 0)}, want: job.ReasonInvalidContent},
		"the text of a CID":  {p: job.Pin{CID: []byte(testCID(t).String())}, want: job.ReasonInvalidContent},
		"expired":            {p: job.Pin{CID: good, Expiry: now.Unix()}, want: job.ReasonExpired},
		"past its deadline":  {p: job.Pin{CID: good}, deadline: now, want: job.ReasonExpired},
		"expires in no time": {p: job.Pin{CID: good, Expiry: 1}, want: job.ReasonExpired},
	} {
		t.Run(name, func(t *testing.T) {
			h, n := handler(t)
			j := pinJob(c.p)
			j.Deadline = c.deadline
			r, err := h.Handle(context.Background(), j, none)
			if err != nil || r.Outcome != job.Failed || r.Reason != c.want || r.Held || len(r.Answer) != 0 || len(n.held) != 0 {
				t.Errorf("%+v, %v; the node holds %v", r, err, n.held)
			}
		})
	}
}

func TestAPayloadThatIsNotOursIsAnErrorNotAnAnswer(t *testing.T) {
	h, _ := handler(t)
	for _, raw := range []string{``, `{`, `{"cid":"AA==","unheard":1}`, `{} {}`} {
		j := job.Job{Payload: json.RawMessage(raw)}
		if r, err := h.Handle(context.Background(), j, none); err == nil || r.Outcome != job.OutcomeNone {
			t.Errorf("payload %q gave %+v", raw, r)
		}
	}
}

func TestErrorsOfTheNode(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		check func(error) bool
	}{
		"a fault keeps its reason": {&job.Fault{Reason: job.ReasonStalled, Retry: true, Err: errors.New("x")}, func(err error) bool {
			f, ok := errors.AsType[*job.Fault](err)
			return ok && f.Reason == job.ReasonStalled && f.Retry
		}},
		"released": {fmt.Errorf("node: %w", ErrReleased), func(err error) bool {
			f, ok := errors.AsType[*job.Fault](err)
			return ok && f.Reason == job.ReasonRefused && !f.Retry
		}},
		"no room": {fmt.Errorf("node: %w", ErrNoRoom), func(err error) bool {
			s, ok := errors.AsType[*job.Snooze](err)
			return ok && s.For == time.Minute
		}},
		"cancelled": {context.Canceled, func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		t.Run(name, func(t *testing.T) {
			h, n := handler(t)
			n.err = c.err
			if _, err := h.Handle(context.Background(), pinJob(job.Pin{CID: testCID(t).Bytes()}), none); !c.check(err) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAbandonDropsWhatWasFetched(t *testing.T) {
	h, n := handler(t)
	n.err = &job.Fault{Reason: job.ReasonTooLarge, Err: errors.New("x")}
	j := pinJob(job.Pin{CID: testCID(t).Bytes()})
	if _, err := h.Handle(context.Background(), j, none); err == nil {
		t.Fatal("the node's fault was lost")
	}
	if err := h.Abandon(context.Background(), j); err == nil {
		t.Error("a failure to release was swallowed")
	}
	n.err = nil
	if err := h.Abandon(context.Background(), j); err != nil || len(n.held) != 0 || fmt.Sprint(n.released) != "[0xaa]" {
		t.Errorf("held %v, released %v, %v", n.held, n.released, err)
	}
}

func TestNewNeedsItsParts(t *testing.T) {
	if _, err := New(Config{}, Deps{Node: &node{}}); err == nil {
		t.Error("no node id was accepted")
	}
	if _, err := New(Config{NodeID: "n"}, Deps{}); err == nil {
		t.Error("no node was accepted")
	}
}

func FuzzHandlePayload(f *testing.F) {
	f.Add([]byte(`{"cid":"AVUSIA==","maxBytes":0,"expiry":0,"owner":"o","seq":1}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		n := &node{held: map[string]Spec{}}
		h, err := New(Config{NodeID: "n"}, Deps{Node: n, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		r, err := h.Handle(context.Background(), job.Job{Request: "0x1", Payload: raw}, none)
		if (err == nil) != (r.Outcome != job.OutcomeNone) {
			t.Fatalf("%+v, %v", r, err)
		}
		if r.Held != (len(n.held) == 1) || r.Held && len(r.Answer) != 64 {
			t.Fatalf("held %v, result %+v", n.held, r)
		}
	})
}
