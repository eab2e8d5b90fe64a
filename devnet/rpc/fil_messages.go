package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

type pushFunc func(context.Context, *types.SignedMessage) (cid.Cid, error)

// checkedPush refuses recipients that look like Ethereum addresses and are none.
func checkedPush(ctx context.Context, msg *types.SignedMessage, push pushFunc) (cid.Cid, error) {
	if to := msg.Message.To; to.Protocol() == address.Delegated && !ethtypes.IsEthAddress(to) {
		return cid.Undef, fmt.Errorf("message %s from %s with nonce %d failed sanity check: message recipient %s is a delegated address but not a valid Eth Address",
			msg.Cid(), msg.Message.From, msg.Message.Nonce, to)
	}
	return push(ctx, msg)
}

// MpoolPush is Filecoin.MpoolPush.
func (n *node) MpoolPush(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error) {
	if msg == nil {
		return cid.Undef, errors.New("no message")
	}
	return checkedPush(ctx, msg, n.chain.Push)
}

// MpoolPushUntrusted is Filecoin.MpoolPushUntrusted.
func (n *node) MpoolPushUntrusted(ctx context.Context, msg *types.SignedMessage) (cid.Cid, error) {
	if msg == nil {
		return cid.Undef, errors.New("no message")
	}
	return checkedPush(ctx, msg, n.chain.PushUntrusted)
}

