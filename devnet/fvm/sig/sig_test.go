package sig

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"slices"
	"testing"

	"crypto/sha256"

	"github.com/filecoin-project/go-address"
	gocrypto "github.com/filecoin-project/go-crypto"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"golang.org/x/crypto/blake2b"
)

var kinds = []crypto.SigType{crypto.SigTypeSecp256k1, crypto.SigTypeBLS, crypto.SigTypeDelegated}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func key(t testing.TB, kind crypto.SigType, n uint64) *Key {
	t.Helper()
	k, err := GenerateKey(kind, [32]byte{1, 2, 3}, n)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func sign(t testing.TB, k *Key, data []byte) crypto.Signature {
	t.Helper()
	s, err := k.Sign(data)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTampering(t *testing.T) {
	data := []byte("a message of some length, to be signed")
	for _, kind := range kinds {
		k, other := key(t, kind, 1), key(t, kind, 2)
		s := sign(t, k, data)
		if err := Verify(s, k.Address(), data); err != nil {
			t.Errorf("kind %d: %v", kind, err)
		}
		if again := sign(t, k, data); !again.Equals(&s) {
			t.Errorf("kind %d: a second signature differs", kind)
		}
		refuse := func(what string, s crypto.Signature, a address.Address, d []byte) {
			t.Helper()
			if err := Verify(s, a, d); !errors.Is(err, ErrInvalidSignature) {
				t.Errorf("kind %d, %s: error %v, want ErrInvalidSignature", kind, what, err)
			}
		}
		refuse("other data", s, k.Address(), append(slices.Clone(data), 0))
		refuse("other signer", s, other.Address(), data)
		for i := 0; i < len(s.Data); i += 7 {
			bad := crypto.Signature{Type: kind, Data: slices.Clone(s.Data)}
			bad.Data[i] ^= 4
			refuse("a bit changed", bad, k.Address(), data)
		}
		refuse("too short", crypto.Signature{Type: kind, Data: s.Data[:len(s.Data)-1]}, k.Address(), data)
		refuse("empty", crypto.Signature{Type: kind}, k.Address(), data)
		refuse("zeros", crypto.Signature{Type: kind, Data: make([]byte, len(s.Data))}, k.Address(), data)
		for _, wrong := range []crypto.SigType{1, 2, 3, 0, 9} {
			if wrong != kind {
				refuse("other kind", crypto.Signature{Type: wrong, Data: s.Data}, k.Address(), data)
			}
		}
		id, err := address.NewIDAddress(100)
		if err != nil {
			t.Fatal(err)
		}
		refuse("ID address", s, id, data)
	}
}

func TestKeysComeBack(t *testing.T) {
	for _, kind := range kinds {
		k := key(t, kind, 5)
		again, err := FromKeyInfo(k.KeyInfo())
		if err != nil || again.Address() != k.Address() || again.Kind() != kind || !bytes.Equal(again.Public(), k.Public()) {
			t.Errorf("kind %d: key comes back as %v, error %v", kind, again, err)
		}
		if key(t, kind, 6).Address() == k.Address() {
			t.Errorf("kind %d: two numbers give one key", kind)
		}
		for name, bad := range map[string][]byte{"short": make([]byte, 31), "zero": make([]byte, 32), "too big": bytes.Repeat([]byte{0xff}, 32)} {
			if _, err := ParseKey(kind, bad); !errors.Is(err, ErrInvalidKey) {
				t.Errorf("kind %d, %s: error %v, want ErrInvalidKey", kind, name, err)
			}
		}
	}
	if _, err := ParseKey(7, make([]byte, 32)); !errors.Is(err, ErrInvalidKey) {
		t.Errorf("unknown kind: error %v", err)
	}
	if _, err := FromKeyInfo(types.KeyInfo{Type: "ledger"}); !errors.Is(err, ErrInvalidKey) {
		t.Errorf("unknown type: error %v", err)
	}
}

// Vectors of filecoin-project/bls-signatures, tests/data.json: message, secret key, public key, signature.
var blsVectors = [][4]string{
	{"", "27539689655622540958679105641905086851274830069992722298279813327323206776590",
		"sr4R3I5U7nTbwHVp/XT+A7X1Ktcc1JqFebbGOHiR9aIK2YDsJ0dhjBua01hGpoo+",
		"tTz9+LSIoobfHtIEMuK7xOY2EAN1ff2jpP1s2Y3pXlUT98RI1wsmgeFFR6bO1H58EOKEMuiryzTeHcKPOTKP0qE9sSpMajC9F7DkKIGkKQA+TCRYO6DymkD9g2zwXhpA"},
	{"1234", "49702461028268182420606074237888227477973439590128745083263225875180465421919",
		"mB3i2IqAotd1Ls2mZEM0Cniepi3WjcpqOoyvO2welCSKiBmk9rpVT1D1zLi8QOZ8",
		"hKpZytB4o0w8H4dukk7hmc2M90hXzrytMDdWGWTP2lDc5fTQcJqmkNrnETsBqcjDFVf1WJw463IOhoZP8MREb7ohiZ1M0LKGLsOV3h39tza/OMpW0XAZslfF1N1WO/W3"},
	{"4fb3300556a1b2e3978f5da60cb0708b4d41385a6008976a88527d418d21cf9e",
		"10137148177384684722183489239454536012581057454309712542449409651802267006317",
		"ox463x/VQuAMiuPU2v6hEzwJzXFyNYSxWc+3irXhutl/lVuJH3YcefqCFbjFOt33",
		"jUUS+r6A9/tocmeUqGsuIM0EtXh67Pv0OwLI62fkK2C3l+ugSJxOsRZeQ5HzHuhgCvQ6PVfmv9u5UFZJFvaxxX5O9/ujEv19tDGq7JBvo4rO/pBofTdVyz0QsZkBvQB0"},
}

func TestBLSVectors(t *testing.T) {
	unbase := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var sigs, pubs, msgs [][]byte
	for _, v := range blsVectors {
		n, ok := new(big.Int).SetString(v[1], 10)
		if !ok {
			t.Fatal(v[1])
		}
		secret := n.FillBytes(make([]byte, 32))
		slices.Reverse(secret)
		k, err := ParseKey(crypto.SigTypeBLS, secret)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(k.Public(), unbase(v[2])) {
			t.Errorf("%q: public key %x", v[0], k.Public())
		}
		if s := sign(t, k, []byte(v[0])); !bytes.Equal(s.Data, unbase(v[3])) {
			t.Errorf("%q: signature %x", v[0], s.Data)
		}
		if err := VerifyBLS(unbase(v[3]), unbase(v[2]), []byte(v[0])); err != nil {
			t.Errorf("%q: %v", v[0], err)
		}
		sigs, pubs, msgs = append(sigs, unbase(v[3])), append(pubs, unbase(v[2])), append(msgs, []byte(v[0]))
	}
	all, err := AggregateBLS(sigs)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyBLSAggregate(all, pubs, msgs); err != nil {
		t.Errorf("aggregate: %v", err)
	}
}

// Beacons of drand's mainnet, whose scheme is Filecoin's: a signature over sha256(previous signature ‖ round). Round, previous, signature.
func TestBLSBeacons(t *testing.T) {
	pub := unhex(t, "868f005eb8e6e4ca0a47c8a77ceaa5309a47978a7c71bc5cce96366b5d7a569937c529eeda66c7293784a9402801af31")
	for _, v := range []struct {
		round           uint64
		previous, value string
	}{
		{72785, "a609e19a03c2fcc559e8dae14900aaefe517cb55c840f6e69bc8e4f66c8d18e8a609685d9917efbfb0c37f058c2de88f13d297c7e19e0ab24813079efe57a182554ff054c7638153f9b26a60e7111f71a0ff63d9571704905d3ca6df0b031747",
			"82f5d3d2de4db19d40a6980e8aa37842a0e55d1df06bd68bddc8d60002e8e959eb9cfa368b3c1b77d18f02a54fe047b80f0989315f83b12a74fd8679c4f12aae86eaf6ab5690b34f1fddd50ee3cc6f6cdf59e95526d5a5d82aaa84fa6f181e42"},
		{3311596, "8ed588f2a7716fb1349e2d9803da5db0005e98a83783c353d4a08f183236a9ad91d70ddb01266f4b7c576983db464b430e65680b9e0098552758afd6c1e6afcb77e3f62fe1b93d42d1cb63abbb2205512fe12fbf74ea9c5ac3b8f5c1e283a1d8",
			"a696b9409ababce45749c3a4ec369074453dd4a79967734e1390d969c8ad8d98897d217b9121e92c8ddebbddda8d92f900e3bd6bf9deb166863b1a19390d743f82774001487594c5c09e581db7365f02b70a2c8cc41ce32446ef08e4890c4754"},
	} {
		msg := sha256.Sum256(binary.BigEndian.AppendUint64(unhex(t, v.previous), v.round))
		if err := VerifyBLS(unhex(t, v.value), pub, msg[:]); err != nil {
			t.Errorf("round %d: %v", v.round, err)
		}
		if err := VerifyBLS(unhex(t, v.previous), pub, msg[:]); !errors.Is(err, ErrInvalidSignature) {
			t.Errorf("round %d, signature of the round before: error %v", v.round, err)
		}
	}
}

func TestBLSAggregate(t *testing.T) {
	var sigs, pubs, msgs [][]byte
	for n := range uint64(4) {
		k := key(t, crypto.SigTypeBLS, n)
		msgs = append(msgs, []byte{'m', byte(n)})
		sigs, pubs = append(sigs, sign(t, k, msgs[n]).Data), append(pubs, k.Public())
	}
	all, err := AggregateBLS(sigs)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyBLSAggregate(all, pubs, msgs); err != nil {
		t.Error(err)
	}
	infinityG1, infinityG2 := append([]byte{0xc0}, make([]byte, 47)...), append([]byte{0xc0}, make([]byte, 95)...)
	swapped := slices.Clone(msgs)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	same := [][]byte{msgs[0], msgs[0]}
	twice, err := AggregateBLS([][]byte{sigs[0], sigs[0]})
	if err != nil {
		t.Fatal(err)
	}
	// A point on the curve G1 that is not in the subgroup: x = 4 (draft-irtf-cfrg-pairing-friendly-curves names none; found by trying).
	outside := append(append([]byte{0x80}, make([]byte, 46)...), 4)
	for name, c := range map[string]struct {
		sig        []byte
		pubs, msgs [][]byte
	}{
		"one message less":  {all, pubs, msgs[:3]},
		"one pair less":     {all, pubs[:3], msgs[:3]},
		"messages swapped":  {all, pubs, swapped},
		"the same message":  {twice, [][]byte{pubs[0], pubs[0]}, same},
		"key at infinity":   {infinityG2, [][]byte{infinityG1}, msgs[:1]},
		"all at infinity":   {infinityG2, pubs, msgs},
		"outside subgroup":  {sigs[0], [][]byte{outside}, msgs[:1]},
		"key uncompressed":  {sigs[0], [][]byte{append([]byte{pubs[0][0] & 0x7f}, pubs[0][1:]...)}, msgs[:1]},
		"signature too big": {append(slices.Clone(all), 0), pubs, msgs},
	} {
		if err := VerifyBLSAggregate(c.sig, c.pubs, c.msgs); !errors.Is(err, ErrInvalidSignature) {
			t.Errorf("%s: error %v, want ErrInvalidSignature", name, err)
		}
	}
	if err := VerifyBLSAggregate(nil, nil, nil); err != nil {
		t.Errorf("nothing to verify: %v", err)
	}
	if _, err := AggregateBLS(nil); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("nothing to aggregate: error %v", err)
	}
	if _, err := AggregateBLS([][]byte{all, outside}); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("a bad signature in an aggregate: error %v", err)
	}
}

