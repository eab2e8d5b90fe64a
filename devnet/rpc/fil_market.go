package rpc

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	market9 "github.com/filecoin-project/go-state-types/builtin/v9/market"
	verifreg9 "github.com/filecoin-project/go-state-types/builtin/v9/verifreg"
	"github.com/filecoin-project/go-state-types/cbor"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// actorState reads an actor's state as a tipset's messages find it.
func (n *node) actorState(ctx context.Context, addr address.Address, key types.TipSetKey, into cbor.Unmarshaler) (adt18.Store, error) {
	store := adt18.WrapStore(ctx, fvm.CBORStore(n.chain.Store()))
	parent, _, err := n.before(key)
	if err != nil {
		return store, err
	}
	actor, err := n.chain.Actor(ctx, addr, parent)
	if err != nil {
		return store, fmt.Errorf("failed to load actor %s: %w", addr, err)
	}
	return store, n.readState(ctx, actor, into)
}

func (n *node) marketState(ctx context.Context, key types.TipSetKey) (*market18.State, adt18.Store, error) {
	st := new(market18.State)
	store, err := n.actorState(ctx, builtin.StorageMarketActorAddr, key, st)
	return st, store, err
}

// StateMarketStorageDeal is Filecoin.StateMarketStorageDeal. A deal that never was, or
// is over and cleaned, is an error.
func (n *node) StateMarketStorageDeal(ctx context.Context, id abi.DealID, key types.TipSetKey) (*api.MarketDeal, error) {
	st, store, err := n.marketState(ctx, key)
	if err != nil {
		return nil, err
	}
	proposals, err := adt18.AsArray(store, st.Proposals, market18.ProposalsAmtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("failed to get proposals from state: %w", err)
	}
	deal := &api.MarketDeal{State: unsetDeal}
	found, err := proposals.Get(uint64(id), &deal.Proposal)
	if err != nil {
		return nil, fmt.Errorf("failed to get proposal: %w", err)
	}
	if !found {
		return nil, fmt.Errorf("deal %d not found - deal may not have completed sealing before deal proposal start epoch, or deal may have been slashed", id)
	}
	states, err := adt18.AsArray(store, st.States, market18.StatesAmtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("failed to get states: %w", err)
	}
	return deal, dealState(states, id, &deal.State)
}

// unsetDeal is the state of a deal that is in no sector yet.
var unsetDeal = api.MarketDealState{SectorStartEpoch: -1, LastUpdatedEpoch: -1, SlashEpoch: -1}

func dealState(states *adt18.Array, id abi.DealID, into *api.MarketDealState) error {
	var state market18.DealState
	found, err := states.Get(uint64(id), &state)
	if err != nil {
		return fmt.Errorf("failed to get state of deal %d: %w", id, err)
	}
	if found {
		*into = api.MarketDealState{
			SectorNumber: state.SectorNumber, SectorStartEpoch: state.SectorStartEpoch,
			LastUpdatedEpoch: state.LastUpdatedEpoch, SlashEpoch: state.SlashEpoch,
		}
	}
	return nil
}

// StateMarketDeals is Filecoin.StateMarketDeals: all deals by id.
func (n *node) StateMarketDeals(ctx context.Context, key types.TipSetKey) (map[string]*api.MarketDeal, error) {
	st, store, err := n.marketState(ctx, key)
	if err != nil {
		return nil, err
	}
	proposals, err := adt18.AsArray(store, st.Proposals, market18.ProposalsAmtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("failed to get proposals from state: %w", err)
	}
	states, err := adt18.AsArray(store, st.States, market18.StatesAmtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("failed to get states: %w", err)
	}
	out := map[string]*api.MarketDeal{}
	var proposal market9.DealProposal
	err = proposals.ForEach(&proposal, func(id int64) error {
		deal := &api.MarketDeal{Proposal: proposal, State: unsetDeal}
		out[fmt.Sprint(id)] = deal
		return dealState(states, abi.DealID(id), &deal.State)
	})
	return out, err
}

// StateMarketBalance is Filecoin.StateMarketBalance: zero for who never had any.
func (n *node) StateMarketBalance(ctx context.Context, addr address.Address, key types.TipSetKey) (api.MarketBalance, error) {
	out := api.MarketBalance{Escrow: big.Zero(), Locked: big.Zero()}
	st, store, err := n.marketState(ctx, key)
	if err != nil {
		return out, err
	}
	id, err := n.StateLookupID(ctx, addr, key)
	if err != nil {
		return out, err
	}
	for _, table := range []struct {
		root cid.Cid
		to   *big.Int
	}{{st.EscrowTable, &out.Escrow}, {st.LockedTable, &out.Locked}} {
		balances, err := adt18.AsMap(store, table.root, adt18.BalanceTableBitwidth)
		if err != nil {
			return out, fmt.Errorf("market balances: %w", err)
		}
		if _, err := balances.Get(abi.AddrKey(id), table.to); err != nil {
			return out, fmt.Errorf("market balance of %s: %w", addr, err)
		}
	}
	return out, nil
}

