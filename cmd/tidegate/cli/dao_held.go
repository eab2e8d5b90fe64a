package cli

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/market"
)

// heldView says how the CID of a proposal is held for the DAO: by its pin, and by its
// deal. Amounts are attoFIL.
type heldView struct {
	Accepted bool       `json:"accepted"`
	Pin      string     `json:"pin"`
	Until    *time.Time `json:"pinnedUntil,omitempty"`
	Deal     *dealView  `json:"deal,omitempty"`
}

type dealView struct {
	ID       uint64        `json:"id"`
	Status   string        `json:"status"`
	Piece    common.Hash   `json:"commP"`
	Padded   uint64        `json:"paddedSize"`
	Free     string        `json:"free"`
	Replicas []replicaView `json:"replicas"`
}

type replicaView struct {
	Slot   uint64       `json:"slot"`
	State  string       `json:"state"`
	Faulty bool         `json:"faulty,omitempty"`
	Miner  uint64       `json:"miner,omitempty"`
	End    uint32       `json:"end,omitempty"`  // epoch
	Next   *replicaView `json:"next,omitempty"` // its renewal
}

// Names of the enumerations of IEstuaryPinning and IPerpetualStorage.
var (
	pinStates  = []string{"none", "requested", "pinned", "failed", "expired"}
	dealStates = []string{"none", "preparing", "open", "cancelled"}
	slotStates = []string{"open", "claimed", "published", "active", "ended", "lost", "terminated"}
)

// readHeld asks EstuaryPinning and PerpetualStorage about the DAO's CID.
func readHeld(ctx context.Context, d *daoAt, cid []byte) (*heldView, error) {
	by, err := readDao(ctx, d, d.c.PackAcceptedBy(cid), d.c.UnpackAcceptedBy)
	if err != nil {
		return nil, err
	}
	at, err := readDao(ctx, d, d.c.PackPinning(), d.c.UnpackPinning)
	if err != nil {
		return nil, err
	}
	p, opts := estuarypinning.NewEstuaryPinning(), &bind.CallOpts{Context: ctx}
	pinning := p.Instance(d.client, at)
	pin, err := bind.Call(pinning, opts, p.PackStatusOf0(cid, d.addr), p.UnpackStatusOf0)
	if err != nil {
		return nil, fmt.Errorf("asking for the pin: %w", err)
	}
	v := &heldView{Accepted: by.Sign() > 0, Pin: daoWord(pinStates, pin.Status)}
	if pin.Expiry.Sign() > 0 {
		until := moment(pin.Expiry)
		v.Until = &until
	}
	deal, err := readDao(ctx, d, d.c.PackStorageOf(cid), d.c.UnpackStorageOf)
	if err != nil || deal == 0 {
		return v, err
	}
	store, err := bind.Call(pinning, opts, p.PackPerpetualStorage(), p.UnpackPerpetualStorage)
	if err != nil {
		return nil, fmt.Errorf("asking for PerpetualStorage: %w", err)
	}
	v.Deal, err = readDeal(ctx, d, store, deal)
	return v, err
}

func readDeal(ctx context.Context, d *daoAt, store common.Address, id uint64) (*dealView, error) {
	s, opts := perpetualstorage.NewPerpetualStorage(), &bind.CallOpts{Context: ctx}
	at := s.Instance(d.client, store)
	deal, err := bind.Call(at, opts, s.PackDealOf(id), s.UnpackDealOf)
	if err != nil {
		return nil, fmt.Errorf("asking for deal %d: %w", id, err)
	}
	v := &dealView{ID: id, Status: daoWord(dealStates, deal.Status), Piece: deal.CommP, Padded: deal.PaddedSize, Free: deal.Free.String()}
	for index := range deal.Terms.Replicas {
		seat, err := bind.Call(at, opts, s.PackSeatOf(id, index), s.UnpackSeatOf)
		if err != nil {
			return nil, fmt.Errorf("asking for seat %d of deal %d: %w", index, id, err)
		}
		read := func(id uint64) (replicaView, error) {
			slot, err := bind.Call(at, opts, s.PackSlotOf(id), s.UnpackSlotOf)
			if err != nil {
				return replicaView{}, fmt.Errorf("asking for slot %d: %w", id, err)
			}
			return replicaView{Slot: id, State: daoWord(slotStates, slot.State), Faulty: slot.Faulty, Miner: slot.MinerId, End: slot.End}, nil
		}
		r, err := read(seat.Current)
		if err != nil {
			return nil, err
		}
		if seat.Next != 0 {
			next, err := read(seat.Next)
			if err != nil {
				return nil, err
			}
			r.Next = &next
		}
		v.Replicas = append(v.Replicas, r)
	}
	return v, nil
}

// storedText is how many replicas are proven, of how many: "2/3 active", with what is the
// matter with the others.
func (v *heldView) storedText() string {
	if v == nil || v.Deal == nil {
		return "-"
	}
	active, faulty := 0, 0
	for _, r := range v.Deal.Replicas {
		if r.State == "active" {
			active++
			if r.Faulty {
				faulty++
			}
		}
	}
	text := fmt.Sprintf("deal %d, %d/%d active", v.Deal.ID, active, len(v.Deal.Replicas))
	if faulty > 0 {
		text += fmt.Sprintf(", %d faulty", faulty)
	}
	if v.Deal.Status != "open" {
		text += ", " + v.Deal.Status
	}
	return text
}

func (v *heldView) pinText() string {
	if v == nil {
		return "-"
	}
	if v.Until == nil {
		return v.Pin
	}
	return v.Pin + " until " + v.Until.Format(time.RFC3339)
}

func (v *heldView) storageText() string {
	if v.Deal == nil {
		return "no"
	}
	free, _ := new(big.Int).SetString(v.Deal.Free, 10)
	text := fmt.Sprintf("deal %d, %s, %s not reserved", v.Deal.ID, v.Deal.Status, filText(free))
	for i, r := range v.Deal.Replicas {
		text += fmt.Sprintf("; replica %d %s", i, r.State)
		if r.Faulty {
			text += ", faulty,"
		}
		if r.Miner != 0 {
			text += fmt.Sprintf(" by f0%d", r.Miner)
		}
		if r.End != 0 {
			text += fmt.Sprintf(" until epoch %d", r.End)
		}
		if r.Next != nil {
			text += ", its renewal " + r.Next.State
		}
	}
	return text
}

func daoAttest(ctx context.Context, c *cli.Command, d *daoAt) error {
	id, err := proposalID(c)
	if err != nil {
		return err
	}
	v, err := readProposal(ctx, d, id)
	if err != nil {
		return err
	}
	most := market.DAOSizeSlack * v.Size
	if c.IsSet("max-bytes") {
		most = c.Uint64("max-bytes")
	}
	fee, err := readDao(ctx, d, d.c.PackQuoteSize(most), d.c.UnpackQuoteSize)
	if err != nil {
		return err
	}
	done, err := d.send(ctx, c, fee, d.c.PackRequestSize(id, most))
	if err != nil {
		return err
	}
	done.Proposal = id.Uint64()
	return sayDao(c, done, fmt.Sprintf("Operators are asked for the size of proposal %s, up to %s, for %s", id, bytesText(most), filText(fee)))
}
