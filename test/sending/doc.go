// Package sending tests the way of an answer from the ledger to the chain with
// the real ledger, reporter and sender against the real contract on go-ethereum's
// simulated chain: what the packages' own tests do with fakes.
package sending
