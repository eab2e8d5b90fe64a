package daemon

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// ErrLocked is returned when another daemon uses the data directory.
var ErrLocked = errors.New("the data directory is in use")

// lock holds a data directory for this process. The kernel drops it with the
// process, however that ends.
type lock struct{ f *os.File }

// LockDir takes a data directory for a command that no daemon may run beside, or
// returns ErrLocked. The directory is made when absent.
func LockDir(dir string) (io.Closer, error) {
	l, err := lockDir(dir)
	if err != nil {
		return nil, err
	}
	return l, nil
}

func lockDir(dir string) (*lock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the data directory %s: %w (choose another with --data-dir)", dir, err)
	}
	path := filepath.Join(dir, "daemon.lock")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the data directory %s is not writable: %w", dir, err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(path)
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s belongs to the daemon with process id %s: stop it, or give this one another --data-dir",
				ErrLocked, dir, strings.TrimSpace(string(holder)))
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if err := f.Truncate(0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", path, err), f.Close())
	}
	if _, err := fmt.Fprintf(f, "%d\n", os.Getpid()); err != nil {
		return nil, errors.Join(fmt.Errorf("writing %s: %w", path, err), f.Close())
	}
	return &lock{f}, nil
}

// identity is what a data directory is called in the leases of a ledger, made once.
// A daemon that starts on the directory knows that no other of its name runs.
func identity(dir string) (string, error) {
	path := filepath.Join(dir, "daemon.id")
	have, err := os.ReadFile(path)
	if id := strings.TrimSpace(string(have)); err == nil && id != "" {
		return id, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	host, _ := os.Hostname() // for people; the random part is the name
	id := strings.Map(func(r rune) rune {
		if r == '/' || r <= ' ' {
			return '-'
		}
		return r
	}, host) + "-" + rand.Text()[:10]
	if err := os.WriteFile(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing %s: %w", path, err)
	}
	return id, nil
}

// Close gives the directory back.
func (l *lock) Close() error { return l.f.Close() }
