package sig

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"math/big"
	"slices"

	bls12381 "github.com/consensys/gnark-crypto/ecc/bls12-381"
	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
)

// Sizes in bytes of compressed points and of private keys.
const (
	BLSPublicKeySize = bls12381.SizeOfG1AffineCompressed
	BLSSignatureSize = bls12381.SizeOfG2AffineCompressed
	BLSSecretSize    = fr.Bytes
)

// blsDST separates Filecoin's signatures from other uses of the curve (lotus: lib/sigs/bls/init.go, DST).
var blsDST = []byte("BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_")

var blsGenerator = func() bls12381.G1Affine {
	_, _, g1, _ := bls12381.Generators()
	return g1
}()

// VerifyBLS checks the signature of one public key over data. The error wraps [ErrInvalidSignature] whatever is wrong.
func VerifyBLS(signature, publicKey, data []byte) error {
	return VerifyBLSAggregate(signature, [][]byte{publicKey}, [][]byte{data})
}

// VerifyBLSAggregate checks an aggregate of the signatures of each public key over the data at its place. As in ref-fvm
// (shared/src/crypto/signature.rs, verify_bls_aggregate, and crate bls-signatures) the messages must differ from each other, points
// must be in the right subgroup, no public key may be the point at infinity, and without any key every signature is good.
func VerifyBLSAggregate(signature []byte, publicKeys, data [][]byte) error {
	if len(publicKeys) != len(data) {
		return fmt.Errorf("%w: %d public keys for %d messages", ErrInvalidSignature, len(publicKeys), len(data))
	}
	if len(publicKeys) == 0 {
		return nil
	}
	s, err := blsSignature(signature)
	if err != nil {
		return err
	}
	if !distinct(data) {
		return fmt.Errorf("%w: two messages of the aggregate are the same", ErrInvalidSignature)
	}
	g1 := make([]bls12381.G1Affine, 1, len(data)+1)
	g2 := make([]bls12381.G2Affine, 1, len(data)+1)
	g1[0].Neg(&blsGenerator)
	g2[0] = s
	for i, pk := range publicKeys {
		p, err := blsPublicKey(pk)
		if err != nil {
			return err
		}
		h, err := bls12381.HashToG2(data[i], blsDST)
		if err != nil {
			return fmt.Errorf("hash a message to the curve: %w", err)
		}
		g1, g2 = append(g1, p), append(g2, h)
	}
	ok, err := bls12381.PairingCheck(g1, g2)
	if err != nil {
		return fmt.Errorf("check the pairing of a BLS signature: %w", err)
	}
	if !ok {
		return fmt.Errorf("%w: it is not of these keys over these messages", ErrInvalidSignature)
	}
	return nil
}

// AggregateBLS is one signature of the size of one for all the given ones.
func AggregateBLS(signatures [][]byte) ([]byte, error) {
	if len(signatures) == 0 {
		return nil, fmt.Errorf("%w: no signatures to aggregate", ErrInvalidSignature)
	}
	var sum bls12381.G2Jac
	for i, b := range signatures {
		s, err := blsSignature(b)
		if err != nil {
			return nil, fmt.Errorf("signature %d of the aggregate: %w", i, err)
		}
		sum.AddMixed(&s)
	}
	var out bls12381.G2Affine
	b := out.FromJacobian(&sum).Bytes()
	return b[:], nil
}

func blsSignature(b []byte) (bls12381.G2Affine, error) {
	var p bls12381.G2Affine
	if len(b) != BLSSignatureSize {
		return p, fmt.Errorf("%w: a BLS signature has %d bytes, this one has %d", ErrInvalidSignature, BLSSignatureSize, len(b))
	}
	if !compressedPoint(b) {
		return p, fmt.Errorf("%w: not a compressed point of G2", ErrInvalidSignature)
	}
	if _, err := p.SetBytes(b); err != nil {
		return p, fmt.Errorf("%w: not a point of G2: %w", ErrInvalidSignature, err)
	}
	return p, nil
}

func blsPublicKey(b []byte) (bls12381.G1Affine, error) {
	var p bls12381.G1Affine
	if len(b) != BLSPublicKeySize {
		return p, fmt.Errorf("%w: a BLS public key has %d bytes, this one has %d", ErrInvalidSignature, BLSPublicKeySize, len(b))
	}
	if !compressedPoint(b) {
		return p, fmt.Errorf("%w: the public key is not a compressed point of G1", ErrInvalidSignature)
	}
	if _, err := p.SetBytes(b); err != nil {
		return p, fmt.Errorf("%w: the public key is not a point of G1: %w", ErrInvalidSignature, err)
	}
	if p.IsInfinity() {
		return p, fmt.Errorf("%w: the public key is the point at infinity", ErrInvalidSignature)
	}
	return p, nil
}

// compressedPoint tells whether the flags in the first byte can be those of a compressed point: compression is on, and infinity has no sign.
func compressedPoint(b []byte) bool {
	flags := b[0] & 0xe0
	return flags == 0x80 || flags == 0xa0 || flags == 0xc0
}

func distinct(data [][]byte) bool {
	seen := make(map[string]struct{}, len(data))
	for _, d := range data {
		seen[string(d)] = struct{}{}
	}
	return len(seen) == len(data)
}

// blsKeyFromSeed is KeyGen of the IETF's draft on BLS signatures, version 4 (HKDF over SHA-256 with its salt, reduced by the group's
// order); the seed has 32 bytes or more.
func blsKeyFromSeed(seed []byte) (fr.Element, error) {
	var k fr.Element
	salt := []byte("BLS-SIG-KEYGEN-SALT-")
	const size = 48
	for k.IsZero() {
		h := sha256.Sum256(salt)
		salt = h[:]
		prk, err := hkdf.Extract(sha256.New, append(slices.Clone(seed), 0), salt)
		if err != nil {
			return k, fmt.Errorf("derive a BLS key: %w", err)
		}
		okm, err := hkdf.Expand(sha256.New, prk, string([]byte{0, size}), size)
		if err != nil {
			return k, fmt.Errorf("derive a BLS key: %w", err)
		}
		k.SetBytes(okm)
	}
	return k, nil
}

// blsKey reads a private key of 32 bytes, little endian as Filecoin writes it.
func blsKey(b []byte) (fr.Element, error) {
	var k fr.Element
	if len(b) != BLSSecretSize {
		return k, fmt.Errorf("%w: a BLS key has %d bytes, this one has %d", ErrInvalidKey, BLSSecretSize, len(b))
	}
	be := slices.Clone(b)
	slices.Reverse(be)
	if err := k.SetBytesCanonical(be); err != nil {
		return k, fmt.Errorf("%w: it is not below the order of the group", ErrInvalidKey)
	}
	if k.IsZero() {
		return k, fmt.Errorf("%w: it is zero", ErrInvalidKey)
	}
	return k, nil
}

func blsKeyBytes(k fr.Element) []byte {
	b := k.Bytes()
	slices.Reverse(b[:])
	return b[:]
}

func blsPublic(k fr.Element) []byte {
	var n big.Int
	var p bls12381.G1Affine
	b := p.ScalarMultiplication(&blsGenerator, k.BigInt(&n)).Bytes()
	return b[:]
}

func signBLS(k fr.Element, data []byte) ([]byte, error) {
	h, err := bls12381.HashToG2(data, blsDST)
	if err != nil {
		return nil, fmt.Errorf("hash the message to the curve: %w", err)
	}
	var n big.Int
	b := h.ScalarMultiplication(&h, k.BigInt(&n)).Bytes()
	return b[:], nil
}