// Lotus's own library accepts our signatures, and we accept its.
func TestSecpAgreesWithLotus(t *testing.T) {
	k := key(t, crypto.SigTypeSecp256k1, 3)
	hash := blake2b.Sum256([]byte("data"))
	if s := sign(t, k, []byte("data")); !gocrypto.Verify(k.Public(), hash[:], s.Data) {
		t.Error("go-crypto refuses our signature")
	}
	theirs, err := gocrypto.Sign(k.KeyInfo().PrivateKey, hash[:])
	if err != nil {
		t.Fatal(err)
	}
	if err := Verify(crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: theirs}, k.Address(), []byte("data")); err != nil {
		t.Errorf("we refuse go-crypto's: %v", err)
	}
	if !bytes.Equal(gocrypto.PublicKey(k.KeyInfo().PrivateKey), k.Public()) {
		t.Error("public keys differ")
	}
}

// A signature with high S, from ref-fvm's test secp_ecrecover_testvector.
func TestRecoverHighS(t *testing.T) {
	hash := unhex(t, "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c")
	s := append(unhex(t, "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f"+
		"eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549"), 1)
	pub, err := RecoverSecp(hash, s)
	if err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(keccak256(pub[1:])[12:]); got != "a94f5374fce5edbc8e2a8697c15331677e6ebf0b" {
		t.Errorf("recovered 0x%s", got)
	}
	for _, bad := range [][]byte{nil, s[:64], append(slices.Clone(s[:64]), 4), append(bytes.Repeat([]byte{0xff}, 64), 0)} {
		if _, err := RecoverSecp(hash, bad); !errors.Is(err, ErrInvalidSignature) {
			t.Errorf("%x: error %v, want ErrInvalidSignature", bad, err)
		}
	}
	if _, err := RecoverSecp(hash[:31], s); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("short hash: error %v", err)
	}
}

