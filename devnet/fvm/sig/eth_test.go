package sig

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

const devnetChain = 31415926

func TestEthAddress(t *testing.T) {
	// The first account of Hardhat and Foundry.
	k, err := ParseKey(crypto.SigTypeDelegated, unhex(t, "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"))
	if err != nil {
		t.Fatal(err)
	}
	eth, err := ethtypes.EthAddressFromFilecoinAddress(k.Address())
	if err != nil || eth.String() != "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266" {
		t.Errorf("address %s, error %v", eth, err)
	}
}

// The example of EIP-155: key of bytes 0x46, chain 1.
const eip155Raw = "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" +
	"a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"

func TestEIP155Example(t *testing.T) {
	raw := unhex(t, eip155Raw)
	m, err := ParseEthTransaction(raw, 1)
	if err != nil {
		t.Fatal(err)
	}
	from, err := ethtypes.EthAddressFromFilecoinAddress(m.Message.From)
	if err != nil || from.String() != "0x9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f" {
		t.Errorf("sender %s, error %v", from, err)
	}
	if m.Message.Nonce != 9 || m.Message.GasLimit != 21000 || m.Message.Value.String() != "1000000000000000000" || m.Message.GasPremium.String() != "20000000000" {
		t.Errorf("message %+v", m.Message)
	}
	if err := VerifyMessage(m, m.Message.From, 1); err != nil {
		t.Error(err)
	}
	if err := VerifyMessage(m, m.Message.From, 314); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("on another chain: error %v", err)
	}
	tx, err := EthTransaction(m, 1)
	if err != nil || tx.Hash.String() != "0x33469b22e9f636356c4160a87eb19df52b7412e8eac32a4a55ffe88ea8350788" {
		t.Errorf("hash %s, error %v", tx.Hash, err)
	}
	// Signing is deterministic by RFC 6979, so the example's signature comes out again.
	k, err := ParseKey(crypto.SigTypeDelegated, bytes.Repeat([]byte{0x46}, 32))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := parseEth(raw, 1)
	if err != nil {
		t.Fatal(err)
	}
	data, err := parsed.unsigned(1)
	if err != nil {
		t.Fatal(err)
	}
	if s := sign(t, k, data); !bytes.Equal(s.Data, parsed.recoverable()) {
		t.Errorf("signature %x, want %x", s.Data, parsed.recoverable())
	}
}

