package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
)

// Key signs Filecoin messages in this process, as the f1 address of its public key.
type Key interface {
	PublicKey() []byte // 65 bytes, uncompressed
	// SignFilecoin signs the bytes of a message's CID: 65 bytes r || s || v, v 0 or 1.
	SignFilecoin(ctx context.Context, message []byte) ([]byte, error)
}

// Of is a key's f1 address.
func Of(key Key) (address.Address, error) { return address.NewSecp256k1Address(key.PublicKey()) }

// pushing is what a message's way into a block needs.
type pushing interface {
	MpoolPush(context.Context, *types.SignedMessage) (cid.Cid, error)
	MpoolGetNonce(context.Context, address.Address) (uint64, error)
	StateSearchMsg(ctx context.Context, from types.TipSetKey, msg cid.Cid, limit abi.ChainEpoch, allowReplaced bool) (*api.MsgLookup, error)
}

// ErrNotInWallet is returned for an address whose key the node does not hold.
var ErrNotInWallet = errors.New("the node's wallet does not hold that key")

// Sender sends calls as one f1 or f3 account.
type Sender struct {
	node *Node
	from address.Address // f1 or f3
	seen common.Address
	key  Key // nil: the node's wallet
}

// Local sends as the f1 address of a key in this process.
func (n *Node) Local(ctx context.Context, key Key) (*Sender, error) {
	from, err := Of(key)
	if err != nil {
		return nil, fmt.Errorf("the key's f1 address: %w", err)
	}
	seen, err := n.Seen(ctx, from)
	return &Sender{node: n, from: from, seen: seen, key: key}, err
}

// Wallet sends as an account whose key the node's wallet holds. Errors: ErrNotInWallet.
func (n *Node) Wallet(ctx context.Context, from address.Address) (*Sender, error) {
	if from.Protocol() == address.ID {
		known, err := n.api.StateAccountKey(ctx, from, types.EmptyTSK)
		if err != nil {
			return nil, fmt.Errorf("%s is no account with a key; is it a multisig? %w", Text(from), err)
		}
		from = known
	}
	has, err := n.api.WalletHas(ctx, from)
	if err != nil {
		return nil, fmt.Errorf("asking the node's wallet for %s (has the token the right to?): %w", Text(from), err)
	}
	if !has {
		return nil, fmt.Errorf("%s: %w", Text(from), ErrNotInWallet)
	}
	seen, err := n.Seen(ctx, from)
	return &Sender{node: n, from: from, seen: seen}, err
}

// Address is the sender's.
func (s *Sender) Address() address.Address { return s.from }

// Seen is the sender as contracts see it.
func (s *Sender) Seen() common.Address { return s.seen }

// Priced is a call with the gas that the node estimates.
type Priced struct {
	msg *types.Message
	// Most is what the gas costs at most, in attoFIL.
	Most *big.Int
}

// Price has the node estimate a call's gas; an estimate runs the call, so what fails is
// seen here. maxFee bounds its cost in attoFIL, nil leaves that to the node.
func (s *Sender) Price(ctx context.Context, c Call, maxFee *big.Int) (Priced, error) {
	msg, err := c.Message(s.from)
	if err != nil {
		return Priced{}, err
	}
	if msg, err = s.node.api.GasEstimateMessageGas(ctx, msg, spec(maxFee, uuid.Nil), types.EmptyTSK); err != nil {
		return Priced{}, fmt.Errorf("estimating the message's gas: %w", err)
	}
	return Priced{msg, new(big.Int).Mul(big.NewInt(msg.GasLimit), msg.GasFeeCap.Int)}, nil
}

func spec(maxFee *big.Int, id uuid.UUID) *api.MessageSendSpec {
	s := &api.MessageSendSpec{MsgUuid: id, MaxFee: filbig.Zero()}
	if maxFee != nil {
		s.MaxFee = filbig.Int{Int: maxFee}
	}
	return s
}

// Push signs a priced call and gives it to the node's pool; it returns the message's CID.
// After an error other than the signer's the message may be in the pool all the same.
func (s *Sender) Push(ctx context.Context, p Priced, maxFee *big.Int) (cid.Cid, error) {
	if s.key == nil {
		signed, err := s.node.api.MpoolPushMessage(ctx, p.msg, spec(maxFee, uuid.New()))
		if err != nil {
			return cid.Undef, fmt.Errorf("having the node sign and push the message: %w", err)
		}
		return signed.Cid(), nil
	}
	msg := *p.msg
	var err error
	if msg.Nonce, err = s.node.api.MpoolGetNonce(ctx, s.from); err != nil {
		return cid.Undef, fmt.Errorf("asking for the nonce of %s: %w", Text(s.from), err)
	}
	raw, err := s.key.SignFilecoin(ctx, msg.Cid().Bytes())
	if err != nil {
		return cid.Undef, fmt.Errorf("signing the message: %w", err)
	}
	signed := &types.SignedMessage{Message: msg, Signature: crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: raw}}
	if _, err := s.node.api.MpoolPush(ctx, signed); err != nil {
		return signed.Cid(), fmt.Errorf("pushing message %s: %w", signed.Cid(), err)
	}
	return signed.Cid(), nil
}

// Landed is what became of a message.
type Landed struct {
	Message cid.Cid // of the one that was executed: the fee may have been raised meanwhile
	Hash    common.Hash
	Height  uint64
	GasUsed uint64
	Exit    int64 // 0 when it went well
}

// Await waits until a message was executed, through passing trouble of the node.
func (n *Node) Await(ctx context.Context, message cid.Cid) (Landed, error) {
	const lookback, patience = abi.ChainEpoch(-1), 10
	for failed := 0; ; {
		found, err := n.api.StateSearchMsg(ctx, types.EmptyTSK, message, lookback, true)
		switch {
		case err == nil && found != nil:
			digest := found.Message.Hash()
			return Landed{
				Message: found.Message, Hash: common.BytesToHash(digest[len(digest)-common.HashLength:]), Height: uint64(found.Height),
				GasUsed: uint64(found.Receipt.GasUsed), Exit: int64(found.Receipt.ExitCode),
			}, nil
		case err != nil:
			if failed++; failed >= patience || ctx.Err() != nil {
				return Landed{}, fmt.Errorf("waiting for message %s, which was sent: %w", message, err)
			}
		default:
			failed = 0
		}
		timer := time.NewTimer(n.every)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return Landed{}, fmt.Errorf("message %s was sent and is not in a block yet: %w", message, ctx.Err())
		}
	}
}
