// Package fevm runs our contracts on the development chain's real FEVM, from Go and in
// one process: what they cost in Filecoin's gas, that they deploy at all, and that
// perpetual storage does with Filecoin's own actors what it does with stand-ins.
//
// It is not for what needs no actor: that is tested in Foundry (test/contracts), where
// tests are faster.
//
// Map:
//
//	suite_test.go    deployment
//	gas_test.go      gas that was recorded, and its ceilings; gas_storage_test.go of perpetual storage
//	dao_test.go      a DAO's story; dao_many_test.go a takeover and a crowd; dao_trace_test.go what gas goes to
//	world_test.go    the suite, storage providers and callers of every kind: sending, reading, errors
//	storage_test.go  what clients and providers do in perpetual storage, step by step
//	ledger_test.go   counting the money after each step
//	life_test.go     a deal's whole life (make ledger prints its money)
//	attacks_test.go  what clients and providers try, in vain
//	functions_*.go   every function of the contracts of the deployment, called by everybody
package fevm
