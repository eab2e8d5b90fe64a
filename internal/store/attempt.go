package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Attempt re-reads stored bytes; broadcasting them again is always allowed. It
// returns job.ErrNotFound for a hash that is not ours.
func (s *Store) Attempt(ctx context.Context, hash common.Hash) (a chain.Attempt, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		a, err = attemptByHash(ctx, t, hash)
		return err
	})
	if err != nil {
		return chain.Attempt{}, fmt.Errorf("reading attempt %s: %w", hash, err)
	}
	return a, nil
}

func attemptByHash(ctx context.Context, t conn, h common.Hash) (chain.Attempt, error) {
	a, ok, err := one(ctx, t, scanAttempt, "SELECT "+attemptColumns+" FROM tx_attempt WHERE hash = ?", hash(h))
	if err == nil && !ok {
		err = job.ErrNotFound
	}
	return a, err
}

// AttemptUnderFence re-reads stored bytes for their first broadcast: only the
// holder of the sender's current fence gets them, others job.ErrFenced.
func (s *Store) AttemptUnderFence(ctx context.Context, sender common.Address, fence int64, hash common.Hash) (a chain.Attempt, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		if a, err = attemptByHash(ctx, t, hash); err != nil {
			return err
		}
		_, ok, err := one(ctx, t, value[int64], "SELECT tx.id FROM tx JOIN sender ON sender.address = tx.sender WHERE tx.id = ? AND sender.address = ? AND sender.fence = ?",
			a.Tx, address(sender), fence)
		if err == nil && !ok {
			err = job.ErrFenced
		}
		return err
	})
	if err != nil {
		return chain.Attempt{}, fmt.Errorf("reading attempt %s: %w", hash, err)
	}
	return a, nil
}

// underFence runs fn on a transaction whose sender's fence is the caller's.
func (s *Store) underFence(ctx context.Context, doing string, id, fence int64, fn func(ctx context.Context, t conn, x chain.Tx) error) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		return withTx(ctx, t, id, fence, fn)
	})
	if isUnique(err) {
		err = fmt.Errorf("%w (%w)", job.ErrConflict, err)
	}
	if err != nil {
		return fmt.Errorf("%s transaction %d: %w", doing, id, err)
	}
	return nil
}

func withTx(ctx context.Context, t conn, id, fence int64, fn func(ctx context.Context, t conn, x chain.Tx) error) error {
	x, err := txByID(ctx, t, id)
	if err != nil {
		return err
	}
	current, _, err := one(ctx, t, value[int64], "SELECT fence FROM sender WHERE address = ?", address(x.Intent.Sender))
	if err != nil {
		return err
	}
	if current != fence {
		return fmt.Errorf("the key's fence is %d, not %d: %w", current, fence, job.ErrFenced)
	}
	return fn(ctx, t, x)
}

// moveTx sets columns of a transaction.
func moveTx(ctx context.Context, t conn, id, fence, now int64, set string, args ...any) error {
	_, err := exec(ctx, t, "UPDATE tx SET "+set+", fence = ?, updated = ? WHERE id = ?", append(args, fence, now, id)...)
	return err
}

func refuse(x chain.Tx, unless string) error {
	return fmt.Errorf("it is %s, not %s: %w", x.State, unless, job.ErrConflict)
}

// PrepareTx gives a queued transaction its nonce and gas limit. It returns
// job.ErrConflict when the sender has another undecided one or the nonce is
// taken.
func (s *Store) PrepareTx(ctx context.Context, id, fence int64, nonce, gasLimit uint64, now time.Time) error {
	return s.underFence(ctx, "preparing", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		if x.State != chain.TxQueued {
			return refuse(x, "queued")
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'prepared', nonce = ?, gas_limit = ?", int64(nonce), int64(gasLimit))
	})
}

// RequeueTx takes a prepared transaction back; its nonce is free again.
func (s *Store) RequeueTx(ctx context.Context, id, fence int64, now time.Time) error {
	return s.underFence(ctx, "requeueing", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		if x.State != chain.TxPrepared {
			return refuse(x, "prepared")
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'queued', nonce = NULL")
	})
}

// SignTx stores signed bytes; they are on disk when it returns, and may be
// broadcast only then. The first attempt moves a prepared transaction to signed;
// on a signed or sent one it adds a replacement. The same bytes again change
// nothing.
func (s *Store) SignTx(ctx context.Context, id, fence int64, a chain.Attempt, now time.Time) error {
	return s.underFence(ctx, "storing the signature of", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		for _, old := range x.Attempts {
			if old.Hash == a.Hash {
				return nil
			}
		}
		switch {
		case len(a.Raw) == 0:
			return fmt.Errorf("attempt %s has no bytes", a.Hash)
		case x.State != chain.TxPrepared && x.State != chain.TxSigned && x.State != chain.TxSent:
			return refuse(x, "prepared, signed or sent")
		case a.Nonce != x.Nonce:
			return fmt.Errorf("attempt %s has nonce %d, the row has %d: %w", a.Hash, a.Nonce, x.Nonce, job.ErrConflict)
		}
		if _, err := exec(ctx, t, "INSERT INTO tx_attempt (hash, tx, raw, nonce, tip, fee_cap, fence, empty, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			hash(a.Hash), id, a.Raw, int64(a.Nonce), amount(a.Tip), amount(a.FeeCap), fence, flag(a.Empty), ms(now)); err != nil {
			return err
		}
		if x.State != chain.TxPrepared {
			return nil
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'signed'")
	})
}

