package deals

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Shelf is where pieces are offered from, and put back.
type Shelf interface {
	// Look tells whether the piece, v1, can be served, and whether it ever could.
	Look(ctx context.Context, pieceCID string) (whole, known bool, err error)
	// Room says why there is no room for so many bytes more.
	Room(bytes uint64) error
	// Restore puts a piece on offer again from its bytes, which were compared with its
	// commitment. root is the payload CID, for a piece that was never known.
	Restore(ctx context.Context, want piece.Commitment, root cid.Cid, from io.ReaderAt) error
}

const (
	repairsAtOnce = 2
	repairGrace   = 5 * time.Minute // of a fetch, beside what its bytes may take
	repairAgain   = 10 * time.Minute
	repairRarely  = 6 * time.Hour
	// repairFailed is how long a piece waits that came and could not be put back: to fetch it
	// again costs its provider.
	repairFailed = 24 * time.Hour
	mostWords    = 300 // characters of one provider's failure
)

// looked is what was found of a piece, until an epoch.
type looked struct {
	present bool
	until   uint64
}

// present tells whether a slot's piece can be given to its provider. One that was here, or
// that the deal says is fetched here, and is not, is noted to be fetched back.
func (m *Maker) present(ctx context.Context, epoch, slot uint64, c piece.Commitment) (bool, error) {
	if m.cfg.Repairs == "" || c.Payload == 0 || c.Payload > piece.MaxPayload(c.Padded) {
		return true, nil
	}
	id := c.CID().String()
	m.mu.Lock()
	seen := m.looked[id]
	m.mu.Unlock()
	if seen.until > epoch {
		return seen.present, nil
	}
	whole, ours, err := m.d.Shelf.Look(ctx, id)
	if err != nil {
		return false, err
	}
	if !ours && m.cfg.Endpoint != "" {
		deal, err := m.c.deal(ctx, epoch, slot>>24)
		if err != nil {
			return false, err
		}
		ours = strings.HasPrefix(deal.Terms.Endpoint, m.cfg.Endpoint)
	}
	seen = looked{whole || !ours, epoch + lookPeriod}
	if !ours {
		seen.until = epoch + day
	}
	m.mu.Lock()
	m.looked[id] = seen
	m.mu.Unlock()
	if seen.present {
		return true, nil
	}
	r := job.Repair{Piece: id, Deal: slot >> 24, Slot: slot, Size: c.Payload, DueAt: m.d.Now(), Words: fmt.Sprintf("slot %d needs the piece, and not all of it is here", slot)}
	switch err := m.d.Ledger.AddRepair(ctx, r, m.d.Now()); {
	case err == nil:
		m.d.Log.Warn("a slot needs a piece of which not all is here: it is fetched back from who stores it", "slot", slot, "piece", id)
	case !errors.Is(err, job.ErrConflict):
		return false, err
	}
	return false, nil
}

// revisit has claims whose piece came back looked at now: who claimed a slot meanwhile was
// not given it. The first pass does so for what came back lately.
func (m *Maker) revisit(ctx context.Context, epoch uint64) (err error) {
	m.mu.Lock()
	again := m.back
	m.back = nil
	m.mu.Unlock()
	defer func() {
		if err != nil {
			m.mu.Lock()
			m.back = append(m.back, again...)
			m.mu.Unlock()
		}
	}()
	if m.cfg.Repairs != "" && m.seen == 0 {
		done, err := m.d.Ledger.Repairs(ctx, job.RepairFilter{})
		if err != nil {
			return err
		}
		for _, r := range done {
			if r.State == job.RepairRestored && m.d.Now().Sub(r.UpdatedAt) < repairFailed {
				again = append(again, r.Piece)
			}
		}
	}
	if len(again) == 0 {
		return nil
	}
	claims, err := m.d.Ledger.Claims(ctx, 0, 1000)
	if err != nil {
		return err
	}
	for _, c := range claims {
		if c.DueEpoch > epoch && slices.Contains(again, c.Piece) {
			c.DueEpoch = epoch
			if err := m.d.Ledger.PutClaim(ctx, c); err != nil {
				return err
			}
		}
	}
	return nil
}

// slotAt is a slot of a seat now.
type slotAt struct {
	id uint64
	v  perpetualstorage.SlotView
}

// slotsOf are the slots of a deal's seats now, those that follow them included.
func (m *Maker) slotsOf(ctx context.Context, epoch, deal uint64) (out []slotAt, err error) {
	d, err := m.c.deal(ctx, epoch, deal)
	if err != nil {
		return nil, err
	}
	for i := range uint64(d.Terms.Replicas) {
		seat, err := m.c.seat(ctx, epoch, deal<<24|i<<16)
		if err != nil {
			return nil, err
		}
		for _, id := range []uint64{seat.Current, seat.Next} {
			if id == 0 {
				continue
			}
			v, err := m.c.slot(ctx, epoch, id)
			if err != nil {
				return nil, err
			}
			out = append(out, slotAt{id, v})
		}
	}
	return out, nil
}

