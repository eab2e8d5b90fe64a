package unpin

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

type node struct {
	owner  string
	root   cid.Cid
	before uint64
	calls  int
	err    error
}

func (n *node) Unpin(_ context.Context, owner string, root cid.Cid, before uint64) (Stat, error) {
	n.owner, n.root, n.before = owner, root, before
	n.calls++
	return Stat{Refs: 2, BlocksFreed: 30, BytesFreed: 400}, n.err
}

func TestUnpin(t *testing.T) {
	h, err := multihash.Sum([]byte("ebb"), multihash.SHA2_256, -1)
	if err != nil {
		t.Fatal(err)
	}
	c := cid.NewCidV1(cid.Raw, h)
	broken := errors.New("pebble: closed")
	for name, tc := range map[string]struct {
		payload json.RawMessage
		nodeErr error
		outcome job.Outcome
		reason  job.Reason
		err     bool
		calls   int
	}{
		"what the owner held":     {payload: job.Encode(job.Unpin{CID: c.Bytes(), Owner: "o", Seq: 9}), outcome: job.Succeeded, calls: 1},
		"a bad CID":               {payload: job.Encode(job.Unpin{CID: []byte{1, 2}, Owner: "o"}), outcome: job.Failed, reason: job.ReasonInvalidContent},
		"a failing node":          {payload: job.Encode(job.Unpin{CID: c.Bytes(), Owner: "o", Seq: 9}), nodeErr: broken, err: true, calls: 1},
		"a payload of a pin":      {payload: job.Encode(job.Pin{CID: c.Bytes()}), err: true},
		"a payload of no meaning": {payload: json.RawMessage(`7`), err: true},
	} {
		t.Run(name, func(t *testing.T) {
			n := &node{err: tc.nodeErr}
			hd, err := New(Deps{Node: n})
			if err != nil {
				t.Fatal(err)
			}
			r, err := hd.Handle(context.Background(), job.Job{Payload: tc.payload}, func(job.Progress) {})
			if (err != nil) != tc.err || r.Outcome != tc.outcome || r.Reason != tc.reason || n.calls != tc.calls {
				t.Fatalf("%+v, %v after %d calls", r, err, n.calls)
			}
			if tc.nodeErr != nil && !errors.Is(err, tc.nodeErr) {
				t.Errorf("the node's error is not in %v", err)
			}
			if len(r.Answer) != 0 || r.Held {
				t.Errorf("an unpin answers nothing and holds nothing: %+v", r)
			}
			if tc.outcome == job.Succeeded {
				if n.owner != "o" || !n.root.Equals(c) || n.before != 9 {
					t.Errorf("the node was asked for %+v", n)
				}
				var d map[string]any
				if json.Unmarshal(r.Detail, &d) != nil || d["refs"] != 2.0 || d["blocksFreed"] != 30.0 || d["bytesFreed"] != 400.0 || d["cid"] != c.String() {
					t.Errorf("detail %s", r.Detail)
				}
			}
		})
	}
	if _, err := New(Deps{}); err == nil {
		t.Error("no node was accepted")
	}
}
