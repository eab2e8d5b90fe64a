package cli

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	multisig18 "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/market"
)

// Providers of every kind of key live with perpetual storage by the command line alone, on
// Filecoin's real actors.
func TestProvidersByTheCommandLine(t *testing.T) {
	w := newSpWorld(t)
	f1, f3 := w.funded(chain.Secp256k1, 0), w.funded(chain.BLS, 0)
	eth := w.funded(chain.Ethereum, 5)
	ethID, err := address.NewIDAddress(uint64(eth.ID))
	w.must(err)
	msig := w.wallet(f1)
	byKey, byWallet := w.miner(address.Undef, f1), w.miner(address.Undef, f3)
	byMsig, byEth := w.miner(msig, f1), w.miner(ethID, f1)
	deal := w.deal(terms(3), new(big.Int).Mul(big.NewInt(20), big.NewInt(1e18)))
	seat := func(i uint8, generation uint16) string { return fmt.Sprint(market.SlotID(deal, i, generation)) }

	t.Run("slots", func(t *testing.T) {
		w := w.in(t)
		var page httpapi.SlotPage
		w.do(&page, "slots", "--rpc", w.net.HTTPURL())
		if len(page.Items) != 3 || page.Items[0].ID != seat(0, 0) || page.Items[0].Bond != "2000000000000000000" ||
			page.Items[0].URL != "http://127.0.0.1:4782/piece/"+w.piece.CID().String() {
			t.Errorf("%+v", page)
		}
		_, out, _ := w.sp(nil, "slots", "--rpc", w.net.HTTPURL())
		for _, want := range []string{"SLOT", seat(2, 0), "180d", "2.0368 FIL", "anyone", "3 slots at epoch"} {
			if !strings.Contains(out, want) {
				t.Errorf("the table has no %q:\n%s", want, out)
			}
		}
	})
	t.Run("an Ethereum key claims and gives back", func(t *testing.T) { w.in(t).ethereumKey(t, eth, byEth, seat(0, 0)) })
	t.Run("an f1 key", func(t *testing.T) { w.in(t).f1Key(t, f1, byKey, deal, seat(0, 0)) })
	t.Run("an f3 key in the node's wallet", func(t *testing.T) { w.in(t).f3Wallet(t, f3, byWallet, seat(1, 0)) })
	t.Run("a multisig", func(t *testing.T) { w.in(t).multisig(t, f1, msig, byMsig, seat(2, 0)) })
	t.Run("refusals", func(t *testing.T) { w.in(t).refusals(t, f1, eth, byKey, byEth, deal, seat(0, 0)) })
	t.Run("a slot is kept and given up", func(t *testing.T) { w.in(t).kept(t, f1, w.miner(address.Undef, f1), f3) })
	t.Run("a slot is extended", func(t *testing.T) { w.in(t).extended(t, f1, w.miner(address.Undef, f1)) })
	t.Run("an entry", func(t *testing.T) { w.in(t).entered(t, f1, w.miner(address.Undef, f1), f3) })
	t.Run("a race", func(t *testing.T) { w.in(t).race(t, eth, byEth, f1, byKey) })
}

func id(m *provider.Miner) string { return fmt.Sprintf("f0%d", m.ID()) }

func with(flags []string, args ...string) []string { return append(args, flags...) }

func (w *spWorld) ethereumKey(t *testing.T, a chain.Account, m *provider.Miner, slot string) {
	flags := w.keyOf(t, a, w.net.Accounts()[5].Address.Hex())
	var done spDone
	w.do(&done, with(flags, "claim", slot, "--miner", id(m), "--bond", "2.5")...)
	if len(done.Slots) != 1 || done.Slots[0].State != "claimed" || done.Slots[0].Miner != uint64(m.ID()) || done.Credit != "500000000000000000" {
		t.Fatalf("claimed: %+v", done)
	}
	w.refused("somebody has that slot already", with(flags, "claim", slot, "--miner", id(m))...)
	w.do(&done, with(flags, "release", slot)...)
	if done.Credit != "2490000000000000000" { // the bond less 0.01 FIL, and what was above it
		t.Fatalf("released: %+v", done)
	}
	w.do(&done, with(flags, "withdraw")...)
	if done.Credit != "0" {
		t.Fatalf("withdrawn: %+v", done)
	}
	w.refused("has no credit", with(flags, "withdraw")...)
}

