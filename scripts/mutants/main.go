package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
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
	Tests    []string            `json:"tests"`    // globs of forge's, the fastest first
	Carriers []string            `json:"carriers"` // source:contract whose code the tests run
	Files    map[string][]string `json:"files"`    // the functions of each
}

// options say what is run.
type options struct {
	n      int
	seed   uint64
	only   string
	list   bool
	result string
	resume bool
	within time.Duration
}

func main() {
	o := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func parse() (o options) {
	flag.IntVar(&o.n, "n", 120, "how many mutants are tried")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "which ones are drawn")
	flag.StringVar(&o.only, "only", "", "of these groups alone, separated by commas")
	flag.BoolVar(&o.list, "list", false, "print the mutants that there are, and try none")
	flag.StringVar(&o.result, "result", resultFile, "the file that the result is written to")
	flag.BoolVar(&o.resume, "resume", false, "go on with the draw in the result file: killed ones of the same sources are not tried again")
	flag.DurationVar(&o.within, "within", 0, "begin no mutant after so long; the result then says that it is not finished (0: no limit)")
	flag.Parse()
	return o
}

func run(ctx context.Context, o options) error {
	groups, err := readTargets()
	if err != nil {
		return err
	}
	all, err := enumerate(groups, o.only)
	if err != nil {
		return err
	}
	if o.list {
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
	t := tally{wanted: o.n, seed: o.seed, only: o.only, all: len(all)}
	if t.sources, err = fingerprint(groups); err != nil {
		return err
	}
	before := map[string]bool{}
	if o.resume {
		if before, err = killedBefore(o.result, t); err != nil {
			return err
		}
	}
	r := rand.New(rand.NewPCG(o.seed, 0))
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	failed := draw(ctx, groups, all, equivalent, before, o, &t)
	var report bytes.Buffer
	t.write(&report)
	fmt.Print(report.String())
	if err := os.WriteFile(o.result, report.Bytes(), 0o644); err != nil {
		return errors.Join(failed, fmt.Errorf("writing the result: %w", err))
	}
	switch {
	case failed != nil:
		return failed
	case t.tried() < min(t.wanted, t.all-t.refused-t.same-len(t.equivalent)):
		return fmt.Errorf("not finished: %d of %d tried; go on with -resume", t.tried(), t.wanted)
	case t.tried() == 0 || len(t.killed)*100 < least*t.tried():
		return fmt.Errorf("%d of %d killed, wanted %d %%", len(t.killed), t.tried(), least)
	}
	return nil
}

// draw tries mutants in their order until enough are, or the time is over.
func draw(ctx context.Context, groups []group, all []mutant, equivalent map[string]string, before map[string]bool, o options, t *tally) error {
	start := time.Now()
	b, err := newBench(ctx, workDir, groups)
	if err != nil {
		return err
	}
	defer b.compiler.Close()
	passes := make([]bool, len(groups))
	var failed error
	for _, m := range all {
		over := failed != nil || o.within > 0 && time.Since(start) > o.within
		switch {
		case t.tried() >= o.n:
			return failed
		case equivalent[m.key()] != "":
			t.equivalent = append(t.equivalent, m)
			continue
		case before[m.key()]:
			t.add(killed, m)
			continue
		case over: // what was killed before stays in the result
			continue
		}
		if !passes[m.group] {
			if failed = b.baseline(ctx, m.group); failed != nil {
				continue
			}
			passes[m.group] = true
		}
		began := time.Now()
		v, err := b.try(ctx, m)
		if failed = err; err != nil {
			continue
		}
		t.add(v, m)
		fmt.Printf("%-16s %s:%d %s [%s] %s\n", v, m.file, m.line, m.function, m.change(), time.Since(began).Round(100*time.Millisecond))
	}
	return failed
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
	seen := map[string]int{}
	for i := range all {
		seen[all[i].key()]++
		all[i].again = seen[all[i].key()]
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
