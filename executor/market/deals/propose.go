package deals

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
	"github.com/tidegate/tidegate/executor/piece"
)

// proposal12 is an Offer's Request over MK12.
type proposal12 struct {
	Addrs    []string `json:"addrs"`
	Proposal []byte   `json:"proposal"` // CBOR
	Root     string   `json:"root"`
	URL      string   `json:"url"`
	Size     uint64   `json:"size"`
}

// offer20 is an Offer's Request over MK20.
type offer20 struct {
	Base string    `json:"base"`
	Deal mk20.Deal `json:"deal"`
}

// fill proposes open slots of a page of deals, whose pieces are here.
func (m *Maker) fill(ctx context.Context, epoch uint64) error {
	page, err := m.c.openSlots(ctx, epoch, m.open, pageDeals)
	if err != nil {
		return err
	}
	m.open = page.Next
	var errs []error
	var p *past // read once, for whoever is the first to need it
	for _, s := range page.List {
		if m.vain[s.SlotId] > epoch {
			continue
		}
		delete(m.vain, s.SlotId)
		if ok, err := m.present(ctx, epoch, s.SlotId, piece.Commitment{Root: s.CommP, Padded: s.PaddedSize, Payload: s.CarSize}); err != nil || !ok {
			if err != nil {
				errs = append(errs, fmt.Errorf("the piece of slot %d: %w", s.SlotId, err))
			}
			continue
		}
		if s.Verified { // a claim comes first: the contract gives DataCap to who has one
			if err := m.lacking(ctx, epoch, s); err != nil {
				errs = append(errs, err)
			}
			continue
		}
		if err := m.propose(ctx, epoch, s, &p); err != nil {
			errs = append(errs, fmt.Errorf("slot %d: %w", s.SlotId, err))
		}
	}
	return errors.Join(errs...)
}

// propose finds a provider for an open slot and stores the offer. It is sent when
// it is due, which is at once.
func (m *Maker) propose(ctx context.Context, epoch uint64, s perpetualstorage.OpenSlot, seen **past) error {
	commitment := piece.Commitment{Root: s.CommP, Padded: s.PaddedSize, Payload: s.CarSize}
	here, err := m.d.Pieces.Piece(ctx, commitment.CID().String())
	if errors.Is(err, job.ErrNotFound) {
		return nil // somebody else's to offer
	}
	if err != nil {
		return err
	}
	live, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: s.SlotId, Live: true, Limit: 1})
	if err != nil || len(live) > 0 {
		return err
	}
	w := wanted{slot: s.SlotId, incumbent: s.Incumbent, padded: s.PaddedSize}
	if s.Term != 0 {
		w.rate = new(big.Int).Div(s.Obligation, big.NewInt(int64(s.Term)))
	}
	if *seen == nil {
		p, err := m.past(ctx, 0)
		if err != nil {
			return err
		}
		*seen = &p
	}
	ranked := m.rank(**seen, w)
	deal, err := m.c.deal(ctx, epoch, s.SlotId>>24)
	if err != nil {
		return err
	}
	raw, err := m.c.proposal(ctx, epoch, s.SlotId)
	if err != nil {
		return err
	}
	p, err := mk12.ParseDealProposal(raw)
	if err != nil {
		return err
	}
	if why, err := m.collateral(ctx, &p); err != nil {
		return err
	} else if why != "" {
		m.vain[s.SlotId] = epoch + lookPeriod
		m.d.Log.Warn("an open slot is not proposed", "slot", s.SlotId, "why", why)
		return nil
	}
	for i := range ranked {
		if ranked[i].Why != "" {
			break // nobody further can have it
		}
		why, err := m.whyNot(ctx, epoch, s, p, ranked[i].Miner)
		if err != nil {
			return err
		}
		if ranked[i].Why = why; why != "" {
			continue
		}
		*seen = nil // there is one offer more
		within := min(uint64(p.Start), epoch+m.cfg.PublishWithin)
		return m.add12(ctx, epoch, s.SlotId, within, p, m.known()[ranked[i].Miner], placeOf(deal.Terms.Endpoint, commitment), here, ranked)
	}
	m.vain[s.SlotId] = epoch + lookPeriod
	return nil
}

