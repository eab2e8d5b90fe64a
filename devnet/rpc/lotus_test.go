package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/chain"
)

// lotus is Lotus's own client, over HTTP or WebSocket.
func (n *net) lotus(tb testing.TB, scheme string) api.FullNode {
	tb.Helper()
	full, closer, err := client.NewFullNodeRPCV1(within(tb), strings.Replace(n.server.URL(), "http", scheme, 1), nil)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(closer)
	return full
}

func (n *net) account(tb testing.TB, kind chain.AccountKind) chain.Account {
	tb.Helper()
	for _, a := range n.Accounts() {
		if a.Kind == kind {
			return a
		}
	}
	tb.Fatalf("no account of kind %s", kind)
	panic("unreachable")
}

func TestLotusClient(t *testing.T) {
	for _, scheme := range []string{"http", "ws"} {
		for _, kind := range []chain.AccountKind{chain.Secp256k1, chain.BLS} {
			t.Run(scheme+" "+string(kind), func(t *testing.T) { testLotusClient(t, scheme, kind) })
		}
	}
}

func testLotusClient(t *testing.T, scheme string, kind chain.AccountKind) {
	n := start(t)
	full := n.lotus(t, scheme)
	ctx := within(t)
	from, to := n.account(t, kind), n.Accounts()[0]
	version, err := full.Version(ctx)
	if err != nil || version.APIVersion != api.FullAPIVersion1 || version.BlockDelay != 30 {
		t.Fatalf("version %+v, %v", version, err)
	}
	nonce, err := full.MpoolGetNonce(ctx, from.Address)
	if err != nil {
		t.Fatal(err)
	}
	message, err := full.GasEstimateMessageGas(ctx, &types.Message{From: from.Address, To: to.Address, Nonce: nonce, Value: abi.NewTokenAmount(777)}, nil, types.EmptyTSK)
	if err != nil {
		t.Fatal(err)
	}
	if message.GasLimit <= 0 || message.GasPremium.LessThan(fbig.NewInt(100_000)) || message.GasFeeCap.LessThan(message.GasPremium) {
		t.Fatalf("estimated %+v", message)
	}
	signed, err := from.Key.SignMessage(message, n.ChainID())
	if err != nil {
		t.Fatal(err)
	}
	id, err := full.MpoolPush(ctx, signed)
	if err != nil {
		t.Fatal(err)
	}
	found, err := full.StateWaitMsg(ctx, id, 0, api.LookbackNoLimit, true)
	if err != nil || found.Receipt.ExitCode != 0 {
		t.Fatalf("waited for %+v, %v", found, err)
	}
	again, err := full.StateSearchMsg(ctx, types.EmptyTSK, id, api.LookbackNoLimit, true)
	if err != nil || again == nil || again.TipSet != found.TipSet {
		t.Fatalf("searched %+v, %v", again, err)
	}
	executed, err := full.ChainGetTipSet(ctx, found.TipSet)
	if err != nil {
		t.Fatal(err)
	}
	block := executed.Blocks()[0].Cid()
	messages, err := full.ChainGetParentMessages(ctx, block)
	if err != nil || len(messages) != 1 || messages[0].Message.Value.Int64() != 777 {
		t.Fatalf("parent messages %+v, %v", messages, err)
	}
	receipts, err := full.ChainGetParentReceipts(ctx, block)
	if err != nil || len(receipts) != 1 || receipts[0].GasUsed != found.Receipt.GasUsed {
		t.Fatalf("parent receipts %+v, %v", receipts, err)
	}
	replay, err := full.StateReplay(ctx, types.EmptyTSK, id)
	if err != nil || replay.MsgRct.GasUsed != found.Receipt.GasUsed || replay.MsgRct.ExitCode != 0 {
		t.Fatalf("replay %+v, %v", replay, err)
	}
	hash, err := full.EthGetTransactionHashByCid(ctx, id)
	if err != nil || hash == nil {
		t.Fatalf("hash %v, %v", hash, err)
	}
	var tx struct{ Type, V ethtypes.EthUint64 }
	n.call(t, &tx, "eth_getTransactionByHash", hash)
	if tx.Type != 2 || tx.V != 0 {
		t.Fatalf("native message as a transaction %+v", tx)
	}
	back, err := full.EthGetMessageCidByTransactionHash(ctx, hash)
	if err != nil || back == nil {
		t.Fatalf("message of %s: %v, %v", hash, back, err)
	}
	balance, err := full.WalletBalance(ctx, to.Address)
	if err != nil || !balance.Equals(fbig.Add(chain.AccountBalance(), fbig.NewInt(777))) {
		t.Fatalf("balance %s, %v", balance, err)
	}
}

