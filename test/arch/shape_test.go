package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	mostFileLines = 500
	mostFuncLines = 80
	mostMainLines = 15
)

// emptyNames say nothing about what is inside.
var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "manager", "misc", "shared", "lib"}

// madeByMachine is Go's own convention for generated files.
var madeByMachine = regexp.MustCompile(`^// Code generated .* DO NOT EDIT\.$`)

func TestOnePackageCommentEach(t *testing.T) {
	docs := map[string][]string{}
	for _, f := range files(t) {
		if strings.HasSuffix(f.ast.Name.Name, "_test") {
			continue // an external test package is part of what it tests
		}
		if _, known := docs[f.dir()]; !known {
			docs[f.dir()] = nil
		}
		if f.ast.Doc == nil {
			continue
		}
		docs[f.dir()] = append(docs[f.dir()], f.path)
		text := f.ast.Doc.Text()
		want := "Package " + f.ast.Name.Name + " "
		if f.ast.Name.Name == "main" {
			want = "Command "
		}
		if !strings.HasPrefix(text, want) {
			t.Errorf("%s: the package comment should begin with %q", f.path, want)
		}
	}
	for dir, found := range docs {
		if len(found) != 1 {
			t.Errorf("%s has %d package comments, it should have one: %s", dir, len(found), strings.Join(found, ", "))
		}
	}
}

func TestFilesAndFunctionsAreShort(t *testing.T) {
	for _, f := range files(t) {
		if f.generated {
			continue
		}
		for _, line := range tooLong(f) {
			t.Error(line)
		}
	}
}

// tooLong measures a file and its functions.
func tooLong(f file) []string {
	var found []string
	if f.lines > mostFileLines {
		found = append(found, fmt.Sprintf("%s has %d lines, at most %d: split it by topic", f.path, f.lines, mostFileLines))
	}
	for _, decl := range f.ast.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok {
			continue
		}
		most := mostFuncLines
		if f.ast.Name.Name == "main" && fn.Name.Name == "main" && fn.Recv == nil {
			most = mostMainLines
		}
		if n := span(f.fset, fn); n > most {
			found = append(found, fmt.Sprintf("%s: %s has %d lines, at most %d", f.fset.Position(fn.Pos()), fn.Name.Name, n, most))
		}
	}
	return found
}

func span(fset *token.FileSet, node ast.Node) int {
	return fset.Position(node.End()).Line - fset.Position(node.Pos()).Line + 1
}

func TestNamesSaySomething(t *testing.T) {
	for _, f := range files(t) {
		for _, name := range strings.Split(f.dir(), "/") {
			if slices.Contains(emptyNames, name) {
				t.Errorf("%s: a folder named %q says nothing; name it after what it does", f.path, name)
			}
		}
		if slices.Contains(emptyNames, strings.TrimSuffix(f.ast.Name.Name, "_test")) {
			t.Errorf("%s: a package named %q says nothing; name it after what it does", f.path, f.ast.Name.Name)
		}
		if base := strings.TrimSuffix(path.Base(f.path), ".go"); slices.Contains(emptyNames, strings.TrimSuffix(base, "_test")) {
			t.Errorf("%s: a file named %q says nothing; name it after what it holds", f.path, base)
		}
	}
}

func TestGeneratedFilesSaySoFirst(t *testing.T) {
	bindings := 0
	for _, f := range files(t) {
		if f.generated && !madeByMachine.MatchString(f.first) {
			t.Errorf("%s is generated, and its first line should say so: %q", f.path, f.first)
		}
		if f.generated && within(f.dir(), "bindings") {
			bindings++
		}
	}
	if bindings == 0 {
		t.Error("no generated binding found: the marks are not being read")
	}
}

func TestMeasuresSeeBreaches(t *testing.T) {
	body := strings.Repeat("\tprintln()\n", mostFuncLines)
	f, err := parse("x/x.go", []byte("package x\n\nfunc long() {\n"+body+"}\n"+strings.Repeat("\n", mostFileLines)))
	if err != nil {
		t.Fatal(err)
	}
	if found := tooLong(f); len(found) != 2 {
		t.Errorf("a long file with a long function: %d breaches found, not 2: %v", len(found), found)
	}
	f, err = parse("x/x.go", []byte("package x\n\nfunc short() {\n"+strings.Repeat("\tprintln()\n", mostFuncLines-2)+"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if found := tooLong(f); len(found) != 0 {
		t.Errorf("a function of exactly %d lines is allowed: %v", mostFuncLines, found)
	}
}
