package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*/*.sql
var migrations embed.FS

// ErrNewerSchema is returned by Open for a ledger that a newer binary wrote. The
// error that wraps it names both versions.
var ErrNewerSchema = errors.New("the ledger was written by a newer version: run that version of tidegate again, or restore the backup from before the upgrade; this one changed nothing")

// migrate brings the schema up to the newest version embedded here.
func migrate(ctx context.Context, db *sql.DB, postgres bool) error {
	folder, dialect, options := "sqlite", goose.DialectSQLite3, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if postgres { // of several daemons that start at once, one migrates
		folder, dialect = "postgres", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
		if err != nil {
			return fmt.Errorf("preparing the migrations' lock: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	dir, err := fs.Sub(migrations, "migrations/"+folder)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, dir, options...)
	if err != nil {
		return fmt.Errorf("reading the embedded migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema's version: %w", err)
	}
	var want int64
	for _, m := range p.ListSources() {
		want = max(want, m.Version)
	}
	if have > want {
		return fmt.Errorf("schema version %d, this binary knows %d: %w", have, want, ErrNewerSchema)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema from version %d to %d: %w", have, want, err)
	}
	return nil
}

// SchemaVersion is the version of the schema that is in use.
func (s *Store) SchemaVersion(ctx context.Context) (v int64, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		return t.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version WHERE is_applied = ?", true).Scan(&v)
	})
	if err != nil {
		return 0, fmt.Errorf("reading the schema's version: %w", err)
	}
	return v, nil
}