// holder is a provider that the contract says stores a piece.
type holder struct {
	Provider
	slot   uint64
	faulty bool
	score  float64
}

// holders lists whose slots are Active with the piece of a repair, of its deal and of others
// that are known here: those that are proven now before those that are faulty, by score.
func (m *Maker) holders(ctx context.Context, epoch uint64, r job.Repair) ([]holder, error) {
	slots, err := m.slotsOf(ctx, epoch, r.Deal)
	if err != nil {
		return nil, err
	}
	known, err := m.d.Ledger.Offers(ctx, job.OfferFilter{State: job.OfferActive, Brief: true})
	if err != nil {
		return nil, err
	}
	for _, o := range known {
		if o.Piece != r.Piece || slices.ContainsFunc(slots, func(s slotAt) bool { return s.id == o.Slot }) {
			continue
		}
		v, err := m.c.slot(ctx, epoch, o.Slot)
		if err != nil {
			return nil, err
		}
		slots = append(slots, slotAt{o.Slot, v})
	}
	p, err := m.past(ctx, 0)
	if err != nil {
		return nil, err
	}
	var out []holder
	who := m.known()
	for _, s := range slots {
		if s.v.State != slotActive || slices.ContainsFunc(out, func(h holder) bool { return h.Miner == s.v.MinerId }) {
			continue
		}
		h := holder{who[s.v.MinerId], s.id, s.v.Faulty, p.score(s.v.MinerId, m.d.Now()).Score}
		h.Miner = s.v.MinerId
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b holder) int {
		return cmp.Or(cmp.Compare(flag(a.faulty), flag(b.faulty)), cmp.Compare(b.score, a.score), cmp.Compare(a.Miner, b.Miner))
	})
	return out, nil
}

// repairing fetches pieces back until ctx ends, a few at a time.
func (m *Maker) repairing(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.RepairPass(ctx); err != nil && ctx.Err() == nil {
			m.d.Log.Warn("deals: fetching pieces back, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(m.cfg.Poll):
		}
	}
}

// clearRepairs removes what a process that was killed left of pieces on their way.
func (m *Maker) clearRepairs() error { return os.RemoveAll(m.cfg.Repairs) }

