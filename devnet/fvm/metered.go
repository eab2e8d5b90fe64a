package fvm

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// metered gives an actor's code with its instructions counted. That is made once on a
// machine: it is a large part of a start whose actors are compiled.
func (e *Engine) metered(code cid.Cid, wasm []byte) ([]byte, error) {
	file := filepath.Join(e.cfg.CacheDir, fmt.Sprintf("metered-%d", gas.InstrumentVersion), code.String())
	if made, ok := readMetered(file); ok {
		return made, nil
	}
	made, err := gas.Instrument(wasm)
	if err != nil {
		return nil, err
	}
	if err := writeMetered(file, made); err != nil {
		e.cfg.Log.Warn("an actor is not kept for the next start", slog.String("actor", e.Name(code)), slog.Any("error", err))
	}
	return made, nil
}

// readMetered reads what writeMetered wrote. What is missing or damaged is made anew.
func readMetered(file string) ([]byte, bool) {
	kept, err := os.ReadFile(file)
	if err != nil || len(kept) < sha256.Size {
		return nil, false
	}
	sum := sha256.Sum256(kept[sha256.Size:])
	return kept[sha256.Size:], bytes.Equal(sum[:], kept[:sha256.Size])
}

// writeMetered writes a module behind its hash, so that a reader finds all of it or
// nothing.
func writeMetered(file string, wasm []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // it is of no use
		}
	}()
	sum := sha256.Sum256(wasm)
	if _, err := f.Write(append(sum[:], wasm...)); err != nil {
		_ = f.Close() // the first error counts
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}
