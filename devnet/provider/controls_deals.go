package provider

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// EscrowParams are devnet_addEscrow's.
type EscrowParams struct {
	For    anyAddress `json:"for"`
	Amount amount     `json:"amount"`
}

// AddEscrow is devnet_addEscrow({for, amount}): money in the f05 market for a client or
// miner, given by the devnet.
func (c *Controls) AddEscrow(ctx context.Context, p EscrowParams) (bool, error) {
	return true, c.fleet.AddBalance(ctx, c.fleet.bank, p.For.Address, p.Amount.Int)
}

// DealParams are devnet_publishDeal's: the terms, and whose they are.
type DealParams struct {
	Miner              anyAddress          `json:"miner"`
	Client             anyAddress          `json:"client"`    // a funded account, which signs, or a contract
	Signature          hexBytes            `json:"signature"` // for a contract to judge
	PieceCID           cid.Cid             `json:"pieceCid"`
	PieceSize          abi.PaddedPieceSize `json:"pieceSize"`
	Verified           bool                `json:"verified"`
	Label              string              `json:"label"`
	Start              abi.ChainEpoch      `json:"start"`
	End                abi.ChainEpoch      `json:"end"`
	PricePerEpoch      amount              `json:"pricePerEpoch"`
	ProviderCollateral amount              `json:"providerCollateral"`
	ClientCollateral   amount              `json:"clientCollateral"`
}

// PublishDeal is devnet_publishDeal({miner, client, pieceCid, pieceSize, start, end, …}):
// returns the deal's id.
func (c *Controls) PublishDeal(ctx context.Context, p DealParams) (abi.DealID, error) {
	m, err := c.fleet.Miner(p.Miner.Address)
	if err != nil {
		return 0, err
	}
	terms := Proposal{
		PieceCID: p.PieceCID, PieceSize: p.PieceSize, Verified: p.Verified, Label: p.Label, Start: p.Start, End: p.End,
		PricePerEpoch: p.PricePerEpoch.Int, ProviderCollateral: p.ProviderCollateral.Int, ClientCollateral: p.ClientCollateral.Int,
	}
	var proposal market18.ClientDealProposal
	if account, ok := c.funded(p.Client.Address); ok && account.Kind != chain.Ethereum {
		proposal, err = m.FromAccount(account, terms)
	} else {
		proposal, err = m.FromContract(p.Client.Address, terms, p.Signature)
	}
	if err != nil {
		return 0, err
	}
	ids, err := m.Publish(ctx, proposal)
	if err != nil {
		return 0, err
	}
	return ids[0], nil
}

// Settlement is what became of a deal in devnet_settleDeals.
type Settlement struct {
	Deal      abi.DealID        `json:"deal"`
	ExitCode  exitcode.ExitCode `json:"exitCode"`
	Payment   abi.TokenAmount   `json:"payment"`
	Completed bool              `json:"completed"`
}

// SettleParams are devnet_settleDeals', in ascending order.
type SettleParams struct {
	Deals []abi.DealID `json:"deals"`
}

// SettleDeals is devnet_settleDeals({deals}).
func (c *Controls) SettleDeals(ctx context.Context, p SettleParams) ([]Settlement, error) {
	result, err := c.fleet.Settle(ctx, c.fleet.bank, p.Deals...)
	if err != nil {
		return nil, err
	}
	out := []Settlement{}
	settled := result.Settlements
	for i, code := range result.Results.Codes() {
		s := Settlement{Deal: p.Deals[i], ExitCode: code, Payment: big.Zero()}
		if code.IsSuccess() && len(settled) > 0 {
			s.Payment, s.Completed = settled[0].Payment, settled[0].Completed
			settled = settled[1:]
		}
		out = append(out, s)
	}
	return out, nil
}

// DataCapParams are devnet_grantDataCap's.
type DataCapParams struct {
	Client anyAddress `json:"client"`
	Bytes  amount     `json:"bytes"`
}

// GrantDataCap is devnet_grantDataCap({client, bytes}): by a notary of the devnet.
func (c *Controls) GrantDataCap(ctx context.Context, p DataCapParams) (bool, error) {
	notary, err := c.fleet.Account(ctx, chain.Secp256k1, Fil(1))
	if err != nil {
		return false, err
	}
	if err := c.fleet.AddNotary(ctx, notary.Address, p.Bytes.Int); err != nil {
		return false, err
	}
	return true, c.fleet.GrantDataCap(ctx, notary, p.Client.Address, p.Bytes.Int)
}

// AllocateParams are devnet_allocate's.
type AllocateParams struct {
	Client      anyAddress `json:"client"` // a funded f1 or f3 account
	Allocations []struct {
		Provider   abi.ActorID         `json:"provider"`
		Data       cid.Cid             `json:"data"`
		Size       abi.PaddedPieceSize `json:"size"`
		TermMin    abi.ChainEpoch      `json:"termMin"`
		TermMax    abi.ChainEpoch      `json:"termMax"`
		Expiration abi.ChainEpoch      `json:"expiration"`
	} `json:"allocations"`
}

// Allocate is devnet_allocate({client, allocations}): returns their ids.
func (c *Controls) Allocate(ctx context.Context, p AllocateParams) ([]verifreg18.AllocationId, error) {
	client, ok := c.funded(p.Client.Address)
	if !ok || client.Kind == chain.Ethereum {
		return nil, fmt.Errorf("client %s is no funded f1 or f3 account: see devnet_accounts", p.Client)
	}
	var requests []verifreg18.AllocationRequest
	for _, a := range p.Allocations {
		requests = append(requests, verifreg18.AllocationRequest{
			Provider: a.Provider, Data: a.Data, Size: a.Size, TermMin: a.TermMin, TermMax: a.TermMax, Expiration: a.Expiration,
		})
	}
	return c.fleet.Allocate(ctx, client, requests...)
}
