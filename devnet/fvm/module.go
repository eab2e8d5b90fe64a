package fvm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// module is the compiled code of one actor.
type module struct {
	compiled wazero.CompiledModule
	info     gas.ModuleInfo
}

// compile prepares all actors, several at a time.
func (e *Engine) compile(ctx context.Context) error {
	mods := make([]*module, len(e.bundle.codes))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	for i, code := range e.bundle.codes {
		g.Go(func() error {
			m, err := e.compileOne(ctx, e.bundle.blocks[code])
			if err != nil {
				return fmt.Errorf("compile actor %q (%s): %w", e.bundle.names[i], code, err)
			}
			mods[i] = m
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	e.modules = make(map[cid.Cid]*module, len(mods))
	for i, code := range e.bundle.codes {
		e.modules[code] = mods[i]
	}
	return nil
}

// compileOne compiles an actor's code, with its instructions counted unless that is off.
func (e *Engine) compileOne(ctx context.Context, wasm []byte) (*module, error) {
	info, err := gas.Inspect(wasm)
	if err != nil {
		return nil, err
	}
	if !e.cfg.Unmetered {
		if wasm, err = gas.Instrument(wasm); err != nil {
			return nil, err
		}
	}
	c, err := e.runtime.CompileModule(ctx, wasm)
	if err != nil {
		return nil, err
	}
	return &module{compiled: c, info: info}, e.checkImports(c)
}

// checkImports makes sure that an actor finds all it imports, in the form it expects: later
// that would look like a fault of the actor.
func (e *Engine) checkImports(c wazero.CompiledModule) error {
	for _, f := range c.ImportedFunctions() {
		mod, name, _ := f.Import()
		want := append(f.ParamTypes(), f.ResultTypes()...)
		i := slices.IndexFunc(e.syscalls, func(s syscall) bool { return s.module == mod && s.name == name })
		if i < 0 {
			return fmt.Errorf("the code imports %s.%s, which is not known", mod, name)
		}
		if got := append(e.syscalls[i].types(), api.ValueTypeI32); !slices.Equal(got, want) {
			return fmt.Errorf("the code imports %s.%s with the types %x instead of %x", mod, name, want, got)
		}
	}
	return nil
}

// instanceConfig is the same for all instances: without a name, so that there can be many,
// and without start functions, as actors have none.
var instanceConfig = wazero.NewModuleConfig().WithName("").WithStartFunctions()

// run executes an actor. It returns the handle of the block that the actor returned, or how
// it was ended.
func (e *Engine) run(k *kernel, code cid.Cid, params uint32) (uint32, *abort) {
	cm := k.cm
	mod, ok := e.modules[code]
	if !ok {
		return 0, &abort{err: fmt.Errorf("actor f0%d has code %s, which is not in the engine's bundle (%s v%d): use the engine that the state was made with",
			k.self, code, e.cfg.Bundle, e.cfg.ActorsVersion)}
	}
	for _, c := range cm.prices.OnInit(mod.info) {
		if err := k.charge(c); err != nil {
			return 0, &abort{err: err}
		}
	}
	if cm.memory+mod.info.MemoryBytes > maxCallMemory {
		return 0, &abort{code: exitcode.SysErrIllegalInstruction, msg: "failed to instantiate module: out of memory"}
	}
	inst, err := e.runtime.InstantiateModule(experimental.WithMemoryAllocator(cm.ctx, cm), mod.compiled, instanceConfig)
	if err != nil {
		if cm.ctx.Err() != nil {
			return 0, &abort{err: fmt.Errorf("message stopped: %w", cm.ctx.Err())}
		}
		return 0, &abort{code: exitcode.SysErrIllegalInstruction, msg: fmt.Sprintf("failed to instantiate module: %v", err)}
	}
	defer func() { _ = inst.Close(cm.ctx) }() // frees memory; it has no other effect that could fail
	k.counter = nil
	if !e.cfg.Unmetered {
		if k.counter, ok = inst.ExportedGlobal(gas.CounterExport).(api.MutableGlobal); !ok {
			return 0, &abort{err: fmt.Errorf("the code of actor f0%d has no gas counter", k.self)}
		}
	}
	k.refill()
	res, err := inst.ExportedFunction("invoke").Call(context.WithValue(cm.ctx, kernelKey{}, k), uint64(params))
	return k.ended(res, err)
}

// ended says how the actor's code came to its end.
func (k *kernel) ended(res []uint64, err error) (uint32, *abort) {
	var ab *abort
	if errors.As(err, &ab) && ab.err != nil && !isOutOfGas(ab.err) {
		return 0, ab // the machine is broken; gas does not matter any more
	}
	if chargeErr := k.chargeExec(); chargeErr != nil {
		return 0, &abort{err: chargeErr}
	}
	if err == nil {
		return uint32(res[0]), nil
	}
	if ab != nil {
		return 0, ab
	}
	var bug runtime.Error
	var closed *sys.ExitError
	switch {
	case k.cm.ctx.Err() != nil:
		return 0, &abort{err: fmt.Errorf("message stopped: %w", k.cm.ctx.Err())}
	case errors.As(err, &bug), errors.As(err, &closed):
		return 0, &abort{err: fmt.Errorf("run actor f0%d: %w", k.self, err)}
	}
	return 0, &abort{code: exitcode.SysErrIllegalInstruction, msg: trapText(err)}
}

// trapText is the first line of a trap's error; the rest is a trace of the actor's code.
func trapText(err error) string {
	s := err.Error()
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}
