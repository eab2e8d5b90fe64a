package fevm

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/devnet/chain"
)

// row is a call and what is to become of it: a refusal with the error named, or, of
// views, an answer that has the words in it; nothing is asked of the rest but success.
type row struct {
	by    party
	to    string
	fn    string
	args  []any
	value *big.Int
	want  string
}

func with(args ...any) []any { return args }

// calls makes a table's calls, one after the other.
func (w *world) calls(rows ...row) (last outcome) {
	w.Helper()
	for _, r := range rows {
		to := w.at[r.to]
		data, err := w.abis[to].Pack(r.fn, r.args...)
		if err != nil {
			w.Fatalf("%s.%s: %v", r.to, r.fn, err)
		}
		method := w.abis[to].Methods[r.fn]
		switch {
		case method.IsConstant():
			w.sees(r, to, data, method)
		case r.want != "":
			w.refused(r.by, to, r.value, data, r.want)
		default:
			last = w.do(r.by, to, r.value, data)
		}
	}
	return last
}

// sees asks a view; a want of "!" and an error is its refusal, one of "=" all that it says.
func (w *world) sees(r row, to common.Address, data []byte, method abi.Method) {
	w.Helper()
	out := w.look(r.by, to, data, false)
	if want, refusal := strings.CutPrefix(r.want, "!"); refusal {
		if want == "" {
			w.Fatalf("%s: say with which error it is refused", r.fn)
		}
		if got := w.errorOf(out.answer); out.code == exitcode.Ok || !strings.Contains(got, want) {
			w.Fatalf("%s: exit code %d, %q; want it refused with %s", w.method(to, data), out.code, got, want)
		}
		w.remember(r.by, to, data, "refused")
		return
	}
	if out.code != exitcode.Ok {
		w.Fatalf("%s: exit code %d, %s\n%s", w.method(to, data), out.code, w.errorOf(out.answer), out.words)
	}
	values, err := method.Outputs.Unpack(out.answer)
	w.must(err)
	got := fmt.Sprint(values...)
	if exact, ok := strings.CutPrefix(r.want, "="); ok && got != exact || !ok && !strings.Contains(got, r.want) {
		w.Fatalf("%s says %q, want %q in it", w.method(to, data), got, r.want)
	}
	w.remember(r.by, to, data, "read")
}

// byActor remembers that an actor called a function, of which its effect was seen.
func (w *world) byActor(contract, fn string) {
	w.Helper()
	data := w.abis[w.at[contract]].Methods[fn].ID
	w.remember(party{name: "actor"}, w.at[contract], data, "done")
}

// apart are contracts of the deployment whose functions are not called here one by one,
// and why; of all others each is.
var apart = map[string]string{
	bindings.Spelling: linkedCode, bindings.Deals: linkedCode, bindings.Slots: linkedCode, bindings.Proofs: linkedCode, bindings.Listing: linkedCode,
	bindings.DaoRules: linkedCode, bindings.DaoIntake: linkedCode, bindings.DaoExecution: linkedCode,
	bindings.PinnedNote: "a sample: test/e2e", bindings.RevertingNote: "a sample: test/e2e",
}

// linkedCode is called by the contract that it is linked into, with that one's storage.
const linkedCode = "a library, which runs when its contract is called"

// never refused: what nobody can be refused, and why.
var neverRefused = map[string]string{
	"StorageGate.handle_filecoin_method":      "answers with an exit code",
	"DealStatusOracle.handle_filecoin_method": "answers with an exit code",
}

// neverDone is what only the transaction could have done in which a contract was made.
var neverDone = map[string]string{"StorageGate.attach": "done by the deployment", "DataDAO.initialize": "done by the factory, in createDAO"}

// byEvery are functions that providers of all kinds of keys must have called with success.
var byEvery = []string{"PerpetualStorage.claimDeal", "PerpetualStorage.withdrawEarned", "ProviderRegistry.register"}

