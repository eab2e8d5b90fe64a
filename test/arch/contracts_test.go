package arch

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// sources reads the Solidity files below a folder, by their paths from the root.
func sources(t *testing.T, below string) map[string]string {
	t.Helper()
	root := filepath.Join("..", "..")
	found := map[string]string{}
	err := filepath.WalkDir(filepath.Join(root, below), func(name string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(name) != ".sol" {
			return err
		}
		content, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		found[filepath.ToSlash(rel)] = string(content)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) == 0 {
		t.Fatalf("no Solidity below %s", below)
	}
	return found
}

// Whoever may choose an actor and a method acts in the contract's name. So the
// precompiles are behind libraries in which both are fixed, and nobody delegates
// calls elsewhere.
func TestOnlyTypedLibrariesCallActors(t *testing.T) {
	low := regexp.MustCompile(`(?i)\bActorCall\b|0xfe0{37}[1-6]|\.delegatecall\b|\bdelegatecall\(`)
	for name, content := range sources(t, "contracts") {
		if strings.HasPrefix(name, "contracts/fvm/") {
			continue
		}
		if at := low.FindString(content); at != "" {
			t.Errorf("%s has %q: call the typed libraries of contracts/fvm", name, at)
		}
	}
	// And of those beside it only ActorCall delegates.
	for name, content := range sources(t, "contracts/fvm") {
		if strings.Contains(content, ".delegatecall") != (name == "contracts/fvm/ActorCall.sol") {
			t.Errorf("%s: ActorCall.sol delegates calls, and it alone", name)
		}
	}
}

// The table of known vulnerabilities names tests; each must be there.
func TestKnownVulnerabilitiesNameTests(t *testing.T) {
	table, err := os.ReadFile(filepath.Join("..", "..", "docs", "known-vulnerabilities.md"))
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, content := range sources(t, "test/contracts") {
		all.WriteString(content)
	}
	for _, f := range files(t) {
		if f.test && f.dir() == "test/arch" {
			for _, d := range f.ast.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok {
					all.WriteString("function " + fn.Name.Name + "(")
				}
			}
		}
	}
	attacks, err := filepath.Glob(filepath.Join("..", "fevm", "attacks*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var scripts strings.Builder
	for _, name := range attacks {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts.Write(content)
	}
	for _, quoted := range regexp.MustCompile("`test/fevm`, (\"[^\"]+\")").FindAllStringSubmatch(string(table), -1) {
		if !strings.Contains(scripts.String(), "{"+quoted[1]+", (*attacked)") {
			t.Errorf("test/fevm has no attack %s", quoted[1])
		}
	}
	rows := regexp.MustCompile(`(?m)^\| \d+ \|.*$`).FindAllString(string(table), -1)
	if len(rows) != 28 {
		t.Errorf("%d rows, there are 28 vulnerabilities", len(rows))
	}
	for _, row := range rows {
		for _, name := range regexp.MustCompile("`((?:test|invariant|Test)[A-Za-z_0-9]*)`").FindAllStringSubmatch(row, -1) {
			if !strings.Contains(all.String(), "function "+name[1]+"(") {
				t.Errorf("no test %s; it is named in: %.60s…", name[1], row)
			}
		}
	}
}
