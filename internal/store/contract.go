package store

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Contracts that were added at run time are settings of the ledger: where each was
// deployed, and from which height on it is read with all others.
const (
	contractStart  = "contract.start."
	contractJoined = "contract.joined."
)

// AddContract makes a contract watched from its deployment on. Adding it again
// with the same height changes nothing; with another one it is job.ErrConflict.
func (s *Store) AddContract(ctx context.Context, contract common.Address, start uint64) error {
	if err := s.SetMetaOnce(ctx, contractStart+address(contract), strconv.FormatUint(start, 10)); err != nil {
		return fmt.Errorf("adding contract %s: %w", contract, err)
	}
	return nil
}

// Contracts lists the contracts that AddContract added, by address.
func (s *Store) Contracts(ctx context.Context) (out []chain.Contract, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (c chain.Contract, err error) {
			var key, start, joined string
			if err := s.Scan(&key, &start, &joined); err != nil {
				return c, err
			}
			c.Address = common.HexToAddress(strings.TrimPrefix(key, contractStart))
			if c.Start, err = strconv.ParseUint(start, 10, 63); err != nil {
				return c, fmt.Errorf("%s: %w", key, err)
			}
			c.Joined, err = strconv.ParseInt(joined, 10, 64)
			return c, err
		}, `SELECT a.key, a.value, coalesce((SELECT j.value FROM meta j WHERE j.key = ? || substr(a.key, ?)), '-1')
			FROM meta a WHERE a.key >= ? AND a.key < ? ORDER BY a.key`,
			contractJoined, len(contractStart)+1, contractStart, contractStart+"~")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing added contracts: %w", err)
	}
	return out, nil
}

// JoinContract fixes, once, the height above which an added contract is read with
// all others, and gives it.
func (s *Store) JoinContract(ctx context.Context, contract common.Address, height uint64) (joined uint64, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		key := contractJoined + address(contract)
		if _, err := exec(ctx, t, "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO NOTHING", key, strconv.FormatUint(height, 10)); err != nil {
			return err
		}
		have, _, err := one(ctx, t, value[string], "SELECT value FROM meta WHERE key = ?", key)
		if err != nil {
			return err
		}
		joined, err = strconv.ParseUint(have, 10, 63)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("joining contract %s: %w", contract, err)
	}
	return joined, nil
}
