package main

import (
	"bytes"
	"context"
	"io"
	"os"
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

func TestAFailureIsReportedAndTheRestRuns(t *testing.T) {
	var report bytes.Buffer
	err := execute(context.Background(), []stage{
		{name: "bad", args: []string{"false"}},
		{name: "good", args: []string{"true"}},
	}, &report, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("got %v", err)
	}
	if text := report.String(); !strings.Contains(text, "FAILED    bad") || !strings.Contains(text, "passed    good") {
		t.Errorf("reported:\n%s", text)
	}
}

func TestWhatWasNotRunIsNotPassed(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var report bytes.Buffer
	if err := execute(ctx, []stage{{name: "late", args: []string{"true"}}}, &report, io.Discard); err == nil {
		t.Error("a soak that was stopped passed")
	}
	if !strings.Contains(report.String(), "not run   late") {
		t.Errorf("reported:\n%s", report.String())
	}
}
