package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// module is the path under which our packages import each other.
const module = "github.com/tidegate/tidegate"

// file is one Go file of the module.
type file struct {
	path      string // from the root, with slashes
	test      bool   // ends in _test.go
	generated bool
	first     string // its first line
	lines     int
	fset      *token.FileSet
	ast       *ast.File
	imports   []string // ours from the root, others whole
}

// dir is the package of a file, as rules name it.
func (f file) dir() string { return path.Dir(f.path) }

// tree reads every Go file of the module once.
var tree = sync.OnceValues(func() ([]file, error) {
	root := os.DirFS(filepath.Join("..", ".."))
	var files []file
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return enter(root, name)
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		f, err := parse(name, source)
		files = append(files, f)
		return err
	})
	return files, err
})

// enter skips what is no source of this module.
func enter(root fs.FS, name string) error {
	if name == "." {
		return nil
	}
	base := path.Base(name)
	if strings.HasPrefix(base, ".") || base == "node_modules" || base == "testdata" || name == "out" || name == "cache" || name == "bin" {
		return fs.SkipDir
	}
	if _, err := fs.Stat(root, path.Join(name, "go.mod")); err == nil {
		return fs.SkipDir // a module of its own
	}
	return nil
}

func parse(name string, source []byte) (file, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return file{}, err
	}
	text := string(source)
	first, _, _ := strings.Cut(text, "\n")
	f := file{
		path: name, test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(parsed),
		first: first, lines: strings.Count(text, "\n"), fset: fset, ast: parsed,
	}
	for _, spec := range parsed.Imports {
		p, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		if p == module {
			p = "."
		}
		f.imports = append(f.imports, strings.TrimPrefix(p, module+"/"))
	}
	return f, nil
}

// files gives the tree, or ends the test.
func files(t *testing.T) []file {
	t.Helper()
	all, err := tree()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 50 {
		t.Fatalf("only %d Go files found: the tree is not being read", len(all))
	}
	return all
}

// within says whether p is dir or below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, dir+"/")
}

func withinAny(p string, dirs []string) bool {
	for _, dir := range dirs {
		if within(p, dir) {
			return true
		}
	}
	return false
}
