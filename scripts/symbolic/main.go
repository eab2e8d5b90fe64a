package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	sourceDir  = "test/symbolic"
	resultFile = "scripts/symbolic/result.txt"
)

// options say what is run.
type options struct {
	python, only, result string
	decide, plant        bool
	atOnce               int
	limit                time.Duration
}

func main() {
	o := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "symbolic:", err)
		os.Exit(1)
	}
}

func parse() (o options) {
	flag.StringVar(&o.python, "python", ".cache/python/symbolic/bin", "the folder of halmos and of the Python that it runs in")
	flag.StringVar(&o.only, "only", "", "the checks whose names, contract.function, match this regular expression")
	flag.BoolVar(&o.decide, "checks", true, "see that each check holds")
	flag.BoolVar(&o.plant, "planted", true, "see that each planted change is found")
	flag.StringVar(&o.result, "result", resultFile, "the file that the result is written to, when everything was run")
	flag.IntVar(&o.atOnce, "at-once", runtime.NumCPU(), "how many checks are run beside each other")
	flag.DurationVar(&o.limit, "limit", time.Hour, "how long a check may take; what takes longer is not decided")
	flag.Parse()
	return o
}

func run(ctx context.Context, o options) (err error) {
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	all, err := checksIn(sourceDir)
	if err != nil {
		return err
	}
	names := slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !only.MatchString(name) })
	changes, err := readPlanted(plantedFile)
	if err != nil {
		return err
	}
	if err := everyCheckHasOne(changes, all); err != nil {
		return err
	}
	b, err := newBench(o.python, o.atOnce, o.limit)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	said, err := b.selftest(ctx, rand.Uint32())
	if err != nil {
		return err
	}
	var report bytes.Buffer
	fmt.Fprintf(&report, "Result of `make symbolic`: written by scripts/symbolic.\n\n%s\n", said)
	if o.decide {
		if err := b.decide(ctx, names, &report); err != nil {
			return err
		}
	}
	if o.plant {
		fmt.Fprintln(&report)
		if err := b.plantAll(ctx, changes, names, &report); err != nil {
			return err
		}
	}
	if o.only == "" && o.decide && o.plant {
		return os.WriteFile(o.result, report.Bytes(), 0o644)
	}
	return nil
}

// decide runs checks and reports them in their order. Its error names those that do not hold, or were not decided.
func (b *bench) decide(ctx context.Context, names []string, report io.Writer) error {
	lines := make([]string, len(names))
	notHeld := make([]error, len(names))
	err := b.each(len(names), func(tree string, i int) error {
		c, err := b.halmos(ctx, tree, names[i], "")
		if err != nil {
			return err
		}
		lines[i] = fmt.Sprintf("%-16s %s (%s)\n", c.verdict(), names[i], c.took())
		fmt.Print(lines[i])
		if c.Exit != holds {
			notHeld[i] = fmt.Errorf("%s: %s", names[i], c.verdict())
		}
		return nil
	})
	if err := errors.Join(err, errors.Join(notHeld...)); err != nil {
		return err
	}
	_, err = io.WriteString(report, strings.Join(lines, ""))
	return err
}

// checksIn lists the checks of a folder's contracts, as contract.function, in the order of files and lines.
func checksIn(dir string) (names []string, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.sol"))
	if err != nil {
		return nil, fmt.Errorf("looking for checks: %w", err)
	}
	contract := regexp.MustCompile(`(?m)^contract (\w+Checks)`)
	function := regexp.MustCompile(`(?m)^    function (check_\w+)\(`)
	for _, file := range files {
		source, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("looking for checks: %w", err)
		}
		of := contract.FindSubmatch(source)
		if of == nil {
			continue
		}
		for _, m := range function.FindAllSubmatch(source, -1) {
			names = append(names, string(of[1])+"."+string(m[1]))
		}
	}
	return names, nil
}
