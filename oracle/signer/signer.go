// Package signer holds the keys of the chain side: one that pays for and signs
// transactions, and another that signs reports. They are two interfaces and, on
// public networks, two keys: the first must stay funded and online, the second
// decides what contracts believe.
//
// It is not a wallet: it keeps no nonce, no balance and no policy of what may be
// sent (oracle/txmgr), and does not know what a report says (oracle/report).
//
// Map:
//
//	signer.go    the interfaces, Spec and FromSpec
//	local.go     a key in this process
//	keystore.go  encrypted key files in geth's format: load, create, list
//	remote.go    a signer behind JSON-RPC
//	known.go     public chain ids, and keys whose private half everyone knows
//
// Invariants: a private key or password never reaches a log, an error or a
// formatted value; what a remote signer returns is checked to be what was asked
// for, signed by the expected address; no key that is in the environment, and no
// well-known key, signs on a public chain.
package signer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

// TxSigner signs transactions of one address.
type TxSigner interface {
	Address() common.Address
	// SignTx returns tx with a signature of Address for the chain; every other
	// field is unchanged.
	SignTx(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
}

// ReportSigner signs EIP-712 data with one address.
type ReportSigner interface {
	Address() common.Address
	// SignTyped returns 65 bytes r || s || v with v 27 or 28 and a low s.
	SignTyped(ctx context.Context, data apitypes.TypedData) ([]byte, error)
}

// FilecoinSigner signs Filecoin's own messages as the f1 address of a key. Keys in this
// process can; behind a remote signer only Ethereum's transactions are signed.
type FilecoinSigner interface {
	// PublicKey is 65 bytes, uncompressed.
	PublicKey() []byte
	// SignFilecoin signs the bytes of a message's CID, and nothing else: r || s || v over
	// their BLAKE2b-256 with v 0 or 1.
	SignFilecoin(ctx context.Context, message []byte) ([]byte, error)
}

// Signer is a key that can do both. Callers take the half they need.
type Signer interface {
	TxSigner
	ReportSigner
}

// Spec names where a key is. Exactly one of Keystore, Env and Remote is set.
type Spec struct {
	// Keystore is an encrypted key file in geth's format, mode 0600, or a
	// directory of them, of which Address picks one.
	Keystore string
	// PasswordFile holds the keystore's password in its first line, mode 0600.
	PasswordFile string
	// PasswordEnv names the environment variable that holds the password.
	PasswordEnv string
	// Env names the environment variable that holds a private key as 64 hex
	// digits. Refused on public chains.
	Env string
	// Remote is the http(s) URL of a signer that serves eth_signTransaction and
	// eth_signTypedData_v4 (or eth_signTypedData). Needs Address.
	Remote string
	// TLSCert and TLSKey show this side to the remote signer, TLSCA is whom its
	// certificate must come from; PEM files, for https only.
	TLSCert, TLSKey, TLSCA string
	// Address is the expected address; zero to take what the file or the variable
	// holds.
	Address common.Address
}

// ErrNoKey is returned when a Spec names no key, or the place it names is empty.
var ErrNoKey = errors.New("no key")

// ErrPublicChain is returned when a key that is fit only for development networks
// is asked to serve a public chain.
var ErrPublicChain = errors.New("not on a public chain")

// FromSpec opens the key that spec names, for use on chainID. Errors name what to
// do and never contain a secret.
func FromSpec(ctx context.Context, spec Spec, chainID uint64) (Signer, error) {
	set := 0
	for _, s := range []string{spec.Keystore, spec.Env, spec.Remote} {
		if s != "" {
			set++
		}
	}
	if set == 0 {
		return nil, fmt.Errorf("%w: name a keystore file, a remote signer or, on a development network, an environment variable; `tidegate keys new` makes a keystore file", ErrNoKey)
	}
	if set > 1 {
		return nil, errors.New("keystore, env and remote are alternatives: keep one of them")
	}
	s, err := open(ctx, spec, chainID)
	if err != nil {
		return nil, err
	}
	if spec.Address != (common.Address{}) && s.Address() != spec.Address {
		return nil, fmt.Errorf("the key is of address %s, the configuration expects %s: correct one of them", s.Address(), spec.Address)
	}
	if err := refuseKnown(s.Address(), chainID); err != nil {
		return nil, err
	}
	return s, nil
}

func open(ctx context.Context, spec Spec, chainID uint64) (Signer, error) {
	switch {
	case spec.Keystore != "":
		return openKeystore(spec)
	case spec.Remote != "":
		return openRemote(ctx, spec)
	default:
		return openEnv(spec.Env, chainID)
	}
}

func openEnv(name string, chainID uint64) (Signer, error) {
	if PublicChain(chainID) {
		return nil, fmt.Errorf("%w: the key in the environment variable %s would be readable by every child process; on chain %d use an encrypted keystore file (`tidegate keys new`) or a remote signer", ErrPublicChain, name, chainID)
	}
	text := strings.TrimSpace(os.Getenv(name))
	if text == "" {
		return nil, fmt.Errorf("%w: the environment variable %s is empty: set it to a private key of 64 hex digits", ErrNoKey, name)
	}
	s, err := FromHex(text)
	if err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", name, err)
	}
	return s, nil
}

// FromHex makes a signer of a private key of 64 hex digits, with or without 0x.
// The error does not repeat the text.
func FromHex(text string) (Signer, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimPrefix(text, "0x"), "0X"))
	if err != nil || len(raw) != 32 {
		return nil, errors.New("a private key is 64 hex digits: this is not")
	}
	key, err := crypto.ToECDSA(raw)
	if err != nil {
		return nil, errors.New("the 64 hex digits are not a valid secp256k1 private key")
	}
	return newLocal(key), nil
}

// CheckSeparate returns an error when one key is to do both jobs on a public chain.
func CheckSeparate(tx TxSigner, report ReportSigner, chainID uint64) error {
	if PublicChain(chainID) && tx.Address() == report.Address() {
		return fmt.Errorf("%w: address %s is configured both to send transactions and to sign reports; on chain %d use two keys, so that whoever gets at the funded one cannot sign answers", ErrPublicChain, tx.Address(), chainID)
	}
	return nil
}
