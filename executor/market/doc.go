// Package market is what Tidegate does on Filecoin's storage market: it reads what
// PerpetualStorage offers to storage providers.
//
// It keeps no key and no ledger, and changes nothing.
//
// Map:
//
//	storage.go   Storage: the views of PerpetualStorage
//	slots.go     Slots: its open slots by pages, read once for each head
//	words.go     reasons and reverts of the contracts in words
//
// Invariants: a stranger's questions cost the endpoint a bounded number of calls for each
// head, one at a time.
package market
