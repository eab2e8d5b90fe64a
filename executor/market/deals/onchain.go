package deals

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/mk12"
)

// Statuses of a deal, those of IDealStatusOracle.
const (
	chainNone      = "none"
	chainPublished = "published"
	chainActive    = "active"
	chainFaulty    = "faulty"
	chainEnded     = "ended"
	chainLost      = "lost"
)

// OnChain asks Filecoin's actors what became of an offer, now: f05 for a deal of its own,
// read by the closed table of IDealStatusOracle, and the miner for the sector. What they
// do not say is not guessed: an empty status.
func (m *Maker) OnChain(ctx context.Context, o job.Offer) (job.OnChain, error) {
	epoch, err := m.d.Chain.Final(ctx)
	if err != nil {
		return job.OnChain{}, fmt.Errorf("asking what is final: %w", err)
	}
	if err := m.c.open(ctx, epoch); err != nil {
		return job.OnChain{}, err
	}
	out := job.OnChain{Epoch: epoch}
	if o.Protocol == job.ProtocolMK12 && !o.WasPublished() {
		out.Status, out.Words = chainNone, "the contract was told of no f05 deal for it"
		return out, nil
	}
	if o.Protocol == job.ProtocolMK12 {
		return m.marketSays(ctx, o, out)
	}
	if o.ActiveAt.IsZero() {
		out.Status, out.Words = chainNone, "no sector was shown to hold it"
		return out, nil
	}
	if out, err = m.minerSays(ctx, o, o.Sector, o.End, out); err != nil || o.Evidence == 0 {
		return out, err
	}
	f, err := m.c.claimFacts(ctx, epoch, o.Miner, o.Evidence)
	if err != nil {
		return out, err
	}
	if out.Words += fmt.Sprintf("; claim %d of verified data is its", o.Evidence); !f.Known {
		out.Words += ", and f06 knows it no more"
	}
	return out, nil
}

// marketSays reads the exit codes of f05.
func (m *Maker) marketSays(ctx context.Context, o job.Offer, out job.OnChain) (job.OnChain, error) {
	f, err := m.c.dealFacts(ctx, out.Epoch, o.Evidence)
	if err != nil {
		return out, err
	}
	deal := fmt.Sprintf("f05 deal %d", o.Evidence)
	end := uint64(max(f.Start+f.Duration, 0))
	switch f.State {
	case factPublished:
		if out.Status, out.Words = chainPublished, deal+" waits to be activated by epoch "+fmt.Sprint(f.Start); out.Epoch > uint64(f.Start) {
			out.Status, out.Words = chainLost, fmt.Sprintf("%s was not active by its start %d: it can be activated no more, and f05 will drop it", deal, f.Start)
		}
	case factActive:
		if out.Epoch >= end {
			out.Status, out.Words = chainEnded, fmt.Sprintf("%s reached its end %d; f05 keeps it until it is settled", deal, end)
			return out, nil
		}
		return m.minerSays(ctx, o, f.Sector, end, out)
	case factGone:
		p, err := proposed(o)
		if err != nil {
			return out, err
		}
		end = uint64(p.End)
		if out.Status, out.Words = chainEnded, fmt.Sprintf("%s is gone from f05 (exit code 32), after its end %d", deal, end); out.Epoch < end {
			out.Status, out.Words = chainLost, fmt.Sprintf("%s is gone from f05 (exit code 32), before its end %d: terminated, or never active", deal, end)
		}
	case factUnknown:
		out.Status, out.Words = chainNone, deal+" is not known to f05 (exit code 17)"
	}
	return out, nil
}

// minerSays asks the miner for the sector. A faulty sector is the node's word, at its
// head; that a sector is proven is everybody's.
func (m *Maker) minerSays(ctx context.Context, o job.Offer, sector, end uint64, out job.OnChain) (job.OnChain, error) {
	what := fmt.Sprintf("sector %d of f0%d", sector, o.Miner)
	if m.d.Node == nil {
		out.Status, out.Words = chainActive, what+" holds it; no Filecoin node says how it is"
		return out, nil
	}
	at, err := m.d.Node.Locate(ctx, o.Miner, sector)
	if err != nil {
		return out, err
	}
	out.Words = what + " is " + market.SectorWords(at.Status)
	switch {
	case out.Epoch >= end:
		out.Status, out.Words = chainEnded, fmt.Sprintf("its term ended at %d; %s", end, out.Words)
	case at.Status == market.SectorActive:
		out.Status = chainActive
	case at.Status != sectorDead:
		out.Status = chainFaulty
	default:
		out.Status = chainLost
	}
	return out, nil
}

const sectorDead = 0 // as FIP-0112 numbers it

// proposed is the f05 deal of an offer over MK12.
func proposed(o job.Offer) (mk12.DealProposal, error) {
	var r proposal12
	err := json.Unmarshal(o.Request, &r)
	if err == nil {
		var p mk12.DealProposal
		if p, err = mk12.ParseDealProposal(r.Proposal); err == nil {
			return p, nil
		}
	}
	return mk12.DealProposal{}, fmt.Errorf("reading the stored proposal: %w", err)
}
