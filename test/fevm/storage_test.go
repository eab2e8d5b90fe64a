package fevm

import (
	"bytes"
	"crypto/sha256"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	filabi "github.com/filecoin-project/go-state-types/abi"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	filcrypto "github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/report"
)

const (
	day       = 2880
	shortTerm = 180 * day // the least that f05 takes
)

// milli is thousandths of a FIL.
func milli(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }

// terms are those of a deal that may be renewed almost at once, so that tests need not
// wait half a year.
func terms(replicas uint8) perpetualstorage.DealTerms {
	return perpetualstorage.DealTerms{
		Replicas: replicas, Term: shortTerm, SealWindow: day, RenewWindow: shortTerm - 1, Ramp: 10 * day,
		BaseBounty: milli(1000), MaxBounty: milli(5000), Rate: 1e12, BondFloor: milli(500), MinCollateral: milli(200),
	}
}

// storedPiece is a piece and the payload that it is said to hold.
type storedPiece struct {
	cid    []byte // of the payload
	commP  cid.Cid
	digest [32]byte
	size   filabi.PaddedPieceSize
}

func pieceOf(name string) storedPiece {
	digest := sha256.Sum256([]byte("piece " + name))
	digest[31] &= 0x3f
	payload := sha256.Sum256([]byte(name))
	commP, err := cid.Cast(append([]byte{0x01, 0x81, 0xe2, 0x03, 0x92, 0x20, 0x20}, digest[:]...))
	if err != nil {
		panic(err)
	}
	return storedPiece{append([]byte{0x01, 0x55, 0x12, 0x20}, payload[:]...), commP, digest, 2048}
}

// deal has the client create a deal, which operators have just found served.
func (w *world) deal(p storedPiece, t perpetualstorage.DealTerms, value *big.Int) uint64 {
	w.Helper()
	out := w.do(w.client, w.at[bindings.PerpetualStorage], value, w.s.PackCreateDeal(p.cid, p.commP.Bytes(), uint64(p.size), uint64(p.size)-100, t))
	id := event(w, out, w.s.UnpackDealCreatedEvent).DealId
	w.serve(id)
	return id
}

// serve has the operator say that a deal's piece can be fetched.
func (w *world) serve(deal uint64) {
	w.Helper()
	store := w.at[bindings.PerpetualStorage]
	fee := read(w, store, w.s.PackQuoteServed(deal), w.s.UnpackQuoteServed)
	out := w.answer(w.do(w.keeper, store, fee, w.s.PackRequestServed(deal)), job.Succeeded, nil)
	if e := event(w, out, w.s.UnpackDealServedEvent); e.DealId != deal || int64(e.Until) != out.epoch+7*day {
		w.Fatalf("served %+v at %d", e, out.epoch)
	}
}

// asked is the request in the logs of a call.
func (w *world) asked(out outcome) *estuaryprovider.EstuaryProviderOracleRequested {
	w.Helper()
	return event(w, out, func(log *types.Log) (*estuaryprovider.EstuaryProviderOracleRequested, error) {
		return w.x.UnpackOracleRequestedEvent(log)
	})
}

// answer has the operator answer the request that a call made.
func (w *world) answer(asked outcome, how job.Outcome, result []byte) outcome {
	w.Helper()
	return w.answerAll([]*estuaryprovider.EstuaryProviderOracleRequested{w.asked(asked)}, how, result)
}

// signed is the call that answers requests alike, in one batch, and what it reports.
func (w *world) signed(asked []*estuaryprovider.EstuaryProviderOracleRequested, how job.Outcome, result []byte) ([]byte, []estuaryprovider.Report) {
	w.Helper()
	at := w.at[bindings.EstuaryProvider]
	var reports []estuaryprovider.Report
	var answers []chain.Answer
	for _, e := range asked {
		r := estuaryprovider.Report{Terms: e.Terms, Outcome: uint8(how), Result: result, Context: e.Context}
		if how == job.Failed {
			r.Reason = uint8(job.ReasonInvalidContent)
		}
		reports = append(reports, r)
		answers = append(answers, chain.Answer{Request: e.RequestId, Outcome: how, Reason: job.Reason(r.Reason), Result: result})
	}
	config := read(w, at, w.x.PackConfigDigest(), w.x.UnpackConfigDigest)
	digest, err := report.Digest(devnet.ChainID, at, config, answers)
	w.must(err)
	signature, err := crypto.Sign(digest[:], devnet.Accounts()[1].Key())
	w.must(err)
	signature[64] += 27
	return w.x.PackFulfill(config, reports, [][]byte{signature}), reports
}

