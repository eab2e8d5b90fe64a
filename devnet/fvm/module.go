package fvm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
	"github.com/tetratelabs/wazero/sys"
	"golang.org/x/sync/errgroup"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// module is the code of one actor, compiled when it first runs: most chains never
// call most actors, and reading them all takes longer than all else of a start.
type module struct {
	compiling sync.Once
	compiled  wazero.CompiledModule
	info      gas.ModuleInfo
	err       error
}

// module gives an actor's code, ready to run.
func (e *Engine) module(ctx context.Context, code cid.Cid) (*module, error) {
	m, ok := e.modules[code]
	if !ok {
		return nil, fmt.Errorf("code %s is not in the engine's bundle (%s v%d): use the engine that the state was made with",
			code, e.cfg.Bundle, e.cfg.ActorsVersion)
	}
	m.compiling.Do(func() {
		start := time.Now()
		if m.err = e.compile(context.WithoutCancel(ctx), m, code); m.err != nil {
			m.err = fmt.Errorf("compile actor %q (%s): %w", e.Name(code), code, m.err)
			return
		}
		e.cfg.Log.Debug("actor compiled", slog.String("actor", e.Name(code)), slog.Duration("took", time.Since(start)))
	})
	return m, m.err
}

// Compile makes all actors ready, several at a time: for measurements, and to fill
// the cache on disk.
func (e *Engine) Compile(ctx context.Context) error {
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	for _, code := range e.bundle.codes {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			_, err := e.module(ctx, code)
			return err
		})
	}
	return g.Wait()
}

// compile compiles an actor's code, with its instructions counted unless that is off.
func (e *Engine) compile(ctx context.Context, m *module, code cid.Cid) (err error) {
	wasm := e.bundle.blocks[code]
	if m.info, err = gas.Inspect(wasm); err != nil {
		return err
	}
	if !e.cfg.Unmetered {
		if wasm, err = e.metered(code, wasm); err != nil {
			return err
		}
	}
	if m.compiled, err = e.runtime.CompileModule(ctx, wasm); err != nil {
		return err
	}
	return e.checkImports(m.compiled)
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
	mod, err := e.module(cm.ctx, code)
	if err != nil {
		return 0, &abort{err: fmt.Errorf("actor f0%d: %w", k.self, err)}
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
		var ok bool
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
