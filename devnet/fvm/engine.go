package fvm

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/ipfs/go-cid"
	"github.com/tetratelabs/wazero"
)

// EngineConfig chooses the actors and how they are run.
type EngineConfig struct {
	// Bundle names the build of the actors as lotus does: "mainnet", "calibrationnet",
	// "devnet" (2k), "testing" (2 KiB sectors, short waits, no provider collateral) and
	// others. Empty means "testing".
	Bundle string
	// ActorsVersion is the version of the actors, 10 to 18. Zero means 18.
	ActorsVersion actorstypes.Version
	// CacheDir is where compiled actors are kept between runs; empty means "tidegate-fvm"
	// in [os.UserCacheDir]. The first compilation takes seconds, later ones do not.
	CacheDir string
	// Unmetered leaves out the counting of executed instructions, which makes actors
	// faster. Gas is then only what the price list says of messages, syscalls and blocks,
	// and a contract that does not end runs until the context of Apply is cancelled.
	Unmetered bool
	// Log gets what an operator may want to know; nil means slog.Default.
	Log *slog.Logger
}

// Versions of the actors that the engine knows the interface of.
const (
	minActors     actorstypes.Version = actorstypes.Version10
	maxActors     actorstypes.Version = actorstypes.Version18
	defaultBundle                     = "testing"
	cacheName                         = "tidegate-fvm"
)

// memoryPages is how much memory one actor may have: 512 MiB in pages of 64 KiB.
const memoryPages = 8192

// Engine holds the compiled actors of one bundle. It is safe for concurrent use and meant
// to be shared.
type Engine struct {
	cfg      EngineConfig
	bundle   *bundle
	syscalls []syscall
	cache    wazero.CompilationCache
	runtime  wazero.Runtime
	modules  map[cid.Cid]*module
	// Codes that the machine itself asks for, often.
	account, ethAccount, placeholder cid.Cid
}

// NewEngine loads a bundle. An actor is compiled, or taken from the cache on disk, when it
// first runs; [Engine.Compile] does it for all. On a machine that never did, an actor takes
// up to some seconds.
func NewEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) {
	if err := cfg.complete(); err != nil {
		return nil, fmt.Errorf("new FVM engine: %w", err)
	}
	start := time.Now()
	e := &Engine{cfg: cfg, syscalls: syscallsOf(abiV4)}
	if cfg.ActorsVersion < actorstypes.Version12 {
		e.syscalls = syscallsOf(abiV3)
	}
	var err error
	if e.bundle, err = loadBundle(ctx, cfg.ActorsVersion, cfg.Bundle); err != nil {
		return nil, fmt.Errorf("new FVM engine: %w", err)
	}
	e.account, e.ethAccount, e.placeholder = e.Code("account"), e.Code("ethaccount"), e.Code("placeholder")
	if e.cache, err = wazero.NewCompilationCacheWithDir(cfg.CacheDir); err != nil {
		return nil, fmt.Errorf("new FVM engine: open the cache of compiled actors in %s (set another CacheDir): %w", cfg.CacheDir, err)
	}
	rc := wazero.NewRuntimeConfig().WithCompilationCache(e.cache).WithMemoryLimitPages(memoryPages).
		WithDebugInfoEnabled(false).WithCloseOnContextDone(cfg.Unmetered)
	e.runtime = wazero.NewRuntimeWithConfig(ctx, rc)
	e.modules = make(map[cid.Cid]*module, len(e.bundle.codes))
	for _, code := range e.bundle.codes {
		e.modules[code] = new(module)
	}
	if err = e.linkHost(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("new FVM engine: %w", err), e.Close(ctx))
	}
	cfg.Log.Debug("actors loaded", slog.String("bundle", cfg.Bundle), slog.Int("version", int(cfg.ActorsVersion)), slog.Duration("took", time.Since(start)))
	return e, nil
}

// complete fills in defaults and refuses what cannot work.
func (c *EngineConfig) complete() error {
	if c.Bundle == "" {
		c.Bundle = defaultBundle
	}
	if c.ActorsVersion == 0 {
		c.ActorsVersion = maxActors
	}
	if c.ActorsVersion < minActors || c.ActorsVersion > maxActors {
		return fmt.Errorf("actors v%d cannot be run; v%d to v%d can", c.ActorsVersion, minActors, maxActors)
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	if c.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return fmt.Errorf("no cache directory (set CacheDir): %w", err)
		}
		c.CacheDir = filepath.Join(base, cacheName)
	}
	return nil
}

// linkHost offers the syscalls to the actors.
func (e *Engine) linkHost(ctx context.Context) error {
	builders := make(map[string]wazero.HostModuleBuilder)
	var names []string
	for _, s := range e.syscalls {
		b, ok := builders[s.module]
		if !ok {
			b = e.runtime.NewHostModuleBuilder(s.module)
			builders[s.module] = b
			names = append(names, s.module)
		}
		s.export(b)
	}
	for _, n := range names {
		if _, err := builders[n].Instantiate(ctx); err != nil {
			return fmt.Errorf("offer the syscalls of %q: %w", n, err)
		}
	}
	return nil
}

// Close releases the compiled actors. Machines of this engine must not be used afterwards.
func (e *Engine) Close(ctx context.Context) error {
	var errs []error
	if e.runtime != nil {
		errs = append(errs, e.runtime.Close(ctx))
	}
	if e.cache != nil {
		errs = append(errs, e.cache.Close(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close FVM engine: %w", err)
	}
	return nil
}

// Code returns the code CID of an actor by its name in the manifest: "account", "evm",
// "storagemarket" and so on; [cid.Undef] for a name that the bundle does not have.
func (e *Engine) Code(name string) cid.Cid { return e.bundle.byName(name) }

// Name returns the manifest's name for a code CID, or "".
func (e *Engine) Name(code cid.Cid) string {
	if t := e.bundle.typeOf(code); t > 0 {
		return e.bundle.names[t-1]
	}
	return ""
}

// Manifest returns the CID of the list of names and code CIDs: what the system actor's
// state records.
func (e *Engine) Manifest() cid.Cid { return e.bundle.manifest }

// ActorsVersion returns the version of the engine's actors.
func (e *Engine) ActorsVersion() actorstypes.Version { return e.cfg.ActorsVersion }

// Blocks yields every block of the bundle. A genesis puts them into its store, since the
// manifest and the code are part of the state.
func (e *Engine) Blocks() iter.Seq2[cid.Cid, []byte] {
	return func(yield func(cid.Cid, []byte) bool) {
		for _, c := range e.bundle.order {
			if !yield(c, e.bundle.blocks[c]) {
				return
			}
		}
	}
}
