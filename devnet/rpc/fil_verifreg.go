package rpc

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	verifreg9 "github.com/filecoin-project/go-state-types/builtin/v9/verifreg"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
)

func (n *node) verifregState(ctx context.Context, key types.TipSetKey) (*verifreg18.State, adt18.Store, error) {
	st := new(verifreg18.State)
	store, err := n.actorState(ctx, builtin.VerifiedRegistryActorAddr, key, st)
	return st, store, err
}

// StateGetAllocations is Filecoin.StateGetAllocations.
func (n *node) StateGetAllocations(ctx context.Context, client address.Address, key types.TipSetKey) (map[verifreg9.AllocationId]verifreg9.Allocation, error) {
	id, err := n.StateLookupID(ctx, client, key)
	if err != nil {
		return nil, err
	}
	st, store, err := n.verifregState(ctx, key)
	if err != nil {
		return nil, err
	}
	all, err := st.LoadAllocationsToMap(store, id)
	if err != nil {
		return nil, fmt.Errorf("getting allocations: %w", err)
	}
	out := make(map[verifreg9.AllocationId]verifreg9.Allocation, len(all))
	for id, a := range all {
		out[verifreg9.AllocationId(id)] = verifreg9.Allocation(a)
	}
	return out, nil
}

// StateGetAllocation is Filecoin.StateGetAllocation: null if there is none.
func (n *node) StateGetAllocation(ctx context.Context, client address.Address, id verifreg9.AllocationId, key types.TipSetKey) (*verifreg9.Allocation, error) {
	all, err := n.StateGetAllocations(ctx, client, key)
	if err != nil {
		return nil, err
	}
	if a, ok := all[id]; ok {
		return &a, nil
	}
	return nil, nil
}

// StateGetClaims is Filecoin.StateGetClaims.
func (n *node) StateGetClaims(ctx context.Context, provider address.Address, key types.TipSetKey) (map[verifreg9.ClaimId]verifreg9.Claim, error) {
	id, err := n.StateLookupID(ctx, provider, key)
	if err != nil {
		return nil, err
	}
	st, store, err := n.verifregState(ctx, key)
	if err != nil {
		return nil, err
	}
	all, err := st.LoadClaimsToMap(store, id)
	if err != nil {
		return nil, fmt.Errorf("getting claims: %w", err)
	}
	out := make(map[verifreg9.ClaimId]verifreg9.Claim, len(all))
	for id, c := range all {
		out[verifreg9.ClaimId(id)] = verifreg9.Claim(c)
	}
	return out, nil
}

// StateGetClaim is Filecoin.StateGetClaim: null if there is none.
func (n *node) StateGetClaim(ctx context.Context, provider address.Address, id verifreg9.ClaimId, key types.TipSetKey) (*verifreg9.Claim, error) {
	all, err := n.StateGetClaims(ctx, provider, key)
	if err != nil {
		return nil, err
	}
	if c, ok := all[id]; ok {
		return &c, nil
	}
	return nil, nil
}

// StateVerifiedClientStatus is Filecoin.StateVerifiedClientStatus: the DataCap that is
// left, null for who never had any.
func (n *node) StateVerifiedClientStatus(ctx context.Context, client address.Address, key types.TipSetKey) (*abi.StoragePower, error) {
	st := new(datacap18.State)
	store, err := n.actorState(ctx, builtin.DatacapActorAddr, key, st)
	if err != nil {
		return nil, err
	}
	id, err := n.StateLookupID(ctx, client, key)
	if err != nil {
		return nil, err
	}
	tokens, err := entryOf(store, st.Token.Balances, int(st.Token.HamtBitWidth), abi.IdAddrKey(id))
	if err != nil || tokens == nil {
		return nil, err
	}
	bytes := big.Div(*tokens, verifreg18.DataCapGranularity)
	return &bytes, nil
}

// StateVerifierStatus is Filecoin.StateVerifierStatus: what a notary may still grant.
func (n *node) StateVerifierStatus(ctx context.Context, notary address.Address, key types.TipSetKey) (*abi.StoragePower, error) {
	st, store, err := n.verifregState(ctx, key)
	if err != nil {
		return nil, err
	}
	id, err := n.StateLookupID(ctx, notary, key)
	if err != nil {
		return nil, err
	}
	return entryOf(store, st.Verifiers, builtin.DefaultHamtBitwidth, abi.AddrKey(id))
}

// entryOf reads a table of amounts; nil for who is not in it.
func entryOf(store adt18.Store, root cid.Cid, width int, who abi.Keyer) (*abi.StoragePower, error) {
	table, err := adt18.AsMap(store, root, width)
	if err != nil {
		return nil, fmt.Errorf("load a table of amounts: %w", err)
	}
	amount := big.Zero()
	found, err := table.Get(who, &amount)
	if err != nil || !found {
		return nil, err
	}
	return &amount, nil
}

// StateVerifiedRegistryRootKey is Filecoin.StateVerifiedRegistryRootKey.
func (n *node) StateVerifiedRegistryRootKey(ctx context.Context, key types.TipSetKey) (address.Address, error) {
	st, _, err := n.verifregState(ctx, key)
	return st.RootKey, err
}
