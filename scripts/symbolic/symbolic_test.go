package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestPlantedChangesFitTheSourcesAndEveryCheckHasOne(t *testing.T) {
	t.Chdir("../..")
	all, err := readPlanted(plantedFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		source, err := os.ReadFile(p.File)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), p.From); n != 1 || p.From == p.To {
			t.Errorf("%q stands in %s %d times", p.From, p.File, n)
		}
	}
	names, err := checksIn(sourceDir)
	if err != nil {
		t.Fatal(err)
	}
	if err := everyCheckHasOne(all, names); err != nil {
		t.Error(err)
	}
	if len(names) < 30 {
		t.Errorf("%d checks: %v", len(names), names)
	}
	if err := everyCheckHasOne(all[1:], names); err == nil {
		t.Error("a check without a planted change is not noticed")
	}
	if err := everyCheckHasOne(all, names[1:]); err == nil {
		t.Error("a planted change without a check is not noticed")
	}
}

// stub is a bench whose halmos is a script.
func stub(t *testing.T, script string) *bench {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "halmos"), []byte("#!/bin/bash\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return &bench{python: dir, bin: dir, solver: "none", limit: 10 * time.Second, trees: []string{t.TempDir()}}
}

// What writes nothing, says nothing of the check or takes too long has not passed.
func TestOnlyAVerdictIsOne(t *testing.T) {
	saying := func(json string) string { return "for f; do :; done; echo '" + json + "' > \"$f\"; exit 1" }
	for name, c := range map[string]struct {
		script string
		exit   int
		fails  bool
	}{
		"holds":           {saying(`{"test_results": {"A": [{"name": "check_Other(uint8)", "exitcode": 1}, {"name": "check_A(uint8)", "exitcode": 0, "time": [2.5]}]}}`), holds, false},
		"refuted":         {saying(`{"test_results": {"A": [{"name": "check_A()", "exitcode": 1}]}}`), refuted, false},
		"of another":      {saying(`{"test_results": {"A": [{"name": "check_AB()", "exitcode": 0}]}}`), 0, true},
		"nothing written": {"exit 0", 0, true},
		"no JSON":         {saying("?"), 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			b := stub(t, c.script)
			got, err := b.halmos(t.Context(), b.trees[0], "A.check_A", "")
			if (err != nil) != c.fails || err == nil && got.Exit != c.exit {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}

// Halmos ignores SIGTERM: at the limit it is killed, and with it the solvers that it started.
func TestTheLimitKillsSolversToo(t *testing.T) {
	b := stub(t, "trap '' TERM; sleep 60 & wait")
	b.limit = 300 * time.Millisecond
	begun := time.Now()
	got, err := b.halmos(t.Context(), b.trees[0], "A.check_A", "")
	if err != nil || got.Exit != tooLong || got.verdict() != "UNDECIDED (time)" {
		t.Errorf("%+v, %v", got, err)
	}
	// As long as the sleep lives, it keeps the pipe open and the run waits for that.
	if took := time.Since(begun); took > 8*time.Second {
		t.Errorf("it took %s", took)
	}
}

// What is enough ends it, whatever it does afterwards.
func TestACounterexampleIsEnough(t *testing.T) {
	b := stub(t, "echo 'Counterexample: '; sleep 60")
	got, err := b.halmos(t.Context(), b.trees[0], "A.check_A", counterexample)
	if err != nil || got.Exit != refuted {
		t.Errorf("%+v, %v", got, err)
	}
	b = stub(t, "echo 'Counterexample (potentially invalid): '; exit 1")
	if got, err := b.halmos(t.Context(), b.trees[0], "A.check_A", counterexample); err == nil {
		t.Errorf("%+v", got)
	}
}

func TestDecideReportsInOrderAndNamesWhatDoesNotHold(t *testing.T) {
	b := stub(t, `
while [ "$1" != --function ]; do shift; done
name=${2%\\(}
for f; do :; done
exit=0; [ "$name" = check_C ] && exit=1
echo '{"test_results": {"A": [{"name": "'$name'()", "exitcode": '$exit'}]}}' > "$f"`)
	b.trees = append(b.trees, t.TempDir(), t.TempDir())
	var report strings.Builder
	if err := b.decide(t.Context(), []string{"A.check_A", "A.check_B", "A.check_D"}, &report); err != nil {
		t.Fatal(err)
	}
	if want := "holds            A.check_A (0s)\nholds            A.check_B (0s)\nholds            A.check_D (0s)\n"; report.String() != want {
		t.Errorf("reported\n%s", &report)
	}
	err := b.decide(t.Context(), []string{"A.check_A", "A.check_C", "A.check_D"}, &report)
	if err == nil || !strings.Contains(err.Error(), "A.check_C: REFUTED") {
		t.Errorf("a refuted check: %v", err)
	}
}

// As many at once as there are trees, each tree for one at a time, all of them, and nothing after an error.
func TestEach(t *testing.T) {
	b := &bench{trees: []string{"a", "b"}}
	busy := map[string]*atomic.Int32{"a": {}, "b": {}}
	did := make([]atomic.Int32, 9)
	if err := b.each(len(did), func(tree string, i int) error {
		if busy[tree].Add(1) != 1 {
			t.Error("two in one tree")
		}
		did[i].Add(1)
		busy[tree].Add(-1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range did {
		if did[i].Load() != 1 {
			t.Errorf("%d was done %d times", i, did[i].Load())
		}
	}
	b.trees = b.trees[:1]
	var order []int
	if err := b.each(5, func(_ string, i int) error {
		order = append(order, i)
		if i == 2 {
			return context.Canceled
		}
		return nil
	}); !errors.Is(err, context.Canceled) || !slices.Equal(order, []int{0, 1, 2}) {
		t.Errorf("did %v: %v", order, err)
	}
}
