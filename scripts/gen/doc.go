// Command gen writes everything under bindings/ that follows from the
// contracts: one Go package a contract (abigen v2, creation code inside) and
// the hashes of creation code in deployments.json; and snapshots/abi and
// snapshots/layout, in which a change of calls, events or storage shows.
// `make gen` and `make check` run it after `forge build`.
//
// It is not a compiler: it reads forge's artefacts in out/ and refuses one
// that is missing. With -check it writes nothing, compares, and names every
// file that differs, is missing or should not be there.
//
// Files: main.go flags and the two modes; suite.go the list and the artefacts;
// render.go what is generated; snapshot.go calls and storage as text.
//
// Invariants: output depends on contracts.json and the artefacts alone; each
// generated Go file says so in its first line; public deployments are copied
// through unchanged.
package main
