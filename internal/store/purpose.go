package store

import (
	"context"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// TxPurpose says whether what a transaction was queued for still stands. A batch
// is unwanted when over half of its requests are retracted, refunded, or answered:
// the contract would skip them, and the rest is better sealed anew. What is no
// batch always stands. Frozen is why the money lane is frozen.
func (s *Store) TxPurpose(ctx context.Context, id int64) (p chain.Purpose, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var items, closed int
		if err := t.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(CASE WHEN r.state = 'open' THEN 0 ELSE 1 END), 0)
			FROM batch b JOIN batch_item i ON i.batch = b.id JOIN request r ON r.id = i.request WHERE b.tx = ?`, id).Scan(&items, &closed); err != nil {
			return err
		}
		if 2*closed > items {
			p.Gone = fmt.Sprintf("of its %d requests %d are retracted, refunded or answered", items, closed)
		}
		p.Frozen, _, err = one(ctx, t, value[string], "SELECT frozen FROM cursor WHERE frozen <> '' ORDER BY filter LIMIT 1")
		return err
	})
	if err != nil {
		return chain.Purpose{}, fmt.Errorf("reading what transaction %d is for: %w", id, err)
	}
	return p, nil
}

// SpentSince adds up, in attoFIL, fees and values of a sender's transactions that
// are in a block and were written to since then. A transaction is written to when
// it becomes final too, so a day's sum may hold some that were mined before.
func (s *Store) SpentSince(ctx context.Context, sender common.Address, since time.Time) (*big.Int, error) {
	sum := new(big.Int)
	err := s.view(ctx, func(ctx context.Context, t conn) error {
		amounts, err := list(ctx, t, func(s scanner) (a [2]string, err error) {
			err = s.Scan(&a[0], &a[1])
			return a, err
		}, `SELECT fee_paid, CASE WHEN state = 'cancelled' OR reverted = 1 THEN '0' ELSE value END FROM tx
			WHERE sender = ? AND mined_hash <> '' AND updated >= ?`, address(sender), ms(since))
		for _, pair := range amounts {
			for _, text := range pair {
				n, err := parseAmount(text)
				if err != nil {
					return err
				}
				sum.Add(sum, n)
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("adding up what %s spent: %w", sender, err)
	}
	return sum, nil
}
