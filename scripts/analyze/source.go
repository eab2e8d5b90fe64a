package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	remapped = "@openzeppelin/"
	mappedTo = "node_modules/@openzeppelin/"
)

// source is a file as the compiler takes it.
type source struct {
	Content string `json:"content"`
}

// input is the compiler's standard JSON, as far as it is needed here.
type input struct {
	Language string            `json:"language"`
	Sources  map[string]source `json:"sources"`
	Settings settings          `json:"settings"`
}

type settings struct {
	Remappings      []string                       `json:"remappings"`
	EVMVersion      string                         `json:"evmVersion"`
	OutputSelection map[string]map[string][]string `json:"outputSelection"`
}

var importLine = regexp.MustCompile(`(?m)^\s*import\s+(?:[^"';]*\bfrom\s+)?["']([^"']+)["']\s*;|^}\s*from\s+["']([^"']+)["']\s*;`)

// writeBuildInfo parses all of contracts/ and writes what came of it in the form
// in which forge leaves it for other tools.
func writeBuildInfo(ctx context.Context, dir string) error {
	in := input{
		Language: "Solidity",
		Sources:  map[string]source{},
		Settings: settings{
			Remappings: []string{remapped + "=" + mappedTo},
			EVMVersion: "cancun",
			// No code: that would take minutes, and slither reads none.
			OutputSelection: map[string]map[string][]string{"*": {"": {"ast"}, "*": {"abi"}}},
		},
	}
	root := os.DirFS(".")
	err := fs.WalkDir(root, "contracts", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || path.Ext(name) != ".sol" {
			return err
		}
		return addSource(root, in.Sources, name)
	})
	if err != nil {
		return fmt.Errorf("reading the contracts: %w", err)
	}
	output, err := compile(ctx, in)
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]any{
		"_format": "hh-sol-build-info-1", "id": "analyze", "solcVersion": "0.8.30", "solcLongVersion": "0.8.30", "input": in, "output": output,
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

// addSource adds a file and what it imports.
func addSource(root fs.FS, all map[string]source, name string) error {
	if _, has := all[name]; has {
		return nil
	}
	content, err := fs.ReadFile(root, name)
	if err != nil {
		return fmt.Errorf("reading a source: %w", err)
	}
	all[name] = source{string(content)}
	for _, m := range importLine.FindAllStringSubmatch(string(content), -1) {
		from := m[1] + m[2]
		switch {
		case strings.HasPrefix(from, "."):
			from = path.Join(path.Dir(name), from)
		case strings.HasPrefix(from, remapped):
			from = mappedTo + strings.TrimPrefix(from, remapped)
		}
		if err := addSource(root, all, from); err != nil {
			return fmt.Errorf("%s imports %s: %w", name, from, err)
		}
	}
	return nil
}

// compile has the pinned compiler read the sources. The code that slither's
// reader asks for is left empty.
func compile(ctx context.Context, in input) (map[string]any, error) {
	raw, err := json.Marshal(in)
	if err != nil {
		return nil, fmt.Errorf("asking the compiler: %w", err)
	}
	cmd := exec.CommandContext(ctx, "node", "scripts/solc.js", "--standard-json")
	cmd.Stdin, cmd.Stderr = bytes.NewReader(raw), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running the compiler: %w", err)
	}
	var output struct {
		Errors []struct {
			Severity string `json:"severity"`
			Message  string `json:"formattedMessage"`
		} `json:"errors"`
		Sources   map[string]any                       `json:"sources"`
		Contracts map[string]map[string]map[string]any `json:"contracts"`
	}
	if err := json.Unmarshal(answer, &output); err != nil {
		return nil, fmt.Errorf("reading the compiler's answer: %w", err)
	}
	for _, e := range output.Errors {
		if e.Severity == "error" {
			return nil, fmt.Errorf("the contracts do not compile: %s", e.Message)
		}
	}
	none := map[string]any{"object": "", "sourceMap": "", "linkReferences": map[string]any{}}
	for _, file := range output.Contracts {
		for _, c := range file {
			c["evm"] = map[string]any{"bytecode": none, "deployedBytecode": none, "methodIdentifiers": map[string]any{}}
			c["metadata"], c["devdoc"], c["userdoc"] = "", map[string]any{}, map[string]any{}
		}
	}
	return map[string]any{"sources": output.Sources, "contracts": output.Contracts}, nil
}
