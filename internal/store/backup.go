package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// tables are all that a ledger holds, those that others refer to first. What the
// schema itself fills (edges, versions) is not among them, nor reorg_accepted, which
// is empty outside of a transaction.
var tables = []string{
	"meta", "block", "log", "coverage", "cursor", "request", "callback", "job", "turn", "sender", "tx", "tx_attempt", "batch", "answer", "batch_item",
	"signature", "signed_result", "bucket", "item", "item_ref", "bucket_item", "piece_file", "piece_token", "lease", "node", "offer", "offer_event",
	"sample", "repair", "repair_event", "claimed",
}

// partial ends the name of a backup that is not whole yet.
const partial = ".partial"

// Backup writes the whole ledger, as it is at one moment, to a new file: a ledger of
// SQLite, whichever driver this one has. Daemons may go on writing. The file has its
// name only when it is whole, checked and on disk; a backup that was interrupted
// leaves a file that ends in .partial, which the next one replaces. step is told
// what comes next; nil for nobody.
func (s *Store) Backup(ctx context.Context, path string, step func(string)) error {
	if step == nil {
		step = func(string) {}
	}
	if err := s.backup(ctx, path, step); err != nil {
		return fmt.Errorf("backing the ledger up to %s: %w", path, err)
	}
	return nil
}

func (s *Store) backup(ctx context.Context, path string, step func(string)) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%w: give another name", fs.ErrExist)
	}
	tmp := path + partial
	step("removing what was interrupted")
	if err := removeLedger(tmp); err != nil {
		return err
	}
	step("copying")
	copying := s.vacuumInto
	if s.postgres {
		copying = s.copyInto
	}
	if err := copying(ctx, tmp); err != nil {
		return err
	}
	step("checking")
	if err := checkFile(ctx, tmp); err != nil {
		return err
	}
	step("syncing")
	if err := syncFile(tmp); err != nil {
		return err
	}
	step("naming")
	if err := os.Link(tmp, path); err != nil { // which does not replace
		return err
	}
	step("tidying")
	if err := os.Remove(tmp); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}

func (s *Store) vacuumInto(ctx context.Context, path string) error {
	db := open(s.cfg.Path, syncNormal, false, 1)
	defer db.Close()
	_, err := db.ExecContext(ctx, "VACUUM INTO ?", path)
	return explain(err)
}

// copyInto copies the rows of one moment into a new ledger.
func (s *Store) copyInto(ctx context.Context, path string) error {
	to, err := Open(ctx, Config{Path: path})
	if err != nil {
		return err
	}
	err = s.view(ctx, func(ctx context.Context, from conn) error {
		return to.writeFull(ctx, func(ctx context.Context, t conn) error { return copyRows(ctx, from, t) })
	})
	return errors.Join(err, to.Close())
}

func copyRows(ctx context.Context, from, to conn) error {
	for _, table := range tables {
		if err := copyTable(ctx, from, to, table); err != nil {
			return fmt.Errorf("copying %s: %w", table, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from, to conn, table string) error {
	order := ""
	if table == "tx_attempt" {
		order = " ORDER BY rowid" // the order of attempts
	}
	rows, err := from.QueryContext(ctx, "SELECT * FROM "+table+order)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	var columns []string
	values, pointers := make([]any, len(names)), make([]any, len(names))
	for i, name := range names {
		pointers[i] = &values[i]
		if name != "rowid" { // which Postgres numbers itself
			columns = append(columns, `"`+name+`"`)
		}
	}
	insert := "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ") VALUES " + marks(len(columns))
	for rows.Next() {
		if err := rows.Scan(pointers...); err != nil {
			return err
		}
		args := make([]any, 0, len(columns))
		for i, name := range names {
			if name == "rowid" {
				continue
			}
			if b, ok := values[i].([]byte); ok { // SQLite's driver gives empty ones as nil, which would be NULL
				values[i] = blob(b)
			}
			args = append(args, values[i])
		}
		if _, err := exec(ctx, to, insert, args...); err != nil {
			return err
		}
	}
	return rows.Err()
}

// checkFile reads a whole file of SQLite.
func checkFile(ctx context.Context, path string) error {
	db := open(path, syncNormal, true, 1)
	defer db.Close()
	var said string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&said); err != nil {
		return explain(err)
	}
	if said != "ok" {
		return fmt.Errorf("%w: %s", ErrCorrupt, said)
	}
	var version sql.NullInt64
	if err := db.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&version); err != nil || version.Int64 == 0 {
		return fmt.Errorf("%w: it has no schema of ours", ErrCorrupt)
	}
	return nil
}

func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// companions are the files of a ledger besides its own.
var companions = []string{"-wal", "-shm", "-journal", ""}

func removeLedger(path string) error {
	for _, suffix := range companions {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
