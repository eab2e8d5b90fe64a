package deals

import (
	"context"
	"encoding/hex"
	"fmt"
)

// keep makes one call that is due among a page of deals: openRenewal, expireClaim, or
// checkDeal for a slot that ended.
func (m *Maker) keep(ctx context.Context, epoch uint64) error {
	next, err := m.c.nextDeal(ctx, epoch)
	if err != nil {
		return err
	}
	if m.keepFrom >= next {
		m.keepFrom = 0
	}
	due, err := m.c.due(ctx, epoch, m.keepFrom, pageDeals)
	if err != nil {
		return err
	}
	if !due.CanExec {
		m.keepFrom = max(m.keepFrom, 1) + pageDeals
		return nil
	}
	return m.call(ctx, "due-"+hex.EncodeToString(due.ExecPayload[:min(len(due.ExecPayload), 100)]), 0, epoch, due.ExecPayload)
}

// keepAgain is how many epochs a call has to be in effect, before it is made again.
const keepAgain = 120

// call makes a call of PerpetualStorage once in keepAgain epochs.
func (m *Maker) call(ctx context.Context, what string, slot, epoch uint64, data []byte) error {
	key := fmt.Sprintf("keep:%s:%s:%d:%d", m.cfg.Storage.Hex(), what, slot, epoch/keepAgain)
	if err := m.d.Send(ctx, key, m.cfg.Storage, data); err != nil {
		return fmt.Errorf("queueing %s: %w", what, err)
	}
	return nil
}
