package store

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

const txColumns = `id, intent, sender, target, data, value, expiry, state, coalesce(nonce, 0), nonce IS NOT NULL, gas_limit, why, reverted,
	mined_hash, mined_block, mined_height, gas_used, fee_paid, created, updated`

func scanTx(s scanner) (x chain.Tx, err error) {
	var sender, to, value, hash, block, fee string
	var expiry, created, updated int64
	if err = s.Scan(&x.ID, &x.Intent.Key, &sender, &to, &x.Intent.Data, &value, &expiry, &x.State, &x.Nonce, &x.HasNonce, &x.GasLimit, &x.Why,
		&x.Reverted, &hash, &block, &x.MinedHeight, &x.GasUsed, &fee, &created, &updated); err != nil {
		return chain.Tx{}, err
	}
	x.Intent.Sender, x.Intent.To, x.Intent.Expiry = common.HexToAddress(sender), common.HexToAddress(to), at(expiry)
	x.MinedHash, x.MinedBlock, x.CreatedAt, x.UpdatedAt = common.HexToHash(hash), common.HexToHash(block), at(created), at(updated)
	if x.Intent.Value, err = parseAmount(value); err != nil {
		return chain.Tx{}, err
	}
	x.FeePaid, err = parseAmount(fee)
	return x, err
}

const attemptColumns = "hash, tx, raw, nonce, tip, fee_cap, empty, reply, created, broadcast"

func scanAttempt(s scanner) (a chain.Attempt, err error) {
	var hash, tip, cap string
	var created, broadcast int64
	if err = s.Scan(&hash, &a.Tx, &a.Raw, &a.Nonce, &tip, &cap, &a.Empty, &a.Reply, &created, &broadcast); err != nil {
		return chain.Attempt{}, err
	}
	a.Hash, a.CreatedAt, a.Broadcast = common.HexToHash(hash), at(created), at(broadcast)
	if a.Tip, err = parseAmount(tip); err != nil {
		return chain.Attempt{}, err
	}
	a.FeeCap, err = parseAmount(cap)
	return a, err
}

// txByID reads a transaction with its attempts, or gives job.ErrNotFound.
func txByID(ctx context.Context, t conn, id int64) (chain.Tx, error) {
	x, ok, err := one(ctx, t, scanTx, "SELECT "+txColumns+" FROM tx WHERE id = ?", id)
	if err == nil && !ok {
		err = job.ErrNotFound
	}
	if err != nil {
		return chain.Tx{}, err
	}
	x.Attempts, err = attempts(ctx, t, id)
	return x, err
}

func attempts(ctx context.Context, t conn, tx int64) ([]chain.Attempt, error) {
	return list(ctx, t, scanAttempt, "SELECT "+attemptColumns+" FROM tx_attempt WHERE tx = ? ORDER BY rowid", tx)
}

// Tx gives one transaction with its attempts, or job.ErrNotFound.
func (s *Store) Tx(ctx context.Context, id int64) (x chain.Tx, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		x, err = txByID(ctx, t, id)
		return err
	})
	if err != nil {
		return chain.Tx{}, fmt.Errorf("reading transaction %d: %w", id, err)
	}
	return x, nil
}

// OpenTxs gives a sender's transactions that have not ended, oldest first.
func (s *Store) OpenTxs(ctx context.Context, sender common.Address) (out []chain.Tx, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanTx, "SELECT "+txColumns+` FROM tx WHERE sender = ?
			AND state IN ('queued', 'prepared', 'signed', 'sent', 'mined') ORDER BY id`, address(sender))
		for i := range out {
			if err == nil {
				out[i].Attempts, err = attempts(ctx, t, out[i].ID)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing open transactions of %s: %w", sender, err)
	}
	return out, nil
}

// HighestNonce gives the highest nonce that a sender's rows hold; false when
// none does.
func (s *Store) HighestNonce(ctx context.Context, sender common.Address) (nonce uint64, ok bool, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		nonce, ok, err = one(ctx, t, value[uint64], "SELECT nonce FROM tx WHERE sender = ? AND nonce IS NOT NULL ORDER BY nonce DESC LIMIT 1", address(sender))
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("reading the highest nonce of %s: %w", sender, err)
	}
	return nonce, ok, nil
}

// ---- senders ----

