package daemon

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/ipfs/boxo/files"
)

// uploadPrefix begins the names of temporary directories in the data directory.
const uploadPrefix = "upload-"

// untar unpacks a directory sent as a tar stream, since a directory is read
// more than once while it is added. Nothing leaves the temporary directory:
// os.Root refuses paths and links that would. clean removes it.
func untar(dataDir string, body io.Reader) (dir files.Node, clean func(), err error) {
	path, err := os.MkdirTemp(dataDir, uploadPrefix)
	if err != nil {
		return nil, nil, fmt.Errorf("making room for an upload: %w", err)
	}
	clean = func() { _ = os.RemoveAll(path) } // the next start removes a left-over
	defer func() {
		if err != nil {
			clean()
		}
	}()
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening %s: %w", path, err)
	}
	defer root.Close()
	if err := unpack(root, tar.NewReader(body)); err != nil {
		return nil, nil, fmt.Errorf("unpacking the upload: %w", err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the upload: %w", err)
	}
	node, err := files.NewSerialFile(path, true, info)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the upload: %w", err)
	}
	return node, clean, nil
}

func unpack(root *os.Root, r *tar.Reader) error {
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(h.Name)
		switch h.Typeflag {
		case tar.TypeDir:
			err = root.MkdirAll(name, 0o700)
		case tar.TypeSymlink:
			err = root.Symlink(h.Linkname, name)
		case tar.TypeReg:
			err = unpackFile(root, name, r)
		default:
			err = fmt.Errorf("%s is neither file, directory nor symbolic link", h.Name)
		}
		if err != nil {
			return err
		}
	}
}

func unpackFile(root *os.Root, name string, body io.Reader) error {
	if dir := filepath.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	f, err := root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	return errors.Join(err, f.Close())
}
