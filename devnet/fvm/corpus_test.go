package fvm_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// vector is a recorded message in the format of filecoin-project/fvm-test-vectors.
type vector struct {
	CAR           []byte `json:"car"`
	Preconditions struct {
		Variants []struct {
			Epoch abi.ChainEpoch  `json:"epoch"`
			NV    network.Version `json:"nv"`
		} `json:"variants"`
		StateTree  stateTree   `json:"state_tree"`
		BaseFee    json.Number `json:"basefee"`
		CircSupply json.Number `json:"circ_supply"`
	} `json:"preconditions"`
	Randomness []struct {
		On  []any  `json:"on"`
		Ret []byte `json:"ret"`
	} `json:"randomness"`
	ApplyMessages []struct {
		Bytes []byte `json:"bytes"`
	} `json:"apply_messages"`
	Postconditions struct {
		StateTree stateTree `json:"state_tree"`
		Receipts  []struct {
			ExitCode exitcode.ExitCode `json:"exit_code"`
			Return   []byte            `json:"return"`
			GasUsed  int64             `json:"gas_used"`
		} `json:"receipts"`
	} `json:"postconditions"`
}

type stateTree struct {
	Root map[string]string `json:"root_cid"`
}

func (s stateTree) cid() (cid.Cid, error) { return cid.Parse(s.Root["/"]) }

// recordedRandomness answers what was recorded.
type recordedRandomness map[string][]byte

func (r recordedRandomness) get(kind string, epoch abi.ChainEpoch) (out [32]byte, err error) {
	b, ok := r[fmt.Sprint(kind, int64(epoch))]
	if !ok {
		return out, fmt.Errorf("no %s randomness was recorded for epoch %d", kind, epoch)
	}
	copy(out[:], b)
	return out, nil
}

func (r recordedRandomness) ChainRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return r.get("chain", e)
}

func (r recordedRandomness) BeaconRandomness(_ context.Context, e abi.ChainEpoch) ([32]byte, error) {
	return r.get("beacon", e)
}

func (recordedRandomness) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, errors.New("no tipsets were recorded")
}

// VerifyConsensusFault refuses: the headers' chain was not recorded.
func (recordedRandomness) VerifyConsensusFault(context.Context, []byte, []byte, []byte) (*fvm.ConsensusFault, error) {
	return nil, errors.New("no headers were recorded")
}

// corpusDir finds the public corpus, "" when it is not there.
func corpusDir() string {
	if d := os.Getenv("FVM_VECTORS"); d != "" {
		return d
	}
	d := filepath.Join("..", "..", "..", "shared", "data", "fvm-test-vectors-hygge")
	if _, err := os.Stat(d); err == nil {
		return d
	}
	return ""
}

