package ipfs

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// fsSync makes files of one filesystem durable together, with one flush of the
// disk instead of one a file.
type fsSync struct{ dir *os.File }

// openSync is nil where the kernel cannot do it or would hide write errors: before
// Linux 5.8 syncfs(2) did not report them.
func openSync(dir string) (*fsSync, error) {
	if !reportsErrors() {
		return nil, nil
	}
	f, err := os.Open(dir)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	return &fsSync{dir: f}, nil
}

// sync returns when everything written to the filesystem before is on disk: data,
// names and directories.
func (s *fsSync) sync() error {
	if err := unix.Syncfs(int(s.dir.Fd())); err != nil {
		return fmt.Errorf("syncing the filesystem of %s: %w", s.dir.Name(), err)
	}
	return nil
}

func (s *fsSync) close() error { return s.dir.Close() }

func reportsErrors() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	var major, minor int
	if _, err := fmt.Sscanf(unix.ByteSliceToString(u.Release[:]), "%d.%d", &major, &minor); err != nil {
		return false
	}
	return major > 5 || major == 5 && minor >= 8
}
