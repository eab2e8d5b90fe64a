package devnet

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
)

// Engine is a chain behind the devnet's port. Devnet decides when blocks are
// made and which are final; the engine makes them. Devnet never calls two methods
// of Chain at a time, those of Mempool come from any goroutine.
type Engine interface {
	Chain
	Mempool
	// APIs are the public JSON-RPC services: eth, net, web3, txpool. They answer
	// reads by themselves.
	APIs() []rpc.API
	// Close releases everything. It is called once, when no other call is under way.
	Close() error
}

// Chain is the part of an Engine that makes and unmakes blocks.
type Chain interface {
	// Head is the tip of the chain.
	Head() Block
	// Seal adds one block on the head.
	Seal(ctx context.Context, s Seal) (Sealed, error)
	// Finalize points the finalized and safe tags at the canonical block of that
	// number. It is called after every Seal and Reorg, whose blocks survive a kill of
	// the process when it returns, given a data directory.
	Finalize(number uint64) error
	// Reorg replaces the last blocks by a longer branch.
	Reorg(ctx context.Context, r Reorg) (Reorged, error)
}

// Mempool is the part of an Engine that holds transactions not mined yet.
type Mempool interface {
	// Submit takes a signed transaction in its canonical encoding.
	Submit(ctx context.Context, raw []byte) (common.Hash, error)
	// Drop forgets the waiting transactions that match, and returns how many.
	Drop(match func(common.Hash) bool) (int, error)
	// Arrivals receives a value some time after transactions became executable;
	// several arrivals may be merged into one value.
	Arrivals() <-chan struct{}
}

// Block names a block of the chain.
type Block struct {
	Number uint64      `json:"number"`
	Hash   common.Hash `json:"hash"`
	Time   uint64      `json:"time"` // Unix seconds
}

// Selection says which waiting transactions a block takes.
type Selection int

const (
	// TakeNone makes an empty block.
	TakeNone Selection = iota
	// TakeOne makes a block of the executable transaction that waits longest, or no
	// block when none is executable.
	TakeOne
	// TakeAll makes a block of all executable transactions, best paid first, up to
	// the gas limit.
	TakeAll
)

// Seal asks for one block.
type Seal struct {
	Time uint64 // Unix seconds, later than the head's
	Take Selection
	// Credits are paid out of nothing at the end of the block.
	Credits []Credit
}

// Credit is new money for an address.
type Credit struct {
	Address common.Address
	Amount  *big.Int // attoFIL, a multiple of 1e9
}

// Sealed is the outcome of Seal. Made is false, and the rest zero, when there was
// nothing to take.
type Sealed struct {
	Made  bool
	Block Block
	Txs   int
}

// Reorg asks to replace the last Depth blocks by Depth+1 others.
type Reorg struct {
	Depth uint64
	// KeepTxs puts each replaced block's transactions (and credits) into the new
	// branch, one block later than they were; otherwise they are gone, from the
	// mempool too.
	KeepTxs bool
	// Time is the timestamp of the new head, later than the old head's.
	Time uint64
}

// Reorged is the outcome of a Reorg.
type Reorged struct {
	Ancestor Block         `json:"ancestor"` // the last block both branches share
	OldHead  Block         `json:"oldHead"`
	Head     Block         `json:"head"`
	Dropped  []common.Hash `json:"dropped"` // transactions that are in no block any more
}
