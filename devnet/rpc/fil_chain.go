package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-amt-ipld/v4"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// ChainHead is Filecoin.ChainHead.
func (n *node) ChainHead(context.Context) (*types.TipSet, error) { return n.chain.Head(), nil }

// ChainGetGenesis is Filecoin.ChainGetGenesis.
func (n *node) ChainGetGenesis(context.Context) (*types.TipSet, error) { return n.chain.Genesis(), nil }

// ChainGetFinalizedTipSet is Filecoin.ChainGetFinalizedTipSet.
func (n *node) ChainGetFinalizedTipSet(context.Context) (*types.TipSet, error) {
	return n.chain.Finalized(), nil
}

// ChainGetTipSet is Filecoin.ChainGetTipSet, also of tipsets that a reorg dropped.
func (n *node) ChainGetTipSet(_ context.Context, key types.TipSetKey) (*types.TipSet, error) {
	return n.tipset(key)
}

// ChainGetTipSetByHeight is Filecoin.ChainGetTipSetByHeight: at a null round the one
// before.
func (n *node) ChainGetTipSetByHeight(_ context.Context, h abi.ChainEpoch, key types.TipSetKey) (*types.TipSet, error) {
	return n.tipsetAt(h, key, true)
}

// ChainGetTipSetAfterHeight is Filecoin.ChainGetTipSetAfterHeight: at a null round
// the one after.
func (n *node) ChainGetTipSetAfterHeight(_ context.Context, h abi.ChainEpoch, key types.TipSetKey) (*types.TipSet, error) {
	return n.tipsetAt(h, key, false)
}

func (n *node) tipsetAt(h abi.ChainEpoch, key types.TipSetKey, before bool) (*types.TipSet, error) {
	from, err := n.tipset(key)
	if err != nil {
		return nil, err
	}
	if h > from.Height() {
		return nil, fmt.Errorf("looking for tipset with height greater than start point")
	}
	return n.chain.TipSetByHeight(h, from, before)
}

// ChainGetBlock is Filecoin.ChainGetBlock.
func (n *node) ChainGetBlock(_ context.Context, c cid.Cid) (*types.BlockHeader, error) {
	header, _, err := n.chain.Block(c)
	return header, err
}

// ChainGetBlockMessages is Filecoin.ChainGetBlockMessages.
func (n *node) ChainGetBlockMessages(_ context.Context, c cid.Cid) (*api.BlockMessages, error) {
	bls, secp, err := n.chain.BlockMessages(c)
	if err != nil {
		return nil, err
	}
	out := &api.BlockMessages{BlsMessages: bls, SecpkMessages: secp, Cids: make([]cid.Cid, 0, len(bls)+len(secp))}
	for _, m := range bls {
		out.Cids = append(out.Cids, m.Cid())
	}
	for _, m := range secp {
		out.Cids = append(out.Cids, m.Cid())
	}
	return out, nil
}

// blockParent is the parent of the tipset that a block is in, nil for the genesis.
func (n *node) blockParent(c cid.Cid) (*types.TipSet, error) {
	header, _, err := n.chain.Block(c)
	if err != nil {
		return nil, err
	}
	if header.Height == 0 {
		return nil, nil
	}
	return n.tipset(types.NewTipSetKey(header.Parents...))
}

// ChainGetParentMessages is Filecoin.ChainGetParentMessages: in the order they ran.
func (n *node) ChainGetParentMessages(_ context.Context, c cid.Cid) ([]api.Message, error) {
	parent, err := n.blockParent(c)
	if err != nil || parent == nil {
		return nil, err
	}
	return n.messagesOf(parent)
}

// ChainGetParentReceipts is Filecoin.ChainGetParentReceipts.
func (n *node) ChainGetParentReceipts(_ context.Context, c cid.Cid) ([]*types.MessageReceipt, error) {
	parent, err := n.blockParent(c)
	if err != nil || parent == nil {
		return nil, err
	}
	done, err := n.execution(parent)
	if err != nil {
		return nil, err
	}
	out := make([]*types.MessageReceipt, len(done.Results))
	for i := range done.Results {
		receipt := done.Results[i].Receipt
		out[i] = &receipt
	}
	return out, nil
}

// ChainGetMessagesInTipset is Filecoin.ChainGetMessagesInTipset.
func (n *node) ChainGetMessagesInTipset(_ context.Context, key types.TipSetKey) ([]api.Message, error) {
	ts, err := n.tipset(key)
	if err != nil || ts.Height() == 0 {
		return nil, err
	}
	return n.messagesOf(ts)
}

func (n *node) messagesOf(ts *types.TipSet) ([]api.Message, error) {
	messages, err := n.chain.Messages(ts)
	if err != nil {
		return nil, fmt.Errorf("loading messages of %s: %w", ts.Key(), err)
	}
	var out []api.Message
	for _, m := range messages {
		out = append(out, api.Message{Cid: m.Cid(), Message: m.VMMessage()})
	}
	return out, nil
}

