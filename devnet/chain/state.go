package chain

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Supply is where the FIL is, in attoFIL, by the names of Lotus's API.
type Supply struct {
	Vested           abi.TokenAmount // what the genesis gave to accounts
	Mined            abi.TokenAmount // what the reward actor has paid out
	ReserveDisbursed abi.TokenAmount // zero: there is no reserve
	Burnt            abi.TokenAmount // balance of f099
	Locked           abi.TokenAmount // pledges
	Circulating      abi.TokenAmount
}

// Actor is an actor at the state after ts. Errors: ErrUnknownAddr.
func (c *Chain) Actor(ctx context.Context, addr address.Address, ts *types.TipSet) (*types.Actor, error) {
	tree, err := c.tree(ctx, ts)
	if err != nil {
		return nil, err
	}
	return actorIn(ctx, tree, addr)
}

// Resolve gives an address's actor id at the state after ts. Errors: ErrUnknownAddr.
func (c *Chain) Resolve(ctx context.Context, addr address.Address, ts *types.TipSet) (abi.ActorID, error) {
	tree, err := c.tree(ctx, ts)
	if err != nil {
		return 0, err
	}
	id, ok, err := tree.Resolve(ctx, addr)
	if err != nil {
		return 0, err
	}
	if !ok {
		return 0, fmt.Errorf("resolution lookup failed (%s): %w", addr, ErrUnknownAddr)
	}
	return id, nil
}

// Supply tells where the FIL is at the state after ts.
func (c *Chain) Supply(ctx context.Context, ts *types.TipSet) (Supply, error) {
	tree, err := c.tree(ctx, ts)
	if err != nil {
		return Supply{}, err
	}
	return c.supplyIn(ctx, c.store, tree)
}

// CirculatingSupply is that of Supply.
func (c *Chain) CirculatingSupply(ctx context.Context, ts *types.TipSet) (abi.TokenAmount, error) {
	s, err := c.Supply(ctx, ts)
	return s.Circulating, err
}

func (c *Chain) tree(ctx context.Context, ts *types.TipSet) (*fvm.StateTree, error) {
	execution, err := c.Execution(ts)
	if err != nil {
		return nil, err
	}
	return fvm.LoadStateTree(ctx, c.store, execution.Root)
}

func actorIn(ctx context.Context, tree *fvm.StateTree, addr address.Address) (*types.Actor, error) {
	id, ok, err := tree.Resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("resolution lookup failed (%s): %w", addr, ErrUnknownAddr)
	}
	actor, ok, err := tree.Actor(ctx, id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%s: %w", addr, ErrUnknownAddr)
	}
	return actor, nil
}

func (c *Chain) supplyIn(ctx context.Context, store fvm.Blockstore, tree *fvm.StateTree) (Supply, error) {
	reward, err := actorIn(ctx, tree, builtin.RewardActorAddr)
	if err != nil {
		return Supply{}, fmt.Errorf("reward actor: %w", err)
	}
	burnt, err := actorIn(ctx, tree, builtin.BurntFundsActorAddr)
	if err != nil {
		return Supply{}, fmt.Errorf("burnt funds actor: %w", err)
	}
	power, err := powerIn(ctx, store, tree)
	if err != nil {
		return Supply{}, err
	}
	s := Supply{
		Vested:           c.funded,
		Mined:            big.Sub(big.Sub(types.TotalFilecoinInt, c.funded), reward.Balance),
		ReserveDisbursed: big.Zero(),
		Burnt:            burnt.Balance,
		Locked:           power.TotalPledgeCollateral,
	}
	s.Circulating = big.Sub(big.Sub(big.Add(s.Vested, s.Mined), s.Burnt), s.Locked)
	s.Circulating = big.Max(s.Circulating, big.Zero())
	return s, nil
}

func powerIn(ctx context.Context, store fvm.Blockstore, tree *fvm.StateTree) (*power18.State, error) {
	actor, err := actorIn(ctx, tree, builtin.StoragePowerActorAddr)
	if err != nil {
		return nil, fmt.Errorf("storage power actor: %w", err)
	}
	var state power18.State
	if err := fvm.CBORStore(store).Get(ctx, actor.Head, &state); err != nil {
		return nil, fmt.Errorf("storage power actor's state: %w", err)
	}
	return &state, nil
}

// circulating is the circulating supply of a state root.
func (c *Chain) circulating(ctx context.Context, store fvm.Blockstore, root cid.Cid) (abi.TokenAmount, error) {
	tree, err := fvm.LoadStateTree(ctx, store, root)
	if err != nil {
		return abi.TokenAmount{}, err
	}
	supply, err := c.supplyIn(ctx, store, tree)
	if err != nil {
		return abi.TokenAmount{}, fmt.Errorf("circulating supply: %w", err)
	}
	return supply.Circulating, nil
}

// MachineOptions vary a throw-away machine.
type MachineOptions struct {
	Free  bool // gas costs nothing, as for calls whose fee cap is 0
	Trace bool // results carry an execution trace
}

// Machine is a throw-away machine for calls, at the state after ts and in ts's
// epoch, as Lotus simulates. Nothing it does reaches the chain.
func (c *Chain) Machine(ctx context.Context, ts *types.TipSet, opts MachineOptions) (*fvm.Machine, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	return c.machine(ctx, c.executionOf(n).Root, n, opts)
}

// MachineBefore is a throw-away machine at the state in which ts's messages begin
// to run, after the cron of null rounds: for replays, and for calls on a tipset's
// parent state.
func (c *Chain) MachineBefore(ctx context.Context, ts *types.TipSet, opts MachineOptions) (*fvm.Machine, error) {
	n, err := c.nodeOf(ts)
	if err != nil {
		return nil, err
	}
	return c.machine(ctx, n.begin, n, opts)
}

// machine runs messages in n's epoch.
func (c *Chain) machine(ctx context.Context, root cid.Cid, n *node, opts MachineOptions) (*fvm.Machine, error) {
	supply, err := c.circulating(ctx, c.store, root)
	if err != nil {
		return nil, err
	}
	config := c.machineConfig(c.store, root, n.height(), n.header().Timestamp, n.header().ParentBaseFee, supply, externs{c.config.Seed, n})
	config.Trace = opts.Trace
	if opts.Free {
		config.BaseFee = big.Zero()
	}
	return c.engine.NewMachine(ctx, config)
}

func (c *Chain) machineConfig(store fvm.Blockstore, root cid.Cid, epoch abi.ChainEpoch, timestamp uint64, baseFee, supply abi.TokenAmount, x fvm.Externs) fvm.MachineConfig {
	return fvm.MachineConfig{
		Store:          store,
		Root:           root,
		Epoch:          epoch,
		Timestamp:      timestamp,
		BaseFee:        baseFee,
		CircSupply:     supply,
		ChainID:        c.config.ChainID,
		NetworkVersion: c.config.NetworkVersion,
		Externs:        x,
		AcceptProofs:   c.acceptProof,
		Log:            c.config.Log,
	}
}
