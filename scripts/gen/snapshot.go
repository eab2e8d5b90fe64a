package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
)

// Folders of snapshots: what callers and readers of storage depend on, as text in
// which a change shows.
const (
	abiDir    = "snapshots/abi"
	layoutDir = "snapshots/layout"
)

// layout is the compiler's storage layout.
type layout struct {
	Storage []variable          `json:"storage"`
	Types   map[string]typeInfo `json:"types"`
}

type variable struct {
	Label  string `json:"label"`
	Offset int    `json:"offset"`
	Slot   string `json:"slot"`
	Type   string `json:"type"`
}

type typeInfo struct {
	Label   string     `json:"label"`
	Bytes   string     `json:"numberOfBytes"`
	Members []variable `json:"members"`
	Base    string     `json:"base"`
	Key     string     `json:"key"`
	Value   string     `json:"value"`
}

// snapshots gives a contract's files by their paths.
func (c contract) snapshots() (map[string][]byte, error) {
	calls, err := c.calls()
	if err != nil {
		return nil, err
	}
	return map[string][]byte{
		filepath.Join(abiDir, c.Name+".txt"):    []byte(strings.Join(calls, "\n") + "\n"),
		filepath.Join(layoutDir, c.Name+".txt"): []byte(strings.Join(c.layout.lines(), "\n") + "\n"),
	}, nil
}

// calls lists functions, events and errors with their selectors, in order of names.
// A library has functions only, and those for who is linked with it.
func (c contract) calls() ([]string, error) {
	var lines []string
	if c.Library {
		for signature, selector := range c.selectors {
			lines = append(lines, fmt.Sprintf("function 0x%s %s", selector, signature))
		}
	}
	parsed, err := abi.JSON(strings.NewReader(c.abi))
	if err != nil {
		return nil, fmt.Errorf("reading the ABI of %s: %w", c.Name, err)
	}
	if parsed.HasReceive() {
		lines = append(lines, "receive")
	}
	if parsed.HasFallback() {
		lines = append(lines, "fallback")
	}
	for _, m := range parsed.Methods {
		lines = append(lines, fmt.Sprintf("function 0x%x %s", m.ID, strings.TrimPrefix(m.String(), "function ")))
	}
	for _, e := range parsed.Events {
		lines = append(lines, fmt.Sprintf("event %s %s", e.ID, strings.TrimPrefix(e.String(), "event ")))
	}
	for _, e := range parsed.Errors {
		lines = append(lines, fmt.Sprintf("error 0x%x %s", e.ID[:4], strings.TrimPrefix(e.String(), "error ")))
	}
	// By kind and then by name, so that neighbours are those of the source.
	slices.SortFunc(lines, func(a, b string) int {
		return strings.Compare(sortKey(a), sortKey(b))
	})
	if len(lines) == 0 {
		lines = []string{"nothing to call"}
	}
	return lines, nil
}

func sortKey(line string) string {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return line
	}
	return words[0] + " " + words[2]
}

// lines lists variables, and then the members of every structure among them.
func (l layout) lines() []string {
	if len(l.Storage) == 0 {
		return []string{"no storage"}
	}
	lines := []string{"slot offset bytes type label"}
	structures := map[string]string{}
	for _, v := range l.Storage {
		lines = append(lines, l.line(v))
		l.collect(v.Type, structures)
	}
	names := make([]string, 0, len(structures))
	for name := range structures {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		lines = append(lines, "", name)
		for _, v := range l.Types[structures[name]].Members {
			lines = append(lines, l.line(v))
		}
	}
	return lines
}

func (l layout) line(v variable) string {
	t := l.Types[v.Type]
	return fmt.Sprintf("%s %d %s %s %s", v.Slot, v.Offset, t.Bytes, t.Label, v.Label)
}

// collect finds the structures that a type is made of. The compiler's keys have
// numbers that change with other sources; labels have none.
func (l layout) collect(key string, found map[string]string) {
	t, has := l.Types[key]
	if !has {
		return
	}
	if len(t.Members) > 0 {
		if _, seen := found[t.Label]; seen {
			return
		}
		found[t.Label] = key
	}
	for _, v := range t.Members {
		l.collect(v.Type, found)
	}
	for _, part := range []string{t.Base, t.Key, t.Value} {
		l.collect(part, found)
	}
}

// unmarshal reads what the compiler says of storage. Every contract has it, also
// one without storage.
func (l *layout) unmarshal(name string, raw json.RawMessage) error {
	if len(raw) == 0 {
		return fmt.Errorf("the compiler gave no storage layout of %s", name)
	}
	if err := json.Unmarshal(raw, l); err != nil {
		return fmt.Errorf("reading the storage layout of %s: %w", name, err)
	}
	return nil
}
