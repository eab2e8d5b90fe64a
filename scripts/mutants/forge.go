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
	dir      string         // out/ and cache/ below it
	compiler *solc.Compiler // one process for all of them
	groups   []group
	sources  []solc.Sources // of each group: its carriers with all that they import
	original []*solc.Output // of each group: the code of its carriers, as they are
}

// newBench copies the artefacts, which have to be of the sources as they are.
func newBench(ctx context.Context, dir string, groups []group) (*bench, error) {
	b := &bench{dir: dir, groups: groups}
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("clearing %s: %w", dir, err)
	}
	if err := os.CopyFS(filepath.Join(dir, "out"), os.DirFS("out")); err != nil {
		return nil, fmt.Errorf("copying artefacts: %w", err)
	}
	if err := copyCache(dir); err != nil {
		return nil, err
	}
	var err error
	if b.compiler, err = solc.Start(ctx, "."); err != nil {
		return nil, err
	}
	for i, g := range groups {
		all := solc.Sources{}
		for _, c := range g.Carriers {
			file, _, _ := strings.Cut(c, ":")
			if err := all.Add(os.DirFS("."), file); err != nil {
				return nil, fmt.Errorf("group %s: %w", g.Name, err)
			}
		}
		b.sources = append(b.sources, all)
		original, err := b.compiler.Compile(unoptimized(all, b.carriersOf(i, "")))
		if err != nil {
			return nil, fmt.Errorf("group %s, as it is: %w", g.Name, err)
		}
		b.original = append(b.original, original)
		if _, err := b.put(nil, original); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// baseline sees that a group's tests pass on the code as it is.
func (b *bench) baseline(ctx context.Context, i int) error {
	failed, said, err := b.test(ctx, b.groups[i])
	if err != nil {
		return fmt.Errorf("group %s, as it is: %w", b.groups[i].Name, err)
	}
	if failed {
		return fmt.Errorf("group %s, as it is: a test fails\n%s", b.groups[i].Name, said)
	}
	return nil
}

// unoptimized is the compiler's input without its optimizer: that takes a quarter
// of the time, and what a mutant does is the same.
func unoptimized(sources solc.Sources, want solc.Selection) map[string]any {
	input := sources.Input(want)
	input["settings"].(map[string]any)["optimizer"] = map[string]any{"enabled": false}
	return input
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
func (b *bench) try(ctx context.Context, m mutant) (v verdict, err error) {
	sources, original := maps.Clone(b.sources[m.group]), b.original[m.group]
	sources[m.file] = m.apply(sources[m.file])
	changed, err := b.compiler.Compile(unoptimized(sources, b.carriersOf(m.group, m.file)))
	var wrong *solc.Error
	if errors.As(err, &wrong) {
		return refused, nil
	}
	if err != nil {
		return "", err
	}
	differs, err := b.put(original, changed)
	if err != nil {
		return "", err
	}
	if !differs {
		return same, nil
	}
	defer func() {
		if _, back := b.put(changed, original); back != nil {
			v, err = "", errors.Join(err, back)
		}
	}()
	failed, said, err := b.test(ctx, b.groups[m.group])
	if err != nil {
		return "", fmt.Errorf("%s:%d: %w\n%s", m.file, m.line, err, said)
	}
	if failed {
		return killed, nil
	}
	return survived, nil
}

// carriersOf selects the code of the carriers that a file goes into, or of all
// where no file is named. Of a carrier's own file, that is this carrier: others
// call it, and do not contain it.
func (b *bench) carriersOf(number int, file string) solc.Selection {
	carriers, want := b.groups[number].Carriers, solc.Selection{}
	own := slices.ContainsFunc(carriers, func(c string) bool { return strings.HasPrefix(c, file+":") })
	for _, c := range carriers {
		source, name, _ := strings.Cut(c, ":")
		if own && source != file {
			continue
		}
		part := solc.Sources{}
		if err := part.Add(memory(b.sources[number]), source); err != nil {
			continue // newBench has added it
		}
		if _, has := part[file]; has || file == "" {
			want[source] = map[string][]string{name: {
				"evm.bytecode.object", "evm.bytecode.linkReferences", "evm.deployedBytecode.object", "evm.deployedBytecode.linkReferences",
			}}
		}
	}
	return want
}

// put writes code into the artefacts, where it differs from what is there. Contracts
// that one of both has not are left as they are.
func (b *bench) put(there, code *solc.Output) (differs bool, err error) {
	for source, contracts := range code.Contracts {
		for name, c := range contracts {
			if there != nil {
				is, has := there.Contracts[source][name]["evm"]
				if !has || bytes.Equal(is, c["evm"]) {
					continue
				}
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

// test runs a group's tests on the copy, one set after the other until one of
// them fails. It is an error if they cannot run.
func (b *bench) test(ctx context.Context, g group) (failed bool, said string, err error) {
	for _, tests := range g.Tests {
		if failed, said, err = b.forge(ctx, tests); failed || err != nil {
			return failed, said, err
		}
	}
	return false, said, nil
}

// forge runs the tests of a glob on the copy.
func (b *bench) forge(ctx context.Context, tests string) (failed bool, said string, err error) {
	for _, kept := range []string{"fuzz", "invariant"} { // counterexamples of the mutant before
		if err := os.RemoveAll(filepath.Join(b.dir, "cache", kept)); err != nil {
			return false, "", fmt.Errorf("clearing counterexamples: %w", err)
		}
	}
	limited, stop := context.WithTimeout(ctx, longest)
	defer stop()
	cmd := exec.CommandContext(limited, "bin/forge", "test", "--fail-fast", "--match-path", tests)
	cmd.Env = append(os.Environ(), "FOUNDRY_PROFILE=quick", "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT=0",
		"FOUNDRY_FUZZ_FAILURE_PERSIST_DIR="+path.Join(b.dir, "cache", "fuzz"), "FOUNDRY_INVARIANT_FAILURE_PERSIST_DIR="+path.Join(b.dir, "cache", "invariant"),
		"FOUNDRY_OUT="+path.Join(b.dir, "out"), "FOUNDRY_CACHE_PATH="+path.Join(b.dir, "cache"))
	out, err := cmd.CombinedOutput()
	said = string(out)
	switch {
	case ctx.Err() != nil:
		return false, said, ctx.Err()
	case limited.Err() != nil:
		return true, said, nil
	case !strings.Contains(said, "No files changed, compilation skipped"):
		return false, said, fmt.Errorf("forge compiled, so that its artefacts are not the copy's: %w", errors.Join(err, errors.New(said)))
	case err == nil && strings.Contains(said, "tests passed, 0 failed"), err == nil && strings.Contains(said, "; 0 failed; 0 skipped"):
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
