package e2e

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
)

// misconduct is a way to misbehave, and what comes of it.
type misconduct struct {
	how   market.Conduct
	late  bool // it begins when the provider stores a copy
	loses bool // it ends with the copy elsewhere, or never there
	quick bool // tried in make test too
	mk12  course
	mk20  course
}

// course is what a misconduct leads to over one protocol.
type course struct {
	jumps []int  // epochs that pass, one after another, once there is nothing else to wait for
	why   string // how the reason begins for which its offer fails; "" for none that does
}

const aDay = 2880 // epochs

// misconducts are all ways in which devnet providers misbehave. Who stores a copy and goes
// offline, or serves what is not the piece, keeps it as far as any contract can see. Who has
// claimed a slot, over MK20, has it until nobody can expect that he seals it any more.
var misconducts = []misconduct{
	{how: market.Refuse, loses: true, mk12: course{why: "refused: client not allowed"},
		mk20: course{[]int{claimOver}, "refused: Client is not allowed to make deal with this provider (401)"}},
	{how: market.LiePrice, loses: true, mk12: course{why: "refused: failed validation: storage price per epoch less than asking price"},
		mk20: course{[]int{claimOver}, "refused: storage price per epoch less than asking price (426)"}},
	{how: market.Hang, loses: true, mk12: course{[]int{publishWithin + 100}, "unreached: too late"}, mk20: course{[]int{claimOver}, "unreached: too late"}},
	{how: market.Offline, loses: true, mk12: course{[]int{publishWithin + 100}, "unreached: "}, mk20: course{[]int{claimOver}, "unreached: too late"}},
	{how: market.Stall, loses: true, mk12: course{[]int{publishWithin + 100}, "too late: "}, mk20: course{[]int{claimOver}, "too late: "}},
	{how: market.NeverSeal, loses: true, mk12: course{[]int{2*aDay + 100}, "never active: "}, mk20: course{[]int{claimOver}, "too late: "}},
	{how: market.Fault, late: true, loses: true, mk12: course{[]int{2 * aDay, 42 * aDay}, "lost: "}, mk20: course{[]int{2 * aDay, 42 * aDay}, "lost: "}},
	{how: market.Terminate, late: true, loses: true, quick: true, mk12: course{why: "lost: "}, mk20: course{why: "lost: "}},
	{how: market.Offline, late: true, mk12: course{jumps: sampled}, mk20: course{jumps: sampled}},
	{how: market.Garbage, late: true, mk12: course{jumps: sampled}, mk20: course{jumps: sampled}},
	{how: market.Corrupt, late: true, mk12: course{jumps: sampled}, mk20: course{jumps: sampled}},
}

const (
	publishWithin = 1000         // epochs
	sampleEvery   = 121          // an hour of epochs, and one
	claimOver     = 2*aDay + 100 // the window to seal in, and the day for which a claimant who is late is waited for
)

var sampled = []int{sampleEvery, sampleEvery, sampleEvery}

func (m misconduct) String() string {
	if m.late {
		return string(m.how) + " once it stores"
	}
	return string(m.how)
}

// A wallet orders two copies with cast, and there are four providers, one of which
// misbehaves: two others end up proven, or the same two where the contract has no reason
// to complain. Each copy comes back from its provider byte for byte, the culprit scores
// less than it did and less than each of the others, asked or not, and all money is where the
// contract says. Over MK12 the daemon proposes f05 deals; over MK20 providers claim slots with
// a bond, are handed ddo_v1 deals, and their miner actors notify the gate. Each misbehaviour
// over either in make soak (TIDEGATE_SOAK=1), one of them over either otherwise.
func TestEachMisconductOfAProvider(t *testing.T) {
	t.Parallel()
	for _, m := range misconducts {
		for _, over := range []string{market.MK12, market.MK20} {
			if m.quick || os.Getenv("TIDEGATE_SOAK") != "" {
				t.Run(m.String()+" over "+over, func(t *testing.T) { m.survived(t, over) })
			}
		}
	}
}

