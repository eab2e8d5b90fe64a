package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const baselineFile = "scripts/analyze/baseline.txt"

func main() {
	slither := flag.String("slither", ".cache/python/slither/bin/slither", "the program")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *slither, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "analyze:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, slither string, out io.Writer) error {
	text, err := os.ReadFile(baselineFile)
	if err != nil {
		return fmt.Errorf("reading the baseline: %w", err)
	}
	known, err := parseBaseline(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", baselineFile, err)
	}
	dir, err := os.MkdirTemp("", "tidegate-analyze-")
	if err != nil {
		return fmt.Errorf("making a folder: %w", err)
	}
	defer os.RemoveAll(dir)
	if err := writeBuildInfo(ctx, dir); err != nil {
		return err
	}
	found, err := runSlither(ctx, slither, dir)
	if err != nil {
		return err
	}
	fresh, stale := compare(known, found)
	for _, f := range fresh {
		fmt.Fprintf(out, "\nnew: %s (%s)\n%s\n    %s\n", f.Check, f.Impact, strings.TrimSpace(f.Description), f.key())
	}
	for _, key := range stale {
		fmt.Fprintf(out, "\nno longer found: %s\n", key)
	}
	if len(fresh)+len(stale) > 0 {
		return fmt.Errorf("%d new findings, %d no longer found: mend the code, or write the lines with a reason into %s", len(fresh), len(stale), baselineFile)
	}
	fmt.Fprintf(out, "analyze: %d findings of slither, each with its reason in %s\n", len(found), baselineFile)
	return nil
}

// runSlither has the sources in dir's build information looked through.
func runSlither(ctx context.Context, program, dir string) ([]finding, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, fmt.Errorf("looking for slither: %w", err)
	}
	bin, err := filepath.Abs("bin")
	if err != nil {
		return nil, fmt.Errorf("looking for forge: %w", err)
	}
	result := filepath.Join(dir, "findings.json")
	cmd := exec.CommandContext(ctx, program, ".", "--ignore-compile", "--foundry-ignore-compile", "--foundry-out-directory", dir,
		"--filter-paths", "node_modules", "--exclude-informational", "--exclude-optimization", "--json", result)
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	said, err := cmd.CombinedOutput()
	// Its status says that it found something; only the file says that it ran.
	raw, missing := os.ReadFile(result)
	if missing != nil {
		return nil, fmt.Errorf("slither gave no result: %w\n%s", errors.Join(err, missing), said)
	}
	var answer struct {
		Success bool   `json:"success"`
		Error   string `json:"error"`
		Results struct {
			Detectors []finding `json:"detectors"`
		} `json:"results"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, fmt.Errorf("reading slither's result: %w", err)
	}
	if !answer.Success {
		return nil, fmt.Errorf("slither failed: %s", answer.Error)
	}
	return answer.Results.Detectors, nil
}