// complete fails for each function that was not called, or of which only one side was seen.
func (w *world) complete() {
	w.Helper()
	var table strings.Builder
	excused := map[string]bool{}
	for contract, at := range w.at {
		methods := w.abis[at]
		if _, known := apart[contract]; known == (methods != nil) {
			w.Errorf("%s is to be among metas, or among those apart", contract)
		}
		if methods == nil {
			continue
		}
		for _, method := range methods.Methods {
			short := contract + "." + method.RawName
			how := w.called[contract+"."+method.Sig]
			var callers []string
			did, refusals := false, false
			for h := range how {
				callers = append(callers, h)
				did = did || strings.HasSuffix(h, " done") || strings.HasSuffix(h, " read")
				refusals = refusals || strings.HasSuffix(h, " refused")
			}
			slices.Sort(callers)
			fmt.Fprintf(&table, "%s: %s\n", contract+"."+method.Sig, strings.Join(callers, ", "))
			excused[short] = true
			if did && neverDone[short] != "" || refusals && neverRefused[short] != "" {
				w.Errorf("%s is excused, and was called so", short)
			}
			if !did && neverDone[short] == "" {
				w.Errorf("%s.%s was not called with success", contract, method.Sig)
			}
			if !refusals && !method.IsConstant() && neverRefused[short] == "" {
				w.Errorf("%s.%s was refused to nobody", contract, method.Sig)
			}
			if slices.Contains(byEvery, short) {
				for _, kind := range []string{"SP by f1", "SP by f3", "SP by multisig", "SP by 0x"} {
					if !how[kind+" done"] {
						w.Errorf("%s was not called by the %s", short, kind)
					}
				}
			}
		}
	}
	for contract := range apart {
		if _, deployed := w.at[contract]; !deployed {
			w.Errorf("%s is apart, and is not deployed", contract)
		}
	}
	for _, list := range []map[string]string{neverRefused, neverDone} {
		for name := range list {
			if !excused[name] {
				w.Errorf("%s is excused, and is no function", name)
			}
		}
	}
	lines := strings.Split(strings.TrimSpace(table.String()), "\n")
	slices.Sort(lines)
	w.Logf("%d functions\n%s", len(lines), strings.Join(lines, "\n"))
}

// Each function of the contracts is called on the FEVM: as client, provider
// (by f1, f3, multisig and Ethereum keys), keeper, operator, owner and stranger, where it
// succeeds and where it must not. The list is the ABI's, so that none is forgotten.
func TestEveryFunction(t *testing.T) {
	w := newWorld(t)
	bls, shared, secp, eth := w.providers()
	f := &functions{world: w, bls: bls, shared: shared, secp: secp, eth: eth, native: w.party("client by f1", w.of(chain.Secp256k1, 2))}
	w.books.knows(f.native)
	for _, step := range []struct {
		name string
		run  func(*functions)
	}{
		{"registry", (*functions).registry},
		{"clients", (*functions).clients},
		{"preparing", (*functions).preparing},
		{"orders of deals", (*functions).orders},
		{"claims", (*functions).claims},
		{"views of markets", (*functions).markets},
		{"missed notification", (*functions).missed},
		{"verified data", (*functions).verifiedData},
		{"DataCap of a wallet", (*functions).walletsDataCap},
		{"active slots", (*functions).activeSlots},
		{"hooks", (*functions).hooks},
		{"status", (*functions).status},
		{"replicas", (*functions).replicas},
		{"pools", (*functions).pools},
		{"the desk", (*functions).desk},
		{"the provider", (*functions).provider},
		{"pins", (*functions).pins},
		{"what actors say", (*functions).actors},
		{"money", (*functions).money},
		{"owner", (*functions).ownership},
		{"a DAO", (*functions).dao},
		{"the provider's owner", (*functions).provided},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			f.world = w.under(t)
			step.run(f)
			f.audit("%s", step.name)
		}) {
			return
		}
	}
	w.complete()
}

// functions is the state of the test: who calls, and what there is to call about.
type functions struct {
	*world
	bls, shared, secp, eth *sp
	native                 party       // a client with an f1 key
	sealed                 storedPiece // the piece of the deal whose slots are active
	deal                   uint64
	slot                   uint64 // of f.bls, active
	allocation             uint64 // claimed by f.bls in verifiedSector
	verifiedSlot           uint64
	published              uint64 // an f05 deal of f.shared
}
