package store

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// addBlocks stores canonical blocks. A block must follow the stored block right
// below it, and must not displace another at its height: that is a rollback,
// which watch has to ask for.
func (b *batch) addBlocks(ctx context.Context) error {
	if len(b.Blocks) == 0 {
		return nil
	}
	first, last := b.Blocks[0].Height, b.Blocks[len(b.Blocks)-1].Height
	stored, err := list(ctx, b.t, scanBlock, "SELECT "+blockColumns+" FROM block WHERE height BETWEEN ? AND ? ORDER BY height",
		int64(max(first, 1)-1), int64(last)+1)
	if err != nil {
		return err
	}
	at := make(map[uint64]chain.Block, len(stored)+len(b.Blocks))
	for _, s := range stored {
		at[s.Height] = s
	}
	vals := make([]any, 0, 4*len(b.Blocks))
	for _, n := range b.Blocks {
		if s, ok := at[n.Height]; ok {
			if s.Hash != n.Hash {
				return fmt.Errorf("block %s is stored, %s came without a rollback: %w", s.ID(), n.ID(), job.ErrConflict)
			}
			continue
		}
		at[n.Height] = n
		if n.Height > 0 {
			if p, ok := at[n.Height-1]; ok && p.Hash != n.Parent {
				return fmt.Errorf("block %s has parent %s, but %s is stored: %w", n.ID(), n.Parent, p.ID(), job.ErrConflict)
			}
		}
		if c, ok := at[n.Height+1]; ok && c.Parent != n.Hash {
			return fmt.Errorf("block %s is no parent of the stored %s: %w", n.ID(), c.ID(), job.ErrConflict)
		}
		vals = append(vals, hash(n.Hash), int64(n.Height), hash(n.Parent), ms(n.Time))
	}
	return bulk(ctx, b.t, "block (hash, height, parent, time)", 4, vals)
}

// place is where a log is kept: its block and a number in it, which is the
// endpoint's unless another log has that.
type place struct {
	block string
	idx   int64
}

// said is what a log says and which transaction made it say so. It tells logs
// apart: their indices differ between clients, and between methods of one.
type said struct{ block, tx, address, topics, data string }

// firstFree is where logs go whose index another log of their block has.
const firstFree = 1 << 20

// addLogs stores logs. One that is stored already is left alone, unless it was
// retracted and its block is canonical again.
func (b *batch) addLogs(ctx context.Context) error {
	if len(b.Logs) == 0 {
		return nil
	}
	known, taken, err := b.knownLogs(ctx)
	if err != nil {
		return err
	}
	vals := make([]any, 0, 12*len(b.Logs))
	for i, l := range b.Logs {
		s := said{hash(l.Block), hash(l.Tx), address(l.Address), encodeTopics(l.Topics), string(l.Data)}
		if k, ok := known[s]; ok {
			if k.state == chain.LogRetracted {
				if _, err := exec(ctx, b.t, "UPDATE log SET state = 'seen', filter = ? WHERE block = ? AND idx = ?", b.Filter, k.block, k.idx); err != nil {
					return seqTwice(l, err)
				}
				known[s] = knownLog{k.place, chain.LogSeen}
			}
			continue
		}
		p := place{s.block, int64(l.Index)}
		for next := int64(firstFree); taken[p]; next++ {
			p.idx = next
		}
		taken[p] = true
		state := chain.LogSeen
		if l.Height <= b.cursor.Final {
			state = chain.LogFinal
		}
		known[s] = knownLog{p, state}
		var seq any
		if len(b.Seq) > 0 && b.Seq[i] >= 0 {
			seq = b.Seq[i]
		}
		vals = append(vals, b.Filter, int64(l.Height), p.block, p.idx, s.tx, int64(l.TxIndex), s.address,
			s.topics, blob(l.Data), string(state), seq)
	}
	err = bulk(ctx, b.t, "log (filter, height, block, idx, tx, tx_index, address, topics, data, state, seq)", 11, vals)
	return seqTwice(b.Logs[0], err)
}

func seqTwice(l chain.Log, err error) error {
	if isUnique(err) {
		return fmt.Errorf("two canonical logs of %s carry one seq, or one log came twice (near height %d); the endpoint may be lying: %w (%w)",
			l.Address, l.Height, job.ErrConflict, err)
	}
	return err
}

type knownLog struct {
	place
	state chain.LogState
}

