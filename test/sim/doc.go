// Package sim runs the whole oracle in virtual time against a world that one seed
// draws: a chain with null rounds and reorgs, endpoints that lag, fail and leave logs
// out, a ledger whose commits fail, a queue that loses and repeats, a content node and
// a mempool that misbehave, and crashes at any commit. What runs is the real code of
// watch, intake, store, runner, the pin and release handlers, report and txmgr; only
// what is outside of Tidegate is made up.
//
// A run is a bubble of testing/synctest, and a function of its seed: all draws come from
// the seed, one stream for each part of the world, and of those who would touch the ledger
// or the world in one instant one goes on at a time, by the seed's choice (turns). What the
// product draws (jitter, backoff) is drawn by the seed too. The trace that a run reports is
// a hash of all its turns; TRACE=<folder> writes them down. Two that come between the same
// two turns with the same words are told apart only by who came first: such turns are
// counted as unsure, and a test runs seeds alone and under load and compares them.
//
// Map (all in tests):
//
//	chain_test.go     blocks, reorgs, mempool, and the contract as a state machine
//	endpoint_test.go  the chain through an endpoint: watch, report and txmgr read it
//	node_test.go      the content node and the queue
//	turns_test.go     who goes on next
//	world_test.go     the draws, one incarnation of the daemon, crashes, the run
//	fence_test.go     the ledger as the runner has it, and an eye on its fences
//	check_test.go     what must be true at the end
//	sim_test.go       seeds: fresh ones, those that once failed, SEEDS=n
//	same_test.go      a seed is one run, whatever else the machine does
//	planted_test.go   bugs that must be caught, planted by a source overlay
package sim
