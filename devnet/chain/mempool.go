package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-varint"

	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/gas"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Limits of the pool, which are Lotus's.
const (
	MaxMessageSize                   = 64 << 10
	MaxActorPendingMessages          = 1000
	MaxUntrustedActorPendingMessages = 100
	replaceByFeePercent              = 125
)

// Errors of the pool, in Lotus's words.
var (
	ErrMessageTooBig          = errors.New("message too big")
	ErrMessageValueTooHigh    = errors.New("cannot send more filecoin than will ever exist")
	ErrNonceTooLow            = errors.New("message nonce too low")
	ErrGasFeeCapTooLow        = errors.New("gas fee cap too low")
	ErrNotEnoughFunds         = errors.New("not enough funds to execute transaction")
	ErrInvalidToAddr          = errors.New("message had invalid to address")
	ErrSoftValidationFailure  = errors.New("validation failure")
	ErrRBFTooLowPremium       = errors.New("replace by fee has too low GasPremium")
	ErrTooManyPendingMessages = errors.New("too many pending messages for actor")
	ErrNonceGap               = errors.New("unfulfilled nonce gap")
	ErrExistingNonce          = errors.New("message with nonce already exists")
)

// MempoolChange is one message that came into the pool or left it.
type MempoolChange struct {
	Message *types.SignedMessage
	Removed bool // mined, replaced or dropped
}

// mempool is the pending messages at one tipset, which is the head except while a
// reorg is being made.
type mempool struct {
	c       *Chain
	changes feed[MempoolChange]

	mu      sync.Mutex
	at      *node          // the tipset
	tree    *fvm.StateTree // state after it
	senders map[address.Address]bySender
}

// bySender are one sender's messages by nonce.
type bySender map[uint64]*types.SignedMessage

func newMempool(ctx context.Context, c *Chain, at *node) (*mempool, error) {
	p := &mempool{c: c, senders: make(map[address.Address]bySender)}
	return p, p.restore(ctx, at, nil)
}

// minimumGas is what a message of this size pays for being on chain, whatever it
// does: the pool's lower bound of gas limits. It is the machine's price, which is
// above that of Lotus's own pool; with less a message could not begin to run.
func minimumGas(version network.Version, size int) int64 {
	return int64(gas.PricesFor(version).OnChainMessage(size).Total().RoundUp())
}

// minimumReplacement is the premium that a message must pay to replace another.
func minimumReplacement(premium abi.TokenAmount) abi.TokenAmount {
	return big.Add(big.Div(big.Mul(premium, big.NewInt(replaceByFeePercent)), big.NewInt(100)), big.NewInt(1))
}

// Push checks a message by the rules of Lotus's own API (MpoolPush) and adds it to
// the pool: nonces may have gaps, a sender may have a thousand messages pending. A
// message whose fee cap is below the base fee waits. With AutoMine it returns when
// the message has been executed, if it could be mined.
func (c *Chain) Push(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error) {
	return c.push(ctx, msg, false)
}

// PushUntrusted is Push by the stricter rules of public gateways: no nonce gaps, at
// most a hundred messages of a sender.
func (c *Chain) PushUntrusted(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error) {
	return c.push(ctx, msg, true)
}

func (c *Chain) push(ctx context.Context, msg *types.SignedMessage, untrusted bool) (cid.Cid, error) {
	if c.life.Err() != nil {
		return cid.Undef, ErrClosed
	}
	if err := c.pool.check(msg); err != nil {
		return cid.Undef, err
	}
	own := *msg
	if err := c.pool.add(ctx, &own, untrusted); err != nil {
		return cid.Undef, err
	}
	if p := c.Pace(); p.AutoMine && !p.Paused {
		if _, err := c.Mine(context.WithoutCancel(ctx), 2+p.Settle); err != nil {
			return cid.Undef, fmt.Errorf("message %s is accepted but not mined: %w", own.Cid(), err)
		}
	}
	return own.Cid(), nil
}

// check is what can be said about a message without the state.
func (p *mempool) check(m *types.SignedMessage) error {
	encoded, encodeErr := m.Serialize()
	if len(encoded) > MaxMessageSize {
		return fmt.Errorf("mpool message too large (%dB): %w", len(encoded), ErrMessageTooBig)
	}
	if err := m.Message.ValidForBlockInclusion(0, p.c.config.NetworkVersion); err != nil {
		return fmt.Errorf("message not valid for block inclusion: %w", err)
	}
	if encodeErr != nil {
		return fmt.Errorf("message not valid for block inclusion: %w", encodeErr)
	}
	if !m.Message.Value.LessThan(types.TotalFilecoinInt) {
		return ErrMessageValueTooHigh
	}
	if m.Message.GasFeeCap.LessThan(big.NewInt(buildconstants.MinimumBaseFee)) {
		return ErrGasFeeCapTooLow
	}
	if err := sig.VerifyMessage(m, m.Message.From, p.c.config.ChainID); err != nil {
		return fmt.Errorf("signature verification failed: failed to validate signature: invalid signature for message %s (type %d): %w",
			m.Cid(), m.Signature.Type, err)
	}
	return nil
}

