package fvm

import (
	"errors"
	"math"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// tracer builds the tree of calls that lotus's tracing methods answer with. A nil tracer
// records nothing.
type tracer struct {
	root  *types.ExecutionTrace
	early []*types.GasTrace // charged before the first call
	stack []*traceNode
	gas   *gas.Tracker
}

type traceNode struct {
	trace types.ExecutionTrace
}

func newTracer(on bool, g *gas.Tracker) *tracer {
	if !on {
		return nil
	}
	return &tracer{gas: g}
}

// charges moves the charges since the last event into the running call.
func (t *tracer) charges() {
	for _, c := range t.gas.DrainTrace() {
		g := &types.GasTrace{Name: c.Name, TotalGas: wholeGas(c.Total()), ComputeGas: wholeGas(c.Compute), StorageGas: wholeGas(c.Other)}
		if n := len(t.stack); n > 0 {
			t.stack[n-1].trace.GasCharges = append(t.stack[n-1].trace.GasCharges, g)
		} else if t.root == nil {
			t.early = append(t.early, g)
		} else {
			t.root.GasCharges = append(t.root.GasCharges, g)
		}
	}
}

func wholeGas(g gas.Gas) int64 { return int64(min(g.RoundUp(), math.MaxInt64)) }

func (t *tracer) call(from, to address.Address, method abi.MethodNum, value abi.TokenAmount, params *block, limit uint64, readOnly bool) {
	if t == nil {
		return
	}
	t.charges()
	m := types.MessageTrace{From: from, To: to, Value: value, Method: method, GasLimit: limit, ReadOnly: readOnly}
	if params != nil {
		m.Params, m.ParamsCodec = params.data, params.codec
	}
	n := &traceNode{trace: types.ExecutionTrace{Msg: m}}
	n.trace.GasCharges, t.early = t.early, nil
	t.stack = append(t.stack, n)
}

func (t *tracer) invoked(id abi.ActorID, a *types.Actor) {
	if t == nil || len(t.stack) == 0 {
		return
	}
	t.charges()
	t.stack[len(t.stack)-1].trace.InvokedActor = &types.ActorTrace{Id: id, State: *a}
}

// returned ends the running call.
func (t *tracer) returned(code exitcode.ExitCode, value *block) {
	if t == nil {
		return
	}
	t.charges()
	n := t.stack[len(t.stack)-1]
	t.stack = t.stack[:len(t.stack)-1]
	n.trace.MsgRct.ExitCode = code
	if value != nil {
		n.trace.MsgRct.Return, n.trace.MsgRct.ReturnCodec = value.data, value.codec
	}
	if len(t.stack) == 0 {
		t.root = &n.trace
		return
	}
	up := t.stack[len(t.stack)-1]
	up.trace.Subcalls = append(up.trace.Subcalls, n.trace)
}

func (t *tracer) log(line string) {
	if t == nil || len(t.stack) == 0 {
		return
	}
	t.charges()
	n := t.stack[len(t.stack)-1]
	n.trace.Logs = append(n.trace.Logs, line)
}

func (t *tracer) ipld(op types.Op, c cid.Cid, size int) {
	if t == nil || len(t.stack) == 0 {
		return
	}
	t.charges()
	n := t.stack[len(t.stack)-1]
	n.trace.IpldOps = append(n.trace.IpldOps, types.TraceIpld{Op: op, Cid: c, Size: uint64(size)})
}

// finish returns the trace of the message.
func (t *tracer) finish() *types.ExecutionTrace {
	if t == nil {
		return nil
	}
	t.charges()
	if t.root == nil {
		t.root = &types.ExecutionTrace{GasCharges: t.early}
	}
	return t.root
}

// exitOf is the exit code under which a call that could not be made at all appears.
func exitOf(err error) exitcode.ExitCode {
	if errors.Is(err, gas.ErrOutOfGas) {
		return exitcode.SysErrOutOfGas
	}
	if s, ok := asSyscall(err); ok {
		switch s.no {
		case ErrInsufficientFunds:
			return exitcode.SysErrInsufficientFunds
		case ErrNotFound:
			return exitcode.SysErrInvalidReceiver
		}
	}
	return sysAssertionFailed
}
