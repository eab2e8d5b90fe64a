package devnet_test

import (
	"context"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/devnet"
)

// logs returns the contract's logs by range, and checks that reads by block hash
// and by receipt agree with it.
func (n *network) logs(contract common.Address) []types.Log {
	n.tb.Helper()
	found, err := n.eth.FilterLogs(n.ctx, ethereum.FilterQuery{FromBlock: common.Big0, Addresses: []common.Address{contract}})
	n.must(err)
	for _, l := range found {
		byHash, err := n.eth.FilterLogs(n.ctx, ethereum.FilterQuery{BlockHash: &l.BlockHash, Addresses: []common.Address{contract}})
		n.must(err)
		if !slices.ContainsFunc(byHash, func(x types.Log) bool { return x.TxHash == l.TxHash && x.Index == l.Index }) {
			n.tb.Errorf("block %s has logs %v, the range has %v", l.BlockHash, byHash, l)
		}
		if receipt := n.receipt(l.TxHash); receipt.BlockHash != l.BlockHash || len(receipt.Logs) != 1 {
			n.tb.Errorf("the receipt says block %s, the log %s", receipt.BlockHash, l.BlockHash)
		}
	}
	return found
}

// watch collects the contract's logs over WebSocket.
func (n *network) watch(contract common.Address) <-chan types.Log {
	n.tb.Helper()
	socket, err := ethclient.DialContext(n.ctx, n.chain.WSURL())
	n.must(err)
	n.tb.Cleanup(socket.Close)
	seen := make(chan types.Log, 100)
	sub, err := socket.SubscribeFilterLogs(n.ctx, ethereum.FilterQuery{Addresses: []common.Address{contract}}, seen)
	n.must(err)
	n.tb.Cleanup(sub.Unsubscribe)
	return seen
}

func (n *network) next(seen <-chan types.Log) types.Log {
	n.tb.Helper()
	ctx, cancel := context.WithTimeout(n.ctx, patience)
	defer cancel()
	select {
	case l := <-seen:
		return l
	case <-ctx.Done():
		n.tb.Fatal("no log over WebSocket")
		return types.Log{}
	}
}

func TestReorgThatDropsATransaction(t *testing.T) {
	n := start(t)
	contract := n.deployLogger()
	seen := n.watch(contract)
	topic := common.Hash{0x77}
	tx := n.send(&contract, 0, topic[:])
	if first := n.next(seen); first.Removed || first.TxHash != tx.Hash() || first.Topics[0] != topic {
		t.Fatalf("first log %+v", first)
	}
	mined := n.receipt(tx.Hash())
	before := n.chain.Head()

	depth := before.Number - mined.BlockNumber.Uint64() + 1
	var out devnet.Reorged
	n.call(&out, "devnet_reorg", depth, false)

	if out.Head.Number != before.Number+1 || out.OldHead != before || out.Ancestor.Number != mined.BlockNumber.Uint64()-1 {
		t.Errorf("reorg %+v from head %+v", out, before)
	}
	if !slices.Equal(out.Dropped, []common.Hash{tx.Hash()}) {
		t.Errorf("dropped %v", out.Dropped)
	}
	if again := n.next(seen); !again.Removed || again.TxHash != tx.Hash() || again.BlockHash != mined.BlockHash {
		t.Errorf("second log %+v, want the first one removed", again)
	}
	if logs := n.logs(contract); len(logs) != 0 {
		t.Errorf("logs %v", logs)
	}
	if _, err := n.eth.TransactionReceipt(n.ctx, tx.Hash()); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("receipt: %v", err)
	}
	if _, _, err := n.eth.TransactionByHash(n.ctx, tx.Hash()); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("the mempool still has it: %v", err)
	}
	old, err := n.eth.HeaderByHash(n.ctx, mined.BlockHash)
	n.must(err)
	now, err := n.eth.HeaderByNumber(n.ctx, mined.BlockNumber)
	n.must(err)
	if old.Hash() == now.Hash() || old.ParentHash != now.ParentHash {
		t.Error("the block was not replaced by a sibling")
	}
	if final := n.tag("finalized"); final != out.Head.Number-3 {
		t.Errorf("finalized %d at head %d", final, out.Head.Number)
	}
	// The nonce is free again.
	if next := n.send(&contract, 0, topic[:]); next.Nonce() != tx.Nonce() {
		t.Errorf("nonce %d, want %d again", next.Nonce(), tx.Nonce())
	}
	if logs := n.logs(contract); len(logs) != 1 {
		t.Errorf("logs %v", logs)
	}
}