// MarkBroadcast stores an endpoint's reply to an attempt, one of the chain.Reply
// classes with words after it; accepted moves a signed transaction to sent.
func (s *Store) MarkBroadcast(ctx context.Context, h common.Hash, fence int64, reply string, accepted bool, now time.Time) error {
	loose := accepted || !definitive(reply)
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		a, err := attemptByHash(ctx, t, h)
		if err != nil {
			return err
		}
		return withTx(ctx, t, a.Tx, fence, func(ctx context.Context, t conn, x chain.Tx) error {
			if _, err := exec(ctx, t, "UPDATE tx_attempt SET reply = ?, broadcast = ?, loose = CASE WHEN ? = 1 THEN 1 ELSE loose END WHERE hash = ?", reply, ms(now), flag(loose), hash(h)); err != nil {
				return err
			}
			if !accepted || x.State != chain.TxSigned {
				return nil
			}
			return moveTx(ctx, t, x.ID, fence, ms(now), "state = 'sent'")
		})
	})
	if err != nil {
		return fmt.Errorf("storing the reply to attempt %s: %w", h, err)
	}
	return nil
}

func definitive(reply string) bool { return strings.HasPrefix(reply, chain.ReplyDefinitive) }

// MarkMined stores where an attempt landed. One that landed without a good reply
// counts as sent first; one that moved to another block is stored anew.
func (s *Store) MarkMined(ctx context.Context, id, fence int64, m chain.Mined, now time.Time) error {
	return s.underFence(ctx, "storing the block of", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		known := false
		for _, a := range x.Attempts {
			known = known || a.Hash == m.Hash
		}
		if !known {
			return fmt.Errorf("%s is none of its attempts: %w", m.Hash, job.ErrConflict)
		}
		switch x.State {
		case chain.TxMined, chain.TxSent:
		case chain.TxSigned:
			if err := moveTx(ctx, t, id, fence, ms(now), "state = 'sent'"); err != nil {
				return err
			}
		default:
			return refuse(x, "signed, sent or mined")
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'mined', mined_hash = ?, mined_block = ?, mined_height = ?, gas_used = ?, fee_paid = ?, reverted = ?, why = ?",
			hash(m.Hash), hash(m.Block), int64(m.Height), int64(m.GasUsed), amount(m.FeePaid), flag(m.Reverted), m.Why)
	})
}

// MarkUnmined takes a mined transaction back to sent: its block is gone.
func (s *Store) MarkUnmined(ctx context.Context, id, fence int64, now time.Time) error {
	return s.underFence(ctx, "taking back", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		if x.State != chain.TxMined {
			return refuse(x, "mined")
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'sent', "+unmined+", why = ''")
	})
}

const unmined = "mined_hash = '', mined_block = '', mined_height = 0, gas_used = 0, fee_paid = '0', reverted = 0"

// MarkFinal ends a mined transaction whose block is final: final, or cancelled
// when what landed is an empty attempt.
func (s *Store) MarkFinal(ctx context.Context, id, fence int64, now time.Time) error {
	return s.underFence(ctx, "finalising", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		switch {
		case x.State == chain.TxFinal:
			return nil
		case x.State != chain.TxMined:
			return refuse(x, "mined")
		}
		for _, a := range x.Attempts {
			if a.Hash == x.MinedHash && a.Empty {
				return moveTx(ctx, t, id, fence, ms(now), "state = 'cancelled', why = ?", "its nonce was freed by an empty transaction")
			}
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'final'")
	})
}

// CancelTx ends a transaction that will have no effect. A queued or prepared
// one, or a signed one whose attempts were all refused definitively and never
// answered otherwise, gives its nonce back. A sent one can be cancelled only when
// one of its attempts is empty, and keeps its nonce.
func (s *Store) CancelTx(ctx context.Context, id, fence int64, why string, now time.Time) error {
	return s.underFence(ctx, "cancelling", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		nonce := ", nonce = NULL"
		switch x.State {
		case chain.TxCancelled:
			return nil
		case chain.TxQueued, chain.TxPrepared:
		case chain.TxSigned:
			out, _, err := one(ctx, t, value[int64], "SELECT count(*) FROM tx_attempt WHERE tx = ? AND (loose = 1 OR broadcast = 0)", id)
			if err != nil {
				return err
			}
			if out > 0 {
				return fmt.Errorf("%d of its attempts may be in a pool: %w", out, job.ErrConflict)
			}
		case chain.TxSent:
			empty := false
			for _, a := range x.Attempts {
				empty = empty || a.Empty
			}
			if !empty {
				return fmt.Errorf("it is sent and no empty attempt took its nonce: %w", job.ErrConflict)
			}
			nonce = ""
		default:
			return refuse(x, "queued, prepared, signed or sent")
		}
		return moveTx(ctx, t, id, fence, ms(now), "state = 'cancelled', why = ?"+nonce, why)
	})
}

// MarkReplaced ends a transaction whose nonce went to one that is not ours. The
// row keeps the nonce.
func (s *Store) MarkReplaced(ctx context.Context, id, fence int64, why string, now time.Time) error {
	return s.underFence(ctx, "marking as replaced", id, fence, func(ctx context.Context, t conn, x chain.Tx) error {
		switch x.State {
		case chain.TxReplaced:
			return nil
		case chain.TxSigned, chain.TxSent, chain.TxMined:
			return moveTx(ctx, t, id, fence, ms(now), "state = 'replaced', why = ?, "+unmined, why)
		default:
			return refuse(x, "signed, sent or mined")
		}
	})
}