// whyNot asks the contract whether it would take this very deal from a provider:
// money, distinct owners and organisations, term, collateral.
func (m *Maker) whyNot(ctx context.Context, epoch uint64, s perpetualstorage.OpenSlot, p mk12.DealProposal, miner uint64) (string, error) {
	return m.c.whyNot(ctx, epoch, s.SlotId, perpetualstorage.PublishedDeal{
		MinerId: miner, CommP: s.CommP, PaddedSize: p.PaddedSize, Start: p.Start, End: p.End, Verified: p.Verified,
		PricePerEpoch: p.PricePerEpoch.Int, ProviderCollateral: p.ProviderCollateral.Int, ClientCollateral: p.ClientCollateral.Int,
	})
}

// add12 stores a proposal to a provider, which has until an epoch to publish it.
func (m *Maker) add12(ctx context.Context, epoch, slot, until uint64, p mk12.DealProposal, to Provider, url string, here Piece, why []job.ProviderScore) (err error) {
	if p.Provider, err = address.NewIDAddress(to.Miner); err != nil {
		return err
	}
	cbor, err := encoded(&p)
	if err != nil {
		return err
	}
	id, err := uuid.NewRandomFromReader(m.random())
	if err != nil {
		return err
	}
	return m.add(ctx, epoch, job.Offer{
		ID: id.String(), Slot: slot, Miner: to.Miner, Protocol: job.ProtocolMK12, Piece: p.PieceCID.String(), Deadline: until,
	}, proposal12{Addrs: to.Addrs, Proposal: cbor, Root: here.Root, URL: url, Size: here.Size}, why)
}

func (m *Maker) add(ctx context.Context, epoch uint64, o job.Offer, request any, why []job.ProviderScore) (err error) {
	if o.Request, err = json.Marshal(request); err != nil {
		return err
	}
	if o.Choice, err = json.Marshal(why); err != nil {
		return err
	}
	o.DueAt, o.DueEpoch = m.d.Now(), epoch+lookPeriod
	if err := m.d.Ledger.AddOffer(ctx, o, o.DueAt); err != nil && !errors.Is(err, job.ErrConflict) {
		return err
	}
	return nil
}

func (m *Maker) random() io.Reader {
	if m.d.Rand != nil {
		return m.d.Rand
	}
	return rand.Reader
}

// verifies asks the contract what a provider will ask it: whether it wants the deal.
func (m *Maker) verifies(ctx context.Context, epoch uint64, c claim, d mk20.Deal) (bool, error) {
	v := storagegate.ICurioDealViewCurioDealView{
		DealId: new(big.Int).SetUint64(c.slot), ProviderActorId: new(big.Int).SetUint64(c.v.MinerId), PieceCidV2: d.Data.PieceCID.Bytes(),
		StartEpoch: big.NewInt(*d.Products.DDO.StartEpoch), Duration: big.NewInt(d.Products.DDO.Duration),
		AllocationId: new(big.Int), FinalizedEpoch: new(big.Int),
	}
	if id := d.Products.DDO.AllocationID; id != nil {
		v.AllocationId.SetUint64(*id)
	}
	return m.c.verifies(ctx, epoch, v)
}

func (m *Maker) add20(ctx context.Context, epoch uint64, c claim, request offer20) error {
	request.Base = c.to.Market
	request.Deal.Products.DDO.MarketAddress = m.spelled(ctx, c.to.Market)
	request.Deal.Data.SourceHTTP.URLs = []mk20.URL{{URL: placeOf(c.deal.Terms.Endpoint, c.piece), Headers: map[string][]string{}}}
	o := job.Offer{
		ID: request.Deal.Identifier.String(), Slot: c.slot, Miner: c.v.MinerId, Protocol: job.ProtocolMK20, Piece: c.piece.CID().String(),
		Deadline: uint64(c.v.SealDeadline) + day, // so long the contract waits
	}
	return m.add(ctx, epoch, o, request, claimedIt(c))
}

