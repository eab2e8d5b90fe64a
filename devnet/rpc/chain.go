package rpc

import (
	"context"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// Chain is what the server wants of a chain. *chain.Chain has it; see there for what
// the methods promise.
type Chain interface {
	Tipsets
	Finality
	Contents
	States
	Simulation
	Finder
	Pool
	Feeds
	Network
	Money
	Pacing
	Editing
}

// Tipsets are found by key and by height.
type Tipsets interface {
	Head() *types.TipSet
	Genesis() *types.TipSet
	TipSet(key types.TipSetKey) (*types.TipSet, error)
	TipSetByHeight(h abi.ChainEpoch, ts *types.TipSet, before bool) (*types.TipSet, error)
	Child(ts *types.TipSet) (*types.TipSet, error)
}

// Finality tells what will stay.
type Finality interface {
	Finalized() *types.TipSet
	Safe() *types.TipSet
	SetFinalityDepth(depth int) error
	StallFinality(stalled bool)
	FinalityStalled() bool
	LatestCertificate() (chain.Certificate, bool)
}

// Contents are the messages of tipsets and what became of them.
type Contents interface {
	Block(block cid.Cid) (*types.BlockHeader, *types.TipSet, error)
	BlockMessages(block cid.Cid) ([]*types.Message, []*types.SignedMessage, error)
	Messages(ts *types.TipSet) ([]types.ChainMsg, error)
	Execution(ts *types.TipSet) (*chain.Execution, error)
}

// States are read after a tipset's messages.
type States interface {
	Actor(ctx context.Context, addr address.Address, ts *types.TipSet) (*types.Actor, error)
	Resolve(ctx context.Context, addr address.Address, ts *types.TipSet) (abi.ActorID, error)
	Store() fvm.Blockstore
	Engine() *fvm.Engine
}

// Simulation gives machines that are thrown away.
type Simulation interface {
	Machine(ctx context.Context, ts *types.TipSet, opts chain.MachineOptions) (*fvm.Machine, error)
	MachineBefore(ctx context.Context, ts *types.TipSet, opts chain.MachineOptions) (*fvm.Machine, error)
}

// Finder finds messages.
type Finder interface {
	Lookup(msg cid.Cid) (*chain.Found, bool)
	MessageOf(hash common.Hash) (cid.Cid, bool)
	Message(msg cid.Cid) (types.ChainMsg, bool)
	HashOf(msg types.ChainMsg) (common.Hash, error)
}

// Pool is the mempool.
type Pool interface {
	Push(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error)
	PushUntrusted(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error)
	Pending() []*types.SignedMessage
	PendingAtHead(ctx context.Context) (*types.TipSet, []*types.SignedMessage, error)
	NextNonce(ctx context.Context, addr address.Address) (uint64, error)
	DropPending(msgs ...cid.Cid) int
}

// Feeds tell what changes, without loss, until ctx ends.
type Feeds interface {
	Heads(ctx context.Context) <-chan chain.HeadChange
	MempoolChanges(ctx context.Context) <-chan chain.MempoolChange
}

// Network is what the chain is.
type Network interface {
	ChainID() uint64
	NetworkName() string
	NetworkVersion(abi.ChainEpoch) network.Version
	Epoch() time.Duration
	Accounts() []chain.Account
}

// Money is what depends on everybody's.
type Money interface {
	Supply(ctx context.Context, ts *types.TipSet) (chain.Supply, error)
	NextBaseFee(ts *types.TipSet) (abi.TokenAmount, error)
}

// Pacing makes tipsets.
type Pacing interface {
	Mine(ctx context.Context, n int) (*types.TipSet, error)
	NullRounds(ctx context.Context, n int) (*types.TipSet, error)
	Advance(ctx context.Context, n int) (*types.TipSet, error)
	AdvanceTime(ctx context.Context, d time.Duration) (*types.TipSet, error)
	Pace() chain.Pace
	SetPace(p chain.Pace) error
}

// Editing changes what was.
type Editing interface {
	Snapshot(ctx context.Context) (uint64, error)
	Revert(ctx context.Context, id uint64) error
	Reorg(ctx context.Context, depth int, keep bool) (chain.Reorged, error)
	RefuseProofs(kinds ...string) error
	RefusedProofs() []string
	SetBalance(ctx context.Context, addr address.Address, amount abi.TokenAmount) error
}

var _ Chain = (*chain.Chain)(nil)
