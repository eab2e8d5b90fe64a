package fvm

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

const (
	// maxCallDepth is how many calls may be under way inside each other.
	maxCallDepth = 1024
	// maxBlockSize is the size in bytes of the largest block that an actor may create.
	maxBlockSize = 1 << 20
	// maxCallMemory is the memory in bytes that all actors of one call stack may have.
	maxCallMemory = 2 << 30

	methodSend        abi.MethodNum = 0
	methodConstructor abi.MethodNum = 1
)

// sysAssertionFailed is the exit code of what cannot happen.
const sysAssertionFailed = exitcode.SysErrFatal

// entry is what a call runs in the receiver.
type entry struct {
	method abi.MethodNum
	// implicit marks a constructor that the machine itself runs; it is not traced.
	implicit bool
}

// outcome is what came of a call that was made.
type outcome struct {
	code  exitcode.ExitCode
	value *block // nil: none
}

// callManager runs one message: the stack of calls that it leads to, and what they share.
type callManager struct {
	ctx context.Context // of the message, for whose time the manager lives
	m   *Machine

	gas    *gas.Tracker
	prices *gas.Prices
	access *accesses
	events eventLog
	bt     backtrace
	trace  *tracer

	origin     abi.ActorID
	originAddr address.Address
	nonce      uint64
	premium    big.Int

	created uint64 // actors created so far
	depth   uint32
	memory  uint64 // bytes in use by the actors that are running
}

// charge takes gas.
func (cm *callManager) charge(c gas.Charge) error { return cm.gas.Apply(c) }

// transaction runs f and takes back all it did to the state and the events when it fails.
func (cm *callManager) transaction(f func() (outcome, error)) (outcome, error) {
	cm.m.tree.begin()
	cm.events.begin()
	cm.access.begin()
	out, err := f()
	revert := err != nil || !out.code.IsSuccess()
	cm.events.end(revert)
	cm.access.end(revert)
	if endErr := cm.m.tree.end(revert); endErr != nil {
		return outcome{}, errors.Join(err, endErr)
	}
	return out, err
}

// call sends to an address. A limit, if any, bounds the gas of the call and all below it.
func (cm *callManager) call(from abi.ActorID, to address.Address, e entry, params *block, value big.Int, limit *gas.Gas, readOnly bool) (outcome, error) {
	cm.traceCall(from, to, e, params, value, limit, readOnly)
	if limit != nil {
		cm.gas.PushLimit(*limit)
	}
	out, err := cm.stackFrame(func() (outcome, error) {
		return cm.callUnchecked(from, to, e, params, value, readOnly)
	})
	if limit != nil {
		if popErr := cm.gas.PopLimit(); popErr != nil {
			return outcome{}, errors.Join(err, popErr)
		}
	}
	if errors.Is(err, gas.ErrOutOfGas) && cm.gas.Available() > 0 {
		out, err = outcome{code: exitcode.SysErrOutOfGas}, nil
	}
	if !e.implicit {
		if err != nil {
			cm.trace.returned(exitOf(err), nil)
		} else {
			cm.trace.returned(out.code, out.value)
		}
	}
	return out, err
}

func (cm *callManager) traceCall(from abi.ActorID, to address.Address, e entry, params *block, value big.Int, limit *gas.Gas, readOnly bool) {
	if cm.trace == nil || e.implicit {
		return
	}
	fromAddr, err := address.NewIDAddress(uint64(from))
	if err != nil {
		fromAddr = address.Undef
	}
	left := cm.gas.Available()
	if limit != nil {
		left = min(left, *limit)
	}
	cm.trace.call(fromAddr, to, e.method, value, params, left.RoundUp(), readOnly)
}

// stackFrame bounds the depth of calls and gives back the memory that a call took.
func (cm *callManager) stackFrame(f func() (outcome, error)) (outcome, error) {
	if cm.depth >= maxCallDepth {
		return outcome{}, refuse(ErrLimitExceeded, "message execution exceeds call depth")
	}
	cm.depth++
	memory := cm.memory
	out, err := f()
	cm.memory = memory
	cm.depth--
	return out, err
}

func (cm *callManager) callUnchecked(from abi.ActorID, to address.Address, e entry, params *block, value big.Int, readOnly bool) (outcome, error) {
	id, ok, err := cm.resolve(to)
	if err != nil {
		return outcome{}, err
	}
	if !ok {
		if id, err = cm.createFromSend(to, readOnly); err != nil {
			return outcome{}, err
		}
	}
	return cm.callResolved(from, id, e, params, value, readOnly)
}

func (cm *callManager) callResolved(from, to abi.ActorID, e entry, params *block, value big.Int, readOnly bool) (outcome, error) {
	state, ok, err := cm.actor(to)
	if err != nil {
		return outcome{}, err
	}
	if !ok {
		return outcome{}, refuse(ErrNotFound, "actor does not exist: f0%d", to)
	}
	if !e.implicit {
		cm.trace.invoked(to, state)
	}
	if value.Sign() != 0 {
		if err := cm.charge(cm.prices.OnValueTransfer()); err != nil {
			return outcome{}, err
		}
		if err := cm.transfer(from, to, value); err != nil {
			return outcome{}, err
		}
	}
	if e.method == methodSend && !e.implicit {
		return outcome{}, nil
	}
	size, links := 0, 0
	if params != nil {
		size, links = len(params.data), len(params.links)
	}
	if err := cm.charge(cm.prices.OnMethodInvocation(size, links)); err != nil {
		return outcome{}, err
	}
	return cm.invoke(from, to, state, e, params, value, readOnly)
}

