// Package fvm runs Filecoin's official built-in actors in plain Go: the WebAssembly
// bundles that the lotus module carries, executed by wazero under an independent
// implementation of the Filecoin virtual machine's interface to actors. It needs no Rust,
// no cgo and no downloads, and starts in about a second, which makes it a FEVM that fits
// into a Go test.
//
// What it is: everything between "here is a state root and a message" and "here is the
// receipt and the new state root". Messages are validated, charged and executed as nodes
// on the network do it; state is the real HAMT with real CIDs; exit codes, error numbers,
// events and return values are those of the reference implementation (ref-fvm), against
// which the package is checked with recorded mainnet messages.
//
// What it is not: a chain. There are no blocks, tipsets, mempool or JSON-RPC here, no
// signatures are checked on incoming messages (whoever puts a message on chain does that),
// and proofs of storage are accepted or refused by a switch instead of being verified.
//
// # Use
//
// One [Engine] holds the compiled actors and is shared by everything in the process. A
// [Machine] is one state: it is cheap, not safe for concurrent use, applies messages one
// after another, and either is flushed or thrown away (which is how a call is simulated).
// A [StateTree] builds or edits a state directly, as a genesis does.
//
// # Map of the files
//
//   - engine.go, bundle.go, module.go, metered.go: bundles, compilation and its cache on disk, instances
//   - machine.go, executor.go, outputs.go: a state, message application, who pays what
//   - callmanager.go, create.go: calls between actors, transfers, creation, rollback
//   - kernel.go, registry.go, links.go, gastracker.go: what one running actor may see and do
//   - abi.go, syscalls_*.go: the functions that actors import, their argument checks
//   - statetree.go, initmap.go, blockstore.go, buffer.go: state and blocks
//   - events.go, backtrace.go, trace.go: events and their root, failures in words, traces
//
// # Invariants
//
//   - An actor sees only blocks that are reachable from its state, its parameters, what it
//     created and what its callees returned.
//   - Nothing an actor passes to a syscall panics the host: bad arguments are error numbers.
//   - A missing block, or a failing [Blockstore] or [Externs], is a fatal error of Apply and
//     is never seen by an actor as "not found".
//   - Same engine configuration, same state root, same messages: same receipts and roots.
//   - A call that fails leaves no trace in state or events; balances move before it runs.
package fvm
