package market

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
	"github.com/tidegate/tidegate/devnet/provider"
)

const (
	collateralSpan = 2             // the most collateral is this times the least
	hiddenFactor   = 10            // what LiePrice wants instead of one
	hiddenPrice    = 1_000_000_000 // and at least, for a GiB and epoch
)

var authenticateMessage = builtin.MustGenerateFRCMethodNum("AuthenticateMessage")

// checkMK12 judges a proposal as Curio does (market/mk12/mk12.go: ExecuteDeal and
// validateDealProposal), and gives the reason why not. Of the price it complains with
// Boost's words (storagemarket/deal_acceptance.go), which Curio keeps to itself.
func (p *Provider) checkMK12(ctx context.Context, d *DealParams) error {
	proposal := &d.ClientDealProposal.Proposal
	if err := p.validate(ctx, &d.ClientDealProposal); err != nil {
		return fmt.Errorf("failed validation: %w", err)
	}
	if d.IsOffline {
		return errors.New("offline deals are not allowed on this provider")
	}
	if p.behaves(Refuse) {
		return errors.New("client not allowed by provider")
	}
	if err := p.checkAsk(proposal); err != nil {
		return fmt.Errorf("failed validation: %w", err)
	}
	if d.Transfer.Type == "libp2p" {
		return errors.New("libp2p URLs are not supported by this provider")
	}
	if padded := paddedSize(d.Transfer.Size); proposal.PieceSize != padded {
		return fmt.Errorf("deal proposal piece size %d doesn't match padded piece size %d", proposal.PieceSize, padded)
	}
	if proposal.PieceSize > abi.PaddedPieceSize(p.miner.SectorSize()) {
		return fmt.Errorf("failed validation: piece size more than maximum allowed size: %d > %d", proposal.PieceSize, p.miner.SectorSize())
	}
	if _, err := source(d.Transfer); err != nil {
		return fmt.Errorf("failed to de-serialize transport params bytes '%s': %w", d.Transfer.Params, err)
	}
	return nil
}

// source is the URL and headers of a transfer.
func source(t Transfer) (HTTPURL, error) {
	var in struct {
		URL     string
		Headers map[string]string
	}
	if err := json.Unmarshal(t.Params, &in); err != nil {
		return HTTPURL{}, err
	}
	out := HTTPURL{URL: in.URL, Headers: map[string][]string{}}
	for name, value := range in.Headers {
		out.Headers[name] = []string{value}
	}
	return out, nil
}

func (p *Provider) validate(ctx context.Context, d *market18.ClientDealProposal) error {
	proposal, head := &d.Proposal, p.market.chain.Head().Height()
	if !proposal.PieceCID.Defined() {
		return errors.New("proposal PieceCID undefined")
	}
	if err := p.checkSignature(ctx, d); err != nil {
		return err
	}
	least, most := market18.DealDurationBounds(proposal.PieceSize)
	duration := proposal.EndEpoch - proposal.StartEpoch
	switch {
	case proposal.Provider != p.miner.Address():
		return fmt.Errorf("incorrect provider for deal; proposal.Provider: %s; provider.Address: [%s]", proposal.Provider, p.miner.Address())
	case proposal.PieceSize.Validate() != nil:
		return fmt.Errorf("proposal piece size is invalid: %w", proposal.PieceSize.Validate())
	case proposal.PieceCID.Prefix() != market18.PieceCIDPrefix:
		return errors.New("proposal PieceCID had wrong prefix")
	case duration <= 0:
		return fmt.Errorf("proposal end %d before proposal start %d", proposal.EndEpoch, proposal.StartEpoch)
	case head > proposal.StartEpoch:
		return fmt.Errorf("deal start epoch %d has already elapsed (current epoch: %d)", proposal.StartEpoch, head)
	case duration < least || duration > most:
		return fmt.Errorf("deal duration out of bounds (min, max, provided): %d, %d, %d", least, most, duration)
	case proposal.EndEpoch > head+miner18.MaxSectorExpirationExtension:
		return fmt.Errorf("invalid deal end epoch %d: cannot be more than %d past current epoch %d", proposal.EndEpoch, miner18.MaxSectorExpirationExtension, head)
	}
	if err := p.checkMoney(ctx, proposal); err != nil {
		return err
	}
	return p.checkDataCap(ctx, proposal)
}

