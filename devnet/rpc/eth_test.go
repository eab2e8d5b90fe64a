package rpc_test

import (
	"bytes"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	gethtypes "github.com/ethereum/go-ethereum/core/types"
	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// wireBlock is what a client sees of a block.
type wireBlock struct {
	Hash, ParentHash, TransactionsRoot, StateRoot common.Hash
	Number, GasLimit, GasUsed                     ethtypes.EthUint64
	LogsBloom                                     ethtypes.EthBytes
	BaseFeePerGas                                 ethtypes.EthBigInt
	Transactions                                  []any
}

func TestBasics(t *testing.T) {
	n := start(t)
	var text string
	n.call(t, &text, "net_version")
	if text != "31415926" {
		t.Fatalf("net_version %s", text)
	}
	if id, err := n.eth.ChainID(within(t)); err != nil || id.Uint64() != 31415926 {
		t.Fatalf("chain id %v, %v", id, err)
	}
	var syncing bool
	n.call(t, &syncing, "eth_syncing")
	var accounts []common.Address
	n.call(t, &accounts, "eth_accounts")
	if syncing || accounts == nil || len(accounts) != 0 {
		t.Fatalf("syncing %v, accounts %v", syncing, accounts)
	}
	for _, method := range []string{"eth_protocolVersion", "web3_clientVersion", "eth_gasPrice", "eth_baseFee", "eth_maxPriorityFeePerGas", "net_listening", "Filecoin.EthChainId"} {
		var any any
		n.call(t, &any, method)
		if any == nil {
			t.Errorf("%s answers null", method)
		}
	}
	n.refused(t, -32601, "not supported by the devnet: debug_traceCall", "debug_traceCall")
	n.refused(t, -32601, "not supported by the devnet: Filecoin.NetPeers", "Filecoin.NetPeers")
	n.refused(t, -32601, "not supported by the devnet: Filecoin.EthTraceBlock", "trace_block", "0x1")
	n.refused(t, 0, "wrong param count", "eth_getBalance", "0x00000000000000000000000000000000000a11ce")
}

func TestBlocks(t *testing.T) {
	n := start(t)
	n.mine(t, 3)
	if _, err := n.NullRounds(within(t), 2); err != nil { // 4 and 5 are null, 6 is the head
		t.Fatal(err)
	}
	n.mine(t, 1) // 7
	number, err := n.eth.BlockNumber(within(t))
	if err != nil || number != 6 {
		t.Fatalf("block number %d, %v, want the head's parent, 6", number, err)
	}
	var six, three, pending wireBlock
	n.call(t, &six, "eth_getBlockByNumber", "latest", false)
	n.call(t, &three, "eth_getBlockByNumber", "0x3", true)
	n.call(t, &pending, "eth_getBlockByNumber", "pending", false)
	if six.Number != 6 || six.ParentHash != three.Hash || pending.Number != 7 || pending.ParentHash != six.Hash {
		t.Fatalf("blocks %+v, %+v, %+v", three, six, pending)
	}
	if six.TransactionsRoot != common.Hash(ethtypes.EmptyRootHash) || six.StateRoot != (common.Hash{}) || six.GasLimit != 10_000_000_000 {
		t.Fatalf("block %+v has not Lotus's constants", six)
	}
	ones := bytes.Repeat([]byte{0xff}, 256)
	if !bytes.Equal(pending.LogsBloom, ones) || !bytes.Equal(six.LogsBloom, make([]byte, 256)) {
		t.Fatal("bloom: want all ones for the head, which has not been executed, and that of the events below")
	}
	n.refused(t, 12, "requested epoch was a null round (4)", "eth_getBlockByNumber", "0x4", false)
	if err := n.refused(t, 12, "null round", "eth_getBlockReceipts", "0x5"); err.(gethrpc.DataError).ErrorData().(float64) != 5 {
		t.Fatalf("data of the null round's error: %v", err)
	}
	n.refused(t, 1, "requested a future epoch (beyond 'latest')", "eth_getBlockByNumber", "0x7", false)
	n.refused(t, 1, `block param "earliest" is not supported`, "eth_getBlockByNumber", "earliest", false)
	var balance, before string
	_, a := n.wallet(t, 0)
	n.call(t, &balance, "eth_getBalance", a, "0x5") // a state method takes the tipset before
	n.call(t, &before, "eth_getBalance", a, "latest")
	if balance != before {
		t.Fatalf("balance at a null round %s, want %s", balance, before)
	}
	var byHash wireBlock
	n.call(t, &byHash, "eth_getBlockByHash", six.Hash, false)
	if byHash.Number != 6 {
		t.Fatalf("by hash: %+v", byHash)
	}
	n.refused(t, 1, "failed to get tipset by hash", "eth_getBlockByHash", common.Hash{1}, false)
	header, err := n.eth.HeaderByNumber(within(t), nil)
	if err != nil || header.Number.Uint64() != 6 || header.Hash() == six.Hash {
		t.Fatalf("go-ethereum's header %+v, %v: its hash must not be the block's", header, err)
	}
}

func TestFinality(t *testing.T) {
	n := start(t, func(c *chain.Config, _ *rpc.Config) { c.FinalityDepth = 3 })
	n.mine(t, 10)
	var final, safe wireBlock
	n.call(t, &final, "eth_getBlockByNumber", "finalized", false)
	n.call(t, &safe, "eth_getBlockByNumber", "safe", false)
	if final.Number != 7 || safe.Number < final.Number {
		t.Fatalf("finalized %d, safe %d", final.Number, safe.Number)
	}
	var status rpc.Status
	n.call(t, &status, "devnet_setFinalityDepth", 5)
	if status.Finalized != 5 {
		t.Fatalf("status %+v", status)
	}
}

func TestTransfer(t *testing.T) {
	n := start(t)
	to := common.HexToAddress("0x00000000000000000000000000000000000a11ce")
	value := big.NewInt(12345)
	ctx := within(t)
	_, from := n.wallet(t, 0)
	receipt := n.send(t, 0, &to, value, nil, 0)
	if receipt.Status != 1 || len(receipt.Logs) != 0 || receipt.CumulativeGasUsed != 0 || receipt.GasUsed == 0 || receipt.EffectiveGasPrice.Sign() <= 0 {
		t.Fatalf("receipt %+v", receipt)
	}
	if balance, err := n.eth.BalanceAt(ctx, to, nil); err != nil || balance.Cmp(value) != 0 {
		t.Fatalf("balance %v, %v", balance, err)
	}
	if nonce, err := n.eth.NonceAt(ctx, from, nil); err != nil || nonce != 1 {
		t.Fatalf("nonce %d, %v", nonce, err)
	}
	var tx struct {
		Hash, BlockHash common.Hash
		From, To        common.Address
		Type, Nonce     ethtypes.EthUint64
		ChainID         ethtypes.EthUint64 `json:"chainId"`
		Value           ethtypes.EthBigInt
	}
	n.call(t, &tx, "eth_getTransactionByHash", receipt.TxHash)
	if tx.Hash != receipt.TxHash || tx.From != from || tx.To != to || tx.BlockHash != receipt.BlockHash || tx.Type != 2 || tx.ChainID != 31415926 || tx.Value.Int.Cmp(value) != 0 {
		t.Fatalf("transaction %+v", tx)
	}
	spent := new(big.Int).Mul(receipt.EffectiveGasPrice, new(big.Int).SetUint64(receipt.GasUsed))
	balance, err := n.eth.BalanceAt(ctx, from, nil)
	if err != nil {
		t.Fatal(err)
	}
	paid := new(big.Int).Sub(chain.AccountBalance().Int, new(big.Int).Add(balance, value))
	if diff := new(big.Int).Sub(paid, spent); diff.Sign() < 0 || diff.Cmp(new(big.Int).SetUint64(receipt.GasUsed)) >= 0 {
		t.Fatalf("paid %s for gas, the receipt says %s", paid, spent)
	}
	var receipts []*gethtypes.Receipt
	n.call(t, &receipts, "eth_getBlockReceipts", receipt.BlockHash)
	if len(receipts) != 1 || receipts[0].TxHash != receipt.TxHash || receipts[0].BlockHash != receipt.BlockHash {
		t.Fatalf("block receipts %+v", receipts)
	}
	var at struct{ Hash common.Hash }
	n.call(t, &at, "eth_getTransactionByBlockHashAndIndex", receipt.BlockHash, "0x0")
	if at.Hash != receipt.TxHash {
		t.Fatalf("by index %+v", at)
	}
	n.refused(t, 1, "index 1 out of range", "eth_getTransactionByBlockHashAndIndex", receipt.BlockHash, "0x1")
	var count string
	n.call(t, &count, "eth_getBlockTransactionCountByHash", receipt.BlockHash)
	if count != "0x1" {
		t.Fatalf("count %s", count)
	}
	fresh := common.HexToAddress("0x0000000000000000000000000000000000f4e5ff")
	n.refused(t, 1, "failed to get nonce from mpool", "eth_getTransactionCount", fresh, "pending")
	if nonce, err := n.eth.NonceAt(ctx, fresh, nil); err != nil || nonce != 0 {
		t.Fatalf("nonce of nobody %d, %v", nonce, err)
	}
	var null any
	n.call(t, &null, "eth_getTransactionReceipt", common.Hash{1})
	if null != nil {
		t.Fatalf("receipt of an unknown hash: %v", null)
	}
}

func TestPendingTransaction(t *testing.T) {
	n := start(t, func(c *chain.Config, _ *rpc.Config) { c.AutoMine = false })
	to := common.Address{19: 9}
	tx := n.sign(t, 1, &to, big.NewInt(1), nil, 50_000_000)
	if err := n.eth.SendTransaction(within(t), tx); err != nil {
		t.Fatal(err)
	}
	_, isPending, err := n.eth.TransactionByHash(within(t), tx.Hash())
	if err != nil || !isPending {
		t.Fatalf("pending %v, %v", isPending, err)
	}
	_, from := n.wallet(t, 1)
	if nonce, err := n.eth.PendingNonceAt(within(t), from); err != nil || nonce != 1 {
		t.Fatalf("pending nonce %d, %v", nonce, err)
	}
	n.mine(t, 1) // included, not executed
	var receipt any
	n.call(t, &receipt, "eth_getTransactionReceipt", tx.Hash())
	if receipt != nil {
		t.Fatalf("a receipt before the message was executed: %v", receipt)
	}
	n.mine(t, 1)
	if r, err := n.eth.TransactionReceipt(within(t), tx.Hash()); err != nil || r.Status != 1 {
		t.Fatalf("receipt %+v, %v", r, err)
	}
}

func TestTransactionTypes(t *testing.T) {
	n := start(t)
	key, _ := n.wallet(t, 2)
	to := common.Address{19: 9}
	id := new(big.Int).SetUint64(n.ChainID())
	price := big.NewInt(1e9)
	for i, signer := range []gethtypes.Signer{gethtypes.NewEIP155Signer(id), gethtypes.HomesteadSigner{}} {
		tx := gethtypes.MustSignNewTx(key, signer, &gethtypes.LegacyTx{Nonce: uint64(i), GasPrice: price, Gas: 50_000_000, To: &to, Value: big.NewInt(5)})
		if err := n.eth.SendTransaction(within(t), tx); err != nil {
			t.Fatal(err)
		}
		receipt, err := n.eth.TransactionReceipt(within(t), tx.Hash())
		if err != nil || receipt.Status != 1 || receipt.Type != 0 {
			t.Fatalf("receipt %+v, %v", receipt, err)
		}
		var got struct{ GasPrice ethtypes.EthBigInt }
		n.call(t, &got, "eth_getTransactionByHash", tx.Hash())
		if got.GasPrice.Int.Cmp(price) != 0 {
			t.Fatalf("gas price %s", got.GasPrice)
		}
	}
	listed := gethtypes.MustSignNewTx(key, gethtypes.NewLondonSigner(id), &gethtypes.AccessListTx{ChainID: id, Nonce: 2, GasPrice: price, Gas: 1, To: &to, Value: price})
	raw, err := listed.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	n.refused(t, 1, "EIP-2930 transaction is not supported", "eth_sendRawTransaction", ethtypes.EthBytes(raw))
	n.refused(t, 1, "unsupported transaction type", "eth_sendRawTransaction", "0x03c0")
	n.refused(t, 1, "unsupported transaction type", "eth_sendRawTransaction", "0x04c0")
	other := gethtypes.MustSignNewTx(key, gethtypes.NewEIP155Signer(big.NewInt(1)), &gethtypes.LegacyTx{Nonce: 2, GasPrice: price, Gas: 1, To: &to, Value: price})
	if err := n.eth.SendTransaction(within(t), other); err == nil || !strings.Contains(err.Error(), "chain id") {
		t.Fatalf("another chain's transaction: %v", err)
	}
}

func TestContract(t *testing.T) {
	n := start(t)
	contract := n.sample(t)
	ctx := within(t)
	code, err := n.eth.CodeAt(ctx, contract, nil)
	if err != nil || !bytes.Equal(code, sampleRuntime) {
		t.Fatalf("code %x, %v", code, err)
	}
	var answer ethtypes.EthBytes
	n.call(t, &answer, "eth_call", map[string]any{"to": contract}, "latest")
	if new(big.Int).SetBytes(answer).Int64() != 42 {
		t.Fatalf("eth_call gives %s", answer)
	}
	refusal := n.refused(t, 3, "message execution failed (exit=[", "eth_call", map[string]any{"to": contract, "input": "0x01"}, "latest")
	if data := refusal.(gethrpc.DataError).ErrorData(); data != "0xdeadbeef" || !strings.Contains(refusal.Error(), "33") {
		t.Fatalf("revert data %v of %v", data, refusal)
	}
	_, from := n.wallet(t, 0)
	refusal = n.refused(t, 3, "message execution failed", "eth_estimateGas", map[string]any{"from": from, "to": contract, "data": "0x01"})
	if data := refusal.(gethrpc.DataError).ErrorData(); data != "0xdeadbeef" {
		t.Fatalf("revert data of an estimate %v", data)
	}
	receipt := n.send(t, 0, &contract, new(big.Int), nil, 0)
	if receipt.Status != 1 || len(receipt.Logs) != 1 || receipt.Logs[0].Topics[0] != sampleTopic || receipt.Logs[0].Address != contract || new(big.Int).SetBytes(receipt.Logs[0].Data).Int64() != 42 {
		t.Fatalf("receipt %+v", receipt)
	}
	if !receipt.Bloom.Test(contract[:]) || !receipt.Bloom.Test(sampleTopic[:]) {
		t.Fatal("the receipt's bloom misses its log")
	}
	slot, err := n.eth.StorageAt(ctx, contract, common.BigToHash(big.NewInt(1)), nil)
	if err != nil || new(big.Int).SetBytes(slot).Int64() != 5 {
		t.Fatalf("slot %x, %v", slot, err)
	}
	if nonce, err := n.eth.NonceAt(ctx, contract, nil); err != nil || nonce != 1 {
		t.Fatalf("contract nonce %d, %v", nonce, err)
	}
	failed := n.send(t, 0, &contract, new(big.Int), []byte{1}, 100_000_000)
	if failed.Status != 0 || len(failed.Logs) != 0 {
		t.Fatalf("failed receipt %+v", failed)
	}
	var history ethtypes.EthFeeHistory
	n.call(t, &history, "eth_feeHistory", "0x4", "latest", []float64{10, 90})
	if len(history.BaseFeePerGas) != 5 || len(history.GasUsedRatio) != 4 || history.Reward == nil || len((*history.Reward)[0]) != 2 {
		t.Fatalf("fee history %+v", history)
	}
	n.refused(t, 1, "block count should be smaller than 1024", "eth_feeHistory", "0x401", "latest", nil)
}
