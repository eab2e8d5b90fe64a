package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v10/evm"
	evm18 "github.com/filecoin-project/go-state-types/builtin/v18/evm"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/chain"
)

// actor is an actor at the state after ts, nil if there is none.
func (n *node) actor(ctx context.Context, addr address.Address, ts *types.TipSet) (*types.Actor, error) {
	actor, err := n.chain.Actor(ctx, addr, ts)
	if errors.Is(err, chain.ErrUnknownAddr) {
		return nil, nil
	}
	return actor, err
}

func (n *node) isEVM(actor *types.Actor) bool {
	return actor != nil && n.chain.Engine().Name(actor.Code) == "evm"
}

// ask calls a read method of a contract's actor as the system does.
func (n *node) ask(ctx context.Context, to address.Address, method abi.MethodNum, params []byte, ts *types.TipSet) (*api.InvocResult, error) {
	return n.implicit(ctx, ts, &types.Message{
		From: builtin.SystemActorAddr, To: to, Method: method, Params: params, Value: big.Zero(),
		GasLimit: buildconstants.BlockGasLimit, GasFeeCap: big.Zero(), GasPremium: big.Zero(),
	})
}

// EthGetCode is eth_getCode: empty for what is no contract.
func (n *node) EthGetCode(ctx context.Context, eth ethtypes.EthAddress, param ethtypes.EthBlockNumberOrHash) (ethtypes.EthBytes, error) {
	to, err := eth.ToFilecoinAddress()
	if err != nil {
		return nil, fmt.Errorf("cannot get Filecoin address: %w", err)
	}
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return nil, err
	}
	if ts.Height() == 0 {
		return nil, errors.New("block param must not specify genesis block")
	}
	actor, err := n.actor(ctx, to, ts)
	if err != nil {
		return nil, fmt.Errorf("failed to lookup contract %s: %w", eth, err)
	}
	if !n.isEVM(actor) {
		return nil, nil
	}
	result, err := n.ask(ctx, to, builtin.MethodsEVM.GetBytecode, nil, ts)
	if err != nil {
		return nil, fmt.Errorf("failed to call GetBytecode: %w", err)
	}
	if result.MsgRct.ExitCode.IsError() {
		return nil, fmt.Errorf("GetBytecode failed: %s", result.Error)
	}
	var code evm.GetBytecodeReturn
	if err := code.UnmarshalCBOR(bytes.NewReader(result.MsgRct.Return)); err != nil {
		return nil, fmt.Errorf("failed to decode EVM bytecode CID: %w", err)
	}
	if code.Cid == nil {
		return nil, nil // it destroyed itself
	}
	block, err := n.chain.Store().Get(ctx, *code.Cid)
	if err != nil {
		return nil, fmt.Errorf("failed to get EVM bytecode: %w", err)
	}
	return block, nil
}

// EthGetStorageAt is eth_getStorageAt.
func (n *node) EthGetStorageAt(ctx context.Context, eth ethtypes.EthAddress, position ethtypes.EthBytes, param ethtypes.EthBlockNumberOrHash) (ethtypes.EthBytes, error) {
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return nil, err
	}
	if len(position) > 32 {
		return nil, errors.New("supplied storage key is too long")
	}
	to, err := eth.ToFilecoinAddress()
	if err != nil {
		return nil, fmt.Errorf("cannot get Filecoin address: %w", err)
	}
	actor, err := n.actor(ctx, to, ts)
	if err != nil {
		return nil, fmt.Errorf("failed to lookup contract %s: %w", eth, err)
	}
	if !n.isEVM(actor) {
		return make([]byte, 32), nil
	}
	var key evm.GetStorageAtParams
	copy(key.StorageKey[32-len(position):], position)
	var params bytes.Buffer
	if err := key.MarshalCBOR(&params); err != nil {
		return nil, fmt.Errorf("failed to serialize parameters: %w", err)
	}
	result, err := n.ask(ctx, to, builtin.MethodsEVM.GetStorageAt, params.Bytes(), ts)
	if err != nil {
		return nil, fmt.Errorf("Call failed: %w", err) // Lotus's words
	}
	if result.MsgRct.ExitCode.IsError() {
		return nil, fmt.Errorf("failed to lookup storage slot: %s", result.Error)
	}
	var value abi.CborBytes
	if err := value.UnmarshalCBOR(bytes.NewReader(result.MsgRct.Return)); err != nil {
		return nil, fmt.Errorf("failed to unmarshal storage slot: %w", err)
	}
	if len(value) > 32 {
		return nil, fmt.Errorf("failed to unmarshal storage slot: %d bytes", len(value))
	}
	return append(make([]byte, 32-len(value), 32), value...), nil
}

