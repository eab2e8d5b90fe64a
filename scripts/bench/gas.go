package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const forge = "bin/forge"

// gasRow is one number of Foundry's snapshots.
type gasRow struct {
	name          string
	group, entry  string // the snapshot's file and key
	each          float64
	unit          string // "" for gas
	baseline      string
	baselineValue float64
	method        string
}

// gas measures now, into a folder of its own: the committed snapshots are for
// `make check` and stay as they are. A ceiling that is broken shows in the
// ratio; it fails `make test`, not this.
func gas(ctx context.Context, rows []gasRow, log io.Writer) ([]result, error) {
	dir, err := os.MkdirTemp("", "tidegate-gas-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for gas snapshots: %w", err)
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, forge, "test", "--match-path", "test/contracts/gas/*")
	cmd.Env = append(os.Environ(), "FOUNDRY_SNAPSHOTS="+dir, "FORGE_SNAPSHOT_CHECK=false", "FORGE_SNAPSHOT_EMIT=true")
	output, ran := cmd.CombinedOutput()
	fmt.Fprint(log, string(output))

	var found []result
	for _, row := range rows {
		value, err := row.read(dir)
		if err != nil {
			if ran != nil {
				err = fmt.Errorf("%w; forge: %w", err, ran)
			}
			return found, err
		}
		found = append(found, row.result(value))
	}
	return found, nil
}

func (g gasRow) read(dir string) (float64, error) {
	raw, err := os.ReadFile(filepath.Join(dir, g.group+".json"))
	if err != nil {
		return 0, fmt.Errorf("%s: the gas tests wrote no snapshot: %w", g.name, err)
	}
	var entries map[string]string
	if err := json.Unmarshal(raw, &entries); err != nil {
		return 0, fmt.Errorf("%s: reading the snapshot: %w", g.name, err)
	}
	text, ok := entries[g.entry]
	if !ok {
		return 0, fmt.Errorf("%s: the snapshot %s has no entry %q", g.name, g.group, g.entry)
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: reading the snapshot: %w", g.name, err)
	}
	return value, nil
}

func (g gasRow) result(value float64) result {
	if g.each > 0 {
		value /= g.each
	}
	how := "Foundry, whole transaction on an EVM"
	if g.group == "Sizes" {
		how = "deployed code"
	}
	return result{
		Name: g.name, Value: value, Unit: cmp.Or(g.unit, "gas"),
		Method: strings.Join(append([]string{how}, nonEmpty(g.method)...), "; "),
	}.against(g.baseline, g.baselineValue)
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
