package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// ErrDealRefused means that the market left a proposal out of those it published.
var ErrDealRefused = errors.New("the market refused a deal")

// Proposal is a deal as a client offers it. Times are epochs, money attoFIL; unset
// amounts are none.
type Proposal struct {
	PieceCID           cid.Cid
	PieceSize          abi.PaddedPieceSize
	Verified           bool
	Label              string
	Start, End         abi.ChainEpoch
	PricePerEpoch      abi.TokenAmount
	ProviderCollateral abi.TokenAmount
	ClientCollateral   abi.TokenAmount
}

func (p Proposal) terms(client, provider address.Address) (market18.DealProposal, error) {
	label, err := market18.NewLabelFromString(p.Label)
	if err != nil {
		return market18.DealProposal{}, fmt.Errorf("label: %w", err)
	}
	for _, amount := range []*abi.TokenAmount{&p.PricePerEpoch, &p.ProviderCollateral, &p.ClientCollateral} {
		if amount.Int == nil {
			*amount = big.Zero()
		}
	}
	return market18.DealProposal{
		PieceCID: p.PieceCID, PieceSize: p.PieceSize, VerifiedDeal: p.Verified, Client: client, Provider: provider, Label: label,
		StartEpoch: p.Start, EndEpoch: p.End, StoragePricePerEpoch: p.PricePerEpoch,
		ProviderCollateral: p.ProviderCollateral, ClientCollateral: p.ClientCollateral,
	}, nil
}

// FromAccount is the proposal to this miner, signed by an f1 or f3 account.
func (m *Miner) FromAccount(client chain.Account, p Proposal) (market18.ClientDealProposal, error) {
	terms, err := p.terms(client.Address, m.id)
	if err != nil {
		return market18.ClientDealProposal{}, err
	}
	encoded, err := encode(&terms)
	if err != nil {
		return market18.ClientDealProposal{}, err
	}
	signature, err := client.Key.Sign(encoded)
	if err != nil {
		return market18.ClientDealProposal{}, fmt.Errorf("sign a deal proposal: %w", err)
	}
	return market18.ClientDealProposal{Proposal: terms, ClientSignature: signature}, nil
}

// FromContract is the proposal to this miner of a contract, which the market asks by
// AuthenticateMessage; it gets the signature's bytes to judge.
func (m *Miner) FromContract(client address.Address, p Proposal, signature []byte) (market18.ClientDealProposal, error) {
	terms, err := p.terms(client, m.id)
	return market18.ClientDealProposal{
		Proposal: terms, ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: signature},
	}, err
}

// AddBalance puts money into the market's escrow for a client or provider.
func (f *Fleet) AddBalance(ctx context.Context, from chain.Account, beneficiary address.Address, amount abi.TokenAmount) error {
	_, err := f.Send(ctx, from, Call{
		To: builtin.StorageMarketActorAddr, Value: amount, Method: builtin.MethodsMarket.AddBalance, Params: &beneficiary,
	})
	if err != nil {
		return fmt.Errorf("add to the escrow of %s: %w", beneficiary, err)
	}
	return nil
}

// Publish publishes deals and gives their ids. Errors: ErrDealRefused when some were
// left out, whose ids are missing then; *ExitError when all were.
func (m *Miner) Publish(ctx context.Context, deals ...market18.ClientDealProposal) ([]abi.DealID, error) {
	ids, _, err := m.PublishIn(ctx, deals...)
	return ids, err
}

// PublishIn is Publish, and gives the message's CID too.
func (m *Miner) PublishIn(ctx context.Context, deals ...market18.ClientDealProposal) ([]abi.DealID, cid.Cid, error) {
	returned, message, err := m.f.sendIn(ctx, m.worker, Call{
		To: builtin.StorageMarketActorAddr, Method: builtin.MethodsMarket.PublishStorageDeals,
		Params: &market18.PublishStorageDealsParams{Deals: deals},
	})
	if err != nil {
		return nil, message, fmt.Errorf("publish deals of %s: %w", m.id, err)
	}
	var published market18.PublishStorageDealsReturn
	if err := decode(returned, &published); err != nil {
		return nil, message, err
	}
	if len(published.IDs) != len(deals) {
		return published.IDs, message, fmt.Errorf("publish deals of %s: %d of %d: %w", m.id, len(published.IDs), len(deals), ErrDealRefused)
	}
	return published.IDs, message, nil
}

// Settle pays what is due of deals and removes those that are over; anybody may.
func (f *Fleet) Settle(ctx context.Context, by chain.Account, deals ...abi.DealID) (market18.SettleDealPaymentsReturn, error) {
	var out market18.SettleDealPaymentsReturn
	set := bitfield.New()
	for _, id := range deals {
		set.Set(uint64(id))
	}
	returned, err := f.Send(ctx, by, Call{
		To: builtin.StorageMarketActorAddr, Method: builtin.MethodsMarket.SettleDealPaymentsExported, Params: &set,
	})
	if err == nil {
		err = decode(returned, &out)
	}
	if err != nil {
		return out, fmt.Errorf("settle deals: %w", err)
	}
	return out, nil
}