// EthGetBalance is eth_getBalance.
func (n *node) EthGetBalance(ctx context.Context, eth ethtypes.EthAddress, param ethtypes.EthBlockNumberOrHash) (ethtypes.EthBigInt, error) {
	addr, err := eth.ToFilecoinAddress()
	if err != nil {
		return ethtypes.EthBigInt{}, err
	}
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return ethtypes.EthBigInt{}, err
	}
	actor, err := n.actor(ctx, addr, ts)
	if err != nil {
		return ethtypes.EthBigInt{}, err
	}
	if actor == nil {
		return ethtypes.EthBigIntZero, nil
	}
	return ethtypes.EthBigInt{Int: actor.Balance.Int}, nil
}

// EthGetTransactionCount is eth_getTransactionCount. "pending" counts the mempool's
// messages too, and is an error for an address without an actor.
func (n *node) EthGetTransactionCount(ctx context.Context, eth ethtypes.EthAddress, param ethtypes.EthBlockNumberOrHash) (ethtypes.EthUint64, error) {
	addr, err := eth.ToFilecoinAddress()
	if err != nil {
		return 0, fmt.Errorf("invalid address: %w", err)
	}
	if param.PredefinedBlock != nil && *param.PredefinedBlock == ethtypes.BlockTagPending {
		nonce, err := n.chain.NextNonce(ctx, addr)
		if err != nil {
			return 0, fmt.Errorf("failed to get nonce from mpool: %w", err)
		}
		return ethtypes.EthUint64(nonce), nil
	}
	ts, err := n.tipsetByParam(param)
	if err != nil {
		return 0, err
	}
	actor, err := n.actor(ctx, addr, ts)
	switch {
	case err != nil:
		return 0, fmt.Errorf("failed to lookup actor %s: %w", eth, err)
	case actor == nil:
		return 0, nil
	case !n.isEVM(actor):
		return ethtypes.EthUint64(actor.Nonce), nil
	}
	raw, err := n.chain.Store().Get(ctx, actor.Head)
	if err != nil {
		return 0, fmt.Errorf("failed to load evm state: %w", err)
	}
	var state evm18.State
	if err := state.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
		return 0, fmt.Errorf("failed to load evm state: %w", err)
	}
	if state.Tombstone != nil {
		return 0, nil
	}
	return ethtypes.EthUint64(state.Nonce), nil
}

// EthAddressToFilecoinAddress is Filecoin.EthAddressToFilecoinAddress.
func (n *node) EthAddressToFilecoinAddress(_ context.Context, eth ethtypes.EthAddress) (address.Address, error) {
	return eth.ToFilecoinAddress()
}

// FilecoinAddressToEthAddress is Filecoin.FilecoinAddressToEthAddress(address, [block
// parameter, "finalized"]). An f1, f2 or f3 address must have an actor there.
func (n *node) FilecoinAddressToEthAddress(ctx context.Context, p jsonrpc.RawParams) (ethtypes.EthAddress, error) {
	params, err := jsonrpc.DecodeParams[ethtypes.FilecoinAddressToEthAddressParams](p)
	if err != nil {
		return ethtypes.EthAddress{}, fmt.Errorf("decoding params: %w", err)
	}
	addr := params.FilecoinAddress
	eth, err := ethtypes.EthAddressFromFilecoinAddress(addr)
	if err == nil {
		return eth, nil
	}
	if !errors.Is(err, ethtypes.ErrInvalidAddress) {
		return ethtypes.EthAddress{}, fmt.Errorf("error converting filecoin address to eth address: %w", err)
	}
	switch addr.Protocol() {
	case address.SECP256K1, address.Actor, address.BLS:
	default:
		return ethtypes.EthAddress{}, fmt.Errorf("invalid filecoin address protocol: %s", addr)
	}
	param := ethtypes.BlockTagFinalized
	if params.BlkParam != nil {
		param = *params.BlkParam
	}
	ts, err := n.tipsetByNumber(param, false)
	if err != nil {
		return ethtypes.EthAddress{}, err
	}
	before, err := n.parent(ts)
	if err != nil {
		return ethtypes.EthAddress{}, err
	}
	id, err := n.chain.Resolve(ctx, addr, before)
	if err != nil {
		return ethtypes.EthAddress{}, fmt.Errorf("failed to lookup ID address for given Filecoin address %s ("+
			"ensure that the address has been instantiated on-chain and sufficient epochs have passed since instantiation to confirm to the given 'blkParam': %q): %w", addr, param, err)
	}
	return ethtypes.EthAddressFromActorID(id), nil
}