// f1Key goes the whole way: claim, seal, prove, withdraw to another address.
func (w *spWorld) f1Key(t *testing.T, a chain.Account, m *provider.Miner, deal uint64, slot string) {
	flags := w.keyOf(t, a, market.Text(a.Address))
	var claimed, proven, paid spDone
	w.do(&claimed, with(flags, "claim", fmt.Sprint(deal), "--miner", fmt.Sprint(m.ID()))...)
	if len(claimed.Slots) != 1 || claimed.Slots[0].ID != slot || claimed.Slots[0].State != "claimed" || !strings.HasPrefix(claimed.Message, "bafy2bza") {
		t.Fatalf("claimed: %+v", claimed)
	}
	w.refused("only published and active slots", with(flags, "prove", slot)...)
	w.releases(flags, slot, id(m))
	sector := w.seal(m, market.SlotID(deal, 0, 0))
	w.pass(2 * day)
	w.do(&proven, with(flags, "prove", slot)...)
	now := proven.Slots[0]
	earned, _ := new(big.Int).SetString(now.Earned, 10)
	// Two days of 2.0368 FIL for 180, and what it took to send.
	if least := new(big.Int).Div(new(big.Int).Mul(big.NewInt(20368e14), big.NewInt(2)), big.NewInt(180)); now.State != "active" || earned.Cmp(least) < 0 || earned.Cmp(new(big.Int).Mul(least, big.NewInt(2))) > 0 {
		t.Fatalf("proven: %+v, at least %s", proven, least)
	}
	to := w.funded(chain.BLS, 2)
	before := w.balance(to.Address)
	w.do(&paid, with(flags, "withdraw", "--to", market.Text(to.Address))...)
	// Four fifths of the bond came back with the sealing.
	want := new(big.Int).Add(earned, big.NewInt(16e17))
	if got := new(big.Int).Sub(w.balance(to.Address), before); got.Cmp(want) != 0 || paid.Credit != "0" {
		t.Errorf("%s was paid %s, want %s: %+v", market.Text(to.Address), got, want, paid)
	}
	w.must(m.DeclareFaulty(w.ctx, sector))
	w.refused("is faulty: recover it first", with(flags, "prove", slot)...)
}

func (w *spWorld) balance(a address.Address) *big.Int {
	w.Helper()
	actor, err := w.net.Chain().Actor(w.ctx, a, nil)
	w.must(err)
	return actor.Balance.Int
}

// f3Wallet has the node sign, named in both forms of FULLNODE_API_INFO.
func (w *spWorld) f3Wallet(t *testing.T, a chain.Account, m *provider.Miner, slot string) {
	u, err := url.Parse(w.net.HTTPURL())
	w.must(err)
	from := []string{"--from", market.Text(a.Address)}
	t.Setenv("FULLNODE_API_INFO", fmt.Sprintf("/ip4/127.0.0.1/tcp/%s/http", u.Port()))
	var done spDone
	w.do(&done, with(from, "claim", slot, "--miner", id(m))...)
	if done.Slots[0].State != "claimed" || !strings.HasPrefix(done.Message, "bafy2bza") {
		t.Fatalf("claimed: %+v", done)
	}
	w.releases(from, slot, id(m))
	number, err := slotNumber(slot)
	w.must(err)
	w.seal(m, number)
	w.pass(day)
	t.Setenv("FULLNODE_API_INFO", "e30.e30.e30:http://"+u.Host)
	w.do(&done, with(from, "prove", slot)...)
	if done.Slots[0].Earned == "0" || done.Slots[0].State != "active" {
		t.Fatalf("proven: %+v", done)
	}
	w.do(&done, with([]string{"--from", fmt.Sprintf("f0%d", a.ID)}, "withdraw")...) // the same account by its id
	if done.Credit != "0" {
		t.Fatalf("withdrawn: %+v", done)
	}
	w.refused("the node's wallet does not hold that key", "withdraw", "--from", market.Text(m.Worker().Address))
}

// releases gives a claim back, takes what is left of the bond, and claims again.
func (w *spWorld) releases(flags []string, slot, miner string) {
	w.Helper()
	var done spDone
	w.do(&done, with(flags, "release", slot)...)
	if done.Slots[0].State != "open" || done.Credit != "1990000000000000000" { // the bond less 0.01 FIL
		w.Fatalf("released: %+v", done)
	}
	w.do(&done, with(flags, "withdraw")...)
	w.do(&done, with(flags, "claim", slot, "--miner", miner)...)
	if done.Slots[0].State != "claimed" || done.Credit != "0" {
		w.Fatalf("claimed again: %+v", done)
	}
}

func slotNumber(text string) (n uint64, err error) {
	_, err = fmt.Sscan(text, &n)
	return n, err
}

