package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	cron18 "github.com/filecoin-project/go-state-types/builtin/v18/cron"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	evm18 "github.com/filecoin-project/go-state-types/builtin/v18/evm"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	multisig18 "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	paych18 "github.com/filecoin-project/go-state-types/builtin/v18/paych"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	system18 "github.com/filecoin-project/go-state-types/builtin/v18/system"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/cbor"
	"github.com/filecoin-project/go-state-types/manifest"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// stateOf is an empty state of an actor of version 18, by its name in the manifest;
// nil for the actors that have none.
func stateOf(name string) cbor.Unmarshaler {
	switch name {
	case manifest.AccountKey:
		return new(account18.State)
	case manifest.CronKey:
		return new(cron18.State)
	case manifest.DatacapKey:
		return new(datacap18.State)
	case manifest.EvmKey:
		return new(evm18.State)
	case manifest.InitKey:
		return new(init18.State)
	case manifest.MarketKey:
		return new(market18.State)
	case manifest.MinerKey:
		return new(miner18.State)
	case manifest.MultisigKey:
		return new(multisig18.State)
	case manifest.PaychKey:
		return new(paych18.State)
	case manifest.PowerKey:
		return new(power18.State)
	case manifest.RewardKey:
		return new(reward18.State)
	case manifest.SystemKey:
		return new(system18.State)
	case manifest.VerifregKey:
		return new(verifreg18.State)
	}
	return nil
}

func (n *node) readState(ctx context.Context, actor *types.Actor, into cbor.Unmarshaler) error {
	raw, err := n.chain.Store().Get(ctx, actor.Head)
	if err != nil {
		return fmt.Errorf("getting actor head: %w", err)
	}
	if err := into.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
		return fmt.Errorf("decoding actor state: %w", err)
	}
	return nil
}

// accountKey is the address that an account actor's state holds.
func (n *node) accountKey(ctx context.Context, actor *types.Actor) (address.Address, error) {
	var state account18.State
	if err := n.readState(ctx, actor, &state); err != nil {
		return address.Undef, fmt.Errorf("failed to get account actor state: %w", err)
	}
	return state.Address, nil
}

// StateReadState is Filecoin.StateReadState: fields as lotus/api names them, null for
// actors without a state (ethaccount, placeholder, eam).
func (n *node) StateReadState(ctx context.Context, addr address.Address, key types.TipSetKey) (*api.ActorState, error) {
	parent, _, err := n.before(key)
	if err != nil {
		return nil, err
	}
	actor, err := n.chain.Actor(ctx, addr, parent)
	if err != nil {
		return nil, fmt.Errorf("getting actor: %w", err)
	}
	out := &api.ActorState{Balance: actor.Balance, Code: actor.Code}
	state := stateOf(n.chain.Engine().Name(actor.Code))
	if state == nil {
		return out, nil
	}
	if err := n.readState(ctx, actor, state); err != nil {
		return nil, fmt.Errorf("dumping actor state (a:%s): %w", addr, err)
	}
	out.State = state
	return out, nil
}

var errAddressFound = errors.New("robust address found")

// robustAddress looks an id up in the init actor's map, from the values' side.
func (n *node) robustAddress(ctx context.Context, id abi.ActorID, ts *types.TipSet) (address.Address, error) {
	actor, err := n.chain.Actor(ctx, builtin.InitActorAddr, ts)
	if err != nil {
		return address.Undef, fmt.Errorf("load init actor: %w", err)
	}
	var state init18.State
	if err := n.readState(ctx, actor, &state); err != nil {
		return address.Undef, fmt.Errorf("load init state: %w", err)
	}
	store := adt18.WrapStore(ctx, fvm.CBORStore(n.chain.Store()))
	addresses, err := adt18.AsMap(store, state.AddressMap, builtin.DefaultHamtBitwidth)
	if err != nil {
		return address.Undef, fmt.Errorf("load init state: %w", err)
	}
	robust := address.Undef
	var value cbg.CborInt
	err = addresses.ForEach(&value, func(key string) error {
		if abi.ActorID(value) != id {
			return nil
		}
		if robust, err = address.NewFromBytes([]byte(key)); err != nil {
			return fmt.Errorf("address in the init actor's map: %w", err)
		}
		return errAddressFound
	})
	switch {
	case errors.Is(err, errAddressFound):
		return robust, nil
	case err != nil:
		return address.Undef, fmt.Errorf("finding address: %w", err)
	}
	return address.Undef, fmt.Errorf("Address f0%d not found", id) // Lotus's words
}
