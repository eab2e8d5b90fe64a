// Package ethtx converts between signed Ethereum transactions and the Filecoin
// messages that carry them, for any chain id.
//
// Lotus does the same in chain/types/ethtypes, but with the chain id that its
// build was made for. A devnet in a test binary cannot choose Lotus's build tags,
// so this package takes the chain id as a value and uses ethtypes for everything
// that does not depend on it: the mapping to EAM CreateExternal and EVM
// InvokeContract, and the JSON types.
//
// It is not a mempool: it checks what the bytes say, not nonces or balances.
//
// Files: ethtx.go (Codec: decode, sender, hash, JSON form), legacy.go (the two
// legacy forms and their signatures).
//
// Invariants: Decode(raw) and Tx(message) are inverse, so that Hash of a decoded
// message is keccak256 of the raw bytes when these are canonical; Verify accepts
// exactly the messages that Decode could have made.
package ethtx

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	gethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	fcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// Codec converts for one chain id.
type Codec struct{ chainID uint64 }

// New is the codec of a chain.
func New(chainID uint64) Codec { return Codec{chainID} }

// Decode reads a raw transaction as eth_sendRawTransaction gets it: EIP-1559,
// EIP-155 or pre-155 legacy. Other types are errors with Lotus's words. The
// message's sender is recovered from the signature.
func (c Codec) Decode(raw []byte) (*types.SignedMessage, error) {
	if len(raw) > 0 && raw[0] > 0x7f {
		return c.decodeLegacy(raw)
	}
	parsed, err := ethtypes.ParseEthTransaction(raw)
	if err != nil {
		return nil, err
	}
	tx, ok := parsed.(*ethtypes.Eth1559TxArgs)
	if !ok {
		return nil, errors.New("unsupported transaction type")
	}
	from, err := tx.Sender()
	if err != nil {
		return nil, fmt.Errorf("failed to calculate sender: %w", err)
	}
	if tx.ChainID < 0 || uint64(tx.ChainID) != c.chainID {
		return nil, fmt.Errorf("failed to convert to unsigned msg: invalid chain id: %d", tx.ChainID)
	}
	theirs := *tx
	theirs.ChainID = buildconstants.Eip155ChainId // ethtypes maps only its own
	message, err := theirs.ToUnsignedFilecoinMessage(from)
	if err != nil {
		return nil, fmt.Errorf("failed to convert to unsigned msg: %w", err)
	}
	signature, err := tx.Signature()
	if err != nil {
		return nil, fmt.Errorf("failed to calculate signature: %w", err)
	}
	return &types.SignedMessage{Message: *message, Signature: *signature}, nil
}

// Tx is the transaction that a message with a delegated signature carries.
func (c Codec) Tx(smsg *types.SignedMessage) (*gethtypes.Transaction, error) {
	if smsg == nil {
		return nil, errors.New("signed message is nil")
	}
	if smsg.Signature.Type != fcrypto.SigTypeDelegated {
		return nil, fmt.Errorf("signature is not delegated type, is type: %d", smsg.Signature.Type)
	}
	if len(smsg.Signature.Data) != ethtypes.EthEIP1559TxSignatureLen {
		return c.legacyTx(smsg)
	}
	parsed, err := ethtypes.EthTransactionFromSignedFilecoinMessage(smsg)
	if err != nil {
		return nil, err
	}
	args, ok := parsed.(*ethtypes.Eth1559TxArgs)
	if !ok {
		return nil, errors.New("unsupported transaction type")
	}
	if args.MaxFeePerGas.Int == nil || args.MaxPriorityFeePerGas.Int == nil || args.Value.Int == nil {
		return nil, errors.New("message lacks a fee or a value")
	}
	return gethtypes.NewTx(&gethtypes.DynamicFeeTx{
		ChainID:   new(big.Int).SetUint64(c.chainID),
		Nonce:     smsg.Message.Nonce,
		GasTipCap: args.MaxPriorityFeePerGas.Int,
		GasFeeCap: args.MaxFeePerGas.Int,
		Gas:       uint64(smsg.Message.GasLimit),
		To:        gethAddress(args.To),
		Value:     args.Value.Int,
		Data:      args.Input,
		V:         args.V.Int,
		R:         args.R.Int,
		S:         args.S.Int,
	}), nil
}

// Hash is the transaction hash of a message with a delegated signature.
func (c Codec) Hash(smsg *types.SignedMessage) (ethtypes.EthHash, error) {
	tx, err := c.Tx(smsg)
	if err != nil {
		return ethtypes.EthHash{}, fmt.Errorf("failed to convert from signed message: %w", err)
	}
	return ethtypes.EthHash(tx.Hash()), nil
}

// Sender recovers who signed, from the signature and not from the message's From.
func (c Codec) Sender(smsg *types.SignedMessage) (address.Address, error) {
	tx, err := c.Tx(smsg)
	if err != nil {
		return address.Undef, err
	}
	return c.sender(tx)
}

