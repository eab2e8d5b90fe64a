package demo

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
)

const (
	day      = 2880 // epochs
	replicas = 2
	halfYear = 180 * day // the shortest term of f05
	// A copy may be renewed from its fifth day on, so that nobody has to wait for it here.
	renewWindow = halfYear - 5*day

	quickEpoch = 100 * time.Millisecond // while providers seal
	storedPart = "station-1"
)

// storeIt orders two copies of a part of the tree, among three providers of which one
// refuses, and follows them into their renewal.
func (s *show) storeIt(ctx context.Context) error {
	s.title("A wallet wants %d copies of %s with storage providers, of which one refuses all deals", replicas, storedPart)
	culprit := s.net.Market().Providers()[0]
	if err := culprit.Behave(ctx, market.Refuse); err != nil {
		return fmt.Errorf("making a provider refuse: %w", err)
	}
	root, err := s.linkOf(ctx, s.treeRoot, storedPart)
	if err != nil {
		return err
	}
	s.dealtRoot = root
	if err := s.hurry(quickEpoch); err != nil {
		return err
	}
	deal, err := s.order(ctx, root)
	if err != nil {
		return err
	}
	first, err := s.storedCopies(ctx, deal, 0)
	if err != nil {
		return err
	}
	if err := s.ranked(ctx, uint64(culprit.Endpoints().ID)); err != nil {
		return err
	}
	if err := s.renewed(ctx, deal, root, first); err != nil {
		return err
	}
	return s.hurry(s.BlockTime)
}

// hurry changes how long an epoch takes, where that makes it shorter than the show's.
func (s *show) hurry(to time.Duration) error {
	to = min(to, s.BlockTime)
	pace := s.net.Chain().Pace()
	if pace.BlockTime == to {
		return nil
	}
	pace.BlockTime = to
	if err := s.net.Chain().SetPace(pace); err != nil {
		return fmt.Errorf("changing the pace: %w", err)
	}
	s.say("clock    an epoch every %s from here on", to)
	return nil
}

// linkOf finds a directory below a root, on the daemon's node.
func (s *show) linkOf(ctx context.Context, root cid.Cid, name string) (cid.Cid, error) {
	raw, err := s.daemon.Node().Get(ctx, root)
	if err != nil {
		return cid.Undef, fmt.Errorf("reading the tree's root: %w", err)
	}
	n, err := merkledag.DecodeProtobuf(raw)
	if err != nil {
		return cid.Undef, fmt.Errorf("decoding the tree's root: %w", err)
	}
	l, err := n.GetNodeLink(name)
	if err != nil {
		return cid.Undef, fmt.Errorf("looking for %s: %w", name, err)
	}
	return l.Cid, nil
}

// terms are what the demo's clients want.
func (s *show) terms() estuarypinning.DealTerms {
	milli := func(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }
	return estuarypinning.DealTerms{
		Replicas: replicas, Term: halfYear, SealWindow: day, RenewWindow: renewWindow, Ramp: 10 * day, Rate: 1e12,
		BaseBounty: milli(50), MaxBounty: milli(200), BondFloor: milli(100), MinCollateral: new(big.Int),
		Endpoint: "http://" + s.daemon.Public() + "/piece/",
	}
}

// order is makeDealsForCid, up to open slots: the operators say which piece the content
// is, the daemon's keeper opens the deal, and the client asks whether the piece is served.
func (s *show) order(ctx context.Context, root cid.Cid) (deal uint64, err error) {
	quote, err := bind.Call(s.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackQuoteDeals(), pinningABI.UnpackQuoteDeals)
	if err != nil {
		return 0, fmt.Errorf("asking for a quote: %w", err)
	}
	terms := s.terms()
	// For two terms of each copy, and highest bounties.
	budget := new(big.Int).Mul(big.NewInt(halfYear), new(big.Int).SetUint64(terms.Rate))
	budget.Mul(budget.Add(budget, terms.MaxBounty), big.NewInt(2*replicas))
	asked := time.Now()
	s.say("wallet   makeDealsForCid(%s), %d copies for 180 days and again, with %s and a fee of %s", root, terms.Replicas, fil(budget), fil(quote))
	e, err := s.ask(ctx, userAlice, s.pinning(), new(big.Int).Add(budget, quote), pinningABI.PackMakeDealsForCid(root.Bytes(), terms))
	if err != nil {
		return 0, err
	}
	got, err := s.follow(ctx, e.RequestId, root.String(), "prepare", asked)
	if err != nil {
		return 0, err
	}
	if got.Outcome != job.Succeeded.String() {
		return 0, fmt.Errorf("preparing the piece %s: %s", got.Outcome, got.Reason)
	}
	if deal, err = s.opened(ctx, e.RequestId); err != nil {
		return 0, err
	}
	return deal, s.askServed(ctx, deal, root)
}