// checkSignature verifies an account's signature, and asks a contract by the call that
// the market will make. As with Curio what counts is that the call succeeds, not what it
// answers.
func (p *Provider) checkSignature(ctx context.Context, d *market18.ClientDealProposal) error {
	var message bytes.Buffer
	if err := d.Proposal.MarshalCBOR(&message); err != nil {
		return fmt.Errorf("failed to serialize client deal proposal: %w", err)
	}
	client, err := p.market.fleet.KeyAddress(ctx, d.Proposal.Client)
	if err != nil {
		return errors.New("server error: validating signature")
	}
	if client.Protocol() != address.Delegated {
		if sig.Verify(d.ClientSignature, client, message.Bytes()) != nil {
			return errors.New("server error: validating signature")
		}
		return nil
	}
	_, err = p.market.fleet.Query(ctx, builtin.StorageMarketActorAddr, provider.Call{
		To: client, Method: authenticateMessage,
		Params: &account18.AuthenticateMessageParams{Signature: d.ClientSignature.Data, Message: message.Bytes()},
	})
	var exit *provider.ExitError
	switch {
	case errors.As(err, &exit):
		return errors.New("invalid signature")
	case err != nil:
		return errors.New("server error: validating signature")
	}
	return nil
}

func (p *Provider) checkMoney(ctx context.Context, proposal *market18.DealProposal) error {
	least, err := p.market.fleet.LeastCollateral(ctx, proposal.PieceSize, proposal.VerifiedDeal)
	if err != nil {
		return errors.New("server error: getting collateral bounds")
	}
	most := big.Mul(least, big.NewInt(collateralSpan))
	switch {
	case proposal.ProviderCollateral.LessThan(least):
		return fmt.Errorf("proposed provider collateral %s below minimum %s", proposal.ProviderCollateral, least)
	case proposal.ProviderCollateral.GreaterThan(most):
		return fmt.Errorf("proposed provider collateral %s above maximum %s", proposal.ProviderCollateral, most)
	}
	escrow, locked, err := p.market.fleet.Escrow(ctx, proposal.Client)
	if err != nil {
		return errors.New("server error: getting market balance")
	}
	if free, need := big.Sub(escrow, locked), proposal.ClientBalanceRequirement(); free.LessThan(need) {
		return fmt.Errorf("client available funds in escrow %s not enough to meet storage cost for deal %s", free, need)
	}
	return nil
}

func (p *Provider) checkDataCap(ctx context.Context, proposal *market18.DealProposal) error {
	if !proposal.VerifiedDeal {
		return nil
	}
	has, err := p.market.fleet.DataCap(ctx, proposal.Client)
	if err != nil {
		return errors.New("server error: getting verified datacap")
	}
	if has.IsZero() {
		return errors.New("client is not a verified client")
	}
	if size := big.NewIntUnsigned(uint64(proposal.PieceSize)); has.LessThan(size) {
		return fmt.Errorf("verified deal DataCap %s too small for proposed piece size %s", has, size)
	}
	return nil
}

