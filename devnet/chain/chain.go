package chain

import (
	"context"
	"errors"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm"
)

var errSkeleton = errors.New("chain: not written yet")

// Errors to compare with errors.Is.
var (
	ErrClosed      = errors.New("the chain is closed")
	ErrNotFound    = errors.New("not found on this chain")
	ErrNullRound   = errors.New("requested epoch was a null round")
	ErrFuture      = errors.New("requested a future epoch (beyond the head)")
	ErrNoSnapshot  = errors.New("no such snapshot: it never was, or an older one was reverted to")
	ErrDeepReorg   = errors.New("a reorg cannot drop the genesis")
	ErrUnknownAddr = errors.New("actor not found")
)

// Chain is a running chain; all its methods may be called at the same time.
type Chain struct{}

// AccountKind tells how an account signs.
type AccountKind string

// Kinds of accounts.
const (
	Ethereum  AccountKind = "ethereum"  // f410, the known phrase's keys
	Secp256k1 AccountKind = "secp256k1" // f1
	BLS       AccountKind = "bls"       // f3
)

// Account is a funded account and its key, which everybody can know.
type Account struct {
	Kind    AccountKind
	Address address.Address // f410, f1 or f3
	ID      abi.ActorID
	Key     []byte // private key, 32 bytes: big endian scalar; for BLS little endian, as Lotus keeps it
}

// Execution is what the messages of a tipset led to.
type Execution struct {
	Root     cid.Cid // state after the tipset, StateRoot v5
	Receipts cid.Cid // AMT of the receipts
	Results  []Result
}

// Result is what became of one message of a tipset.
type Result struct {
	Message types.ChainMsg // *types.SignedMessage, or *types.Message for BLS senders
	Receipt types.MessageReceipt
	Events  []types.Event
	Costs   fvm.GasOutputs
	Error   string // why it failed, in words; empty if it did not
}

// Found says where a message is.
type Found struct {
	Message types.ChainMsg // as it is on chain, maybe a replacement of the one asked for
	TipSet  *types.TipSet  // the tipset that includes it
	Index   int            // among the tipset's messages, in the order they run
	Receipt types.MessageReceipt
	Events  []types.Event
}

// HeadChange is one move of the head. Revert goes from the old head down, Apply
// from the common ancestor up. The first one of a subscription has Current set,
// an empty Revert, and the head in Apply.
type HeadChange struct {
	Current       bool
	Revert, Apply []*types.TipSet
}

// MempoolChange is one message that came into the pool or left it.
type MempoolChange struct {
	Message *types.SignedMessage
	Removed bool // mined, replaced or dropped
}

// Reorged tells what a reorg did.
type Reorged struct {
	Ancestor, OldHead, Head *types.TipSet
	Dropped                 []*types.SignedMessage // messages that are in no tipset any more
}

// Pace is how epochs come about.
type Pace struct {
	BlockTime time.Duration // 0: none by themselves
	AutoMine  bool
	Paused    bool
}

// New builds the genesis and gives a chain at epoch 0.
func New(ctx context.Context, config Config) (*Chain, error) { return nil, errSkeleton }

// Run makes epochs every BlockTime until ctx ends or Close is called; nil then.
func (c *Chain) Run(ctx context.Context) error { return errSkeleton }

// Close ends Run and subscriptions and frees what New made.
func (c *Chain) Close() error { return nil }

// ---- readers ----

// Head is the newest tipset.
func (c *Chain) Head() *types.TipSet { return nil }

// Genesis is the tipset of epoch 0.
func (c *Chain) Genesis() *types.TipSet { return nil }

// Finalized is the newest tipset that no reorg will drop on a public network.
func (c *Chain) Finalized() *types.TipSet { return nil }

// Safe is the tipset that Ethereum tools call safe.
func (c *Chain) Safe() *types.TipSet { return nil }