// opened waits until the daemon's keeper has opened what was ordered.
func (s *show) opened(ctx context.Context, request common.Hash) (deal uint64, err error) {
	err = s.until(ctx, "the deal is opened", func(ctx context.Context) (bool, error) {
		logs, err := s.logsOf(ctx, s.pinningAddr, "DealOpened(bytes32,uint64,address,uint64)", request)
		if err != nil || len(logs) == 0 {
			return false, err
		}
		e, err := pinningABI.UnpackDealOpenedEvent(&logs[0])
		if err != nil {
			return false, fmt.Errorf("decoding DealOpened: %w", err)
		}
		deal = e.DealId
		s.say("keeper   opened deal %d in transaction %s", deal, e.Raw.TxHash)
		return true, nil
	})
	return deal, err
}

// askServed has operators fetch the piece; no slot can be had without their word, which
// counts for a week.
func (s *show) askServed(ctx context.Context, deal uint64, root cid.Cid) error {
	fee, err := view(ctx, s, storageABI.PackQuoteServed(deal), storageABI.UnpackQuoteServed)
	if err != nil {
		return err
	}
	asked := time.Now()
	s.say("wallet   requestServed(%d), quoted %s", deal, fil(fee))
	e, err := s.ask(ctx, userAlice, s.storage(), fee, storageABI.PackRequestServed(deal))
	if err != nil {
		return err
	}
	got, err := s.follow(ctx, e.RequestId, root.String(), "served", asked)
	if err != nil {
		return err
	}
	if got.Outcome != job.Succeeded.String() {
		return fmt.Errorf("that the piece is served %s: %s", got.Outcome, got.Reason)
	}
	return nil
}

// storedCopies waits until a generation of all copies is proven, and compares what the
// daemon says with what the contract and the providers have.
func (s *show) storedCopies(ctx context.Context, deal uint64, generation uint64) ([]httpapi.Deal, error) {
	var active []httpapi.Deal
	seen := map[string]string{}
	err := s.until(ctx, fmt.Sprintf("%d copies are active", replicas), func(ctx context.Context) (bool, error) {
		all, err := s.dealsOf(ctx, deal)
		if err != nil {
			return false, err
		}
		active = active[:0]
		for _, d := range all {
			slot, err := slotOf(d)
			if err != nil {
				return false, err
			}
			if slot&0xffff != generation {
				continue
			}
			if words := dealText(d); words != seen[d.ID] {
				seen[d.ID] = words
				s.say("deal     slot %s to f0%d: %s", slotText(slot), d.Miner, words)
			}
			if d.State == string(job.OfferActive) {
				active = append(active, d)
			}
		}
		return len(active) == replicas, nil
	})
	if err != nil {
		return nil, err
	}
	if active[0].Miner == active[1].Miner {
		return nil, errors.New("both copies are with one provider")
	}
	for _, d := range active {
		if err := s.check(ctx, d); err != nil {
			return nil, err
		}
	}
	return active, nil
}

// ranked tells how the providers are scored, whose last must be the one that refused.
func (s *show) ranked(ctx context.Context, culprit uint64) error {
	scores, err := list[job.ProviderScore](ctx, s, "/providers")
	if err != nil {
		return err
	}
	for _, p := range scores {
		s.say("rank     f0%d scores %.3f: %d active, takes %.2f", p.Miner, p.Score, p.Deals, p.Accepted)
	}
	if n := len(scores); n == 0 || scores[n-1].Miner != culprit {
		return fmt.Errorf("f0%d refused all deals and is not the last of %d providers", culprit, n)
	}
	return nil
}

// renewed lets days pass until the copies may be renewed: they are proven and paid, and
// the next term's copies are sealed long before the first ones end.
func (s *show) renewed(ctx context.Context, deal uint64, root cid.Cid, first []httpapi.Deal) error {
	s.title("Days pass: the copies are proven each day and paid, and then renewed")
	if err := s.reach(ctx, first[0].End-renewWindow); err != nil {
		return err
	}
	if err := s.prove(ctx, first); err != nil {
		return err
	}
	if err := s.askServed(ctx, deal, root); err != nil {
		return err
	}
	next, err := s.storedCopies(ctx, deal, 1)
	if err != nil {
		return err
	}
	for _, n := range next {
		slot, err := slotOf(n)
		if err != nil {
			return err
		}
		was, err := view(ctx, s, storageABI.PackSlotOf(slot-1), storageABI.UnpackSlotOf)
		if err != nil {
			return err
		}
		if was.State != slotActive || uint64(was.End) != n.Start {
			return fmt.Errorf("slot %s is in state %d and ends at epoch %d, what follows it begins at %d", slotText(slot-1), was.State, was.End, n.Start)
		}
		s.say("renewed  slot %s begins at epoch %d, at which slot %s ends: no gap", slotText(slot), n.Start, slotText(slot-1))
	}
	return nil
}
