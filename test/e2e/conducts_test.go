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

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/job"
)

// misconduct is a way to misbehave, and what comes of it.
type misconduct struct {
	how   market.Conduct
	late  bool   // it begins when the provider stores a copy
	jumps []int  // epochs that pass, one after another, once there is nothing else to wait for
	loses bool   // it ends with the copy elsewhere, or never there
	why   string // how the reason begins for which its offer fails; "" for none that does
	quick bool   // tried in make test too
}

const aDay = 2880 // epochs

// misconducts are all ways in which devnet providers misbehave. Who stores a copy and goes
// offline, or serves what is not the piece, keeps it as far as any contract can see.
var misconducts = []misconduct{
	{how: market.Refuse, loses: true, why: "refused: client not allowed"},
	{how: market.LiePrice, loses: true, why: "refused: failed validation: storage price per epoch less than asking price"},
	{how: market.Hang, jumps: []int{publishWithin + 100}, loses: true, why: "unreached: too late"},
	{how: market.Offline, jumps: []int{publishWithin + 100}, loses: true, why: "unreached: "},
	{how: market.Stall, jumps: []int{publishWithin + 100}, loses: true, why: "too late: "},
	{how: market.NeverSeal, jumps: []int{2*aDay + 100}, loses: true, why: "never active: "},
	{how: market.Fault, late: true, jumps: []int{2 * aDay, 42 * aDay}, loses: true, why: "lost: "},
	{how: market.Terminate, late: true, loses: true, why: "lost: ", quick: true},
	{how: market.Offline, late: true, jumps: []int{sampleEvery, sampleEvery, sampleEvery}},
	{how: market.Garbage, late: true, jumps: []int{sampleEvery, sampleEvery, sampleEvery}},
	{how: market.Corrupt, late: true, jumps: []int{sampleEvery, sampleEvery, sampleEvery}},
}

const (
	publishWithin = 1000 // epochs
	sampleEvery   = 121  // an hour of epochs, and one
)

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
// contract says. Each misbehaviour in make soak (TIDEGATE_SOAK=1), one of them otherwise.
func TestEachMisconductOfAProvider(t *testing.T) {
	t.Parallel()
	for _, m := range misconducts {
		if m.quick || os.Getenv("TIDEGATE_SOAK") != "" {
			t.Run(m.String(), m.survived)
		}
	}
}

// tried is a misconduct in its world.
type tried struct {
	*dealsWorld
	misconduct
	culprit *market.Provider
	deal    uint64
}

func (m misconduct) survived(t *testing.T) {
	k := &tried{newDealsWorld(t, 4, market.Config{}, "--deals-publish-within", fmt.Sprint(publishWithin), "--deals-answer-within", "2s",
		"--deals-sample-every", "1h", "--keeper-clients", devKeys()[keyAlice].Address), m, nil, 0}
	k.culprit = k.net.Market().Providers()[0] // of equals the first is asked first
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
	for _, epochs := range m.jumps {
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
	t.Logf("%s: all in %s; the culprit scored %.4f and scores %.4f", m, time.Since(began).Round(time.Second/10), before, k.score(t, k.culprit))
	k.d.stop(t)
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
	held := new(big.Int).Set(dealBudget)
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
