package sig

import (
	"errors"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Sizes in bytes of what secp256k1 works with: a recoverable signature is R, S and the recovery number, 0 to 3; a public key is uncompressed.
const (
	SecpSignatureSize = 65
	SecpPublicKeySize = 65
	SecpHashSize      = 32
)

// ErrInvalidSignature is wrapped when a signature is malformed, or is not of the signer over the data.
var ErrInvalidSignature = errors.New("invalid signature")

// compactMagic is what the compact form adds to the recovery number.
const compactMagic = 27

// RecoverSecp is the uncompressed public key that made the signature over a hash of 32 bytes. High S is accepted, as by ref-fvm, which
// needs it for Ethereum (shared/src/crypto/signature.rs, recover_secp_public_key).
func RecoverSecp(hash, signature []byte) ([]byte, error) {
	if len(hash) != SecpHashSize {
		return nil, fmt.Errorf("%w: the hash has %d bytes, it must have %d", ErrInvalidSignature, len(hash), SecpHashSize)
	}
	if len(signature) != SecpSignatureSize {
		return nil, fmt.Errorf("%w: a secp256k1 signature has %d bytes, this one has %d", ErrInvalidSignature, SecpSignatureSize, len(signature))
	}
	v := signature[64]
	if v > 3 {
		return nil, fmt.Errorf("%w: the recovery number is %d, it must be 0 to 3", ErrInvalidSignature, v)
	}
	compact := make([]byte, 0, SecpSignatureSize)
	compact = append(compact, compactMagic+v)
	compact = append(compact, signature[:64]...)
	key, _, err := ecdsa.RecoverCompact(compact, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: recover the public key: %w", ErrInvalidSignature, err)
	}
	return key.SerializeUncompressed(), nil
}

// signSecp signs a hash with a nonce by RFC 6979 and low S.
func signSecp(key *secp256k1.PrivateKey, hash []byte) []byte {
	compact := ecdsa.SignCompact(key, hash, false)
	out := make([]byte, 0, SecpSignatureSize)
	out = append(out, compact[1:]...)
	return append(out, compact[0]-compactMagic)
}

// secpKey reads a private key of 32 bytes, big endian, from 1 to the order of the group less one.
func secpKey(b []byte) (*secp256k1.PrivateKey, error) {
	var s secp256k1.ModNScalar
	if len(b) != 32 {
		return nil, fmt.Errorf("%w: a secp256k1 key has 32 bytes, this one has %d", ErrInvalidKey, len(b))
	}
	if overflow := s.SetByteSlice(b); overflow || s.IsZero() {
		return nil, fmt.Errorf("%w: %w", ErrInvalidKey, errOutOfRange)
	}
	return secp256k1.NewPrivateKey(&s), nil
}

// errOutOfRange tells a number that is no private key.
var errOutOfRange = errors.New("it is zero or not below the order of the group")
