// Package pieces tests the shelf of pieces (executor/bucket) on the real ledger
// (internal/store), which neither may import from the other: what one promises and
// the other holds.
//
// It is not the end-to-end test (test/e2e runs the binary).
package pieces
