package report

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Ledger is what reporting needs of the durable ledger.
type Ledger interface {
	Answers
	Batches
}

// Answers reads what waits and binds signers to results.
type Answers interface {
	// PendingAnswers gives answers that may be sealed now, the nearest deadline
	// first: final and open requests with a deadline after minDeadline.
	PendingAnswers(ctx context.Context, now, minDeadline time.Time, limit int) ([]chain.Answer, error)
	// NextAnswerAt is when the next answer that is not yet allowed may be sealed.
	NextAnswerAt(ctx context.Context) (time.Time, bool, error)
	// AnswerTo gives the answer to a request that is final and open; false when
	// there is none, or it may not be given.
	AnswerTo(ctx context.Context, request common.Hash) (chain.Answer, bool, error)
	// RecordSigned is all or nothing, durable, and idempotent; another result of a
	// request gives chain.ErrConflictingResult.
	RecordSigned(ctx context.Context, signer common.Address, results []chain.SignedResult, now time.Time) error
}

// Batches moves sealed batches.
type Batches interface {
	// OpenBatches gives batches that are not resolved. One that waits for its
	// transaction comes without items and signatures.
	OpenBatches(ctx context.Context) ([]chain.ReportBatch, error)
	Sealer
	Closer
}

// Sealer makes batches and hands them over.
type Sealer interface {
	// SealBatch gives job.ErrConflict when an answer is no longer waiting.
	SealBatch(ctx context.Context, s chain.Seal, now time.Time) (int64, error)
	AddSignature(ctx context.Context, batch int64, sig chain.Signature, now time.Time) (signed bool, err error)
	// SubmitBatch queues the intent and marks the batch in one step.
	SubmitBatch(ctx context.Context, batch int64, intent chain.Intent, now time.Time) (tx int64, err error)
}

// Closer ends batches; answers whose request still wants one are pending again.
type Closer interface {
	// ResolveBatch ends a batch whose transaction has ended. It does nothing while
	// the watcher has not read the transaction's block as final.
	ResolveBatch(ctx context.Context, batch int64, now time.Time) (reopened int, err error)
	// AbandonBatch gives up a batch that was never submitted.
	AbandonBatch(ctx context.Context, batch int64, now time.Time) (reopened int, err error)
}

// Caller reads contract state; *ethclient.Client is one.
type Caller interface {
	CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error)
}

// Agreed calls a contract's function on the newest state on which as many endpoints as
// must agree return the same; it fails where they do not.
type Agreed interface {
	CallAgreed(ctx context.Context, to common.Address, data []byte) ([]byte, error)
}

// Batcher makes many calls of the chain's endpoint in one; *rpc.Client is one.
type Batcher interface {
	BatchCallContext(ctx context.Context, calls []rpc.BatchElem) error
}
