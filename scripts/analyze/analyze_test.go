package main

import (
	"strings"
	"testing"
)

func at(name string, inside ...string) element {
	e := element{Name: name}
	if len(inside) > 0 {
		parent := at(inside[0], inside[1:]...)
		e.Fields.Parent = &parent
	}
	return e
}

func TestAFindingIsKnownByItsTextAndNotByItsLines(t *testing.T) {
	f := finding{Check: "reentrancy", Elements: []element{at("_pay", "Desk", "Desk.sol"), at("x =\n   call()", "_pay", "Desk", "Desk.sol")}}
	if got := f.key(); !strings.HasPrefix(got, "reentrancy Desk._pay ") {
		t.Fatalf("key %q", got)
	}
	same := finding{Check: "reentrancy", Elements: []element{f.Elements[0], at("x = call()", "_pay", "Desk", "Desk.sol")}}
	other := finding{Check: "reentrancy", Elements: []element{f.Elements[0], at("y = call()", "_pay", "Desk", "Desk.sol")}}
	if f.key() != same.key() || f.key() == other.key() {
		t.Fatalf("%q, %q with other spaces, %q with other text", f.key(), same.key(), other.key())
	}
}

func TestNewAndStaleFindingsAreNamed(t *testing.T) {
	a, b := finding{Check: "a", Elements: []element{at("f", "C")}}, finding{Check: "b", Elements: []element{at("g", "C")}}
	known, err := parseBaseline("# a comment\n\nwhy: it is so,\nand more\n    " + a.key() + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if fresh, stale := compare(known, []finding{a}); len(fresh)+len(stale) != 0 {
		t.Fatalf("%v, %v of what is known", fresh, stale)
	}
	fresh, stale := compare(known, []finding{b})
	if len(fresh) != 1 || fresh[0].Check != "b" || len(stale) != 1 || stale[0] != a.key() {
		t.Fatalf("%v, %v", fresh, stale)
	}
}

func TestABaselineNeedsReasons(t *testing.T) {
	for _, text := range []string{
		"", "    a C.f 00000000\n", "why: so\n\n    a C.f 00000000\n", "why: \n    a C.f 00000000\n",
		"because\n    a C.f 00000000\n", "why: so\n    a C.f 00000000\n    a C.f 00000000\n",
	} {
		if known, err := parseBaseline(text); err == nil {
			t.Errorf("%q was taken: %v", text, known)
		}
	}
}
