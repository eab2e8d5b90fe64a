package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	resultFile = "scripts/symbolic/result.txt"
	workDir    = ".cache/symbolic"
	out        = workDir + "/out"
)

// groups are the contracts of test/symbolic, the quick ones first.
var groups = []string{"BountyChecks", "VestingChecks", "SolvencyChecks"}

func main() {
	python := flag.String("python", ".cache/python/symbolic/bin", "the folder of halmos and of the Python that it runs in")
	only := flag.String("only", "", "these contracts of test/symbolic alone, separated by commas")
	plant := flag.Bool("planted", true, "see that each planted change is found")
	result := flag.String("result", resultFile, "the file that the result is written to, when everything was run")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *python, *only, *plant, *result); err != nil {
		fmt.Fprintln(os.Stderr, "symbolic:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, python, only string, plant bool, result string) error {
	bench, err := newBench(python)
	if err != nil {
		return err
	}
	var report bytes.Buffer
	said, err := bench.selftest(ctx, rand.Uint32())
	if err != nil {
		return err
	}
	fmt.Fprintf(&report, "Result of `make symbolic`: written by scripts/symbolic.\n\n%s\n", said)
	var failed error
	var names []string
	for _, group := range groups {
		if only != "" && !slices.Contains(strings.Split(only, ","), group) {
			continue
		}
		checks, err := bench.halmos(ctx, ".", group, "check_")
		if err != nil {
			return err
		}
		for _, c := range checks {
			names = append(names, group+"."+c.name())
			fmt.Fprintf(&report, "%-16s %s.%s (%s)\n", c.verdict(), group, c.name(), c.took())
			if c.Exit != 0 {
				failed = errors.Join(failed, fmt.Errorf("%s.%s: %s", group, c.name(), c.verdict()))
			}
		}
	}
	fmt.Print(report.String())
	if failed != nil {
		return failed
	}
	if plant {
		fmt.Fprintln(&report)
		if err := bench.plantAll(ctx, names, &report); err != nil {
			return err
		}
	}
	if only == "" && plant {
		return os.WriteFile(result, report.Bytes(), 0o644)
	}
	return nil
}

// check is what halmos says of one function.
type check struct {
	Signature string    `json:"name"`
	Exit      int       `json:"exitcode"`
	Time      []float64 `json:"time"`
}

func (c check) name() string {
	name, _, _ := strings.Cut(c.Signature, "(")
	return name
}

func (c check) took() time.Duration {
	if len(c.Time) == 0 {
		return 0
	}
	return time.Duration(c.Time[0] * float64(time.Second)).Round(time.Second)
}

// refuted is halmos's exit code of a check with a counterexample.
const refuted = 1

func (c check) verdict() string {
	switch c.Exit {
	case 0:
		return "holds"
	case refuted:
		return "REFUTED"
	}
	return "UNDECIDED"
}

// bench is the programs that are run.
type bench struct{ python, bin, solver string }

func newBench(python string) (b bench, err error) {
	for path, to := range map[string]*string{python: &b.python, "bin": &b.bin, "scripts/symbolic/solve.py": &b.solver} {
		if *to, err = filepath.Abs(path); err != nil {
			return b, fmt.Errorf("looking for %s: %w", path, err)
		}
	}
	return b, nil
}

// environ has halmos find forge, and keep what it writes out of the home directory.
func (b bench) environ() []string {
	return append(os.Environ(), "FOUNDRY_PROFILE=symbolic", "PYTHONDONTWRITEBYTECODE=1",
		"PATH="+b.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// selftest holds the solver against z3 on drawn formulas.
func (b bench) selftest(ctx context.Context, seed uint32) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.python, "python"), b.solver, "--selftest", strconv.FormatUint(uint64(seed), 10))
	cmd.Env = b.environ()
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the solver, seed %d: %w: %s", seed, err, said)
	}
	return string(said), nil
}

// halmos runs the functions of a contract whose names begin so, in the tree at root.
func (b bench) halmos(ctx context.Context, root, contract, prefix string) ([]check, error) {
	file, err := filepath.Abs(filepath.Join(workDir, "said.json"))
	if err != nil {
		return nil, fmt.Errorf("placing halmos's result: %w", err)
	}
	if err := os.RemoveAll(file); err != nil {
		return nil, fmt.Errorf("removing halmos's last result: %w", err)
	}
	cmd := exec.CommandContext(ctx, "nice", "-n", "15", filepath.Join(b.python, "halmos"),
		"--root", root, "--forge-build-out", out, "--contract", contract, "--function", prefix, "--no-status",
		"--solver-command", filepath.Join(b.python, "python")+" "+b.solver, "--solver-timeout-assertion", "200s", "--json-output", file)
	cmd.Env = b.environ()
	// Its status says what the checks did, if there were any; the file says that too.
	said, ran := cmd.CombinedOutput()
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("halmos, %s: %w: %s", contract, errors.Join(ran, err), said)
	}
	var report struct {
		Results map[string][]check `json:"test_results"`
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return nil, fmt.Errorf("what halmos says of %s: %w", contract, err)
	}
	var checks []check
	for _, of := range report.Results {
		checks = append(checks, of...)
	}
	if len(checks) == 0 {
		return nil, fmt.Errorf("halmos found no check %s.%s: %s", contract, prefix, said)
	}
	slices.SortFunc(checks, func(x, y check) int { return strings.Compare(x.Signature, y.Signature) })
	return checks, nil
}
