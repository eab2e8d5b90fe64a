package devnet

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
)

// derive follows BIP-39 and BIP-32 along m/44'/60'/0'/0/index.
func derive(t *testing.T, phrase string, index uint32) []byte {
	t.Helper()
	seed, err := pbkdf2.Key(sha512.New, phrase, []byte("mnemonic"), 2048, 64)
	if err != nil {
		t.Fatal(err)
	}
	split := func(key, data []byte) (*big.Int, []byte) {
		mac := hmac.New(sha512.New, key)
		mac.Write(data)
		sum := mac.Sum(nil)
		return new(big.Int).SetBytes(sum[:32]), sum[32:]
	}
	const hard = 1 << 31
	key, code := split([]byte("Bitcoin seed"), seed)
	for _, step := range []uint32{44 + hard, 60 + hard, hard, 0, index} {
		private := key.FillBytes(make([]byte, 32))
		data := append([]byte{0}, private...)
		if step < hard {
			ecdsa, err := crypto.ToECDSA(private)
			if err != nil {
				t.Fatal(err)
			}
			data = crypto.CompressPubkey(&ecdsa.PublicKey)
		}
		left, next := split(code, binary.BigEndian.AppendUint32(data, step))
		key.Mod(key.Add(key, left), crypto.S256().Params().N)
		code = next
	}
	return key.FillBytes(make([]byte, 32))
}

func TestAccountsDeriveFromTheMnemonic(t *testing.T) {
	for i, a := range Accounts() {
		if got := crypto.FromECDSA(a.Key()); string(got) != string(derive(t, Mnemonic, uint32(i))) {
			t.Errorf("account %d has key %x", i, got)
		}
		if got := crypto.PubkeyToAddress(a.Key().PublicKey); got != a.Address {
			t.Errorf("account %d: its key has address %s, not %s", i, got, a.Address)
		}
		if !KnownKeys()[a.Address] {
			t.Errorf("account %d is not among the known keys", i)
		}
	}
}

func TestClock(t *testing.T) {
	wall := time.Unix(1000, 0)
	c := clock{now: func() time.Time { return wall }}
	steps := []struct {
		name   string
		do     func() error
		parent uint64
		want   uint64
	}{
		{"follows the wall clock", nil, 900, 1000},
		{"runs ahead when blocks are quicker than seconds", nil, 1000, 1001},
		{"is set ahead", func() error { _, err := c.advance(50); return err }, 1001, 1050},
		{"a pinned time wins", func() error { return c.pin(5000, 1050) }, 1050, 5000},
		{"and later blocks go on from it", func() error { c.used(); wall = wall.Add(7 * time.Second); return nil }, 5000, 5007},
		{"a restarted chain goes on from its head", func() error { c = clock{now: c.now}; c.resume(6000); return nil }, 6000, 6001},
	}
	for _, s := range steps {
		if s.do != nil {
			if err := s.do(); err != nil {
				t.Fatalf("%s: %v", s.name, err)
			}
		}
		if got := c.next(s.parent); got != s.want {
			t.Errorf("%s: %d after %d, want %d", s.name, got, s.parent, s.want)
		}
	}
	if err := c.pin(6000, 6000); err == nil {
		t.Error("pinned a time that is not later than the head's")
	}
	if _, err := c.advance(1 << 63); err == nil {
		t.Error("advanced by 300 billion years")
	}
	if err := c.pin(1<<63, 0); err == nil {
		t.Error("pinned a time in 300 billion years")
	}
}

func TestParameters(t *testing.T) {
	for text, want := range map[string]uint64{`5`: 5, `"5"`: 5, `"0x1f"`: 31, `3.0`: 3, `0`: 0} {
		var q quantity
		if err := json.Unmarshal([]byte(text), &q); err != nil || uint64(q) != want {
			t.Errorf("%s is read as %d, %v", text, q, err)
		}
	}
	for _, text := range []string{`-1`, `"x"`, `1.5`, `true`, `{}`} {
		if err := json.Unmarshal([]byte(text), new(quantity)); err == nil {
			t.Errorf("%s was read as a number", text)
		}
	}
	for text, want := range map[string]time.Duration{`250`: 250 * time.Millisecond, `"2s"`: 2 * time.Second, `"0x10"`: 16 * time.Millisecond} {
		var s span
		if err := json.Unmarshal([]byte(text), &s); err != nil || time.Duration(s) != want {
			t.Errorf("%s is read as %v, %v", text, time.Duration(s), err)
		}
	}
	for _, text := range []string{`"-1s"`, `"soon"`, `99999999999999999`} {
		if err := json.Unmarshal([]byte(text), new(span)); err == nil {
			t.Errorf("%s was read as a duration", text)
		}
	}
	for text, want := range map[string]string{`"0xde0b6b3a7640000"`: "1000000000000000000", `"7"`: "7", `8`: "8"} {
		var a amount
		if err := json.Unmarshal([]byte(text), &a); err != nil || (*big.Int)(&a).String() != want {
			t.Errorf("%s is read as %v, %v", text, (*big.Int)(&a), err)
		}
	}
	if err := json.Unmarshal([]byte(`"-5"`), new(amount)); err == nil {
		t.Error("a negative amount was accepted")
	}
}

func TestOrigins(t *testing.T) {
	allowed := Config{}.withDefaults().AllowedOrigins
	for origin, want := range map[string]bool{
		"http://localhost": true, "http://LOCALHOST:3000": true, "http://127.0.0.1:1": true, "http://[::1]:8080": true,
		"http://localhost.evil.example": false, "https://evil.example": false, "null": false,
	} {
		if got := originAllowed(allowed, origin); got != want {
			t.Errorf("origin %s: %v, want %v", origin, got, want)
		}
	}
	if !originAllowed([]string{"*"}, "https://any.example") {
		t.Error(`"*" does not allow everything`)
	}
}
