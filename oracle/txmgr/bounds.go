package txmgr

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/tidegate/tidegate/oracle/chain"
)

// maxMessage is the largest message that Filecoin's nodes take into their pools
// (lotus chain/messagepool, MaxMessageSize), and messageRest what of it is not
// calldata: two addresses, numbers, a signature, with room to spare.
const (
	maxMessage  = 64 << 10
	messageRest = 512
)

// tooLarge says why an intent fits into no message, "" when it does.
func tooLarge(in chain.Intent) string {
	if n := len(in.Data); n > maxMessage-messageRest {
		return fmt.Sprintf("%s: its call is %d bytes, a message has room for %d", chain.WhyRefused, n, maxMessage-messageRest)
	}
	return ""
}

// pointless says why a row should have no effect any more: its time has passed,
// or what it was made for is gone. "" when it should.
func (t *turn) pointless(ctx context.Context, row *chain.Tx) (string, error) {
	if late(row, t.s.now()) {
		return chain.WhyExpired + ": it was to be sent by " + row.Intent.Expiry.UTC().Format(time.RFC3339), nil
	}
	p, err := t.s.ledger.TxPurpose(ctx, row.ID)
	if err != nil {
		return "", fmt.Errorf("asking what transaction %d is for: %w", row.ID, err)
	}
	if p.Frozen != "" && t.waiting == "" {
		t.waiting = "the chain was reorganised deeper than final; nothing new is sent: " + p.Frozen
	}
	if p.Gone == "" {
		return "", nil
	}
	return chain.WhyUnwanted + ": " + p.Gone, nil
}

// day is the window of the spending cap.
const day = 24 * time.Hour

// withinCap reports whether need may be spent on top of what the last day cost and
// what is in flight may still cost; otherwise t.waiting says why not.
func (t *turn) withinCap(ctx context.Context, need *big.Int) (bool, error) {
	s := t.s
	if s.cfg.MaxDailySpend == nil {
		return true, nil
	}
	spent, err := s.ledger.SpentSince(ctx, s.addr, s.now().Add(-day))
	if err != nil {
		return false, fmt.Errorf("adding up what %s spent: %w", s.addr, err)
	}
	total := new(big.Int).Add(spent, need)
	total.Add(total, t.committed())
	if total.Cmp(s.cfg.MaxDailySpend) <= 0 {
		return true, nil
	}
	t.waiting = fmt.Sprintf("the daily spending cap: %s spent %s attoFIL in 24 hours and may need %s in all, the cap is %s: raise it, or wait",
		s.addr, spent, total, s.cfg.MaxDailySpend)
	return false, nil
}

// committed is the most that rows in flight may still cost.
func (t *turn) committed() *big.Int {
	total := new(big.Int)
	for i := range t.rows {
		r := &t.rows[i]
		if a := newest(r); a != nil && (r.State == chain.TxSigned || r.State == chain.TxSent) {
			total.Add(total, cost(r.GasLimit, a.FeeCap, r.Intent.Value))
		}
	}
	return total
}

// rehearse is all of sending but the sending: the bytes that would go out are
// signed, told, and forgotten. The row stays queued.
func (t *turn) rehearse(ctx context.Context, row *chain.Tx, fee Fee, gas uint64) error {
	s := t.s
	nonce, ok, err := t.nextNonce(ctx)
	if err != nil || !ok {
		return err
	}
	signed, err := s.signed(ctx, draft{to: row.Intent.To, data: row.Intent.Data, value: row.Intent.Value, nonce: nonce, gas: gas, fee: fee})
	if err != nil {
		return fmt.Errorf("signing transaction %d: %w", row.ID, err)
	}
	s.rehearsed[row.ID] = true
	s.log.Info("dry run: this would be sent now", "tx", signed.Hash().Hex(), "intent", row.Intent.Key, "nonce", nonce, "gas", gas,
		"tip", fee.Tip, "cap", fee.Cap, "most", cost(gas, fee.Cap, row.Intent.Value), "bytes", signed.Size())
	return nil
}

// stuck reports whether a row's newest attempt has waited long enough, in time and
// in blocks: a chain that makes no blocks refuses nobody.
func (t *turn) stuck(row *chain.Tx) bool {
	s := t.s
	last := newest(row)
	from, seen := s.heights[last.Hash]
	if !seen { // sent just now, or by a process before this one
		from = t.view.head.Height
		s.heights[last.Hash] = from
	}
	return s.now().Sub(last.CreatedAt) >= s.cfg.ReplaceAfter && t.view.head.Height >= from+s.cfg.ReplaceBlocks
}
