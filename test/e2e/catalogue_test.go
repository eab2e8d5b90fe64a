package e2e

import (
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/devnet/fault"
)

// A source is a file of a node, an issue, or a standard.
var source = regexp.MustCompile(`[a-z0-9-]+#\d+|RFC \d+|[a-z0-9_]+/[a-z0-9_/]+\.go`)

// catalogue reads the table of docs/devnet.md with that header: by the name in the first
// cell, the others.
func catalogue(t *testing.T, header string) map[string][]string {
	t.Helper()
	_, rest, found := strings.Cut(readFile(t, filepath.Join(root(t), "docs/devnet.md")), header+"\n")
	if !found {
		t.Fatalf("docs/devnet.md has no table %q", header)
	}
	rows := map[string][]string{}
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "|") {
			break
		}
		var cells []string
		for _, cell := range strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|") {
			cells = append(cells, strings.TrimSpace(cell))
		}
		if name := strings.Trim(cells[0], "`"); name != cells[0] {
			rows[name] = cells[1:]
		}
	}
	return rows
}

// Every trap and fault has a line in docs/devnet.md that says what it does and which
// source or issue it imitates, a switch, and a test that runs it alone.
func TestEveryTrapAndFaultHasALineASwitchAndATest(t *testing.T) {
	lines := catalogue(t, "| trap | is | switch | imitates |")
	for _, c := range traps {
		line := lines[c.name]
		delete(lines, c.name)
		by := "always"
		if c.by != "" {
			by = "`" + c.by
		}
		if len(line) != 3 || line[0] == "" || !strings.HasPrefix(line[1], by) || !source.MatchString(line[2]) {
			t.Errorf("trap %s, switched by %q, has the line %q", c.name, c.by, line)
		}
	}
	for name := range lines {
		t.Errorf("trap %s has no test", name)
	}
	lines = catalogue(t, "| switch | does | imitates |")
	var tested []fault.Fault
	for _, c := range alone {
		tested = append(tested, c.fault)
	}
	for _, f := range fault.All() {
		line := lines[string(f)]
		delete(lines, string(f))
		if len(line) != 2 || line[0] == "" || !source.MatchString(line[1]) {
			t.Errorf("fault %s has the line %q", f, line)
		}
		if !slices.Contains(tested, f) {
			t.Errorf("fault %s has no test", f)
		}
		if !source.MatchString(fault.About[f]) {
			t.Errorf("fault %s imitates %q, which is no source", f, fault.About[f])
		}
	}
	for name := range lines {
		t.Errorf("fault %s is no switch", name)
	}
}