func TestReorgThatKeepsTransactionsMinesThemOneBlockLater(t *testing.T) {
	n := start(t)
	contract := n.deployLogger()
	seen := n.watch(contract)
	first, second := common.Hash{1}, common.Hash{2}
	a, b := n.send(&contract, 0, first[:]), n.send(&contract, 0, second[:])
	n.next(seen)
	n.next(seen)
	atA, atB := n.receipt(a.Hash()), n.receipt(b.Hash())
	before := n.chain.Head()

	out, err := n.chain.Reorg(n.ctx, before.Number-atA.BlockNumber.Uint64()+1, true)
	n.must(err)
	if len(out.Dropped) != 0 || out.Head.Number != before.Number+1 {
		t.Errorf("reorg %+v", out)
	}
	for i := range 2 {
		if l := n.next(seen); !l.Removed {
			t.Errorf("log %d after the reorg is not a removal: %+v", i, l)
		}
	}
	for i, want := range []common.Hash{a.Hash(), b.Hash()} {
		if l := n.next(seen); l.Removed || l.TxHash != want {
			t.Errorf("new log %d: %+v", i, l)
		}
	}
	for old, tx := range map[*types.Receipt]common.Hash{atA: a.Hash(), atB: b.Hash()} {
		now := n.receipt(tx)
		if now.BlockHash == old.BlockHash || now.BlockNumber.Uint64() != old.BlockNumber.Uint64()+1 {
			t.Errorf("transaction moved from block %v to %v", old.BlockNumber, now.BlockNumber)
		}
	}
	if logs := n.logs(contract); len(logs) != 2 {
		t.Errorf("logs %v", logs)
	}
	nonce, err := n.eth.NonceAt(n.ctx, n.from, nil)
	n.must(err)
	if nonce != 3 {
		t.Errorf("nonce %d after three transactions", nonce)
	}
}

func TestReorgLeavesOtherWaitingTransactionsAlone(t *testing.T) {
	n := start(t)
	dropped := n.send(&common.Address{9}, 1, nil)
	n.chain.Pause()
	other := *n
	other.key, other.from = devnet.Accounts()[1].Key(), devnet.Accounts()[1].Address
	waiting := other.send(&common.Address{9}, 1, nil)
	_, err := n.chain.Reorg(n.ctx, n.chain.Head().Number, false)
	n.must(err)
	if _, pending, err := n.eth.TransactionByHash(n.ctx, waiting.Hash()); err != nil || !pending {
		t.Errorf("the waiting transaction: pending %v, %v", pending, err)
	}
	n.chain.Resume()
	n.await("receipt of the waiting transaction", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, waiting.Hash())
		return err == nil
	})
	if _, err := n.eth.TransactionReceipt(n.ctx, dropped.Hash()); !errors.Is(err, ethereum.NotFound) {
		t.Errorf("the dropped transaction came back: %v", err)
	}
}

func TestReorgWhileBlocksAreTicking(t *testing.T) {
	n := start(t, every(devnet.DefaultBlockTime/50))
	contract := n.deployLogger()
	var sent []common.Hash
	for i := range 5 {
		topic := common.BigToHash(big.NewInt(int64(i)))
		sent = append(sent, n.send(&contract, 0, topic[:]).Hash())
	}
	n.await("all receipts", func() bool {
		_, err := n.eth.TransactionReceipt(n.ctx, sent[4])
		return err == nil
	})
	for range 5 {
		from := n.chain.Head().Number
		_, err := n.chain.Reorg(n.ctx, min(from, 5), true)
		n.must(err)
		n.await("a block after the reorg", func() bool { return n.tag("latest") > from+1 })
	}
	if logs := n.logs(contract); len(logs) != 5 {
		t.Errorf("%d logs of 5 transactions", len(logs))
	}
}

func TestReorgDepthIsChecked(t *testing.T) {
	n := start(t)
	_, err := n.chain.Mine(n.ctx, 2)
	n.must(err)
	for _, depth := range []uint64{0, 3} {
		if _, err := n.chain.Reorg(n.ctx, depth, false); !errors.Is(err, devnet.ErrReorgDepth) {
			t.Errorf("depth %d: %v", depth, err)
		}
	}
	if _, err := n.chain.Reorg(n.ctx, 2, false); err != nil {
		t.Errorf("down to the first block: %v", err)
	}
}