// Verify checks that the message is what its signer's transaction maps to, and that
// signer (its f410 address) signed it.
func (c Codec) Verify(smsg *types.SignedMessage, signer address.Address) error {
	tx, err := c.Tx(smsg)
	if err != nil {
		return fmt.Errorf("failed to reconstruct Ethereum transaction: %w", err)
	}
	raw, err := tx.MarshalBinary()
	if err != nil {
		return fmt.Errorf("failed to encode RLP message: %w", err)
	}
	again, err := c.Decode(raw)
	if err != nil {
		return fmt.Errorf("failed to reconstruct Filecoin message: %w", err)
	}
	if again.Message.From != signer {
		return fmt.Errorf("invalid signature for message %s (type %d): signed by %s, not by %s", smsg.Cid(), smsg.Signature.Type, again.Message.From, signer)
	}
	again.Message.From = smsg.Message.From // an ID address may stand for the signer
	if !smsg.Message.Equals(&again.Message) {
		//lint:ignore ST1005 Lotus's words
		return errors.New("Ethereum transaction roundtrip mismatch")
	}
	return nil
}

// EthTx is the transaction's JSON form, without its place in a block.
func (c Codec) EthTx(smsg *types.SignedMessage) (ethtypes.EthTx, error) {
	tx, err := c.Tx(smsg)
	if err != nil {
		return ethtypes.EthTx{}, fmt.Errorf("failed to convert from signed message: %w", err)
	}
	from, err := ethtypes.EthAddressFromFilecoinAddress(smsg.Message.From)
	if err != nil {
		return ethtypes.EthTx{}, errors.New("failed to convert from signed message: sender was not an eth account")
	}
	v, r, s := tx.RawSignatureValues()
	out := ethtypes.EthTx{
		Hash:  ethtypes.EthHash(tx.Hash()),
		Nonce: ethtypes.EthUint64(tx.Nonce()),
		From:  from,
		Value: bigInt(tx.Value()),
		Type:  ethtypes.EthUint64(tx.Type()),
		Input: tx.Data(),
		Gas:   ethtypes.EthUint64(tx.Gas()),
		V:     bigInt(v), R: bigInt(r), S: bigInt(s),
	}
	if to := tx.To(); to != nil {
		out.To = (*ethtypes.EthAddress)(to)
	}
	if tx.Type() == gethtypes.DynamicFeeTxType {
		feeCap, tipCap := bigInt(tx.GasFeeCap()), bigInt(tx.GasTipCap())
		out.MaxFeePerGas, out.MaxPriorityFeePerGas = &feeCap, &tipCap
		out.ChainID = ethtypes.EthUint64(c.chainID)
		return out, nil
	}
	price := bigInt(tx.GasPrice())
	out.GasPrice = &price
	if tx.Protected() {
		out.ChainID = ethtypes.EthUint64(c.chainID)
	}
	return out, nil
}

// sender recovers the signer's f410 address. Unlike go-ethereum's signers it takes
// both halves of the curve's order for s, as Filecoin does.
func (c Codec) sender(tx *gethtypes.Transaction) (address.Address, error) {
	hash, recovery, err := c.signed(tx)
	if err != nil {
		return address.Undef, err
	}
	_, r, s := tx.RawSignatureValues()
	if r.BitLen() > 256 || s.BitLen() > 256 {
		return address.Undef, errors.New("failed to get signature: r or s is longer than 32 bytes")
	}
	signature := make([]byte, 65)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:64])
	signature[64] = recovery
	public, err := crypto.Ecrecover(hash[:], signature)
	if err != nil {
		return address.Undef, fmt.Errorf("failed to recover pubkey: %w", err)
	}
	var from ethtypes.EthAddress
	copy(from[:], crypto.Keccak256(public[1:])[12:])
	return from.ToFilecoinAddress()
}

// signed is what was signed, and the recovery bit of the signature.
func (c Codec) signed(tx *gethtypes.Transaction) (common.Hash, byte, error) {
	id := new(big.Int).SetUint64(c.chainID)
	v, _, _ := tx.RawSignatureValues()
	if tx.Type() == gethtypes.DynamicFeeTxType {
		if v.BitLen() > 1 {
			return common.Hash{}, 0, errors.New("EIP-1559 transactions only support 0 or 1 for v")
		}
		return gethtypes.NewLondonSigner(id).Hash(tx), byte(v.Uint64()), nil
	}
	recovery, protected, err := c.legacyV(v)
	if err != nil {
		return common.Hash{}, 0, err
	}
	if protected {
		return gethtypes.NewEIP155Signer(id).Hash(tx), recovery, nil
	}
	return gethtypes.HomesteadSigner{}.Hash(tx), recovery, nil
}

func gethAddress(to *ethtypes.EthAddress) *common.Address { return (*common.Address)(to) }

func bigInt(v *big.Int) ethtypes.EthBigInt { return ethtypes.EthBigInt{Int: v} }
