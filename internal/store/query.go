package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

func limit(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return min(n, maxLimit)
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(dest ...any) error }

// list reads all rows of a query.
func list[T any](ctx context.Context, t conn, scan func(scanner) (T, error), query string, args ...any) ([]T, error) {
	rows, err := t.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []T
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// one reads the only row of a query, or reports that there is none.
func one[T any](ctx context.Context, t conn, scan func(scanner) (T, error), query string, args ...any) (T, bool, error) {
	v, err := scan(t.QueryRowContext(ctx, query, args...))
	if errors.Is(err, sql.ErrNoRows) {
		var zero T
		return zero, false, nil
	}
	return v, err == nil, err
}

func value[T any](s scanner) (v T, err error) { err = s.Scan(&v); return v, err }

// exec runs a statement and says how many rows it changed.
func exec(ctx context.Context, t conn, query string, args ...any) (int64, error) {
	r, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// rowInserter is a conn that has a way of its own to insert many rows.
type rowInserter interface {
	insertRows(ctx context.Context, head string, cols int, vals []any) error
}

// bulk inserts rows of cols values each into head, a table with its columns.
func bulk(ctx context.Context, t conn, head string, cols int, vals []any) error {
	switch in, ok := t.(rowInserter); {
	case len(vals) == 0:
		return nil
	case ok:
		return in.insertRows(ctx, head, cols, vals)
	}
	return insertTogether(ctx, t, head, cols, vals)
}

// insertTogether inserts "head VALUES (…),(…)", many rows with one statement.
func insertTogether(ctx context.Context, t conn, head string, cols int, vals []any) error {
	const sep = ","
	per := max(1, maxVars/cols)
	row := marks(cols)
	full := ""
	for len(vals) > 0 {
		n := min(per, len(vals)/cols)
		q := full
		if n < per || full == "" {
			q = insertMany + head + " VALUES " + strings.TrimSuffix(strings.Repeat(row+sep, n), sep)
			if n == per {
				full = q
			}
		}
		if _, err := t.ExecContext(ctx, q, vals[:n*cols]...); err != nil {
			return err
		}
		vals = vals[n*cols:]
	}
	return nil
}

// among reads "head (?,?,…)" in chunks over keys.
func among[T any](ctx context.Context, t conn, scan func(scanner) (T, error), head string, keys []any) ([]T, error) {
	var out []T
	for len(keys) > 0 {
		n := min(maxVars, len(keys))
		rows, err := list(ctx, t, scan, head+marks(n), keys[:n]...)
		if err != nil {
			return nil, err
		}
		out, keys = append(out, rows...), keys[n:]
	}
	return out, nil
}

// ---- values ----

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func at(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func hash(h common.Hash) string       { return hexutil.Encode(h[:]) }
func address(a common.Address) string { return hexutil.Encode(a[:]) }

// optional gives "" for the zero hash.
func optional(h common.Hash) string {
	if h == (common.Hash{}) {
		return ""
	}
	return hash(h)
}

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// blob makes nil bytes an empty value rather than NULL.
func blob(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func amount(v *big.Int) string {
	if v == nil {
		return "0"
	}
	return v.String()
}

func parseAmount(s string) (*big.Int, error) {
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return nil, fmt.Errorf("amount %q is not a number", s)
	}
	return v, nil
}

// ---- jobs ----

const jobColumns = `id, key, kind, class, state, request, requester, payload, lane, height, ready, attempt, run_at, deadline,
	not_before, node_id, lease_owner, lease_until, fence, outcome, reason, last_error, progress, trace, created, updated`

func scanJob(s scanner) (job.Job, error) {
	var (
		j                                                      job.Job
		payload, progress                                      string
		runAt, deadline, notBefore, lease, created, updatedUTC int64
	)
	err := s.Scan(&j.ID, &j.Key, &j.Kind, &j.Class, &j.State, &j.Request, &j.Requester, &payload, &j.Lane, &j.Height, &j.Ready,
		&j.Attempt, &runAt, &deadline, &notBefore, &j.NodeID, &j.LeaseOwner, &lease, &j.Fence, &j.Outcome, &j.Reason,
		&j.LastError, &progress, &j.Trace, &created, &updatedUTC)
	if err != nil {
		return job.Job{}, err
	}
	j.Payload = json.RawMessage(payload)
	j.RunAt, j.Deadline, j.NotBefore, j.LeaseUntil = at(runAt), at(deadline), at(notBefore), at(lease)
	j.CreatedAt, j.UpdatedAt = at(created), at(updatedUTC)
	if err := json.Unmarshal([]byte(progress), &j.Progress); err != nil {
		return job.Job{}, fmt.Errorf("progress of job %d: %w", j.ID, err)
	}
	return j, nil
}

func encodeProgress(p job.Progress) (string, error) {
	b, err := json.Marshal(p)
	return string(b), err
}

// prefixed puts a table's alias before each of its columns.
func prefixed(alias, columns string) string {
	cols := strings.Split(columns, ",")
	for i, c := range cols {
		cols[i] = alias + "." + strings.TrimSpace(c)
	}
	return strings.Join(cols, ", ")
}

// ---- requests ----

const requestColumns = `id, chain, provider, consumer, requester, action, seq, terms, payload, context, log_block, log_idx,
	height, tx, deadline, attempt_until, state, final, closed_final, close_tx, outcome, reason, callback_failed, created, updated`

func scanRequest(s scanner) (chain.Request, error) {
	var (
		r                                               chain.Request
		id, provider, consumer, requester, block, tx, c string
		deadline, until, created, updated               int64
	)
	err := s.Scan(&id, &r.Chain, &provider, &consumer, &requester, &r.Action, &r.Seq, &r.Terms, &r.Payload, &r.Context,
		&block, &r.Log.Index, &r.Log.Height, &tx, &deadline, &until, &r.State, &r.Final, &r.ClosedFinal, &c, &r.Outcome,
		&r.Reason, &r.CallbackFailed, &created, &updated)
	if err != nil {
		return chain.Request{}, err
	}
	r.ID, r.CloseTx, r.Log.Block, r.Log.Tx = common.HexToHash(id), common.HexToHash(c), common.HexToHash(block), common.HexToHash(tx)
	r.Provider, r.Consumer, r.Requester = common.HexToAddress(provider), common.HexToAddress(consumer), common.HexToAddress(requester)
	r.Log.Address = r.Provider
	r.Deadline, r.AttemptUntil, r.CreatedAt, r.UpdatedAt = at(deadline), at(until), at(created), at(updated)
	return r, nil
}

// ---- logs ----

const logColumns = `id, filter, height, block, idx, tx, tx_index, address, topics, data, state, coalesce(seq, -1)`

func scanLog(s scanner) (chain.StoredLog, error) {
	var (
		l                        chain.StoredLog
		block, tx, addr, topics  string
		height, index, txPostion int64
	)
	err := s.Scan(&l.ID, &l.Filter, &height, &block, &index, &tx, &txPostion, &addr, &topics, &l.Data, &l.State, &l.Seq)
	if err != nil {
		return chain.StoredLog{}, err
	}
	l.Height, l.Index, l.TxIndex = uint64(height), uint(index), uint(txPostion)
	l.Block, l.Tx, l.Address = common.HexToHash(block), common.HexToHash(tx), common.HexToAddress(addr)
	if err := json.Unmarshal([]byte(topics), &l.Topics); err != nil {
		return chain.StoredLog{}, fmt.Errorf("topics of log %d: %w", l.ID, err)
	}
	return l, nil
}

func encodeTopics(topics []common.Hash) string {
	var b strings.Builder
	b.Grow(2 + 69*len(topics))
	b.WriteByte('[')
	for i, t := range topics {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('"')
		b.WriteString(hash(t))
		b.WriteByte('"')
	}
	b.WriteByte(']')
	return b.String()
}
