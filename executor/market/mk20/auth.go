package mk20

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	"golang.org/x/crypto/blake2b"
)

// Signer is the key by which providers know the client.
type Signer interface {
	Address() address.Address
	// Sign gives a Filecoin signature: its type's byte, then its data.
	Sign(ctx context.Context, message []byte) ([]byte, error)
}

// authorization is curio, market/mk20/auth.go: "CurioAuth <key type>:<address>:<signature>",
// both in base64. What is signed holds the minute, so clocks must agree to one.
func (c *Client) authorization(ctx context.Context, method, path string) (string, error) {
	a := c.key.Address()
	var kind string
	switch a.Protocol() {
	case address.SECP256K1:
		kind = "secp256k1"
	case address.BLS:
		kind = "bls"
	case address.Delegated:
		kind = "delegated"
	default:
		return "", fmt.Errorf("an address of type %d cannot sign", a.Protocol())
	}
	digest := authMessage(a, method, path, c.now())
	sig, err := c.key.Sign(ctx, digest[:])
	if err != nil {
		return "", fmt.Errorf("signing the request: %w", err)
	}
	return "CurioAuth " + kind + ":" + base64.StdEncoding.EncodeToString(a.Bytes()) + ":" + base64.StdEncoding.EncodeToString(sig), nil
}

func authMessage(a address.Address, method, path string, now time.Time) [32]byte {
	m := append([]byte{}, a.Bytes()...)
	m = append(m, method...)
	m = append(m, path...)
	m = append(m, now.UTC().Truncate(time.Minute).Format(time.RFC3339)...)
	return sha256.Sum256(m)
}

// Identity is a Signer with a secp256k1 key of its own, whose address is f1….
type Identity struct {
	key  *ecdsa.PrivateKey
	addr address.Address
}

// NewIdentity makes an Identity of a private key.
func NewIdentity(key *ecdsa.PrivateKey) (*Identity, error) {
	a, err := address.NewSecp256k1Address(crypto.FromECDSAPub(&key.PublicKey))
	if err != nil {
		return nil, fmt.Errorf("the address of a key: %w", err)
	}
	return &Identity{key, a}, nil
}

// Address implements Signer.
func (i *Identity) Address() address.Address { return i.addr }

// Sign implements Signer: a recoverable signature over the message's blake2b-256,
// behind type 1.
func (i *Identity) Sign(_ context.Context, message []byte) ([]byte, error) {
	digest := blake2b.Sum256(message)
	sig, err := crypto.Sign(digest[:], i.key)
	if err != nil {
		return nil, err
	}
	return append([]byte{1}, sig...), nil
}