func corpusFiles(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(dir, func(p string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(p) == ".json" {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		t.Fatalf("corpus in %s: %v", dir, err)
	}
	if len(files) == 0 {
		t.Fatalf("the corpus in %s has no vectors", dir)
	}
	return files
}

// verdict is what a vector's run came to.
type verdict struct {
	name     string
	receipt  types.MessageReceipt
	wantGas  int64
	sameRoot bool
	problems []string
}

// corpusSummary adds verdicts up.
type corpusSummary struct {
	judged, equal, sameRoot int // of those that the reference runs, too
	others, othersEqual     int // out of gas
	ratios                  []float64
}

// isDispute tells whether a vector is the dispute of a window post, which the reference
// skips, too.
func isDispute(path string) bool {
	return strings.Contains(filepath.ToSlash(path), "DisputeWindowedPoSt/Ok")
}

// TestPublicCorpus replays recorded mainnet messages. Exit code, return value, gas and the
// root of the whole state must be those of mainnet.
func TestPublicCorpus(t *testing.T) {
	dir := corpusDir()
	if dir == "" {
		t.Log("the public corpus is not here (FVM_VECTORS=dir); TestRecordings checks our own recordings")
		return
	}
	engine := engineFor(t, fvm.EngineConfig{Bundle: "mainnet", ActorsVersion: actorstypes.Version10})
	var sum corpusSummary
	for _, p := range corpusFiles(t, dir) {
		v := runVector(t, engine, p)
		equal := len(v.problems) == 0 && v.sameRoot
		if isDispute(p) {
			t.Logf("not judged: %s: exit %d, gas %d (recorded %d)", v.name, v.receipt.ExitCode, v.receipt.GasUsed, v.wantGas)
			continue
		}
		if !equal {
			t.Errorf("%s: gas %d (recorded %d), same root %v; %s", v.name, v.receipt.GasUsed, v.wantGas, v.sameRoot, strings.Join(v.problems, "; "))
		}
		sum.ratios = append(sum.ratios, float64(v.receipt.GasUsed)/float64(v.wantGas))
		if strings.Contains(p, "OutOfGas") {
			sum.others++
			if equal {
				sum.othersEqual++
			}
			continue
		}
		sum.judged++
		if len(v.problems) == 0 {
			sum.equal++
		}
		if v.sameRoot {
			sum.sameRoot++
		}
	}
	t.Logf("corpus: %d of %d equal in exit code, return and all actors, %d in the root of the whole state; of %d more that ran out of gas %d equal in all",
		sum.equal, sum.judged, sum.sameRoot, sum.others, sum.othersEqual)
	reportGas(t, sum.ratios)
	if sum.judged == 0 {
		t.Error("no vector was judged")
	}
}

// reportGas prints how gas used compares to what was recorded.
func reportGas(t *testing.T, ratios []float64) {
	t.Helper()
	if len(ratios) == 0 {
		return
	}
	slices.Sort(ratios)
	at := func(q float64) float64 { return ratios[int(q*float64(len(ratios)-1))] }
	exact, near := 0, 0
	for _, r := range ratios {
		if r == 1 {
			exact++
		}
		if r > 0.99 && r < 1.01 {
			near++
		}
	}
	t.Logf("gas used / recorded: min %.6f, 5%% %.6f, median %.6f, 95%% %.6f, max %.6f; exactly equal %d, within 1%% %d of %d",
		ratios[0], at(0.05), at(0.5), at(0.95), ratios[len(ratios)-1], exact, near, len(ratios))
}

func readVector(t *testing.T, path string) (*vector, fvm.Blockstore) {
	t.Helper()
	raw := must[[]byte](t)(os.ReadFile(path))
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v vector
	if err := dec.Decode(&v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	store := fvm.NewMemory()
	z := must[*gzip.Reader](t)(gzip.NewReader(bytes.NewReader(v.CAR)))
	cr := must[*car.CarReader](t)(car.NewCarReader(z))
	for {
		b, err := cr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if err := store.Put(context.Background(), b.Cid(), b.RawData()); err != nil {
			t.Fatal(err)
		}
	}
	return &v, store
}

// runVector applies a recorded message.
func runVector(t *testing.T, engine *fvm.Engine, path string) verdict {
	t.Helper()
	ctx := context.Background()
	v, store := readVector(t, path)
	for c, data := range engine.Blocks() {
		if err := store.Put(ctx, c, data); err != nil {
			t.Fatal(err)
		}
	}
	rand := recordedRandomness{}
	for _, r := range v.Randomness {
		rand[fmt.Sprint(r.On[0], r.On[1])] = r.Ret
	}
	pre := must[cid.Cid](t)(v.Preconditions.StateTree.cid())
	post := must[cid.Cid](t)(v.Postconditions.StateTree.cid())
	variant := v.Preconditions.Variants[0]
	disputed := isDispute(path) // the proof in question was bad
	m, err := engine.NewMachine(ctx, fvm.MachineConfig{Store: store, Root: pre, Epoch: variant.Epoch, NetworkVersion: variant.NV,
		BaseFee: must[big.Int](t)(big.FromString(v.Preconditions.BaseFee.String())), CircSupply: must[big.Int](t)(big.FromString(v.Preconditions.CircSupply.String())),
		ChainID: 314, Externs: rand, AcceptProofs: func(string) bool { return !disputed }})
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	msg := must[*types.Message](t)(types.DecodeMessage(v.ApplyMessages[0].Bytes))
	size := len(v.ApplyMessages[0].Bytes)
	if msg.From.Protocol() != address.BLS {
		size = len(must[[]byte](t)((&types.SignedMessage{Message: *msg, Signature: secpSized}).Serialize()))
	}
	res, err := m.Apply(ctx, msg, fvm.Explicit, size)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	want := v.Postconditions.Receipts[0]
	out := verdict{name: filepath.Base(path), receipt: res.Receipt, wantGas: want.GasUsed}
	if res.Receipt.ExitCode != want.ExitCode || !bytes.Equal(res.Receipt.Return, want.Return) {
		out.problems = append(out.problems, fmt.Sprintf("exit %d return %x, recorded %d %x (%s)", res.Receipt.ExitCode, res.Receipt.Return, want.ExitCode, want.Return, res.Error))
	}
	root, err := m.Flush(ctx)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out.sameRoot = root == post
	out.problems = append(out.problems, compareStates(t, store, root, pre, post)...)
	return out
}

// compareStates compares every actor that is in either state after the message; balances
// depend on gas and are left out.
func compareStates(t *testing.T, store fvm.Blockstore, got, pre, want cid.Cid) (problems []string) {
	t.Helper()
	ctx := context.Background()
	a := must[*fvm.StateTree](t)(fvm.LoadStateTree(ctx, store, got))
	b := must[*fvm.StateTree](t)(fvm.LoadStateTree(ctx, store, want))
	before := must[*fvm.StateTree](t)(fvm.LoadStateTree(ctx, store, pre))
	for _, id := range touched(t, store, got, pre, want) {
		x, okX, errX := a.Actor(ctx, id)
		y, okY, errY := b.Actor(ctx, id)
		if errX != nil || errY != nil {
			t.Fatalf("actor f0%d: %v, %v", id, errX, errY)
		}
		if okX != okY {
			problems = append(problems, fmt.Sprintf("actor f0%d: there %v, recorded %v", id, okX, okY))
			continue
		}
		if okX && (x.Code != y.Code || x.Head != y.Head || x.Nonce != y.Nonce) {
			_, had, err := before.Actor(ctx, id)
			problems = append(problems, fmt.Sprintf("actor f0%d (before: %v, %v): code equal %v, head equal %v, nonce %d of %d", id, had, err, x.Code == y.Code, x.Head == y.Head, x.Nonce, y.Nonce))
		}
	}
	return problems
}