// AcquireSender takes or extends the lease on a sender's key. A new owner gets a
// higher fence, which voids every older owner's writes; the same owner keeps its
// fence. It returns job.ErrFenced while another owner's lease is live, and says
// why the key is parked, "" when it may send.
func (s *Store) AcquireSender(ctx context.Context, sender common.Address, owner string, lease time.Duration, now time.Time) (fence int64, parked string, err error) {
	if owner == "" || lease <= 0 {
		return 0, "", fmt.Errorf("leasing the key %s: an owner and a lease are needed", sender)
	}
	type row struct {
		fence         int64
		parked, owner string
		until         int64
	}
	err = s.writeFull(ctx, func(ctx context.Context, t conn) error {
		if err := ensureSender(ctx, t, sender); err != nil {
			return err
		}
		r, _, err := one(ctx, t, func(s scanner) (r row, err error) {
			err = s.Scan(&r.fence, &r.parked, &r.owner, &r.until)
			return r, err
		}, "SELECT fence, parked, owner, until FROM sender WHERE address = ?", address(sender))
		if err != nil {
			return err
		}
		if r.owner != owner {
			if r.owner != "" && r.until > ms(now) {
				return fmt.Errorf("%s holds it until %s: %w", r.owner, at(r.until).Format(time.RFC3339), job.ErrFenced)
			}
			r.fence++
		}
		fence, parked = r.fence, r.parked
		_, err = exec(ctx, t, "UPDATE sender SET owner = ?, until = ?, fence = ? WHERE address = ?", owner, ms(now.Add(lease)), r.fence, address(sender))
		return err
	})
	if err != nil {
		return 0, "", fmt.Errorf("leasing the key %s: %w", sender, err)
	}
	return fence, parked, nil
}

func ensureSender(ctx context.Context, t conn, sender common.Address) error {
	_, err := exec(ctx, t, "INSERT INTO sender (address) VALUES (?) ON CONFLICT (address) DO NOTHING", address(sender))
	return err
}

// ParkSender stops a key from sending until a person has looked.
func (s *Store) ParkSender(ctx context.Context, sender common.Address, fence int64, why string) error {
	if why == "" {
		return fmt.Errorf("parking the key %s: a reason is needed", sender)
	}
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, "UPDATE sender SET parked = ? WHERE address = ? AND fence = ?", why, address(sender), fence)
		if err == nil && n == 0 {
			err = job.ErrFenced
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("parking the key %s: %w", sender, err)
	}
	return nil
}

// UnparkSender lets a key send again: a person's word, so no fence. It returns
// job.ErrNotFound for a key that never sent.
func (s *Store) UnparkSender(ctx context.Context, sender common.Address) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, "UPDATE sender SET parked = '' WHERE address = ?", address(sender))
		if err == nil && n == 0 {
			err = job.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("unparking the key %s: %w", sender, err)
	}
	return nil
}

// ---- intents ----

// QueueIntent stores an intent. The same key again gives the stored row and
// false, or job.ErrConflict when it asks for something else.
func (s *Store) QueueIntent(ctx context.Context, i chain.Intent, now time.Time) (x chain.Tx, inserted bool, err error) {
	err = s.writeFull(ctx, func(ctx context.Context, t conn) error {
		x, inserted, err = queueIntent(ctx, t, i, ms(now))
		return err
	})
	if err != nil {
		return chain.Tx{}, false, fmt.Errorf("queueing intent %s: %w", i.Key, err)
	}
	return x, inserted, nil
}

// IntentTx gives the transaction of an intent's key, or job.ErrNotFound.
func (s *Store) IntentTx(ctx context.Context, key string) (x chain.Tx, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		id, ok, err := one(ctx, t, value[int64], "SELECT id FROM tx WHERE intent = ?", key)
		if err == nil && !ok {
			err = job.ErrNotFound
		}
		if err != nil {
			return err
		}
		x, err = txByID(ctx, t, id)
		return err
	})
	if err != nil {
		return chain.Tx{}, fmt.Errorf("reading intent %s: %w", key, err)
	}
	return x, nil
}

func queueIntent(ctx context.Context, t conn, i chain.Intent, now int64) (chain.Tx, bool, error) {
	if i.Key == "" {
		return chain.Tx{}, false, fmt.Errorf("an intent needs a key")
	}
	if err := ensureSender(ctx, t, i.Sender); err != nil {
		return chain.Tx{}, false, err
	}
	n, err := exec(ctx, t, `INSERT INTO tx (intent, sender, target, data, value, expiry, state, fence, created, updated)
		VALUES (?, ?, ?, ?, ?, ?, 'queued', 0, ?, ?) ON CONFLICT (intent) DO NOTHING`,
		i.Key, address(i.Sender), address(i.To), blob(i.Data), amount(i.Value), ms(i.Expiry), now, now)
	if err != nil {
		return chain.Tx{}, false, err
	}
	id, _, err := one(ctx, t, value[int64], "SELECT id FROM tx WHERE intent = ?", i.Key)
	if err != nil {
		return chain.Tx{}, false, err
	}
	x, err := txByID(ctx, t, id)
	if err == nil && (x.Intent.Sender != i.Sender || x.Intent.To != i.To || !bytes.Equal(x.Intent.Data, i.Data) || x.Intent.Value.String() != amount(i.Value)) {
		err = fmt.Errorf("intent %s is stored with another content: %w", i.Key, job.ErrConflict)
	}
	return x, n == 1, err
}
