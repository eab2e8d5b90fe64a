package sig

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// ErrEthTransaction is wrapped when bytes are no Ethereum transaction that Filecoin accepts, or a message cannot be one.
var ErrEthTransaction = errors.New("not an Ethereum transaction that Filecoin accepts")

// ethKind is a form of transaction that Filecoin accepts. Lotus's ethtypes knows the same three but only for the one chain ID that it
// was compiled for, hence this file.
type ethKind byte

const (
	ethFeeMarket ethKind = iota // EIP-1559
	ethHomestead                // legacy, no chain ID
	ethProtected                // legacy with EIP-155's chain ID
)

// First byte of a legacy transaction's signature in a signed message (lotus: chain/types/ethtypes/eth_transactions.go).
const (
	homesteadPrefix = ethtypes.EthLegacyHomesteadTxSignaturePrefix
	protectedPrefix = ethtypes.EthLegacy155TxSignaturePrefix
)

// ethTx is a transaction with its signature: r and s have 32 bytes, parity is 0 or 1.
type ethTx struct {
	kind            ethKind
	nonce           uint64
	feeCap, premium big.Int
	gasLimit        int64
	to              *ethtypes.EthAddress
	value           big.Int
	input           []byte
	r, s            [32]byte
	parity          byte
}

// ParseEthTransaction reads the raw bytes of a signed transaction, as eth_sendRawTransaction takes them: EIP-1559, or legacy with or
// without chain ID. The sender is recovered from the signature. The error wraps [ErrEthTransaction]; access lists, blobs and
// authorisations (types 1, 3 and 4) are refused as by Lotus.
func ParseEthTransaction(raw []byte, chainID uint64) (*types.SignedMessage, error) {
	tx, err := parseEth(raw, chainID)
	if err != nil {
		return nil, err
	}
	again, err := tx.signed(chainID)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(again, raw) {
		return nil, fmt.Errorf("%w: its RLP has leading zeros or longer lengths than needed", ErrEthTransaction)
	}
	data, err := tx.unsigned(chainID)
	if err != nil {
		return nil, err
	}
	key, err := RecoverSecp(keccak256(data), tx.recoverable())
	if err != nil {
		return nil, err
	}
	from, err := ethAddress(key)
	if err != nil {
		return nil, fmt.Errorf("sender's address: %w", err)
	}
	m, err := tx.message(from)
	if err != nil {
		return nil, err
	}
	return &types.SignedMessage{Message: *m, Signature: tx.signature(chainID)}, nil
}

// EthTransaction is how a message with a delegated signature looks through the Ethereum API. Block hash, number and index are for the
// caller to set. The error wraps [ErrEthTransaction].
func EthTransaction(m *types.SignedMessage, chainID uint64) (ethtypes.EthTx, error) {
	tx, err := ethFromSigned(m, chainID)
	if err != nil {
		return ethtypes.EthTx{}, err
	}
	from, err := ethtypes.EthAddressFromFilecoinAddress(m.Message.From)
	if err != nil {
		return ethtypes.EthTx{}, fmt.Errorf("%w: sender %s: %w", ErrEthTransaction, m.Message.From, err)
	}
	raw, err := tx.signed(chainID)
	if err != nil {
		return ethtypes.EthTx{}, err
	}
	out := ethtypes.EthTx{
		ChainID: ethtypes.EthUint64(chainID), Nonce: ethtypes.EthUint64(tx.nonce), Hash: ethtypes.EthHashFromTxBytes(raw),
		To: tx.to, Value: ethtypes.EthBigInt(tx.value), Input: tx.input, Gas: ethtypes.EthUint64(tx.gasLimit), From: from,
		R: ethtypes.EthBigInt(unsignedInt(tx.r[:])), S: ethtypes.EthBigInt(unsignedInt(tx.s[:])), V: ethtypes.EthBigInt(tx.v(chainID)),
	}
	feeCap, premium := ethtypes.EthBigInt(tx.feeCap), ethtypes.EthBigInt(tx.premium)
	if tx.kind == ethHomestead {
		out.ChainID = 0 // it is for any chain, and Lotus shows it so
	}
	if tx.kind == ethFeeMarket {
		out.Type, out.MaxFeePerGas, out.MaxPriorityFeePerGas = ethtypes.EIP1559TxType, &feeCap, &premium
	} else {
		out.Type, out.GasPrice = ethtypes.EthLegacyTxType, &feeCap
	}
	return out, nil
}

// EthRaw is the raw transaction that became the message, the inverse of [ParseEthTransaction]. Its keccak-256 is the transaction's hash.
func EthRaw(m *types.SignedMessage, chainID uint64) ([]byte, error) {
	tx, err := ethFromSigned(m, chainID)
	if err != nil {
		return nil, err
	}
	return tx.signed(chainID)
}

