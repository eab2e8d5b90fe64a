package ethtx

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	gethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

const devnetID = 31415926

func signedTx(t testing.TB, data gethtypes.TxData, signer gethtypes.Signer) (*gethtypes.Transaction, []byte, address.Address) {
	t.Helper()
	key, err := crypto.ToECDSA(crypto.Keccak256([]byte("a key of the tests")))
	if err != nil {
		t.Fatal(err)
	}
	tx, err := gethtypes.SignNewTx(key, signer, data)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	from, err := ethtypes.EthAddress(crypto.PubkeyToAddress(key.PublicKey)).ToFilecoinAddress()
	if err != nil {
		t.Fatal(err)
	}
	return tx, raw, from
}

func forms(id uint64) map[string]struct {
	data   gethtypes.TxData
	signer gethtypes.Signer
} {
	chain := new(big.Int).SetUint64(id)
	to := common.HexToAddress("0x00000000000000000000000000000000000a11ce")
	masked := common.HexToAddress("0xff00000000000000000000000000000000000064")
	type form = struct {
		data   gethtypes.TxData
		signer gethtypes.Signer
	}
	return map[string]form{
		"1559 call": {&gethtypes.DynamicFeeTx{ChainID: chain, Nonce: 7, GasTipCap: big.NewInt(5), GasFeeCap: big.NewInt(9), Gas: 21e6, To: &to, Value: big.NewInt(3), Data: []byte{1, 2, 3}},
			gethtypes.NewLondonSigner(chain)},
		"1559 deployment": {&gethtypes.DynamicFeeTx{ChainID: chain, GasTipCap: big.NewInt(0), GasFeeCap: big.NewInt(9), Gas: 21e6, Value: new(big.Int), Data: []byte{0x60, 0}},
			gethtypes.NewLondonSigner(chain)},
		"1559 transfer to an actor id": {&gethtypes.DynamicFeeTx{ChainID: chain, Nonce: 1 << 33, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1), Gas: 1, To: &masked, Value: big.NewInt(1e18)},
			gethtypes.NewLondonSigner(chain)},
		"EIP-155":            {&gethtypes.LegacyTx{Nonce: 2, GasPrice: big.NewInt(100), Gas: 4e6, To: &to, Value: big.NewInt(0), Data: []byte("call")}, gethtypes.NewEIP155Signer(chain)},
		"EIP-155 deployment": {&gethtypes.LegacyTx{Nonce: 2, GasPrice: big.NewInt(100), Gas: 4e6, Value: big.NewInt(0), Data: []byte("code")}, gethtypes.NewEIP155Signer(chain)},
		"pre-155":            {&gethtypes.LegacyTx{Nonce: 2, GasPrice: big.NewInt(100), Gas: 4e6, To: &to, Value: big.NewInt(1)}, gethtypes.HomesteadSigner{}},
	}
}

func TestRoundTrip(t *testing.T) {
	codec := New(devnetID)
	for name, form := range forms(devnetID) {
		t.Run(name, func(t *testing.T) {
			tx, raw, from := signedTx(t, form.data, form.signer)
			smsg, err := codec.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if smsg.Message.From != from {
				t.Fatalf("from %s, want %s", smsg.Message.From, from)
			}
			method := builtin.MethodsEVM.InvokeContract
			if tx.To() == nil {
				method = builtin.MethodsEAM.CreateExternal
			}
			if smsg.Message.Method != method || smsg.Message.Nonce != tx.Nonce() || smsg.Message.GasLimit != int64(tx.Gas()) ||
				smsg.Message.GasFeeCap.Int.Cmp(tx.GasFeeCap()) != 0 || smsg.Message.GasPremium.Int.Cmp(tx.GasTipCap()) != 0 || smsg.Message.Value.Int.Cmp(tx.Value()) != 0 {
				t.Fatalf("message %+v does not say what the transaction says", smsg.Message)
			}
			hash, err := codec.Hash(smsg)
			if err != nil || common.Hash(hash) != tx.Hash() {
				t.Fatalf("hash %s, %v, want %s", hash, err, tx.Hash())
			}
			if err := codec.Verify(smsg, from); err != nil {
				t.Fatal(err)
			}
			js, err := codec.EthTx(smsg)
			if err != nil || common.Hash(js.Hash) != tx.Hash() || string(js.Input) != string(tx.Data()) || (js.To == nil) != (tx.To() == nil) || uint8(js.Type) != tx.Type() {
				t.Fatalf("JSON form %+v, %v", js, err)
			}
			if wantID := ethtypes.EthUint64(devnetID); tx.Protected() && js.ChainID != wantID || !tx.Protected() && js.ChainID != 0 {
				t.Fatalf("chain id %d", js.ChainID)
			}
			smsg.Message.Nonce++
			if codec.Verify(smsg, from) == nil {
				t.Fatal("a changed nonce still verifies")
			}
		})
	}
}

