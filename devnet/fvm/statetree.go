package fvm

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/filecoin-project/go-address"
	hamt "github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
)

// hamtBits is the width of a HAMT node everywhere in Filecoin's state.
const hamtBits = 5

func hamtOptions() []hamt.Option {
	return []hamt.Option{hamt.UseTreeBitWidth(hamtBits), hamt.UseHashFunction(func(b []byte) []byte {
		h := sha256.Sum256(b)
		return h[:]
	})}
}

// emptyArray is the state of an actor that has none yet: an empty CBOR array.
var emptyArray = []byte{0x80}

// StateTree is the map from actors to what the chain knows of them, kept as the network
// keeps it: a HAMT under a version 5 state root. Changes stay in memory until Flush. It is
// not safe for concurrent use.
type StateTree struct {
	bs   Blockstore
	hamt *hamt.Node
	info cid.Cid

	actors   history[abi.ActorID, actorEntry]
	resolved history[address.Address, abi.ActorID]
	layers   []treeMark
	initMap  initMapCache
}

type actorEntry struct {
	actor *types.Actor // nil: there is none
	dirty bool
}

// treeMark is a point that the tree can return to.
type treeMark struct{ actors, resolved int }

// NewStateTree makes a state without any actor, whose blocks go to bs.
func NewStateTree(ctx context.Context, bs Blockstore) (*StateTree, error) {
	node, err := hamt.NewNode(CBORStore(bs), hamtOptions()...)
	if err != nil {
		return nil, fmt.Errorf("make an empty state tree: %w", err)
	}
	info, err := CBORStore(bs).Put(ctx, &types.StateInfo0{})
	if err != nil {
		return nil, fmt.Errorf("make an empty state tree: %w", err)
	}
	if _, err := PutBlock(ctx, bs, codecDagCBOR, emptyArray); err != nil {
		return nil, fmt.Errorf("make an empty state tree: %w", err)
	}
	return newStateTree(bs, node, info), nil
}

// LoadStateTree opens the state under a state root CID as block headers carry it.
func LoadStateTree(ctx context.Context, bs Blockstore, root cid.Cid) (*StateTree, error) {
	var sr types.StateRoot
	if err := CBORStore(bs).Get(ctx, root, &sr); err != nil {
		return nil, fmt.Errorf("load state root %s: %w", root, err)
	}
	if sr.Version != types.StateTreeVersion5 {
		return nil, fmt.Errorf("state root %s has version %d; only version 5 (actors v10 and later) is known", root, sr.Version)
	}
	node, err := hamt.LoadNode(ctx, CBORStore(bs), sr.Actors, hamtOptions()...)
	if err != nil {
		return nil, fmt.Errorf("load the actors of state root %s: %w", root, err)
	}
	return newStateTree(bs, node, sr.Info), nil
}

func newStateTree(bs Blockstore, node *hamt.Node, info cid.Cid) *StateTree {
	return &StateTree{bs: bs, hamt: node, info: info,
		actors: newHistory[abi.ActorID, actorEntry](), resolved: newHistory[address.Address, abi.ActorID]()}
}

func actorKey(id abi.ActorID) (string, error) {
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		return "", fmt.Errorf("actor id %d has no address: %w", id, err)
	}
	return string(a.Bytes()), nil
}

// Actor returns an actor by its id; false when there is none. The result is the caller's.
func (t *StateTree) Actor(ctx context.Context, id abi.ActorID) (*types.Actor, bool, error) {
	e, ok := t.actors.get(id)
	if !ok {
		key, err := actorKey(id)
		if err != nil {
			return nil, false, nil // no such id can be in the tree
		}
		var a types.Actor
		found, err := t.hamt.Find(ctx, key, &a)
		if err != nil {
			return nil, false, fmt.Errorf("look up actor f0%d: %w", id, err)
		}
		if found {
			e.actor = &a
		}
		t.actors.cache(id, e)
	}
	if e.actor == nil {
		return nil, false, nil
	}
	cp := *e.actor
	return &cp, true, nil
}

// SetActor makes a the actor with this id. The tree keeps a copy.
func (t *StateTree) SetActor(id abi.ActorID, a *types.Actor) {
	cp := *a
	t.actors.set(id, actorEntry{actor: &cp, dirty: true})
}

// DeleteActor removes an actor; removing one that does not exist does nothing.
func (t *StateTree) DeleteActor(id abi.ActorID) { t.actors.set(id, actorEntry{dirty: true}) }

// begin opens a layer that end can take back.
func (t *StateTree) begin() {
	t.layers = append(t.layers, treeMark{t.actors.mark(), t.resolved.mark()})
}

// end closes the innermost layer, undoing all that happened in it when revert is true.
func (t *StateTree) end(revert bool) error {
	if len(t.layers) == 0 {
		return errors.New("state tree: a layer ends that was not begun")
	}
	mark := t.layers[len(t.layers)-1]
	t.layers = t.layers[:len(t.layers)-1]
	if revert {
		t.actors.rollback(mark.actors)
		t.resolved.rollback(mark.resolved)
	}
	if len(t.layers) == 0 {
		t.actors.forget()
		t.resolved.forget()
	}
	return nil
}

// Flush writes the tree and returns the CID of its state root. It fails inside a call.
func (t *StateTree) Flush(ctx context.Context) (cid.Cid, error) {
	if len(t.layers) > 0 {
		return cid.Undef, errors.New("state tree: cannot be flushed while a call runs")
	}
	ids := make([]abi.ActorID, 0, len(t.actors.m))
	for id, e := range t.actors.m {
		if e.dirty {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		if err := t.flushActor(ctx, id); err != nil {
			return cid.Undef, fmt.Errorf("flush actor f0%d: %w", id, err)
		}
	}
	t.actors.forget()
	actors, err := t.hamt.Write(ctx)
	if err != nil {
		return cid.Undef, fmt.Errorf("flush the state tree: %w", err)
	}
	return CBORStore(t.bs).Put(ctx, &types.StateRoot{Version: types.StateTreeVersion5, Actors: actors, Info: t.info})
}

func (t *StateTree) flushActor(ctx context.Context, id abi.ActorID) error {
	key, err := actorKey(id)
	if err != nil {
		return err
	}
	e := t.actors.m[id]
	if e.actor == nil {
		_, err = t.hamt.Delete(ctx, key)
	} else {
		err = t.hamt.Set(ctx, key, e.actor)
	}
	if err != nil {
		return err
	}
	t.actors.cache(id, actorEntry{actor: e.actor})
	return nil
}

// ForEach calls f for every actor of the last flushed state, in the HAMT's order. Changes
// since then are not seen.
func (t *StateTree) ForEach(ctx context.Context, f func(id abi.ActorID, a *types.Actor) error) error {
	return t.hamt.ForEach(ctx, actorVisitor(f))
}
