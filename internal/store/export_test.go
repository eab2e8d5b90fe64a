package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"
)

// LimitPages lets the ledger's file grow no further until the returned function
// is called.
func LimitPages(t *testing.T, s *Store) (free func()) {
	t.Helper()
	ctx := context.Background()
	set := func(n int) {
		t.Helper()
		if _, err := s.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
			t.Fatal(err)
		}
	}
	var pages int
	if err := s.writer.conn.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages); err != nil {
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

// Synchronous gives the sync mode of the two sorts of transactions: 1 is NORMAL, 2
// FULL.
func Synchronous(ctx context.Context, s *Store) (normal, full int, err error) {
	mode := func(into *int) func(context.Context, conn) error {
		return func(ctx context.Context, t conn) error {
			return t.QueryRowContext(ctx, "PRAGMA synchronous").Scan(into)
		}
	}
	for range 2 { // one after the other, and back
		if err := errors.Join(s.write(ctx, mode(&normal)), s.writeFull(ctx, mode(&full))); err != nil {
			return 0, 0, err
		}
	}
	return normal, full, nil
}

// Plans collects how SQLite runs each statement: by statement, the lines of
// EXPLAIN QUERY PLAN.
type Plans struct {
	mu   sync.Mutex
	seen map[string][]string
}

// Of gives the plans collected so far.
func (p *Plans) Of() map[string][]string { return p.seen }

// Watch collects the plans of what s runs from now on.
func (p *Plans) Watch(s *Store) { s.wrap = func(t conn) conn { return explainer{t, p} } }

type explainer struct {
	conn
	p *Plans
}

func (e explainer) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	e.explain(ctx, q, args)
	return e.conn.ExecContext(ctx, q, args...)
}

func (e explainer) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	e.explain(ctx, q, args)
	return e.conn.QueryContext(ctx, q, args...)
}

func (e explainer) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	e.explain(ctx, q, args)
	return e.conn.QueryRowContext(ctx, q, args...)
}

func (e explainer) explain(ctx context.Context, q string, args []any) {
	e.p.mu.Lock()
	defer e.p.mu.Unlock()
	if e.p.seen == nil {
		e.p.seen = map[string][]string{}
	}
	if _, ok := e.p.seen[q]; ok {
		return
	}
	lines, err := list(ctx, e.conn, func(s scanner) (line string, err error) {
		var skip any
		err = s.Scan(&skip, &skip, &skip, &line)
		return line, err
	}, "EXPLAIN QUERY PLAN "+q, args...)
	if err != nil {
		lines = []string{"not explained: " + err.Error()}
	}
	e.p.seen[q] = lines
}

// OpenAt makes a ledger with an older schema, and a row in it.
func OpenAt(t *testing.T, path string, version int64) {
	t.Helper()
	db := open(path, syncNormal, false, 1)
	defer db.Close()
	dir, err := fs.Sub(migrations, "migrations/sqlite")
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, dir, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "INSERT INTO meta VALUES ('first', 'schema')"); err != nil {
		t.Fatal(err)
	}
}

// TablesNotBackedUp lists tables that a backup leaves out and should not.
func TablesNotBackedUp(ctx context.Context, s *Store) (missing []string, err error) {
	q := "SELECT name FROM sqlite_master WHERE type = 'table'"
	if s.postgres {
		q = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
	}
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		all, err := list(ctx, t, value[string], q)
		for _, name := range all {
			if !slices.Contains(tables, name) && !strings.HasSuffix(name, "_edge") && !strings.HasPrefix(name, "sqlite_") &&
				name != "goose_db_version" && name != "reorg_accepted" {
				missing = append(missing, name)
			}
		}
		return err
	})
	return missing, err
}
