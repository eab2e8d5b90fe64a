package provider

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	adt18 "github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	"github.com/filecoin-project/go-state-types/manifest"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// Query runs a call at the head's state and forgets what it did: what it returned, as
// StateCall of a node. From may be any actor. Errors: *ExitError.
func (f *Fleet) Query(ctx context.Context, from address.Address, call Call) ([]byte, error) {
	params, err := encode(call.Params)
	if err != nil {
		return nil, err
	}
	if call.Value.Int == nil {
		call.Value = big.Zero()
	}
	machine, err := f.chain.Machine(ctx, nil, chain.MachineOptions{Free: true})
	if err != nil {
		return nil, err
	}
	result, err := machine.Apply(ctx, &types.Message{
		From: from, To: call.To, Value: call.Value, Method: call.Method, Params: params,
		GasLimit: buildconstants.BlockGasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	}, fvm.Implicit, 0)
	if err != nil {
		return nil, fmt.Errorf("query %s, method %d: %w", call.To, call.Method, err)
	}
	if code := result.Receipt.ExitCode; code.IsError() {
		return nil, &ExitError{To: call.To, Method: call.Method, Code: code, Reason: result.Error, Data: result.Receipt.Return}
	}
	return result.Receipt.Return, nil
}

// KeyAddress is the address whose key signs for an account, f1 or f3; of a contract or
// an Ethereum account it is the f410 address, as StateAccountKey of a node says.
func (f *Fleet) KeyAddress(ctx context.Context, addr address.Address) (address.Address, error) {
	if p := addr.Protocol(); p == address.SECP256K1 || p == address.BLS {
		return addr, nil
	}
	actor, err := f.chain.Actor(ctx, addr, nil)
	if err != nil {
		return address.Undef, err
	}
	if actor.DelegatedAddress != nil {
		return *actor.DelegatedAddress, nil
	}
	if name := f.chain.Engine().Name(actor.Code); name != manifest.AccountKey {
		return address.Undef, fmt.Errorf("%s is a %s, which has no key", addr, name)
	}
	st := new(account18.State)
	_, err = load(ctx, atHead{f.chain}, addr, st)
	return st.Address, err
}

// Escrow is what the market holds for a client or provider, and how much of it is bound
// to deals.
func (f *Fleet) Escrow(ctx context.Context, addr address.Address) (escrow, locked abi.TokenAmount, err error) {
	escrow, locked = big.Zero(), big.Zero()
	id, err := f.chain.Resolve(ctx, addr, nil)
	if err != nil {
		return escrow, locked, err
	}
	key, err := address.NewIDAddress(uint64(id))
	if err != nil {
		return escrow, locked, err
	}
	st := new(market18.State)
	store, err := load(ctx, atHead{f.chain}, builtin.StorageMarketActorAddr, st)
	if err != nil {
		return escrow, locked, err
	}
	for _, table := range []struct {
		root cid.Cid
		to   *abi.TokenAmount
	}{{st.EscrowTable, &escrow}, {st.LockedTable, &locked}} {
		balances, err := adt18.AsMap(store, table.root, adt18.BalanceTableBitwidth)
		if err == nil {
			_, err = balances.Get(abi.AddrKey(key), table.to)
		}
		if err != nil {
			return escrow, locked, fmt.Errorf("escrow of %s: %w", addr, err)
		}
	}
	return escrow, locked, nil
}

// leastCollateral is what nodes tell clients as the least, in percent of what the market
// wants (lotus node/impl/full/state.go).
const leastCollateral = 110

// LeastCollateral is the least that a provider puts up for a deal on public networks,
// raised as nodes do. The actors of this chain want none.
func (f *Fleet) LeastCollateral(ctx context.Context, size abi.PaddedPieceSize, verified bool) (abi.TokenAmount, error) {
	power, reward := new(power18.State), new(reward18.State)
	if _, err := load(ctx, atHead{f.chain}, builtin.StoragePowerActorAddr, power); err != nil {
		return big.Zero(), err
	}
	if _, err := load(ctx, atHead{f.chain}, builtin.RewardActorAddr, reward); err != nil {
		return big.Zero(), err
	}
	supply, err := f.chain.Supply(ctx, nil)
	if err != nil {
		return big.Zero(), err
	}
	least, _ := market18.DealProviderCollateralBounds(size, verified, power.ThisEpochRawBytePower, power.ThisEpochQualityAdjPower,
		reward.ThisEpochBaselinePower, supply.Circulating)
	return big.Div(big.Mul(least, big.NewInt(leastCollateral)), big.NewInt(100)), nil
}
