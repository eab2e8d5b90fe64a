package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
)

// ErrRestoring is returned by Open for a ledger that is half restored.
var ErrRestoring = errors.New("a restore of the ledger was interrupted: run tidegate db restore again, with the same backup; until then no daemon may use the ledger")

// ErrInUse is returned by Restore while a daemon holds a lease.
var ErrInUse = errors.New("a daemon uses the ledger: stop it first, or wait until its leases end")

// restoring ends the name of the file that says that a restore is under way; in it
// is the name that the replaced ledger gets.
const restoring = ".restoring"

// Restoration is what Restore is told.
type Restoration struct {
	From string    // a file that Backup made
	To   string    // as Config.Path
	Now  time.Time // names the ledger that is replaced
	// Replace allows to replace a ledger that has anything in it.
	Replace bool
	// Park is asked why a key must not send for now, by the next nonce that the
	// backup has for it; "" where it may. What was sent after the backup was made
	// is not in the ledger.
	Park func(ctx context.Context, sender common.Address, next uint64) (why string, err error)
	Step func(string) // told what comes next; nil for nobody
}

// Restored is what Restore did.
type Restored struct {
	Kept   string                    `json:"kept,omitempty"` // where the replaced ledger is
	Parked map[common.Address]string `json:"parked"`
	Jobs   int64                     `json:"jobs"` // which ran when the backup was made, and run again
}

// Restore puts a backup in the place of a ledger that no daemon uses. The leases in
// it are free, and keys that the chain has seen more of are parked. Interrupted at
// any moment it leaves the ledger as it was, or one that Open refuses with
// ErrRestoring until Restore has been run again.
func Restore(ctx context.Context, r Restoration) (out Restored, err error) {
	if r.Step == nil {
		r.Step = func(string) {}
	}
	out.Parked = map[common.Address]string{}
	if err := r.run(ctx, &out); err != nil {
		return Restored{}, fmt.Errorf("restoring the ledger from %s: %w", r.From, err)
	}
	return out, nil
}

func (r *Restoration) run(ctx context.Context, out *Restored) error {
	staged := r.To + ".staged"
	if isPostgres(r.To) {
		dir, err := os.MkdirTemp("", "tidegate-restore")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		staged = filepath.Join(dir, "ledger.db")
	}
	if err := r.stage(ctx, staged, out); err != nil {
		return err
	}
	if isPostgres(r.To) {
		return r.fill(ctx, staged)
	}
	return r.swap(staged, out)
}

// stage makes the ledger that is to be put in place: checked, of our schema, nobody's.
func (r *Restoration) stage(ctx context.Context, staged string, out *Restored) error {
	r.Step("removing what was interrupted")
	if err := removeLedger(staged); err != nil {
		return err
	}
	r.Step("copying")
	if err := copyFile(r.From, staged); err != nil {
		return err
	}
	r.Step("checking")
	if err := checkFile(ctx, staged); err != nil {
		return err
	}
	r.Step("bringing up to date")
	s, err := Open(ctx, Config{Path: staged, Now: func() time.Time { return r.Now }})
	if err != nil {
		return err
	}
	r.Step("freeing leases")
	out.Jobs, err = s.FreeLeases(ctx, "")
	if err == nil {
		r.Step("parking keys")
		err = r.park(ctx, s, out)
	}
	r.Step("closing")
	if err := errors.Join(err, s.Close()); err != nil {
		return err
	}
	r.Step("syncing")
	return syncFile(staged)
}

