// Package sim runs the whole oracle in virtual time against a world that one seed
// draws: a chain with null rounds and reorgs, endpoints that lag, fail and leave logs
// out, a ledger whose commits fail, a queue that loses and repeats, a content node and
// a mempool that misbehave, and crashes at any commit. What runs is the real code of
// watch, intake, store, runner, the pin and release handlers, report and txmgr; only
// what is outside of Tidegate is made up.
//
// A run is a bubble of testing/synctest. All draws come from the seed, one stream for
// each part of the world; which of two things of one instant comes first is the Go
// scheduler's choice, so a seed names a world, not every interleaving in it.
//
// Map (all in tests):
//
//	chain_test.go     blocks, reorgs, mempool, and the contract as a state machine
//	endpoint_test.go  the chain through an endpoint: watch, report and txmgr read it
//	node_test.go      the content node and the queue
//	world_test.go     the draws, one incarnation of the daemon, crashes, the run
//	fence_test.go     the ledger as the runner has it, and an eye on its fences
//	check_test.go     what must be true at the end
//	sim_test.go       seeds: fresh ones, those that once failed, SEEDS=n
//	planted_test.go   bugs that must be caught, planted by a source overlay
package sim