// knownLogs gives the stored logs in the batch's blocks, and their places.
func (b *batch) knownLogs(ctx context.Context) (map[said]knownLog, map[place]bool, error) {
	var keys []any
	seen := map[common.Hash]bool{}
	for _, l := range b.Logs {
		if !seen[l.Block] {
			seen[l.Block] = true
			keys = append(keys, hash(l.Block))
		}
	}
	type row struct {
		said
		knownLog
	}
	rows, err := among(ctx, b.t, func(s scanner) (r row, err error) {
		var data []byte
		err = s.Scan(&r.said.block, &r.idx, &r.state, &r.tx, &r.address, &r.topics, &data)
		r.place.block, r.data = r.said.block, string(data)
		return r, err
	}, "SELECT block, idx, state, tx, address, topics, data FROM log WHERE block IN ", keys)
	if err != nil {
		return nil, nil, err
	}
	known, taken := make(map[said]knownLog, len(rows)+len(b.Logs)), make(map[place]bool, len(rows)+len(b.Logs))
	for _, r := range rows {
		known[r.said], taken[r.place] = r.knownLog, true
	}
	return known, taken, nil
}

// addCoverage merges [From, To] into the filter's intervals.
func (b *batch) addCoverage(ctx context.Context) error {
	if b.From > b.To || !b.covers() {
		return nil
	}
	lo, hi := int64(b.From), int64(b.To)
	var n, low, high int64
	err := b.t.QueryRowContext(ctx, `SELECT count(*), coalesce(min(lo), 0), coalesce(max(hi), 0) FROM coverage
		WHERE filter = ? AND lo <= ? AND hi >= ?`, b.Filter, hi+1, lo-1).Scan(&n, &low, &high)
	if err != nil {
		return err
	}
	if n > 0 {
		if _, err := exec(ctx, b.t, "DELETE FROM coverage WHERE filter = ? AND lo <= ? AND hi >= ?", b.Filter, hi+1, lo-1); err != nil {
			return err
		}
		lo, hi = min(lo, low), max(hi, high)
	}
	_, err = exec(ctx, b.t, "INSERT INTO coverage (filter, lo, hi) VALUES (?, ?, ?)", b.Filter, lo, hi)
	return err
}

// requestInsert lists the columns of a new request in the order of requestValues.
const requestInsert = `request (id, chain, provider, consumer, requester, action, seq, terms, payload, context,
	log_block, log_idx, height, tx, deadline, attempt_until, state, final, close_tx, close_block, close_idx, close_height,
	outcome, reason, created, updated)`

const requestCols = 26

// addRequests stores new requests, closed already when their closing is in the
// same batch, and opens retracted ones that were included again.
func (b *batch) addRequests(ctx context.Context) error {
	for i := range b.Closings {
		c := &b.Closings[i]
		b.closing[hash(c.Request)] = c
	}
	known, err := knownRequests(ctx, b.t, b.Requests)
	if err != nil {
		return err
	}
	vals := make([]any, 0, requestCols*len(b.Requests))
	for _, r := range b.Requests {
		id := hash(r.ID)
		k, ok := known[id]
		switch {
		case !ok:
			vals = b.requestValues(vals, id, r)
			b.fresh[id] = true
			known[id] = knownRequest{state: chain.RequestOpen}
			continue
		case k.final: // what is final keeps its place
			continue
		case k.state == chain.RequestRetracted:
			b.revived[id] = true
		}
		if err := b.placeRequest(ctx, id, r, k.state); err != nil {
			return err
		}
	}
	return bulk(ctx, b.t, requestInsert, requestCols, vals)
}

type knownRequest struct {
	state chain.RequestState
	final bool
}

// knownRequests gives what is stored of rs. An id binds its seq, so that those of one
// range of seqs are looked up together.
func knownRequests(ctx context.Context, t conn, rs []chain.Request) (map[string]knownRequest, error) {
	if len(rs) == 0 {
		return map[string]knownRequest{}, nil
	}
	type row struct {
		id string
		knownRequest
	}
	scan := func(s scanner) (r row, err error) {
		err = s.Scan(&r.id, &r.state, &r.final)
		return r, err
	}
	const columns = "SELECT id, state, final FROM request WHERE "
	keys, lo, hi := make([]any, len(rs)), rs[0].Seq, rs[0].Seq
	for i, r := range rs {
		keys[i], lo, hi = hash(r.ID), min(lo, r.Seq), max(hi, r.Seq)
	}
	var rows []row
	var err error
	if few := uint64(4); len(rs) > 1 && hi-lo < few*uint64(len(rs)) {
		rows, err = list(ctx, t, scan, columns+"seq BETWEEN ? AND ?", int64(lo), int64(hi))
	} else {
		rows, err = among(ctx, t, scan, columns+"id IN ", keys)
	}
	known := make(map[string]knownRequest, len(rows)+len(rs))
	for _, r := range rows {
		known[r.id] = r.knownRequest
	}
	return known, err
}

