// Package bench compares Tidegate with other systems in one run on one machine:
// the same content, the same source peer, the same concurrency. `make bench`
// prints the results; only ratios within one run mean anything.
//
// Map:
//
//	pin_test.go       pinning from a peer on loopback, beside Kubo
//	commp_test.go     piece commitments beside the reference library, CARs beside Kubo's export
//	backfill_test.go  the past read into a ledger, beside plain fetching and ponder
//	archive_test.go   the node whose past that is
//	ponder_test.go    ponder (test/peers/ponder), run on it
//	answer_test.go    requests answered on chain
package bench
