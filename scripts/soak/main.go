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
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

const resultFile = "scripts/soak/result.txt"

func main() {
	p := plan{seed: rand.Uint64()}
	flag.IntVar(&p.rounds, "rounds", 20, "rounds of the end-to-end tests and under the race detector")
	flag.DurationVar(&p.fuzz, "fuzz", 10*time.Minute, "how long each fuzz target runs")
	flag.IntVar(&p.mutants, "mutants", 200, "how many mutants of the contracts are tried")
	file := flag.String("result", resultFile, "the file that the result is written to")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, *file); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// run does every stage and writes what came of it.
func run(ctx context.Context, p plan, file string) error {
	targets, err := fuzzTargets(os.DirFS("."))
	if err != nil {
		return err
	}
	var report bytes.Buffer
	fmt.Fprintf(&report, "Result of `make soak`: written by scripts/soak.\n\ncommit   %s\nmachine  %s/%s, %d cores, %s\nbegun    %s\n\n",
		commit(ctx), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version(), time.Now().UTC().Format(time.DateTime))
	failed := execute(ctx, stages(p, targets), &report, os.Stdout)
	if err := os.WriteFile(file, report.Bytes(), 0o644); err != nil {
		return errors.Join(failed, fmt.Errorf("writing the result: %w", err))
	}
	fmt.Print(report.String())
	return failed
}

// execute runs the stages in order; each gets a line in the report.
func execute(ctx context.Context, all []stage, report, out io.Writer) error {
	var failed []error
	for _, s := range all {
		if err := ctx.Err(); err != nil {
			fmt.Fprintf(report, "not run   %s\n", s.name)
			failed = append(failed, fmt.Errorf("%s: not run: %w", s.name, err))
			continue
		}
		fmt.Fprintf(out, "soak: %s\nsoak: %s\n", s.name, strings.Join(append(s.env, s.args...), " "))
		cmd := exec.CommandContext(ctx, s.args[0], s.args[1:]...)
		cmd.Env, cmd.Stdout, cmd.Stderr = s.environ(), out, out
		began := time.Now()
		err := cmd.Run()
		took := time.Since(began).Round(time.Second)
		if err != nil {
			fmt.Fprintf(report, "FAILED    %s (%s, %v)\n", s.name, took, err)
			failed = append(failed, fmt.Errorf("%s: %w", s.name, err))
			continue
		}
		fmt.Fprintf(report, "passed    %s (%s)\n", s.name, took)
	}
	return errors.Join(failed...)
}

// commit names what is tested.
func commit(ctx context.Context) string {
	hash, err := exec.CommandContext(ctx, "git", "rev-parse", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	dirty, err := exec.CommandContext(ctx, "git", "status", "--porcelain").Output()
	name := strings.TrimSpace(string(hash))
	if err != nil || len(dirty) > 0 {
		name += " with uncommitted changes"
	}
	return name
}