// tried is a misconduct in its world.
type tried struct {
	*dealsWorld
	misconduct
	course
	over    string // market.MK12 or MK20
	culprit *market.Provider
	deal    uint64
	claims  []*market.Provider // over MK20: those that have claimed nothing yet
	bonds   *big.Int           // attoFIL that claims brought
}

func (m misconduct) survived(t *testing.T, over string) {
	k := &tried{newDealsWorld(t, 4, market.Config{MK20Only: over == market.MK20}, "--deals-publish-within", fmt.Sprint(publishWithin), "--deals-answer-within", "2s",
		"--deals-sample-every", "1h", "--keeper-clients", devKeys()[keyAlice].Address), m, m.mk12, over, nil, 0, nil, new(big.Int)}
	if over == market.MK20 {
		k.course, k.claims = m.mk20, k.net.Market().Providers()
	}
	k.culprit = k.net.Market().Providers()[0] // of equals the first is asked first, and the first claims first
	began := time.Now()
	k.await(t, "the providers are known", func() bool {
		var ranked struct{ Items []job.ProviderScore }
		return k.d.ask(http.MethodGet, "/providers", nil, &ranked) == nil && len(ranked.Items) == 4
	})
	before := k.score(t, k.culprit)
	if !m.late {
		k.behave(t)
	}
	k.deal = k.order(t, 2, 60*aDay)
	if m.late {
		k.until(t, "two copies are proven, one with the culprit", func() bool { return k.proven(t) && k.stores(t, k.culprit) })
		k.until(t, "the culprit was asked for a range", func() bool { return k.shown(t, k.culprit).Score.Samples > 0 })
		before = k.score(t, k.culprit)
		k.behave(t)
	} else {
		k.until(t, "a copy is proven, and the culprit was asked", func() bool { return k.copies(t) > 0 && len(k.offersOf(k.culprit)) > 0 })
	}
	for _, epochs := range k.jumps {
		k.pass(t, epochs)
	}
	k.until(t, "both copies are proven, and not by the culprit", func() bool { return k.proven(t) && k.stores(t, k.culprit) != m.loses })
	k.until(t, "the culprit scores less than it did, and than all others", func() bool {
		bad := k.score(t, k.culprit)
		for _, p := range k.net.Market().Providers()[1:] {
			if bad >= k.score(t, p) {
				return false
			}
		}
		return bad < before
	})
	k.reasons(t)
	k.refetched(t)
	k.books(t)
	t.Logf("%s over %s: all in %s; the culprit scored %.4f and scores %.4f", m, over, time.Since(began).Round(time.Second/10), before, k.score(t, k.culprit))
	k.d.stop(t)
}

// claim has the next providers, the culprit first, claim what is open, one slot each, by
// their workers' keys and with the bond.
func (k *tried) claim(t *testing.T) {
	t.Helper()
	if len(k.claims) == 0 || k.deal == 0 {
		return
	}
	open := readAt(t, k.dealsWorld, k.storage.PackOpenSlots(k.deal, big.NewInt(1)), k.storage.UnpackOpenSlots)
	for _, s := range open.List[:min(len(open.List), len(k.claims))] {
		p := k.claims[0]
		miner := uint64(p.Endpoints().ID)
		to, err := ethtypes.EthAddress(common.HexToAddress(k.Contracts["PerpetualStorage"])).ToFilecoinAddress()
		if err != nil {
			t.Fatal(err)
		}
		data := abi.CborBytes(k.storage.PackClaimDeal(k.deal, uint8(s.SlotId>>16), miner))
		call := provider.Call{To: to, Value: filbig.NewFromGo(s.Bond), Method: builtin.MethodsEVM.InvokeContract, Params: &data}
		if _, err := k.net.Providers().Send(t.Context(), p.Miner().Worker(), call); err != nil {
			t.Fatalf("%s claims slot %d: %v", p.Endpoints().Miner, s.SlotId, err)
		}
		k.claims = k.claims[1:]
		k.bonds.Add(k.bonds, s.Bond)
		k.await(t, "the claim is seen", func() bool {
			return readAt(t, k.dealsWorld, k.storage.PackSlotOf(s.SlotId), k.storage.UnpackSlotOf).MinerId == miner
		})
	}
}