// multisig proposes what is printed, in the form of `lotus msig propose` and as a message:
// each command of a provider's life, first where one signer is enough and then where two are.
func (w *spWorld) multisig(t *testing.T, signer chain.Account, msig address.Address, m *provider.Miner, slot string) {
	flags := []string{"--rpc", w.net.HTTPURL(), "--multisig", market.Text(msig)}
	number, err := slotNumber(slot)
	w.must(err)
	actor, err := w.net.Chain().Resolve(w.ctx, msig, nil)
	w.must(err)
	as := common.BigToAddress(new(big.Int).Or(new(big.Int).Lsh(big.NewInt(0xff), 152), new(big.Int).SetUint64(uint64(actor)))) // masked
	store, signers := market.NewStorage(contractsOf{w.client}, w.at), []chain.Account{signer}
	proposed := func(value string, args ...string) market.Detail {
		t.Helper()
		w.proposed(flags, signers, value, args...)
		return w.slot(number)
	}
	credit := func(want string) {
		t.Helper()
		if got, err := store.Credit(w.ctx, w.height(), as); err != nil || got.String() != want {
			t.Errorf("the multisig's credit is %s, want %s (%v)", got, want, err)
		}
	}
	for range 2 {
		if d := proposed("2", "claim", slot, "--miner", id(m)); d.State != market.SlotClaimed || d.Miner != uint64(m.ID()) {
			t.Fatalf("claimed: %+v", d)
		}
		if d := proposed("0", "release", slot); d.State != market.SlotOpen {
			t.Fatalf("released: %+v", d)
		}
		credit("1990000000000000000")
		proposed("0", "withdraw")
		credit("0")
		if len(signers) == 1 {
			signers = append(signers, w.funded(chain.BLS, 1))
			w.joins(msig, signers[0], signers[1])
		}
	}
	proposed("2", "claim", slot, "--miner", id(m))
	w.seal(m, number)
	w.pass(day)
	if d := proposed("0", "prove", slot); d.State != market.SlotActive || d.Earned.Sign() <= 0 {
		t.Fatalf("proven: %+v", d)
	}
	proposed("0", "withdraw")
	credit("0")
	w.refused("sends nothing", with(flags, "prove", slot, "--key-env", "NONE")...)
	w.refused("is no multisig's address", "release", slot, "--rpc", w.net.HTTPURL(), "--multisig", market.Text(signer.Address))
}

// proposed has the first signer of a multisig propose what a command prints, and the others
// approve it: it is done when all have, and not before.
func (w *spWorld) proposed(flags []string, signers []chain.Account, value string, args ...string) {
	w.Helper()
	var p proposal
	w.do(&p, with(flags, args...)...)
	if want := fmt.Sprintf("lotus msig propose --from SIGNER %s %s %s 3844450837 %s", p.Multisig, p.To, value, p.Params); p.Command != want {
		w.Errorf("printed %q, want %q", p.Command, want)
	}
	raw, err := hex.DecodeString(p.Propose.Params)
	w.must(err)
	msig, err := market.Parse(p.Multisig)
	w.must(err)
	out, err := w.net.Providers().Send(w.ctx, signers[0], provider.Call{To: msig, Method: abi.MethodNum(p.Propose.Method), Params: &cbg.Deferred{Raw: raw}})
	w.must(err)
	var made multisig18.ProposeReturn
	w.must(made.UnmarshalCBOR(bytes.NewReader(out)))
	applied, code := made.Applied, made.Code
	for _, s := range signers[1:] {
		if applied {
			w.Fatalf("%v: done before %s approved it", args, s.Address)
		}
		out, err := w.net.Providers().Send(w.ctx, s, provider.Call{To: msig, Method: builtin.MethodsMultisig.Approve, Params: &multisig18.TxnIDParams{ID: made.TxnID}})
		w.must(err)
		var a multisig18.ApproveReturn
		w.must(a.UnmarshalCBOR(bytes.NewReader(out)))
		applied, code = a.Applied, a.Code
	}
	if !applied || code != exitcode.Ok {
		w.Fatalf("%v: applied %v, exit code %s", args, applied, code)
	}
}

// joins makes a multisig of one signer one of two that both must sign.
func (w *spWorld) joins(msig address.Address, first, second chain.Account) {
	w.Helper()
	var add, propose bytes.Buffer
	w.must((&multisig18.AddSignerParams{Signer: second.Address, Increase: true}).MarshalCBOR(&add))
	w.must((&multisig18.ProposeParams{To: msig, Value: filbig.Zero(), Method: builtin.MethodsMultisig.AddSigner, Params: add.Bytes()}).MarshalCBOR(&propose))
	_, err := w.net.Providers().Send(w.ctx, first, provider.Call{To: msig, Method: builtin.MethodsMultisig.Propose, Params: &cbg.Deferred{Raw: propose.Bytes()}})
	w.must(err)
}

