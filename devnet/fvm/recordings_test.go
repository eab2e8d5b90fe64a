package fvm_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"sort"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

var update = flag.Bool("update", false, "write testdata/recordings.json.gz anew")

// recording is one message with what it was applied to and what came of it.
type recording struct {
	Epoch    abi.ChainEpoch    `json:"epoch"`
	Pre      cid.Cid           `json:"pre"`
	Kind     fvm.ApplyKind     `json:"kind"`
	Message  []byte            `json:"message"`
	ExitCode exitcode.ExitCode `json:"exit"`
	Return   []byte            `json:"return,omitempty"`
	GasUsed  int64             `json:"gas"`
	Events   *cid.Cid          `json:"events,omitempty"`
	Post     cid.Cid           `json:"post"`
}

// recordings are messages and all the blocks that they read.
type recordings struct {
	Blocks   [][]byte    `json:"blocks"` // CID and data, one after the other
	Messages []recording `json:"messages"`
}

// recorder keeps what was read.
type recorder struct {
	fvm.Blockstore
	seen map[cid.Cid][]byte
	list []recording
}

func (r *recorder) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, err := r.Blockstore.Get(ctx, c)
	if err == nil {
		r.seen[c] = data
	}
	return data, err
}

func recordingsFile() string { return filepath.Join("testdata", "recordings.json.gz") }

// recordedScenario goes through what the engine can do.
func recordedScenario(w *world) {
	s := w.storageScenario()
	for _, deal := range []uint64{0, 1} {
		w.ask(s.client, actorCall{actor: marketID, method: getActivation, params: encode(w.tb, deal)})
	}
	w.ask(s.client, actorCall{actor: s.miner, method: getSectorSize})
	w.ask(s.client, actorCall{actor: 9999, method: getSectorSize})
	c := w.deploy(counter)
	w.ok(w.invoke(c, big.Zero(), nil))
	w.through(s.client, append(make([]byte, 12), c.eth[:]...), plainCall, big.Zero(), nil)
	w.through(s.client, append(make([]byte, 12), c.eth[:]...), staticCall, big.Zero(), nil)
	w.invoke(w.deploy(reverter), big.Zero(), nil)
	w.send(w.secp.Address(), w.bls.Address(), 0, fil(2_000_000), nil)
	w.send(w.secp.Address(), idAddr(987654), 0, fil(1), nil)
	w.tick()
}

func (w *world) record(r *recorder, pre cid.Cid, msg *types.Message, kind fvm.ApplyKind, res *fvm.Result) {
	var b bytes.Buffer
	if err := msg.MarshalCBOR(&b); err != nil {
		w.tb.Fatal(err)
	}
	r.list = append(r.list, recording{Epoch: w.epoch, Pre: pre, Kind: kind, Message: b.Bytes(), ExitCode: res.Receipt.ExitCode, Return: res.Receipt.Return,
		GasUsed: res.Receipt.GasUsed, Events: res.Receipt.EventsRoot, Post: w.root})
}

func writeRecordings(t *testing.T) {
	t.Helper()
	w := newWorld(t)
	r := &recorder{Blockstore: w.store, seen: map[cid.Cid][]byte{}}
	w.store, w.recorder = r, r
	recordedScenario(w)
	bundle := map[cid.Cid]bool{}
	for c := range w.engine.Blocks() {
		bundle[c] = true
	}
	out := recordings{Messages: r.list}
	var keys []cid.Cid
	for c := range r.seen {
		if !bundle[c] {
			keys = append(keys, c)
		}
	}
	sort.Slice(keys, func(i, j int) bool { return keys[i].KeyString() < keys[j].KeyString() })
	for _, c := range keys {
		out.Blocks = append(out.Blocks, c.Bytes(), r.seen[c])
	}
	var b bytes.Buffer
	z := must[*gzip.Writer](t)(gzip.NewWriterLevel(&b, gzip.BestCompression))
	if err := errors.Join(json.NewEncoder(z).Encode(&out), z.Close()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(recordingsFile(), b.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// TestRecordings replays our own recordings, each from its own state: exit code, return,
// gas, events and the root of the whole state must be what they were.
func TestRecordings(t *testing.T) {
	if *update {
		writeRecordings(t)
	}
	f := must[*os.File](t)(os.Open(recordingsFile()))
	defer func() { _ = f.Close() }()
	z := must[*gzip.Reader](t)(gzip.NewReader(f))
	var in recordings
	if err := json.Unmarshal(must[[]byte](t)(io.ReadAll(z)), &in); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	w := &world{tb: t, engine: testEngine(t), store: fvm.NewMemory(), base: big.NewInt(100)}
	for i := 0; i+1 < len(in.Blocks); i += 2 {
		if err := w.store.Put(ctx, must[cid.Cid](t)(cid.Cast(in.Blocks[i])), in.Blocks[i+1]); err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range in.Messages {
		msg := must[*types.Message](t)(types.DecodeMessage(r.Message))
		w.epoch, w.root = r.Epoch, r.Pre
		res := w.apply(msg, r.Kind)
		got := recording{Epoch: r.Epoch, Pre: r.Pre, Kind: r.Kind, Message: r.Message, ExitCode: res.Receipt.ExitCode, Return: res.Receipt.Return,
			GasUsed: res.Receipt.GasUsed, Events: res.Receipt.EventsRoot, Post: w.root}
		if a, b := encodeJSON(t, got), encodeJSON(t, r); !bytes.Equal(a, b) {
			t.Errorf("recording %d (to %s, method %d):\n got %s\nwant %s\n%s", i, msg.To, msg.Method, a, b, res.Error)
		}
	}
	if len(in.Messages) < 20 {
		t.Fatalf("only %d recordings", len(in.Messages))
	}
}

func encodeJSON(t *testing.T, v any) []byte {
	t.Helper()
	return must[[]byte](t)(json.Marshal(v))
}

// walk visits all blocks under a CID.
func walk(store fvm.Blockstore, c cid.Cid, seen map[cid.Cid]bool) error {
	if seen[c] {
		return nil
	}
	seen[c] = true
	data, err := store.Get(context.Background(), c)
	if err != nil || c.Prefix().Codec != 0x71 {
		return err
	}
	links, err := fvm.Links(data)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := walk(store, l, seen); err != nil {
			return err
		}
	}
	return nil
}