// invoke runs the receiver's code. From here on failures are exits of the actor.
func (cm *callManager) invoke(from, to abi.ActorID, state *types.Actor, e entry, params *block, value big.Int, readOnly bool) (outcome, error) {
	k := &kernel{cm: cm, caller: from, self: to, method: e.method, value: value, readOnly: readOnly,
		blocks: newRegistry(!cm.m.reachability)}
	paramsID := noBlock
	if params != nil {
		var err error
		if paramsID, err = k.blocks.put(params); err != nil {
			return outcome{}, err
		}
	}
	ret, ab := cm.m.engine.run(k, state.Code, paramsID)
	out, err := cm.finishInvocation(k, e, ret, ab)
	if err != nil || out.value == nil {
		return out, err
	}
	if err := cm.charge(cm.prices.OnMethodReturn(cm.depth, len(out.value.data), len(out.value.links))); err != nil {
		return outcome{}, err
	}
	return out, nil
}

// finishInvocation turns how an actor ended into an outcome, noting failures on the way up.
func (cm *callManager) finishInvocation(k *kernel, e entry, ret uint32, ab *abort) (outcome, error) {
	if ab == nil {
		ab = &abort{code: exitcode.Ok, block: ret}
		if _, err := k.returned(ret); err != nil {
			ab = &abort{code: exitcode.SysErrMissingReturn, msg: "returned block does not exist"}
		}
	}
	out, err := outcome{code: ab.code}, ab.err
	switch {
	case errors.Is(err, gas.ErrOutOfGas):
		out, ab.msg, ab.code = outcome{}, "out of gas", exitcode.SysErrOutOfGas
	case err != nil:
		out, ab.msg, ab.code = outcome{}, "fatal error", sysAssertionFailed
	default:
		if out.value, err = k.returned(ab.block); err != nil {
			ab.code, ab.msg = exitcode.SysErrMissingReturn, "error getting exit data block"
			out, err = outcome{}, fmt.Errorf("f0%d exited with a block that does not exist: %w", k.self, errActorAssertion)
		}
	}
	if !ab.code.IsSuccess() && !e.implicit {
		if k.lastError != "" {
			cm.bt.begin(k.lastError)
		}
		cm.bt.push(frame{actor: k.self, method: e.method, code: ab.code, message: ab.msg})
	}
	return out, err
}

// resolve finds the id of an address and charges for the lookup once a message.
func (cm *callManager) resolve(a address.Address) (abi.ActorID, bool, error) {
	if a.Protocol() != address.ID && !cm.access.knows(a) {
		if err := cm.charge(cm.prices.OnResolveAddress()); err != nil {
			return 0, false, err
		}
	}
	id, ok, err := cm.m.tree.Resolve(cm.ctx, a)
	if err != nil {
		return 0, false, err
	}
	if ok {
		cm.access.resolved(a)
	}
	return id, ok, nil
}

// actor reads an actor and charges for the access once a message.
func (cm *callManager) actor(id abi.ActorID) (*types.Actor, bool, error) {
	if cm.access.level(id) < accessRead {
		if err := cm.charge(cm.prices.OnActorLookup()); err != nil {
			return nil, false, err
		}
	}
	a, ok, err := cm.m.tree.Actor(cm.ctx, id)
	if err != nil {
		return nil, false, err
	}
	cm.access.read(id)
	return a, ok, nil
}

// payForUpdate charges for changing an actor, once a message.
func (cm *callManager) payForUpdate(id abi.ActorID) error {
	level := cm.access.level(id)
	if level < accessRead {
		if err := cm.charge(cm.prices.OnActorLookup()); err != nil {
			return err
		}
	}
	if level < accessUpdated {
		return cm.charge(cm.prices.OnActorUpdate())
	}
	return nil
}

func (cm *callManager) setActor(id abi.ActorID, a *types.Actor) error {
	if err := cm.payForUpdate(id); err != nil {
		return err
	}
	cm.m.tree.SetActor(id, a)
	cm.access.updated(id)
	return nil
}

func (cm *callManager) deleteActor(id abi.ActorID) error {
	if err := cm.payForUpdate(id); err != nil {
		return err
	}
	cm.m.tree.DeleteActor(id)
	cm.access.updated(id)
	return nil
}

// transfer moves funds between actors.
func (cm *callManager) transfer(from, to abi.ActorID, value big.Int) error {
	if value.Sign() < 0 {
		return refuse(ErrIllegalArgument, "attempted to transfer negative transfer value %s", value)
	}
	src, ok, err := cm.actor(from)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrInsufficientFunds, "insufficient funds to transfer %s from f0%d to f0%d", value, from, to)
	}
	if src.Balance.LessThan(value) {
		return refuse(ErrInsufficientFunds, "sender does not have funds to transfer (balance %s, transfer %s)", src.Balance, value)
	}
	if from == to {
		return nil
	}
	dst, ok, err := cm.actor(to)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrNotFound, "transfer recipient f0%d does not exist in state-tree", to)
	}
	src.Balance = big.Sub(src.Balance, value)
	dst.Balance = big.Add(dst.Balance, value)
	if err := cm.setActor(from, src); err != nil {
		return err
	}
	return cm.setActor(to, dst)
}
