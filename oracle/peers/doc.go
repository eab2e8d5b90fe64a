// Package peers carries the talk between operators' daemons over their own port
// (:4783): a leader shows claims to be judged, and batches to be signed. Both sides
// of a connection show a certificate that the operator's report key has signed, so
// that the configuration of operators on chain is the only list of who may talk.
//
// It decides nothing: what is agreed with and signed is oracle/report's business. It
// keeps no state but the nonces of calls that have not expired.
//
// Map:
//
//	identity.go  a certificate bound to a report key, and whom one belongs to
//	wire.go      the calls, their nonce and expiry
//	server.go    Server: the port
//	client.go    Client: all other operators at once
//
// Invariants: nothing of a call is looked at before its certificate belongs to an
// operator of the configuration in force; a call is taken once, and not after its
// expiry; bodies, claims and calls at a time are bounded; no error tells a stranger
// anything of the ledger.
package peers