func claimedIt(c claim) []job.ProviderScore {
	return []job.ProviderScore{{Miner: c.v.MinerId, Why: "it claimed the slot"}}
}

// placeOf is where a deal's piece is fetched.
func placeOf(endpoint string, c piece.Commitment) string {
	if strings.HasSuffix(endpoint, "/") {
		endpoint += c.CID().String()
	}
	return endpoint
}

// spelled is the gate's address as a provider's list of contracts has it: Curio compares
// the text. Where the list lacks it, the provider will say so itself.
func (m *Maker) spelled(ctx context.Context, base string) string {
	within, cancel := m.patience(ctx)
	defer cancel()
	list, err := m.d.MK20.Contracts(within, base)
	if err != nil {
		m.d.Log.Debug("no list of contracts", "market", base, "error", err)
	}
	for _, c := range list {
		if strings.EqualFold(c, m.c.gate.Hex()) {
			return c
		}
	}
	return m.c.gate.Hex()
}

// offerFor is the deal of a claimed slot, but for whom it is offered to.
func (m *Maker) offerFor(ctx context.Context, epoch uint64, c claim) (r offer20, err error) {
	v2, err := c.piece.CIDv2()
	if err != nil {
		return r, err
	}
	slot, start := c.slot, int64(c.v.SealDeadline)
	from := uint64(start)
	if seat, err := m.c.seat(ctx, epoch, slot); err != nil {
		return r, err
	} else if slot == seat.Next { // pay begins where the one before ends
		current, err := m.c.slot(ctx, epoch, seat.Current)
		if err != nil {
			return r, err
		}
		from = max(from, uint64(current.End))
	}
	provider, err := address.NewIDAddress(c.v.MinerId)
	if err != nil {
		return r, err
	}
	gate, err := address.NewDelegatedAddress(10, m.c.gate[:])
	if err != nil {
		return r, err
	}
	id, err := ulid.New(ulid.Timestamp(m.d.Now()), m.random())
	if err != nil {
		return r, err
	}
	r.Deal = mk20.Deal{Identifier: id, Client: m.d.Client}
	r.Deal.Data.PieceCID = v2
	r.Deal.Products.Retrieval = mk20.Retrieval{Indexing: true}
	r.Deal.Products.DDO = mk20.DDO{
		Provider: provider, StartEpoch: &start, Duration: int64(from) - start + int64(c.v.Term), MarketDealID: &slot,
		NotificationAddress: gate, NotificationPayload: market.SlotPayload(slot),
	}
	return r, nil
}

// ask sends an offer that no provider has taken, and asks for one that was.
func (m *Maker) ask(ctx context.Context, o job.Offer, epoch uint64) error {
	if o.State != job.OfferProposing {
		return m.askStatus(ctx, o)
	}
	if epoch > o.Deadline {
		return nil // follow ends it
	}
	if o.Attempts == 0 {
		if why, err := m.preflight(ctx, o, epoch); err != nil || why != "" {
			return m.unasked(ctx, o, why, err)
		}
	}
	o.Attempts++ // on disk before anything is sent: what a killed process sent is asked for
	wait := backoff(o.Attempts)
	late, err := m.upTo(uint64(wait / 4))
	if err != nil {
		return err
	}
	o.DueAt = m.d.Now().Add(wait + time.Duration(late))
	if err := m.d.Ledger.UpdateOffer(ctx, o, job.OfferProposing, "", m.d.Now()); err != nil {
		if errors.Is(err, job.ErrConflict) {
			return nil
		}
		return err
	}
	var no string
	var unsent bool
	within, cancel := m.patience(ctx)
	defer cancel()
	if o.Protocol == job.ProtocolMK12 {
		no, unsent, err = m.send12(within, o)
	} else {
		no, unsent, err = m.send20(within, o)
	}
	next := o
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil && no == "":
		next.State, next.DueAt = job.OfferAccepted, m.d.Now().Add(statusEvery)
		return m.update(ctx, next, o.State, "")
	case err == nil:
		next.State, next.Reason = job.OfferFailed, whyRefused+no
		return m.update(ctx, next, o.State, no)
	case unsent && o.Attempts >= sendTries && !handed(o) && m.online(ctx):
		next.State, next.Reason = job.OfferFailed, whyUnreached+err.Error()
		return m.update(ctx, next, o.State, err.Error())
	default: // it may be there: the same is sent again, and the chain is looked at
		return m.update(ctx, next, o.State, err.Error())
	}
}