// answerAll has the operator answer requests alike, in one batch.
func (w *world) answerAll(asked []*estuaryprovider.EstuaryProviderOracleRequested, how job.Outcome, result []byte) outcome {
	w.Helper()
	at := w.at[bindings.EstuaryProvider]
	data, _ := w.signed(asked, how, result)
	done := w.do(w.operator, at, nil, data)
	answered := 0
	for _, log := range done.logs {
		if _, err := w.x.UnpackOracleAnsweredEvent(log); err == nil {
			answered++
		}
		if e, err := w.x.UnpackCallbackFailedEvent(log); err == nil {
			w.Fatalf("a callback failed: %+v", e)
		}
	}
	if answered != len(asked) {
		w.Fatalf("%d of %d requests were answered", answered, len(asked))
	}
	return done
}

func (w *world) slot(id uint64) perpetualstorage.SlotView {
	w.Helper()
	return read(w, w.at[bindings.PerpetualStorage], w.s.PackSlotOf(id), w.s.UnpackSlotOf)
}

func (w *world) dealOf(id uint64) perpetualstorage.DealView {
	w.Helper()
	return read(w, w.at[bindings.PerpetualStorage], w.s.PackDealOf(id), w.s.UnpackDealOf)
}

// wants asserts a slot's state.
func (w *world) wants(id uint64, state uint8) perpetualstorage.SlotView {
	w.Helper()
	s := w.slot(id)
	if s.State != state {
		w.Fatalf("slot %d is in state %d, want %d: %+v", id, s.State, state, s)
	}
	return s
}

// seat gives the slots of a seat.
func (w *world) seat(deal uint64, index uint8) (current, next uint64) {
	w.Helper()
	s := read(w, w.at[bindings.PerpetualStorage], w.s.PackSeatOf(deal, index), w.s.UnpackSeatOf)
	return s.Current, s.Next
}

// preview is what a claim would cost, and why it cannot be made.
func (w *world) preview(slot uint64, m *provider.Miner, by party) (why string, bond, obligation *big.Int) {
	w.Helper()
	p := read(w, w.at[bindings.PerpetualStorage], w.s.PackPreviewClaim(slot, uint64(m.ID()), by.as), w.s.UnpackPreviewClaim)
	return string(bytes.TrimRight(p.Reason[:], "\x00")), p.Bond, p.Obligation
}

// claim claims the slot of a seat that is open, for the bond of an epoch before. The bounty
// has risen since, and the bond fallen by as much, which is credited.
func (w *world) claim(by party, m *provider.Miner, deal uint64, index uint8) uint64 {
	w.Helper()
	slot, next := w.seat(deal, index)
	if next != 0 {
		slot = next
	}
	why, bond, obligation := w.preview(slot, m, by)
	if why != "" {
		w.Fatalf("slot %d cannot be claimed by %s: %s", slot, by.name, why)
	}
	credit := w.credit(by)
	out := w.do(by, w.at[bindings.PerpetualStorage], bond, w.s.PackClaimDeal(deal, index, uint64(m.ID())))
	e := event(w, out, w.s.UnpackSlotClaimedEvent)
	rise := new(big.Int).Sub(e.Obligation, obligation)
	if e.SlotId != slot || e.Payee != by.as || int64(e.SealDeadline) != out.epoch+day || rise.Sign() < 0 || rise.Cmp(milli(10)) > 0 {
		w.Fatalf("claimed %+v, want slot %d for %s", e, slot, fil(obligation))
	}
	w.wantAmount("the bond", e.Bond, new(big.Int).Sub(bond, rise))
	w.wantAmount("what was sent too much", new(big.Int).Sub(w.credit(by), credit), rise)
	return slot
}

