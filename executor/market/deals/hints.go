package deals

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/executor/job"
)

// slotEvents are the events whose second topic is a slot that has changed, gateEvents those
// of the gate.
var (
	slotEvents = []string{"SlotClaimed", "ClaimReleased", "ClaimExpired", "SlotPublished", "SlotActivated", "SlotFaulty", "SlotClosed"}
	gateEvents = []string{"DataCapSpent"}
)

func eventIDs() (map[common.Hash]string, error) {
	out := map[common.Hash]string{}
	for _, of := range []struct {
		contract string
		parse    func() (*abi.ABI, error)
		names    []string
	}{
		{"PerpetualStorage", perpetualstorage.PerpetualStorageMetaData.ParseABI, slotEvents},
		{"StorageGate", storagegate.StorageGateMetaData.ParseABI, gateEvents},
	} {
		parsed, err := of.parse()
		if err != nil {
			return nil, err
		}
		for _, name := range of.names {
			e, ok := parsed.Events[name]
			if !ok {
				return nil, fmt.Errorf("%s has no event %s", of.contract, name)
			}
			out[e.ID] = name
		}
	}
	return out, nil
}

// hints reads which slots changed since the last time, and looks at them. How far it
// read is in the ledger, and written after what it led to.
func (m *Maker) hints(ctx context.Context, epoch uint64) error {
	key := "deals:" + strings.ToLower(m.cfg.Storage.Hex())
	from := m.cfg.Start
	text, err := m.d.Ledger.GetMeta(ctx, key)
	if err != nil && !errors.Is(err, job.ErrNotFound) {
		return err
	}
	if err == nil {
		if from, err = strconv.ParseUint(text, 10, 64); err != nil {
			return fmt.Errorf("how far events were read: %w", err)
		}
	}
	for range mostHints {
		if from > epoch {
			return nil
		}
		to := min(epoch, from+m.cfg.MaxRange-1)
		logs, err := m.d.Chain.Logs(ctx, from, to, m.cfg.Storage, m.c.gate)
		if err != nil {
			return fmt.Errorf("reading events of PerpetualStorage and its gate: %w", err)
		}
		changed := map[uint64]bool{}
		for _, l := range logs {
			if len(l.Topics) > 2 && m.events[l.Topics[0]] != "" {
				changed[binary.BigEndian.Uint64(l.Topics[2][24:])] = true
			}
		}
		for slot := range changed {
			if err := m.changed(ctx, epoch, slot); err != nil {
				return fmt.Errorf("slot %d: %w", slot, err)
			}
		}
		from = to + 1
		if err := m.d.Ledger.SetMeta(ctx, key, strconv.FormatUint(from, 10)); err != nil {
			return err
		}
	}
	return nil
}

// changed looks at a slot of which an event was seen.
func (m *Maker) changed(ctx context.Context, epoch, slot uint64) error {
	v, err := m.c.slot(ctx, epoch, slot)
	if err != nil {
		return err
	}
	live, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: slot, Live: true, Limit: 1})
	if err != nil {
		return err
	}
	over := true
	if len(live) > 0 {
		o, err := m.followAt(ctx, live[0], v, epoch)
		if err != nil {
			return err
		}
		over = o.State.Over()
	}
	switch {
	case v.State == slotClaimed:
		return m.claimed(ctx, epoch, slot, v)
	case over && (v.State == slotPublished || v.State == slotActive):
		if v.Route == routeExtension {
			return m.extended(ctx, epoch, slot, v.MinerId)
		}
		return m.late(ctx, epoch, slot, v.MinerId)
	}
	return nil
}

// late follows on with a provider that published after it was given up, as a new offer: the
// contract has its deal.
func (m *Maker) late(ctx context.Context, epoch, slot, miner uint64) error {
	of, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: slot, Miner: miner, State: job.OfferFailed, Limit: 1})
	if err != nil || len(of) == 0 {
		return err
	}
	return m.followOn(ctx, epoch, of[0], slot, of[0].ID+lateSuffix, "it has the slot, after it was given up")
}

// extended follows a slot that its miner renewed by extending the sector of the slot before
// it: nothing was offered, and the offer of that slot goes on as a new one.
func (m *Maker) extended(ctx context.Context, epoch, slot, miner uint64) error {
	const most = 1000
	made, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Miner: miner, Limit: most})
	if err != nil {
		return err
	}
	for _, o := range made { // newest first
		if o.Slot>>16 == slot>>16 && o.Slot < slot && !o.ActiveAt.IsZero() {
			id, _, _ := strings.Cut(o.ID, extendedInfix)
			return m.followOn(ctx, epoch, o, slot, fmt.Sprintf("%s%s%d", id, extendedInfix, slot&0xffff), "it extended the sector of the slot before")
		}
	}
	return nil // somebody else's
}

// followOn stores an offer that nobody is sent or asked about: the contract tells of it.
func (m *Maker) followOn(ctx context.Context, epoch uint64, of job.Offer, slot uint64, id, why string) (err error) {
	o := job.Offer{
		ID: id, Slot: slot, Miner: of.Miner, Protocol: of.Protocol, Piece: of.Piece, Request: of.Request,
		Deadline: epoch + day, DueAt: m.d.Now().Add(day * 30 * time.Second), DueEpoch: epoch,
	}
	if o.Choice, err = json.Marshal([]job.ProviderScore{{Miner: of.Miner, Why: why}}); err != nil {
		return err
	}
	if err := m.d.Ledger.AddOffer(ctx, o, m.d.Now()); err != nil && !errors.Is(err, job.ErrConflict) {
		return err
	}
	return nil
}

const (
	lateSuffix = "-late" // of an offer that was given up
	// extendedInfix is followed by the generation of a slot that was renewed by extension.
	extendedInfix = "-extended"
)
