package bucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	tempSuffix   = ".tmp"
	layoutSuffix = ".layout"
	carSuffix    = ".car"
	// layoutFrom is the size of a CAR from which its layout is kept in a file: that
	// of a smaller one is made again in milliseconds.
	layoutFrom = 4 << 20
)

// file is a file of the piece directory on its way to be complete. The nil file
// writes nothing.
type file struct {
	s    *Shelf
	row  job.PieceFile
	f    *os.File
	done bool
}

// create notes a file in the ledger, then begins it under a temporary name.
func (s *Shelf) create(ctx context.Context, row job.PieceFile) (*file, error) {
	if err := s.d.Ledger.AddPieceFile(ctx, row, s.d.Now()); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.path(row.Name)+tempSuffix, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("making a piece file: %w", err)
	}
	return &file{s: s, row: row, f: f}, nil
}

func (s *Shelf) path(name string) string { return filepath.Join(s.cfg.Dir, name) }

// writer is nil for the nil file.
func (f *file) writer() io.Writer {
	if f == nil {
		return nil
	}
	return f.f
}

// complete makes the file durable under its name and says so in the ledger.
func (f *file) complete(ctx context.Context, piece string) error {
	if f == nil {
		return nil
	}
	size, err := f.f.Seek(0, io.SeekCurrent)
	if err == nil {
		err = errors.Join(f.f.Sync(), f.f.Close())
	}
	if err != nil {
		return fmt.Errorf("writing a piece file: %w", err)
	}
	name := f.s.path(f.row.Name)
	if err := errors.Join(os.Rename(name+tempSuffix, name), syncDir(f.s.cfg.Dir)); err != nil {
		return fmt.Errorf("naming a piece file: %w", err)
	}
	f.row.Piece, f.row.Size = piece, uint64(size)
	if err := f.s.d.Ledger.CompletePieceFile(ctx, f.row); err != nil {
		return err
	}
	f.done = true
	return nil
}

// abort removes a file that did not become complete.
func (f *file) abort() {
	if f == nil || f.done {
		return
	}
	_ = f.f.Close() // it may be closed already
	if err := f.s.remove(context.Background(), f.row.Name); err != nil {
		f.s.d.Log.Warn("a half-written piece file stays until the next start", "file", f.row.Name, "error", err)
	}
}

// remove drops a file, then its row.
func (s *Shelf) remove(ctx context.Context, name string) error {
	for _, path := range []string{s.path(name), s.path(name) + tempSuffix} {
		if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("removing a piece file: %w", err)
		}
	}
	return s.d.Ledger.DropPieceFile(ctx, name)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// keepCAR begins the file of an item's CAR where the policy wants it.
func (s *Shelf) keepCAR(ctx context.Context, name string) (*file, error) {
	if !s.cfg.KeepFiles {
		return nil, nil
	}
	return s.create(ctx, job.PieceFile{Name: name + carSuffix})
}

// keepLayout keeps the layout of a CAR that is not small.
func (s *Shelf) keepLayout(ctx context.Context, name, piece string, car uint64, lay []byte) error {
	if car < layoutFrom {
		return nil
	}
	f, err := s.create(ctx, job.PieceFile{Name: name + layoutSuffix, Piece: piece, Size: uint64(len(lay))})
	if err != nil {
		return err
	}
	defer f.abort()
	if _, err := f.f.Write(lay); err != nil {
		return fmt.Errorf("writing a layout: %w", err)
	}
	return f.complete(ctx, piece)
}

// removeFiles drops all that is kept of a piece.
func (s *Shelf) removeFiles(ctx context.Context, piece string) error {
	rows, err := s.d.Ledger.PieceFiles(ctx, piece)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := s.remove(ctx, row.Name); err != nil {
			return err
		}
	}
	return nil
}

// kept finds a complete file of a piece with this suffix; "" for none.
func (s *Shelf) kept(ctx context.Context, piece, suffix string) (string, error) {
	rows, err := s.d.Ledger.PieceFiles(ctx, piece)
	if err != nil {
		return "", err
	}
	for _, row := range rows {
		if row.Complete && filepath.Ext(row.Name) == suffix {
			return s.path(row.Name), nil
		}
	}
	return "", nil
}
