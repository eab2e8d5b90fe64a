// Package ipfs is the embedded IPFS node: it fetches whole DAGs from peers, holds
// them for requests, serves what it holds over bitswap, and gives it back when
// the last request lets go. Blocks, references and pin records live in the node's
// own directory; the ledger knows nothing of them but the node's id.
//
// It is not a queue (a pin is one blocking call under the caller's context), not
// a gateway (Open is local only), and it knows nothing of chains: a request is a
// string, an owner is a string, a sequence number is a number.
//
// Map:
//
//	config.go    Config, Limits, Deps and their defaults
//	node.go      Node: New opens and reconciles, Close ends
//	lock_unix.go the directory lock and free space
//	host.go      identity, libp2p host, bitswap, static peers; routing.go finds providers, announces roots
//	dial.go      dialling policy: which address a stranger may make us dial
//	know.go      the nodes of the operator's other daemons
//	origin.go    origins: syntax, resolution, rate limit, the connection gater
//	stream.go    streams of other protocols to peers that a stranger named
//	content.go   allow-listed codecs and hashes, links of a block
//	keys.go      the layout of the metadata store, and its sum merger
//	store.go     blocks and their references: the one way in (add)
//	release.go   the one way out (drop), Release and Unpin
//	claims.go    who works on which request; locks on blocks
//	pin.go       Pin: one request's DAG, fetched, referenced, made durable
//	walk.go      the depth-first walk, its caps and its memory
//	fetch.go     wants, stalls, rotation of providers; direct.go asks known peers at
//	             once, gateway.go trustless HTTP
//	add.go       files and directories in, with Kubo's CIDs
//	read.go      reading back: Open, HasAll, the blockstore that bitswap serves
//	restore.go   blocks put back from a CAR instead of the network
//	recount.go   the same truth computed from scratch, and compared
//	stats.go     numbers for people and for Prometheus
//
// Where bytes are. A block up to InlineMax (32 KiB) is a value in pebble, written
// in the same batch as its references: one synced write makes a small pin durable,
// and pebble lets concurrent pins share that sync. A larger block is a flatfs file
// (next-to-last/2), on disk before any reference to it is written: one syncfs(2)
// makes all files of a batch durable (sync_linux.go). Both are one index: a block is held if and only if the key b/<multihash> exists.
//
// Invariants:
//
//  1. A block is held if and only if at least one reference r/<multihash>/<pin>
//     exists; r and the pin's manifest m/<pin>/<multihash> are written and deleted
//     in one batch. They are sets, so doing it twice is doing it once.
//  2. Whoever adds or drops a reference holds that block's lock from the check to
//     the commit, file writes and deletes included.
//  3. Before block files appear or vanish, an intent naming them is synced. New
//     deletes the files of each intent left over whose b key is absent. No start
//     ever walks the store.
//  4. A pin is `pinned` only in the batch that is synced after all its references
//     exist; Pin returns nil only after that sync.
//  5. Dropping costs the blocks of that pin. A pin record in `dropping` is
//     finished by New.
//  6. Content is identified by multihash: CIDv0 and CIDv1 are one block. Identity
//     CIDs carry their bytes themselves and are never stored or referenced.
//  7. On behalf of a stranger, only an address that was resolved and checked is
//     dialled, and the gater repeats the check on every outbound dial.
package ipfs
