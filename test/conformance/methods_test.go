package conformance

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// outcomes are how the recorded calls of a method ended.
type outcomes struct{ ok, refused bool }

// What contracts call of an actor is in the record, where it succeeds and where it does
// not: each method of contracts/fvm/Actors.sol, but those that actors call in contracts.
func TestEveryMethodThatContractsCallIsRecorded(t *testing.T) {
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	seen := map[uint64]outcomes{}
	for _, c := range r.Calls {
		if (c.Precompile != callByID && c.Precompile != callByAddress) || len(c.Input) < 32 {
			continue
		}
		method := binary.BigEndian.Uint64(c.Input[24:32])
		o := seen[method]
		// An answer begins with the exit code; a precompile that itself fails has none.
		done := c.OK && len(c.Output) >= 32 && strings.Trim(string(c.Output[:32]), "\x00") == ""
		o.ok, o.refused = o.ok || done, o.refused || !done
		seen[method] = o
	}
	source, err := os.ReadFile("../../contracts/fvm/Actors.sol")
	if err != nil {
		t.Fatal(err)
	}
	_, methods, _ := strings.Cut(string(source), "library Methods")
	methods, _, _ = strings.Cut(methods, "\nlibrary ")
	hooks, calls, found := strings.Cut(methods, "// f05")
	if !found || !strings.Contains(hooks, "AUTHENTICATE_MESSAGE") {
		t.Fatal("Actors.sol does not begin with what actors call in contracts")
	}
	constants := regexp.MustCompile(`uint64 internal constant (\w+) = ([0-9_]+);`).FindAllStringSubmatch(calls, -1)
	if len(constants) < 20 {
		t.Fatalf("%d methods are called", len(constants))
	}
	for _, m := range constants {
		number, err := strconv.ParseUint(strings.ReplaceAll(m[2], "_", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if o := seen[number]; !o.ok || (!o.refused && !neverRefuses[m[1]]) {
			t.Errorf("%s (%d): recorded with success %t, refused %t", m[1], number, o.ok, o.refused)
		}
	}
}

// neverRefuses are methods that end with exit code 0 whatever contracts ask: of claims what
// fails is said for each in the answer, which is recorded, and an allowance or a balance
// that is not there is 0.
var neverRefuses = map[string]bool{
	"GET_OWNER": true, "GET_CLAIMS": true, "EXTEND_CLAIM_TERMS": true,
	"BALANCE": true, "ALLOWANCE": true, "INCREASE_ALLOWANCE": true, "DECREASE_ALLOWANCE": true,
}
