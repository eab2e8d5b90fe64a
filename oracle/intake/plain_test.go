package intake

import (
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/oracle/chain"
)

// agree checks that what is read in place is what the bindings read, and that what
// they refuse is not.
func (r *rig) agree(t testing.TB, l chain.Log) (plain bool) {
	t.Helper()
	got, ok := plainRequest(l)
	if !ok {
		return false
	}
	want, err := r.in.announced(&types.Log{Address: l.Address, Topics: l.Topics, Data: l.Data})
	if err != nil {
		t.Fatalf("read in place, but the bindings say %v: %x", err, l.Data)
	}
	if want.payload == nil {
		want.payload = []byte{}
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("read in place\n%+v\nby the bindings\n%+v", got, want)
	}
	return true
}

func agreeOnPin(t testing.TB, raw []byte) (plain bool) {
	t.Helper()
	got, ok := plainPin(raw)
	if !ok {
		return false
	}
	want, err := decodePayload[pinPayload](pinArgs, raw)
	if err != nil {
		t.Fatalf("read in place, but the decoder says %v: %x", err, raw)
	}
	if got.Expiry.Cmp(want.Expiry) != 0 || string(got.Cid) != string(want.Cid) || got.Name != want.Name || got.Requester != want.Requester ||
		got.MaxBytes != want.MaxBytes || !slices.Equal(got.Origins, want.Origins) {
		t.Fatalf("read in place\n%+v\nby the decoder\n%+v", got, want)
	}
	return true
}

func samplePin() pinPayload {
	return pinPayload{Cid: cidBytes, Requester: wallet, MaxBytes: 1 << 40, Expiry: big.NewInt(1 << 39), Origins: []string{"/ip4/1.2.3.4/p2p/x", ""}, Name: "ü"}
}

// What contracts write is read in place, and is the same; so is whatever one changed
// byte leaves readable.
func TestRequestsReadInPlaceAreWhatTheBindingsRead(t *testing.T) {
	r := newRig(t)
	raw := pack(t, samplePin())
	l := requested(t, actionPin, raw)
	if !r.agree(t, l) || !agreeOnPin(t, raw) || !agreeOnPin(t, pack(t, pinPayload{Expiry: new(big.Int)})) {
		t.Fatal("what a contract writes is not read in place")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	plain := 0
	for range 20_000 {
		c := l
		c.Data, c.Topics = slices.Clone(l.Data), slices.Clone(l.Topics)
		p := slices.Clone(raw)
		c.Data[rnd.IntN(len(c.Data))] = byte(rnd.Uint32())
		p[rnd.IntN(len(p))] = byte(rnd.Uint32())
		if rnd.IntN(3) == 0 {
			c.Data, p = c.Data[:rnd.IntN(len(c.Data)+1)], p[:rnd.IntN(len(p)+1)]
		}
		if rnd.IntN(3) == 0 {
			c.Topics[rnd.IntN(3)+1][rnd.IntN(32)] = byte(rnd.Uint32())
		}
		if r.agree(t, c) && agreeOnPin(t, p) {
			plain++
		}
	}
	if plain < 1000 {
		t.Fatalf("only %d of them were read in place", plain)
	}
}

func FuzzPlain(f *testing.F) {
	raw := pack(f, samplePin())
	l := requested(f, actionPin, raw)
	f.Add(l.Topics[1][:], l.Topics[2][:], l.Topics[3][:], l.Data)
	f.Add([]byte{}, []byte{}, []byte{}, raw)
	r := newRig(f)
	f.Fuzz(func(t *testing.T, id, consumer, action, data []byte) {
		r.agree(t, chain.Log{Address: provider, Data: data,
			Topics: []common.Hash{r.in.requested, common.BytesToHash(id), common.BytesToHash(consumer), common.BytesToHash(action)}})
		agreeOnPin(t, data)
	})
}
