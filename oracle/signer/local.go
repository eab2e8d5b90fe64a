package signer

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"log/slog"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
	"golang.org/x/crypto/blake2b"
)

// local is a key in this process. The key is behind a function so that no
// formatting verb, not even one that walks fields by reflection, can print it.
type local struct {
	address common.Address
	key     func() *ecdsa.PrivateKey
}

func newLocal(key *ecdsa.PrivateKey) *local {
	return &local{
		address: crypto.PubkeyToAddress(key.PublicKey),
		key:     func() *ecdsa.PrivateKey { return key },
	}
}

// Address is the key's address.
func (l *local) Address() common.Address { return l.address }

// SignTx signs for chainID with the newest signing rules that tx's type has.
func (l *local) SignTx(_ context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	signed, err := types.SignTx(tx, types.LatestSignerForChainID(chainID), l.key())
	if err != nil {
		return nil, fmt.Errorf("signing a transaction of %s: %w", l.address, err)
	}
	return signed, nil
}

// SignTyped signs the EIP-712 digest of data.
func (l *local) SignTyped(_ context.Context, data apitypes.TypedData) ([]byte, error) {
	digest, _, err := apitypes.TypedDataAndHash(data)
	if err != nil {
		return nil, fmt.Errorf("hashing typed data: %w", err)
	}
	sig, err := crypto.Sign(digest, l.key())
	if err != nil {
		return nil, fmt.Errorf("signing typed data of %s: %w", l.address, err)
	}
	sig[64] += 27
	return sig, nil
}

// PublicKey is the key's public half, 65 bytes.
func (l *local) PublicKey() []byte { return crypto.FromECDSAPub(&l.key().PublicKey) }

// SignFilecoin implements FilecoinSigner.
func (l *local) SignFilecoin(_ context.Context, message []byte) ([]byte, error) {
	if len(message) != len(messagePrefix)+blake2b.Size256 || !bytes.HasPrefix(message, messagePrefix) {
		return nil, errors.New("signing a Filecoin message: these bytes are not the CID of one")
	}
	digest := blake2b.Sum256(message)
	sig, err := crypto.Sign(digest[:], l.key())
	if err != nil {
		return nil, fmt.Errorf("signing a Filecoin message of %s: %w", l.address, err)
	}
	return sig, nil
}

// messagePrefix begins the CID of every Filecoin message: version 1, dag-cbor, blake2b-256.
var messagePrefix = []byte{0x01, 0x71, 0xa0, 0xe4, 0x02, 0x20}

// String names the key without showing it.
func (l *local) String() string { return "key of " + l.address.Hex() + " (redacted)" }

// GoString is String: %#v shows no more.
func (l *local) GoString() string { return l.String() }

// LogValue is what a log line shows.
func (l *local) LogValue() slog.Value { return slog.StringValue(l.String()) }

// MarshalJSON is the quoted String.
func (l *local) MarshalJSON() ([]byte, error) { return []byte(fmt.Sprintf("%q", l.String())), nil }
