package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const sample = `
contract C {
    // a < b
    function pay(uint256 a) external {
        if (a < 10 && open) revert C_No("a < b");
        (x, y) = (a, true);
        uint256 sum = a + 1;
        emit Paid(a + 2);
        total -= sum;
        _send(a);
    }

    function pay(uint256 a, uint256 b) external {
        return a * b;
    }

    function other() external {
        x = 7;
    }
}
`

func TestMutantsOfAFunction(t *testing.T) {
	all, err := mutantsOf(0, "C.sol", sample, "pay")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range all {
		got = append(got, m.operator+" "+m.change())
		if changed := m.apply(sample); changed == sample || !strings.Contains(changed, "// a < b") || !strings.Contains(changed, "x = 7;") {
			t.Errorf("%s changed something else:\n%s", m.key(), changed)
		}
	}
	want := []string{
		`drop if (a < 10 && open) revert C_No("a < b"); ->`, "boundary < -> <=", "constant 10 -> 11", "logic && -> ||",
		"drop (x, y) = (a, true); ->", "boolean true -> false", "arithmetic + -> -", "constant 1 -> 2",
		"drop total -= sum; ->", "arithmetic -= -> +=", "drop _send(a); ->", "arithmetic * -> /",
	}
	slices.Sort(got)
	slices.Sort(want)
	for i := range want {
		want[i] = strings.TrimSpace(want[i])
	}
	for i := range got {
		got[i] = strings.TrimSpace(got[i])
	}
	if !slices.Equal(got, want) {
		t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := mutantsOf(0, "C.sol", sample, "missing"); err == nil {
		t.Fatal("a function that is missing was taken")
	}
}

// The list has to name functions that there are.
func TestTargetsAreThere(t *testing.T) {
	t.Chdir("../..")
	groups, err := readTargets()
	if err != nil {
		t.Fatal(err)
	}
	all, err := enumerate(groups, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 500 {
		t.Errorf("only %d mutants", len(all))
	}
	keys := map[string]bool{}
	for _, m := range all {
		keys[m.key()] = true
	}
	text := readFile(t, equivalentFile)
	equivalent, err := parseEquivalent(text)
	if err != nil {
		t.Fatal(err)
	}
	for key := range equivalent {
		if !keys[key] {
			t.Errorf("%s names no mutant: %s", equivalentFile, key)
		}
	}
}

func TestTallySaysWhatSurvived(t *testing.T) {
	counts := tally{seed: 7, all: 100, wanted: 3, sources: "abc"}
	counts.add(killed, mutant{file: "C.sol", function: "pay", operator: "drop", text: "y = 1;", old: "y = 1;", again: 2})
	counts.add(refused, mutant{})
	counts.add(same, mutant{})
	counts.add(survived, mutant{file: "C.sol", function: "pay", operator: "drop", text: "x = 1;", old: "x = 1;"})
	var out strings.Builder
	counts.write(&out)
	for _, want := range []string{"seed        7", "tried       2", "killed      1", "survived    1", "Survivors:\nC.sol pay drop: x = 1; [x = 1; -> ]\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	file := filepath.Join(t.TempDir(), "result.txt")
	if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	got, err := killedBefore(file, tally{seed: 7, all: 100, wanted: 9, sources: "abc"})
	if err != nil || len(got) != 1 || !got["C.sol pay drop: y = 1; [y = 1; -> ] #2"] {
		t.Errorf("%v, %v of the draw to go on with", got, err)
	}
	for _, other := range []tally{{seed: 8, all: 100, sources: "abc"}, {seed: 7, all: 100, sources: "abd"}, {seed: 7, all: 101, sources: "abc"}} {
		if got, err := killedBefore(file, other); err == nil {
			t.Errorf("%v taken for another draw", got)
		}
	}
}

func TestAnEquivalentMutantNeedsAReason(t *testing.T) {
	if got, err := parseEquivalent("# comment\nkey one\n    because\n    of this\nkey two\n    so\n"); err != nil || len(got) != 2 || got["key one"] != "because of this " {
		t.Fatalf("%v, %v", got, err)
	}
	for _, text := range []string{"key one\n", "key one\nkey two\n    so\n", "    so\n"} {
		if got, err := parseEquivalent(text); err == nil {
			t.Errorf("%q was taken: %v", text, got)
		}
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
