package conformance

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/exitcode"
)

// outcomes are how the recorded calls of a method ended.
type outcomes struct{ ok, refused bool }

// What contracts call of an actor is in the record, where it succeeds and where it does
// not: each method of contracts/fvm/Actors.sol, but those that actors call in contracts.
func TestEveryMethodThatContractsCallIsRecorded(t *testing.T) {
	r := recorded(t)
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
	hooks, calls, found := strings.Cut(library(t, "Methods"), "// f05")
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

func recorded(t *testing.T) (r record) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// library is the source of one of contracts/fvm/Actors.sol.
func library(t *testing.T, name string) string {
	t.Helper()
	source, err := os.ReadFile("../../contracts/fvm/Actors.sol")
	if err != nil {
		t.Fatal(err)
	}
	_, body, found := strings.Cut(string(source), "library "+name+" {")
	if !found {
		t.Fatalf("Actors.sol has no library %s", name)
	}
	body, _, _ = strings.Cut(body, "\n}")
	return body
}

// exits says where each exit code that contracts know comes from: the name that Go has
// for it, a recorded call that ended with it, or both.
var exits = map[string]struct {
	code        exitcode.ExitCode
	stage, call string
}{
	"OK":                 {exitcode.Ok, "begun", "its owner"},
	"OUT_OF_GAS":         {exitcode.SysErrOutOfGas, "", ""},
	"ILLEGAL_ARGUMENT":   {exitcode.ErrIllegalArgument, "begun", "DataCap in parts of a byte"},
	"NOT_FOUND":          {exitcode.ErrNotFound, "begun", "GetDealTerm of a deal that never was"},
	"FORBIDDEN":          {exitcode.ErrForbidden, "begun", "DataCap to another"},
	"INSUFFICIENT_FUNDS": {exitcode.ErrInsufficientFunds, "begun", "DataCap that it has not"},
	"ILLEGAL_STATE":      {exitcode.ErrIllegalState, "begun", "GetDealTerm of the greatest id"},
	"SERIALIZATION":      {exitcode.ErrSerialization, "begun", "power of a text"},
	"UNHANDLED_MESSAGE":  {exitcode.ErrUnhandledMessage, "begun", "a method of another actor"},
	"DEAL_EXPIRED":       {exitcode.FirstActorSpecificExitCode, "terminated", "GetDealTerm of the deal"},
	"DEAL_NOT_ACTIVATED": {exitcode.FirstActorSpecificExitCode + 1, "published", "GetDealSector of the deal"},
	// A contract's first code of its own too (actors/evm, EVM_CONTRACT_REVERTED); no recorded call ends with it.
	"REVERTED": {exitcode.FirstActorSpecificExitCode + 1, "", ""},
	// Of the machine, which Go has no names for.
	"NO_FUNDS":  {-5, "begun", "a value that the payer has not"},
	"NO_ACTOR":  {-6, "begun", "an actor that is not there"},
	"READ_ONLY": {-13, "begun", "a value without the right to write"},
}

// Every exit code of contracts/fvm/Actors.sol is the one by which the actors ended a call.
func TestExitCodesAreThoseOfTheActors(t *testing.T) {
	ended := map[[2]string]int64{}
	for _, c := range recorded(t).Calls {
		if c.OK && len(c.Output) >= 32 {
			ended[[2]string{c.Stage, c.Name}] = int64(binary.BigEndian.Uint64(c.Output[24:32]))
		}
	}
	constants := regexp.MustCompile(`int256 internal constant (\w+) = (-?[0-9]+);`).FindAllStringSubmatch(library(t, "Exit"), -1)
	if len(constants) != len(exits) {
		t.Errorf("%d exit codes, %d are known here", len(constants), len(exits))
	}
	for _, m := range constants {
		want, known := exits[m[1]]
		number, err := strconv.ParseInt(m[2], 10, 64)
		if err != nil || !known || number != int64(want.code) {
			t.Errorf("%s is %s, Go has %d (%t): %v", m[1], m[2], want.code, known, err)
		}
		if got, is := ended[[2]string{want.stage, want.call}]; want.call != "" && (!is || got != number) {
			t.Errorf("%s is %d, %q %q ended with %d (%t)", m[1], number, want.stage, want.call, got, is)
		}
	}
}

// The actors that contracts call are where Go has them.
func TestActorsAreWhereGoHasThem(t *testing.T) {
	want := map[string]address.Address{
		"POWER": builtin.StoragePowerActorAddr, "MARKET": builtin.StorageMarketActorAddr, "VERIFREG": builtin.VerifiedRegistryActorAddr,
		"DATACAP": builtin.DatacapActorAddr, "BURNT_FUNDS": builtin.BurntFundsActorAddr,
	}
	constants := regexp.MustCompile(`uint64 internal constant (\w+) = ([0-9]+);`).FindAllStringSubmatch(library(t, "Actors"), -1)
	if len(constants) != len(want) {
		t.Errorf("%d actors, %d are known here", len(constants), len(want))
	}
	for _, m := range constants {
		if a := want[m[1]]; a.String() != "f0"+m[2] && a.String() != "t0"+m[2] {
			t.Errorf("%s is %s, Go has it at %s", m[1], m[2], a)
		}
	}
}
