package chain

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	ethtypes "github.com/ethereum/go-ethereum/core/types"
	"github.com/filecoin-project/go-address"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	lotuseth "github.com/filecoin-project/lotus/chain/types/ethtypes"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Lotus keeps the kind of an Ethereum transaction in its signature's form: 65 bytes
// r‖s‖v for type 2; 1‖r‖s‖v for a legacy one without chain id and 2‖r‖s‖v, where
// v is as long as the chain id makes it, for EIP-155.
const (
	dynamicFeeSignature = 65
	homesteadSignature  = 66
	homesteadMark       = 1
	eip155Mark          = 2
)

// MessageFromEthereum makes the Filecoin message of a signed Ethereum transaction
// (its bytes as in eth_sendRawTransaction): types 0 and 2. The chain id is that of
// the chain, not of the lotus build, which lotus's own conversion insists on.
func MessageFromEthereum(raw []byte, chainID uint64) (*types.SignedMessage, error) {
	if len(raw) == 0 {
		return nil, errors.New("empty data")
	}
	switch {
	case raw[0] == ethtypes.AccessListTxType:
		return nil, errors.New("EIP-2930 transaction is not supported")
	case raw[0] != ethtypes.DynamicFeeTxType && raw[0] < 0xc0:
		return nil, errors.New("unsupported transaction type")
	}
	var tx ethtypes.Transaction
	if err := tx.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("failed to parse transaction: %w", err)
	}
	if len(tx.AccessList()) > 0 {
		return nil, errors.New("access list should be an empty list")
	}
	if tx.Type() != ethtypes.LegacyTxType || tx.Protected() {
		if tx.ChainId().Cmp(new(big.Int).SetUint64(chainID)) != 0 {
			return nil, fmt.Errorf("invalid chain id, expected %d, got %s", chainID, tx.ChainId())
		}
	}
	from, err := senderOf(&tx, chainID)
	if err != nil {
		return nil, err
	}
	message, err := unsignedFromEthereum(&tx, from)
	if err != nil {
		return nil, err
	}
	return &types.SignedMessage{
		Message:   *message,
		Signature: crypto.Signature{Type: crypto.SigTypeDelegated, Data: delegatedSignature(&tx)},
	}, nil
}

func senderOf(tx *ethtypes.Transaction, chainID uint64) (address.Address, error) {
	signer := ethtypes.NewLondonSigner(new(big.Int).SetUint64(chainID))
	sender, err := ethtypes.Sender(signer, tx)
	if err != nil {
		return address.Undef, fmt.Errorf("failed to recover the sender: %w", err)
	}
	return address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, sender[:])
}

func unsignedFromEthereum(tx *ethtypes.Transaction, from address.Address) (*types.Message, error) {
	message := &types.Message{
		To:         builtin.EthereumAddressManagerActorAddr,
		From:       from,
		Nonce:      tx.Nonce(),
		Value:      stbig.NewFromGo(tx.Value()),
		GasLimit:   int64(tx.Gas()),
		GasFeeCap:  stbig.NewFromGo(tx.GasFeeCap()),
		GasPremium: stbig.NewFromGo(tx.GasTipCap()),
		Method:     builtin.MethodsEAM.CreateExternal,
	}
	if tx.Gas() > 1<<62 {
		return nil, fmt.Errorf("gas limit %d is more than a block can hold", tx.Gas())
	}
	if to := tx.To(); to != nil {
		recipient, err := lotuseth.EthAddress(*to).ToFilecoinAddress()
		if err != nil {
			return nil, fmt.Errorf("failed to convert recipient %s: %w", to, err)
		}
		message.To, message.Method = recipient, builtin.MethodsEVM.InvokeContract
	}
	if data := tx.Data(); len(data) > 0 {
		var params bytes.Buffer
		if err := cbg.WriteByteArray(&params, data); err != nil {
			return nil, fmt.Errorf("failed to encode input: %w", err)
		}
		message.Params = params.Bytes()
	}
	return message, nil
}

func delegatedSignature(tx *ethtypes.Transaction) []byte {
	v, r, s := tx.RawSignatureValues()
	var out []byte
	switch {
	case tx.Type() == ethtypes.DynamicFeeTxType:
	case tx.Protected():
		out = append(out, eip155Mark)
	default:
		out = append(out, homesteadMark)
	}
	out = append(out, r.FillBytes(make([]byte, 32))...)
	out = append(out, s.FillBytes(make([]byte, 32))...)
	if v.Sign() == 0 {
		return append(out, 0)
	}
	return append(out, v.Bytes()...)
}