func TestHash(t *testing.T) {
	// Digests of "abc" from the functions' specifications.
	for code, want := range map[uint64]string{
		SHA256:     "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
		Keccak256:  "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
		Ripemd160:  "8eb208f7e05d987a9b044a8e98c6b087f15a0bfc",
		Blake2b256: "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319",
		Blake2b512: "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d17d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
	} {
		if got, err := Hash(code, []byte("abc")); err != nil || hex.EncodeToString(got) != want {
			t.Errorf("%#x: %x, error %v, want %s", code, got, err, want)
		}
	}
	if _, err := Hash(0x11, nil); !errors.Is(err, ErrHashUnsupported) {
		t.Errorf("sha1: error %v, want ErrHashUnsupported", err)
	}
}

func FuzzVerify(f *testing.F) {
	for _, kind := range kinds {
		k := key(f, kind, 1)
		f.Add(byte(kind), sign(f, k, []byte("x")).Data, k.Address().Bytes(), []byte("x"))
	}
	f.Fuzz(func(t *testing.T, kind byte, data, signer, msg []byte) {
		a, err := address.NewFromBytes(signer)
		if err != nil {
			return
		}
		if err := VerifyKind(crypto.SigType(kind), data, a, msg); err != nil && !errors.Is(err, ErrInvalidSignature) {
			t.Fatalf("error %v does not wrap ErrInvalidSignature", err)
		}
	})
}
