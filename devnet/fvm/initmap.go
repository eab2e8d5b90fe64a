package fvm

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	hamt "github.com/filecoin-project/go-hamt-ipld/v3"
	"github.com/filecoin-project/go-state-types/abi"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// initActor keeps the map from addresses to ids.
const initActor abi.ActorID = 1

// initMapCache is the init actor's map as last loaded, so that a resolution does not decode
// it anew each time.
type initMapCache struct {
	root cid.Cid
	node *hamt.Node
}

func actorVisitor(f func(abi.ActorID, *types.Actor) error) func(string, *cbg.Deferred) error {
	return func(k string, v *cbg.Deferred) error {
		addr, err := address.NewFromBytes([]byte(k))
		if err != nil {
			return fmt.Errorf("state tree key %x is no address: %w", k, err)
		}
		id, err := address.IDFromAddress(addr)
		if err != nil {
			return fmt.Errorf("state tree key %s is no actor id: %w", addr, err)
		}
		var a types.Actor
		if err := a.UnmarshalCBOR(bytes.NewReader(v.Raw)); err != nil {
			return fmt.Errorf("decode actor %s: %w", addr, err)
		}
		return f(abi.ActorID(id), &a)
	}
}

// initState returns the init actor, its state and its map.
func (t *StateTree) initState(ctx context.Context) (*types.Actor, *init18.State, *hamt.Node, error) {
	a, ok, err := t.Actor(ctx, initActor)
	if err != nil {
		return nil, nil, nil, err
	}
	if !ok {
		return nil, nil, nil, errors.New("the state has no init actor (f01), so no address can be resolved")
	}
	var st init18.State
	if err := CBORStore(t.bs).Get(ctx, a.Head, &st); err != nil {
		return nil, nil, nil, fmt.Errorf("load the init actor's state: %w", err)
	}
	if t.initMap.node == nil || t.initMap.root != st.AddressMap {
		node, err := hamt.LoadNode(ctx, CBORStore(t.bs), st.AddressMap, hamtOptions()...)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("load the init actor's address map: %w", err)
		}
		t.initMap = initMapCache{root: st.AddressMap, node: node}
	}
	return a, &st, t.initMap.node, nil
}

// Resolve returns the id behind any kind of address; false when the address is not known.
// An id address is its own answer, whether or not such an actor exists.
func (t *StateTree) Resolve(ctx context.Context, a address.Address) (abi.ActorID, bool, error) {
	if a.Protocol() == address.ID {
		id, err := address.IDFromAddress(a)
		if err != nil {
			return 0, false, fmt.Errorf("resolve %s: %w", a, err)
		}
		return abi.ActorID(id), true, nil
	}
	if id, ok := t.resolved.get(a); ok {
		return id, true, nil
	}
	_, _, m, err := t.initState(ctx)
	if err != nil {
		return 0, false, fmt.Errorf("resolve %s: %w", a, err)
	}
	var id cbg.CborInt
	found, err := m.Find(ctx, string(a.Bytes()), &id)
	if err != nil || !found {
		if err != nil {
			err = fmt.Errorf("resolve %s: %w", a, err)
		}
		return 0, false, err
	}
	t.resolved.set(a, abi.ActorID(id))
	return abi.ActorID(id), true, nil
}

// Register gives an address the next free id in the init actor's map, as the chain does
// when a message goes to a new address. The init actor must exist; the actor with the new
// id is the caller's to set.
func (t *StateTree) Register(ctx context.Context, a address.Address) (abi.ActorID, error) {
	_, st, _, err := t.initState(ctx)
	if err != nil {
		return 0, fmt.Errorf("register %s: %w", a, err)
	}
	id := st.NextID
	if err := t.bind(ctx, a, id, id+1); err != nil {
		return 0, fmt.Errorf("register %s: %w", a, err)
	}
	return id, nil
}

// Bind writes an address with a chosen id into the init actor's map, as a genesis does for
// actors with ids below 1000. The counter of free ids stays.
func (t *StateTree) Bind(ctx context.Context, a address.Address, id abi.ActorID) error {
	_, st, _, err := t.initState(ctx)
	if err == nil {
		err = t.bind(ctx, a, id, st.NextID)
	}
	if err != nil {
		return fmt.Errorf("bind %s to f0%d: %w", a, id, err)
	}
	return nil
}

func (t *StateTree) bind(ctx context.Context, a address.Address, id, next abi.ActorID) error {
	act, st, m, err := t.initState(ctx)
	if err != nil {
		return err
	}
	// The cached node changes in place; until it is written it belongs to no root.
	t.initMap = initMapCache{}
	v := cbg.CborInt(id)
	if err := m.Set(ctx, string(a.Bytes()), &v); err != nil {
		return err
	}
	if st.AddressMap, err = m.Write(ctx); err != nil {
		return err
	}
	t.initMap = initMapCache{root: st.AddressMap, node: m}
	st.NextID = next
	if act.Head, err = CBORStore(t.bs).Put(ctx, st); err != nil {
		return err
	}
	t.SetActor(initActor, act)
	t.resolved.set(a, id)
	return nil
}