// TipSet is the tipset of a key, on the canonical chain or dropped by a reorg;
// the empty key is the head. Errors: ErrNotFound.
func (c *Chain) TipSet(key types.TipSetKey) (*types.TipSet, error) { return nil, errSkeleton }

// TipSetByHeight is the tipset at epoch h on the chain that ends in ts (nil: the
// head). At a null round it is the tipset before with before set, else the one
// after. Errors: ErrFuture.
func (c *Chain) TipSetByHeight(h abi.ChainEpoch, ts *types.TipSet, before bool) (*types.TipSet, error) {
	return nil, errSkeleton
}

// Child is the canonical tipset whose parent is ts. Errors: ErrNotFound at the head and off the chain.
func (c *Chain) Child(ts *types.TipSet) (*types.TipSet, error) { return nil, errSkeleton }

// Block is a block header, and the tipset it is in.
func (c *Chain) Block(block cid.Cid) (*types.BlockHeader, *types.TipSet, error) {
	return nil, nil, errSkeleton
}

// BlockMessages are the messages of a block. Errors: ErrNotFound.
func (c *Chain) BlockMessages(block cid.Cid) ([]*types.Message, []*types.SignedMessage, error) {
	return nil, nil, errSkeleton
}

// Messages are those of a tipset in the order they run: BLS first.
func (c *Chain) Messages(ts *types.TipSet) ([]types.ChainMsg, error) { return nil, errSkeleton }

// Execution is what a tipset's messages led to, known as soon as the tipset is.
func (c *Chain) Execution(ts *types.TipSet) (*Execution, error) { return nil, errSkeleton }

// StateAt is the state after a tipset's messages and the root of their receipts.
func (c *Chain) StateAt(ts *types.TipSet) (root, receipts cid.Cid, err error) {
	return cid.Undef, cid.Undef, errSkeleton
}

// Machine is a throw-away machine for calls, at the state after ts and in ts's
// epoch, as Lotus simulates. Set free if gas costs nothing (fee cap 0).
func (c *Chain) Machine(ctx context.Context, ts *types.TipSet, free bool) (*fvm.Machine, error) {
	return nil, errSkeleton
}

// MachineBefore is a throw-away machine at the state in which ts's messages begin
// to run (after the cron of null rounds), for replays.
func (c *Chain) MachineBefore(ctx context.Context, ts *types.TipSet, trace bool) (*fvm.Machine, error) {
	return nil, errSkeleton
}

// Actor is an actor at the state after ts. Errors: ErrUnknownAddr.
func (c *Chain) Actor(ctx context.Context, addr address.Address, ts *types.TipSet) (*types.Actor, error) {
	return nil, errSkeleton
}

// Resolve gives an address's actor id at the state after ts. Errors: ErrUnknownAddr.
func (c *Chain) Resolve(ctx context.Context, addr address.Address, ts *types.TipSet) (abi.ActorID, error) {
	return 0, errSkeleton
}

// CirculatingSupply is the FIL outside of the reward actor, pledges, escrow and the burnt funds, at the state after ts.
func (c *Chain) CirculatingSupply(ctx context.Context, ts *types.TipSet) (abi.TokenAmount, error) {
	return abi.TokenAmount{}, errSkeleton
}

// NextBaseFee is the base fee of the tipset after ts.
func (c *Chain) NextBaseFee(ts *types.TipSet) (abi.TokenAmount, error) {
	return abi.TokenAmount{}, errSkeleton
}

// Store holds all blocks of state, messages, receipts, events and headers.
func (c *Chain) Store() fvm.Blockstore { return nil }

// Engine is the actors' code.
func (c *Chain) Engine() *fvm.Engine { return nil }

// ChainID, NetworkName, NetworkVersion and Epoch are those of Config.
func (c *Chain) ChainID() uint64 { return 0 }

// NetworkName is the name recorded in the init actor.
func (c *Chain) NetworkName() string { return "" }

// NetworkVersion is that of an epoch.
func (c *Chain) NetworkVersion(abi.ChainEpoch) network.Version { return 0 }

