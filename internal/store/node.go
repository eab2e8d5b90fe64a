package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// SeeNode notes that a daemon's content node works at now, and where it can be
// reached. Daemons that share the ledger call it again and again.
func (s *Store) SeeNode(ctx context.Context, n job.Node, now time.Time) error {
	if n.ID == "" {
		return fmt.Errorf("noting a node: it has no id")
	}
	addrs, err := json.Marshal(n.Addrs)
	if err != nil {
		return fmt.Errorf("noting node %s: %w", n.ID, err)
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		_, err := exec(ctx, t, "INSERT INTO node (id, addrs, seen) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET addrs = excluded.addrs, seen = excluded.seen",
			n.ID, string(addrs), ms(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("noting node %s: %w", n.ID, err)
	}
	return nil
}

// Nodes lists the content nodes that ever worked on this ledger, by id.
func (s *Store) Nodes(ctx context.Context) (out []job.Node, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, func(s scanner) (n job.Node, err error) {
			var addrs string
			var seen int64
			if err = s.Scan(&n.ID, &addrs, &seen); err != nil {
				return n, err
			}
			n.Seen = at(seen)
			return n, json.Unmarshal([]byte(addrs), &n.Addrs)
		}, "SELECT id, addrs, seen FROM node ORDER BY id")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing nodes: %w", err)
	}
	return out, nil
}

// elsewhere lets the other nodes do what a finished job has done on its own: an
// unpin does not say who holds the content. Their jobs do it once more each.
func elsewhere(ctx context.Context, t conn, id, now int64) error {
	const key = "'" + job.ElsewherePrefix + "' || n.id || '/' || j.key"
	_, err := exec(ctx, t, `INSERT INTO job (key, kind, class, state, requester, payload, lane, ready, run_at, node_id, trace, created, updated)
		SELECT `+key+`, j.kind, j.class, 'available', j.requester, j.payload, 'now', 1, ?, n.id, j.trace, ?, ?
		FROM job j JOIN node n ON n.id <> j.claim_node
		WHERE j.id = ? AND substr(j.key, 1, ?) <> ? ON CONFLICT (key) WHERE answers = 0 DO NOTHING`,
		now, now, now, id, len(job.ElsewherePrefix), job.ElsewherePrefix)
	return err
}
