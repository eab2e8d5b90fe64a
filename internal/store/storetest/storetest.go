// Package storetest is the conformance suite of the ledger: what every driver
// behind internal/store must do, told through its public methods alone.
//
// It is not a test of one driver's schema or files; those are beside the driver.
//
// Map:
//
//	storetest.go  Ledger, Run, RunModel
//	world.go      an imaginary chain with branches, from which batches are made
//	commit.go     CommitBatch: adding, repeating, advancing, closing
//	retract.go    the retraction matrix
//	claim.go      claiming order, leases, fences
//	job.go        inserting, listing, retrying, dropping
//	report.go     answers, batches, signatures
//	tx.go         senders, nonces, attempts
//	offer.go      deals that are proposed to storage providers
//	repair.go     pieces that are fetched back
//	lease.go      who leads what; what one daemon leaves to the others
//	model.go      a random walk beside a small model in memory
//
// Invariant: the suite needs no clock but the one it hands out, and no order
// between its parts.
package storetest

import (
	"context"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// ChainLedger is the chain side of a ledger.
type ChainLedger interface {
	Cursor(ctx context.Context, filter string) (chain.Cursor, bool, error)
	Coverage(ctx context.Context, filter string) ([][2]uint64, error)
	BlocksFrom(ctx context.Context, height uint64, limit int) ([]chain.Block, error)
	BlockBelow(ctx context.Context, height uint64) (chain.Block, bool, error)
	CommitBatch(ctx context.Context, b chain.Batch) (chain.Committed, error)
	Freeze(ctx context.Context, filter string, final chain.Block, why string) error
	Unfreeze(ctx context.Context, filter string) error
	Request(ctx context.Context, id common.Hash) (chain.Request, error)
	Requests(ctx context.Context, f chain.RequestFilter) ([]chain.Request, error)
	Logs(ctx context.Context, f chain.LogFilter) ([]chain.StoredLog, error)
	SeqAudit(ctx context.Context, contract common.Address) (count int64, missing []int64, highest int64, err error)
	GetMeta(ctx context.Context, key string) (string, error)
	SetMeta(ctx context.Context, key, value string) error
	SetMetaOnce(ctx context.Context, key, value string) error
}

// JobLedger is the executor's side of a ledger.
type JobLedger interface {
	Claim(ctx context.Context, r job.ClaimRequest) (job.Job, bool, error)
	Heartbeat(ctx context.Context, id, fence int64, lease time.Duration, now time.Time, p job.Progress) error
	FinishJob(ctx context.Context, id, fence int64, r job.Result, now time.Time) (job.Committed, error)
	RetryJob(ctx context.Context, id, fence int64, runAt time.Time, lastErr string, p job.Progress) error
	SnoozeJob(ctx context.Context, id, fence int64, runAt time.Time, why string) error
	ReleaseJob(ctx context.Context, id, fence int64) error
	KillJob(ctx context.Context, id, fence int64, lastErr string) error
	DueKinds(ctx context.Context, now time.Time) ([]job.Kind, error)
	InsertJob(ctx context.Context, n job.New, now time.Time) (job.Job, bool, error)
	Job(ctx context.Context, id int64) (job.Job, error)
	JobByKey(ctx context.Context, key string) (job.Job, error)
	JobDetail(ctx context.Context, id int64) ([]byte, error)
	Jobs(ctx context.Context, f job.Filter) ([]job.Job, error)
	JobCounts(ctx context.Context) (map[job.Kind]map[job.State]int64, error)
	RetryNow(ctx context.Context, id int64, now time.Time) (job.Job, error)
	DropJob(ctx context.Context, id int64, now time.Time) error
}

// ReportLedger is the reporter's side of a ledger.
type ReportLedger interface {
	PendingAnswers(ctx context.Context, now, minDeadline time.Time, limit int) ([]chain.Answer, error)
	NextAnswerAt(ctx context.Context) (time.Time, bool, error)
	AnswerTo(ctx context.Context, request common.Hash) (chain.Answer, bool, error)
	SealBatch(ctx context.Context, b chain.Seal, now time.Time) (int64, error)
	RecordSigned(ctx context.Context, signer common.Address, results []chain.SignedResult, now time.Time) error
	AddSignature(ctx context.Context, batch int64, sig chain.Signature, now time.Time) (bool, error)
	OpenBatches(ctx context.Context) ([]chain.ReportBatch, error)
	SubmitBatch(ctx context.Context, batch int64, i chain.Intent, now time.Time) (int64, error)
	ResolveBatch(ctx context.Context, batch int64, now time.Time) (int, error)
	AbandonBatch(ctx context.Context, batch int64, now time.Time) (int, error)
}

// TxLedger is the sender's side of a ledger.
type TxLedger interface {
	AcquireSender(ctx context.Context, sender common.Address, owner string, lease time.Duration, now time.Time) (int64, string, error)
	ParkSender(ctx context.Context, sender common.Address, fence int64, why string) error
	UnparkSender(ctx context.Context, sender common.Address) error
	QueueIntent(ctx context.Context, i chain.Intent, now time.Time) (chain.Tx, bool, error)
	IntentTx(ctx context.Context, key string) (chain.Tx, error)
	OpenTxs(ctx context.Context, sender common.Address) ([]chain.Tx, error)
	Tx(ctx context.Context, id int64) (chain.Tx, error)
	HighestNonce(ctx context.Context, sender common.Address) (uint64, bool, error)
	TxPurpose(ctx context.Context, id int64) (chain.Purpose, error)
	SpentSince(ctx context.Context, sender common.Address, since time.Time) (*big.Int, error)
	PrepareTx(ctx context.Context, id, fence int64, nonce, gasLimit uint64, now time.Time) error
	RequeueTx(ctx context.Context, id, fence int64, now time.Time) error
	SignTx(ctx context.Context, id, fence int64, a chain.Attempt, now time.Time) error
	Attempt(ctx context.Context, hash common.Hash) (chain.Attempt, error)
	AttemptUnderFence(ctx context.Context, sender common.Address, fence int64, hash common.Hash) (chain.Attempt, error)
	MarkBroadcast(ctx context.Context, hash common.Hash, fence int64, reply string, accepted bool, now time.Time) error
	MarkMined(ctx context.Context, id, fence int64, m chain.Mined, now time.Time) error
	MarkUnmined(ctx context.Context, id, fence int64, now time.Time) error
	MarkFinal(ctx context.Context, id, fence int64, now time.Time) error
	CancelTx(ctx context.Context, id, fence int64, why string, now time.Time) error
	MarkReplaced(ctx context.Context, id, fence int64, why string, now time.Time) error
}

// PieceLedger is the shelf's side of a ledger: items, buckets, files, tokens.
type PieceLedger interface {
	PlaceItem(ctx context.Context, it job.Item, ref, single string, rule job.Placing, now time.Time) (job.Placed, error)
	DropItemRef(ctx context.Context, ref string) ([]job.Item, error)
	MarkItemBad(ctx context.Context, bucket int64, piece, why string, now time.Time) error
	Item(ctx context.Context, id string) (job.Item, error)
	ItemRoots(ctx context.Context) (map[string]string, error)
	BucketItems(ctx context.Context, bucket int64) ([]job.Item, error)
	Bucket(ctx context.Context, id int64) (job.Bucket, error)
	BucketOf(ctx context.Context, piece string) (job.Bucket, error)
	Buckets(ctx context.Context, f job.BucketFilter) ([]job.Bucket, error)
	BucketSlots(ctx context.Context, id int64) ([]job.Slot, error)
	FlushBuckets(ctx context.Context, id int64, before time.Time, why string, now time.Time) ([]int64, error)
	SealBucket(ctx context.Context, id int64, seal job.Seal, now time.Time) error
	CleanBucket(ctx context.Context, id int64, now time.Time) error
	OverdueBuckets(ctx context.Context, before, now time.Time) ([]job.Bucket, error)
	AddPieceFile(ctx context.Context, f job.PieceFile, now time.Time) error
	CompletePieceFile(ctx context.Context, f job.PieceFile) error
	DropPieceFile(ctx context.Context, name string) error
	PieceFiles(ctx context.Context, piece string) ([]job.PieceFile, error)
	AddPieceToken(ctx context.Context, p job.PieceToken, now time.Time) error
	PieceToken(ctx context.Context, hash string) (job.PieceToken, error)
}

// SharedLedger is what daemons on one ledger know of each other.
type SharedLedger interface {
	AcquireLease(ctx context.Context, name, owner string, length time.Duration, now time.Time) (fence int64, err error)
	FreeLeases(ctx context.Context, owner string) (freed int64, err error)
	SeeNode(ctx context.Context, n job.Node, now time.Time) error
	Nodes(ctx context.Context) ([]job.Node, error)
}

// Ledger is all of a ledger.
type Ledger interface {
	SharedLedger
	ChainLedger
	JobLedger
	ReportLedger
	TxLedger
	PieceLedger
	OfferLedger
}

// Opener makes an empty ledger that tells the time by clock and ends with the
// test.
type Opener func(t testing.TB, clock func() time.Time) Ledger

// Run runs the suite, but for RunModel, against the ledgers that open makes.
func Run(t *testing.T, open Opener) {
	for _, part := range []struct {
		name  string
		tests []test
	}{
		{"Commit", commitTests},
		{"Retract", retractTests},
		{"Claim", claimTests},
		{"Job", jobTests},
		{"Report", reportTests},
		{"Tx", txTests},
		{"Piece", pieceTests},
		{"Offer", offerTests},
		{"Repair", repairTests},
		{"Lease", leaseTests},
	} {
		t.Run(part.name, func(t *testing.T) {
			for _, c := range part.tests {
				t.Run(c.name, func(t *testing.T) { c.run(newWorld(t, open)) })
			}
		})
	}
	t.Run("RetractionMatrix", func(t *testing.T) { runMatrix(t, open) })
}

// RunModel walks ledgers at random beside a model of them. It is apart from Run
// because it is long: one kind of ledger for each driver is enough.
func RunModel(t *testing.T, open Opener) { runModel(t, open) }

type test struct {
	name string
	run  func(w *world)
}
