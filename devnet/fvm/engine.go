package fvm

import (
	"context"
	"errors"
	"iter"
	"log/slog"

	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/ipfs/go-cid"
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
	// faster. Gas is then only what the price list says of messages, syscalls and blocks.
	Unmetered bool
	// Log gets what an operator may want to know; nil means slog.Default.
	Log *slog.Logger
}

// Engine holds the compiled actors of one bundle. It is safe for concurrent use and meant
// to be shared.
type Engine struct {
	cfg EngineConfig
}

var errNotYet = errors.New("fvm: not available yet")

// NewEngine loads a bundle and compiles its actors, or takes them from the cache on disk.
func NewEngine(ctx context.Context, cfg EngineConfig) (*Engine, error) { return nil, errNotYet }

// Close releases the compiled actors. Machines of this engine must not be used afterwards.
func (e *Engine) Close(ctx context.Context) error { return nil }

// Code returns the code CID of an actor by its name in the manifest: "account", "evm",
// "storagemarket" and so on; [cid.Undef] for a name that the bundle does not have.
func (e *Engine) Code(name string) cid.Cid { return cid.Undef }

// Name returns the manifest's name for a code CID, or "".
func (e *Engine) Name(code cid.Cid) string { return "" }

// Manifest returns the CID of the list of names and code CIDs: what the system actor's
// state records.
func (e *Engine) Manifest() cid.Cid { return cid.Undef }

// Blocks yields every block of the bundle. A genesis puts them into its store, since the
// manifest and the code are part of the state.
func (e *Engine) Blocks() iter.Seq2[cid.Cid, []byte] { return func(func(cid.Cid, []byte) bool) {} }
