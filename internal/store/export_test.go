package store

import (
	"context"
	"fmt"
	"testing"
)

// LimitPages lets the ledger's file grow no further until the returned function
// is called.
func LimitPages(t *testing.T, s *Store) (free func()) {
	t.Helper()
	ctx := context.Background()
	set := func(n int) {
		t.Helper()
		if _, err := s.normal.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	if err := s.normal.conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	set(pages)
	return func() { set(1 << 30) }
}

// HoldTurn takes the writers' token.
func HoldTurn(s *Store) (release func()) {
	<-s.turn
	return func() { s.turn <- struct{}{} }
}

// PanicInside panics in a transaction, after a statement.
func PanicInside(s *Store, query string) {
	_ = s.write(context.Background(), func(ctx context.Context, t conn) error {
		if _, err := t.ExecContext(ctx, query); err != nil {
			return err
		}
		panic("a bug")
	})
}

// Turns counts rows of the turn table that disagree with a recount of the jobs.
func Turns(ctx context.Context, s *Store) (wrong int, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		return t.QueryRowContext(ctx, `SELECT count(*) FROM turn WHERE
			due <> (SELECT count(*) FROM job j WHERE j.kind = turn.kind AND j.requester = turn.requester AND j.class = turn.class AND j.due = 1)
			OR running <> (SELECT count(*) FROM job j WHERE j.kind = turn.kind AND j.requester = turn.requester AND j.state = 'running')`).Scan(&wrong)
	})
	return wrong, err
}
