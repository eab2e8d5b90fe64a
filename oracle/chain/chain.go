// Package chain is the vocabulary of what was seen on chain: what oracle/watch
// hands to oracle/intake and what the ledger stores. It is a leaf of plain
// types; it knows no contract, no RPC client and no database.
//
// Map:
//
//	chain.go    Block, Log, Update: what watch sees
//	request.go  Request, Closing, Batch: what intake makes of it
//	report.go   Answer, ReportBatch: answers on their way back
//	tx.go       Intent, Tx, Attempt and the state machine of sending
//	state.go    the state machines of log, request, answer and batch
//
// Invariants: a block is named by its hash, never by its height (null rounds
// leave holes in heights, reorgs put two hashes at one); a log is named by
// (block hash, log index); a Batch is applied whole or not at all.
package chain

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// Block is one canonical block or tipset as an Ethereum RPC shows it.
type Block struct {
	Height uint64
	Hash   common.Hash
	Parent common.Hash
	Time   time.Time
}

// ID is the zero-padded form (height, hash) used in log lines and errors.
func (b Block) ID() string { return big.NewInt(0).SetUint64(b.Height).String() + "/" + b.Hash.Hex() }

// Log is one event log with the block it is in.
type Log struct {
	Height  uint64
	Block   common.Hash
	Index   uint // within the block
	Tx      common.Hash
	TxIndex uint
	Address common.Address
	Topics  []common.Hash
	Data    []byte
}

// LogState is where a log is in its life; rows are never deleted.
type LogState string

const (
	LogSeen      LogState = "seen"
	LogFinal     LogState = "final"
	LogRetracted LogState = "retracted"
)

// Update is what watch found in one step, in this order of meaning: first
// everything above Ancestor is rolled back (when Reorg), then Blocks and Logs
// are added, then everything at or below Final is final.
type Update struct {
	Filter string // name of the watched set of contracts
	// After is the filter's cursor as the step saw it, the zero Cursor where there was
	// none: the update is of use only while that is how the ledger stands. nil is for
	// logs of heights that were covered long ago.
	After *Cursor
	// Reorg says that stored blocks above Ancestor are no longer canonical.
	Reorg    bool
	Ancestor Block
	// Blocks are new canonical blocks, ascending, each the parent of the next
	// (with holes only far behind finality, where range reads skip headers).
	Blocks []Block
	Logs   []Log
	// From and To bound the heights that this step covers, inclusive. From > To
	// when it covers none.
	From, To uint64
	Head     Block  // newest block seen
	Final    Block  // newest final block; Height 0 and zero Hash when unknown
	Soft     uint64 // heights at or below are soft: reversible work may start
	// Behind says that heights after To are known to be final and were not read yet:
	// no work starts, for what is read next may have closed it.
	Behind bool
}

// Contract is a contract that is watched beside those of the configuration.
type Contract struct {
	Address common.Address
	Start   uint64 // height of its deployment
	Joined  int64  // heights above are read with all other contracts' logs, those up to it by themselves; -1 until it has joined
}
