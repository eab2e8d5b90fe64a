package provider

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/batch"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
)

// AddNotary lets an account grant so many bytes of DataCap. The registry's root key,
// which is a plain account here, signs.
func (f *Fleet) AddNotary(ctx context.Context, notary address.Address, bytes abi.StoragePower) error {
	_, err := f.Send(ctx, f.chain.RegistryRoot(), Call{
		To: builtin.VerifiedRegistryActorAddr, Method: builtin.MethodsVerifiedRegistry.AddVerifier,
		Params: &verifreg18.AddVerifierParams{Address: notary, Allowance: bytes},
	})
	if err != nil {
		return fmt.Errorf("add notary %s: %w", notary, err)
	}
	return nil
}

// GrantDataCap gives so many bytes of DataCap to a client: an account, or a contract,
// whose Receive hook must accept them.
func (f *Fleet) GrantDataCap(ctx context.Context, notary chain.Account, client address.Address, bytes abi.StoragePower) error {
	_, err := f.Send(ctx, notary, Call{
		To: builtin.VerifiedRegistryActorAddr, Method: builtin.MethodsVerifiedRegistry.AddVerifiedClient,
		Params: &verifreg18.AddVerifiedClientParams{Address: client, Allowance: bytes},
	})
	if err != nil {
		return fmt.Errorf("grant DataCap to %s: %w", client, err)
	}
	return nil
}

// DataCap is how many bytes a client may still allocate. A contract may be given as
// f410 or by id.
func (f *Fleet) DataCap(ctx context.Context, client address.Address) (abi.StoragePower, error) {
	id, err := f.chain.Resolve(ctx, client, nil)
	if err != nil {
		return big.Zero(), err
	}
	addr, err := address.NewIDAddress(uint64(id))
	if err != nil {
		return big.Zero(), err
	}
	st := new(datacap18.State)
	store, err := load(ctx, atHead{f.chain}, builtin.DatacapActorAddr, st)
	if err != nil {
		return big.Zero(), err
	}
	balances, err := adt18.AsMap(store, st.Token.Balances, int(st.Token.HamtBitWidth))
	if err != nil {
		return big.Zero(), fmt.Errorf("DataCap of %s: %w", client, err)
	}
	tokens := big.Zero()
	if _, err := balances.Get(abi.IdAddrKey(addr), &tokens); err != nil {
		return big.Zero(), fmt.Errorf("DataCap of %s: %w", client, err)
	}
	return big.Div(tokens, verifreg18.DataCapGranularity), nil
}

// AllocationTransfer is the DataCap transfer that makes allocations and extends claims
// of others: parameters of the method Transfer of f07, for an account or a contract.
func AllocationTransfer(requests verifreg18.AllocationRequests, extended abi.PaddedPieceSize) (*datacap18.TransferParams, error) {
	total := big.NewIntUnsigned(uint64(extended))
	for _, r := range requests.Allocations {
		total = big.Add(total, big.NewIntUnsigned(uint64(r.Size)))
	}
	operator, err := encode(&requests)
	if err != nil {
		return nil, err
	}
	return &datacap18.TransferParams{
		To: builtin.VerifiedRegistryActorAddr, Amount: big.Mul(total, verifreg18.DataCapGranularity), OperatorData: operator,
	}, nil
}

// Allocate spends a client's DataCap on pieces that providers may claim, and gives the
// allocations' ids in order.
func (f *Fleet) Allocate(ctx context.Context, client chain.Account, requests ...verifreg18.AllocationRequest) ([]verifreg18.AllocationId, error) {
	answer, err := f.transferDataCap(ctx, client, verifreg18.AllocationRequests{Allocations: requests}, 0)
	if err != nil {
		return nil, fmt.Errorf("allocate DataCap of %s: %w", client.Address, err)
	}
	return answer.NewAllocations, nil
}

// ExtendClaimsOfOthers extends claims by DataCap, as any client may; bytes is the size
// of the claims together.
func (f *Fleet) ExtendClaimsOfOthers(ctx context.Context, client chain.Account, bytes abi.PaddedPieceSize, requests ...verifreg18.ClaimExtensionRequest) error {
	if _, err := f.transferDataCap(ctx, client, verifreg18.AllocationRequests{Extensions: requests}, bytes); err != nil {
		return fmt.Errorf("extend claims by DataCap of %s: %w", client.Address, err)
	}
	return nil
}

