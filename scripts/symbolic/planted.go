package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

const plantedFile = "scripts/symbolic/planted.json"

// planted is a small change of a contract, and the check that has to find it.
type planted struct {
	File  string `json:"file"`
	From  string `json:"from"`
	To    string `json:"to"`
	Check string `json:"check"`
}

func readPlanted(file string) ([]planted, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading planted changes: %w", err)
	}
	var all []planted
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return all, nil
}

// plantAll makes each change in a copy of the sources and has its check find it.
func (b bench) plantAll(ctx context.Context, names []string, report io.Writer) error {
	all, err := readPlanted(plantedFile)
	if err != nil {
		return err
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p planted) bool { return p.Check == name }) {
			return fmt.Errorf("%s names no change that %s has to find", plantedFile, name)
		}
	}
	root, err := os.MkdirTemp("", "tidegate-symbolic-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(root)
	if err := copySources(root); err != nil {
		return err
	}
	var failed error
	for _, p := range all {
		if !slices.Contains(names, p.Check) {
			continue
		}
		verdict, err := b.plant(ctx, root, p)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%-16s %s: %s -> %s (%s)\n", verdict, filepath.Base(p.File), p.From, p.To, p.Check)
		fmt.Print(line)
		fmt.Fprint(report, line)
		if verdict != "found" {
			failed = errors.Join(failed, fmt.Errorf("%s does not find: %s", p.Check, p.From))
		}
	}
	return failed
}

func (b bench) plant(ctx context.Context, root string, p planted) (string, error) {
	source, err := os.ReadFile(p.File)
	if err != nil {
		return "", fmt.Errorf("reading what is to be changed: %w", err)
	}
	if strings.Count(string(source), p.From) != 1 {
		return "", fmt.Errorf("%s: %q stands in %s %d times, not once", plantedFile, p.From, p.File, strings.Count(string(source), p.From))
	}
	changed := filepath.Join(root, p.File)
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), p.From, p.To, 1)), 0o644); err != nil {
		return "", fmt.Errorf("planting: %w", err)
	}
	contract, name, _ := strings.Cut(p.Check, ".")
	checks, err := b.halmos(ctx, root, contract, name)
	if err := errors.Join(err, os.WriteFile(changed, source, 0o644)); err != nil {
		return "", err
	}
	for _, c := range checks {
		if c.name() == name && c.Exit == refuted {
			return "found", nil
		}
	}
	return "NOT FOUND", nil
}

// copySources lays out what forge needs to compile the checks.
func copySources(root string) error {
	for _, dir := range []string{"contracts", "test/symbolic"} {
		if err := os.CopyFS(filepath.Join(root, dir), os.DirFS(dir)); err != nil {
			return fmt.Errorf("copying sources: %w", err)
		}
	}
	for _, name := range []string{"foundry.toml", "scripts", "node_modules"} {
		at, err := filepath.Abs(name)
		if err != nil {
			return fmt.Errorf("looking for %s: %w", name, err)
		}
		if err := os.Symlink(at, filepath.Join(root, name)); err != nil {
			return fmt.Errorf("linking %s: %w", name, err)
		}
	}
	return nil
}
