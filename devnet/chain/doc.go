// Package chain is a Filecoin chain of one producer in memory: genesis, tipsets,
// message pool, execution, randomness, finality, and the controls a test needs
// (null rounds, reorgs, snapshots, time). The official built-in actors run on
// devnet/fvm, so receipts, state roots and events are what Filecoin computes.
//
// It is not a node: there are no peers, no consensus, no proofs of its own, and
// nothing is written to disk but the cache of compiled modules. It serves no
// protocol either; devnet/rpc does, from the methods of [Chain].
//
// What differs from Filecoin: there is one block a tipset, by the miner f01000,
// which has no sectors, so weight counts two bytes of power while nobody has any;
// tickets and election proofs are drawn from the seed and are no VRF proofs; the
// network version never changes; finality is a fixed number of tipsets and moves
// back with a deeper reorg; reports of consensus faults find none; the pool has
// limits for each sender and none for all; everything stays in memory.
//
// Map:
//
//	config.go     what a chain is started with, and its defaults
//	chain.go      Chain: start, the tipset index, readers
//	accounts.go   the funded accounts, made from the seed and the known phrase
//	genesis.go    the first state, by the actors' own constructors
//	header.go     block headers, message metadata, signatures, weight
//	basefee.go    the next base fee
//	random.go     tickets, beacon entries and what the machine draws from them
//	execute.go    the messages of a tipset, rewards and cron
//	idle.go       null rounds in which cron has nothing to do; idle_math.go its arithmetic
//	crew.go       those who act by themselves, and Advance
//	proofs.go     which proofs the network finds valid
//	state.go      actors, nonces, supply at a tipset
//	produce.go    epochs: on demand, timed, automatic; null rounds
//	control.go    snapshot, revert, reorg, balances, time
//	mempool.go    the message pool: its rules
//	poolmoves.go  the pool when the head moves, and its readers
//	select.go     which pending messages go into the next block
//	node.go       a tipset in the tree of tipsets
//	index.go      where a message landed, its receipt and events
//	heads.go      subscriptions that never hold up the producer
//
// Invariants:
//   - Execution is deferred as on Filecoin: the header of a tipset carries the
//     state and receipts that its parent's messages led to. The results of the
//     head are computed when it is made and kept, so readers need not wait.
//   - The same configuration and the same calls in the same order give the same
//     CIDs on every machine; the wall clock enters only what is timed.
//   - The canonical chain only changes under one lock, with one head change.
package chain
