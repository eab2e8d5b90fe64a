package deals

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
)

// slotEvents are the events whose second topic is a slot that has changed.
var slotEvents = []string{"SlotClaimed", "ClaimReleased", "ClaimExpired", "SlotPublished", "SlotActivated", "SlotFaulty", "SlotClosed"}

func eventIDs() (map[common.Hash]string, error) {
	abi, err := perpetualstorage.PerpetualStorageMetaData.ParseABI()
	if err != nil {
		return nil, err
	}
	out := map[common.Hash]string{}
	for _, name := range slotEvents {
		e, ok := abi.Events[name]
		if !ok {
			return nil, fmt.Errorf("PerpetualStorage has no event %s", name)
		}
		out[e.ID] = name
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
		logs, err := m.d.Chain.Logs(ctx, from, to, m.cfg.Storage)
		if err != nil {
			return fmt.Errorf("reading events of PerpetualStorage: %w", err)
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
	live, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Slot: slot, Live: true, Limit: 1})
	if err != nil {
		return err
	}
	if len(live) > 0 {
		o, err := m.follow(ctx, live[0], epoch)
		if err != nil || !o.State.Over() {
			return err
		}
	}
	return m.claimed(ctx, epoch, slot)
}