func (w *spWorld) height() uint64 {
	w.Helper()
	n, err := w.client.BlockNumber(w.ctx)
	w.must(err)
	return n
}

func (w *spWorld) refusals(t *testing.T, f1, eth chain.Account, mine, others *provider.Miner, deal uint64, slot string) {
	flags := w.keyOf(t, f1, market.Text(f1.Address))
	second := w.deal(terms(1), big.NewInt(3e18))
	one := fmt.Sprint(market.SlotID(second, 0, 0))
	w.refused("is no controlling address", with(flags, "claim", one, "--miner", "f01000")...)
	w.refused("nothing is open", with(flags, "claim", fmt.Sprint(deal), "--miner", id(mine))...)
	w.refused("not found", with(flags, "claim", "4711", "--miner", id(mine))...)
	w.refused("not found", with(flags, "prove", fmt.Sprint(market.SlotID(99, 0, 0)))...)
	w.refused("the bond must be 2 FIL", with(flags, "claim", one, "--miner", id(mine), "--bond", "1.9")...)
	w.refused("more than --max-fee", with(w.keyOf(t, eth, w.net.Accounts()[5].Address.Hex()), "claim", one, "--miner", id(others), "--max-fee", "0.000000000000000001")...)
	w.refused("refused:", with(flags, "publish", slot, "77")...)
	w.refused("refused:", with(flags, "publish", slot, "--claim", "77")...)
	w.refused("refused:", with(flags, "release", slot)...)
	w.refused("two addresses", "withdraw", "--rpc", w.net.HTTPURL(), "--key-env", flags[3])
	w.refused("and the key is of", "withdraw", "--rpc", w.net.HTTPURL(), "--key-env", flags[3], "--from", "f099")
	w.refused("does not answer", with([]string{"--from", "f099"}, "withdraw", "--rpc", "http://127.0.0.1:1")...)
	code, _, errOut := w.sp(strings.NewReader("n\n"), with(flags, "claim", one, "--miner", id(mine))...)
	if code == 0 || !strings.Contains(errOut, "nothing was sent") {
		t.Errorf("no is no: %d %s", code, errOut)
	}
	code, _, errOut = w.sp(strings.NewReader(""), with(flags, "claim", one, "--miner", id(mine))...)
	if code == 0 || !strings.Contains(errOut, "give --yes") {
		t.Errorf("nobody to ask: %d %s", code, errOut)
	}
	if n := w.open(second); n != 1 {
		t.Errorf("%d slots are open, want 1", n)
	}
}

func (w *spWorld) open(deal uint64) int {
	w.Helper()
	slots, _, err := market.NewStorage(contractsOf{w.client}, w.at).Open(w.ctx, w.height(), deal, 1)
	w.must(err)
	return len(slots)
}

// answering is a person who does something else before saying yes.
type answering struct {
	first func()
	rest  *bytes.Reader
}

func (a *answering) Read(p []byte) (int, error) {
	if a.first != nil {
		a.first()
		a.first = nil
	}
	return a.rest.Read(p)
}

// race has another provider claim a slot between the preview and the message: the bond is
// not lost, it is credited, and the command says so.
func (w *spWorld) race(t *testing.T, eth chain.Account, quick *provider.Miner, f1 chain.Account, slow *provider.Miner) {
	deal := fmt.Sprint(w.deal(terms(1), big.NewInt(3e18)))
	other := w.keyOf(t, eth, w.net.Accounts()[5].Address.Hex())
	flags := w.keyOf(t, f1, market.Text(f1.Address))
	person := &answering{rest: bytes.NewReader([]byte("yes\n")), first: func() {
		var done spDone
		w.do(&done, with(other, "claim", deal, "--miner", id(quick))...)
	}}
	code, out, errOut := w.sp(person, with(flags, "claim", deal, "--miner", id(slow))...)
	if code == 0 || out != "" || !strings.Contains(errOut, "somebody was first") || !strings.Contains(errOut, "your credit, 2 FIL") {
		t.Fatalf("code %d %q: %s", code, out, errOut)
	}
	var done spDone
	w.do(&done, with(flags, "withdraw")...)
	if done.Credit != "0" {
		t.Errorf("withdrawn: %+v", done)
	}
}