// ethFromMessage makes a transaction without signature from a message.
func ethFromMessage(m *types.Message, kind ethKind) (*ethTx, error) {
	args, err := ethtypes.Eth1559TxArgsFromUnsignedFilecoinMessage(m)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEthTransaction, err)
	}
	for _, n := range []big.Int{m.Value, m.GasFeeCap, m.GasPremium} {
		if n.Int == nil || n.Sign() < 0 {
			return nil, fmt.Errorf("%w: value, fee cap or premium is missing or negative", ErrEthTransaction)
		}
	}
	if m.GasLimit < 0 {
		return nil, fmt.Errorf("%w: negative gas limit", ErrEthTransaction)
	}
	return &ethTx{
		kind: kind, nonce: m.Nonce, feeCap: m.GasFeeCap, premium: m.GasPremium, gasLimit: m.GasLimit,
		to: args.To, value: m.Value, input: args.Input,
	}, nil
}

// ethFromSigned makes a transaction from a message whose delegated signature tells the form by its length and first byte.
func ethFromSigned(m *types.SignedMessage, chainID uint64) (*ethTx, error) {
	data := m.Signature.Data
	if m.Signature.Type != crypto.SigTypeDelegated {
		return nil, fmt.Errorf("%w: the signature is of kind %d, not delegated", ErrEthTransaction, m.Signature.Type)
	}
	kind := ethFeeMarket
	if len(data) != ethtypes.EthEIP1559TxSignatureLen {
		if len(data) < ethtypes.EthLegacyHomesteadTxSignatureLen {
			return nil, fmt.Errorf("%w: a delegated signature of %d bytes", ErrEthTransaction, len(data))
		}
		switch data[0] {
		case homesteadPrefix:
			kind = ethHomestead
		case protectedPrefix:
			kind = ethProtected
		default:
			return nil, fmt.Errorf("%w: first byte of the signature is %d", ErrEthTransaction, data[0])
		}
		data = data[1:]
	}
	tx, err := ethFromMessage(&m.Message, kind)
	if err != nil {
		return nil, err
	}
	if kind != ethFeeMarket {
		tx.premium = tx.feeCap // a legacy transaction has one gas price
	}
	copy(tx.r[:], data[:32])
	copy(tx.s[:], data[32:64])
	return tx, tx.setV(unsignedInt(data[64:]), chainID)
}

// message is the message that the transaction stands for.
func (t *ethTx) message(from address.Address) (*types.Message, error) {
	args := ethtypes.Eth1559TxArgs{
		ChainID: buildconstants.Eip155ChainId, // checked by the callee against itself, it is not part of the message
		Nonce:   int(t.nonce), To: t.to, Value: t.value, MaxFeePerGas: t.feeCap, MaxPriorityFeePerGas: t.premium,
		GasLimit: int(t.gasLimit), Input: t.input,
	}
	m, err := args.ToUnsignedFilecoinMessage(from)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEthTransaction, err)
	}
	return m, nil
}

// v is the signature's V as the transaction has it: 0 or 1, 27 or 28, or 35 or 36 more than twice the chain ID.
func (t *ethTx) v(chainID uint64) big.Int {
	switch t.kind {
	case ethHomestead:
		return big.NewInt(27 + int64(t.parity))
	case ethProtected:
		return big.Add(big.Mul(big.NewIntUnsigned(chainID), big.NewInt(2)), big.NewInt(35+int64(t.parity)))
	default:
		return big.NewInt(int64(t.parity))
	}
}

func (t *ethTx) setV(v big.Int, chainID uint64) error {
	for t.parity = 0; t.parity < 2; t.parity++ {
		if t.v(chainID).Equals(v) {
			return nil
		}
	}
	return fmt.Errorf("%w: V of the signature is %s, which is not of chain %d", ErrEthTransaction, v, chainID)
}

// signature is the delegated signature of the message.
func (t *ethTx) signature(chainID uint64) crypto.Signature {
	var data []byte
	switch t.kind {
	case ethHomestead:
		data = append(data, homesteadPrefix)
	case ethProtected:
		data = append(data, protectedPrefix)
	}
	data = append(append(data, t.r[:]...), t.s[:]...)
	if t.kind == ethFeeMarket {
		data = append(data, t.parity)
	} else {
		data = append(data, t.v(chainID).Int.Bytes()...)
	}
	return crypto.Signature{Type: crypto.SigTypeDelegated, Data: data}
}

// recoverable is R, S and parity.
func (t *ethTx) recoverable() []byte {
	out := append(make([]byte, 0, SecpSignatureSize), t.r[:]...)
	return append(append(out, t.s[:]...), t.parity)
}

// unsigned is what the sender signs.
func (t *ethTx) unsigned(chainID uint64) ([]byte, error) {
	fields := t.fields(chainID)
	if t.kind == ethProtected {
		fields = append(fields, number(big.NewIntUnsigned(chainID)), []byte{}, []byte{})
	}
	return t.encode(fields)
}

// signed is the raw transaction.
func (t *ethTx) signed(chainID uint64) ([]byte, error) {
	fields := append(t.fields(chainID), number(t.v(chainID)), number(unsignedInt(t.r[:])), number(unsignedInt(t.s[:])))
	return t.encode(fields)
}