// ChainGetMessage is Filecoin.ChainGetMessage.
func (n *node) ChainGetMessage(_ context.Context, c cid.Cid) (*types.Message, error) {
	msg, ok := n.chain.Message(c)
	if !ok {
		return nil, fmt.Errorf("ipld: could not find %s", c)
	}
	return msg.VMMessage(), nil
}

// ChainReadObj is Filecoin.ChainReadObj.
func (n *node) ChainReadObj(ctx context.Context, c cid.Cid) ([]byte, error) {
	data, err := n.chain.Store().Get(ctx, c)
	if errors.Is(err, fvm.ErrMissingBlock) {
		return nil, fmt.Errorf("blockstore get: ipld: could not find %s", c)
	}
	if err != nil {
		return nil, fmt.Errorf("blockstore get: %w", err)
	}
	return data, nil
}

// ChainHasObj is Filecoin.ChainHasObj.
func (n *node) ChainHasObj(ctx context.Context, c cid.Cid) (bool, error) {
	_, err := n.chain.Store().Get(ctx, c)
	if errors.Is(err, fvm.ErrMissingBlock) {
		return false, nil
	}
	return err == nil, err
}

// ChainGetEvents is Filecoin.ChainGetEvents: those under a receipt's events root.
func (n *node) ChainGetEvents(ctx context.Context, root cid.Cid) ([]types.Event, error) {
	events, err := n.storedEvents(ctx, root)
	if errors.Is(err, fvm.ErrMissingBlock) {
		return n.executedEvents(ctx, root)
	}
	return events, err
}

// executedEvents looks for a receipt with this root, for the machine computes roots
// without storing what is under them.
func (n *node) executedEvents(ctx context.Context, root cid.Cid) ([]types.Event, error) {
	for ts := n.chain.Head(); ; {
		done, err := n.execution(ts)
		if err != nil {
			return nil, err
		}
		for _, result := range done.Results {
			if at := result.Receipt.EventsRoot; at != nil && *at == root {
				return result.Events, nil
			}
		}
		if ts.Height() == 0 {
			return nil, fmt.Errorf("load events amt: ipld: could not find %s", root)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if ts, err = n.parent(ts); err != nil {
			return nil, err
		}
	}
}

func (n *node) storedEvents(ctx context.Context, root cid.Cid) ([]types.Event, error) {
	array, err := amt.LoadAMT(ctx, fvm.CBORStore(n.chain.Store()), root, amt.UseTreeBitWidth(types.EventAMTBitwidth))
	if err != nil {
		return nil, fmt.Errorf("load events amt: %w", err)
	}
	events := make([]types.Event, 0, array.Len())
	err = array.ForEach(ctx, func(_ uint64, raw *cbg.Deferred) error {
		var e types.Event
		if err := e.UnmarshalCBOR(bytes.NewReader(raw.Raw)); err != nil {
			return err
		}
		events = append(events, e)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return events, nil
}

// Kinds of head changes on the wire.
const (
	headRevert  = "revert"
	headApply   = "apply"
	headCurrent = "current"
)

// ChainNotify is Filecoin.ChainNotify: the head, then every change of it, reverts
// before applies. Over WebSocket only.
func (n *node) ChainNotify(ctx context.Context) (<-chan []*api.HeadChange, error) {
	out := make(chan []*api.HeadChange)
	go func() {
		defer close(out)
		for change := range n.chain.Heads(ctx) {
			select {
			case out <- headChanges(change):
			case <-ctx.Done():
				return
			}
		}
	}()
	return out, nil
}

func headChanges(change chain.HeadChange) []*api.HeadChange {
	var out []*api.HeadChange
	apply := headApply
	if change.Current {
		apply = headCurrent
	}
	for _, ts := range change.Revert {
		out = append(out, &api.HeadChange{Type: headRevert, Val: ts})
	}
	for _, ts := range change.Apply {
		out = append(out, &api.HeadChange{Type: apply, Val: ts})
	}
	return out
}

// ChainGetPath is Filecoin.ChainGetPath: the reverts and applies that lead from one
// tipset to another.
func (n *node) ChainGetPath(ctx context.Context, from, to types.TipSetKey) ([]*api.HeadChange, error) {
	a, err := n.tipset(from)
	if err != nil {
		return nil, err
	}
	b, err := n.tipset(to)
	if err != nil {
		return nil, err
	}
	var change chain.HeadChange
	for !a.Equals(b) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if a.Height() == 0 && b.Height() == 0 {
			return nil, errors.New("the two tipsets have no common ancestor")
		}
		if a.Height() >= b.Height() {
			change.Revert = append(change.Revert, a)
			a, err = n.parent(a)
		} else {
			change.Apply = append([]*types.TipSet{b}, change.Apply...)
			b, err = n.parent(b)
		}
		if err != nil {
			return nil, err
		}
	}
	return headChanges(change), nil
}
