// Package gas is what work costs on Filecoin: the price list of the reference machine ref-fvm for messages, system calls,
// state and blocks, and the rewriting of an actor's WebAssembly so that it pays for every instruction it executes.
//
// What it is not: it runs nothing and keeps no state of a chain. The machine (package fvm) decides when a charge is due, takes it
// from a [Tracker], and hands the instrumented module to its WebAssembly runtime.
//
// Map of files:
//   - gas.go: [Gas] in milligas with saturating arithmetic, [Charge], the unit of accounting.
//   - tracker.go: [Tracker], gas used against a limit, nested limits, [Tracker.ChargeExec] for executed instructions.
//   - prices.go: [Prices], one price list with every number; [PricesFor] picks it by network version.
//   - charges.go, charges_ipld.go, charges_crypto.go: one method for each charge, named as ref-fvm names it.
//   - instrument.go: [Instrument] and [Inspect]; section.go, code.go, opcode.go and leb.go parse; limiter.go bounds the stack;
//     meter.go finds the metered blocks and inserts the charges.
//
// Invariants: a charge is a pure function of its arguments; arithmetic never wraps, it saturates; Instrument gives the same bytes
// for the same input, returns an error for a malformed module and never panics, and an instrumented module cannot reach the gas
// counter, the stack counter or the functions that were added, because every index of the original is checked against the original.
package gas
