package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account "github.com/filecoin-project/go-state-types/builtin/v18/account"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Allocation is DataCap that a client set aside with the verified registry for a piece of
// a provider, and that nobody has claimed. Epochs; Padded is bytes.
type Allocation struct {
	ID         uint64
	Provider   uint64
	Piece      cid.Cid // v1
	Padded     uint64
	TermMin    int64
	TermMax    int64
	Expiration int64 // until when it can be claimed
}

// Allocations are those of a contract, in no order.
func (n *Node) Allocations(ctx context.Context, client common.Address) ([]Allocation, error) {
	at, err := FromEth(client)
	if err != nil {
		return nil, err
	}
	all, err := n.api.StateGetAllocations(ctx, at, types.EmptyTSK)
	if err != nil {
		return nil, fmt.Errorf("asking for the allocations of %s: %w", client, err)
	}
	out := make([]Allocation, 0, len(all))
	for id, a := range all {
		out = append(out, Allocation{
			ID: uint64(id), Provider: uint64(a.Provider), Piece: a.Data, Padded: uint64(a.Size), TermMin: int64(a.TermMin), TermMax: int64(a.TermMax),
			Expiration: int64(a.Expiration),
		})
	}
	return out, nil
}

// methodAuthenticateMessage is FRC-0042's number of AuthenticateMessage.
const methodAuthenticateMessage = 2643134072

// Authenticates puts the market actor's question to a contract: whether it would be the
// client of a proposal, given as CBOR. Nothing is sent.
func (n *Node) Authenticates(ctx context.Context, client common.Address, proposal []byte) (bool, error) {
	to, err := FromEth(client)
	if err != nil {
		return false, err
	}
	var params bytes.Buffer
	in := account.AuthenticateMessageParams{Signature: []byte{}, Message: proposal}
	if err := in.MarshalCBOR(&params); err != nil {
		return false, fmt.Errorf("encoding a proposal: %w", err)
	}
	res, err := n.api.StateCall(ctx, &types.Message{
		From: builtin.StorageMarketActorAddr, To: to, Value: filbig.Zero(), Method: methodAuthenticateMessage, Params: params.Bytes(),
		GasFeeCap: filbig.Zero(), GasPremium: filbig.Zero(),
	}, types.EmptyTSK)
	if err != nil {
		return false, fmt.Errorf("asking whether %s would be the client of a deal: %w", client, err)
	}
	if res.MsgRct == nil {
		return false, fmt.Errorf("asking whether %s would be the client of a deal: %s", client, exit(res))
	}
	return res.MsgRct.ExitCode.IsSuccess() && bytes.Equal(res.MsgRct.Return, cbg.CborBoolTrue), nil
}

// Known reports whether an account has an actor on the chain.
func (n *Node) Known(ctx context.Context, account string) (bool, error) {
	a, err := address.NewFromString(account)
	if err != nil {
		return false, fmt.Errorf("%q is no address: %w", account, err)
	}
	_, err = n.api.StateLookupID(ctx, a, types.EmptyTSK)
	var missing *api.ErrActorNotFound
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("asking for the actor of %s: %w", account, err)
	}
	return true, nil
}

// Escrow is what an address has with the market actor and no deal has locked, in attoFIL.
func (n *Node) Escrow(ctx context.Context, of address.Address) (*big.Int, error) {
	b, err := n.api.StateMarketBalance(ctx, of, types.EmptyTSK)
	if err != nil {
		return nil, fmt.Errorf("asking for the escrow of %s: %w", Text(of), err)
	}
	if b.Escrow.Int == nil || b.Locked.Int == nil {
		return nil, errors.New("asking for an escrow: the node named none")
	}
	return new(big.Int).Sub(b.Escrow.Int, b.Locked.Int), nil
}