// Epoch is how much chain time an epoch is.
func (c *Chain) Epoch() time.Duration { return 0 }

// Accounts are the funded ones: ten Ethereum, then f1, then f3.
func (c *Chain) Accounts() []Account { return nil }

// Miner is the block producer, f01000, and the account that signs its blocks.
func (c *Chain) Miner() (miner, worker address.Address) { return address.Undef, address.Undef }

// ---- messages ----

// Push checks a message by Lotus's rules and adds it to the pool. With AutoMine it
// returns when the message has been executed.
func (c *Chain) Push(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error) {
	return cid.Undef, errSkeleton
}

// Pending are the messages in the pool, by sender and nonce.
func (c *Chain) Pending() []*types.SignedMessage { return nil }

// PendingMessage is the message with this CID in the pool.
func (c *Chain) PendingMessage(msg cid.Cid) (*types.SignedMessage, bool) { return nil, false }

// NextNonce is the nonce of the sender's next message, after the pool's. Errors: ErrUnknownAddr.
func (c *Chain) NextNonce(ctx context.Context, addr address.Address) (uint64, error) {
	return 0, errSkeleton
}

// DropPending forgets these messages, or all, and tells how many there were.
func (c *Chain) DropPending(msgs ...cid.Cid) int { return 0 }

// Lookup finds a message, by its CID or that of the unsigned message, on the
// canonical chain. A replacement (same sender and nonce) is not looked for.
func (c *Chain) Lookup(msg cid.Cid) (*Found, bool) { return nil, false }

// MessageOf finds the message of an Ethereum transaction hash, pending or mined;
// for messages that are not delegated it is the CID's digest.
func (c *Chain) MessageOf(hash common.Hash) (cid.Cid, bool) { return cid.Undef, false }

// Message is a message that the chain has seen, pending, mined or dropped.
func (c *Chain) Message(msg cid.Cid) (types.ChainMsg, bool) { return nil, false }

// Heads gives every move of the head, beginning with the current one, until ctx
// ends or the chain is closed; then the channel closes. It never misses one and
// never holds the producer up.
func (c *Chain) Heads(ctx context.Context) <-chan HeadChange { return nil }

// MempoolChanges gives every change of the pool in the same manner.
func (c *Chain) MempoolChanges(ctx context.Context) <-chan MempoolChange { return nil }

// ---- controls ----

// Mine makes n tipsets, each in the next epoch, and gives the head.
func (c *Chain) Mine(ctx context.Context, n int) (*types.TipSet, error) { return nil, errSkeleton }

// NullRounds skips n epochs and makes the tipset after them; cron runs for each.
func (c *Chain) NullRounds(ctx context.Context, n int) (*types.TipSet, error) {
	return nil, errSkeleton
}

// Pace tells how epochs come about.
func (c *Chain) Pace() Pace { return Pace{} }

// SetPace changes it.
func (c *Chain) SetPace(p Pace) error { return errSkeleton }

// Snapshot keeps head, pool and overrides; ids count from 1.
func (c *Chain) Snapshot() (uint64, error) { return 0, errSkeleton }

// Revert goes back to a snapshot and forgets it and all later ones. Errors: ErrNoSnapshot.
func (c *Chain) Revert(ctx context.Context, id uint64) error { return errSkeleton }

// Reorg drops depth tipsets and makes depth+1 others in their place. Their
// messages go back to the pool if keep is set, else they are forgotten.
func (c *Chain) Reorg(ctx context.Context, depth int, keep bool) (Reorged, error) {
	return Reorged{}, errSkeleton
}

// SetBalance changes an actor's balance, creating a placeholder or account if
// there is none; the reward actor gives or takes the difference. It is part of the
// state after the head.
func (c *Chain) SetBalance(ctx context.Context, addr address.Address, amount abi.TokenAmount) error {
	return errSkeleton
}

// SetFinalityDepth changes how far behind the head the finalized tipset is.
func (c *Chain) SetFinalityDepth(depth int) error { return errSkeleton }