// MpoolBatchPush is Filecoin.MpoolBatchPush.
func (n *node) MpoolBatchPush(ctx context.Context, msgs []*types.SignedMessage) ([]cid.Cid, error) {
	var out []cid.Cid
	for _, msg := range msgs {
		c, err := n.MpoolPush(ctx, msg)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// MpoolPending is Filecoin.MpoolPending. The tipset does not matter: the pool follows
// the head.
func (n *node) MpoolPending(_ context.Context, key types.TipSetKey) ([]*types.SignedMessage, error) {
	if _, err := n.tipset(key); err != nil {
		return nil, err
	}
	return n.chain.Pending(), nil
}

// MpoolSelect is Filecoin.MpoolSelect: the pending messages that can run after the
// tipset, by sender, up to the first gap of nonces.
func (n *node) MpoolSelect(ctx context.Context, key types.TipSetKey, _ float64) ([]*types.SignedMessage, error) {
	ts, err := n.tipset(key)
	if err != nil {
		return nil, err
	}
	next := map[address.Address]uint64{}
	var out []*types.SignedMessage
	for _, m := range n.chain.Pending() {
		from := m.Message.From
		if _, ok := next[from]; !ok {
			actor, err := n.actor(ctx, from, ts)
			if err != nil {
				return nil, fmt.Errorf("looking up sender %s: %w", from, err)
			}
			if actor == nil {
				continue
			}
			next[from] = actor.Nonce
		}
		if m.Message.Nonce == next[from] {
			out = append(out, m)
			next[from]++
		}
	}
	return out, nil
}

// MpoolGetNonce is Filecoin.MpoolGetNonce.
func (n *node) MpoolGetNonce(ctx context.Context, addr address.Address) (uint64, error) {
	return n.chain.NextNonce(ctx, addr)
}

// MpoolSub is Filecoin.MpoolSub: every change of the mempool, over WebSocket.
func (n *node) MpoolSub(ctx context.Context) (<-chan api.MpoolUpdate, error) {
	out := make(chan api.MpoolUpdate)
	go func() {
		defer close(out)
		for change := range n.chain.MempoolChanges(ctx) {
			update := api.MpoolUpdate{Type: api.MpoolAdd, Message: change.Message}
			if change.Removed {
				update.Type = api.MpoolRemove
			}
			select {
			case out <- update:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

// search finds a message that was executed on the chain that ends in from, or with
// replaced the one that took its nonce. Nil if there is none. Errors: errFailedToLoad
// if no such message was ever seen.
func (n *node) search(ctx context.Context, from *types.TipSet, message cid.Cid, lookback abi.ChainEpoch, replaced bool) (*chain.Found, error) {
	msg, ok := n.chain.Message(message)
	if !ok {
		return nil, fmt.Errorf("%w: ipld: could not find %s", errFailedToLoad, message)
	}
	found, ok := n.chain.Lookup(message)
	if !ok {
		var err error
		if found, err = n.sameNonce(ctx, from, msg, replaced); found == nil || err != nil {
			return nil, err
		}
	}
	executed, err := n.chain.Child(found.TipSet)
	if errors.Is(err, chain.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the tipset after %s: %w", found.TipSet.Key(), err)
	}
	if executed.Height() > from.Height() || lookback != api.LookbackNoLimit && executed.Height()+lookback < from.Height() {
		return nil, nil
	}
	return found, nil
}

// sameNonce looks back for the message that took another's nonce.
func (n *node) sameNonce(ctx context.Context, from *types.TipSet, wanted types.ChainMsg, replaced bool) (*chain.Found, error) {
	want := wanted.VMMessage()
	actor, err := n.actor(ctx, want.From, from)
	if err != nil || actor == nil || actor.Nonce <= want.Nonce {
		return nil, err
	}
	for ts := from; ; {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		done, err := n.execution(ts)
		if err != nil {
			return nil, err
		}
		for i, result := range done.Results {
			m := result.Message.VMMessage()
			if m.From != want.From || m.Nonce != want.Nonce {
				continue
			}
			if !m.EqualCall(want) {
				return nil, fmt.Errorf("found message with equal nonce as the one we are looking for that is NOT a valid replacement message (F:%s n %d, TS: %s n%d)",
					wanted.Cid(), want.Nonce, result.Message.Cid(), m.Nonce)
			}
			if !replaced {
				return nil, fmt.Errorf("found message with equal nonce as the one we are looking for (F:%s n %d, TS: %s n%d)",
					wanted.Cid(), want.Nonce, result.Message.Cid(), m.Nonce)
			}
			return &chain.Found{TipSet: ts, Index: i, Result: result}, nil
		}
		if ts.Height() == 0 {
			return nil, nil
		}
		if ts, err = n.parent(ts); err != nil {
			return nil, err
		}
	}
}

// lookup is what StateSearchMsg and StateWaitMsg tell of a found message.
func (n *node) lookup(found *chain.Found) (*api.MsgLookup, error) {
	executed, err := n.chain.Child(found.TipSet)
	if err != nil {
		return nil, fmt.Errorf("loading the tipset after %s: %w", found.TipSet.Key(), err)
	}
	return &api.MsgLookup{Message: found.Message.Cid(), Receipt: found.Receipt, TipSet: executed.Key(), Height: executed.Height()}, nil
}

// StateSearchMsg is Filecoin.StateSearchMsg. The tipset it names is the one that
// executed the message; null if there is none.
func (n *node) StateSearchMsg(ctx context.Context, key types.TipSetKey, message cid.Cid, lookback abi.ChainEpoch, replaced bool) (*api.MsgLookup, error) {
	from, err := n.tipset(key)
	if err != nil {
		return nil, err
	}
	found, err := n.search(ctx, from, message, lookback, replaced)
	if found == nil || err != nil {
		return nil, err
	}
	return n.lookup(found)
}

// StateWaitMsg is Filecoin.StateWaitMsg: it answers when the message has been
// executed on the chain for confidence epochs. Return values are not decoded.
func (n *node) StateWaitMsg(ctx context.Context, message cid.Cid, confidence uint64, lookback abi.ChainEpoch, replaced bool) (*api.MsgLookup, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for range n.chain.Heads(ctx) {
		head := n.chain.Head()
		found, err := n.search(ctx, head, message, lookback, replaced)
		if err != nil {
			return nil, err
		}
		if found == nil {
			continue
		}
		result, err := n.lookup(found)
		if err != nil {
			return nil, err
		}
		if uint64(head.Height()) < uint64(result.Height)+confidence {
			continue
		}
		if result.Receipt.ExitCode.IsSuccess() && len(result.Receipt.Return) > 0 {
			result.ReturnDec = result.Receipt.Return
		}
		return result, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nil, chain.ErrClosed
}

// StateReplay is Filecoin.StateReplay: the message once more where it ran, with a
// trace.
func (n *node) StateReplay(ctx context.Context, key types.TipSetKey, message cid.Cid) (*api.InvocResult, error) {
	var ts *types.TipSet
	if key.IsEmpty() {
		found, err := n.search(ctx, n.chain.Head(), message, api.LookbackNoLimit, true)
		if err != nil {
			return nil, fmt.Errorf("searching for msg %s: %w", message, err)
		}
		if found == nil {
			return nil, fmt.Errorf("didn't find msg %s", message)
		}
		ts, message = found.TipSet, found.Message.Cid()
	} else {
		var err error
		if ts, err = n.tipset(key); err != nil {
			return nil, err
		}
	}
	messages, err := n.chain.Messages(ts)
	if err != nil {
		return nil, fmt.Errorf("loading messages of %s: %w", ts.Key(), err)
	}
	machine, err := n.chain.MachineBefore(ctx, ts, chain.MachineOptions{Trace: true})
	if err != nil {
		return nil, fmt.Errorf("failed to set up vm: %w", err)
	}
	for _, m := range messages {
		result, err := apply(ctx, machine, m.VMMessage(), fvm.Explicit, m.ChainLength())
		if err != nil {
			return nil, fmt.Errorf("replay %s: %w", m.Cid(), err)
		}
		if m.Cid() == message {
			result.MsgCid = message
			return result, nil
		}
	}
	return nil, errors.New("given message not found in tipset")
}
