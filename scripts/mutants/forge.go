package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/scripts/solc"
)

// longest is how long the tests of a mutant may run.
const longest = 3 * time.Minute

// bench is a copy of forge's artefacts in which mutants are tried.
type bench struct {
	dir      string                  // out/ and cache/ below it
	sources  []solc.Sources          // of each group: its carriers with all that they import
	original map[string]*solc.Output // by group and file
}

// newBench copies the artefacts, which have to be of the sources as they are.
func newBench(ctx context.Context, dir string, groups []group) (*bench, error) {
	b := &bench{dir: dir, original: map[string]*solc.Output{}}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("clearing %s: %w", dir, err)
	}
	if err := os.CopyFS(filepath.Join(dir, "out"), os.DirFS("out")); err != nil {
		return nil, fmt.Errorf("copying artefacts: %w", err)
	}
	if err := copyCache(dir); err != nil {
		return nil, err
	}
	for _, g := range groups {
		all := solc.Sources{}
		for _, c := range g.Carriers {
			file, _, _ := strings.Cut(c, ":")
			if err := all.Add(os.DirFS("."), file); err != nil {
				return nil, fmt.Errorf("group %s: %w", g.Name, err)
			}
		}
		b.sources = append(b.sources, all)
		killed, said, err := b.test(ctx, g)
		if err != nil {
			return nil, fmt.Errorf("group %s, as it is: %w", g.Name, err)
		}
		if killed {
			return nil, fmt.Errorf("group %s, as it is: a test fails\n%s", g.Name, said)
		}
	}
	return b, nil
}

// copyCache copies forge's record of what it compiled, with the place of the copy.
func copyCache(dir string) error {
	raw, err := os.ReadFile("cache/solidity-files-cache.json")
	if err != nil {
		return fmt.Errorf("copying forge's cache (run forge build): %w", err)
	}
	var cache map[string]json.RawMessage
	if err := json.Unmarshal(raw, &cache); err != nil {
		return fmt.Errorf("reading forge's cache: %w", err)
	}
	var paths map[string]any
	if err := json.Unmarshal(cache["paths"], &paths); err != nil {
		return fmt.Errorf("reading forge's cache: %w", err)
	}
	paths["artifacts"], paths["build_infos"] = path.Join(dir, "out"), path.Join(dir, "out", "build-info")
	if cache["paths"], err = json.Marshal(paths); err != nil {
		return fmt.Errorf("writing forge's cache: %w", err)
	}
	if raw, err = json.Marshal(cache); err != nil {
		return fmt.Errorf("writing forge's cache: %w", err)
	}
	if err := os.MkdirAll(filepath.Join(dir, "cache"), 0o755); err != nil {
		return fmt.Errorf("writing forge's cache: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cache", "solidity-files-cache.json"), raw, 0o644); err != nil {
		return fmt.Errorf("writing forge's cache: %w", err)
	}
	return nil
}

// verdict is what came of a mutant.
type verdict string

const (
	killed   verdict = "killed"
	survived verdict = "survived"
	refused  verdict = "does not compile"
	same     verdict = "same code"
)

// try compiles a mutant, runs the tests on it, and leaves the copy as it was.
func (b *bench) try(ctx context.Context, groups []group, m mutant) (verdict, error) {
	g, sources := groups[m.group], maps.Clone(b.sources[m.group])
	want := b.carriersOf(m.group, g, m.file)
	id := g.Name + " " + m.file
	if b.original[id] == nil {
		original, err := solc.Compile(ctx, ".", sources.Input(want))
		if err != nil {
			return "", fmt.Errorf("%s as it is: %w", m.file, err)
		}
		b.original[id] = original
	}
	sources[m.file] = m.apply(sources[m.file])
	changed, err := solc.Compile(ctx, ".", sources.Input(want))
	var wrong *solc.Error
	if errors.As(err, &wrong) {
		return refused, nil
	}
	if err != nil {
		return "", err
	}
	differs, err := b.put(b.original[id], changed)
	if err != nil {
		return "", err
	}
	if !differs {
		return same, nil
	}
	dead, said, err := b.test(ctx, g)
	if _, back := b.put(nil, b.original[id]); back != nil {
		return "", back
	}
	if err != nil {
		return "", fmt.Errorf("%s:%d: %w\n%s", m.file, m.line, err, said)
	}
	if dead {
		return killed, nil
	}
	return survived, nil
}