// Lotus's own build constant is the one chain id where ethtypes can be asked for all of it.
func TestEqualsLotus(t *testing.T) {
	codec := New(buildconstants.Eip155ChainId)
	for name, form := range forms(buildconstants.Eip155ChainId) {
		t.Run(name, func(t *testing.T) {
			_, raw, from := signedTx(t, form.data, form.signer)
			parsed, err := ethtypes.ParseEthTransaction(raw)
			if err != nil {
				t.Fatal(err)
			}
			want, err := ethtypes.ToSignedFilecoinMessage(parsed)
			if err != nil {
				t.Fatal(err)
			}
			got, err := codec.Decode(raw)
			if err != nil {
				t.Fatal(err)
			}
			if got.Cid() != want.Cid() || got.Message.From != from {
				t.Fatalf("message %+v, Lotus has %+v", got, want)
			}
			back, err := ethtypes.EthTransactionFromSignedFilecoinMessage(want)
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := back.ToEthTx(want)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := codec.EthTx(got)
			if err != nil {
				t.Fatal(err)
			}
			if ours.Hash != theirs.Hash || ours.From != theirs.From || ours.ChainID != theirs.ChainID || ours.V.String() != theirs.V.String() || ours.Type != theirs.Type {
				t.Fatalf("%+v, Lotus has %+v", ours, theirs)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	codec := New(devnetID)
	other := big.NewInt(314)
	to := common.Address{1}
	_, otherChain, _ := signedTx(t, &gethtypes.DynamicFeeTx{ChainID: other, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1), Gas: 1, To: &to, Value: big.NewInt(1)}, gethtypes.NewLondonSigner(other))
	_, otherLegacy, _ := signedTx(t, &gethtypes.LegacyTx{GasPrice: big.NewInt(1), Gas: 1, To: &to, Value: big.NewInt(1)}, gethtypes.NewEIP155Signer(other))
	chain := big.NewInt(devnetID)
	_, listed, _ := signedTx(t, &gethtypes.DynamicFeeTx{ChainID: chain, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(1), Gas: 1, To: &to, Value: big.NewInt(1),
		AccessList: gethtypes.AccessList{{Address: to}}}, gethtypes.NewLondonSigner(chain))
	_, type1, _ := signedTx(t, &gethtypes.AccessListTx{ChainID: chain, GasPrice: big.NewInt(1), Gas: 1, To: &to, Value: big.NewInt(1)}, gethtypes.NewLondonSigner(chain))
	for _, c := range []struct {
		name, want string
		raw        []byte
	}{
		{"nothing", "empty data", nil},
		{"type 1", "EIP-2930 transaction is not supported", type1},
		{"type 3", "unsupported transaction type", []byte{3, 0xc0}},
		{"type 4", "unsupported transaction type", []byte{4, 0xc0}},
		{"access list", "access list should be an empty list", listed},
		{"another chain", "invalid chain id: 314", otherChain},
		{"another chain, EIP-155", "invalid chain id, expected 31415926, got 314", otherLegacy},
		{"garbage", "failed to parse legacy transaction", []byte{0xc1, 0x80}},
	} {
		if _, err := codec.Decode(c.raw); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// Whatever is accepted converts back to a transaction with a hash and verifies.
func FuzzDecode(f *testing.F) {
	for _, form := range forms(devnetID) {
		_, raw, _ := signedTx(f, form.data, form.signer)
		f.Add(raw)
	}
	f.Add([]byte{2, 0xc0})
	codec := New(devnetID)
	f.Fuzz(func(t *testing.T, raw []byte) {
		smsg, err := codec.Decode(raw)
		if err != nil {
			return
		}
		if smsg.Message.GasLimit < 0 || int64(smsg.Message.Nonce) < 0 {
			return // the mempool refuses these; RLP has no such numbers
		}
		if _, err := codec.Hash(smsg); err != nil {
			t.Fatalf("accepted, but has no hash: %v", err)
		}
		if err := codec.Verify(smsg, smsg.Message.From); err != nil {
			t.Fatalf("accepted, but does not verify: %v", err)
		}
	})
}
