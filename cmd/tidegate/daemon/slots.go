package daemon

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/market"
)

// slots is the list of open slots, nil where no contract is named.
func (d *Daemon) slots() httpapi.Slots {
	c := d.cfg.Chain
	if c.Storage == "" {
		return nil
	}
	storage := market.NewStorage(contracts{d}, common.HexToAddress(c.Storage)).WithPools(common.HexToAddress(c.Pools))
	return Claimable{market.NewSlots(storage, c.PollInterval.D(), nil)}
}

// contracts is the endpoints as market reads contracts; they are opened after it is made.
type contracts struct{ d *Daemon }

// Head implements market.Chain.
func (c contracts) Head(ctx context.Context) (uint64, error) {
	h, err := c.d.endpoints.HeaderByTag(ctx, "latest")
	return h.Height, err
}

// Call implements market.Chain.
func (c contracts) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	out, err := c.d.endpoints.Call(ctx, to, data, height)
	if reverted(err) {
		err = fmt.Errorf("%w: %w", market.ErrReverted, err)
	}
	return out, err
}

// Claimable is the list of open slots as the public port and the command line show it.
type Claimable struct{ *market.Slots }

// OpenSlots implements httpapi.Slots.
func (c Claimable) OpenSlots(ctx context.Context, after uint64, limit int) (httpapi.SlotPage, error) {
	got, err := c.Page(ctx, after, limit)
	if err != nil {
		return httpapi.SlotPage{}, err
	}
	page := httpapi.SlotPage{Head: got.Head}
	for _, s := range got.Slots {
		page.Items = append(page.Items, httpapi.OpenSlot{
			ID: decimal(s.ID), Deal: s.Deal, Index: s.Index, Generation: s.Generation, CID: s.CID, Piece: s.Piece, PieceV2: s.PieceV2, Padded: s.Padded,
			CARSize: s.CARSize, URL: s.URL, Verified: s.Verified, Term: s.Term, SealWindow: s.SealWindow, Bounty: atto(s.Bounty), Rate: atto(s.Rate),
			Obligation: atto(s.Obligation), Bond: atto(s.Bond), Incumbent: s.Incumbent,
			Client: strings.ToLower(s.Client.Hex()), Money: s.Money, Extend: extension(s.Extend),
		})
	}
	if got.Next != 0 {
		page.Next = decimal(got.Next)
	}
	return page, nil
}

// Slot implements httpapi.Slots.
func (c Claimable) Slot(ctx context.Context, q httpapi.SlotQuery) (httpapi.SlotDetail, error) {
	head, s, err := c.Slots.Slot(ctx, q.ID, q.Miner, common.HexToAddress(q.Caller))
	if err != nil {
		return httpapi.SlotDetail{}, err
	}
	d := httpapi.SlotDetail{
		Head: head, ID: decimal(s.ID), Deal: s.Deal, State: s.State.String(), Faulty: s.Faulty, Miner: s.Miner, Bond: atto(s.Bond), Obligation: atto(s.Obligation),
		Earned: atto(s.Earned), SealDeadline: s.SealDeadline, Start: s.Start, End: s.End, LastProof: s.LastProof, Evidence: s.Evidence, Sector: s.Sector,
		NextOpening: s.NextOpening, Extend: extension(s.Extend),
	}
	if s.Payee != (common.Address{}) {
		d.Payee = strings.ToLower(s.Payee.Hex())
	}
	for _, source := range s.Sources {
		d.Sources = append(d.Sources, httpapi.SlotSource{Miner: source.Miner, URL: source.URL})
	}
	if p := s.Preview; p != nil {
		d.Preview = &httpapi.ClaimPreview{Reason: p.Reason, Words: market.Why(p.Reason), Bond: atto(p.Bond), Obligation: atto(p.Obligation)}
	}
	return d, nil
}

func extension(e *market.Extension) *httpapi.Extension {
	if e == nil {
		return nil
	}
	return &httpapi.Extension{
		Slot: decimal(e.Slot), Miner: e.Miner, Sector: e.Sector, Before: e.Before, Others: e.Others, Until: e.Until,
		Bounty: atto(e.Bounty), Obligation: atto(e.Obligation), Bond: atto(e.Bond),
	}
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }

func atto(n *big.Int) string { return fmt.Sprint(n) }