func (k *tried) behave(t *testing.T) {
	t.Helper()
	if err := k.culprit.Behave(t.Context(), k.how); err != nil {
		t.Fatal(err)
	}
}

// pass lets epochs pass, and the daemon see them.
func (k *tried) pass(t *testing.T, epochs int) {
	t.Helper()
	head, err := k.net.Chain().Advance(t.Context(), epochs)
	if err != nil {
		t.Fatal(err)
	}
	k.await(t, "the daemon has read what passed", func() bool {
		var s struct {
			Chain struct{ Final uint64 }
		}
		return k.d.ask(http.MethodGet, "/status", nil, &s) == nil && s.Chain.Final >= uint64(head.Height())
	})
}

// until waits. The chain is in a hurry while a provider seals, or a deadline of a sector has
// to be over.
func (k *tried) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patient(time.Minute)); !is(); <-tick.C {
		if time.Now().After(end) {
			for _, p := range k.net.Market().Providers() {
				t.Logf("%s scores %+v, took %+v", p.Endpoints().Miner, k.shown(t, p).Score, p.Deals())
			}
			t.Fatalf("it did not come about that %s; the ledger has %+v", what, k.offers(0))
		}
		k.claim(t)
		if k.sealing() {
			if _, err := k.net.Chain().Advance(t.Context(), 20); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func (k *tried) sealing() bool {
	for _, p := range k.net.Market().Providers() {
		for _, d := range p.Deals() {
			if d.State == market.Sealing && (p != k.culprit || k.late) {
				return true
			}
		}
	}
	return false
}

// slots are those of the deal's seats now.
func (k *tried) slots(t *testing.T) (out []perpetualstorage.SlotView) {
	t.Helper()
	for index := range uint8(2) {
		seat := readAt(t, k.dealsWorld, k.storage.PackSeatOf(k.deal, index), k.storage.UnpackSeatOf)
		out = append(out, readAt(t, k.dealsWorld, k.storage.PackSlotOf(seat.Current), k.storage.UnpackSlotOf))
	}
	return out
}

const slotActive = 3

// copies are how many are proven.
func (k *tried) copies(t *testing.T) (n int) {
	t.Helper()
	for _, s := range k.slots(t) {
		if s.State == slotActive && !s.Faulty {
			n++
		}
	}
	return n
}

// proven tells that both copies are, with two providers, and that the ledger knows.
func (k *tried) proven(t *testing.T) bool {
	t.Helper()
	live := map[uint64]bool{}
	for _, o := range k.offers(0) {
		if o.State == "active" {
			live[o.Miner] = true
		}
	}
	for _, s := range k.slots(t) {
		if !live[s.MinerId] {
			return false
		}
	}
	return len(live) == 2 && k.copies(t) == 2
}

func (k *tried) stores(t *testing.T, p *market.Provider) bool {
	t.Helper()
	for _, s := range k.slots(t) {
		if s.State == slotActive && s.MinerId == uint64(p.Endpoints().ID) {
			return true
		}
	}
	return false
}

// shown is what `tidegate sp show` says of a provider.
func (k *tried) shown(t *testing.T, p *market.Provider) job.ProviderDetail {
	t.Helper()
	return decode[job.ProviderDetail](t, k.d.cli(t, "sp", "show", "--json", fmt.Sprintf("f0%d", p.Endpoints().ID)))
}

func (k *tried) score(t *testing.T, p *market.Provider) float64 {
	t.Helper()
	return k.shown(t, p).Score.Score
}

func (k *tried) offersOf(p *market.Provider) (reasons []string) {
	for _, o := range k.offers(0) {
		if o.Miner == uint64(p.Endpoints().ID) {
			reasons = append(reasons, o.Reason)
		}
	}
	return reasons
}

// reasons are on record: the culprit's, and nobody else's.
func (k *tried) reasons(t *testing.T) {
	t.Helper()
	for _, p := range k.net.Market().Providers() {
		for _, reason := range k.offersOf(p) {
			if p == k.culprit && !bytes.HasPrefix([]byte(reason), []byte(k.why)) || (p != k.culprit || k.why == "") && reason != "" {
				t.Errorf("an offer to %s failed: %q", p.Endpoints().Miner, reason)
			}
		}
	}
}

// refetched gets each copy from its provider, and has the reference library compute what
// piece it is. What the culprit serves of what it still stores is not the piece.
func (k *tried) refetched(t *testing.T) {
	t.Helper()
	for _, s := range k.slots(t) {
		for _, p := range k.net.Market().Providers() {
			if uint64(p.Endpoints().ID) != s.MinerId {
				continue
			}
			d := p.Deals()[0]
			got, err := fetched(p.Endpoints().URL + "/piece/" + d.PieceCID.String())
			if p == k.culprit {
				if want, _ := fetched("http://" + k.public + "/piece/" + d.PieceCID.String()); err == nil && bytes.Equal(got, want) {
					t.Error("the culprit serves the piece: it does not misbehave")
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", p.Endpoints().Miner, err)
				continue
			}
			calc := new(commp.Calc)
			_, _ = calc.Write(got) // it never fails
			root, _, err := calc.Digest()
			deal := readAt(t, k.dealsWorld, k.storage.PackDealOf(k.deal), k.storage.UnpackDealOf)
			if err != nil || [32]byte(root) != deal.CommP || uint64(len(got)) != deal.CarSize {
				t.Errorf("%s gives %d bytes that are not the piece: %v", p.Endpoints().Miner, len(got), err)
			}
		}
	}
}

func fetched(url string) ([]byte, error) {
	res, err := http.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return b, err
}

// books wants in PerpetualStorage what came, less what was paid and burnt; and that it owes
// that much, to the deal, to slots and to those who have a credit.
func (k *tried) books(t *testing.T) {
	t.Helper()
	at := common.HexToAddress(k.Contracts["PerpetualStorage"])
	held := new(big.Int).Add(dealBudget, k.bonds)
	head, err := k.client.BlockNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	const most = 2000 // epochs of one answer
	for from := k.Start; from <= head; from += most {
		logs, err := k.client.FilterLogs(t.Context(), ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(min(head, from+most-1)), Addresses: []common.Address{at},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, log := range logs {
			if e, err := k.storage.UnpackWithdrawnEvent(&log); err == nil {
				held.Sub(held, e.Amount)
			}
			if e, err := k.storage.UnpackBurntEvent(&log); err == nil {
				held.Sub(held, e.Amount)
			}
		}
	}
	owed := readAt(t, k.dealsWorld, k.storage.PackBurnable(), k.storage.UnpackBurnable)
	owed.Add(owed, readAt(t, k.dealsWorld, k.storage.PackDealOf(k.deal), k.storage.UnpackDealOf).Free)
	creditors := map[common.Address]bool{}
	for _, a := range k.net.Accounts() {
		creditors[a.Address] = true
	}
	for index := range uint64(2) {
		current := readAt(t, k.dealsWorld, k.storage.PackSeatOf(k.deal, uint8(index)), k.storage.UnpackSeatOf).Current
		for id := k.deal<<24 | index<<16; id <= current; id++ {
			s := readAt(t, k.dealsWorld, k.storage.PackSlotOf(id), k.storage.UnpackSlotOf)
			creditors[s.Payee] = true
			owed.Add(owed, s.Bond)
			if s.State == slotActive {
				owed.Add(owed, new(big.Int).Sub(s.Obligation, s.Earned))
			}
		}
	}
	for a := range creditors {
		owed.Add(owed, readAt(t, k.dealsWorld, k.storage.PackCreditOf(a), k.storage.UnpackCreditOf))
	}
	has, err := k.client.BalanceAt(t.Context(), at, nil)
	if err != nil {
		t.Fatal(err)
	}
	if has.Cmp(held) != 0 || owed.Cmp(held) != 0 {
		t.Errorf("of what came and went %s attoFIL are left, PerpetualStorage has %s and owes %s", held, has, owed)
	}
}
