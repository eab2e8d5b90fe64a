package deals

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/big"

	"github.com/filecoin-project/go-address"
	fbig "github.com/filecoin-project/go-state-types/big"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/mk12"
)

const (
	// collateralMargin is the part of the least collateral that is added to it: a fifth. The
	// bound moves with the chain until the deal is published.
	collateralMargin = 5
	// mostCollateral is how often the least collateral providers take at most: Curio,
	// market/mk12/mk12_utils.go, and Boost, storagemarket/deal_acceptance.go.
	mostCollateral = 2
)

// collateral gives a proposal the collateral that f05 will ask for, but for one with
// DataCap, which the contract takes to the letter. why says why no provider could take it.
func (m *Maker) collateral(ctx context.Context, p *mk12.DealProposal) (why string, err error) {
	if m.d.Node == nil {
		return "", nil
	}
	least, err := m.d.Node.Collateral(ctx, p.PaddedSize, p.Verified)
	if err != nil {
		return "", err
	}
	most := new(big.Int).Mul(least, big.NewInt(mostCollateral))
	has := p.ProviderCollateral.Int
	switch {
	case p.Verified && has.Cmp(least) < 0:
		return fmt.Sprintf("f05 wants %s attoFIL of collateral, and a deal with DataCap has %s, no more and no less", least, has), nil
	case least.Sign() > 0 && has.Cmp(most) > 0:
		return fmt.Sprintf("the deal wants %s attoFIL of collateral, and providers put up %s at most", has, most), nil
	}
	if least.Add(least, new(big.Int).Div(least, big.NewInt(collateralMargin))); !p.Verified && has.Cmp(least) < 0 {
		p.ProviderCollateral = fbig.NewFromGo(least)
	}
	return "", nil
}

// preflight looks at an offer before it is sent for the first time: what has to be there
// for it, and bounds that the chain has. why says in words why nobody is to be promised it.
func (m *Maker) preflight(ctx context.Context, o job.Offer, epoch uint64) (why string, err error) {
	if o.Protocol == job.ProtocolMK20 {
		return m.preflight20(ctx, o, epoch)
	}
	p, err := proposed(o)
	if err != nil {
		return "", err
	}
	if p.Start <= int64(epoch) {
		return fmt.Sprintf("the deal should have begun by epoch %d", p.Start), nil
	}
	if why, err = m.collateral(ctx, &p); err != nil || why != "" {
		return why, err
	}
	if p.Client.Protocol() != address.Delegated {
		return m.escrow(ctx, o, p)
	}
	if !p.Verified || m.d.Funds == nil {
		return "", nil
	}
	if ok, err := m.authenticates(ctx, p, o.Miner); err != nil || ok {
		return "", err
	}
	return "the contract does not stand as client of the deal: its DataCap was not granted for this claim, was drawn, or is over", nil
}

func (m *Maker) preflight20(ctx context.Context, o job.Offer, epoch uint64) (string, error) {
	var r offer20
	if err := json.Unmarshal(o.Request, &r); err != nil {
		return "", fmt.Errorf("reading the stored offer: %w", err)
	}
	ddo := r.Deal.Products.DDO
	if ddo.AllocationID != nil && m.d.Funds != nil {
		if why, err := m.whyNotAllocated(ctx, o, r, epoch); err != nil || why != "" {
			return why, err
		}
	}
	if ddo.StartEpoch != nil && *ddo.StartEpoch <= int64(epoch) {
		return fmt.Sprintf("the deal should have begun by epoch %d", *ddo.StartEpoch), nil
	}
	return "", nil
}

// escrow looks whether a wallet that is the client of a deal has with the market actor
// what the deal locks. It is the wallet's to put there: nothing is sent.
func (m *Maker) escrow(ctx context.Context, o job.Offer, p mk12.DealProposal) (string, error) {
	needs := new(big.Int).Mul(p.PricePerEpoch.Int, big.NewInt(p.End-p.Start))
	needs.Add(needs, p.ClientCollateral.Int)
	if m.d.Funds == nil {
		return "the client is a wallet, and no Filecoin node says what its escrow is", nil
	}
	has, err := m.d.Funds.Escrow(ctx, p.Client)
	if err != nil || has.Cmp(needs) >= 0 {
		return "", err
	}
	why := fmt.Sprintf("the client %s has %s attoFIL free in escrow with the market actor, and the deal locks %s", p.Client, has, needs)
	m.d.Log.Error("a wallet's escrow is short", "deal", o.ID, "slot", o.Slot, "miner", o.Miner, "alarm", why)
	return why, nil
}

// unasked ends an offer that was not sent. The provider has no part in it.
func (m *Maker) unasked(ctx context.Context, o job.Offer, why string, err error) error {
	if err != nil {
		return fmt.Errorf("looking at offer %s before it is sent: %w", o.ID, err)
	}
	next := o
	next.State, next.Reason = job.OfferFailed, whyUnasked+why
	return m.update(ctx, next, o.State, next.Reason)
}

func encoded(v cbg.CBORMarshaler) ([]byte, error) {
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
