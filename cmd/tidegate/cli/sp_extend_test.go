package cli

import (
	"encoding/json"
	"fmt"
	"math/big"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/market"
)

// extension is a slot that may be renewed by its sector, which lasts long enough.
type extension struct {
	*spWorld
	key    chain.Account
	m      *provider.Miner
	node   *market.Node
	sealed bool
	sector abi.SectorNumber
	deal   uint64
	slot   uint64
}

// extended has a slot go through what stands in the way of its extension: each time it is
// told where the contract takes the call, with the bond that is told, and nowhere else. That
// nobody vouches for the piece is tried in make soak alone.
func (w *spWorld) extended(t *testing.T, key chain.Account, m *provider.Miner) {
	node, err := market.Open(w.ctx, market.Endpoint{URL: w.net.HTTPURL()})
	w.must(err)
	defer node.Close()
	rules := terms(1)
	rules.RenewWindow, rules.MaxBounty = rules.Term-2*day, big.NewInt(3e18)
	e := extension{spWorld: w, key: key, m: m, node: node, deal: w.deal(rules, w.fil(20))}
	e.slot = market.SlotID(e.deal, 0, 0)
	client, owner := w.net.Accounts()[2], w.net.Accounts()[0]
	flags, next := w.keyOf(t, key, market.Text(key.Address)), fmt.Sprint(e.slot+1)
	var done spDone
	w.do(&done, with(flags, "claim", fmt.Sprint(e.slot), "--miner", id(m))...)
	e.is(false, "it is claimed")
	e.sector, e.sealed = w.sealFor(m, e.slot, 220*day), true
	w.pass(day + 1)
	end := w.slot(e.slot).End
	w.must(m.Extend(w.ctx, abi.ChainEpoch(end+rules.Term), e.sector))
	e.is(false, "its window is ahead")
	w.pass(day)
	e.is(true, "nobody has opened what follows")
	w.send(owner, w.at, nil, w.storage.PackSetIntakePaused(true))
	e.is(false, "the contract is paused, and nothing is opened")
	w.send(owner, w.at, nil, w.storage.PackSetIntakePaused(false))
	w.send(client, w.at, nil, w.storage.PackOpenRenewal(e.deal, 0))
	w.pass(day) // the bounty rises, and the bond falls
	e.is(true, "what follows is open")
	e.shown(flags, end, rules.Term, rules.RenewWindow)
	w.send(owner, w.at, nil, w.storage.PackSetIntakePaused(true))
	e.is(false, "the contract is paused")
	w.send(owner, w.at, nil, w.storage.PackSetIntakePaused(false))
	w.send(client, w.at, nil, w.storage.PackSuspend(e.deal))
	e.is(false, "the client has suspended the deal")
	w.send(client, w.at, nil, w.storage.PackResume(e.deal))
	free := w.money(e.deal)
	w.send(client, w.at, nil, w.storage.PackWithdrawSurplus(e.deal, free))
	e.is(false, "there is no money")
	w.send(client, w.at, free, w.storage.PackFund(e.deal))
	w.do(&done, with(flags, "claim", next, "--miner", id(m))...)
	e.is(false, "what follows is claimed")
	w.do(&done, with(flags, "release", next)...)
	e.is(true, "the claim was given back")
	w.must(m.DeclareFaulty(w.ctx, e.sector))
	at, err := node.Locate(w.ctx, uint64(m.ID()), uint64(e.sector))
	w.must(err)
	w.send(client, w.at, nil, w.storage.PackCheckDeal(e.slot, uint8(at.Status), at.Aux))
	e.is(false, "the sector is shown to be faulty")
	w.must(m.Recover(w.ctx, e.sector))
	w.pass(day + 1)
	w.do(&done, with(flags, "prove", fmt.Sprint(e.slot))...)
	if os.Getenv("TIDEGATE_SOAK") != "" { // 10 s
		w.pass(7 * day)
		e.is(true, "nobody vouches for the piece")
		if w.open(e.deal) != 0 {
			t.Error("what nobody vouches for can be claimed")
		}
	}
	w.do(&done, with(flags, "renew", fmt.Sprint(e.slot))...)
	e.is(false, "it is renewed")
}

