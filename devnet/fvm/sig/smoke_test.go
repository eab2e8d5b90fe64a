package sig

import (
	"testing"

	"github.com/filecoin-project/go-state-types/crypto"
)

func TestSignAndVerify(t *testing.T) {
	for _, kind := range []crypto.SigType{crypto.SigTypeSecp256k1, crypto.SigTypeBLS, crypto.SigTypeDelegated} {
		k, err := GenerateKey(kind, [32]byte{1}, 7)
		if err != nil {
			t.Fatal(err)
		}
		s, err := k.Sign([]byte("data"))
		if err != nil {
			t.Fatal(err)
		}
		if err := Verify(s, k.Address(), []byte("data")); err != nil {
			t.Fatalf("kind %d: %v", kind, err)
		}
		if err := Verify(s, k.Address(), []byte("datb")); err == nil {
			t.Fatalf("kind %d: other data accepted", kind)
		}
	}
}
