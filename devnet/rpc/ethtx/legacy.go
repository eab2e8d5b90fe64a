package ethtx

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	gethtypes "github.com/ethereum/go-ethereum/core/types"
	fbig "github.com/filecoin-project/go-state-types/big"
	fcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// The signature of a legacy transaction in a Filecoin message: a byte that tells
// which of the two forms, r and s of 32 bytes each, then v big-endian (27 or 28, or
// EIP-155's number in as many bytes as it needs).
const (
	legacyV       = 1 + 32 + 32 // where v begins
	maxLegacyVLen = 9           // 2*chain+36 of a 64-bit chain id
)

var errLegacyV = errors.New("legacy homestead transactions only support 27 or 28 for v")

func (c Codec) decodeLegacy(raw []byte) (*types.SignedMessage, error) {
	tx := new(gethtypes.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("failed to parse legacy transaction: %w", err)
	}
	v, r, s := tx.RawSignatureValues()
	_, protected, err := c.legacyV(v)
	if err != nil {
		return nil, fmt.Errorf("failed to parse legacy transaction: %w", err)
	}
	if tx.Nonce() > math.MaxInt64 || tx.Gas() > math.MaxInt64 {
		return nil, errors.New("failed to parse legacy transaction: nonce or gas limit does not fit 63 bits")
	}
	from, err := c.sender(tx)
	if err != nil {
		return nil, fmt.Errorf("failed to calculate sender: %w", err)
	}
	args := &ethtypes.EthLegacyHomesteadTxArgs{
		Nonce:    int(tx.Nonce()),
		GasPrice: fbig.NewFromGo(tx.GasPrice()),
		GasLimit: int(tx.Gas()),
		Value:    fbig.NewFromGo(tx.Value()),
		Input:    tx.Data(),
	}
	if to := tx.To(); to != nil {
		args.To = (*ethtypes.EthAddress)(to)
	}
	message, err := args.ToUnsignedFilecoinMessage(from)
	if err != nil {
		return nil, fmt.Errorf("failed to convert to unsigned msg: %w", err)
	}
	signature := make([]byte, legacyV, legacyV+maxLegacyVLen)
	signature[0] = ethtypes.EthLegacyHomesteadTxSignaturePrefix
	if protected {
		signature[0] = ethtypes.EthLegacy155TxSignaturePrefix
	}
	r.FillBytes(signature[1:33])
	s.FillBytes(signature[33:65])
	return &types.SignedMessage{
		Message:   *message,
		Signature: fcrypto.Signature{Type: fcrypto.SigTypeDelegated, Data: append(signature, v.Bytes()...)},
	}, nil
}

// legacyTx rebuilds the transaction of a message whose signature is not 65 bytes.
func (c Codec) legacyTx(smsg *types.SignedMessage) (*gethtypes.Transaction, error) {
	data := smsg.Signature.Data
	if len(data) <= legacyV || len(data) > legacyV+maxLegacyVLen {
		return nil, errors.New("unsupported signature length")
	}
	v := new(big.Int).SetBytes(data[legacyV:])
	_, protected, err := c.legacyV(v)
	if err != nil {
		return nil, fmt.Errorf("failed to initialise signature: %w", err)
	}
	switch prefix := data[0]; {
	case prefix == ethtypes.EthLegacyHomesteadTxSignaturePrefix && !protected:
	case prefix == ethtypes.EthLegacy155TxSignaturePrefix && protected:
	default:
		return nil, fmt.Errorf("unsupported legacy transaction; first byte of signature is %d", prefix)
	}
	if data[legacyV] == 0 {
		return nil, errors.New("failed to initialise signature: v begins with a zero byte")
	}
	// The parameters are read as those of a pre-155 transaction, which they share.
	shape := *smsg
	shape.Signature.Data = append([]byte{ethtypes.EthLegacyHomesteadTxSignaturePrefix}, data[1:legacyV]...)
	shape.Signature.Data = append(shape.Signature.Data, 27)
	parsed, err := ethtypes.EthTransactionFromSignedFilecoinMessage(&shape)
	if err != nil {
		return nil, err
	}
	args, ok := parsed.(*ethtypes.EthLegacyHomesteadTxArgs)
	if !ok {
		return nil, errors.New("unsupported legacy transaction")
	}
	if args.GasPrice.Int == nil || args.Value.Int == nil {
		return nil, errors.New("message lacks a fee or a value")
	}
	return gethtypes.NewTx(&gethtypes.LegacyTx{
		Nonce:    smsg.Message.Nonce,
		GasPrice: args.GasPrice.Int,
		Gas:      uint64(smsg.Message.GasLimit),
		To:       gethAddress(args.To),
		Value:    args.Value.Int,
		Data:     args.Input,
		V:        v,
		R:        args.R.Int,
		S:        args.S.Int,
	}), nil
}

// legacyV reads v: the recovery bit, and whether the transaction is bound to this
// chain by EIP-155. Another chain's v is an error.
func (c Codec) legacyV(v *big.Int) (recovery byte, protected bool, err error) {
	if v.IsUint64() {
		switch n := v.Uint64(); {
		case n == 27 || n == 28:
			return byte(n - 27), false, nil
		case n < 35:
			return 0, false, errLegacyV
		}
	}
	rest := new(big.Int).Sub(v, big.NewInt(35))
	chain, bit := new(big.Int).DivMod(rest, big.NewInt(2), new(big.Int))
	if !chain.IsUint64() || chain.Uint64() != c.chainID {
		return 0, false, fmt.Errorf("failed to validate EIP155 chain id: invalid chain id, expected %d, got %s", c.chainID, chain)
	}
	return byte(bit.Uint64()), true, nil
}
