package fevm

import (
	"math/big"
	"testing"

	filabi "github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// of gives the i-th funded account of a kind.
func (w *world) of(kind chain.AccountKind, i int) chain.Account {
	w.Helper()
	for _, a := range w.chain.Accounts() {
		if a.Kind == kind {
			if i == 0 {
				return a
			}
			i--
		}
	}
	w.Fatalf("too few %s accounts", kind)
	return chain.Account{}
}

// sp is a storage provider: its miner, and who acts for it before contracts.
type sp struct {
	party
	m      *provider.Miner
	sector filabi.SectorNumber // the last that it sealed
}

// providers are four, whose keys are of all kinds: an f3 worker, a multisig that owns the
// miner, an f1 owner, and an Ethereum account that owns it.
func (w *world) providers() (bls, shared, secp, eth *sp) {
	w.Helper()
	create := func(c provider.Creation) *provider.Miner {
		m, err := w.fleet.Create(w.ctx, c)
		w.must(err)
		w.must(w.fleet.AddBalance(w.ctx, m.Worker(), m.Address(), provider.Fil(5)))
		return m
	}
	m := create(provider.Creation{})
	bls = &sp{party: w.party("SP by f3", m.Worker()), m: m}
	wallet := w.shared("SP by multisig", w.of(chain.Secp256k1, 0))
	shared = &sp{party: wallet, m: create(provider.Creation{Owner: wallet.multisig, Signer: wallet.key})}
	owner := w.of(chain.Secp256k1, 1)
	secp = &sp{party: w.party("SP by f1", owner), m: create(provider.Creation{Signer: owner})}
	key := w.chain.Accounts()[6]
	eth = &sp{party: w.party("SP by 0x", key), m: create(provider.Creation{Signer: key})}
	w.books.knows(bls.party, shared.party, secp.party, eth.party)
	return bls, shared, secp, eth
}

// earnedFor is what so many proven epochs of a slot earn.
func earnedFor(obligation *big.Int, epochs int64) *big.Int {
	e := new(big.Int).Mul(obligation, big.NewInt(epochs))
	return e.Div(e, big.NewInt(shortTerm))
}

func (w *world) wantAmount(what string, got, want *big.Int) {
	w.Helper()
	if got.Cmp(want) != 0 {
		w.Fatalf("%s: %s FIL, want %s", what, fil(got), fil(want))
	}
}

// A deal's whole life on Filecoin's own actors, with real sectors: three copies, of
// which one is direct data, one an f05 deal and one only promised; a lapsed claim, a
// fault, a terminated sector and its repair; both ways of renewal; the end. After each
// step the money is counted to the attoFIL. Under make soak the first terms run out
// under daily proofs, else the providers give the slots up.
func TestDealLife(t *testing.T) {
	w := newWorld(t)
	defer func() { t.Logf("\n%s", w.books) }()
	bls, shared, secp, eth := w.providers()
	l := &life{world: w, piece: pieceOf("life"), bls: bls, shared: shared, secp: secp, eth: eth}
	l.begin()
	l.lapse()
	l.fault()
	l.loss()
	l.renew()
	l.refund()
	l.end()
}

// life is the story of a deal: who keeps which slot.
type life struct {
	*world
	piece                  storedPiece
	bls, shared, secp, eth *sp
	deal                   uint64
	slots                  [3]uint64
	next                   [2]uint64 // of the first two seats
	nextSector             filabi.SectorNumber
}

// begin has two providers claim and prove, by both routes, and a third claim.
func (l *life) begin() {
	l.deal = l.world.deal(l.piece, terms(3), milli(40_000))
	l.audit("the client creates a deal of 3 copies")
	for i, s := range []*sp{l.bls, l.shared, l.secp} {
		l.slots[i] = l.claim(s.party, s.m, l.deal, uint8(i))
		l.audit("%s claims slot %d", s.name, i)
	}
	l.bls.sector = l.seal(l.bls.m, l.direct(l.piece, 220*day, l.slots[0]))[0]
	s := l.wants(l.slots[0], active)
	if s.Sector != uint64(l.bls.sector) || s.Route != 2 || s.MinerId != uint64(l.bls.m.ID()) {
		l.Fatalf("activated %+v by sector %d", s, l.bls.sector)
	}
	l.audit("%s seals: its miner tells of the sector", l.bls.name)

	id := l.publish(l.shared.m, l.slots[1])
	if s := l.wants(l.slots[1], published); s.F05DealId != uint64(id) {
		l.Fatalf("published %+v by deal %d", s, id)
	}
	l.audit("%s publishes deal %d in f05", l.shared.name, id)
	l.shared.sector = l.seal(l.shared.m, l.ofDeal(l.piece, id))[0]
	l.do(l.keeper, l.at[bindings.PerpetualStorage], nil, l.s.PackProveActive([]uint64{l.slots[1]}, [][]byte{nil}))
	if s := l.wants(l.slots[1], active); s.Sector != uint64(l.shared.sector) || s.Route != 1 {
		l.Fatalf("activated %+v by sector %d", s, l.shared.sector)
	}
	l.audit("f05 says that it is active")
}

// lapse lets the third claim lapse: its bond is burnt less the tip, the slot is open again, and
// the bounty goes on from where it was when it was claimed.
func (l *life) lapse() {
	store := l.at[bindings.PerpetualStorage]
	s := l.wants(l.slots[2], claimed)
	bountyAtClaim := new(big.Int).Sub(s.Obligation, new(big.Int).Mul(big.NewInt(1e12), big.NewInt(shortTerm)))
	expire := l.s.PackExpireClaim(l.slots[2])
	l.refused(l.keeper, store, nil, expire, "TooEarly")
	l.until(int64(s.SealDeadline) + day)
	l.refused(l.keeper, store, nil, expire, "TooEarly")
	before, burnable := l.credit(l.keeper), read(l.world, store, l.s.PackBurnable(), l.s.UnpackBurnable)
	e := event(l.world, l.do(l.keeper, store, nil, expire), l.s.UnpackClaimExpiredEvent)
	tip := new(big.Int).Div(s.Bond, big.NewInt(10))
	l.wantAmount("the tip", e.Tip, tip)
	l.wantAmount("what is burnt", e.Burnt, new(big.Int).Sub(s.Bond, tip))
	l.wantAmount("the keeper's tip", new(big.Int).Sub(l.credit(l.keeper), before), tip)
	l.wantAmount("to burn", read(l.world, store, l.s.PackBurnable(), l.s.UnpackBurnable), new(big.Int).Add(burnable, e.Burnt))
	l.wants(l.slots[2], open)
	now := read(l.world, store, l.s.PackQuoteBounty(l.slots[2]), l.s.UnpackQuoteBounty)
	l.wantAmount("the bounty of the reopened slot, which no lapse drives up", now, bountyAtClaim)
	l.audit("%s never seals: the keeper expires its claim", l.secp.name)

	l.claim(l.eth.party, l.eth.m, l.deal, 2)
	l.audit("%s claims the reopened slot", l.eth.name)
	l.eth.sector = l.seal(l.eth.m, l.direct(l.piece, 0, l.slots[2]))[0]
	l.wants(l.slots[2], active)
	l.audit("%s seals", l.eth.name)
}

// fault has a sector fault and recover: the time between earns nothing.
func (l *life) fault() {
	store := l.at[bindings.PerpetualStorage]
	slot := l.slots[0]
	before := l.slot(slot)
	earned := l.prove(l.stranger, l.bls.m, slot, l.bls.sector)
	s := l.wants(slot, active)
	l.wantAmount("earned until the fault", earned, earnedFor(s.Obligation, int64(s.LastProof-before.Start)))
	l.audit("a stranger brings %s's proof", l.bls.name)

	healthy := l.location(l.bls.m, l.bls.sector, filabi.SectorStatusCodeActive)
	l.refused(l.keeper, store, nil, l.s.PackCheckDeal(slot, 2, healthy), "NotProven")
	l.must(l.bls.m.DeclareFaulty(l.ctx, l.bls.sector))
	l.check(l.keeper, l.bls.m, slot, l.bls.sector, filabi.SectorStatusCodeFaulty)
	if s := l.wants(slot, active); !s.Faulty {
		l.Fatalf("not faulty: %+v", s)
	}
	l.refused(l.bls.party, store, nil, l.s.PackProveActive([]uint64{slot}, [][]byte{healthy}), "NotProven")
	l.audit("its sector is faulty, and the keeper shows it")
	l.must(l.bls.m.Recover(l.ctx, l.bls.sector))
	l.pass(day)
	l.wantAmount("earned over the fault", l.prove(l.bls.party, l.bls.m, slot, l.bls.sector), earned)
	from := l.wants(slot, active)
	if from.Faulty {
		l.Fatal("still faulty")
	}
	l.audit("it recovers")
	l.pass(200)
	s = l.slot(slot)
	got := l.prove(l.bls.party, l.bls.m, slot, l.bls.sector)
	after := l.slot(slot)
	l.wantAmount("earned since", got, earnedFor(s.Obligation, int64(s.Proven+after.LastProof-from.LastProof)))
	l.audit("%s brings a proof", l.bls.name)
}

// loss has a sector terminated, found by checkDeal and repaired by another provider.
func (l *life) loss() {
	store, slot := l.at[bindings.PerpetualStorage], l.slots[2]
	l.prove(l.eth.party, l.eth.m, slot, l.eth.sector)
	l.audit("%s brings a proof", l.eth.name)
	before := l.slot(l.slots[1])
	earned := l.prove(l.shared.party, l.shared.m, l.slots[1], l.shared.sector)
	// What f05 was told began with the deal's start, not with its sector.
	l.wantAmount("earned by the f05 deal", earned, earnedFor(before.Obligation, int64(l.slot(l.slots[1]).Proven)))
	if earned.Sign() <= 0 {
		l.Fatal("the f05 deal earns nothing")
	}
	l.audit("%s brings a proof of its f05 deal", l.shared.name)
	s := l.slot(slot)
	l.refused(l.keeper, store, nil, l.s.PackCheckDeal(slot, 0, l.location(l.eth.m, l.eth.sector, filabi.SectorStatusCodeActive)), "NotProven")
	l.must(l.eth.m.Terminate(l.ctx, l.eth.sector))
	free := l.dealOf(l.deal).Free
	out := l.check(l.keeper, l.eth.m, slot, l.eth.sector, filabi.SectorStatusCodeDead)
	e := event(l.world, out, l.s.UnpackSlotClosedEvent)
	tip := new(big.Int).Div(s.Bond, big.NewInt(10))
	if e.State != lost || e.Returned.Sign() != 0 {
		l.Fatalf("closed %+v", e)
	}
	l.wantAmount("the tip", e.Tip, tip)
	l.wantAmount("burnt", e.Burnt, new(big.Int).Sub(s.Bond, tip))
	l.wantAmount("back to the deal", e.Refund, new(big.Int).Sub(s.Obligation, s.Earned))
	l.wantAmount("free", l.dealOf(l.deal).Free, new(big.Int).Add(free, e.Refund))
	l.audit("%s's sector is terminated, and the keeper finds it", l.eth.name)

	l.slots[2] = l.claim(l.secp.party, l.secp.m, l.deal, 2)
	l.audit("%s claims the copy's new slot", l.secp.name)
	l.secp.sector = l.seal(l.secp.m, l.direct(l.piece, 0, l.slots[2]))[0]
	l.wants(l.slots[2], active)
	l.audit("%s seals: the copy is repaired", l.secp.name)
}

// renew renews the first copy by extension of its sector and the second by a new deal,
// sealed before the old one ends.
func (l *life) renew() {
	store := l.at[bindings.PerpetualStorage]
	current := l.slot(l.slots[0])
	extend := func() []byte {
		return l.s.PackRenewByExtension(l.slots[0], l.location(l.bls.m, l.bls.sector, filabi.SectorStatusCodeActive))
	}
	l.refused(l.bls.party, store, milli(1000), extend(), "Refused[expiration]")
	l.must(l.bls.m.Extend(l.ctx, filabi.ChainEpoch(current.End+shortTerm), l.bls.sector))
	l.refused(l.stranger, store, milli(1000), extend(), "NotController")
	out := l.do(l.bls.party, store, milli(1000), extend())
	_, l.next[0] = l.seat(l.deal, 0)
	if e := event(l.world, out, l.s.UnpackSlotActivatedEvent); e.SlotId != l.next[0] || e.Route != 4 || e.Start != current.End || e.End != current.End+shortTerm {
		l.Fatalf("renewed %+v after %+v", e, current)
	}
	l.audit("%s renews by extending its sector", l.bls.name)

	current = l.slot(l.slots[1])
	renewal := l.s.PackOpenRenewal(l.deal, 1)
	l.do(l.keeper, store, nil, renewal)
	l.refused(l.keeper, store, nil, renewal, "Refused[has next]")
	_, l.next[1] = l.seat(l.deal, 1)
	if why, _, _ := l.preview(l.next[1], l.eth.m, l.eth.party); why != "first refusal" {
		l.Fatalf("another provider may claim: %q", why)
	}
	l.claim(l.shared.party, l.shared.m, l.deal, 1)
	l.audit("the keeper opens a renewal, %s claims it", l.shared.name)
	id := l.publish(l.shared.m, l.next[1])
	l.nextSector = l.seal(l.shared.m, l.ofDeal(l.piece, id))[0]
	l.do(l.shared.party, store, nil, l.s.PackProveActive([]uint64{l.next[1]}, [][]byte{nil}))
	if n := l.wants(l.next[1], active); n.Start != current.End || n.End != current.End+shortTerm || n.Sector == current.Sector {
		l.Fatalf("the next slot %+v of %+v", n, current)
	}
	if now := l.wants(l.slots[1], active); now.End <= uint32(l.epoch()) {
		l.Fatalf("the current slot is over: %+v", now)
	}
	l.audit("and seals the next copy while the first one lasts")
	if earned := l.prove(l.shared.party, l.shared.m, l.next[1], l.nextSector); earned.Sign() != 0 {
		l.Fatalf("paid twice at a time: %s", fil(earned))
	}
	l.audit("the next slot earns nothing yet")
}

// refund cancels the deal: what no slot has reserved is the client's, exactly.
func (l *life) refund() {
	store := l.at[bindings.PerpetualStorage]
	free, credit := l.dealOf(l.deal).Free, l.credit(l.client)
	l.refused(l.stranger, store, nil, l.s.PackCancel(l.deal), "NotClient")
	e := event(l.world, l.do(l.client, store, nil, l.s.PackCancel(l.deal)), l.s.UnpackDealCancelledEvent)
	l.wantAmount("the refund", e.Refund, free)
	l.wantAmount("the client's credit", l.credit(l.client), new(big.Int).Add(credit, free))
	l.audit("the client cancels")
	has := l.balance(l.client.key.Address)
	l.withdraw(l.client)
	// The fee of the message is below a milliFIL.
	gained := new(big.Int).Sub(l.balance(l.client.key.Address), has)
	if less := new(big.Int).Sub(new(big.Int).Add(credit, free), gained); less.Sign() < 0 || less.Cmp(milli(1)) > 0 {
		l.Fatalf("the client got %s of %s", fil(gained), fil(free))
	}
	l.audit("and withdraws")
}

// end lets the slots end, pays everybody and leaves not an attoFIL.
func (l *life) end() {
	store := l.at[bindings.PerpetualStorage]
	if soak {
		l.wholeTerm()
	}
	for _, s := range []struct {
		by   *sp
		slot uint64
	}{{l.bls, l.slots[0]}, {l.shared, l.slots[1]}, {l.secp, l.slots[2]}, {l.bls, l.next[0]}, {l.shared, l.next[1]}} {
		v := l.slot(s.slot)
		if v.State != active {
			continue
		}
		l.refused(l.stranger, store, nil, l.s.PackTerminateDeal(s.slot), "NotController")
		before := l.credit(l.client)
		l.do(s.by.party, store, nil, l.s.PackTerminateDeal(s.slot))
		l.wants(s.slot, terminated)
		l.wantAmount("what the client gets back", new(big.Int).Sub(l.credit(l.client), before), new(big.Int).Sub(v.Obligation, v.Earned))
		l.audit("%s gives slot %d up", s.by.name, s.slot)
	}
	for _, p := range l.books.known {
		l.withdraw(p)
	}
	l.do(l.stranger, store, nil, l.s.PackBurn())
	last := l.audit("everybody withdraws, and what is burnt is sent to f099")
	if held := l.balance(filecoinOf(store)); held.Sign() != 0 || last.owed().Sign() != 0 {
		l.Fatalf("%s FIL are left", fil(held))
	}
}

// wholeTerm lets the first terms run out under proofs every 25 days: the first copies
// are followed by their next ones, whose pay begins where theirs ended.
func (l *life) wholeTerm() {
	store := l.at[bindings.PerpetualStorage]
	all := []struct {
		by     *sp
		slot   uint64
		sector filabi.SectorNumber
		next   uint64
	}{{l.bls, l.slots[0], l.bls.sector, l.next[0]}, {l.shared, l.slots[1], l.shared.sector, l.next[1]}, {l.secp, l.slots[2], l.secp.sector, 0}}
	for running := true; running; {
		l.pass(25 * day)
		running = false
		for _, s := range all {
			if l.slot(s.slot).State != active {
				continue
			}
			running = true
			l.prove(l.keeper, s.by.m, s.slot, s.sector)
			l.audit("%s brings a proof", s.by.name)
		}
	}
	for _, s := range all {
		v := l.wants(s.slot, ended)
		if want := earnedFor(v.Obligation, int64(v.Proven)); v.Earned.Cmp(want) != 0 || v.Bond.Sign() != 0 {
			l.Fatalf("ended %+v", v)
		}
		if current, _ := l.seat(l.deal, uint8(s.slot>>16)); s.next != 0 && current != s.next {
			l.Fatalf("slot %d does not follow %d", s.next, s.slot)
		}
	}
	n := l.slot(l.next[1])
	aux := l.location(l.shared.m, l.nextSector, filabi.SectorStatusCodeActive)
	l.do(l.keeper, store, nil, l.s.PackProveActive([]uint64{l.next[1]}, [][]byte{aux}))
	after := l.slot(l.next[1])
	if want := min(after.LastProof-n.Start, 30*day); after.LastProof <= n.Start || after.Proven != want {
		l.Fatalf("the next slot counts %d epochs since %d, want %d", after.Proven, n.Start, want)
	}
	l.audit("the next slot of %s earns", l.shared.name)
}
