// Package piece turns content into Filecoin pieces: a CAR in one fixed order, its
// piece commitment, an index and the place of every item, in one pass over the
// blocks; aggregates of many pieces with a proof of inclusion for each; and parts
// of what is too large for one piece.
//
// It is not a store (blocks come from a small interface, bytes go to a writer), it
// makes no deals, and it knows neither jobs nor buckets (executor/bucket does).
//
// Map:
//
//	commp.go     Commitment, sizes, and Writer: bytes in, commitment out
//	tree.go      padding, layers, sub-trees of 1 MiB, the cores that all writers share
//	engine.go    which instructions hash, the self-test, the twin library
//	pieceid.go   piece CIDs of versions 1 and 2
//	pack.go      Pack and Measure: one CAR from blocks; car.go its bytes
//	walk.go      the walk with read-ahead; links.go links and hashes of blocks;
//	             seen.go which CIDs were visited
//	index.go     PackV2: CARv2 with a sorted index
//	layout.go    Layout: any range of a CAR made again from blocks
//	carfile.go   CARs as a source of blocks
//	split.go     parts of large DAGs
//	aggregate.go FRC-0058 aggregates; inclusion.go their proofs (PoDSI)
//	layer.go     Layer: random ranges proven by their Merkle path
//	manifest.go  the identity of a bucket's piece
//
// Memory. A Writer holds 1 MiB, and while it hashes half of that more; sub-trees in
// flight are at most as many as cores, for all writers together. Pack reads ahead
// 16 MiB and 16 blocks more, and remembers 21 to 43 bytes a block: 4 GiB in blocks
// of 1 KiB, 4.2 million, are 90 to 180 MB; in blocks of 256 KiB less than 1 MB.
// PackV2 sorts up to 48 MiB of index in memory, the rest in a file. A CARFile has
// about 50 bytes a block.
//
// Invariants: the same Contents give the same bytes, whoever has the blocks and
// however fast they come; every block is verified before its bytes leave; a
// commitment does not depend on how writes are cut; no goroutine outlives a call
// of Pack, Measure or Split, and those of a Writer end by themselves.
package piece
