package signer

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

// secret is the private key of most tests; nothing may ever print it.
const secret = "4c0883a69102937d6231471b5dbb6204fe512961708279d3e5f0b6cf8a3c1e5d"

var typed = apitypes.TypedData{
	Types: apitypes.Types{
		"EIP712Domain": {{Name: "name", Type: "string"}},
		"Note":         {{Name: "text", Type: "string"}},
	},
	PrimaryType: "Note",
	Domain:      apitypes.TypedDataDomain{Name: "Test"},
	Message:     map[string]any{"text": "hello"},
}

func transfer(nonce uint64) *types.Transaction {
	to := common.HexToAddress("0xaa")
	return types.NewTx(&types.DynamicFeeTx{ChainID: big.NewInt(31415926), Nonce: nonce, GasTipCap: big.NewInt(1), GasFeeCap: big.NewInt(9), Gas: 21000, To: &to, Value: big.NewInt(5), Data: []byte{1, 2}})
}

func fromHex(t *testing.T, text string) Signer {
	t.Helper()
	s, err := FromHex(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// checkSigns fails unless s signs both things as its address.
func checkSigns(t *testing.T, s Signer) {
	t.Helper()
	id := big.NewInt(31415926)
	tx, err := s.SignTx(t.Context(), transfer(3), id)
	if err != nil {
		t.Fatal(err)
	}
	if from, err := types.Sender(types.LatestSignerForChainID(id), tx); err != nil || from != s.Address() {
		t.Errorf("transaction signed by %s, %v", from, err)
	}
	sig, err := s.SignTyped(t.Context(), typed)
	if err != nil {
		t.Fatal(err)
	}
	digest, _, err := apitypes.TypedDataAndHash(typed)
	if err != nil {
		t.Fatal(err)
	}
	if from, err := Recover(digest, sig); err != nil || from != s.Address() {
		t.Errorf("typed data signed by %s, %v", from, err)
	}
}

func TestAKeyNeverPrints(t *testing.T) {
	s := fromHex(t, secret)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "key", s, "in", struct{ K any }{s})
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", s, "in", struct{ K any }{s})
	asJSON, err := json.Marshal(map[string]any{"key": s})
	if err != nil {
		t.Fatal(err)
	}
	out := log.String() + string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out += fmt.Sprintf(verb, s) + fmt.Sprintf(verb, struct{ K Signer }{s})
	}
	d, _ := new(big.Int).SetString(secret, 16)
	for _, leak := range []string{secret, strings.ToUpper(secret), d.String(), secret[8:40]} {
		if strings.Contains(out, leak) {
			t.Fatalf("the key shows in: %s", out)
		}
	}
	if !strings.Contains(out, s.Address().Hex()) {
		t.Error("the address does not show")
	}
}

func TestKeysFromTheEnvironmentAreForDevnetsOnly(t *testing.T) {
	t.Setenv("TEST_KEY", "0x"+secret)
	s, err := FromSpec(t.Context(), Spec{Env: "TEST_KEY"}, 31415926)
	if err != nil {
		t.Fatal(err)
	}
	checkSigns(t, s)
	for _, id := range []uint64{314, 314159} {
		if _, err := FromSpec(t.Context(), Spec{Env: "TEST_KEY"}, id); !errors.Is(err, ErrPublicChain) || !strings.Contains(err.Error(), "tidegate keys new") {
			t.Errorf("chain %d: %v", id, err)
		}
	}
	t.Setenv("TEST_KEY", secret[:60]+"zzzz")
	if _, err := FromSpec(t.Context(), Spec{Env: "TEST_KEY"}, 1); err == nil || strings.Contains(err.Error(), secret[:16]) {
		t.Errorf("a broken key: %v", err)
	}
	t.Setenv("TEST_KEY", "")
	if _, err := FromSpec(t.Context(), Spec{Env: "TEST_KEY"}, 1); !errors.Is(err, ErrNoKey) {
		t.Errorf("an empty variable: %v", err)
	}
}

func TestASpecNamesExactlyOneSource(t *testing.T) {
	if _, err := FromSpec(t.Context(), Spec{}, 1); !errors.Is(err, ErrNoKey) {
		t.Error(err)
	}
	if _, err := FromSpec(t.Context(), Spec{Env: "A", Remote: "http://x"}, 1); err == nil || !strings.Contains(err.Error(), "alternatives") {
		t.Error(err)
	}
	t.Setenv("TEST_KEY", secret)
	if _, err := FromSpec(t.Context(), Spec{Env: "TEST_KEY", Address: common.HexToAddress("0x01")}, 1); err == nil || !strings.Contains(err.Error(), "expects") {
		t.Error(err)
	}
}