// RepairPass fetches back the pieces that are due, one after another. It may be called more
// than once at a time.
func (m *Maker) RepairPass(ctx context.Context) error {
	for ctx.Err() == nil && m.known() != nil {
		due, err := m.d.Ledger.Repairs(ctx, job.RepairFilter{DueBy: m.d.Now(), Limit: 1000})
		if err != nil {
			return err
		}
		m.mu.Lock()
		at := slices.IndexFunc(due, func(r job.Repair) bool { return !m.fetching[r.ID] })
		if at >= 0 {
			m.fetching[due[at].ID] = true
		}
		m.mu.Unlock()
		if at < 0 {
			return nil
		}
		err = m.repair(ctx, due[at])
		m.mu.Lock()
		delete(m.fetching, due[at].ID)
		m.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// repair asks one provider after another for a piece, until it is here again.
func (m *Maker) repair(ctx context.Context, r job.Repair) error {
	epoch, err := m.d.Chain.Final(ctx)
	if err != nil {
		return err
	}
	deal, err := m.c.deal(ctx, epoch, r.Deal)
	if err != nil {
		return err
	}
	if deal.Status != dealOpen {
		return m.ended(ctx, r, job.RepairDropped, "the deal is over")
	}
	if whole, _, err := m.d.Shelf.Look(ctx, r.Piece); err != nil || whole {
		if err == nil {
			err = m.ended(ctx, r, job.RepairRestored, "it is here again by itself")
		}
		return err
	}
	want := piece.Commitment{Root: deal.CommP, Padded: deal.PaddedSize, Payload: deal.CarSize}
	if want.Padded > m.cfg.MaxPiece {
		return m.stuck(ctx, r, repairFailed, fmt.Sprintf("its %d bytes, padded, are more than this daemon takes: raise piece.max_size", want.Padded))
	}
	if err := m.d.Shelf.Room(2 * want.Payload); err != nil { // the file, and the blocks
		return m.stuck(ctx, r, 0, err.Error())
	}
	from, err := m.holders(ctx, epoch, r)
	if err != nil {
		return err
	}
	var words []string
	for _, h := range from {
		url := h.pieces()
		if url == "" {
			words = append(words, fmt.Sprintf("f0%d: nobody knows where it serves pieces", h.Miner))
			continue
		}
		why, err := m.from(ctx, &r, h, url+r.Piece, want, deal)
		if err != nil || r.State.Over() || why == "" {
			return err
		}
		words = append(words, fmt.Sprintf("f0%d: %s", h.Miner, why))
	}
	if len(words) == 0 {
		words = []string{"the contract knows nobody who is proven to store it"}
	}
	return m.stuck(ctx, r, 0, strings.Join(words, "; "))
}

// from asks one provider for a piece and puts it back. why is what went wrong by its
// fault; "" where the repair has come to rest otherwise.
func (m *Maker) from(ctx context.Context, r *job.Repair, h holder, url string, want piece.Commitment, deal perpetualstorage.DealView) (why string, err error) {
	before := r.State
	r.State, r.Miner, r.Got = job.RepairFetching, h.Miner, 0
	if err := m.d.Ledger.UpdateRepair(ctx, *r, before, "asked at "+url, m.d.Now()); err != nil {
		return "", err
	}
	var f *os.File
	if err = os.MkdirAll(m.cfg.Repairs, 0o700); err == nil {
		f, err = os.OpenFile(filepath.Join(m.cfg.Repairs, r.Piece), os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	}
	if err != nil {
		return "", m.stuck(ctx, *r, 0, err.Error())
	}
	defer func() {
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}()
	s := sampled{Sample: job.Sample{Miner: h.Miner, Slot: h.slot, Piece: r.Piece, URL: url, Length: want.Payload, At: m.d.Now()}}
	d := &refetch{door: m.d.Door, url: url, want: want, f: f, wait: cmp.Or(m.cfg.RepairWait, defaultWait), told: time.Now(), tell: func(got uint64) {
		r.Got = got
		if err := m.d.Ledger.UpdateRepair(ctx, *r, job.RepairFetching, "", m.d.Now()); err != nil {
			m.d.Log.Warn("how far a piece is cannot be written down", "piece", r.Piece, "error", err)
		}
	}}
	within := cmp.Or(m.cfg.RepairGrace, repairGrace) + time.Duration(want.Payload/m.cfg.RepairRate)*time.Second
	fetch, cancel := context.WithTimeoutCause(ctx, within, errSlow)
	err = d.run(fetch)
	cancel()
	s.Took, s.FirstByte, r.Got = time.Since(d.began), d.first, d.got
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case errors.Is(err, errHere):
		return "", m.stuck(ctx, *r, 0, err.Error())
	}
	if s.Good = err == nil; !s.Good {
		s.Words, s.silent = fmt.Sprintf("%.*s", mostWords, err), d.first == 0
	}
	if err := m.keep(ctx, []sampled{s}); err != nil {
		return "", err
	}
	if !s.Good {
		return s.Words, m.d.Ledger.UpdateRepair(ctx, *r, r.State, s.Words, m.d.Now())
	}
	root, err := cid.Cast(deal.Cid)
	if err != nil {
		root = cid.Undef // of use only where the piece was never known here
	}
	if err := m.d.Shelf.Restore(ctx, want, root, f); err != nil {
		if ctx.Err() != nil {
			return "", context.Cause(ctx)
		}
		return "", m.stuck(ctx, *r, repairFailed, fmt.Sprintf("the piece came from f0%d and cannot be put back: %v", h.Miner, err))
	}
	return "", m.ended(ctx, *r, job.RepairRestored, fmt.Sprintf("f0%d gave %d bytes, which are the piece", h.Miner, r.Got))
}

// ended writes down that a repair is over.
func (m *Maker) ended(ctx context.Context, r job.Repair, to job.RepairState, words string) error {
	before := r.State
	r.State, r.Words = to, words
	if err := m.d.Ledger.UpdateRepair(ctx, r, before, words, m.d.Now()); err != nil && !errors.Is(err, job.ErrConflict) {
		return err
	}
	m.d.Log.Info("a repair is over", "piece", r.Piece, "slot", r.Slot, "state", string(to), "words", words)
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.looked, r.Piece)
	m.back = append(m.back, r.Piece)
	return nil
}

// stuck writes down why a piece does not come back, and when it is tried again.
func (m *Maker) stuck(ctx context.Context, r job.Repair, after time.Duration, why string) error {
	before, said := r.State, r.Words
	if after == 0 {
		after = min(repairAgain<<min(r.Rounds, 8), repairRarely)
	}
	r.State, r.Words, r.DueAt = job.RepairStuck, why, m.d.Now().Add(after)
	r.Rounds++
	words := why
	if before == job.RepairStuck && said == why {
		words = ""
	}
	if err := m.d.Ledger.UpdateRepair(ctx, r, before, words, m.d.Now()); err != nil && !errors.Is(err, job.ErrConflict) {
		return err
	}
	if words != "" {
		m.d.Log.Error("a deal needs a person", "slot", r.Slot, "piece", r.Piece, "alarm", "its piece is lost here and does not come back: "+why)
	}
	return nil
}
