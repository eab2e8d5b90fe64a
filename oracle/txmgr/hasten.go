package txmgr

import (
	"context"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/oracle/chain"
)

// hasten keeps sent rows moving: the same bytes again from time to time, and for
// the one that blocks the others a better price, or nothing when it is too late.
func (t *turn) hasten(ctx context.Context) error {
	s := t.s
	for i := range t.rows {
		row := &t.rows[i]
		if row.State != chain.TxSent || t.view.nonce > row.Nonce {
			continue
		}
		last := newest(row)
		if t.stuck(row) && t.lowest(row) {
			why, err := t.pointless(ctx, row)
			if err != nil {
				return err
			}
			if err := t.replace(ctx, row, why != ""); err != nil {
				return err
			}
			continue
		}
		if s.now().Sub(last.Broadcast) >= s.cfg.Rebroadcast {
			if err := t.send(ctx, row, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// lowest reports whether row is the next that the chain waits for.
func (t *turn) lowest(row *chain.Tx) bool {
	for _, r := range t.rows {
		if (r.State == chain.TxSigned || r.State == chain.TxSent) && r.Nonce < row.Nonce {
			return false
		}
	}
	return true
}

// replace signs another attempt under the same nonce at a better price and sends
// it; empty gives the nonce away to a transfer to oneself. Once a row has an empty
// attempt, further ones are empty too. At the fee limit the old bytes go out again.
func (t *turn) replace(ctx context.Context, row *chain.Tx, empty bool) error {
	s := t.s
	last := newest(row)
	now, err := s.market(ctx, t.view.head)
	if err != nil {
		return err
	}
	fee, err := bump(Fee{Tip: last.Tip, Cap: last.FeeCap}, now, s.cfg.MaxTip, s.cfg.MaxFeeCap)
	if errors.Is(err, ErrFeeLimit) {
		t.waiting = fmt.Sprintf("transaction %s waits: %v", last.Hash, err)
		if s.now().Sub(last.Broadcast) >= s.cfg.Rebroadcast && row.State == chain.TxSent {
			return t.send(ctx, row, false)
		}
		return nil
	}
	if err != nil {
		return err
	}
	if within, err := t.dearer(ctx, row, fee); err != nil || !within {
		return err
	}
	if err := s.held(); err != nil {
		return err
	}
	empty = empty || last.Empty
	if err := t.sign(ctx, row, fee, empty); err != nil {
		return err
	}
	s.metrics.replaced(empty)
	s.log.Warn("transaction replaced by one with a better price", "old", last.Hash.Hex(), "tx", newest(row).Hash.Hex(), "nonce", row.Nonce, "intent", row.Intent.Key, "tip", fee.Tip, "cap", fee.Cap, "empty", empty)
	return t.send(ctx, row, true)
}

// dearer reports whether a better price for a row stays within the spending cap;
// the row's own worst case is in what is committed already.
func (t *turn) dearer(ctx context.Context, row *chain.Tx, fee Fee) (bool, error) {
	more := cost(row.GasLimit, fee.Cap, nil)
	return t.withinCap(ctx, more.Sub(more, cost(row.GasLimit, newest(row).FeeCap, nil)))
}
