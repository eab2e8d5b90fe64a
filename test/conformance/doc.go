// Package conformance asks Filecoin's own actors, on a devnet, what contracts ask
// them, and keeps every answer: test/contracts/fvm/vectors/conformance.json. Foundry
// asks the same of its stand-ins (test/contracts/fvm/Conformance.t.sol) and must get
// the same bytes; so what the contracts' tests are built on is what Filecoin does.
//
// It tests neither the contracts nor the devnet.
//
// A call is a precompile, the opcode by which it is called, and its input, whole; an
// answer is whether that succeeded and its output, whole. Calls are grouped by stages
// in the life of one deal and its sector. Nothing that a call writes stays.
//
// Map: conformance_test.go brings the devnet from stage to stage and compares;
// calls_test.go is the list of calls, datacap_test.go
// that of DataCap; net_test.go is the devnet.
//
// Invariants: the file is what the actors answer today: the test fails when one byte
// differs, and only TIDEGATE_UPDATE=1 writes it.
package conformance