func (r *Restoration) park(ctx context.Context, s *Store, out *Restored) error {
	var senders []string
	if err := s.view(ctx, func(ctx context.Context, t conn) (err error) {
		senders, err = list(ctx, t, value[string], "SELECT address FROM sender ORDER BY address")
		return err
	}); err != nil {
		return err
	}
	for _, text := range senders {
		sender, next := common.HexToAddress(text), uint64(0)
		highest, any, err := s.HighestNonce(ctx, sender)
		if err != nil {
			return err
		}
		if any {
			next = highest + 1
		}
		why, err := r.Park(ctx, sender, next)
		if err != nil {
			return fmt.Errorf("looking whether %s may send: %w", sender, err)
		}
		if why == "" {
			continue
		}
		out.Parked[sender] = why
		if err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
			_, err := exec(ctx, t, "UPDATE sender SET parked = ? WHERE address = ?", why, text)
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

// swap puts a staged file in place. From its first change to its last the marker
// is there.
func (r *Restoration) swap(staged string, out *Restored) error {
	dir, marker := filepath.Dir(r.To), r.To+restoring
	kept, err := os.ReadFile(marker)
	switch {
	case err == nil: // interrupted before
		if _, err := os.Lstat(string(kept)); err == nil {
			kept = nil // the old one is whole there; what is in place is a restored one
		}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	case !r.Replace:
		if _, err := os.Lstat(r.To); err == nil {
			return fmt.Errorf("there is a ledger in its place: %w", fs.ErrExist)
		}
	}
	if len(kept) == 0 {
		kept = []byte(fmt.Sprintf("%s.replaced-%s", r.To, r.Now.UTC().Format("20060102T150405.000")))
	}
	r.Step("marking")
	if err := writeSynced(marker, kept); err != nil {
		return err
	}
	for _, suffix := range companions { // the file itself last
		r.Step("keeping the old one" + suffix)
		err := os.Rename(r.To+suffix, string(kept)+suffix)
		if err == nil {
			out.Kept = string(kept)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	r.Step("putting in place")
	if err := os.Rename(staged, r.To); err != nil {
		return err
	}
	if err := syncFile(dir); err != nil {
		return err
	}
	r.Step("unmarking")
	if err := os.Remove(marker); err != nil {
		return err
	}
	r.Step("done")
	return syncFile(dir)
}

// fill puts a staged file's rows into a database, in one transaction.
func (r *Restoration) fill(ctx context.Context, staged string) error {
	from, err := Open(ctx, Config{Path: staged})
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := Open(ctx, Config{Path: r.To})
	if err != nil {
		return err
	}
	defer to.Close()
	return to.writeFull(ctx, func(ctx context.Context, t conn) error {
		r.Step("looking at what is there")
		var live, rows int
		if err := t.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM lease WHERE owner <> '' AND until > ?) + (SELECT count(*) FROM sender WHERE owner <> '' AND until > ?), (SELECT count(*) FROM meta)",
			ms(r.Now), ms(r.Now)).Scan(&live, &rows); err != nil {
			return err
		}
		if live > 0 {
			return ErrInUse
		}
		if rows > 0 && !r.Replace {
			return fmt.Errorf("there is a ledger in its place: %w", fs.ErrExist)
		}
		r.Step("emptying")
		if _, err := exec(ctx, t, "TRUNCATE "+strings.Join(tables, ", ")+" RESTART IDENTITY CASCADE"); err != nil {
			return err
		}
		r.Step("filling")
		if err := from.view(ctx, func(ctx context.Context, f conn) error { return copyRows(ctx, f, t) }); err != nil {
			return err
		}
		r.Step("numbering")
		for _, table := range []string{"log", "job", "batch", "tx", "bucket", "offer_event", "sample", "repair", "repair_event"} {
			if _, err := exec(ctx, t, "SELECT setval(pg_get_serial_sequence('"+table+"', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM "+table+"), false)"); err != nil {
				return err
			}
		}
		r.Step("committing")
		return nil
	})
}

// refuseHalf fails for a ledger whose restore was interrupted.
func refuseHalf(path string) error {
	if _, err := os.Lstat(path + restoring); err == nil {
		return ErrRestoring
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Sync(), out.Close())
}

func writeSynced(path string, text []byte) error {
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	if err := syncFile(path + ".new"); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return syncFile(filepath.Dir(path))
}
