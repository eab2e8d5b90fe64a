// Command fvmvectors writes test/contracts/fvm/vectors: values and their bytes
// as the reference implementations make them, which the Solidity library
// contracts/fvm must read and write alike. `make gen` and `make check` run it.
//
// It is not a test of the library: Foundry replays the vectors.
//
// Files: main.go writes or compares; podsi.go inclusion proofs; cbor.go values of
// actors and their CBOR; abi.go their Solidity types; verdicts.go what the Go decoders take and refuse;
// calls.go what contracts send to actors, and what they make of the answers.
//
// Invariants: output depends on fixed seeds alone; nothing but the files that
// `files` names is written.
package main
