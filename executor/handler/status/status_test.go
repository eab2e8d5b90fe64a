package status

import (
	"context"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/tidegate/tidegate/executor/job"
)

// actors say one thing, of one deal at one epoch.
type actors struct {
	found job.StatusFound
	err   error
}

func (a actors) DealStatus(_ context.Context, of job.Status, epoch uint64) (job.StatusFound, error) {
	if of.Deal != 7 || epoch != 99 {
		return job.StatusFound{}, errors.New("another deal or epoch")
	}
	return a.found, a.err
}

func handle(t *testing.T, a actors, p job.Status) (job.Result, error) {
	t.Helper()
	h, err := New(a)
	if err != nil {
		t.Fatal(err)
	}
	return h.Handle(t.Context(), job.Job{Payload: job.Encode(p), Height: 99}, nil)
}

// TestTheAnswerIsWhatSolidityDecodes reads results as abi.decode(…, (uint8, uint64, bytes)).
func TestTheAnswerIsWhatSolidityDecodes(t *testing.T) {
	var args abi.Arguments
	for _, name := range []string{"uint8", "uint64", "bytes"} {
		typ, err := abi.NewType(name, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, abi.Argument{Type: typ})
	}
	for _, location := range []string{"", "820102", strings.Repeat("ab", 32), strings.Repeat("cd", 33)} {
		raw, err := hex.DecodeString(location)
		if err != nil {
			t.Fatal(err)
		}
		got, err := handle(t, actors{found: job.StatusFound{Status: job.StatusUnknown, Location: raw}}, job.Status{Deal: 7})
		if err != nil || got.Outcome != job.Succeeded {
			t.Fatalf("%+v, %v", got, err)
		}
		want, err := args.Pack(uint8(255), uint64(99), raw)
		if err != nil || string(want) != string(got.Answer) {
			t.Errorf("location %q:\n got %x\nwant %x", location, got.Answer, want)
		}
	}
	if new(big.Int).SetBytes(encode(job.StatusLost, 1, nil)[:32]).Uint64() != 5 {
		t.Error("the status is not the first word")
	}
}

func TestWhatCannotBeAnswered(t *testing.T) {
	for name, p := range map[string]job.Status{
		"malformed": {Deal: 7, Malformed: true}, "a deal and a sector": {Deal: 7, Miner: 1}, "a sector without a miner": {Deal: 7, Sector: 1},
		"a piece without a miner": {Deal: 7, Commitment: [32]byte{1}},
	} {
		if got, err := handle(t, actors{}, p); err != nil || got.Outcome != job.Failed || got.Reason != job.ReasonInvalidContent {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	for name, a := range map[string]actors{
		"the chain cannot be read": {err: errors.New("down")}, "a location that does not fit": {found: job.StatusFound{Location: make([]byte, mostLocation+1)}},
	} {
		var fault *job.Fault
		if _, err := handle(t, a, job.Status{Deal: 7}); !errors.As(err, &fault) || !fault.Retry {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(nil); err == nil {
		t.Error("a handler without a chain")
	}
}
