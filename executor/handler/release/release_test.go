package release

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/tidegate/tidegate/executor/job"
)

type node struct {
	refs []string
	err  error
}

func (n *node) Release(_ context.Context, ref string) (Stat, error) {
	n.refs = append(n.refs, ref)
	return Stat{BlocksFreed: 3, BytesFreed: 40}, n.err
}

func TestRelease(t *testing.T) {
	broken := errors.New("pebble: closed")
	for name, tc := range map[string]struct {
		payload json.RawMessage
		nodeErr error
		ok      bool
		calls   int
	}{
		"a request":         {payload: job.Encode(job.Release{Request: "0xaa", Why: "retracted"}), ok: true, calls: 1},
		"a failing node":    {payload: job.Encode(job.Release{Request: "0xaa", Why: "retracted"}), nodeErr: broken, calls: 1},
		"no request":        {payload: job.Encode(job.Release{Why: "retracted"})},
		"a foreign payload": {payload: json.RawMessage(`{"cid":""}`)},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{err: tc.nodeErr}
			h, err := New(Deps{Node: n})
			if err != nil {
				t.Fatal(err)
			}
			// The job's own request is not what is released: it is the payload's.
			r, err := h.Handle(context.Background(), job.Job{Key: "comp:k", Payload: tc.payload}, func(job.Progress) {})
			if (err == nil) != tc.ok || len(n.refs) != tc.calls || (tc.nodeErr != nil && !errors.Is(err, tc.nodeErr)) {
				t.Fatalf("%+v, %v after %v", r, err, n.refs)
			}
			if !tc.ok {
				return
			}
			var d map[string]any
			if json.Unmarshal(r.Detail, &d) != nil || d["request"] != "0xaa" || d["why"] != "retracted" || d["blocksFreed"] != 3.0 {
				t.Errorf("detail %s", r.Detail)
			}
			if r.Outcome != job.Succeeded || len(r.Answer) != 0 || r.Held || n.refs[0] != "0xaa" {
				t.Errorf("%+v, released %v", r, n.refs)
			}
		})
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("no node was accepted")
	}
}
