package chain

import (
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
)

// Answer is a done job's result on its way to the chain. Its request is final
// and open when the ledger hands it out for sealing.
type Answer struct {
	Job      int64
	Request  common.Hash
	Outcome  job.Outcome
	Reason   job.Reason
	Result   []byte
	Terms    []byte
	Context  []byte
	Deadline time.Time
	// Callback gas and everything else of the request is in Terms.
	Batch    int64
	Position int
	Trace    string // W3C traceparent of its job
}

// BatchState is where a batch of answers is.
type BatchState string

const (
	BatchSealed    BatchState = "sealed"    // immutable, being signed
	BatchSigned    BatchState = "signed"    // has its threshold of signatures
	BatchSubmitted BatchState = "submitted" // handed to the sender as one intent
	BatchFinal     BatchState = "final"     // its transaction is final
	BatchFailed    BatchState = "failed"    // its transaction will never land
)

// Seal is what oracle/report hands over to be sealed.
type Seal struct {
	ConfigDigest common.Hash
	Digest       common.Hash // EIP-712 digest that operators sign
	Threshold    int
	Answers      []Answer // in the order of the batch
}

// ReportBatch is a sealed batch.
type ReportBatch struct {
	ID           int64
	ConfigDigest common.Hash
	Digest       common.Hash
	State        BatchState
	Threshold    int
	Tx           int64 // the intent's row, 0 before it is submitted
	TxState      TxState
	TxReverted   bool
	TxWhy        string
	TxQueued     time.Time // zero before it is submitted
	TxSent       time.Time // first broadcast; zero before
	TxUpdated    time.Time // for one that has ended: when
	Items        []Answer  // with Terms and Context, in order
	Signatures   []Signature
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// Signature is one operator's signature over a batch's digest: 65 bytes, v 27 or 28.
type Signature struct {
	Signer common.Address
	Sig    []byte
}

// SignedResult binds a signer to one result of a request for ever.
type SignedResult struct {
	Request    common.Hash
	ResultHash common.Hash
}
