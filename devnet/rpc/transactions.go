package rpc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
)

const codecCBOR = 0x51

// nobody stands for a recipient that has no actor: 0xff…00ffffffffffffffff.
var nobody = func() (a ethtypes.EthAddress) {
	a[0] = 0xff
	for i := 12; i < len(a); i++ {
		a[i] = 0xff
	}
	return a
}()

// place is where a transaction is.
type place struct {
	hash   ethtypes.EthHash
	height abi.ChainEpoch
	index  int
}

// placed is a message as a transaction in a block. Addresses are looked up in the
// state after at.
func (n *node) placed(ctx context.Context, msg types.ChainMsg, at *types.TipSet, p place) (ethtypes.EthTx, error) {
	tx, err := n.transaction(ctx, msg, at)
	if err != nil {
		return ethtypes.EthTx{}, err
	}
	hash, number, index := p.hash, ethtypes.EthUint64(p.height), ethtypes.EthUint64(p.index)
	tx.BlockHash, tx.BlockNumber, tx.TransactionIndex = &hash, &number, &index
	return tx, nil
}

// transaction is a message as a transaction, without its place.
func (n *node) transaction(ctx context.Context, msg types.ChainMsg, at *types.TipSet) (ethtypes.EthTx, error) {
	if signed, ok := msg.(*types.SignedMessage); ok && signed.Signature.Type == crypto.SigTypeDelegated {
		return n.codec.EthTx(signed)
	}
	tx, err := n.nativeTx(ctx, msg.VMMessage(), at)
	if err != nil {
		return ethtypes.EthTx{}, err
	}
	if tx.Hash, err = ethtypes.EthHashFromCid(msg.Cid()); err != nil {
		return ethtypes.EthTx{}, fmt.Errorf("hash of message %s: %w", msg.Cid(), err)
	}
	return tx, nil
}

// nativeTx shows a message of an f1 or f3 sender as a transaction of type 2 that
// calls handle_filecoin_method, unless it calls or creates a contract.
func (n *node) nativeTx(ctx context.Context, msg *types.Message, at *types.TipSet) (ethtypes.EthTx, error) {
	from, err := n.ethAddress(ctx, msg.From, at)
	if err != nil {
		return ethtypes.EthTx{}, fmt.Errorf("failed to lookup sender address %s when converting a native message to an eth txn: %w", msg.From, err)
	}
	to, err := n.ethAddress(ctx, msg.To, at)
	if errors.Is(err, chain.ErrUnknownAddr) {
		to = nobody
	} else if err != nil {
		return ethtypes.EthTx{}, fmt.Errorf("failed to lookup receiver address %s when converting a native message to an eth txn: %w", msg.To, err)
	}
	var codec uint64
	if len(msg.Params) > 0 {
		codec = codecCBOR
	}
	feeCap, tip := ethtypes.EthBigInt(msg.GasFeeCap), ethtypes.EthBigInt(msg.GasPremium)
	tx := ethtypes.EthTx{
		To:                   &to,
		From:                 from,
		Input:                methodInput(uint64(msg.Method), codec, msg.Params),
		Nonce:                ethtypes.EthUint64(msg.Nonce),
		ChainID:              ethtypes.EthUint64(n.chain.ChainID()),
		Value:                ethtypes.EthBigInt(msg.Value),
		Type:                 ethtypes.EIP1559TxType,
		Gas:                  ethtypes.EthUint64(msg.GasLimit),
		MaxFeePerGas:         &feeCap,
		MaxPriorityFeePerGas: &tip,
		AccessList:           []ethtypes.EthHash{},
		V:                    ethtypes.EthBigIntZero, R: ethtypes.EthBigIntZero, S: ethtypes.EthBigIntZero,
	}
	call := msg.Method == builtin.MethodsEVM.InvokeContract
	create := msg.To == builtin.EthereumAddressManagerActorAddr && msg.Method == builtin.MethodsEAM.CreateExternal
	if call || create {
		input, err := contractInput(msg.Params)
		if err != nil {
			return tx, nil // the sender may send what it likes: it stays a native call
		}
		tx.Input = input
		if create {
			tx.To = nil
		}
	}
	return tx, nil
}

func contractInput(params []byte) (ethtypes.EthBytes, error) {
	if len(params) == 0 {
		return nil, nil
	}
	return cbg.ReadByteArray(bytes.NewReader(params), uint64(len(params)))
}

// methodInput is the call data of handle_filecoin_method(uint64,uint64,bytes).
func methodInput(method, codec uint64, params []byte) []byte {
	const word = 32
	out := make([]byte, 4+4*word+(len(params)+word-1)/word*word)
	copy(out, []byte{0x86, 0x8e, 0x10, 0xc4})
	for i, n := range []uint64{method, codec, 3 * word, uint64(len(params))} {
		binary.BigEndian.PutUint64(out[4+i*word+word-8:], n)
	}
	copy(out[4+4*word:], params)
	return out
}

// ethAddress is how Ethereum's side knows an address in the state after ts: the f410
// payload if the actor has one, else the masked id. Errors: chain.ErrUnknownAddr.
func (n *node) ethAddress(ctx context.Context, addr address.Address, ts *types.TipSet) (ethtypes.EthAddress, error) {
	if eth, err := ethtypes.EthAddressFromFilecoinAddress(addr); err == nil && !eth.IsMaskedID() {
		return eth, nil
	}
	id, err := n.chain.Resolve(ctx, addr, ts)
	if err != nil {
		return ethtypes.EthAddress{}, err
	}
	robust, _, err := n.emitter(ctx, id, ts)
	if err != nil {
		return ethtypes.EthAddress{}, err
	}
	return ethtypes.EthAddressFromFilecoinAddress(robust)
}

// emitter is an actor's f410 address if it has one, else its id address, and whether
// there is such an actor in the state after ts.
func (n *node) emitter(ctx context.Context, id abi.ActorID, ts *types.TipSet) (address.Address, bool, error) {
	return emitterOf(ctx, n.chain, id, ts)
}

func emitterOf(ctx context.Context, states States, id abi.ActorID, ts *types.TipSet) (address.Address, bool, error) {
	plain, err := address.NewIDAddress(uint64(id))
	if err != nil {
		return address.Undef, false, fmt.Errorf("actor id %d: %w", id, err)
	}
	actor, err := states.Actor(ctx, plain, ts)
	if errors.Is(err, chain.ErrUnknownAddr) {
		return plain, false, nil
	}
	if err != nil {
		return address.Undef, false, fmt.Errorf("actor %s: %w", plain, err)
	}
	if actor.DelegatedAddress == nil {
		return plain, true, nil
	}
	if eth, err := ethtypes.EthAddressFromFilecoinAddress(*actor.DelegatedAddress); err == nil && !eth.IsMaskedID() {
		return *actor.DelegatedAddress, true, nil
	}
	return plain, true, nil
}

// txHash is the Ethereum hash of a message.
func (n *node) txHash(msg types.ChainMsg) (ethtypes.EthHash, error) {
	hash, err := n.chain.HashOf(msg)
	return ethtypes.EthHash(hash), err
}
