package signer

import (
	"bytes"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/crypto/blake2b"
)

// A Filecoin signature recovers to the key, over the BLAKE2b of a message's CID; nothing
// else is signed.
func TestFilecoinMessagesAndNothingElse(t *testing.T) {
	key, err := FromHex("0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318")
	if err != nil {
		t.Fatal(err)
	}
	f := key.(FilecoinSigner)
	message := append([]byte{0x01, 0x71, 0xa0, 0xe4, 0x02, 0x20}, bytes.Repeat([]byte{7}, 32)...)
	sig, err := f.SignFilecoin(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	digest := blake2b.Sum256(message)
	public, err := crypto.Ecrecover(digest[:], sig)
	if err != nil || !bytes.Equal(public, f.PublicKey()) {
		t.Errorf("recovers to %x, %v", public, err)
	}
	for name, other := range map[string][]byte{
		"nothing": nil, "a digest": message[6:], "a longer CID": append(bytes.Clone(message), 1), "sha2-256": append([]byte{0x01, 0x71, 0x12, 0x20, 0, 0}, message[6:]...),
	} {
		if sig, err := f.SignFilecoin(t.Context(), other); err == nil {
			t.Errorf("%s was signed: %x", name, sig)
		}
	}
}
