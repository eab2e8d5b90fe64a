package chain

import (
	"bytes"
	"container/heap"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// queueOf is what one sender can have in the next block: an unbroken run of nonces
// that pays the base fee and that the balance covers.
type queueOf struct {
	messages []*types.SignedMessage
	premium  abi.TokenAmount // effective, of the first message
}

// payable cuts a sender's run of messages where the block could not take it.
func payable(run []*types.SignedMessage, balance, baseFee abi.TokenAmount) []*types.SignedMessage {
	for i, m := range run {
		msg := &m.Message
		balance = big.Sub(balance, msg.RequiredFunds())
		if msg.GasFeeCap.LessThan(baseFee) || msg.GasLimit > buildconstants.BlockGasLimit || balance.Sign() < 0 {
			return run[:i]
		}
		// A value that the rest does not cover fails on chain, which is the sender's affair.
		if balance.GreaterThanEqual(msg.Value) {
			balance = big.Sub(balance, msg.Value)
		}
	}
	return run
}

// selection takes messages by the premium they pay above the base fee, each sender's
// in the order of nonces, until a block is full. Equal premiums go by sender.
func selection(queues [][]*types.SignedMessage, baseFee abi.TokenAmount) (bls, secp []*types.SignedMessage) {
	h := &byPremium{baseFee: baseFee}
	for _, q := range queues {
		if len(q) > 0 {
			h.queues = append(h.queues, queueOf{q, q[0].Message.EffectiveGasPremium(baseFee)})
		}
	}
	heap.Init(h)
	room := buildconstants.BlockGasLimit
	for h.Len() > 0 && len(bls)+len(secp) < buildconstants.BlockMessageLimit {
		first := h.queues[0].messages[0]
		list := &secp
		if isBLS(first) {
			list = &bls
		}
		if first.Message.GasLimit > room || len(*list) >= cbg.MaxLength {
			heap.Pop(h) // nothing of this sender fits any more
			continue
		}
		room -= first.Message.GasLimit
		*list = append(*list, first)
		h.advance()
	}
	return bls, secp
}

type byPremium struct {
	queues  []queueOf
	baseFee abi.TokenAmount
}

// advance goes on to the next message of the first sender.
func (h *byPremium) advance() {
	q := &h.queues[0]
	q.messages = q.messages[1:]
	if len(q.messages) == 0 {
		heap.Pop(h)
		return
	}
	q.premium = q.messages[0].Message.EffectiveGasPremium(h.baseFee)
	heap.Fix(h, 0)
}

func (h *byPremium) Len() int { return len(h.queues) }

func (h *byPremium) Less(i, j int) bool {
	a, b := h.queues[i], h.queues[j]
	if order := big.Cmp(a.premium, b.premium); order != 0 {
		return order > 0
	}
	return bytes.Compare(a.messages[0].Message.From.Bytes(), b.messages[0].Message.From.Bytes()) < 0
}

func (h *byPremium) Swap(i, j int) { h.queues[i], h.queues[j] = h.queues[j], h.queues[i] }

// Push is heap.Interface's.
func (h *byPremium) Push(q any) { h.queues = append(h.queues, q.(queueOf)) }

// Pop is heap.Interface's.
func (h *byPremium) Pop() any {
	last := len(h.queues) - 1
	q := h.queues[last]
	h.queues = h.queues[:last]
	return q
}