// EthereumTransaction gives back the transaction of a delegated message.
func EthereumTransaction(msg *types.SignedMessage, chainID uint64) (*ethtypes.Transaction, error) {
	if msg.Signature.Type != crypto.SigTypeDelegated {
		return nil, fmt.Errorf("signature is not delegated type, is type: %d", msg.Signature.Type)
	}
	if _, err := lotuseth.EthAddressFromFilecoinAddress(msg.Message.From); err != nil {
		return nil, errors.New("sender was not an eth account")
	}
	to, input, err := ethereumCall(&msg.Message)
	if err != nil {
		return nil, fmt.Errorf("failed to parse input params and recipient: %w", err)
	}
	sig := msg.Signature.Data
	if len(sig) == dynamicFeeSignature {
		return ethtypes.NewTx(&ethtypes.DynamicFeeTx{
			ChainID: new(big.Int).SetUint64(chainID), Nonce: msg.Message.Nonce,
			GasTipCap: msg.Message.GasPremium.Int, GasFeeCap: msg.Message.GasFeeCap.Int,
			Gas: uint64(msg.Message.GasLimit), To: to, Value: msg.Message.Value.Int, Data: input,
			R: bigOf(sig[:32]), S: bigOf(sig[32:64]), V: bigOf(sig[64:]),
		}), nil
	}
	if len(sig) < homesteadSignature || sig[0] != homesteadMark && sig[0] != eip155Mark ||
		sig[0] == homesteadMark && len(sig) != homesteadSignature {
		return nil, errors.New("unsupported signature length")
	}
	tx := ethtypes.NewTx(&ethtypes.LegacyTx{
		Nonce: msg.Message.Nonce, GasPrice: msg.Message.GasFeeCap.Int, Gas: uint64(msg.Message.GasLimit),
		To: to, Value: msg.Message.Value.Int, Data: input,
		R: bigOf(sig[1:33]), S: bigOf(sig[33:65]), V: bigOf(sig[65:]),
	})
	if protected := sig[0] == eip155Mark; tx.Protected() != protected {
		return nil, fmt.Errorf("unsupported legacy transaction; first byte of signature is %d", sig[0])
	}
	return tx, nil
}

func bigOf(b []byte) *big.Int { return new(big.Int).SetBytes(b) }

func ethereumCall(msg *types.Message) (to *common.Address, input []byte, err error) {
	if len(msg.Params) > 0 {
		reader := bytes.NewReader(msg.Params)
		if input, err = cbg.ReadByteArray(reader, uint64(len(msg.Params))); err != nil {
			return nil, nil, fmt.Errorf("failed to read params byte array: %w", err)
		}
		if reader.Len() != 0 {
			return nil, nil, errors.New("extra data found in params")
		}
		if len(input) == 0 {
			return nil, nil, errors.New("non-empty params encode empty byte array")
		}
	}
	switch {
	case msg.To == builtin.EthereumAddressManagerActorAddr:
		if msg.Method != builtin.MethodsEAM.CreateExternal {
			return nil, nil, errors.New("unsupported EAM method")
		}
		return nil, input, nil
	case msg.Method == builtin.MethodsEVM.InvokeContract:
		recipient, err := lotuseth.EthAddressFromFilecoinAddress(msg.To)
		if err != nil {
			return nil, nil, fmt.Errorf("recipient: %w", err)
		}
		return (*common.Address)(recipient[:]), input, nil
	}
	return nil, nil, fmt.Errorf("invalid methodnum %d: only allowed method is InvokeContract(%d) or CreateExternal(%d)",
		msg.Method, builtin.MethodsEVM.InvokeContract, builtin.MethodsEAM.CreateExternal)
}

// verifyDelegated checks that the sender signed, and that nothing of the message
// is outside of what the transaction says.
func verifyDelegated(msg *types.SignedMessage, chainID uint64) error {
	tx, err := EthereumTransaction(msg, chainID)
	if err != nil {
		return fmt.Errorf("failed to reconstruct Ethereum transaction: %w", err)
	}
	again, err := unsignedFromEthereum(tx, msg.Message.From)
	if err != nil {
		return fmt.Errorf("failed to reconstruct Filecoin message: %w", err)
	}
	if !msg.Message.Equals(again) {
		return errors.New("Ethereum transaction roundtrip mismatch")
	}
	sender, err := senderOf(tx, chainID)
	if err != nil {
		return err
	}
	if sender != msg.Message.From {
		return fmt.Errorf("invalid signature for message %s (type %d): signature did not match maybeaddr: %s, signer: %s",
			msg.Cid(), msg.Signature.Type, sender, msg.Message.From)
	}
	return nil
}

// EthereumHash is the hash by which eth_* knows a message: the transaction's for
// delegated ones, the CID's digest for others.
func EthereumHash(msg types.ChainMsg, chainID uint64) (common.Hash, error) {
	if signed, ok := msg.(*types.SignedMessage); ok && signed.Signature.Type == crypto.SigTypeDelegated {
		tx, err := EthereumTransaction(signed, chainID)
		if err != nil {
			return common.Hash{}, fmt.Errorf("message %s: %w", msg.Cid(), err)
		}
		return tx.Hash(), nil
	}
	hash, err := lotuseth.EthHashFromCid(msg.Cid())
	if err != nil {
		return common.Hash{}, fmt.Errorf("message %s: %w", msg.Cid(), err)
	}
	return common.Hash(hash), nil
}
