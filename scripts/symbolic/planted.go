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

// everyCheckHasOne fails for a check that has nothing to find, and for a change that no check is named for.
func everyCheckHasOne(all []planted, names []string) (err error) {
	for _, name := range names {
		if !slices.ContainsFunc(all, func(p planted) bool { return p.Check == name }) {
			err = errors.Join(err, fmt.Errorf("%s names no change that %s has to find", plantedFile, name))
		}
	}
	for _, p := range all {
		if !slices.Contains(names, p.Check) {
			err = errors.Join(err, fmt.Errorf("%s: there is no check %s", plantedFile, p.Check))
		}
	}
	return err
}

// plantAll makes each change of the checks that are named, and has its check find it.
func (b *bench) plantAll(ctx context.Context, all []planted, names []string, report io.Writer) error {
	all = slices.DeleteFunc(slices.Clone(all), func(p planted) bool { return !slices.Contains(names, p.Check) })
	lines := make([]string, len(all))
	missed := make([]error, len(all))
	err := b.each(len(all), func(tree string, i int) error {
		p := all[i]
		c, err := b.plant(ctx, tree, p)
		if err != nil {
			return err
		}
		said := "found"
		if c.Exit != refuted {
			said, missed[i] = "NOT FOUND", fmt.Errorf("%s (%s) does not find: %s", p.Check, c.verdict(), p.From)
		}
		lines[i] = fmt.Sprintf("%-16s %s: %s -> %s (%s)\n", said, filepath.Base(p.File), p.From, p.To, p.Check)
		fmt.Print(lines[i])
		return nil
	})
	if err := errors.Join(err, errors.Join(missed...)); err != nil {
		return err
	}
	_, err = io.WriteString(report, strings.Join(lines, ""))
	return err
}

// plant makes a change in a tree, runs its check until it has found something, and takes the change back.
func (b *bench) plant(ctx context.Context, tree string, p planted) (check, error) {
	source, err := os.ReadFile(p.File)
	if err != nil {
		return check{}, fmt.Errorf("reading what is to be changed: %w", err)
	}
	if n := strings.Count(string(source), p.From); n != 1 {
		return check{}, fmt.Errorf("%s: %q stands in %s %d times, not once", plantedFile, p.From, p.File, n)
	}
	changed := filepath.Join(tree, p.File)
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), p.From, p.To, 1)), 0o644); err != nil {
		return check{}, fmt.Errorf("planting: %w", err)
	}
	c, err := b.halmos(ctx, tree, p.Check, counterexample)
	return c, errors.Join(err, os.WriteFile(changed, source, 0o644))
}