// carriersOf selects the code of the carriers that a file goes into. Of a carrier's
// own file, that is this carrier: others call it, and do not contain it.
func (b *bench) carriersOf(number int, g group, file string) solc.Selection {
	want := solc.Selection{}
	own := slices.ContainsFunc(g.Carriers, func(c string) bool { return strings.HasPrefix(c, file+":") })
	for _, c := range g.Carriers {
		source, name, _ := strings.Cut(c, ":")
		if own && source != file {
			continue
		}
		part := solc.Sources{}
		if err := part.Add(memory(b.sources[number]), source); err != nil {
			continue // newBench has added it
		}
		if _, has := part[file]; has {
			want[source] = map[string][]string{name: {"evm.bytecode", "evm.deployedBytecode"}}
		}
	}
	return want
}

// put writes code into the artefacts, where it differs from the original's.
func (b *bench) put(original, changed *solc.Output) (differs bool, err error) {
	for source, contracts := range changed.Contracts {
		for name, c := range contracts {
			if original != nil && bytes.Equal(original.Contracts[source][name]["evm"], c["evm"]) {
				continue
			}
			differs = true
			if err := b.patch(path.Join(b.dir, "out", path.Base(source), name+".json"), c["evm"]); err != nil {
				return false, err
			}
		}
	}
	return differs, nil
}

func (b *bench) patch(file string, evm json.RawMessage) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("reading an artefact: %w", err)
	}
	var artefact map[string]json.RawMessage
	var code map[string]map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &artefact), json.Unmarshal(evm, &code)); err != nil {
		return fmt.Errorf("reading the artefact %s: %w", file, err)
	}
	for _, part := range []string{"bytecode", "deployedBytecode"} {
		var now map[string]json.RawMessage
		if err := json.Unmarshal(artefact[part], &now); err != nil {
			return fmt.Errorf("reading the artefact %s: %w", file, err)
		}
		for key := range now {
			if key == "object" {
				var object string
				if err := json.Unmarshal(code[part][key], &object); err != nil {
					return fmt.Errorf("reading the compiler's code: %w", err)
				}
				now[key] = json.RawMessage(`"0x` + object + `"`)
			} else if has, ok := code[part][key]; ok {
				now[key] = has
			}
		}
		if artefact[part], err = json.Marshal(now); err != nil {
			return fmt.Errorf("writing the artefact %s: %w", file, err)
		}
	}
	if raw, err = json.Marshal(artefact); err != nil {
		return fmt.Errorf("writing the artefact %s: %w", file, err)
	}
	if err := os.WriteFile(file, raw, 0o644); err != nil {
		return fmt.Errorf("writing an artefact: %w", err)
	}
	return nil
}

// test runs a group's tests on the copy. It is an error if they cannot run.
func (b *bench) test(ctx context.Context, g group) (failed bool, said string, err error) {
	for _, kept := range []string{"fuzz", "invariant"} { // counterexamples of the mutant before
		if err := os.RemoveAll(filepath.Join(b.dir, "cache", kept)); err != nil {
			return false, "", fmt.Errorf("clearing counterexamples: %w", err)
		}
	}
	limited, stop := context.WithTimeout(ctx, longest)
	defer stop()
	cmd := exec.CommandContext(limited, "bin/forge", "test", "--fail-fast", "--match-path", g.Tests)
	cmd.Env = append(os.Environ(), "FOUNDRY_PROFILE=quick", "FOUNDRY_OUT="+path.Join(b.dir, "out"), "FOUNDRY_CACHE_PATH="+path.Join(b.dir, "cache"))
	out, err := cmd.CombinedOutput()
	said = string(out)
	switch {
	case ctx.Err() != nil:
		return false, said, ctx.Err()
	case limited.Err() != nil:
		return true, said, nil
	case !strings.Contains(said, "No files changed, compilation skipped"):
		return false, said, fmt.Errorf("forge compiled, so that its artefacts are not the copy's: %w", errors.Join(err, errors.New(said)))
	case err == nil && strings.Contains(said, "tests passed, 0 failed"):
		return false, said, nil
	case err != nil && strings.Contains(said, "[FAIL"):
		return true, said, nil
	}
	return false, said, fmt.Errorf("the tests did not run: %w", errors.Join(err, errors.New(said)))
}

// memory is a file system of sources.
type memory solc.Sources

// Open implements fs.FS for ReadFile alone.
func (m memory) Open(name string) (fs.File, error) {
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadFile implements fs.ReadFileFS.
func (m memory) ReadFile(name string) ([]byte, error) {
	content, has := m[name]
	if !has {
		return nil, &fs.PathError{Op: "read", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(content), nil
}
