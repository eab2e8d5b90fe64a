package rpc_test

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	gethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	gethrpc "github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/rpc"
)

func TestGetLogs(t *testing.T) {
	n := start(t, func(_ *chain.Config, c *rpc.Config) { c.MaxFilterRange, c.MaxFilterResults = 40, 3 })
	contract := n.sample(t)
	var receipts []*gethtypes.Receipt
	for range 4 {
		receipts = append(receipts, n.send(t, 0, &contract, new(big.Int), nil, 100_000_000))
	}
	ctx := within(t)
	query := func(q ethereum.FilterQuery) []gethtypes.Log {
		t.Helper()
		logs, err := n.eth.FilterLogs(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		return logs
	}
	first, third := receipts[0].BlockNumber, receipts[2].BlockNumber
	logs := query(ethereum.FilterQuery{FromBlock: first, ToBlock: third, Addresses: []common.Address{contract}, Topics: [][]common.Hash{{sampleTopic}}})
	if len(logs) != 3 {
		t.Fatalf("%d logs, want 3", len(logs))
	}
	for i, log := range logs {
		if log.TxHash != receipts[i].TxHash || log.BlockHash != receipts[i].BlockHash || log.Removed || log.Index != 0 {
			t.Fatalf("log %d: %+v", i, log)
		}
	}
	if others := query(ethereum.FilterQuery{FromBlock: first, ToBlock: third, Topics: [][]common.Hash{{{1}}}}); len(others) != 0 {
		t.Fatalf("logs of another topic: %+v", others)
	}
	if others := query(ethereum.FilterQuery{FromBlock: first, ToBlock: third, Addresses: []common.Address{{1}}}); len(others) != 0 {
		t.Fatalf("logs of another contract: %+v", others)
	}
	if logs := query(ethereum.FilterQuery{BlockHash: &receipts[1].BlockHash}); len(logs) != 1 || logs[0].TxHash != receipts[1].TxHash {
		t.Fatalf("logs by block hash: %+v", logs)
	}
	filter := func(from, to any) map[string]any { return map[string]any{"fromBlock": from, "toBlock": to} }
	n.refused(t, 1, "filter matches too many events", "eth_getLogs", filter("0x1", "latest"))
	n.refused(t, 1, "FromBlock is not a hex", "eth_getLogs", filter("finalized", "latest"))
	n.refused(t, 1, "ToBlock is not a hex", "eth_getLogs", filter("0x1", "safe"))
	n.refused(t, 1, "not yet available", "eth_getLogs", filter("0x1", "0x"+big.NewInt(int64(n.Head().Height())).Text(16)))
	n.refused(t, 1, "must be after from block", "eth_getLogs", filter("0x5", "0x4"))
	n.mine(t, 50)
	n.refused(t, -32005, "block range exceeds maximum of 40", "eth_getLogs", filter("0x0", "latest"))
	n.refused(t, -32005, "block range exceeds maximum of 40 (got 41)", "eth_getLogs", filter("0x1", "0x2a"))

	var limits rpc.LogLimits
	n.call(t, &limits, "devnet_setLogLimits", 60, "0x5")
	n.call(t, &logs, "eth_getLogs", map[string]any{"fromBlock": "0x1", "toBlock": "latest", "address": contract})
	if limits != (rpc.LogLimits{Epochs: 60, Events: 5}) || len(logs) != 4 {
		t.Errorf("with wider limits %+v: %d logs", limits, len(logs))
	}
	n.refused(t, -32602, "at most", "devnet_setLogLimits", 1<<40)
	if n.call(t, &limits, "devnet_setLogLimits"); limits != (rpc.LogLimits{Epochs: 40, Events: 3}) {
		t.Errorf("the limits of the start are %+v", limits)
	}
	n.refused(t, -32005, "block range exceeds maximum of 40", "eth_getLogs", filter("0x0", "latest"))
}

func TestFilters(t *testing.T) {
	n := start(t, func(_ *chain.Config, c *rpc.Config) { c.MaxFilters = 3 })
	contract := n.sample(t)
	var events, blocks, pending string
	n.call(t, &events, "eth_newFilter", map[string]any{"address": contract})
	n.call(t, &blocks, "eth_newBlockFilter")
	n.call(t, &pending, "eth_newPendingTransactionFilter")
	n.refused(t, 1, "maximum number of filters registered", "eth_newBlockFilter")
	receipt := n.send(t, 0, &contract, new(big.Int), nil, 100_000_000)

	var logs []gethtypes.Log
	eventually(t, func() bool {
		var more []gethtypes.Log
		n.call(t, &more, "eth_getFilterChanges", events)
		logs = append(logs, more...)
		return len(logs) > 0
	})
	if len(logs) != 1 || logs[0].TxHash != receipt.TxHash {
		t.Fatalf("logs %+v", logs)
	}
	var hashes []common.Hash
	n.call(t, &hashes, "eth_getFilterChanges", blocks)
	if !slices.Contains(hashes, receipt.BlockHash) {
		t.Fatalf("blocks %v, want %s among them", hashes, receipt.BlockHash)
	}
	eventually(t, func() bool {
		n.call(t, &hashes, "eth_getFilterChanges", pending)
		return len(hashes) > 0
	})
	if hashes[0] != receipt.TxHash {
		t.Fatalf("pending %v, want %s", hashes, receipt.TxHash)
	}
	n.call(t, &logs, "eth_getFilterLogs", events) // drained
	if len(logs) != 0 {
		t.Fatalf("drained filter has %+v", logs)
	}
	if _, err := n.Reorg(within(t), 2, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		n.call(t, &logs, "eth_getFilterChanges", events)
		return len(logs) > 0
	})
	if !logs[0].Removed || logs[0].TxHash != receipt.TxHash {
		t.Fatalf("after the reorg: %+v", logs)
	}
	var old []gethtypes.Log
	n.call(t, &old, "eth_getLogs", map[string]any{"blockHash": receipt.BlockHash})
	if len(old) != 1 || !old[0].Removed {
		t.Fatalf("logs of a dropped block: %+v", old)
	}
	var gone bool
	n.call(t, &gone, "eth_uninstallFilter", events)
	if !gone {
		t.Fatal("not uninstalled")
	}
	n.refused(t, 1, "filter not found", "eth_getFilterChanges", events)
}

