package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestEveryFuzzTargetIsFound(t *testing.T) {
	found, err := fuzzTargets(fstest.MapFS{
		"a/a_test.go":                {Data: []byte("package a\n\nfunc FuzzOne(f *testing.F) {\n}\n\nfunc FuzzTwo(fz *testing.F) {}\n")},
		"a/a.go":                     {Data: []byte("package a\n\nfunc FuzzNot(f *testing.F) {}\n")},
		"node_modules/b/b_test.go":   {Data: []byte("package b\n\nfunc FuzzOther(f *testing.F) {}\n")},
		"b/c/c_test.go":              {Data: []byte("package c\n\n// func FuzzComment(f *testing.F)\nfunc FuzzThree(f *testing.F) {}\n")},
		"test/peers/peers_test.go":   {Data: []byte("package peers\n\nfunc FuzzPeer(f *testing.F) {}\n")},
		"b/c/testdata/fuzz/seed.txt": {Data: []byte("func FuzzSeed(f *testing.F) {}")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []target{{"./a", "FuzzOne"}, {"./a", "FuzzTwo"}, {"./b/c", "FuzzThree"}}
	if !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

func TestThisTreeHasFuzzTargets(t *testing.T) {
	found, err := fuzzTargets(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(found, target{"./oracle/watch", "FuzzDecode"}) {
		t.Errorf("found %v", found)
	}
}

func TestStagesCoverThePlan(t *testing.T) {
	var all []string
	for _, s := range stages(plan{rounds: 3, fuzz: time.Minute, seed: 0xab, mutants: 9}, []target{{"./a", "FuzzOne"}}) {
		all = append(all, strings.Join(append(s.env, s.args...), " "))
	}
	text := strings.Join(all, "\n")
	for _, part := range []string{
		"FOUNDRY_PROFILE=soak FOUNDRY_FUZZ_SEED=0xab", "-fuzz ^FuzzOne$ -fuzztime 1m0s ./a",
		"CGO_ENABLED=1 go test -race -count 3", "./scripts/mutants -n 9 -seed 171", "go run ./scripts/symbolic", "go test -count 3 -timeout 0 ./test/e2e/...",
	} {
		if !strings.Contains(text, part) {
			t.Errorf("no stage has %q:\n%s", part, text)
		}
	}
}

// What fails is written down and the rest runs; a stage that is not wanted, and one that was
// stopped, keep what the file said of them.
func TestTheResultKeepsWhatWasNotRunAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "result.txt")
	bad, good := stage{id: "bad", name: "a bad one, 3 rounds", args: []string{"false"}}, stage{id: "good", name: "a good one", args: []string{"true"}}
	all := []stage{bad, good, {id: "other", name: "another", args: []string{"true"}}}
	soak := func(ctx context.Context, only string) error {
		t.Helper()
		known, err := readResult(file)
		if err != nil {
			t.Fatal(err)
		}
		return execute(ctx, all, regexp.MustCompile(only), known, func() error { return writeResult(file, all, known) }, io.Discard)
	}
	says := func(want ...string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for line := range strings.Lines(strings.TrimPrefix(string(text), header)) {
			got = append(got, strings.Join(strings.Fields(line)[:2], " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("the file says %q, want %q:\n%s", got, want, text)
		}
	}
	if err := soak(t.Context(), "bad|good"); err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("a stage failed: %v", err)
	}
	says("FAILED bad", "passed good", "never run")
	all[0].args = []string{"true"}
	if err := soak(t.Context(), "^bad$"); err != nil {
		t.Error(err)
	}
	says("passed bad", "passed good", "never run")

	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := soak(stopped, ""); err == nil {
		t.Error("a soak that was stopped passed")
	}
	says("passed bad", "passed good", "never run")
	if err := soak(t.Context(), "none"); err == nil {
		t.Error("a soak without stages passed")
	}
}
