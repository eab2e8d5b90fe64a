package e2e

import (
	"path/filepath"
	"regexp"
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

// says is how a line names what doctor finds.
func says(kinds []string) string {
	if len(kinds) == 0 {
		return "nothing"
	}
	return "`" + strings.Join(kinds, "`, `") + "`"
}

// Every trap and fault has a line in docs/devnet.md that says what it does, which
// source or issue it imitates, and what doctor calls it; a switch, and a test that runs it
// alone, in which doctor does call it that. Of what is always so it says nothing.
func TestEveryTrapAndFaultHasALineASwitchAndATest(t *testing.T) {
	lines := catalogue(t, "| trap | is | switch | imitates | doctor says |")
	for _, c := range traps {
		line := lines[c.name]
		delete(lines, c.name)
		by := "always"
		if c.by != "" {
			by = "`" + c.by
		}
		if len(line) != 4 || line[0] == "" || !strings.HasPrefix(line[1], by) || !source.MatchString(line[2]) || line[3] != says(c.named) ||
			(c.by == "") != (len(c.named) == 0) {
			t.Errorf("trap %s, switched by %q, has the line %q", c.name, c.by, line)
		}
	}
	for name := range lines {
		t.Errorf("trap %s has no test", name)
	}
	lines = catalogue(t, "| switch | does | imitates | doctor says |")
	tested := map[fault.Fault]string{}
	for _, c := range alone {
		tested[c.fault] = says(c.named)
	}
	for _, f := range fault.All() {
		line := lines[string(f)]
		delete(lines, string(f))
		if tested[f] == "" {
			t.Errorf("fault %s has no test", f)
		}
		if len(line) != 3 || line[0] == "" || !source.MatchString(line[1]) || line[2] != tested[f] || line[2] == says(nil) {
			t.Errorf("fault %s has the line %q", f, line)
		}
		if !source.MatchString(fault.About[f]) {
			t.Errorf("fault %s imitates %q, which is no source", f, fault.About[f])
		}
	}
	for name := range lines {
		t.Errorf("fault %s is no switch", name)
	}
}
