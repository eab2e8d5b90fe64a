package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/BurntSushi/toml"
)

// Loaded is a configuration with where each setting came from.
type Loaded struct {
	Config
	// Sources is by path: "default", "file", "env TIDEGATE_…" or "flag --…".
	Sources map[string]string
	File    string // the file that was read, "" for none
}

// Layers is what goes over the defaults.
type Layers struct {
	Base   Config // Default or Devnet
	File   string // "" looks for nothing
	Getenv func(string) (string, bool)
	Flags  map[string]string // by flag name, only those given
}

// Load applies the layers. Every mistake is reported, not only the first.
func Load(l Layers) (Loaded, error) {
	out := Loaded{Config: l.Base, Sources: map[string]string{}, File: l.File}
	var problems []error
	fileSet := map[string]bool{}
	if l.File != "" {
		meta, err := toml.DecodeFile(l.File, &out.Config)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return out, fmt.Errorf("no configuration file %s: create it (tidegate config show prints one) or leave --config out", l.File)
		case err != nil:
			return out, fmt.Errorf("reading %s: %w", l.File, err)
		}
		for _, key := range meta.Undecoded() {
			problems = append(problems, fmt.Errorf("%s: unknown setting %s", l.File, key))
		}
		for _, key := range meta.Keys() {
			fileSet[key.String()] = true
		}
	}
	known := map[string]bool{}
	for _, f := range Fields() {
		known[f.Env] = true
		out.Sources[f.Path] = "default"
		if fileSet[f.Path] {
			out.Sources[f.Path] = "file"
		}
		if l.Getenv != nil {
			if text, ok := l.Getenv(f.Env); ok {
				out.Sources[f.Path] = "env " + f.Env
				problems = append(problems, f.Set(&out.Config, text))
			}
		}
		if text, ok := l.Flags[f.Flag]; ok {
			out.Sources[f.Path] = "flag --" + f.Flag
			problems = append(problems, f.Set(&out.Config, text))
		}
	}
	home, err := expandHome(out.DataDir)
	problems = append(problems, err)
	out.DataDir = home
	return out, errors.Join(problems...)
}

func expandHome(path string) (string, error) {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path, nil
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path, fmt.Errorf("data_dir: %q needs a home directory (%w): give --data-dir", path, err)
	}
	return filepath.Join(home, rest), nil
}

// TOML writes the configuration as a file with a comment above each setting.
func TOML(c Config) string {
	var b strings.Builder
	table := ""
	for _, f := range Fields() {
		dir, leaf := "", f.Path
		if i := strings.LastIndex(f.Path, "."); i >= 0 {
			dir, leaf = f.Path[:i], f.Path[i+1:]
		}
		if dir != table {
			fmt.Fprintf(&b, "\n[%s]\n", dir)
			table = dir
		}
		fmt.Fprintf(&b, "# %s\n%s = %s\n", f.Doc, leaf, f.tomlValue(c))
	}
	return b.String()
}

func (f Field) tomlValue(c Config) string {
	text := f.Get(c)
	if f.List {
		if text == "" {
			return "[]"
		}
		items := strings.Split(text, ",")
		for i := range items {
			items[i] = fmt.Sprintf("%q", items[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	if f.bare(c) {
		return text
	}
	return fmt.Sprintf("%q", text)
}
