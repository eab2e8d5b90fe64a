package sig

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/consensys/gnark-crypto/ecc/bls12-381/fr"
	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"golang.org/x/crypto/blake2b"
)

// ErrInvalidKey is wrapped when bytes are not a private key of the kind asked for.
var ErrInvalidKey = errors.New("invalid private key")

// Key is a private key of a development network. It is immutable and safe for concurrent use. Its methods do not print the secret.
type Key struct {
	kind   crypto.SigType
	secp   *secp256k1.PrivateKey
	bls    fr.Element
	public []byte
	addr   address.Address
}

// GenerateKey derives the key of that kind with a number from a seed of 32 bytes: equal arguments give equal keys, on every machine.
func GenerateKey(kind crypto.SigType, seed [32]byte, number uint64) (*Key, error) {
	material := append([]byte("devnet key "), byte(kind))
	material = append(material, seed[:]...)
	material = binary.BigEndian.AppendUint64(material, number)
	for {
		sum := sha256.Sum256(material)
		if kind == crypto.SigTypeBLS {
			k, err := blsKeyFromSeed(sum[:])
			if err != nil {
				return nil, err
			}
			return ParseKey(kind, blsKeyBytes(k))
		}
		k, err := ParseKey(kind, sum[:])
		if !errors.Is(err, errOutOfRange) {
			return k, err
		}
		material = sum[:]
	}
}

// ParseKey reads a private key as Lotus's KeyInfo holds it: 32 bytes, big endian for secp256k1 and delegated, little endian for BLS.
func ParseKey(kind crypto.SigType, private []byte) (*Key, error) {
	k := &Key{kind: kind}
	var err error
	switch kind {
	case crypto.SigTypeSecp256k1, crypto.SigTypeDelegated:
		if k.secp, err = secpKey(private); err != nil {
			return nil, err
		}
		k.public = k.secp.PubKey().SerializeUncompressed()
		if kind == crypto.SigTypeDelegated {
			k.addr, err = ethAddress(k.public)
		} else {
			k.addr, err = address.NewSecp256k1Address(k.public)
		}
	case crypto.SigTypeBLS:
		if k.bls, err = blsKey(private); err != nil {
			return nil, err
		}
		k.public = blsPublic(k.bls)
		k.addr, err = address.NewBLSAddress(k.public)
	default:
		return nil, fmt.Errorf("%w: unknown kind %d; known are 1 (secp256k1), 2 (BLS) and 3 (delegated)", ErrInvalidKey, kind)
	}
	if err != nil {
		return nil, fmt.Errorf("address of a public key: %w", err)
	}
	return k, nil
}

// FromKeyInfo reads a key in Lotus's form.
func FromKeyInfo(info types.KeyInfo) (*Key, error) {
	switch info.Type {
	case types.KTSecp256k1:
		return ParseKey(crypto.SigTypeSecp256k1, info.PrivateKey)
	case types.KTBLS:
		return ParseKey(crypto.SigTypeBLS, info.PrivateKey)
	case types.KTDelegated:
		return ParseKey(crypto.SigTypeDelegated, info.PrivateKey)
	default:
		return nil, fmt.Errorf("%w: key type %q; known are secp256k1, bls and delegated", ErrInvalidKey, info.Type)
	}
}

// KeyInfo is the key in Lotus's form, with the secret.
func (k *Key) KeyInfo() types.KeyInfo {
	switch k.kind {
	case crypto.SigTypeBLS:
		return types.KeyInfo{Type: types.KTBLS, PrivateKey: blsKeyBytes(k.bls)}
	case crypto.SigTypeDelegated:
		return types.KeyInfo{Type: types.KTDelegated, PrivateKey: k.secp.Serialize()}
	default:
		return types.KeyInfo{Type: types.KTSecp256k1, PrivateKey: k.secp.Serialize()}
	}
}

// Kind is the kind of the key's signatures.
func (k *Key) Kind() crypto.SigType { return k.kind }

// Address is the key's address: f1, f3 or f410.
func (k *Key) Address() address.Address { return k.addr }

// Public is the public key: 65 bytes uncompressed of secp256k1, 48 bytes compressed of BLS.
func (k *Key) Public() []byte { return append([]byte(nil), k.public...) }

// String names the key by its address; the secret stays out of logs.
func (k *Key) String() string { return k.addr.String() }

// Sign signs data; [Verify] with the key's address accepts the result.
func (k *Key) Sign(data []byte) (crypto.Signature, error) {
	switch k.kind {
	case crypto.SigTypeBLS:
		b, err := signBLS(k.bls, data)
		return crypto.Signature{Type: k.kind, Data: b}, err
	case crypto.SigTypeDelegated:
		return crypto.Signature{Type: k.kind, Data: signSecp(k.secp, keccak256(data))}, nil
	default:
		hash := blake2b.Sum256(data)
		return crypto.Signature{Type: k.kind, Data: signSecp(k.secp, hash[:])}, nil
	}
}

// SignMessage signs a message of this key's account. A delegated key signs an EIP-1559 transaction on that chain, which the message must
// be expressible as; the other kinds do not use the chain ID.
func (k *Key) SignMessage(m *types.Message, chainID uint64) (*types.SignedMessage, error) {
	data, err := SigningBytes(m, k.kind, chainID)
	if err != nil {
		return nil, err
	}
	s, err := k.Sign(data)
	if err != nil {
		return nil, err
	}
	return &types.SignedMessage{Message: *m, Signature: s}, nil
}
