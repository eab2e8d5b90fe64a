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
)

// Everything that only Postgres understands is in this file and in
// migrations/postgres. Writers take one advisory lock for the length of their
// transaction, so that several daemons write one after the other, as SQLite's
// connections do: what the schema and the code assume of one holds of the other.

// writersLock is the advisory lock of everyone who writes to the ledger
// ("tidegate" in ASCII).
const writersLock = 0x7469646567617465

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

// takeTurn waits for the other daemons' writers.
func takeTurn(ctx context.Context, c *sql.Conn) error {
	_, err := c.ExecContext(ctx, "SELECT pg_advisory_xact_lock("+strconv.Itoa(writersLock)+")")
	return err
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

func isUniquePostgres(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "23505"
}