func (t *ethTx) fields(chainID uint64) []any {
	to := []byte{}
	if t.to != nil {
		to = t.to[:]
	}
	nonce, gas := number(big.NewIntUnsigned(t.nonce)), number(big.NewInt(t.gasLimit))
	if t.kind != ethFeeMarket {
		return []any{nonce, number(t.feeCap), gas, to, number(t.value), t.input}
	}
	return []any{number(big.NewIntUnsigned(chainID)), nonce, number(t.premium), number(t.feeCap), gas, to, number(t.value), t.input, []any{}}
}

func (t *ethTx) encode(fields []any) ([]byte, error) {
	out, err := ethtypes.EncodeRLP(fields)
	if err != nil {
		return nil, fmt.Errorf("%w: encode: %w", ErrEthTransaction, err)
	}
	if t.kind == ethFeeMarket {
		out = append([]byte{ethtypes.EIP1559TxType}, out...)
	}
	return out, nil
}

func parseEth(raw []byte, chainID uint64) (*ethTx, error) {
	if len(raw) == 0 {
		return nil, fmt.Errorf("%w: no bytes", ErrEthTransaction)
	}
	if raw[0] <= 0x7f && raw[0] != ethtypes.EIP1559TxType {
		return nil, fmt.Errorf("%w: type %d; types 0 (legacy) and 2 (EIP-1559) are", ErrEthTransaction, raw[0])
	}
	tx, body, size := &ethTx{}, raw, 9
	if raw[0] == ethtypes.EIP1559TxType {
		body, size = raw[1:], 12
	}
	f, err := rlpFields(body, size)
	if err != nil {
		return nil, err
	}
	if size == 12 {
		id, err := f.uint(0)
		if err != nil {
			return nil, err
		}
		if id != chainID {
			return nil, fmt.Errorf("%w: it is for chain %d, this is chain %d", ErrEthTransaction, id, chainID)
		}
		if list, ok := f[8].([]any); !ok || len(list) != 0 {
			return nil, fmt.Errorf("%w: access lists are not supported", ErrEthTransaction)
		}
		return tx, tx.read(f, [10]int{1, 3, 2, 4, 5, 6, 7, 9, 10, 11}, chainID)
	}
	tx.kind = ethProtected
	if v, err := f.uint(6); err == nil && (v == 27 || v == 28) {
		tx.kind = ethHomestead
	}
	return tx, tx.read(f, [10]int{0, 1, 1, 2, 3, 4, 5, 6, 7, 8}, chainID)
}

// read takes nonce, fee cap, premium, gas limit, to, value, input, V, R and S from the fields at the given places.
func (t *ethTx) read(f rlpList, at [10]int, chainID uint64) error {
	var b [10][]byte
	for i, p := range at {
		v, ok := f[p].([]byte)
		if !ok {
			return fmt.Errorf("%w: field %d is a list", ErrEthTransaction, p)
		}
		b[i] = v
	}
	var err error
	if t.nonce, err = f.uint(at[0]); err != nil {
		return err
	}
	gas, err := f.uint(at[3])
	if err != nil {
		return err
	}
	if gas > math.MaxInt64 || t.nonce > math.MaxInt64 {
		return fmt.Errorf("%w: nonce or gas limit beyond 2^63-1", ErrEthTransaction)
	}
	t.gasLimit = int64(gas)
	if len(b[4]) != 0 {
		to, err := ethtypes.CastEthAddress(b[4])
		if err != nil {
			return fmt.Errorf("%w: %w", ErrEthTransaction, err)
		}
		t.to = &to
	}
	if len(b[1]) > 32 || len(b[2]) > 32 || len(b[5]) > 32 || len(b[7]) > 32 || len(b[8]) > 32 || len(b[9]) > 32 {
		return fmt.Errorf("%w: a number of more than 32 bytes", ErrEthTransaction)
	}
	t.feeCap, t.premium, t.value = unsignedInt(b[1]), unsignedInt(b[2]), unsignedInt(b[5])
	t.input = b[6]
	copy(t.r[32-len(b[8]):], b[8])
	copy(t.s[32-len(b[9]):], b[9])
	return t.setV(unsignedInt(b[7]), chainID)
}

type rlpList []any

func rlpFields(body []byte, n int) (rlpList, error) {
	d, err := ethtypes.DecodeRLP(body)
	if err != nil {
		return nil, fmt.Errorf("%w: decode: %w", ErrEthTransaction, err)
	}
	list, ok := d.([]any)
	if !ok || len(list) != n {
		return nil, fmt.Errorf("%w: it is not a list of %d fields", ErrEthTransaction, n)
	}
	return list, nil
}

func (f rlpList) uint(i int) (uint64, error) {
	b, ok := f[i].([]byte)
	if !ok || len(b) > 8 {
		return 0, fmt.Errorf("%w: field %d is not a number of at most 8 bytes", ErrEthTransaction, i)
	}
	var n uint64
	for _, c := range b {
		n = n<<8 | uint64(c)
	}
	return n, nil
}

func unsignedInt(b []byte) big.Int { return big.PositiveFromUnsignedBytes(b) }

// number is a non-negative number without leading zeros.
func number(n big.Int) []byte { return n.Int.Bytes() }
