package fvm

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestDamagedModulesAreNotRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "new", "module")
	want := []byte("\x00asm and more")
	if _, ok := readMetered(file); ok {
		t.Error("read what is not there")
	}
	for range 2 { // the second replaces the first
		if err := writeMetered(file, want); err != nil {
			t.Fatal(err)
		}
	}
	if got, ok := readMetered(file); !ok || !bytes.Equal(got, want) {
		t.Errorf("read %q (%t), wrote %q", got, ok, want)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for at := range whole {
		flipped := bytes.Clone(whole)
		flipped[at] ^= 1
		for _, damaged := range [][]byte{flipped, whole[:at]} {
			if err := os.WriteFile(file, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, ok := readMetered(file); ok {
				t.Fatalf("read %q from %x", got, damaged)
			}
		}
	}
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files are left (error %v)", len(entries), err)
	}
}