// example signs a call of a contract, or its creation when to is nil, in one of the three forms.
func example(t testing.TB, k *Key, kind ethKind, create bool, chain uint64) []byte {
	t.Helper()
	tx := &ethTx{kind: kind, nonce: 300, feeCap: big.NewInt(2e9), premium: big.NewInt(1e9), gasLimit: 5e7, value: big.NewInt(0), input: []byte{1, 2, 3}}
	if kind != ethFeeMarket {
		tx.premium = tx.feeCap
	}
	if !create {
		tx.to = &ethtypes.EthAddress{0x12, 19: 0x34}
		tx.value = big.NewInt(77)
	}
	data, err := tx.unsigned(chain)
	if err != nil {
		t.Fatal(err)
	}
	s := sign(t, k, data).Data
	copy(tx.r[:], s)
	copy(tx.s[:], s[32:])
	tx.parity = s[64]
	raw, err := tx.signed(chain)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestEthForms(t *testing.T) {
	k := key(t, crypto.SigTypeDelegated, 1)
	for _, kind := range []ethKind{ethFeeMarket, ethHomestead, ethProtected} {
		for _, create := range []bool{false, true} {
			for _, chain := range []uint64{314, devnetChain, 1 << 40} {
				raw := example(t, k, kind, create, chain)
				m, err := ParseEthTransaction(raw, chain)
				if err != nil {
					t.Fatalf("form %d on chain %d: %v", kind, chain, err)
				}
				if m.Message.From != k.Address() {
					t.Errorf("form %d on chain %d: sender %s, want %s", kind, chain, m.Message.From, k)
				}
				if err := VerifyMessage(m, k.Address(), chain); err != nil {
					t.Errorf("form %d on chain %d: %v", kind, chain, err)
				}
				if again, err := EthRaw(m, chain); err != nil || !bytes.Equal(again, raw) {
					t.Errorf("form %d on chain %d: raw %x, error %v, want %x", kind, chain, again, err, raw)
				}
				changed := *m
				changed.Message.Nonce++
				if err := VerifyMessage(&changed, k.Address(), chain); !errors.Is(err, ErrInvalidSignature) {
					t.Errorf("form %d, other nonce: error %v", kind, err)
				}
				if _, err := ParseEthTransaction(raw, chain+1); kind != ethHomestead && !errors.Is(err, ErrEthTransaction) {
					t.Errorf("form %d on another chain: error %v, want ErrEthTransaction", kind, err)
				}
			}
		}
	}
}

// On the one chain that lotus was compiled for, its types give the same messages, signatures, payloads and hashes.
func TestEthAgreesWithLotus(t *testing.T) {
	k := key(t, crypto.SigTypeDelegated, 2)
	const chain = buildconstants.Eip155ChainId
	for _, kind := range []ethKind{ethFeeMarket, ethHomestead, ethProtected} {
		raw := example(t, k, kind, false, chain)
		ours, err := ParseEthTransaction(raw, chain)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := ethtypes.ParseEthTransaction(raw)
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := ethtypes.ToSignedFilecoinMessage(tx)
		if err != nil {
			t.Fatal(err)
		}
		if theirs.Cid() != ours.Cid() {
			t.Errorf("form %d: message %+v, lotus has %+v", kind, ours, theirs)
		}
		hash, err := tx.TxHash()
		if err != nil {
			t.Fatal(err)
		}
		view, err := EthTransaction(ours, chain)
		if err != nil || view.Hash != hash {
			t.Errorf("form %d: hash %s, error %v, lotus has %s", kind, view.Hash, err, hash)
		}
		want, err := tx.ToEthTx(theirs)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := mustJSON(t, view), mustJSON(t, want); a != b {
			t.Errorf("form %d: %s, lotus has %s", kind, a, b)
		}
	}
}

func mustJSON(t *testing.T, tx ethtypes.EthTx) string {
	t.Helper()
	b, err := json.Marshal(tx)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSignMessage(t *testing.T) {
	to := key(t, crypto.SigTypeSecp256k1, 9).Address()
	for _, kind := range kinds {
		k := key(t, kind, 1)
		m := &types.Message{From: k.Address(), To: to, Value: big.NewInt(5), GasLimit: 1000, GasFeeCap: big.NewInt(3), GasPremium: big.NewInt(1)}
		s, err := k.SignMessage(m, devnetChain)
		if kind == crypto.SigTypeDelegated {
			// A bare send is no Ethereum transaction; a call of the account is.
			if !errors.Is(err, ErrEthTransaction) {
				t.Errorf("bare send: error %v, want ErrEthTransaction", err)
			}
			m.To, m.Method = key(t, kind, 4).Address(), 3844450837
			if s, err = k.SignMessage(m, devnetChain); err != nil {
				t.Fatal(err)
			}
		} else if err != nil {
			t.Fatal(err)
		}
		if err := VerifyMessage(s, k.Address(), devnetChain); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		s.Message.Value = big.NewInt(6)
		if err := VerifyMessage(s, k.Address(), devnetChain); !errors.Is(err, ErrInvalidSignature) {
			t.Errorf("kind %d, other value: error %v", kind, err)
		}
	}
}

func TestEthRefused(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing": "", "access list": "01c0", "blobs": "03c0", "authorisations": "04c0", "no list": "0280", "short list": "02c3010203",
		"cut": eip155Raw[:len(eip155Raw)-2], "left over": eip155Raw + "00", "garbage": "ffffffffff",
		"zero before the nonce": "f86e8200098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025" + eip155Raw[92:],
	} {
		b, err := hex.DecodeString(raw)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := ParseEthTransaction(b, 1); !errors.Is(err, ErrEthTransaction) {
			t.Errorf("%s: error %v, want ErrEthTransaction", name, err)
		}
	}
	k := key(t, crypto.SigTypeDelegated, 1)
	m, err := ParseEthTransaction(example(t, k, ethFeeMarket, false, 314), 314)
	if err != nil {
		t.Fatal(err)
	}
	for _, data := range [][]byte{nil, {1}, make([]byte, 64), make([]byte, 66), append([]byte{2}, make([]byte, 70)...)} {
		bad := *m
		bad.Signature.Data = data
		if err := VerifyMessage(&bad, k.Address(), 314); !errors.Is(err, ErrInvalidSignature) {
			t.Errorf("signature of %d bytes: error %v, want ErrInvalidSignature", len(data), err)
		}
	}
}

func FuzzParseEthTransaction(f *testing.F) {
	k := key(f, crypto.SigTypeDelegated, 1)
	for _, kind := range []ethKind{ethFeeMarket, ethHomestead, ethProtected} {
		f.Add(example(f, k, kind, false, 314))
		f.Add(example(f, k, kind, true, 314))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ParseEthTransaction(raw, 314)
		if err != nil {
			if !errors.Is(err, ErrEthTransaction) && !errors.Is(err, ErrInvalidSignature) {
				t.Fatalf("error %v wraps neither error", err)
			}
			return
		}
		if again, err := EthRaw(m, 314); err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%x comes back as %x, error %v", raw, again, err)
		}
		if err := VerifyMessage(m, m.Message.From, 314); err != nil {
			t.Fatalf("%x: %v", raw, err)
		}
	})
}