func TestFilterPrefilled(t *testing.T) {
	n := start(t)
	contract := n.sample(t)
	first := n.send(t, 0, &contract, new(big.Int), nil, 100_000_000)
	var id string
	n.call(t, &id, "eth_newFilter", map[string]any{"fromBlock": "0x1", "address": contract})
	second := n.send(t, 0, &contract, new(big.Int), nil, 100_000_000)
	var logs []gethtypes.Log
	eventually(t, func() bool {
		var more []gethtypes.Log
		n.call(t, &more, "eth_getFilterChanges", id)
		logs = append(logs, more...)
		return len(logs) >= 2
	})
	if len(logs) != 2 || logs[0].TxHash != first.TxHash || logs[1].TxHash != second.TxHash {
		t.Fatalf("logs %+v", logs)
	}
}

func TestSubscriptions(t *testing.T) {
	n := start(t)
	contract := n.sample(t)
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	socket, err := gethrpc.DialWebsocket(ctx, strings.Replace(n.server.URL(), "http", "ws", 1), "")
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	client := ethclient.NewClient(socket)
	heads, logs := make(chan *gethtypes.Header, 100), make(chan gethtypes.Log, 100)
	headSub, err := client.SubscribeNewHead(ctx, heads)
	if err != nil {
		t.Fatal(err)
	}
	defer headSub.Unsubscribe()
	logSub, err := client.SubscribeFilterLogs(ctx, ethereum.FilterQuery{Addresses: []common.Address{contract}}, logs)
	if err != nil {
		t.Fatal(err)
	}
	defer logSub.Unsubscribe()
	receipt := n.send(t, 0, &contract, new(big.Int), nil, 100_000_000)
	if log := receive(t, logs); log.TxHash != receipt.TxHash || log.Removed || log.Index != 0 {
		t.Fatalf("log %+v", log)
	}
	head := receive(t, heads)
	for head.Number.Uint64() < receipt.BlockNumber.Uint64()-1 { // of tipsets before the subscription
		head = receive(t, heads)
	}
	if head.Number.Uint64() != receipt.BlockNumber.Uint64()-1 {
		t.Fatalf("head %d, want the parent of block %s", head.Number, receipt.BlockNumber)
	}
	if head := receive(t, heads); head.Number.Uint64() != receipt.BlockNumber.Uint64() {
		t.Fatalf("head %d, want %s", head.Number, receipt.BlockNumber)
	}
	if _, err := n.Reorg(ctx, 2, true); err != nil {
		t.Fatal(err)
	}
	if log := receive(t, logs); !log.Removed || log.TxHash != receipt.TxHash {
		t.Fatalf("after the reorg %+v", log)
	}
	if log := receive(t, logs); log.Removed || log.TxHash != receipt.TxHash || log.BlockHash == receipt.BlockHash {
		t.Fatalf("mined again %+v", log)
	}
	n.refused(t, 1, "connection doesn't support callbacks", "eth_subscribe", "newHeads")
	if err := socket.CallContext(ctx, new(string), "eth_subscribe", "nonsense"); err == nil || !strings.Contains(err.Error(), "unsupported event type") {
		t.Fatalf("a nonsense subscription: %v", err)
	}
}
