package arch

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// breach says whether the rule forbids a file of package dir an import.
func (r rule) breach(dir string, test bool, imported string) bool {
	if test && !r.tests {
		return false
	}
	if len(r.from) > 0 && !withinAny(dir, r.from) {
		return false
	}
	if withinAny(dir, r.except) || imported == dir { // an external test imports its own package
		return false
	}
	return withinAny(imported, r.ban) && !withinAny(imported, r.but)
}

// breaches gives a line for each forbidden import of a file.
func breaches(f file) []string {
	var found []string
	for _, imported := range f.imports {
		for _, r := range rules {
			if r.breach(f.dir(), f.test, imported) {
				found = append(found, fmt.Sprintf("%s imports %s: %s", f.path, imported, r.reason))
			}
		}
	}
	return found
}

func TestImportDirections(t *testing.T) {
	for _, f := range files(t) {
		for _, line := range breaches(f) {
			t.Error(line)
		}
	}
}

// Only the wiring and the tests of the whole may know both sides.
func TestOnlyWiringImportsBothSides(t *testing.T) {
	sides := map[string][2]string{}
	for _, f := range files(t) {
		if withinAny(f.dir(), []string{"cmd", "test", "internal/store"}) {
			continue
		}
		seen := sides[f.dir()]
		for _, imported := range append(slices.Clone(f.imports), f.dir()) {
			switch {
			case within(imported, "executor") && imported != "executor/job":
				seen[0] = imported
			case within(imported, "oracle"):
				seen[1] = imported
			}
		}
		sides[f.dir()] = seen
	}
	for dir, seen := range sides {
		if seen[0] != "" && seen[1] != "" {
			t.Errorf("%s knows both sides (%s and %s): only cmd and test may, because what knows both is wiring", dir, seen[0], seen[1])
		}
	}
}

func TestEveryBanHasItsReason(t *testing.T) {
	for i, r := range rules {
		if len(r.ban) == 0 || len(strings.Fields(r.reason)) < 6 {
			t.Errorf("rule %d (from %v, ban %v) needs a ban and a reason in words", i, r.from, r.ban)
		}
		for _, but := range r.but {
			if !withinAny(but, r.ban) {
				t.Errorf("rule %d (from %v) allows %s, which it does not ban", i, r.from, but)
			}
		}
	}
}

// A new top folder must be known to the rules that ban "ours".
func TestEveryFolderIsKnown(t *testing.T) {
	for _, f := range files(t) {
		if f.dir() != "." && !withinAny(f.dir(), ours) {
			t.Errorf("%s is in a top folder that rules_test.go does not know", f.path)
		}
	}
}

func TestBreachesAreSeen(t *testing.T) {
	for _, c := range []struct {
		path, imported string
		forbidden      bool
	}{
		{"executor/runner/runner.go", module + "/oracle/chain", true},
		{"executor/runner/runner_test.go", module + "/oracle/chain", true},
		{"executor/runner/runner.go", module + "/executor/job", false},
		{"executor/handler/pin/pin.go", module + "/executor/ipfs", true},
		{"executor/handler/pin/pin_test.go", module + "/executor/ipfs", false},
		{"executor/ipfs/node.go", "github.com/nsqio/go-nsq", true},
		{"executor/queue/queue.go", "github.com/nsqio/go-nsq", false},
		{"executor/queue/queue.go", module + "/internal/store", true},
		{"oracle/watch/watch.go", module + "/bindings/estuaryprovider", true},
		{"oracle/intake/intake.go", module + "/bindings/estuaryprovider", false},
		{"oracle/report/report.go", module + "/executor/runner", true},
		{"oracle/report/report.go", "database/sql", true},
		{"internal/store/store.go", "database/sql", false},
		{"internal/store/store_test.go", module + "/internal/store", false},
		{"internal/store/store.go", module + "/oracle/watch", true},
		{"devnet/devnet.go", module + "/bindings/deploy", true},
		{"bindings/deploy/deploy.go", module + "/bindings/estuarypinning", false},
		{"bindings/deploy/deploy.go", module + "/devnet", true},
		{"cmd/tidegate/daemon/daemon.go", module + "/oracle/watch", false},
		{"oracle/intakeless/x.go", module + "/bindings/estuaryprovider", true}, // a prefix is not a folder
		{"test/e2e/bridge_test.go", module + "/cmd/tidegate/cli", true},
		{"executor/job/job.go", "log", true},
		{"executor/job/job.go", "log/slog", false},
	} {
		f, err := parse(c.path, fmt.Appendf(nil, "package p\n\nimport _ %q\n", c.imported))
		if err != nil {
			t.Fatal(err)
		}
		if found := breaches(f); (len(found) > 0) != c.forbidden {
			t.Errorf("%s importing %s: forbidden should be %v, found %v", c.path, c.imported, c.forbidden, found)
		}
	}
}