func TestLotusState(t *testing.T) {
	n := start(t)
	n.mine(t, 3)
	full := n.lotus(t, "http")
	ctx := within(t)
	secp := n.account(t, chain.Secp256k1)
	actor, err := full.StateGetActor(ctx, secp.Address, types.EmptyTSK)
	if err != nil || n.Engine().Name(actor.Code) != "account" {
		t.Fatalf("actor %+v, %v", actor, err)
	}
	id, err := full.StateLookupID(ctx, secp.Address, types.EmptyTSK)
	if err != nil {
		t.Fatal(err)
	}
	if number, _ := address.IDFromAddress(id); number != uint64(secp.ID) {
		t.Fatalf("id %s, want %d", id, secp.ID)
	}
	if key, err := full.StateAccountKey(ctx, id, types.EmptyTSK); err != nil || key != secp.Address {
		t.Fatalf("key %s, %v", key, err)
	}
	if robust, err := full.StateLookupRobustAddress(ctx, id, types.EmptyTSK); err != nil || robust != secp.Address {
		t.Fatalf("robust address %s, %v", robust, err)
	}
	nobody, err := address.NewSecp256k1Address([]byte("nobody"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := full.StateLookupID(ctx, nobody, types.EmptyTSK); !errors.As(err, new(*api.ErrActorNotFound)) {
		t.Fatalf("id of nobody: %v", err)
	}
	state, err := full.StateReadState(ctx, builtin.InitActorAddr, types.EmptyTSK)
	if err != nil || state.State.(map[string]any)["NetworkName"] != n.NetworkName() {
		t.Fatalf("init state %+v, %v", state, err)
	}
	version, err := full.StateNetworkVersion(ctx, types.EmptyTSK)
	if err != nil {
		t.Fatal(err)
	}
	codes, err := full.StateActorCodeCIDs(ctx, version)
	if err != nil || codes["evm"] != n.Engine().Code("evm") || len(codes) < 16 {
		t.Fatalf("codes %v, %v", codes, err)
	}
	supply, err := full.StateVMCirculatingSupplyInternal(ctx, types.EmptyTSK)
	if err != nil || supply.FilCirculating.Sign() <= 0 {
		t.Fatalf("supply %+v, %v", supply, err)
	}
	result, err := full.StateCall(ctx, &types.Message{From: secp.Address, To: builtin.StorageMarketActorAddr, Method: 726108461, Params: cborBytes(t, secp.Address.Bytes())}, types.EmptyTSK)
	if err != nil || result.MsgRct.ExitCode != 0 || len(result.MsgRct.Return) == 0 {
		t.Fatalf("StateCall of GetBalance: %+v, %v", result, err)
	}
	eth, err := full.FilecoinAddressToEthAddress(ctx, rawParams(t, secp.Address, "latest"))
	if err != nil || eth != ethtypes.EthAddressFromActorID(secp.ID) {
		t.Fatalf("eth address %s, %v", eth, err)
	}
	if fil, err := full.EthAddressToFilecoinAddress(ctx, eth); err != nil || fil != id {
		t.Fatalf("back %s, %v", fil, err)
	}
	head, err := full.ChainHead(ctx)
	if err != nil || head.Height() != 3 {
		t.Fatalf("head %v, %v", head, err)
	}
	data, err := full.ChainReadObj(ctx, head.Cids()[0])
	if err != nil {
		t.Fatal(err)
	}
	var header bytes.Buffer
	if err := head.Blocks()[0].MarshalCBOR(&header); err != nil || !bytes.Equal(header.Bytes(), data) {
		t.Fatalf("the header's object is not the header: %v", err)
	}
	if has, err := full.ChainHasObj(ctx, head.ParentState()); err != nil || !has {
		t.Fatalf("has the state root: %v, %v", has, err)
	}
}

func TestLotusNotify(t *testing.T) {
	n := start(t)
	n.mine(t, 3)
	full := n.lotus(t, "ws")
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	changes, err := full.ChainNotify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if first := receive(t, changes); len(first) != 1 || first[0].Type != "current" || first[0].Val.Height() != 3 {
		t.Fatalf("first %+v", first)
	}
	n.mine(t, 1)
	if next := receive(t, changes); len(next) != 1 || next[0].Type != "apply" || next[0].Val.Height() != 4 {
		t.Fatalf("next %+v", next)
	}
	old := n.Head()
	if _, err := n.Reorg(ctx, 2, false); err != nil {
		t.Fatal(err)
	}
	change := receive(t, changes)
	if len(change) != 5 || change[0].Type != "revert" || !change[0].Val.Equals(old) || change[2].Type != "apply" || change[4].Val.Height() != 5 {
		t.Fatalf("reorg %+v", change)
	}
	path, err := full.ChainGetPath(ctx, old.Key(), n.Head().Key())
	if err != nil || len(path) != 5 || path[0].Type != "revert" {
		t.Fatalf("path %+v, %v", path, err)
	}
}

func TestActorEvents(t *testing.T) {
	n := start(t)
	full := n.lotus(t, "http")
	contract := n.sample(t)
	receipt := n.send(t, 0, &contract, new(big.Int), nil, 100_000_000)
	zero := abi.ChainEpoch(0)
	ctx := within(t)
	emitter, err := ethtypes.EthAddress(contract).ToFilecoinAddress()
	if err != nil {
		t.Fatal(err)
	}
	events, err := full.GetActorEventsRaw(ctx, &types.ActorEventFilter{Addresses: []address.Address{emitter}, FromHeight: &zero})
	if err != nil || len(events) != 1 || events[0].Emitter != emitter || uint64(events[0].Height) != receipt.BlockNumber.Uint64() {
		t.Fatalf("events %+v, %v", events, err)
	}
	hash := ethtypes.EthHash(receipt.TxHash)
	id, err := full.EthGetMessageCidByTransactionHash(ctx, &hash)
	if err != nil || id == nil || *id != events[0].MsgCid {
		t.Fatalf("message %v, %v", id, err)
	}
	found, err := full.StateSearchMsg(ctx, types.EmptyTSK, *id, api.LookbackNoLimit, false)
	if err != nil || found == nil || found.Receipt.EventsRoot == nil {
		t.Fatalf("found %+v, %v", found, err)
	}
	stored, err := full.ChainGetEvents(ctx, *found.Receipt.EventsRoot)
	if err != nil || len(stored) != 1 || len(stored[0].Entries) != len(events[0].Entries) {
		t.Fatalf("stored events %+v, %v", stored, err)
	}
	if common.BytesToHash(stored[0].Entries[0].Value) != sampleTopic {
		t.Fatalf("first entry %+v", stored[0].Entries[0])
	}
}

func cborBytes(tb testing.TB, data []byte) []byte {
	tb.Helper()
	var out bytes.Buffer
	value := abi.CborBytes(data)
	if err := value.MarshalCBOR(&out); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

func rawParams(tb testing.TB, params ...any) jsonrpc.RawParams {
	tb.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		tb.Fatal(err)
	}
	return raw
}