// checkAsk compares with the ask, or with what a liar wants in truth.
func (p *Provider) checkAsk(proposal *market18.DealProposal) error {
	p.mu.Lock()
	ask, lies := p.ask, p.conduct[LiePrice]
	p.mu.Unlock()
	price := ask.Price
	if proposal.VerifiedDeal {
		price = ask.VerifiedPrice
	}
	if lies {
		price = big.Max(big.Mul(price, big.NewInt(hiddenFactor)), big.NewInt(hiddenPrice))
	}
	wanted := big.Div(big.Mul(price, big.NewIntUnsigned(uint64(proposal.PieceSize))), big.NewInt(1<<30))
	switch {
	case proposal.StoragePricePerEpoch.LessThan(wanted):
		return fmt.Errorf("storage price per epoch less than asking price: %s < %s", proposal.StoragePricePerEpoch, wanted)
	case proposal.PieceSize < ask.MinPieceSize:
		return fmt.Errorf("piece size less than minimum required size: %d < %d", proposal.PieceSize, ask.MinPieceSize)
	case proposal.PieceSize > ask.MaxPieceSize:
		return fmt.Errorf("piece size more than maximum allowed size: %d > %d", proposal.PieceSize, ask.MaxPieceSize)
	}
	return nil
}

// takeMK12 begins to work on a proposal that was judged. The same proposal again, or the
// same UUID, is refused, as with Curio.
func (p *Provider) takeMK12(d *DealParams) error {
	proposal := d.ClientDealProposal
	bare, err := proposal.Proposal.Cid()
	if err != nil {
		return fmt.Errorf("get proposal CID: %w", err)
	}
	from, err := source(d.Transfer)
	if err != nil {
		return err
	}
	j := &job{
		deal: Deal{
			ID: d.DealUUID.String(), Protocol: MK12, Client: proposal.Proposal.Client, PieceCID: proposal.Proposal.PieceCID,
			PieceSize: proposal.Proposal.PieceSize, Size: d.Transfer.Size, Start: proposal.Proposal.StartEpoch,
			Duration: proposal.Proposal.EndEpoch - proposal.Proposal.StartEpoch,
		},
		urls: []HTTPURL{from}, proposal: &proposal, index: !d.RemoveUnsealedCopy,
	}
	if j.signedCID, err = signedCID(&proposal); err != nil {
		return fmt.Errorf("getting signed proposal cid: %w", err)
	}
	p.mu.Lock()
	known := p.proposals[bare]
	p.proposals[bare] = true
	p.mu.Unlock()
	if known {
		return fmt.Errorf("store deal: market deal with the same proposalCID %s already exists: 1", bare)
	}
	if err := p.take(j); errors.Is(err, errTaken) {
		return errors.New("store deal: store deal success: updated 0 rows instead of 1")
	} else if err != nil {
		return fmt.Errorf("store deal: %w", err)
	}
	return nil
}

// signedCID is the CID of a proposal with its signature: DAG-CBOR, BLAKE2b-256.
func signedCID(d *market18.ClientDealProposal) (cid.Cid, error) {
	var encoded bytes.Buffer
	if err := d.MarshalCBOR(&encoded); err != nil {
		return cid.Undef, err
	}
	return cid.V1Builder{Codec: cid.DagCBOR, MhType: mh.BLAKE2B_MIN + 31}.Sum(encoded.Bytes())
}

// signAsk is the ask as the provider shows it, signed by its worker.
func (p *Provider) signAsk() (*SignedAsk, error) {
	p.mu.Lock()
	ask, number := p.ask, p.askNumber
	p.mu.Unlock()
	now := p.market.chain.Head().Height()
	shown := &StorageAsk{
		Price: ask.Price, VerifiedPrice: ask.VerifiedPrice, MinPieceSize: ask.MinPieceSize, MaxPieceSize: ask.MaxPieceSize,
		Miner: p.miner.Address(), Timestamp: now, Expiry: now + 10*builtin.EpochsInYear, SeqNo: number,
	}
	var encoded bytes.Buffer
	if err := shown.MarshalCBOR(&encoded); err != nil {
		return nil, err
	}
	var signature crypto.Signature
	signature, err := p.miner.Worker().Key.Sign(encoded.Bytes())
	return &SignedAsk{Ask: shown, Signature: &signature}, err
}