// StateMarketProposalPending is Filecoin.StateMarketProposalPending: whether a proposal
// of this CID, with addresses as ids, waits for its activation.
func (n *node) StateMarketProposalPending(ctx context.Context, proposal cid.Cid, key types.TipSetKey) (bool, error) {
	st, store, err := n.marketState(ctx, key)
	if err != nil {
		return false, err
	}
	pending, err := adt18.AsSet(store, st.PendingProposals, builtin.DefaultHamtBitwidth)
	if err != nil {
		return false, fmt.Errorf("load pending proposals: %w", err)
	}
	return pending.Has(abi.CidKey(proposal))
}

// collateralFactor is by how much Lotus raises the minimum, in percent.
const collateralFactor = 110

// StateDealProviderCollateralBounds is Filecoin.StateDealProviderCollateralBounds. The
// minimum is that of public networks raised by a tenth, as in Lotus; the actors of
// this chain want none.
func (n *node) StateDealProviderCollateralBounds(ctx context.Context, size abi.PaddedPieceSize, verified bool, key types.TipSetKey) (api.DealCollateralBounds, error) {
	var out api.DealCollateralBounds
	power, _, err := n.powerState(ctx, key)
	if err != nil {
		return out, err
	}
	reward := new(reward18.State)
	if _, err := n.actorState(ctx, builtin.RewardActorAddr, key, reward); err != nil {
		return out, err
	}
	supply, err := n.StateVMCirculatingSupplyInternal(ctx, key)
	if err != nil {
		return out, err
	}
	least, most := market18.DealProviderCollateralBounds(size, verified, power.ThisEpochRawBytePower, power.ThisEpochQualityAdjPower,
		reward.ThisEpochBaselinePower, supply.FilCirculating)
	out.Min = big.Div(big.Mul(least, big.NewInt(collateralFactor)), big.NewInt(100))
	out.Max = most
	return out, nil
}

// StateGetAllocationIdForPendingDeal is Filecoin.StateGetAllocationIdForPendingDeal: 0,
// which is no allocation, if there is none.
func (n *node) StateGetAllocationIdForPendingDeal(ctx context.Context, deal abi.DealID, key types.TipSetKey) (verifreg9.AllocationId, error) {
	st, store, err := n.marketState(ctx, key)
	if err != nil {
		return 0, err
	}
	pending, err := adt18.AsMap(store, st.PendingDealAllocationIds, builtin.DefaultHamtBitwidth)
	if err != nil {
		return 0, fmt.Errorf("load pending allocations of deals: %w", err)
	}
	var id cbg.CborInt
	if _, err := pending.Get(abi.UIntKey(uint64(deal)), &id); err != nil {
		return 0, fmt.Errorf("pending allocation of deal %d: %w", deal, err)
	}
	return verifreg9.AllocationId(id), nil
}

// StateGetAllocationForPendingDeal is Filecoin.StateGetAllocationForPendingDeal.
func (n *node) StateGetAllocationForPendingDeal(ctx context.Context, deal abi.DealID, key types.TipSetKey) (*verifreg9.Allocation, error) {
	id, err := n.StateGetAllocationIdForPendingDeal(ctx, deal, key)
	if err != nil || id == 0 {
		return nil, err
	}
	info, err := n.StateMarketStorageDeal(ctx, deal, key)
	if err != nil {
		return nil, err
	}
	return n.StateGetAllocation(ctx, info.Proposal.Client, id, key)
}

// StateListMiners is Filecoin.StateListMiners: every miner with a claim of power.
func (n *node) StateListMiners(ctx context.Context, key types.TipSetKey) ([]address.Address, error) {
	st, store, err := n.powerState(ctx, key)
	if err != nil {
		return nil, err
	}
	claims, err := adt18.AsMap(store, st.Claims, builtin.DefaultHamtBitwidth)
	if err != nil {
		return nil, fmt.Errorf("load claims: %w", err)
	}
	var out []address.Address
	err = claims.ForEach(nil, func(key string) error {
		addr, err := address.NewFromBytes([]byte(key))
		out = append(out, addr)
		return err
	})
	return out, err
}

// MarketAddBalance is Filecoin.MarketAddBalance: a message of a wallet of the node.
func (n *node) MarketAddBalance(ctx context.Context, wallet, addr address.Address, amount types.BigInt) (cid.Cid, error) {
	params, err := encode(&addr)
	if err != nil {
		return cid.Undef, err
	}
	signed, err := n.MpoolPushMessage(ctx, &types.Message{
		To: builtin.StorageMarketActorAddr, From: wallet, Value: amount, Method: builtin.MethodsMarket.AddBalance, Params: params,
	}, nil)
	if err != nil {
		return cid.Undef, err
	}
	return signed.Cid(), nil
}
