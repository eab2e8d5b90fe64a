package chain_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-address"
	amt2 "github.com/filecoin-project/go-amt-ipld/v2"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Money to an unused f410 address makes a placeholder, whose first transaction makes
// it an account.
func TestPlaceholderIsPromoted(t *testing.T) {
	n := start(t)
	key, err := sig.GenerateKey(crypto.SigTypeDelegated, [32]byte{1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	amount := big.NewInt(3e18)
	sent := n.send(n.of(chain.Secp256k1, 0), key.Address(), func(m *types.Message) { m.Value = amount })
	n.mine(1)
	if n.code(key.Address()) != "placeholder" || !n.actor(key.Address()).Balance.Equals(amount) {
		t.Fatalf("a %s with %s", n.code(key.Address()), n.actor(key.Address()).Balance)
	}
	if receipt := n.found(sent).Receipt; !receipt.ExitCode.IsSuccess() || receipt.GasUsed <= 0 {
		t.Fatalf("receipt %+v", receipt)
	}
	owner := chain.Account{Kind: chain.Ethereum, Address: key.Address(), Key: key}
	second := n.send(owner, n.of(chain.Ethereum, 1).Address)
	third := n.send(owner, fresh(t, 1))
	n.mine(1)
	if n.code(key.Address()) != "ethaccount" || n.actor(key.Address()).Nonce != 2 {
		t.Errorf("after its transactions it is a %s with nonce %d", n.code(key.Address()), n.actor(key.Address()).Nonce)
	}
	for _, id := range []cid.Cid{second, third} {
		if !n.found(id).Receipt.ExitCode.IsSuccess() {
			t.Errorf("message %s: %s", id, n.found(id).Error)
		}
	}
}

// Every kind of account can send to every other (an Ethereum account to those with
// an Ethereum address); messages that fail have receipts and cost gas, and nothing
// else changes.
func TestKindsAndFailures(t *testing.T) {
	n := start(t)
	kinds := []chain.AccountKind{chain.Ethereum, chain.Secp256k1, chain.BLS}
	var good []cid.Cid
	for _, from := range kinds {
		for _, to := range kinds {
			if from == chain.Ethereum && to != chain.Ethereum {
				continue
			}
			good = append(good, n.send(n.of(from, 0), n.of(to, 1).Address))
		}
	}
	sender := n.of(chain.Secp256k1, 2)
	outOfGas := n.send(sender, fresh(t, 2), func(m *types.Message) { m.GasLimit = 1_000_000 })
	noMethod := n.send(sender, n.of(chain.BLS, 0).Address, func(m *types.Message) { m.Method = 99 })
	tooMuch := n.send(sender, fresh(t, 3), func(m *types.Message) { m.Value = chain.AccountBalance() })
	ts := n.mine(1)
	for _, id := range good {
		if found := n.found(id); !found.Receipt.ExitCode.IsSuccess() || found.TipSet != ts {
			t.Errorf("message %s: %s", id, found.Error)
		}
	}
	for id, want := range map[cid.Cid]exitcode.ExitCode{
		outOfGas: exitcode.SysErrOutOfGas, noMethod: exitcode.ErrUnhandledMessage, tooMuch: exitcode.SysErrInsufficientFunds,
	} {
		found := n.found(id)
		if found.Receipt.ExitCode != want || found.Receipt.GasUsed <= 0 || found.Error == "" {
			t.Errorf("message %s: exit code %d (%s), gas %d; want exit code %d", id, found.Receipt.ExitCode, found.Error, found.Receipt.GasUsed, want)
		}
	}
	if got := n.actor(sender.Address).Nonce; got != 3 {
		t.Errorf("nonce %d after three failures", got)
	}
	if _, err := n.Actor(n.ctx, fresh(t, 3), n.Head()); !errors.Is(err, chain.ErrUnknownAddr) {
		t.Errorf("an actor came of a failed transfer: %v", err)
	}
}

// Headers carry what the parent's messages led to, and every root leads to what it says.
func TestDeferredExecution(t *testing.T) {
	n := start(t)
	sent := []cid.Cid{n.send(n.of(chain.BLS, 0), fresh(t, 1)), n.send(n.of(chain.Secp256k1, 0), fresh(t, 2)), n.send(n.of(chain.Ethereum, 0), fresh(t, 3))}
	with := n.mine(1)
	child := n.mine(1)
	genesis, err := n.Execution(n.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if with.ParentState() != genesis.Root {
		t.Error("the first tipset's parent state is not the genesis state")
	}
	execution, err := n.Execution(with)
	if err != nil {
		t.Fatal(err)
	}
	if child.ParentState() != execution.Root || child.ParentMessageReceipts() != execution.Receipts {
		t.Error("the child's header does not carry the results of its parent")
	}
	array, err := amt2.LoadAMT(n.ctx, fvm.CBORStore(n.Store()), child.ParentMessageReceipts())
	if err != nil {
		t.Fatal(err)
	}
	if array.Count != 3 {
		t.Fatalf("%d receipts on chain", array.Count)
	}
	for i, id := range sent {
		var receipt types.MessageReceipt
		if err := array.Get(n.ctx, uint64(i), &receipt); err != nil {
			t.Fatal(err)
		}
		found := n.found(id)
		if found.Index != i || !receipt.Equals(&found.Receipt) {
			t.Errorf("message %d is at %d with receipt %+v, on chain %+v", i, found.Index, found.Receipt, receipt)
		}
	}
	if got, err := n.Child(with); err != nil || got != child {
		t.Errorf("child: %v, %v", got, err)
	}
	if _, err := n.Child(child); !errors.Is(err, chain.ErrNotFound) {
		t.Errorf("child of the head: %v", err)
	}
	checkBlock(t, n, with)
}

// checkBlock follows the CIDs of a block down to its messages and checks signatures.
func checkBlock(t *testing.T, n *net, ts *types.TipSet) {
	t.Helper()
	header := ts.Blocks()[0]
	raw, err := n.Store().Get(n.ctx, header.Cid())
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := types.DecodeBlock(raw)
	if err != nil || decoded.Cid() != ts.Cids()[0] {
		t.Fatalf("stored header: %v", err)
	}
	var meta types.MsgMeta
	if err := fvm.CBORStore(n.Store()).Get(n.ctx, header.Messages, &meta); err != nil {
		t.Fatal(err)
	}
	bls, secp, err := n.BlockMessages(header.Cid())
	if err != nil || len(bls) != 1 || len(secp) != 2 {
		t.Fatalf("%d BLS messages and %d others: %v", len(bls), len(secp), err)
	}
	var link cbg.CborCid
	array, err := amt2.LoadAMT(n.ctx, fvm.CBORStore(n.Store()), meta.BlsMessages)
	if err != nil {
		t.Fatal(err)
	}
	if err := array.Get(n.ctx, 0, &link); err != nil || cid.Cid(link) != bls[0].Cid() {
		t.Errorf("BLS message on chain: %v, %v", link, err)
	}
	if err := sig.VerifyBLSAggregate(header.BLSAggregate.Data, [][]byte{bls[0].From.Payload()}, [][]byte{bls[0].Cid().Bytes()}); err != nil {
		t.Errorf("BLS aggregate: %v", err)
	}
	_, owner := n.Miner()
	unsigned, err := header.SigningBytes()
	if err != nil {
		t.Fatal(err)
	}
	if err := sig.Verify(*header.BlockSig, owner.Address, unsigned); err != nil {
		t.Errorf("block signature: %v", err)
	}
	if want := n.Genesis().MinTimestamp() + 30*uint64(ts.Height()); ts.MinTimestamp() != want {
		t.Errorf("timestamp %d, want %d", ts.MinTimestamp(), want)
	}
}

// The same seed and messages make the same chain; another seed makes another.
func TestDeterminism(t *testing.T) {
	run := func(seed byte) (types.TipSetKey, cid.Cid) {
		n := start(t, func(c *chain.Config) { c.Seed = [32]byte{seed} })
		from := n.of(chain.Ethereum, 0)
		for i := range 20 {
			n.send(n.of(chain.Ethereum, i%10), fresh(t, i))
		}
		n.mine(1)
		if _, err := n.NullRounds(n.ctx, 3); err != nil {
			t.Fatal(err)
		}
		n.send(from, fresh(t, 100))
		n.mine(1)
		if _, err := n.Reorg(n.ctx, 2, true); err != nil {
			t.Fatal(err)
		}
		root, _, err := n.StateAt(n.Head())
		if err != nil {
			t.Fatal(err)
		}
		return n.Head().Key(), root
	}
	key, root := run(1)
	if again, rootAgain := run(1); again != key || rootAgain != root {
		t.Errorf("the same seed gives %s and %s", key, again)
	}
	if other, rootOther := run(2); other == key || rootOther == root {
		t.Error("two seeds give the same chain")
	}
}

// Machines for calls see the state after a tipset, replays the one before; neither
// changes the chain.
func TestMachines(t *testing.T) {
	n := start(t)
	from, to := n.of(chain.Secp256k1, 0), fresh(t, 7)
	id := n.send(from, to, func(m *types.Message) { m.Value = big.NewInt(77) })
	ts := n.mine(1)
	after, err := n.Machine(n.ctx, ts, chain.MachineOptions{Free: true})
	if err != nil {
		t.Fatal(err)
	}
	if actor, ok, err := after.Actor(n.ctx, to); err != nil || !ok || !actor.Balance.Equals(big.NewInt(77)) {
		t.Errorf("after the tipset: %v, %v", ok, err)
	}
	before, err := n.MachineBefore(n.ctx, ts, chain.MachineOptions{Trace: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok, err := before.Actor(n.ctx, to); err != nil || ok {
		t.Errorf("before the tipset the receiver exists: %v, %v", ok, err)
	}
	found := n.found(id)
	replay, err := before.Apply(n.ctx, found.Message.VMMessage(), fvm.Explicit, found.Message.ChainLength())
	if err != nil {
		t.Fatal(err)
	}
	if !replay.Receipt.Equals(&found.Receipt) || replay.Trace == nil {
		t.Errorf("replayed to %+v with trace %v, it was %+v", replay.Receipt, replay.Trace != nil, found.Receipt)
	}
	if root, _, err := n.StateAt(ts); err != nil || root != mustExecution(n, ts).Root {
		t.Errorf("the state moved: %v", err)
	}
}

func mustExecution(n *net, ts *types.TipSet) *chain.Execution {
	n.Helper()
	e, err := n.Execution(ts)
	if err != nil {
		n.Fatal(err)
	}
	return e
}

// A contract is created and called; its event is in the receipt's events.
func TestContractEvents(t *testing.T) {
	n := start(t)
	from := n.of(chain.Ethereum, 0)
	// runtime: PUSH1 2a PUSH1 0 MSTORE8 PUSH1 1 PUSH1 0 LOG0 STOP
	runtime := []byte{0x60, 0x2a, 0x60, 0x00, 0x53, 0x60, 0x01, 0x60, 0x00, 0xa0, 0x00}
	created := n.send(from, builtin.EthereumAddressManagerActorAddr, func(m *types.Message) {
		m.Method, m.Value, m.GasLimit = builtin.MethodsEAM.CreateExternal, big.Zero(), 1_000_000_000
		m.Params = byteArray(t, append([]byte{0x60, byte(len(runtime)), 0x80, 0x60, 0x0b, 0x60, 0x00, 0x39, 0x60, 0x00, 0xf3}, runtime...))
	})
	n.mine(1)
	found := n.found(created)
	if !found.Receipt.ExitCode.IsSuccess() {
		t.Fatalf("create: %s", found.Error)
	}
	contract := createdAddress(t, found.Receipt.Return)
	called := n.send(from, contract, func(m *types.Message) { m.Value, m.GasLimit = big.Zero(), 1_000_000_000 })
	n.mine(1)
	found = n.found(called)
	if !found.Receipt.ExitCode.IsSuccess() || found.Receipt.EventsRoot == nil || len(found.Events) != 1 {
		t.Fatalf("call: %s, %d events", found.Error, len(found.Events))
	}
	if _, err := n.Store().Get(n.ctx, *found.Receipt.EventsRoot); err != nil {
		t.Errorf("the events' array is not stored: %v", err)
	}
	id, err := n.Resolve(n.ctx, contract, nil)
	if err != nil {
		t.Fatal(err)
	}
	event := found.Events[0]
	if event.Emitter != id || len(event.Entries) != 1 || event.Entries[0].Key != "d" || !bytes.Equal(event.Entries[0].Value, []byte{42}) {
		t.Errorf("event %+v of %d", event, id)
	}
	hash, err := n.HashOf(found.Message)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := n.MessageOf(hash); !ok || got != called {
		t.Errorf("hash %s leads to %s", hash, got)
	}
}

func byteArray(t *testing.T, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := cbg.WriteByteArray(&out, data); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// createdAddress is the f410 address of what the EAM returns: [id, robust, eth].
func createdAddress(t *testing.T, returned []byte) address.Address {
	t.Helper()
	if len(returned) < 20 {
		t.Fatalf("the EAM returned %x", returned)
	}
	a, err := address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, returned[len(returned)-20:])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A thousand transfers, a tenth of which fail, neither make nor lose an attoFIL.
func TestThousandTransfersConserveSupply(t *testing.T) {
	n := start(t)
	accounts := n.Accounts()
	var ids []cid.Cid
	for i := range 1000 {
		from := accounts[i%len(accounts)]
		ids = append(ids, n.send(from, fresh(t, i%50), func(m *types.Message) {
			m.Value = abi.NewTokenAmount(int64(i) * 1e9)
			if i%10 == 0 {
				m.Value = chain.AccountBalance()
			}
		}))
		if i%250 == 249 {
			n.mine(1)
		}
	}
	for len(n.Pending()) > 0 {
		n.mine(1)
	}
	failed := 0
	for _, id := range ids {
		if !n.found(id).Receipt.ExitCode.IsSuccess() {
			failed++
		}
	}
	if failed < 50 || failed > 200 {
		t.Errorf("%d of 1000 transfers failed, want about 100", failed)
	}
	if total := n.total(n.Head()); !total.Equals(types.TotalFilecoinInt) {
		t.Errorf("%s attoFIL exist, want %s", total, types.TotalFilecoinInt)
	}
}
