// Package market lets the miners of a devnet be found, asked and used as storage
// providers are: they answer Curio's Market 2.0 over HTTP (MK20) and the deal protocols
// of Boost and Curio over libp2p (MK12), fetch the data, check its commitment with the
// reference library, publish and seal it through the official actors, and serve it
// back. And they misbehave on demand, each in its own way.
//
//	net := devnet.Start(t, func(c *devnet.Config) { c.Miners, c.Market = 3, &market.Config{} })
//	for _, p := range net.Market().Providers() {
//		fmt.Println(p.Endpoints())                // URL, multiaddr, ids, keys
//	}
//	p := net.Market().Providers()[0]
//	net.Market().Allow(gate)                          // MK20: contracts whose deals are taken
//	deal, err := p.Await(ctx, ulid, market.Complete)  // by ULID or UUID; or Failed, see Deal.Error
//	err = p.Behave(ctx, market.Corrupt)               // from now on; no argument is honest again
//
// The same from outside: `tidegate devnet --miners 3 --market [--misbehave 2=corrupt]`,
// and on its loopback port devnet_marketProviders(), devnet_marketDeals({miner}),
// devnet_behave({miner, conduct: [...]}), devnet_allowContract({address}).
//
// Below Endpoints.URL are
//
//	POST /market/mk20/deal           Curio's OpenAPI version 1.0.0: body, codes and "Reason: …"
//	GET  /market/mk20/status/{ulid}  {"ddo_v1":{"status","errorMsg"}}
//	GET  /market/mk20/products, /market/mk20/sources, /market/mk20/contracts
//	GET  /piece/{piece CID v1 or v2} with ranges
//	GET  /ipfs/{cid}                 trustless: ?format=raw or car, for deals with indexing
//
// and at Endpoints.Multiaddr the streams /fil/storage/mk/1.2.1 and 1.2.0,
// /fil/storage/status/1.2.0, /fil/storage/ask/1.1.0, /fil/retrieval/transports/1.0.0.
// Every call of MK20 carries CurioAuth with secp256k1, bls or delegated keys. A lost
// answer is found by the status: a ULID that was never taken is 401, as with Curio, and
// the same ULID again is 500.
//
// It is not Curio: there are no uploads (source_http_put), no offline or aggregate
// sources, no PDP, no limits of rate, no IPNI; one deal is one sector; data is in a
// temporary directory and gone with the process, and no part of a devnet's dump. It
// dials whatever URL a client gives, so it belongs on loopback.
//
// Map:
//
//	market.go     Config, Market: the providers of a chain
//	provider.go   Provider: its servers, endpoints, going offline
//	conduct.go    the ways to misbehave
//	deal.go       Deal and its states; the pipeline
//	fetch.go      the data: ranges, resumption, commitment
//	onchain.go    publishing, sealing, what the chain is asked
//	mk20.go       MK20's wire types; mk20_check.go what is refused, mk20_http.go the routes and CurioAuth
//	mk12.go       MK12's wire types, wire.go their CBOR; mk12_check.go, mk12_streams.go
//	retrieve.go   /piece and /ipfs
//	controls.go   the methods devnet_*
//
// Invariants:
//   - What an honest provider refuses, Curio refuses with the same code or words (commit
//     e0294b0f, 2026-08-20); what it does on chain are messages of its own worker.
//   - Data whose commitment differs is never published, sealed or served.
//   - A deal's state only goes forward, and ends as Complete or Failed.
package market
