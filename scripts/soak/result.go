package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"
)

// outcome is how a stage ended when it last ran to its end.
type outcome struct {
	passed bool
	commit string // what was tested
	day    string // when it began, UTC
	took   time.Duration
	name   string // the stage's, with its numbers
}

func (o outcome) line(id string) string {
	state := "FAILED"
	if o.passed {
		state = "passed"
	}
	return fmt.Sprintf("%s  %s  %s  %s  %s  %s", state, id, o.commit, o.day, o.took, o.name)
}

const header = `Result of make soak, written by scripts/soak: how each stage ended when it last ran to its end,
its id, the commit that was tested, when, for how long, and with which numbers.

`

// readResult gives what the file says, by the stages' ids; nothing if there is no file.
func readResult(file string) (map[string]outcome, error) {
	known := map[string]outcome{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading the last result: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.SplitN(strings.TrimSpace(line), "  ", 6)
		if len(f) != 6 || f[0] != "passed" && f[0] != "FAILED" {
			continue
		}
		took, err := time.ParseDuration(f[4])
		if err != nil {
			return nil, fmt.Errorf("reading the last result: %q: %w", line, err)
		}
		known[f[1]] = outcome{passed: f[0] == "passed", commit: f[2], day: f[3], took: took, name: f[5]}
	}
	return known, nil
}

// writeResult replaces the file: a line for every stage that there is, in order.
func writeResult(file string, all []stage, known map[string]outcome) error {
	var b strings.Builder
	b.WriteString(header)
	for _, s := range all {
		if o, ok := known[s.id]; ok {
			fmt.Fprintln(&b, o.line(s.id))
		} else {
			fmt.Fprintf(&b, "never run  %s\n", s.id)
		}
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// pattern is an expression given by a flag.
type pattern struct{ *regexp.Regexp }

func (p *pattern) String() string {
	if p.Regexp == nil {
		return ""
	}
	return p.Regexp.String()
}

// Set reads it.
func (p *pattern) Set(text string) (err error) {
	p.Regexp, err = regexp.Compile(text)
	return err
}
