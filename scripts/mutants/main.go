package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

const (
	targetsFile    = "scripts/mutants/targets.json"
	equivalentFile = "scripts/mutants/equivalent.txt"
	resultFile     = "scripts/mutants/result.txt"
	workDir        = ".cache/mutants"

	// least is the share of mutants that have to be killed, in percent.
	least = 95
)

// group is functions that move money, and the tests that watch them.
type group struct {
	Name     string              `json:"name"`
	Tests    string              `json:"tests"`    // a glob of forge's
	Carriers []string            `json:"carriers"` // source:contract whose code the tests run
	Files    map[string][]string `json:"files"`    // the functions of each
}

func main() {
	n := flag.Int("n", 120, "how many mutants are tried")
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "which ones are drawn")
	only := flag.String("only", "", "of these groups alone, separated by commas")
	list := flag.Bool("list", false, "print the mutants that there are, and try none")
	result := flag.String("result", resultFile, "the file that the result is written to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *n, *seed, *only, *list, *result); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, n int, seed uint64, only string, list bool, result string) error {
	groups, err := readTargets()
	if err != nil {
		return err
	}
	all, err := enumerate(groups, only)
	if err != nil {
		return err
	}
	if list {
		for _, m := range all {
			fmt.Printf("%s:%d %s\n", m.file, m.line, m.key())
		}
		fmt.Printf("%d mutants\n", len(all))
		return nil
	}
	text, err := os.ReadFile(equivalentFile)
	if err != nil {
		return fmt.Errorf("reading the equivalent ones: %w", err)
	}
	equivalent, err := parseEquivalent(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", equivalentFile, err)
	}
	b, err := newBench(ctx, workDir, groups)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	var t tally
	for _, m := range all {
		if t.tried() == n {
			break
		}
		if equivalent[m.key()] != "" {
			t.equivalent++
			continue
		}
		began := time.Now()
		v, err := b.try(ctx, groups, m)
		if err != nil {
			return err
		}
		t.add(v, m)
		fmt.Printf("%-16s %s:%d %s [%s] %s\n", v, m.file, m.line, m.function, m.change(), time.Since(began).Round(100*time.Millisecond))
	}
	var report bytes.Buffer
	t.write(&report, seed, only, len(all))
	fmt.Print(report.String())
	if err := os.WriteFile(result, report.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	if t.tried() == 0 || t.killed*100 < least*t.tried() {
		return fmt.Errorf("%d of %d killed, wanted %d %%", t.killed, t.tried(), least)
	}
	return nil
}

func readTargets() ([]group, error) {
	raw, err := os.ReadFile(targetsFile)
	if err != nil {
		return nil, fmt.Errorf("reading the targets: %w", err)
	}
	var groups []group
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&groups); err != nil {
		return nil, fmt.Errorf("%s: %w", targetsFile, err)
	}
	return groups, nil
}

// enumerate lists every mutant of the groups, in a fixed order.
func enumerate(groups []group, only string) ([]mutant, error) {
	var all []mutant
	for i, g := range groups {
		if only != "" && !slices.Contains(strings.Split(only, ","), g.Name) {
			continue
		}
		for _, file := range slices.Sorted(maps.Keys(g.Files)) {
			source, err := os.ReadFile(file)
			if err != nil {
				return nil, fmt.Errorf("reading a target: %w", err)
			}
			for _, function := range g.Files[file] {
				of, err := mutantsOf(i, file, string(source), function)
				if err != nil {
					return nil, err
				}
				all = append(all, of...)
			}
		}
	}
	return all, nil
}

// parseEquivalent reads keys, each followed by an indented reason.
func parseEquivalent(text string) (map[string]string, error) {
	reasons := map[string]string{}
	key := ""
	for number, line := range strings.Split(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case !strings.HasPrefix(line, "    "):
			if key != "" && reasons[key] == "" {
				return nil, fmt.Errorf("line %d: no reason for the one before", number+1)
			}
			key = line
		case key == "":
			return nil, errors.New("it begins with a reason")
		default:
			reasons[key] += strings.TrimSpace(line) + " "
		}
	}
	if key != "" && reasons[key] == "" {
		return nil, errors.New("no reason for the last one")
	}
	return reasons, nil
}

// tally counts what came of mutants.
type tally struct {
	killed, refused, same, equivalent int
	survivors                         []mutant
}

func (t *tally) tried() int { return t.killed + len(t.survivors) }

func (t *tally) add(v verdict, m mutant) {
	switch v {
	case killed:
		t.killed++
	case survived:
		t.survivors = append(t.survivors, m)
	case refused:
		t.refused++
	case same:
		t.same++
	}
}

func (t *tally) write(out io.Writer, seed uint64, only string, all int) {
	if only == "" {
		only = "all"
	}
	fmt.Fprintf(out, "Result of scripts/mutants: written by it.\n\nseed        %d\ngroups      %s\nthere are   %d mutants\ntried       %d\nkilled      %d\nsurvived    %d\n",
		seed, only, all, t.tried(), t.killed, len(t.survivors))
	fmt.Fprintf(out, "not counted %d that do not compile, %d with the same code, %d equivalent (equivalent.txt)\n", t.refused, t.same, t.equivalent)
	if len(t.survivors) > 0 {
		fmt.Fprintf(out, "\nSurvivors:\n")
	}
	for _, m := range t.survivors {
		fmt.Fprintln(out, m.key())
	}
}
