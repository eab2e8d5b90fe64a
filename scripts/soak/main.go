package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
)

const resultFile = "scripts/soak/result.txt"

func main() {
	p, file, list := parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, file, list); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func parse() (p plan, file string, list bool) {
	flag.IntVar(&p.rounds, "rounds", 20, "rounds of the end-to-end tests and under the race detector")
	flag.DurationVar(&p.fuzz, "fuzz", 10*time.Minute, "how long each fuzz target runs")
	flag.IntVar(&p.mutants, "mutants", 200, "how many mutants of the contracts are tried")
	flag.Uint64Var(&p.seed, "seed", 0, "of Foundry's fuzzing and of the draw of mutants (0: a fresh one)")
	flag.Var(&p.only, "only", "the stages to run, an expression for their ids (default: all); the others keep what the result file says of them")
	flag.BoolVar(&list, "list", false, "print the stages' ids and what they run")
	flag.StringVar(&file, "result", resultFile, "the file that the result is written to")
	flag.Parse()
	if p.seed == 0 {
		p.seed = rand.Uint64()
	}
	return p, file, list
}

// run does the stages that are wanted, or lists all of them.
func run(ctx context.Context, p plan, file string, list bool) error {
	targets, err := fuzzTargets(os.DirFS("."))
	if err != nil {
		return err
	}
	all := stages(p, targets)
	if list {
		for _, s := range all {
			fmt.Printf("%-60s %s\n", s.id, strings.Join(append(s.env, s.args...), " "))
		}
		return nil
	}
	known, err := readResult(file)
	if err != nil {
		return err
	}
	return execute(ctx, all, p.only.Regexp, known, func() error { return writeResult(file, all, known) }, os.Stdout)
}

// execute runs in order the stages whose ids match only (nil: all), enters into known what
// came of each, and keeps it each time, so that a run which is cut off has lost nothing.
func execute(ctx context.Context, all []stage, only *regexp.Regexp, known map[string]outcome, keep func() error, out io.Writer) error {
	var failed []error
	ran := 0
	for _, s := range all {
		if only != nil && !only.MatchString(s.id) {
			continue
		}
		ran++
		if err := ctx.Err(); err != nil {
			failed = append(failed, fmt.Errorf("%s: not run: %w", s.id, err))
			continue
		}
		fmt.Fprintf(out, "soak: %s\nsoak: %s\n", s.name, strings.Join(append(s.env, s.args...), " "))
		cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
		cmd.Env, cmd.Stdout, cmd.Stderr = s.environ(), out, out
		tested, began := commit(ctx), time.Now()
		err := cmd.Run()
		if ctx.Err() != nil {
			failed = append(failed, fmt.Errorf("%s: stopped: %w", s.id, ctx.Err()))
			continue // says nothing about what is tested
		}
		o := outcome{passed: err == nil, commit: tested, day: began.UTC().Format(time.DateOnly), took: time.Since(began).Round(time.Second), name: s.name}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", s.id, err))
		}
		known[s.id] = o
		fmt.Fprintf(out, "soak: %s\n", o.line(s.id))
		if err := keep(); err != nil {
			return errors.Join(append(failed, err)...)
		}
	}
	if ran == 0 {
		return fmt.Errorf("no stage has an id like %s: -list prints them", only)
	}
	return errors.Join(failed...)
}

// commit names what is tested.
func commit(ctx context.Context) string {
	hash, err := exec.CommandContext(ctx, "git", "rev-parse", "--short=12", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	// The results of soaks themselves are no change of what is tested.
	dirty, err := exec.CommandContext(ctx, "git", "status", "--porcelain", "--", ".", ":!scripts/*/result.txt").Output()
	name := strings.TrimSpace(string(hash))
	if err != nil || len(dirty) > 0 {
		name += "+changes"
	}
	return name
}
