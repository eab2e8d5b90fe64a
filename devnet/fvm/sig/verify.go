package sig

import (
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"golang.org/x/crypto/blake2b"
)

// Verify checks that the signature is the signer's over data. The signer is a key address: f1 for secp256k1, f3 for BLS, f4 of the
// Ethereum address manager for a delegated signature; an ID address must be resolved before. The data of a delegated signature is the
// transaction's RLP, see [SigningBytes]. The error wraps [ErrInvalidSignature] for every answer of "no".
func Verify(s crypto.Signature, signer address.Address, data []byte) error {
	return VerifyKind(s.Type, s.Data, signer, data)
}

// VerifyKind is [Verify] with the kind and the bytes of the signature apart.
func VerifyKind(kind crypto.SigType, signature []byte, signer address.Address, data []byte) error {
	switch kind {
	case crypto.SigTypeSecp256k1:
		if signer.Protocol() != address.SECP256K1 {
			return wrongSigner("secp256k1", "f1", signer)
		}
		hash := blake2b.Sum256(data)
		return verifyRecovered(hash[:], signature, signer, address.NewSecp256k1Address)
	case crypto.SigTypeBLS:
		if signer.Protocol() != address.BLS {
			return wrongSigner("BLS", "f3", signer)
		}
		return VerifyBLS(signature, signer.Payload(), data)
	case crypto.SigTypeDelegated:
		if signer.Protocol() != address.Delegated {
			return wrongSigner("delegated", "f410", signer)
		}
		return verifyRecovered(keccak256(data), signature, signer, ethAddress)
	default:
		return fmt.Errorf("%w: unknown kind %d; known are 1 (secp256k1), 2 (BLS) and 3 (delegated)", ErrInvalidSignature, kind)
	}
}

func wrongSigner(kind, protocol string, signer address.Address) error {
	return fmt.Errorf("%w: a %s signature is of an %s address, not of %s", ErrInvalidSignature, kind, protocol, signer)
}

func verifyRecovered(hash, signature []byte, signer address.Address, toAddress func([]byte) (address.Address, error)) error {
	key, err := RecoverSecp(hash, signature)
	if err != nil {
		return err
	}
	got, err := toAddress(key)
	if err != nil {
		return fmt.Errorf("address of a recovered public key: %w", err)
	}
	if got != signer {
		return fmt.Errorf("%w: it is of %s over this data, not of %s", ErrInvalidSignature, got, signer)
	}
	return nil
}

// ethAddress is the f410 address of an uncompressed public key.
func ethAddress(publicKey []byte) (address.Address, error) {
	return address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, keccak256(publicKey[1:])[12:])
}

// SigningBytes is what a signer signs for a message: its CID for secp256k1 and BLS, the RLP of an EIP-1559 transaction on that chain for
// a delegated signature.
func SigningBytes(m *types.Message, kind crypto.SigType, chainID uint64) ([]byte, error) {
	if kind != crypto.SigTypeDelegated {
		return m.Cid().Bytes(), nil
	}
	tx, err := ethFromMessage(m, ethFeeMarket)
	if err != nil {
		return nil, err
	}
	return tx.unsigned(chainID)
}

// VerifyMessage checks a signed message against the key address of its sender, as Lotus does (chain/consensus/signatures.go): for a
// delegated signature the Ethereum transaction is built again from the message, whose fields must all survive that.
func VerifyMessage(m *types.SignedMessage, signer address.Address, chainID uint64) error {
	if m.Signature.Type != crypto.SigTypeDelegated {
		return Verify(m.Signature, signer, m.Message.Cid().Bytes())
	}
	tx, err := ethFromSigned(m, chainID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidSignature, err)
	}
	again, err := tx.message(m.Message.From)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidSignature, err)
	}
	if !m.Message.Equals(again) {
		return fmt.Errorf("%w: the message has fields that an Ethereum transaction cannot have", ErrInvalidSignature)
	}
	data, err := tx.unsigned(chainID)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidSignature, err)
	}
	return VerifyKind(crypto.SigTypeDelegated, tx.recoverable(), signer, data)
}
