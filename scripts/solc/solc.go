// Package solc asks the compiler of package.json for what forge does not give:
// parts of the output, of sources that need not be the ones on disk. It is not
// used to make what is deployed or tested as it is; forge is.
//
// Invariants: the settings are those of foundry.toml's default profile, which a
// test compares; nothing is written.
package solc

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"regexp"
	"strings"
)

const (
	remapped = "@openzeppelin/"
	mappedTo = "node_modules/@openzeppelin/"
	forgeStd = "forge-std/"
	stdIn    = "node_modules/@layerzerolabs/toolbox-foundry/lib/forge-std/"
)

// Sources are files by their paths from the root of the repository.
type Sources map[string]string

// Selection says what is wanted, by source and contract, as in the compiler's
// standard JSON: "*" for all, and the contract "" for the file itself.
type Selection map[string]map[string][]string

// Output is the compiler's answer.
type Output struct {
	Sources   map[string]any                                   `json:"sources"`
	Contracts map[string]map[string]map[string]json.RawMessage `json:"contracts"`
}

// Error is what the compiler found wrong with the sources.
type Error struct{ Message string }

func (e *Error) Error() string { return "does not compile: " + e.Message }

var importLine = regexp.MustCompile(`(?m)^\s*import\s+(?:[^"';]*\bfrom\s+)?["']([^"']+)["']\s*;|^}\s*from\s+["']([^"']+)["']\s*;`)

// Add adds a file of a repository, and all that it imports.
func (s Sources) Add(root fs.FS, name string) error {
	if _, has := s[name]; has {
		return nil
	}
	content, err := fs.ReadFile(root, name)
	if err != nil {
		return fmt.Errorf("reading a source: %w", err)
	}
	s[name] = string(content)
	for _, m := range importLine.FindAllStringSubmatch(string(content), -1) {
		from := m[1] + m[2]
		switch {
		case strings.HasPrefix(from, "."):
			from = path.Join(path.Dir(name), from)
		case strings.HasPrefix(from, remapped):
			from = mappedTo + strings.TrimPrefix(from, remapped)
		case strings.HasPrefix(from, forgeStd):
			from = stdIn + strings.TrimPrefix(from, forgeStd)
		}
		if err := s.Add(root, from); err != nil {
			return fmt.Errorf("%s imports %s: %w", name, from, err)
		}
	}
	return nil
}

// Input is the compiler's standard JSON for these sources.
func (s Sources) Input(want Selection) map[string]any {
	sources := map[string]any{}
	for name, content := range s {
		sources[name] = map[string]string{"content": content}
	}
	return map[string]any{
		"language": "Solidity",
		"sources":  sources,
		"settings": map[string]any{
			"remappings":      []string{remapped + "=" + mappedTo, forgeStd + "=" + stdIn},
			"evmVersion":      "cancun",
			"optimizer":       map[string]any{"enabled": true, "runs": 200},
			"metadata":        map[string]any{"bytecodeHash": "none", "appendCBOR": false},
			"outputSelection": want,
		},
	}
}

// Compile runs the compiler on an input in dir, the repository. It returns an
// *Error where the sources are wrong.
func Compile(ctx context.Context, dir string, input map[string]any) (*Output, error) {
	raw, err := json.Marshal(input)
	if err != nil {
		return nil, fmt.Errorf("asking the compiler: %w", err)
	}
	cmd := exec.CommandContext(ctx, "node", "scripts/solc.js", "--standard-json")
	cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(raw), os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("running the compiler: %w", err)
	}
	return decode(answer)
}

// decode reads the compiler's answer.
func decode(answer []byte) (*Output, error) {
	var output struct {
		Errors []struct {
			Severity string `json:"severity"`
			Message  string `json:"formattedMessage"`
		} `json:"errors"`
		Output
	}
	if err := json.Unmarshal(answer, &output); err != nil {
		return nil, fmt.Errorf("reading the compiler's answer: %w", err)
	}
	for _, e := range output.Errors {
		if e.Severity == "error" {
			return nil, &Error{e.Message}
		}
	}
	return &output.Output, nil
}

// Compiler is the compiler as a process that stays, which for small inputs is
// several times as fast. It is used by one goroutine at a time.
type Compiler struct {
	cmd     *exec.Cmd
	inputs  io.WriteCloser
	answers *bufio.Reader
}

// Start starts a compiler in dir, the repository. It ends with Close, or with ctx.
func Start(ctx context.Context, dir string) (*Compiler, error) {
	cmd := exec.CommandContext(ctx, "node", "scripts/solc.js", "--lines")
	cmd.Dir, cmd.Stderr = dir, os.Stderr
	inputs, err := cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the compiler: %w", err)
	}
	answers, err := cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the compiler: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the compiler: %w", err)
	}
	return &Compiler{cmd, inputs, bufio.NewReader(answers)}, nil
}

// Compile compiles an input, as the function of this name does.
func (c *Compiler) Compile(input map[string]any) (*Output, error) {
	if err := json.NewEncoder(c.inputs).Encode(input); err != nil {
		return nil, fmt.Errorf("asking the compiler: %w", err)
	}
	answer, err := c.answers.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("running the compiler: %w", err)
	}
	return decode(answer)
}

// Close ends the compiler.
func (c *Compiler) Close() error {
	if err := errors.Join(c.inputs.Close(), c.cmd.Wait()); err != nil {
		return fmt.Errorf("ending the compiler: %w", err)
	}
	return nil
}
