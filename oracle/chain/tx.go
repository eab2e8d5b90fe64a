package chain

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// TxState is where an intent's transaction is.
type TxState string

const (
	TxQueued    TxState = "queued"    // an intent, no nonce yet
	TxPrepared  TxState = "prepared"  // has a nonce, not signed
	TxSigned    TxState = "signed"    // signed bytes durable, reply to a broadcast not known to be good
	TxSent      TxState = "sent"      // accepted by an endpoint
	TxMined     TxState = "mined"     // in a canonical block
	TxFinal     TxState = "final"     // that block is final
	TxReplaced  TxState = "replaced"  // its nonce went to a transaction that is not ours
	TxCancelled TxState = "cancelled" // will never have an effect
)

// TxStates lists every state.
func TxStates() []TxState {
	return []TxState{TxQueued, TxPrepared, TxSigned, TxSent, TxMined, TxFinal, TxReplaced, TxCancelled}
}

// TxTransitions is the whole machine; the schema's tx_edge table holds the same.
var TxTransitions = map[TxState][]TxState{
	TxQueued:   {TxPrepared, TxCancelled},
	TxPrepared: {TxSigned, TxQueued, TxCancelled},
	TxSigned:   {TxSent, TxCancelled, TxReplaced},
	TxSent:     {TxMined, TxReplaced, TxCancelled},
	TxMined:    {TxSent, TxFinal, TxCancelled, TxReplaced},
}

// Reply classes begin Attempt.Reply; the words follow after ": ". Only attempts
// that were all refused definitively let a signed transaction be cancelled.
const (
	ReplyAccepted   = "accepted"   // in an endpoint's pool, or known to it
	ReplyDefinitive = "definitive" // refused in a way that leaves no copy behind
	ReplyUnknown    = "unknown"    // no answer, or one that proves nothing
)

// Why classes begin Tx.Why of a cancelled transaction; the words follow after ": ".
const (
	WhyReverts  = "reverts"  // its execution can only fail: asking for the same again is useless
	WhyExpired  = "expired"  // its time passed before it was in a block
	WhyRefused  = "refused"  // every endpoint refused its bytes for good, or would
	WhyUnwanted = "unwanted" // what it was for is gone: retracted, refunded or answered
)

// Purpose is what became of the reason for which a transaction was queued.
type Purpose struct {
	Gone   string // why it should have no effect any more, "" when it should
	Frozen string // why nothing at all should be sent for now, "" when it may
}

// Ended reports whether nothing more happens to a transaction in s.
func (s TxState) Ended() bool { return s == TxFinal || s == TxReplaced || s == TxCancelled }

// Intent is what the sender is asked to make happen once.
type Intent struct {
	Key    string // idempotency key: the same key is the same intent
	Sender common.Address
	To     common.Address
	Data   []byte
	Value  *big.Int  // attoFIL; nil for zero
	Expiry time.Time // never broadcast for the first time after it; zero for none
}

// Tx is an intent with its transaction.
type Tx struct {
	ID       int64
	Intent   Intent
	State    TxState
	Nonce    uint64 // meaningless in state queued
	HasNonce bool
	GasLimit uint64
	Why      string // why cancelled or replaced, or the revert reason
	Reverted bool   // mined, and its execution reverted

	MinedHash   common.Hash
	MinedBlock  common.Hash
	MinedHeight uint64
	GasUsed     uint64
	FeePaid     *big.Int // attoFIL

	Attempts  []Attempt // oldest first
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Attempt is one signed form of a transaction.
type Attempt struct {
	Hash      common.Hash
	Tx        int64
	Raw       []byte
	Nonce     uint64
	Tip       *big.Int
	FeeCap    *big.Int
	Empty     bool   // a self-transfer that only frees the nonce
	Reply     string // last reply class and words
	CreatedAt time.Time
	Broadcast time.Time // last time; zero for never
}

// Mined is where an attempt landed.
type Mined struct {
	Hash     common.Hash // of the attempt
	Block    common.Hash
	Height   uint64
	GasUsed  uint64
	FeePaid  *big.Int // attoFIL
	Reverted bool
	Why      string // the revert reason, when known
}