// money is what a deal has free.
func (w *spWorld) money(deal uint64) *big.Int {
	w.Helper()
	d, err := market.NewStorage(contractsOf{w.client}, w.at).Deal(w.ctx, w.height(), deal)
	w.must(err)
	return d.Free
}

// is wants an extension to be told, or not to be, and the contract to agree.
func (e extension) is(want bool, while string) {
	e.Helper()
	e.pass(1) // the head's state is that before it
	told, err := market.NewStorage(contractsOf{e.client}, e.at).Extension(e.ctx, e.height(), e.slot)
	e.must(err)
	call := market.Call{To: e.at, Value: e.fil(5)}
	if told != nil {
		call.Value = told.Bond
	}
	var aux []byte
	if e.sealed {
		at, err := e.node.Locate(e.ctx, uint64(e.m.ID()), uint64(e.sector))
		e.must(err)
		aux = at.Aux
	}
	call.Data = e.storage.PackRenewByExtension(e.slot, aux)
	refused := e.node.Try(e.ctx, e.key.Address, call)
	if (told != nil) != want || (refused == nil) != want {
		e.Errorf("while %s: told %+v, and the contract says %v", while, told, refused)
	}
	if told != nil && told.Bond.Sign() > 0 {
		call.Value = new(big.Int).Sub(told.Bond, big.NewInt(1e16)) // the bounty rises meanwhile
		if e.node.Try(e.ctx, e.key.Address, call) == nil {
			e.Errorf("while %s: a bond of %s is enough, told is %s", while, call.Value, told.Bond)
		}
	}
}

// shown wants the list to say it as it is.
func (e extension) shown(flags []string, end, term, window uint32) {
	e.Helper()
	var page httpapi.SlotPage
	e.do(&page, "slots", "--rpc", flags[1], "--miner", id(e.m))
	for _, s := range page.Items {
		if s.Deal != e.deal {
			continue
		}
		x := s.Extend
		if x == nil || x.Slot != fmt.Sprint(e.slot) || x.Miner != uint64(e.m.ID()) || x.Sector != uint64(e.sector) || x.Before != end || x.Until != end+term ||
			x.Others != end-window+window/3 || x.Bounty != s.Bounty || x.Obligation != s.Obligation || s.Incumbent != x.Miner {
			e.Errorf("slot %+v says %+v", s, x)
		}
	}
	if _, out, _ := e.sp(nil, "slots", "--rpc", flags[1]); !strings.Contains(out, fmt.Sprintf("tidegate sp renew %d (its sector %d committed until epoch %d; bond ", e.slot, e.sector, end+term)) {
		e.Errorf("the table does not say how:\n%s", out)
	}
}

// extendsAsTold has a provider read the daemon's list over HTTP, and do what it says there.
func (w *spWorld) extendsAsTold(t *testing.T, d *daemon.Daemon, key chain.Account, m *provider.Miner) {
	t.Helper()
	said := func() *httpapi.Extension {
		res, err := http.Get("http://" + d.Public() + "/slots")
		w.must(err)
		defer res.Body.Close()
		var page httpapi.SlotPage
		w.must(json.NewDecoder(res.Body).Decode(&page))
		for _, s := range page.Items {
			if s.Extend != nil && s.Extend.Miner == uint64(m.ID()) {
				return s.Extend
			}
		}
		return nil
	}
	e := said()
	if e == nil {
		t.Fatal("nobody is told")
	}
	w.must(m.Extend(w.ctx, abi.ChainEpoch(e.Until), abi.SectorNumber(e.Sector)))
	var done spDone
	w.do(&done, "renew", e.Slot, "--from", market.Text(key.Address), "--node", w.net.HTTPURL())
	if len(done.Slots) != 2 || done.Value != e.Bond {
		t.Fatalf("told %+v, done %+v", e, done)
	}
	now, follows := done.Slots[0], done.Slots[1]
	if now.ID != e.Slot || now.State != "active" || now.End != e.Before || follows.State != "active" || follows.Start != e.Before || follows.End != e.Until {
		t.Errorf("told %+v; there are %+v and %+v", e, now, follows)
	}
	w.pass(1)
	for n := 0; said() != nil; n++ { // a head is read at most once in chain.poll_interval
		if n == 100 {
			t.Fatal("it is told still")
		}
		w.pass(1)
	}
}
