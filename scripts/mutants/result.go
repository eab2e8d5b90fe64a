package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/tidegate/tidegate/scripts/solc"
)

// tally counts what came of a draw.
type tally struct {
	wanted, all int
	seed        uint64
	only        string
	sources     string // fingerprint

	refused, same                 int
	killed, survivors, equivalent []mutant
}

func (t *tally) tried() int { return len(t.killed) + len(t.survivors) }

func (t *tally) add(v verdict, m mutant) {
	switch v {
	case killed:
		t.killed = append(t.killed, m)
	case survived:
		t.survivors = append(t.survivors, m)
	case refused:
		t.refused++
	case same:
		t.same++
	}
}

// head says which draw it is.
func (t *tally) head() string {
	groups := t.only
	if groups == "" {
		groups = "all"
	}
	return fmt.Sprintf("Result of scripts/mutants: written by it.\n\nseed        %d\ngroups      %s\nsources     %s\nthere are   %d mutants\n", t.seed, groups, t.sources, t.all)
}

func (t *tally) write(out io.Writer) {
	fmt.Fprint(out, t.head())
	fmt.Fprintf(out, "wanted      %d\ntried       %d\nkilled      %d\nsurvived    %d\n", t.wanted, t.tried(), len(t.killed), len(t.survivors))
	fmt.Fprintf(out, "not counted %d that do not compile, %d with the same code, %d equivalent (equivalent.txt)\n", t.refused, t.same, len(t.equivalent))
	for _, of := range []struct {
		name    string
		mutants []mutant
	}{{"Survivors", t.survivors}, {"Equivalent", t.equivalent}, {"Killed", t.killed}} {
		if len(of.mutants) > 0 {
			fmt.Fprintf(out, "\n%s:\n", of.name)
		}
		for _, m := range of.mutants {
			fmt.Fprintln(out, m.key())
		}
	}
}

// killedBefore reads the keys of what was killed from the result file of the same draw.
func killedBefore(file string, t tally) (map[string]bool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the draw to go on with: %w", err)
	}
	if !strings.HasPrefix(string(text), t.head()) {
		return nil, fmt.Errorf("%s is of another draw, or of other sources: begin again, without -resume", file)
	}
	keys := map[string]bool{}
	_, list, _ := strings.Cut(string(text), "\nKilled:\n")
	for key := range strings.Lines(list) {
		keys[strings.TrimSuffix(key, "\n")] = true
	}
	return keys, nil
}

// fingerprint is of all that mutants are made of: the carriers with what they
// import, and the targets. Tests are not in it: one more kills no less.
func fingerprint(groups []group) (string, error) {
	all := solc.Sources{}
	for _, g := range groups {
		for _, c := range g.Carriers {
			file, _, _ := strings.Cut(c, ":")
			if err := all.Add(os.DirFS("."), file); err != nil {
				return "", fmt.Errorf("group %s: %w", g.Name, err)
			}
		}
	}
	for name := range all {
		if !strings.HasPrefix(name, "contracts/") {
			delete(all, name)
		}
	}
	groups = slices.Clone(groups)
	for i := range groups {
		groups[i].Tests = nil
	}
	raw, err := json.Marshal([]any{groups, all}) // maps in order of their keys
	if err != nil {
		return "", fmt.Errorf("hashing the sources: %w", err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8]), nil
}