// patience is a context for one question to a provider.
func (m *Maker) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	if m.cfg.AnswerWithin == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, m.cfg.AnswerWithin)
}

// handed reports whether an offer is to who claimed its slot: nobody else can have it, so
// that one is asked for as long as the claim stands.
func handed(o job.Offer) bool {
	if o.Protocol == job.ProtocolMK20 {
		return true
	}
	p, err := proposed(o)
	return err == nil && p.Verified
}

func backoff(attempt int) time.Duration {
	return min(5*time.Second<<min(attempt, 10), 30*time.Minute)
}

// send12 sends an offer over MK12. no is the provider's words where it refuses.
func (m *Maker) send12(ctx context.Context, o job.Offer) (no string, unsent bool, err error) {
	var r proposal12
	p := mk12.DealParams{}
	if err = json.Unmarshal(o.Request, &r); err == nil {
		p.UUID, err = uuid.Parse(o.ID)
	}
	if err == nil {
		p.Proposal, err = mk12.ParseDealProposal(r.Proposal)
	}
	if err == nil {
		p.Root, err = cid.Decode(r.Root)
	}
	if err != nil {
		return "", true, fmt.Errorf("reading the stored proposal: %w", err)
	}
	p.Transfer = mk12.Transfer{URL: r.URL, Size: r.Size}
	got, err := m.d.MK12.Propose(ctx, r.Addrs, p)
	switch {
	case err != nil:
		return "", errors.Is(err, mk12.ErrUnsent), err
	case got.Accepted:
		return "", false, nil
	case o.Attempts > 1 && known(got.Message):
		return "", false, nil // the answer that was lost was a yes
	case got.Message == "":
		return "without a reason", false, nil
	}
	return got.Message, false, nil
}

// known reports whether a refusal says that the provider has the deal already: Boost
// "deal uuid is duplicate" or "identical to deal", Curio a duplicate key.
func known(words string) bool {
	words = strings.ToLower(words)
	return strings.Contains(words, "duplicate") || strings.Contains(words, "identical") || strings.Contains(words, "already exists")
}

// send20 sends an offer over MK20; where an answer may have been lost, it asks first.
func (m *Maker) send20(ctx context.Context, o job.Offer) (no string, unsent bool, err error) {
	var r offer20
	if err := json.Unmarshal(o.Request, &r); err != nil {
		return "", true, fmt.Errorf("reading the stored offer: %w", err)
	}
	if o.Attempts > 1 {
		_, err := m.d.MK20.Status(ctx, r.Base, r.Deal.Identifier)
		if err == nil {
			return "", false, nil
		}
		if !errors.Is(err, mk20.ErrUnknownDeal) {
			return "", errors.Is(err, mk20.ErrUnsent), err
		}
	}
	err = m.d.MK20.Offer(ctx, r.Base, r.Deal)
	var refusal *mk20.Refusal
	if errors.As(err, &refusal) && !refusal.Passing() {
		return refusal.Words + " (" + fmt.Sprint(refusal.Code) + ")", false, nil
	}
	return "", errors.Is(err, mk20.ErrUnsent), err
}