func (b *batch) requestValues(vals []any, id string, r chain.Request) []any {
	state, closeTx, closeBlock, closeIdx, closeHeight := chain.RequestOpen, "", "", int64(0), int64(0)
	var outcome job.Outcome
	var reason job.Reason
	if c := b.closing[id]; c != nil {
		state, outcome, reason = c.State, c.Outcome, c.Reason
		closeTx, closeBlock, closeIdx, closeHeight = hash(c.Log.Tx), hash(c.Log.Block), int64(c.Log.Index), int64(c.Log.Height)
	}
	return append(vals, id, int64(r.Chain), address(r.Provider), address(r.Consumer), address(r.Requester), int64(r.Action), int64(r.Seq),
		blob(r.Terms), blob(r.Payload), blob(r.Context), hash(r.Log.Block), int64(r.Log.Index), int64(r.Log.Height), hash(r.Log.Tx),
		ms(r.Deadline), ms(r.AttemptUntil), string(state), flag(r.Log.Height <= b.cursor.Final), closeTx, closeBlock, closeIdx, closeHeight,
		int64(outcome), int64(reason), b.now, b.now)
}

// placeRequest moves a stored request to the log that creates it now. Its id
// binds its content and seq, so these are the same.
func (b *batch) placeRequest(ctx context.Context, id string, r chain.Request, was chain.RequestState) error {
	to := was
	if was == chain.RequestRetracted {
		to = chain.RequestOpen
	}
	_, err := exec(ctx, b.t, "UPDATE request SET state = ?, log_block = ?, log_idx = ?, height = ?, tx = ?, updated = ? WHERE id = ?",
		string(to), hash(r.Log.Block), int64(r.Log.Index), int64(r.Log.Height), hash(r.Log.Tx), b.now, id)
	return err
}

// addClosings closes requests. A closing of a request that the ledger does not
// have is of a time before the watched range and changes nothing.
func (b *batch) addClosings(ctx context.Context) error {
	for _, c := range b.Closings {
		if c.State != chain.RequestAnswered && c.State != chain.RequestRefunded {
			return fmt.Errorf("request %s: %q is no way to close it", c.Request, c.State)
		}
		b.out.Answers = true
		if b.fresh[hash(c.Request)] { // was inserted as closed
			continue
		}
		_, err := exec(ctx, b.t, `UPDATE request SET state = ?, close_tx = ?, close_block = ?, close_idx = ?, close_height = ?,
			outcome = ?, reason = ?, updated = ? WHERE id = ? AND state = 'open'`,
			string(c.State), hash(c.Log.Tx), hash(c.Log.Block), int64(c.Log.Index), int64(c.Log.Height),
			int64(c.Outcome), int64(c.Reason), b.now, hash(c.Request))
		if err != nil {
			return err
		}
	}
	return nil
}

// addCallbacks stores callback events; the newest decides the request's flag.
func (b *batch) addCallbacks(ctx context.Context) error {
	for _, c := range b.Callbacks {
		id := hash(c.Request)
		_, err := exec(ctx, b.t, "INSERT INTO callback (request, height, block, idx, failed) VALUES (?, ?, ?, ?, ?) ON CONFLICT (block, idx) DO NOTHING",
			id, int64(c.Log.Height), hash(c.Log.Block), int64(c.Log.Index), flag(c.Failed))
		if err != nil {
			return err
		}
		if err := b.setCallback(ctx, id); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) setCallback(ctx context.Context, id string) error {
	_, err := exec(ctx, b.t, `UPDATE request SET callback_failed = coalesce(
		(SELECT failed FROM callback WHERE callback.request = request.id ORDER BY height DESC, idx DESC LIMIT 1), 0), updated = ? WHERE id = ?`, b.now, id)
	return err
}
