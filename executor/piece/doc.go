// Package piece turns content into Filecoin pieces: a CAR in one fixed order, its
// piece commitment, an index and the place of every item, in one pass over the
// blocks; aggregates of many pieces with a proof of inclusion for each; and parts
// of what is too large for one piece.
//
// It is not a store (blocks come from a small interface, bytes go to a writer), it
// makes no deals, and it knows neither jobs nor buckets.
package piece
