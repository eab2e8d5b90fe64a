package rpc

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/google/uuid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// wallet is what the node signs with: the funded accounts, whose keys everybody knows.
type wallet struct {
	mu    sync.Mutex // from choosing a nonce to having pushed the message
	known map[uuid.UUID]*types.SignedMessage
}

// account finds a funded account by its key address or its id.
func (n *node) account(addr address.Address) (chain.Account, error) {
	for _, a := range n.chain.Accounts() {
		id, err := address.NewIDAddress(uint64(a.ID))
		if err != nil {
			return a, err
		}
		if addr == a.Address || addr == id {
			return a, nil
		}
	}
	return chain.Account{}, fmt.Errorf("key for %s not found in the wallet: it holds the funded accounts", addr)
}

// WalletList is Filecoin.WalletList: the funded accounts.
func (n *node) WalletList(context.Context) ([]address.Address, error) {
	var out []address.Address
	for _, a := range n.chain.Accounts() {
		out = append(out, a.Address)
	}
	return out, nil
}

// WalletHas is Filecoin.WalletHas.
func (n *node) WalletHas(_ context.Context, addr address.Address) (bool, error) {
	_, err := n.account(addr)
	return err == nil, nil
}

// WalletDefaultAddress is Filecoin.WalletDefaultAddress: the first f1 account.
func (n *node) WalletDefaultAddress(context.Context) (address.Address, error) {
	for _, a := range n.chain.Accounts() {
		if a.Kind == chain.Secp256k1 {
			return a.Address, nil
		}
	}
	return address.Undef, fmt.Errorf("failed to get default key: there is no f1 account")
}

// WalletSign is Filecoin.WalletSign.
func (n *node) WalletSign(_ context.Context, addr address.Address, data []byte) (*crypto.Signature, error) {
	a, err := n.account(addr)
	if err != nil {
		return nil, err
	}
	s, err := a.Key.Sign(data)
	return &s, err
}

// WalletSignMessage is Filecoin.WalletSignMessage.
func (n *node) WalletSignMessage(_ context.Context, addr address.Address, msg *types.Message) (*types.SignedMessage, error) {
	if msg == nil {
		return nil, badParams("no message")
	}
	a, err := n.account(addr)
	if err != nil {
		return nil, err
	}
	return a.Key.SignMessage(msg, n.chain.ChainID())
}

// WalletVerify is Filecoin.WalletVerify.
func (n *node) WalletVerify(_ context.Context, addr address.Address, data []byte, s *crypto.Signature) (bool, error) {
	if s == nil {
		return false, badParams("no signature")
	}
	return sig.Verify(*s, addr, data) == nil, nil
}

// MpoolPushMessage is Filecoin.MpoolPushMessage: fills in gas and nonce, signs and
// pushes. The same MsgUuid again gives the same message again.
func (n *node) MpoolPushMessage(ctx context.Context, msg *types.Message, spec *api.MessageSendSpec) (*types.SignedMessage, error) {
	if msg == nil {
		return nil, badParams("no message")
	}
	if msg.Nonce != 0 {
		return nil, fmt.Errorf("MpoolPushMessage expects message nonce to be 0, was %d", msg.Nonce)
	}
	from, err := n.account(msg.From)
	if err != nil {
		return nil, err
	}
	n.wallet.mu.Lock()
	defer n.wallet.mu.Unlock()
	if spec != nil && spec.MsgUuid != uuid.Nil {
		if signed, ok := n.wallet.known[spec.MsgUuid]; ok {
			return signed, nil
		}
	}
	own := *msg
	own.From = from.Address
	if own.Value.Int == nil {
		own.Value = types.NewInt(0)
	}
	full, err := n.GasEstimateMessageGas(ctx, &own, spec, types.EmptyTSK)
	if err != nil {
		return nil, fmt.Errorf("GasEstimateMessageGas error: %w", err)
	}
	if full.Nonce, err = n.chain.NextNonce(ctx, from.Address); err != nil {
		return nil, fmt.Errorf("nonce of %s: %w", from.Address, err)
	}
	signed, err := from.Key.SignMessage(full, n.chain.ChainID())
	if err != nil {
		return nil, fmt.Errorf("failed to sign message: %w", err)
	}
	if _, err := n.MpoolPush(ctx, signed); err != nil {
		return nil, fmt.Errorf("mpool push: failed to push message: %w", err)
	}
	if spec != nil && spec.MsgUuid != uuid.Nil {
		n.wallet.known[spec.MsgUuid] = signed
	}
	return signed, nil
}

func encode(value cbg.CBORMarshaler) ([]byte, error) {
	var out bytes.Buffer
	if err := value.MarshalCBOR(&out); err != nil {
		return nil, fmt.Errorf("encode %T: %w", value, err)
	}
	return out.Bytes(), nil
}
