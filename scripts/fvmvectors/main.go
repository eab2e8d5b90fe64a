package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

const vectorsDir = "test/contracts/fvm/vectors"

func main() {
	root := flag.String("root", ".", "the repository")
	check := flag.Bool("check", false, "write nothing; fail when a committed file differs")
	flag.Parse()
	if err := run(*root, *check); err != nil {
		fmt.Fprintln(os.Stderr, "fvmvectors:", err)
		os.Exit(1)
	}
}

// files gives the content of every file of vectors by its name.
func files() (map[string][]byte, error) {
	made := map[string][]byte{}
	for name, make := range map[string]func() (any, error){
		"cbor.json":  codecVectors,
		"calls.json": callVectors,
		"podsi.json": podsiVectors,
	} {
		vectors, err := make()
		if err != nil {
			return nil, fmt.Errorf("making %s: %w", name, err)
		}
		content, err := json.MarshalIndent(vectors, "", "  ")
		if err != nil {
			return nil, fmt.Errorf("writing %s: %w", name, err)
		}
		made[name] = append(content, '\n')
	}
	return made, nil
}

// run writes all files, or compares them with what is there.
func run(root string, check bool) error {
	made, err := files()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(made)) {
		path := filepath.Join(root, vectorsDir, name)
		old, err := os.ReadFile(path)
		if err == nil && bytes.Equal(old, made[name]) {
			continue
		}
		if check {
			return fmt.Errorf("%s is not what its sources give; run `make gen` and commit", path)
		}
		if err := os.WriteFile(path, made[name], 0o644); err != nil {
			return fmt.Errorf("writing vectors: %w", err)
		}
		fmt.Println("fvmvectors: wrote", path)
	}
	return nil
}
