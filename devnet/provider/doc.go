// Package provider is the life of storage providers on a devnet chain: it creates
// miners and lets them do, through the official actors, what miners do, so that deals,
// sectors, faults and verified data come about as on Filecoin. Everything is a signed
// message in a tipset; nothing is written into the state.
//
//	fleet, err := provider.New(ctx, chain, provider.Config{})
//	miner, err := fleet.Create(ctx, provider.Creation{})
//	deals, err := miner.Publish(ctx, proposals...)
//	sectors, err := miner.Seal(ctx, provider.Sector{Pieces: []provider.Piece{{CID: c, Size: 2048, Deal: &deals[0]}}})
//
// From then on the fleet proves every sector each proving period by itself, whenever
// the chain makes its tipsets. Miners misbehave on demand: they skip sectors, stop
// proving, let proofs be disputed, terminate.
//
// It is not a storage provider: there is no data, no sealing and no proof; replicas
// and proofs are bytes from the seed, which the network accepts or refuses by
// [chain.Chain.RefuseProofs]. Nor does it speak any deal protocol: devnet/market does.
//
// Map:
//
//	fleet.go     Fleet: miners, the bank, reading the state
//	send.go      messages: gas, nonces, waiting, exit codes, multisig owners
//	query.go     calls without a message, keys of accounts, escrow, collateral
//	miner.go     Miner: creation, address, peer, balance
//	seal.go      pre-commit and prove, with pieces, allocations and notifications
//	post.go      window PoSt by itself: the fleet as the chain's crew
//	faults.go    skipping, stopping, recovering, disputing
//	sectors.go   where a sector is and its state; terminate, extend, compact
//	deals.go     f05: escrow, proposals, publishing, settlement
//	datacap.go   f06 and f07: notaries, DataCap, allocations, claims
//	dump.go      the fleet in a dump of a devnet, and back
//	controls.go  the same as methods devnet_* of JSON-RPC; controls_deals.go for deals and DataCap
//
// Invariants:
//   - What miners do by themselves follows from the state of the tipset they build on
//     and from what they were told; after a reorg they do it again.
//   - A method that acts returns when its message has run; if the actor refused it, the
//     error is an [ExitError] and the message is on the chain.
//   - Methods that need another epoch let time pass: on a timed chain they wait, else
//     they advance it.
package provider
