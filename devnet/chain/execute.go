package chain

import (
	"bytes"
	"context"
	"fmt"

	amt2 "github.com/filecoin-project/go-amt-ipld/v2"
	amt4 "github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// execute runs a tipset: cron of the null rounds before it, its messages, the
// block's reward, its own cron. It sets the node's begin and execution.
func (c *Chain) execute(ctx context.Context, n *node) error {
	root, err := c.nullRounds(ctx, n)
	if err != nil {
		return err
	}
	n.begin = root
	machine, err := c.machine(ctx, root, n, MachineOptions{})
	if err != nil {
		return fmt.Errorf("epoch %d: %w", n.height(), err)
	}
	execution := &Execution{Results: make([]Result, 0, len(n.bls)+len(n.secp))}
	tip, penalty := big.Zero(), big.Zero()
	for _, signed := range n.all() {
		msg := onChain(signed)
		result, err := machine.Apply(ctx, msg.VMMessage(), fvm.Explicit, msg.ChainLength())
		if err != nil {
			return fmt.Errorf("epoch %d, message %s: %w", n.height(), msg.Cid(), err)
		}
		if err := c.storeEvents(ctx, result); err != nil {
			return fmt.Errorf("epoch %d, message %s: %w", n.height(), msg.Cid(), err)
		}
		tip = big.Add(tip, result.MinerTip)
		penalty = big.Add(penalty, result.Penalty)
		execution.Results = append(execution.Results, Result{
			Message: msg, Receipt: result.Receipt, Events: result.Events, Costs: result.Costs, Error: result.Error,
		})
	}
	if err := c.award(ctx, machine, n, tip, penalty); err != nil {
		return err
	}
	if err := cron(ctx, machine, n.height()); err != nil {
		return err
	}
	if execution.Receipts, err = receiptsRoot(ctx, c.store, execution.Results); err != nil {
		return err
	}
	if execution.Root, err = machine.Flush(ctx); err != nil {
		return fmt.Errorf("epoch %d: write the state: %w", n.height(), err)
	}
	n.execution = execution
	return nil
}

// nullRounds runs cron for the epochs between a tipset and its parent, each that has
// something to do on a machine of its own, and gives the state after them. Of the
// states on the way nothing is kept.
func (c *Chain) nullRounds(ctx context.Context, n *node) (cid.Cid, error) {
	root, epoch := n.header().ParentStateRoot, n.parent.height()+1
	if epoch == n.height() {
		return root, nil
	}
	draft := fvm.NewDraft(c.store)
	for {
		var err error
		if err := ctx.Err(); err != nil {
			return cid.Undef, err
		}
		if root, epoch, err = c.skipIdle(ctx, draft, root, epoch, n.height()); err != nil {
			return cid.Undef, err
		}
		if epoch >= n.height() {
			return root, draft.Flush(ctx, root)
		}
		if root, err = c.nullRound(ctx, draft, root, epoch, n); err != nil {
			return cid.Undef, fmt.Errorf("null round %d: %w", epoch, err)
		}
		epoch++
	}
}

// nullRound runs cron at one epoch before n.
func (c *Chain) nullRound(ctx context.Context, store fvm.Blockstore, root cid.Cid, epoch abi.ChainEpoch, n *node) (cid.Cid, error) {
	supply, err := c.circulating(ctx, store, root)
	if err != nil {
		return cid.Undef, err
	}
	machine, err := c.engine.NewMachine(ctx, c.machineConfig(store, root, epoch, c.timestamp(epoch),
		n.header().ParentBaseFee, supply, externs{c.config.Seed, n}))
	if err != nil {
		return cid.Undef, err
	}
	if err := cron(ctx, machine, epoch); err != nil {
		return cid.Undef, err
	}
	return machine.Flush(ctx)
}

func (c *Chain) award(ctx context.Context, machine *fvm.Machine, n *node, tip, penalty abi.TokenAmount) error {
	params, err := encode(&reward18.AwardBlockRewardParams{
		Miner: n.header().Miner, Penalty: penalty, GasReward: tip, WinCount: n.header().ElectionProof.WinCount,
	})
	if err != nil {
		return fmt.Errorf("epoch %d: block reward: %w", n.height(), err)
	}
	return system(ctx, machine, &types.Message{
		To: builtin.RewardActorAddr, Nonce: uint64(n.height()), GasLimit: 1 << 30,
		Method: builtin.MethodsReward.AwardBlockReward, Params: params,
	}, fmt.Sprintf("epoch %d: block reward", n.height()))
}

func cron(ctx context.Context, machine *fvm.Machine, epoch abi.ChainEpoch) error {
	return system(ctx, machine, &types.Message{
		To: builtin.CronActorAddr, Nonce: uint64(epoch), GasLimit: buildconstants.BlockGasLimit * 10_000,
		Method: builtin.MethodsCron.EpochTick,
	}, fmt.Sprintf("epoch %d: cron", epoch))
}

// system applies an implicit message that must succeed, from the system actor
// unless it has another sender.
func system(ctx context.Context, machine *fvm.Machine, msg *types.Message, what string) error {
	_, err := systemReturning(ctx, machine, msg, what)
	return err
}

func systemReturning(ctx context.Context, machine *fvm.Machine, msg *types.Message, what string) ([]byte, error) {
	if msg.From.Empty() {
		msg.From = builtin.SystemActorAddr
	}
	if msg.Value.Int == nil {
		msg.Value = big.Zero()
	}
	msg.GasFeeCap, msg.GasPremium = big.Zero(), big.Zero()
	result, err := machine.Apply(ctx, msg, fvm.Implicit, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if result.Receipt.ExitCode.IsError() {
		return nil, fmt.Errorf("%s: exit code %d: %s", what, result.Receipt.ExitCode, result.Error)
	}
	return result.Receipt.Return, nil
}

// receiptsRoot is the AMT of receipts as headers name it: of the first kind, eight wide.
func receiptsRoot(ctx context.Context, store fvm.Blockstore, results []Result) (cid.Cid, error) {
	array := amt2.NewAMT(fvm.CBORStore(store))
	for i := range results {
		if err := array.Set(ctx, uint64(i), &results[i].Receipt); err != nil {
			return cid.Undef, fmt.Errorf("receipt %d: %w", i, err)
		}
	}
	root, err := array.Flush(ctx)
	if err != nil {
		return cid.Undef, fmt.Errorf("receipts: %w", err)
	}
	return root, nil
}

// storeEvents keeps the array whose root a receipt has.
func (c *Chain) storeEvents(ctx context.Context, result *fvm.Result) error {
	if len(result.Events) == 0 || result.Receipt.EventsRoot == nil {
		return nil
	}
	events := make([]cbg.CBORMarshaler, len(result.Events))
	for i := range result.Events {
		events[i] = &result.Events[i]
	}
	root, err := amt4.FromArray(ctx, fvm.CBORStore(c.store), events, amt4.UseTreeBitWidth(types.EventAMTBitwidth))
	if err != nil {
		return fmt.Errorf("store events: %w", err)
	}
	if root != *result.Receipt.EventsRoot {
		return fmt.Errorf("store events: their root is %s, the receipt has %s", root, result.Receipt.EventsRoot)
	}
	return nil
}

func encode(value cbg.CBORMarshaler) ([]byte, error) {
	var out bytes.Buffer
	if err := value.MarshalCBOR(&out); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return out.Bytes(), nil
}

func decode(data []byte, value cbg.CBORUnmarshaler) error {
	if err := value.UnmarshalCBOR(bytes.NewReader(data)); err != nil {
		return fmt.Errorf("decode %T: %w", value, err)
	}
	return nil
}
