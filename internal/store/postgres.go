package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/tidegate/tidegate/executor/job"
)

// Everything that only Postgres understands is in this file and in
// migrations/postgres. Writers take one advisory lock for the length of their
// transaction, so that several daemons write one after the other, as SQLite's
// connections do: what the schema and the code assume of one holds of the other.
// Workers, who claim and end jobs, share that lock: they go beside each other, on
// rows that they lock, and never beside a writer.

// The advisory lock of everyone who writes to the ledger ("tidegate" in ASCII), and
// under it the transaction's number.
const (
	amongWriters  = "SELECT pg_advisory_xact_lock(8388346167643173989), pg_current_xact_id()::text"
	besideWriters = "SELECT pg_advisory_xact_lock_shared(8388346167643173989), pg_current_xact_id()::text"
)

// statementTimeout bounds one statement, the wait for the writers' lock included.
const statementTimeout = 30 * time.Second

// isPostgres reports whether a path is the URL of a Postgres database.
func isPostgres(path string) bool {
	return strings.HasPrefix(path, "postgres://") || strings.HasPrefix(path, "postgresql://")
}

// openPostgres gives a pool of at most conns connections.
func openPostgres(url string, readOnly bool, conns int) (*sql.DB, error) {
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, errors.New("the ledger's URL is not one of Postgres, as in postgres://user@host:5432/tidegate") // its words may hold the password
	}
	cfg.DefaultQueryExecMode = pgx.QueryExecModeExec // types come from Go's, and poolers are no obstacle
	cfg.RuntimeParams["application_name"] = "tidegate"
	cfg.RuntimeParams["statement_timeout"] = strconv.FormatInt(statementTimeout.Milliseconds(), 10)
	cfg.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	if readOnly {
		cfg.RuntimeParams["default_transaction_read_only"] = "on"
		cfg.RuntimeParams["default_transaction_isolation"] = "repeatable read"
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(conns)
	db.SetMaxIdleConns(conns)
	db.SetConnMaxIdleTime(5 * time.Minute)
	return db, nil
}

// pickLocked is pick for claims that go beside each other: rows that another claim
// has locked are skipped, and the job is locked until the transaction ends. A job
// and its compensation are looked at by one claim at a time.
func pickLocked(ctx context.Context, t conn, r job.ClaimRequest) (int64, bool, error) {
	turns, err := turns(ctx, t, r.Kind)
	if err != nil {
		return 0, false, err
	}
	type picked struct {
		id  int64
		key string
	}
	for _, v := range turns {
		p, found, err := one(ctx, t, func(s scanner) (p picked, err error) {
			err = s.Scan(&p.id, &p.key)
			return p, err
		}, `SELECT id, key FROM job AS j WHERE kind = ? AND class = ? AND requester = ? AND due = 1 AND node_id IN ('', ?) AND `+unblocked+`
			ORDER BY run_at, id LIMIT 1 FOR UPDATE OF j SKIP LOCKED`, string(r.Kind), v.class, v.requester, r.NodeID)
		if err != nil {
			return 0, false, err
		}
		if !found {
			continue
		}
		if _, err := exec(ctx, t, "SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", strings.TrimPrefix(p.key, job.CompensationKey(""))); err != nil {
			return 0, false, err
		}
		_, still, err := one(ctx, t, value[int64], "SELECT id FROM job AS j WHERE id = ? AND "+unblocked, p.id)
		if err != nil || still {
			return p.id, still, err
		}
	}
	return 0, false, nil
}

// numbered is a connection that takes `?` marks and gives Postgres $1, $2, ….
type numbered struct{ conn }

var numberedQueries sync.Map // by statement; there are some hundreds

func renumber(q string) string {
	if known, ok := numberedQueries.Load(q); ok {
		return known.(string)
	}
	var out strings.Builder
	n := 0
	for _, r := range strings.Replace(q, insertMany, "INSERT INTO ", 1) {
		if r != '?' {
			out.WriteRune(r)
			continue
		}
		n++
		out.WriteByte('$')
		out.WriteString(strconv.Itoa(n))
	}
	numberedQueries.Store(q, out.String())
	return out.String()
}

func (n numbered) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	return n.conn.ExecContext(ctx, renumber(q), args...)
}

func (n numbered) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	return n.conn.QueryContext(ctx, renumber(q), args...)
}

func (n numbered) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	return n.conn.QueryRowContext(ctx, renumber(q), args...)
}

// ErrNoServer is wrapped into errors that come of a database server that cannot be
// reached or does not let us in.
var ErrNoServer = errors.New("the ledger's database server cannot be used: check ledger.url, that the server runs, and the user's rights; the daemon goes on by itself when it is back")

// ErrInDoubt is wrapped into the error of a write whose COMMIT had no answer, when the
// server could not be asked in time what became of it. It is the one error after
// which something may have been applied: read before you decide.
var ErrInDoubt = errors.New("the connection to the ledger's server was lost at COMMIT, and the server did not say since what became of the transaction")

// In doubt, the server is asked every doubtEvery, for doubtFor at most; a session that
// has the transaction open after doubtOpen waits for a client that is not there.
const (
	doubtEvery = 100 * time.Millisecond
	doubtOpen  = time.Second
	doubtFor   = time.Minute
)

// becameOf asks the server what became of transaction xid, whose COMMIT gave err: nil
// when it was applied, err when it was not.
func (s *Store) becameOf(ctx context.Context, xid string, err error) error {
	ctx, cancel := context.WithTimeout(ctx, doubtFor)
	defer cancel()
	for waited := time.Duration(0); ; waited += doubtEvery {
		var status sql.NullString
		asked := s.read.QueryRowContext(ctx, "SELECT pg_xact_status($1::text::xid8)", xid).Scan(&status)
		switch {
		case asked != nil:
		case status.String == "committed":
			return nil
		case status.String == "aborted":
			return err
		case waited >= doubtOpen: // its end decides; and while it lasts nobody can write
			_, _ = s.read.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE backend_xid = $1::text::xid8::xid", xid)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", ErrInDoubt, err)
		case <-time.After(doubtEvery):
		}
	}
}

// explainPostgres wraps a driver's error with one that says what to do.
func explainPostgres(err error) error {
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return fmt.Errorf("%w (%w)", ErrNoServer, err)
	}
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Code == "53100":
		return fmt.Errorf("%w (%w)", ErrDiskFull, err)
	case e.Code == "57014" || e.Code == "55P03": // a statement took too long
		return fmt.Errorf("%w (%w)", ErrBusy, err)
	case strings.HasPrefix(e.Code, "28") || strings.HasPrefix(e.Code, "57P") || e.Code == "3D000" || e.Code == "42501":
		return fmt.Errorf("%w (%w)", ErrNoServer, err)
	}
	return err
}

// isDeadlock reports whether a transaction was undone because it and another
// waited for each other's rows.
func isDeadlock(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "40P01"
}

func isUniquePostgres(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}
