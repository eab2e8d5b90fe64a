package fvm_test

import (
	"context"
	"crypto/sha256"
	"slices"
	"testing"

	"github.com/filecoin-project/go-address"
	hamt "github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// secpSized is a signature of the size that a secp256k1 one has.
var secpSized = crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: make([]byte, 65)}

// touched lists the actors in which one of two states differs from the state before.
func touched(t *testing.T, store fvm.Blockstore, got, pre, want cid.Cid) []abi.ActorID {
	t.Helper()
	seen := map[abi.ActorID]bool{}
	for _, root := range []cid.Cid{got, want} {
		for _, c := range diff(t, store, pre, root) {
			addr, err := address.NewFromBytes([]byte(c.Key))
			if err != nil {
				t.Fatalf("state tree key %x: %v", c.Key, err)
			}
			id := must[uint64](t)(address.IDFromAddress(addr))
			seen[abi.ActorID(id)] = true
		}
	}
	var ids []abi.ActorID
	for id := range seen {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// diff compares two state trees by their nodes: the recordings have only the nodes that
// differ.
func diff(t *testing.T, store fvm.Blockstore, from, to cid.Cid) []*hamt.Change {
	t.Helper()
	var a, b types.StateRoot
	for out, c := range map[*types.StateRoot]cid.Cid{&a: from, &b: to} {
		if err := fvm.CBORStore(store).Get(context.Background(), c, out); err != nil {
			t.Fatal(err)
		}
	}
	s := fvm.CBORStore(store)
	changes, err := hamt.Diff(context.Background(), s, s, a.Actors, b.Actors, hamt.UseTreeBitWidth(5), hamt.UseHashFunction(func(x []byte) []byte {
		h := sha256.Sum256(x)
		return h[:]
	}))
	if err != nil {
		t.Fatalf("compare state trees: %v", err)
	}
	return changes
}