// add checks a message against the state and the other messages, and takes it.
func (p *mempool) add(ctx context.Context, m *types.SignedMessage, untrusted bool) error {
	hash, err := p.c.HashOf(m)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	actor, err := actorIn(ctx, p.tree, m.Message.From)
	if err != nil {
		return fmt.Errorf("failed to look up actor state nonce: %w: %w", err, ErrSoftValidationFailure)
	}
	if actor.Nonce > m.Message.Nonce {
		return fmt.Errorf("minimum expected nonce is %d, got %d: %w", actor.Nonce, m.Message.Nonce, ErrNonceTooLow)
	}
	if !p.c.maySend(actor) {
		return fmt.Errorf("sender actor %s is not a valid top-level sender", m.Message.From)
	}
	if err := m.Message.ValidForBlockInclusion(minimumGas(p.c.config.NetworkVersion, m.ChainLength()), p.c.config.NetworkVersion); err != nil {
		return fmt.Errorf("verify msg failed: message will not be included in a block: %w", err)
	}
	if err := p.checkBalance(m, actor.Balance); err != nil {
		return fmt.Errorf("failed to check balance: %w", err)
	}
	replaced, err := p.checkPlace(m, actor.Nonce, untrusted)
	if err != nil {
		return fmt.Errorf("failed to add locked: %w", err)
	}
	if replaced != nil {
		p.changes.publish(MempoolChange{Message: replaced, Removed: true})
	}
	p.put(m)
	p.c.mu.Lock()
	p.c.index.learn(m.Cid(), hash, m)
	p.c.mu.Unlock()
	return nil
}

// maySend tells whether an actor can be the origin of messages: accounts, Ethereum
// accounts, and placeholders that will become one.
func (c *Chain) maySend(actor *types.Actor) bool {
	switch c.engine.Name(actor.Code) {
	case "account", "ethaccount":
		return true
	case "placeholder":
		if actor.Nonce != 0 || actor.DelegatedAddress == nil || actor.DelegatedAddress.Protocol() != address.Delegated {
			return false
		}
		namespace, _, err := varint.FromUvarint(actor.DelegatedAddress.Payload())
		return err == nil && namespace == builtin.EthereumAddressManagerActorID
	}
	return false
}

func (p *mempool) checkBalance(m *types.SignedMessage, balance abi.TokenAmount) error {
	required := m.Message.RequiredFunds()
	if balance.LessThan(required) {
		return fmt.Errorf("not enough funds (required: %s, balance: %s): %w", types.FIL(required), types.FIL(balance), ErrNotEnoughFunds)
	}
	for nonce, other := range p.senders[m.Message.From] {
		if nonce != m.Message.Nonce {
			required = big.Add(required, other.Message.RequiredFunds())
		}
	}
	if balance.LessThan(required) {
		return fmt.Errorf("not enough funds including pending messages (required: %s, balance: %s): %w",
			types.FIL(required), types.FIL(balance), ErrSoftValidationFailure)
	}
	return nil
}

// checkPlace is the rules among one sender's messages. It gives the message that m
// replaces.
func (p *mempool) checkPlace(m *types.SignedMessage, stateNonce uint64, untrusted bool) (*types.SignedMessage, error) {
	set := p.senders[m.Message.From]
	next := set.next(stateNonce)
	limit := MaxActorPendingMessages
	if untrusted {
		limit = MaxUntrustedActorPendingMessages
	}
	if untrusted && m.Message.Nonce > next {
		return nil, fmt.Errorf("message nonce has too big a gap from expected nonce (Nonce: %d, nextNonce: %d): %w", m.Message.Nonce, next, ErrNonceGap)
	}
	old, has := set[m.Message.Nonce]
	if !has {
		if len(set) >= limit {
			return nil, ErrTooManyPendingMessages
		}
		return nil, nil
	}
	if old.Cid() == m.Cid() {
		return nil, fmt.Errorf("message from %s with nonce %d already in mpool: %w", m.Message.From, m.Message.Nonce, ErrExistingNonce)
	}
	if least := minimumReplacement(old.Message.GasPremium); m.Message.GasPremium.LessThan(least) {
		return nil, fmt.Errorf("message from %s with nonce %d already in mpool, increase GasPremium to %s from %s to trigger replace by fee: %w",
			m.Message.From, m.Message.Nonce, least, m.Message.GasPremium, ErrRBFTooLowPremium)
	}
	return old, nil
}

// next is the first nonce that is neither in the state nor in an unbroken run after it.
func (s bySender) next(nonce uint64) uint64 {
	for s[nonce] != nil {
		nonce++
	}
	return nonce
}

func (p *mempool) put(m *types.SignedMessage) {
	set := p.senders[m.Message.From]
	if set == nil {
		set = make(bySender)
		p.senders[m.Message.From] = set
	}
	set[m.Message.Nonce] = m
	p.changes.publish(MempoolChange{Message: m})
}

func (p *mempool) remove(from address.Address, nonce uint64) {
	set := p.senders[from]
	m, ok := set[nonce]
	if !ok {
		return
	}
	if delete(set, nonce); len(set) == 0 {
		delete(p.senders, from)
	}
	p.changes.publish(MempoolChange{Message: m, Removed: true})
}

// sorted orders messages by sender and nonce.
func sorted(messages []*types.SignedMessage) []*types.SignedMessage {
	slices.SortFunc(messages, func(a, b *types.SignedMessage) int {
		if order := slices.Compare(a.Message.From.Bytes(), b.Message.From.Bytes()); order != 0 {
			return order
		}
		return int(int64(a.Message.Nonce) - int64(b.Message.Nonce))
	})
	return messages
}

func (p *mempool) pending() []*types.SignedMessage {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pendingLocked()
}

func (p *mempool) pendingLocked() []*types.SignedMessage {
	out := []*types.SignedMessage{}
	for _, set := range p.senders {
		for _, m := range set {
			out = append(out, m)
		}
	}
	return sorted(out)
}
