package txmgr

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Ledger is what the sender needs of the durable ledger. Every write with a fence
// returns job.ErrFenced when another process took the key over, and every write is
// durable when it returns.
type Ledger interface {
	Leases
	Rows
	Steps
	Results
	Meta
}

// Leases gives one process at a time the right to write for a key.
type Leases interface {
	// AcquireSender takes or renews the lease on addr. It returns the fence that
	// writes must carry and why the key is parked, "" when it is not.
	AcquireSender(ctx context.Context, addr common.Address, owner string, lease time.Duration, now time.Time) (fence int64, parked string, err error)
	ParkSender(ctx context.Context, addr common.Address, fence int64, why string) error
	UnparkSender(ctx context.Context, addr common.Address) error
}

// Rows reads transactions.
type Rows interface {
	// OpenTxs gives all rows of addr that have not ended, by id, with attempts.
	OpenTxs(ctx context.Context, addr common.Address) ([]chain.Tx, error)
	// HighestNonce is over all rows of addr that hold a nonce, ended ones included.
	HighestNonce(ctx context.Context, addr common.Address) (nonce uint64, ok bool, err error)
	// AttemptUnderFence reads stored bytes back and checks that fence is current.
	AttemptUnderFence(ctx context.Context, addr common.Address, fence int64, hash common.Hash) (chain.Attempt, error)
	Purposes
}

// Purposes tells whether and for how much a transaction should still be sent.
type Purposes interface {
	// TxPurpose says whether what the transaction was queued for still stands.
	TxPurpose(ctx context.Context, id int64) (chain.Purpose, error)
	// SpentSince adds up, in attoFIL, fees and values of addr's transactions that
	// were in a block and written to since then.
	SpentSince(ctx context.Context, addr common.Address, since time.Time) (*big.Int, error)
}

// Steps moves a transaction towards a block.
type Steps interface {
	PrepareTx(ctx context.Context, id, fence int64, nonce, gasLimit uint64, now time.Time) error
	RequeueTx(ctx context.Context, id, fence int64, now time.Time) error
	// SignTx stores an attempt: prepared → signed; a signed or sent row gains a
	// replacement and stays in its state.
	SignTx(ctx context.Context, id, fence int64, a chain.Attempt, now time.Time) error
	// MarkBroadcast stores what became of a broadcast; accepted moves signed → sent.
	MarkBroadcast(ctx context.Context, hash common.Hash, fence int64, reply string, accepted bool, now time.Time) error
}

// Results records what the chain made of a transaction.
type Results interface {
	MarkMined(ctx context.Context, id, fence int64, m chain.Mined, now time.Time) error
	MarkUnmined(ctx context.Context, id, fence int64, now time.Time) error
	MarkFinal(ctx context.Context, id, fence int64, now time.Time) error
	CancelTx(ctx context.Context, id, fence int64, why string, now time.Time) error
	MarkReplaced(ctx context.Context, id, fence int64, why string, now time.Time) error
}

// Meta keeps single values.
type Meta interface {
	// GetMeta returns false when the key was never set.
	GetMeta(ctx context.Context, key string) (value string, ok bool, err error)
	SetMeta(ctx context.Context, key, value string) error
}
