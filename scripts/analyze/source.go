package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"github.com/tidegate/tidegate/scripts/solc"
)

// writeBuildInfo parses all of contracts/ and writes what came of it in the form
// in which forge leaves it for other tools.
func writeBuildInfo(ctx context.Context, dir string) error {
	root, sources := os.DirFS("."), solc.Sources{}
	err := fs.WalkDir(root, "contracts", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".sol" {
			return err
		}
		return sources.Add(root, name)
	})
	if err != nil {
		return fmt.Errorf("reading the contracts: %w", err)
	}
	// No code: that would take minutes, and slither reads none.
	input := sources.Input(solc.Selection{"*": {"": {"ast"}, "*": {"abi"}}})
	output, err := solc.Compile(ctx, ".", input)
	if err != nil {
		return fmt.Errorf("reading the contracts: %w", err)
	}
	// The code that slither's reader asks for is left empty.
	none := json.RawMessage(`{"object": "", "sourceMap": "", "linkReferences": {}}`)
	evm, err := json.Marshal(map[string]any{"bytecode": none, "deployedBytecode": none, "methodIdentifiers": map[string]any{}})
	if err != nil {
		return fmt.Errorf("writing build information: %w", err)
	}
	for _, file := range output.Contracts {
		for _, c := range file {
			c["evm"], c["metadata"], c["devdoc"], c["userdoc"] = evm, json.RawMessage(`""`), json.RawMessage(`{}`), json.RawMessage(`{}`)
		}
	}
	info, err := json.Marshal(map[string]any{
		"_format": "hh-sol-build-info-1", "id": "analyze", "solcVersion": "0.8.30", "solcLongVersion": "0.8.30", "input": input, "output": output,
	})
	if err != nil {
		return fmt.Errorf("writing build information: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "build-info"), 0o755); err != nil {
		return fmt.Errorf("writing build information: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "build-info", "analyze.json"), info, 0o644); err != nil {
		return fmt.Errorf("writing build information: %w", err)
	}
	return nil
}
