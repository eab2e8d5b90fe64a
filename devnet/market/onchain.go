package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/provider"
)

// Lives of sectors, in epochs: a day more than the deal needs, and no less than what a
// pre-commitment must promise, 180 days after the last day on which it may be proven.
const (
	afterDeal   = abi.ChainEpoch(builtin.EpochsInDay)
	leastLife   = abi.ChainEpoch(215 * builtin.EpochsInDay)
	longestLife = miner18.MaxSectorExpirationExtension
)

// depositHelp is what a miner gets that lacks the money for a deposit.
var depositHelp = provider.Fil(50_000_000)

// publish puts the provider's collateral into escrow, as far as it is not there, and has
// the market actor publish the deal alone: a client contract that fails would take
// others with it.
func (p *Provider) publish(ctx context.Context, j *job) error {
	p.publishing.Lock() // or two deals would count on the same escrow
	defer p.publishing.Unlock()
	want := j.proposal.Proposal.ProviderCollateral
	escrow, locked, err := p.market.fleet.Escrow(ctx, p.miner.Address())
	if err != nil {
		return err
	}
	if short := big.Sub(want, big.Sub(escrow, locked)); short.Sign() > 0 {
		if err := p.market.fleet.AddBalance(ctx, p.miner.Worker(), p.miner.Address(), short); err != nil {
			return err
		}
	}
	ids, message, err := p.miner.PublishIn(ctx, *j.proposal)
	if err != nil {
		return err
	}
	p.update(j, func(d *Deal) { d.State, d.ChainDeal, d.PublishCID = Published, &ids[0], &message })
	return nil
}

// seal gives the deal a sector of its own and proves it. Whoever is to be notified must
// accept, as Curio demands unless told otherwise.
func (p *Provider) seal(ctx context.Context, j *job) (abi.SectorNumber, error) {
	if delay := p.market.config.SealDelay; delay > 0 {
		if err := p.market.fleet.Reach(ctx, p.market.chain.Head().Height()+delay); err != nil {
			return 0, err
		}
	}
	if err := p.while(ctx, NeverSeal); err != nil {
		return 0, err
	}
	p.sealing.Lock() // a pre-commitment takes the lowest free number
	defer p.sealing.Unlock()
	allocation := j.allocation
	if j.proposal != nil && j.proposal.Proposal.VerifiedDeal { // as Curio does; the market takes a sector without it too
		var err error
		if allocation, err = p.market.fleet.PendingAllocation(ctx, j.proposal.Proposal.Client, *j.deal.ChainDeal); err != nil {
			return 0, err
		}
	}
	sector := provider.Sector{Lifetime: p.lifetime(j), Pieces: []provider.Piece{{
		CID: j.deal.PieceCID, Size: j.deal.PieceSize, Deal: j.deal.ChainDeal, Allocation: allocation, Notify: j.notify,
	}}}
	numbers, err := p.preCommit(ctx, sector)
	if err != nil {
		return 0, err
	}
	result, err := p.miner.Prove(ctx, numbers, []provider.Sector{sector}, provider.Demands{Activation: true, Notification: true})
	if err != nil {
		return 0, err
	}
	if codes := result.Codes(); len(codes) != 1 || codes[0].IsError() {
		return 0, fmt.Errorf("sector %d: exit codes %v: %w", numbers[0], codes, provider.ErrSectorFailed)
	}
	return numbers[0], nil
}

// preCommit gives a miner that has not the money for the deposit what it lacks. The deposit is
// what the sector would earn in twenty days, and once the network's smoothed power has
// come down to what a few sectors have, a week or so after genesis, that is a large part of all rewards.
func (p *Provider) preCommit(ctx context.Context, sector provider.Sector) ([]abi.SectorNumber, error) {
	numbers, err := p.miner.PreCommit(ctx, sector)
	var exit *provider.ExitError
	if !errors.As(err, &exit) || exit.Code != exitcode.ErrInsufficientFunds {
		return numbers, err
	}
	actor, err := p.market.chain.Actor(ctx, p.miner.Address(), nil)
	if err == nil {
		err = p.market.chain.SetBalance(ctx, p.miner.Address(), big.Add(actor.Balance, depositHelp))
	}
	if err != nil {
		return nil, fmt.Errorf("money for a deposit: %w", err)
	}
	return p.miner.PreCommit(ctx, sector)
}

// lifetime is from now until a day after the deal's end. A deal that does not say when it
// starts does so at the latest when sealing is expected to be done.
func (p *Provider) lifetime(j *job) abi.ChainEpoch {
	head := p.market.chain.Head().Height()
	start := j.deal.Start
	if start == 0 {
		start = head + p.market.config.SealEpochs
	}
	return min(max(start+j.deal.Duration-head+afterDeal, leastLife), longestLife)
}

// view calls a contract without a message, and gives what it returns. Errors:
// *provider.ExitError, whose data is the revert's.
func (p *Provider) view(ctx context.Context, contract common.Address, input []byte) ([]byte, error) {
	to, err := ethtypes.EthAddress(contract).ToFilecoinAddress()
	if err != nil {
		return nil, err
	}
	params := abi.CborBytes(input)
	returned, err := p.market.fleet.Query(ctx, p.miner.Worker().Address, provider.Call{
		To: to, Method: builtin.MethodsEVM.InvokeContract, Params: &params,
	})
	if err != nil {
		var exit *provider.ExitError
		if errors.As(err, &exit) {
			exit.Data = unwrapped(exit.Data)
		}
		return nil, err
	}
	return unwrapped(returned), nil
}

// unwrapped are the bytes that a contract returned, out of their CBOR; none if it
// returned nothing.
func unwrapped(returned []byte) []byte {
	var out abi.CborBytes
	if err := out.UnmarshalCBOR(bytes.NewReader(returned)); err != nil {
		return nil
	}
	return out
}