func write(t *testing.T, name, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAKeystoreIsMadeListedAndOpened(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	if got, err := List(dir); err != nil || len(got) != 0 {
		t.Fatalf("%v, %v", got, err)
	}
	one, err := Create(dir, "pass word", Light)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Import(dir, "0x"+secret, "pass word", Light)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Import(dir, secret, "other", Light); !errors.Is(err, fs.ErrExist) {
		t.Errorf("imported twice: %v", err)
	}
	if _, err := Create(dir, "", Light); err == nil {
		t.Error("an empty password was taken")
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("not a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := List(dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, a := range []Account{one, two} {
		if info, err := os.Stat(a.Path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", a.Path, info.Mode(), err)
		}
	}
	password := write(t, "password", "pass word\n", 0o600)
	s, err := FromSpec(t.Context(), Spec{Keystore: two.Path, PasswordFile: password}, 314)
	if err != nil {
		t.Fatal(err)
	}
	checkSigns(t, s)
	t.Setenv("TEST_PASSWORD", "pass word")
	s, err = FromSpec(t.Context(), Spec{Keystore: dir, Address: one.Address, PasswordEnv: "TEST_PASSWORD"}, 314)
	if err != nil || s.Address() != one.Address {
		t.Fatalf("by directory and address: %v", err)
	}
	if _, err := FromSpec(t.Context(), Spec{Keystore: dir, PasswordFile: password}, 314); err == nil || !strings.Contains(err.Error(), "2 fitting") {
		t.Errorf("an ambiguous directory: %v", err)
	}
}

func TestKeystoreTroubleSaysWhatToDo(t *testing.T) {
	dir := t.TempDir()
	made, err := Import(dir, secret, "right", Light)
	if err != nil {
		t.Fatal(err)
	}
	right, wrong := write(t, "p", "right", 0o600), write(t, "p", "wrong", 0o600)
	open := write(t, "p", "right", 0o644)
	junk := write(t, "key.json", "{}", 0o600)
	cases := map[string]struct {
		spec Spec
		want string
	}{
		"wrong password":         {Spec{Keystore: made.Path, PasswordFile: wrong}, "wrong password"},
		"password file readable": {Spec{Keystore: made.Path, PasswordFile: open}, "chmod 600"},
		"no password":            {Spec{Keystore: made.Path}, "needs a password"},
		"two passwords":          {Spec{Keystore: made.Path, PasswordFile: right, PasswordEnv: "X"}, "alternatives"},
		"password variable":      {Spec{Keystore: made.Path, PasswordEnv: "NOT_SET_ANYWHERE"}, "is not set"},
		"missing file":           {Spec{Keystore: filepath.Join(dir, "nope"), PasswordFile: right}, "tidegate keys new"},
		"no key file":            {Spec{Keystore: junk, PasswordFile: right}, "not a readable key file"},
		"empty directory":        {Spec{Keystore: t.TempDir(), PasswordFile: right}, "holds no fitting key"},
	}
	for name, c := range cases {
		if _, err := FromSpec(t.Context(), c.spec, 314); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := os.Chmod(made.Path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := FromSpec(t.Context(), Spec{Keystore: made.Path, PasswordFile: right}, 314); err == nil || !strings.Contains(err.Error(), "mode 0640") {
		t.Errorf("a key file that others can read: %v", err)
	}
}

// derive follows BIP-39 and BIP-32 along m/44'/60'/0'/0/index.
func derive(t *testing.T, mnemonic string, index uint32) []byte {
	t.Helper()
	seed, err := pbkdf2.Key(sha512.New, mnemonic, []byte("mnemonic"), 2048, 64)
	if err != nil {
		t.Fatal(err)
	}
	mac := func(key, data []byte) ([]byte, []byte) {
		h := hmac.New(sha512.New, key)
		h.Write(data)
		sum := h.Sum(nil)
		return sum[:32], sum[32:]
	}
	key, code := mac([]byte("Bitcoin seed"), seed)
	const hard = 1 << 31
	for _, n := range []uint32{44 + hard, 60 + hard, hard, 0, index} {
		data := append([]byte{0}, key...)
		if n < hard {
			k, err := crypto.ToECDSA(key)
			if err != nil {
				t.Fatal(err)
			}
			data = crypto.CompressPubkey(&k.PublicKey)
		}
		left, next := mac(code, binary.BigEndian.AppendUint32(data, n))
		sum := new(big.Int).Add(new(big.Int).SetBytes(left), new(big.Int).SetBytes(key))
		key, code = sum.Mod(sum, crypto.S256().Params().N).FillBytes(make([]byte, 32)), next
	}
	return key
}

func TestTheKnownDevelopmentKeysAreRefusedOnPublicChains(t *testing.T) {
	const mnemonic = "test test test test test test test test test test test junk"
	for i := range uint32(20) {
		key := hex.EncodeToString(derive(t, mnemonic, i))
		s := fromHex(t, key)
		if !WellKnown(s.Address()) {
			t.Errorf("key %d, %s, is not in the list", i, s.Address())
		}
	}
	if len(wellKnown) != 20 {
		t.Errorf("%d addresses in the list", len(wellKnown))
	}
	dir := t.TempDir()
	made, err := Import(dir, hex.EncodeToString(derive(t, mnemonic, 0)), "p", Light)
	if err != nil {
		t.Fatal(err)
	}
	spec := Spec{Keystore: made.Path, PasswordFile: write(t, "p", "p", 0o600)}
	for id, refused := range map[uint64]bool{314: true, 314159: true, 31415926: false, 31337: false} {
		if _, err := FromSpec(t.Context(), spec, id); errors.Is(err, ErrPublicChain) != refused {
			t.Errorf("chain %d: %v", id, err)
		}
	}
}

func TestOneKeyForBothJobsIsRefusedOnPublicChains(t *testing.T) {
	a, b := fromHex(t, secret), fromHex(t, strings.Repeat("1", 64))
	if err := CheckSeparate(a, a, 314); !errors.Is(err, ErrPublicChain) {
		t.Error(err)
	}
	if err := errors.Join(CheckSeparate(a, b, 314), CheckSeparate(a, a, 31415926)); err != nil {
		t.Error(err)
	}
}

// remoteSide is a remote signer that can be told to misbehave.
type remoteSide struct {
	key    Signer
	change func(*types.Transaction) *types.Transaction // before signing
	wrap   bool                                        // answer as {"raw", "tx"}
	sig    func([]byte) []byte
}

func (r *remoteSide) SignTransaction(ctx context.Context, args apitypes.SendTxArgs) (any, error) {
	tx, err := args.ToTransaction()
	if err != nil {
		return nil, err
	}
	if r.change != nil {
		tx = r.change(tx)
	}
	signed, err := r.key.SignTx(ctx, tx, tx.ChainId())
	if err != nil {
		return nil, err
	}
	raw, err := signed.MarshalBinary()
	if r.wrap {
		return map[string]any{"raw": hexutil.Bytes(raw), "tx": signed}, err
	}
	return hexutil.Bytes(raw), err
}

func (r *remoteSide) SignTypedData(ctx context.Context, _ common.Address, data apitypes.TypedData) (hexutil.Bytes, error) {
	sig, err := r.key.SignTyped(ctx, data)
	if err == nil && r.sig != nil {
		sig = r.sig(sig)
	}
	return sig, err
}

func serve(t *testing.T, r *remoteSide) string {
	t.Helper()
	server := rpc.NewServer()
	if err := server.RegisterName("eth", r); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(func() { web.Close(); server.Stop() })
	return web.URL
}

func TestARemoteSignerIsBelievedOnlyWhenItSignedWhatWasAsked(t *testing.T) {
	key, other := fromHex(t, secret), fromHex(t, strings.Repeat("1", 64))
	open := func(r *remoteSide) Signer {
		s, err := FromSpec(t.Context(), Spec{Remote: serve(t, r), Address: key.Address()}, 314)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	checkSigns(t, open(&remoteSide{key: key}))
	checkSigns(t, open(&remoteSide{key: key, wrap: true}))
	// v as 0 or 1, and the other s of the same signature: made canonical.
	checkSigns(t, open(&remoteSide{key: key, sig: func(sig []byte) []byte { sig[64] -= 27; return sig }}))
	checkSigns(t, open(&remoteSide{key: key, sig: func(sig []byte) []byte {
		s := new(big.Int).Sub(crypto.S256().Params().N, new(big.Int).SetBytes(sig[32:64]))
		s.FillBytes(sig[32:64])
		sig[64] = 55 - sig[64]
		return sig
	}}))

	id := big.NewInt(31415926)
	for name, r := range map[string]*remoteSide{
		"another key":         {key: other},
		"another transaction": {key: key, change: func(*types.Transaction) *types.Transaction { return transfer(4) }},
	} {
		if _, err := open(r).SignTx(t.Context(), transfer(3), id); !errors.Is(err, ErrWrongSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, r := range map[string]*remoteSide{
		"another key": {key: other},
		"short":       {key: key, sig: func(sig []byte) []byte { return sig[:64] }},
		"bad v":       {key: key, sig: func(sig []byte) []byte { sig[64] = 31; return sig }},
	} {
		if _, err := open(r).SignTyped(t.Context(), typed); !errors.Is(err, ErrWrongSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARemoteSignersURLStaysSecret(t *testing.T) {
	web := httptest.NewServer(http.NotFoundHandler())
	web.Close() // nobody listens there
	url := strings.Replace(web.URL, "http://", "http://user:hunter2@", 1) + "/token"
	s, err := FromSpec(t.Context(), Spec{Remote: url, Address: common.HexToAddress("0x01")}, 1)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.SignTyped(t.Context(), typed)
	if out := fmt.Sprintf("%v %+v %#v %v", s, s, s, err); err == nil || strings.Contains(out, "hunter2") || strings.Contains(out, "token") {
		t.Error(out)
	}
	for _, bad := range []Spec{{Remote: "http://x"}, {Remote: "ftp://x:hunter2@y", Address: common.HexToAddress("0x01")}} {
		if _, err := FromSpec(t.Context(), bad, 1); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Error(err)
		}
	}
}
