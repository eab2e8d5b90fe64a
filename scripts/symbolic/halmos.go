package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// check is what halmos says of one function.
type check struct {
	Signature string    `json:"name"`
	Exit      int       `json:"exitcode"`
	Time      []float64 `json:"time"`
}

// Exit codes of a check: halmos's, and what is kept of a run that took too long.
const (
	holds    = 0
	refuted  = 1 // by values that were found
	tooLong  = -1
	deciding = "30m" // for the formulas of one path, of which solve.py bounds the work

	// branching is for the question whether a branch can be taken. One that is not answered by then is followed; by
	// halmos's own 1 ms a busy machine follows branches that cannot be, and more of them below those, without end.
	branching = "100ms"
)

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

func (c check) verdict() string {
	switch c.Exit {
	case holds:
		return "holds"
	case refuted:
		return "REFUTED"
	case tooLong:
		return "UNDECIDED (time)"
	}
	return "UNDECIDED"
}

// bench is the programs that are run, and the copies of the sources that they run in: one for each run at a time.
type bench struct {
	python, bin, solver string
	limit               time.Duration // for one run of halmos; then it is killed
	trees               []string
}

// newBench finds the programs and copies the sources; the copies are removed by close.
func newBench(python string, atOnce int, limit time.Duration) (b *bench, err error) {
	b = &bench{limit: limit}
	for path, to := range map[string]*string{python: &b.python, "bin": &b.bin, "scripts/symbolic/solve.py": &b.solver} {
		if *to, err = filepath.Abs(path); err != nil {
			return nil, fmt.Errorf("looking for %s: %w", path, err)
		}
	}
	for range max(atOnce, 1) {
		tree, err := os.MkdirTemp("", "tidegate-symbolic-")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("making a folder: %w", err), b.close())
		}
		b.trees = append(b.trees, tree)
		if err := copySources(tree); err != nil {
			return nil, errors.Join(err, b.close())
		}
	}
	return b, nil
}

func (b *bench) close() (err error) {
	for _, tree := range b.trees {
		err = errors.Join(err, os.RemoveAll(tree))
	}
	return err
}

// environ has halmos find forge, and keep what it writes out of the home directory.
func (b *bench) environ() []string {
	return append(os.Environ(), "FOUNDRY_PROFILE=symbolic", "PYTHONDONTWRITEBYTECODE=1", "PYTHONUNBUFFERED=1",
		"PATH="+b.bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// each does work for 0…n-1, in as many trees at once as there are; after an error nothing more is begun.
func (b *bench) each(n int, work func(tree string, i int) error) error {
	var running sync.WaitGroup
	var mu sync.Mutex
	var failed error
	next := 0
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= n && failed == nil
	}
	for _, tree := range b.trees {
		running.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				if err := work(tree, i); err != nil {
					mu.Lock()
					failed = errors.Join(failed, err)
					mu.Unlock()
				}
			}
		})
	}
	running.Wait()
	return failed
}

// selftest holds the solver against z3 on drawn formulas.
func (b *bench) selftest(ctx context.Context, seed uint32) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(b.python, "python"), b.solver, "--selftest", strconv.FormatUint(uint64(seed), 10))
	cmd.Env = b.environ()
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("the solver, seed %d: %w: %s", seed, err, said)
	}
	return string(said), nil
}

// counterexample is what halmos says of values that it found and tried; of others it says more.
const counterexample = "Counterexample: \n"

// watch is what halmos says, and does something the first time that it says some words.
type watch struct {
	said  bytes.Buffer
	words string
	seen  bool
	do    func()
}

func (w *watch) Write(p []byte) (int, error) {
	n, err := w.said.Write(p)
	if w.words != "" && !w.seen && strings.Contains(w.said.String(), w.words) {
		w.seen = true
		w.do()
	}
	return n, err
}

// halmos decides a check, named contract.function, of the sources in a tree. One that is
// said to be enough is refuted as soon as halmos says these words: then it is killed,
// since its own early exit does not always end.
func (b *bench) halmos(ctx context.Context, tree, full, enough string) (check, error) {
	contract, name, _ := strings.Cut(full, ".")
	file := filepath.Join(tree, "said.json")
	if err := os.RemoveAll(file); err != nil {
		return check{}, fmt.Errorf("removing halmos's last result: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, b.limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "nice", "-n", "15", filepath.Join(b.python, "halmos"),
		"--root", tree, "--forge-build-out", "out", "--contract", contract, "--function", name+`\(`, "--no-status",
		"--solver-command", filepath.Join(b.python, "python")+" "+b.solver, "--solver-timeout-branching", branching, "--solver-timeout-assertion", deciding, "--json-output", file)
	cmd.Env = append(b.environ(), "FOUNDRY_OUT=out", "FOUNDRY_CACHE_PATH=cache")
	// It does not end for SIGTERM, nor do its solvers when it is killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	said := &watch{words: enough, do: cancel}
	cmd.Stdout, cmd.Stderr = said, said
	// Its status says what the check did, if there was one; the file says that too.
	ran := cmd.Run()
	if said.seen {
		return check{Signature: name, Exit: refuted}, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return check{Signature: name, Exit: tooLong, Time: []float64{b.limit.Seconds()}}, nil
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return check{}, fmt.Errorf("halmos, %s: %w: %s", full, errors.Join(ran, err), said.said.String())
	}
	var report struct {
		Results map[string][]check `json:"test_results"`
	}
	if err := json.Unmarshal(raw, &report); err != nil {
		return check{}, fmt.Errorf("what halmos says of %s: %w", full, err)
	}
	for _, of := range report.Results {
		for _, c := range of {
			if c.name() == name {
				return c, nil
			}
		}
	}
	return check{}, fmt.Errorf("halmos found no check %s: %s", full, said.said.String())
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