// direct is a sector of one piece, whose miner tells the gate of a slot.
func (w *world) direct(p storedPiece, lifetime filabi.ChainEpoch, slots ...uint64) provider.Sector {
	w.Helper()
	s := provider.Sector{Lifetime: lifetime, Pieces: []provider.Piece{{CID: p.commP, Size: p.size}}}
	for _, slot := range slots {
		id := cbg.CborInt(slot)
		s.Pieces[0].Notify = append(s.Pieces[0].Notify, provider.Notification{
			To: filecoinOf(w.at[bindings.StorageGate]), Payload: encoded(w, &id),
		})
	}
	return s
}

// seal commits and proves sectors, all of which must be activated.
func (w *world) seal(m *provider.Miner, sectors ...provider.Sector) []filabi.SectorNumber {
	w.Helper()
	numbers, err := m.Seal(w.ctx, sectors...)
	w.must(err)
	return numbers
}

// proposal is the f05 deal of a slot as the gate offers it, to this miner.
func (w *world) proposal(m *provider.Miner, slot uint64) market18.DealProposal {
	w.Helper()
	var id [32]byte
	new(big.Int).SetUint64(slot).FillBytes(id[:])
	raw := read(w, w.at[bindings.StorageGate], w.g.PackGetDealProposal(id), w.g.UnpackGetDealProposal)
	var p market18.DealProposal
	w.must(p.UnmarshalCBOR(bytes.NewReader(raw)))
	if id, err := address.IDFromAddress(p.Provider); err != nil || id != 0 {
		w.Fatalf("the gate offers a deal to %s, want nobody", p.Provider)
	}
	p.Provider = m.Address()
	return p
}

// signed is a proposal that the gate is asked about: there is no signature.
func signed(p market18.DealProposal) market18.ClientDealProposal {
	return market18.ClientDealProposal{Proposal: p, ClientSignature: filcrypto.Signature{Type: filcrypto.SigTypeBLS}}
}

// publish publishes the f05 deal of a slot.
func (w *world) publish(m *provider.Miner, slot uint64) filabi.DealID {
	w.Helper()
	ids, err := m.Publish(w.ctx, signed(w.proposal(m, slot)))
	w.must(err)
	return ids[0]
}

// ofDeal is a sector of one piece, of which f05 is told.
func (w *world) ofDeal(p storedPiece, deal filabi.DealID) provider.Sector {
	return provider.Sector{Pieces: []provider.Piece{{CID: p.commP, Size: p.size, Deal: &deal}}}
}

// location is where a sector is now, by which its status is shown.
func (w *world) location(m *provider.Miner, sector filabi.SectorNumber, want filabi.SectorStatusCode) []byte {
	w.Helper()
	status, aux, err := m.Status(w.ctx, sector)
	w.must(err)
	if status != want {
		w.Fatalf("sector %d of %s has status %d, want %d", sector, m.Address(), status, want)
	}
	return aux
}

// prove shows a slot to be active now and gives what it has earned. Anyone may.
func (w *world) prove(by party, m *provider.Miner, slot uint64, sector filabi.SectorNumber) *big.Int {
	w.Helper()
	aux := w.location(m, sector, filabi.SectorStatusCodeActive)
	out := w.do(by, w.at[bindings.PerpetualStorage], nil, w.s.PackProveActive([]uint64{slot}, [][]byte{aux}))
	return event(w, out, w.s.UnpackSlotProvenEvent).Earned
}

// check shows a slot to be what it is no longer.
func (w *world) check(by party, m *provider.Miner, slot uint64, sector filabi.SectorNumber, status filabi.SectorStatusCode) outcome {
	w.Helper()
	aux := w.location(m, sector, status)
	return w.do(by, w.at[bindings.PerpetualStorage], nil, w.s.PackCheckDeal(slot, uint8(status), aux))
}

// withdraw takes all of a party's credit to itself, to the attoFIL.
func (w *world) withdraw(p party) {
	w.Helper()
	owed := w.credit(p)
	if owed.Sign() == 0 {
		return
	}
	out := w.do(p, w.at[bindings.PerpetualStorage], nil, w.s.PackWithdrawEarned(p.as))
	if e := event(w, out, w.s.UnpackWithdrawnEvent); e.Amount.Cmp(owed) != 0 || e.To != p.as {
		w.Fatalf("withdrawn %+v, want %s", e, owed)
	}
	if left := w.credit(p); left.Sign() != 0 {
		w.Fatalf("%s is still owed %s", p.name, left)
	}
}
