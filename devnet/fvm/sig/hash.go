package sig

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-keccak"
	"golang.org/x/crypto/blake2b"
	//lint:ignore SA1019 actors of the chain may ask for it
	"golang.org/x/crypto/ripemd160"
)

// Multihash codes of the functions that [Hash] knows.
const (
	SHA256     uint64 = 0x12
	Keccak256  uint64 = 0x1b
	Ripemd160  uint64 = 0x1053
	Blake2b256 uint64 = 0xb220
	Blake2b512 uint64 = 0xb240
)

// ErrHashUnsupported is wrapped by [Hash] for any other code; the machine answers "illegal argument" to it.
var ErrHashUnsupported = errors.New("unsupported hash function; the machine knows sha2-256, keccak-256, ripemd-160, blake2b-256 and blake2b-512")

// Hash is the digest of data, 64 bytes for blake2b-512, 20 for ripemd-160 and 32 for the others, by the function with that multihash code.
func Hash(code uint64, data []byte) ([]byte, error) {
	switch code {
	case SHA256:
		sum := sha256.Sum256(data)
		return sum[:], nil
	case Keccak256:
		return keccak256(data), nil
	case Ripemd160:
		h := ripemd160.New()
		h.Write(data)
		return h.Sum(nil), nil
	case Blake2b256:
		sum := blake2b.Sum256(data)
		return sum[:], nil
	case Blake2b512:
		sum := blake2b.Sum512(data)
		return sum[:], nil
	default:
		return nil, fmt.Errorf("multihash code %#x: %w", code, ErrHashUnsupported)
	}
}

func keccak256(data []byte) []byte {
	h := keccak.NewLegacyKeccak256()
	h.Write(data)
	return h.Sum(nil)
}