func (f *Fleet) transferDataCap(ctx context.Context, client chain.Account, requests verifreg18.AllocationRequests, extended abi.PaddedPieceSize) (*verifreg18.AllocationsResponse, error) {
	params, err := AllocationTransfer(requests, extended)
	if err != nil {
		return nil, err
	}
	returned, err := f.Send(ctx, client, Call{To: builtin.DatacapActorAddr, Method: builtin.MethodsDatacap.TransferExported, Params: params})
	if err != nil {
		return nil, err
	}
	var moved datacap18.TransferReturn
	if err := decode(returned, &moved); err != nil {
		return nil, err
	}
	answer := new(verifreg18.AllocationsResponse)
	return answer, decode(moved.RecipientData, answer)
}

// ExtendClaims moves the latest end of claims, which only the client that allocated
// them may do so. The result says which failed.
func (f *Fleet) ExtendClaims(ctx context.Context, client chain.Account, terms ...verifreg18.ClaimTerm) (batch.BatchReturn, error) {
	var out batch.BatchReturn
	returned, err := f.Send(ctx, client, Call{
		To: builtin.VerifiedRegistryActorAddr, Method: builtin.MethodsVerifiedRegistry.ExtendClaimTerms,
		Params: &verifreg18.ExtendClaimTermsParams{Terms: terms},
	})
	if err == nil {
		err = decode(returned, &out)
	}
	if err != nil {
		return out, fmt.Errorf("extend claims of %s: %w", client.Address, err)
	}
	return out, nil
}

// RemoveExpiredAllocations gives a client the DataCap of allocations back that nobody
// claimed in time: of these, or of all that expired if none is named. Anyone may.
func (f *Fleet) RemoveExpiredAllocations(ctx context.Context, by chain.Account, client abi.ActorID, ids ...verifreg18.AllocationId) (verifreg18.RemoveExpiredAllocationsReturn, error) {
	var out verifreg18.RemoveExpiredAllocationsReturn
	returned, err := f.Send(ctx, by, Call{
		To: builtin.VerifiedRegistryActorAddr, Method: builtin.MethodsVerifiedRegistry.RemoveExpiredAllocations,
		Params: &verifreg18.RemoveExpiredAllocationsParams{Client: client, AllocationIds: ids},
	})
	if err == nil {
		err = decode(returned, &out)
	}
	if err != nil {
		return out, fmt.Errorf("remove expired allocations of f0%d: %w", client, err)
	}
	return out, nil
}

// Allocations are what a client allocated and nobody has claimed.
func (f *Fleet) Allocations(ctx context.Context, client abi.ActorID) (map[verifreg18.AllocationId]verifreg18.Allocation, error) {
	return registered(ctx, f, client, (*verifreg18.State).LoadAllocationsToMap)
}

// Claims are the verified data that a provider stores.
func (f *Fleet) Claims(ctx context.Context, provider abi.ActorID) (map[verifreg18.ClaimId]verifreg18.Claim, error) {
	return registered(ctx, f, provider, (*verifreg18.State).LoadClaimsToMap)
}

// registered reads what the verified registry has of an actor at the head.
func registered[T any](ctx context.Context, f *Fleet, of abi.ActorID, read func(*verifreg18.State, adt18.Store, address.Address) (T, error)) (none T, err error) {
	addr, err := address.NewIDAddress(uint64(of))
	if err != nil {
		return none, err
	}
	st := new(verifreg18.State)
	store, err := load(ctx, atHead{f.chain}, builtin.VerifiedRegistryActorAddr, st)
	if err != nil {
		return none, err
	}
	return read(st, store, addr)
}

// PendingAllocation is the allocation that the market made for a verified deal, as long
// as the deal is not active: the sector that is to hold the deal has to claim it. nil if
// there is none.
func (f *Fleet) PendingAllocation(ctx context.Context, client address.Address, deal abi.DealID) (*Allocation, error) {
	owner, err := f.chain.Resolve(ctx, client, nil)
	if err != nil {
		return nil, err
	}
	st := new(market18.State)
	store, err := load(ctx, atHead{f.chain}, builtin.StorageMarketActorAddr, st)
	if err != nil {
		return nil, err
	}
	pending, err := adt18.AsMap(store, st.PendingDealAllocationIds, builtin.DefaultHamtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("allocation of deal %d: %w", deal, err)
	}
	var id cbg.CborInt
	found, err := pending.Get(abi.UIntKey(uint64(deal)), &id)
	if err != nil {
		return nil, fmt.Errorf("allocation of deal %d: %w", deal, err)
	}
	if !found {
		return nil, nil
	}
	return &Allocation{Client: owner, ID: verifreg18.AllocationId(id)}, nil
}
