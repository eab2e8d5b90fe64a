package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// sight is one look at the endpoint and at the ledger.
type sight struct {
	cur   chain.Cursor
	has   bool // there is a cursor
	head  Header
	final chain.Block // newest final block that both the ledger and the endpoint allow
}

// next is the first height that is not covered.
func (s sight) next(start uint64) uint64 {
	if s.has {
		return s.cur.Height + 1
	}
	return min(start, s.final.Height)
}

// Step looks at the chain once and emits at most one update. progress says that
// another Step may find more at once. An error leaves the ledger as it was.
func (w *Watcher) Step(ctx context.Context) (progress bool, err error) {
	progress, err = w.step(ctx)
	if errors.Is(err, errPast) {
		w.noteResult(nil)
		return false, err
	}
	if err != nil {
		w.far = nil
	}
	if j, ok := w.rpc.(Judge); ok && kindOf(err) == FaultGarbage {
		j.Doubt(err)
	}
	if errors.Is(err, chain.ErrDeepReorg) {
		err = w.freeze(ctx, err)
	} else if err == nil {
		w.deep = 0
	}
	w.noteResult(err)
	return progress && err == nil, err
}

func (w *Watcher) step(ctx context.Context) (bool, error) {
	if w.shaken.Swap(false) {
		w.connected = false
	}
	if !w.connected {
		if err := w.connect(ctx); err != nil {
			return false, err
		}
	}
	s, glance, err := w.glance(ctx)
	if err != nil {
		return false, err
	}
	if !glance {
		if s, err = w.look(ctx); err != nil {
			return false, err
		}
		w.noteSight(s)
		if err := w.anchor(ctx, s); err != nil {
			return false, err
		}
	}
	if err := w.admit(ctx, s); err != nil {
		return false, err
	}
	if s.has && s.head.Height < s.cur.Height {
		w.noteLag(true)
		return false, nil // another, slower node behind the same name; it has nothing to say
	}
	w.noteLag(false)
	next := s.next(w.cfg.Start)
	switch {
	case s.has && s.head.Height == s.cur.Height && s.head.Hash != s.cur.Hash:
		return w.reorg(ctx, s)
	case s.has && s.final.Height > s.cur.Final && s.cur.Height > s.cur.Final:
		return w.finalize(ctx, s)
	case next <= s.final.Height:
		return w.readChunk(ctx, s, next, glance)
	case next <= s.head.Height:
		return w.follow(ctx, s)
	}
	if found, err := w.readAgain(ctx, s); found || err != nil {
		return found, err
	}
	return w.refresh(ctx, s)
}

// refresh tells the ledger of a head that moved without covering new heights.
func (w *Watcher) refresh(ctx context.Context, s sight) (bool, error) {
	soft := w.soft(s, s.cur.Height)
	if soft <= s.cur.Soft && s.head.Height == s.cur.Head {
		return false, nil
	}
	u := w.update(s)
	u.Soft = soft
	if markOf(u) == w.last {
		return false, nil
	}
	return false, w.emit(ctx, u)
}

// glance stands in for look while the cursor is far behind a final block that was
// seen a moment ago: reading the past needs no news.
func (w *Watcher) glance(ctx context.Context) (sight, bool, error) {
	const moment = 15 * time.Second
	if w.far == nil || w.now().Sub(w.farAt) > moment {
		w.far = nil
		return sight{}, false, nil
	}
	s := *w.far
	w.far = nil
	cur, has, err := w.ledger.Cursor(ctx, w.cfg.Filter)
	if err != nil {
		return s, false, fmt.Errorf("reading the cursor: %w", err)
	}
	s.cur, s.has, w.judged = cur, has, cur
	return s, has && cur.Hash == w.last.tip && cur.Final == cur.Height && cur.Frozen == "" && cur.Height+w.size < s.final.Height, nil
}

// look asks for the head and the final block and reads the cursor.
func (w *Watcher) look(ctx context.Context) (sight, error) {
	if w.cfg.until > 0 {
		return w.lookBack(ctx)
	}
	var s sight
	head, err := w.tag(ctx, "latest")
	if err != nil {
		return s, err
	}
	final, err := w.finality(ctx, head)
	if err != nil {
		return s, err
	}
	if final.Height > head.Height {
		head = final // two nodes behind one name: the final block is no less canonical
	}
	s.head, s.final = head, final.Block
	if s.cur, s.has, err = w.ledger.Cursor(ctx, w.cfg.Filter); err != nil {
		return s, fmt.Errorf("reading the cursor: %w", err)
	}
	w.judged = s.cur
	if s.has && final.Height == s.cur.Final && final.Hash != s.cur.FinalHash {
		return s, fmt.Errorf("%w: block %d is final as %s and was final as %s", chain.ErrDeepReorg, s.cur.Final, final.Hash, s.cur.FinalHash)
	}
	if s.has && final.Height < s.cur.Final {
		s.final = chain.Block{Height: s.cur.Final, Hash: s.cur.FinalHash}
	}
	return s, nil
}

// finality gives the newest final block: what the endpoint says, or the block
// FinalityDepth behind the head. A young chain without a final block has its
// first one.
func (w *Watcher) finality(ctx context.Context, head Header) (Header, error) {
	final, err := w.tag(ctx, "finalized")
	switch kindOf(err) {
	case FaultNotYet, FaultRefused:
	default:
		return final, err
	}
	switch depth := w.cfg.FinalityDepth; {
	case depth > 0 && head.Height > depth:
		b, err := w.atOrBelow(ctx, head.Height-depth, head)
		if j, ok := w.rpc.(Judge); ok && err == nil {
			err = j.Agree(ctx, b.Block)
		}
		return b, err
	case depth > 0 || head.Height <= w.cfg.MaxRange:
		return w.atOrAbove(ctx, 0, head)
	}
	return Header{}, fmt.Errorf("%w: %w", ErrNoFinality, err)
}

// soft is the height at or below which reversible work may start when heights
// up to covered have been read.
func (w *Watcher) soft(s sight, covered uint64) uint64 {
	var behind uint64
	if s.head.Height > w.cfg.SoftDepth {
		behind = s.head.Height - w.cfg.SoftDepth
	}
	return min(covered, max(behind, s.final.Height))
}

// update is the frame of an update that covers no heights and changes nothing.
func (w *Watcher) update(s sight) chain.Update {
	after := s.cur
	return chain.Update{
		Filter: w.cfg.Filter, After: &after, From: 1, To: 0, Head: s.head.Block, Soft: s.cur.Soft,
		Final: chain.Block{Height: s.cur.Final, Hash: s.cur.FinalHash},
	}
}

// mark tells updates apart; the same one twice means that the ledger stood still.
type mark struct {
	reorg           bool
	ancestor, final common.Hash
	from, to, soft  uint64
	head            common.Hash
	tip             common.Hash // last of the update's blocks
	logs            int
}

func markOf(u chain.Update) mark {
	m := mark{u.Reorg, u.Ancestor.Hash, u.Final.Hash, u.From, u.To, u.Soft, u.Head.Hash, common.Hash{}, len(u.Logs)}
	if n := len(u.Blocks); n > 0 {
		m.tip = u.Blocks[n-1].Hash
	}
	return m
}

func (w *Watcher) emit(ctx context.Context, u chain.Update) error {
	m := markOf(u)
	if m == w.last {
		w.last = mark{} // once reported, try again
		return fmt.Errorf("%w: heights %d..%d, final %d", ErrStalled, u.From, u.To, u.Final.Height)
	}
	if err := w.sink.Apply(ctx, u); err != nil {
		return fmt.Errorf("applying heights %d..%d: %w", u.From, u.To, err)
	}
	w.last = m
	w.noteUpdate(u)
	return nil
}

// ask makes one call with the configured timeout, and makes it again a few times
// where waiting a little may help: a step is several calls, and one that fails would
// cost all of them.
func ask[T any](ctx context.Context, w *Watcher, call func(context.Context) (T, error)) (T, error) {
	for again := 0; ; again++ {
		v, err := once(ctx, w.cfg.Timeout, call)
		if kindOf(err) == FaultTransport {
			w.shaken.Store(true)
		}
		wait, worth := w.again(err, again)
		if !worth || !sleep(ctx, wait) {
			return v, err
		}
	}
}

func once[T any](ctx context.Context, timeout time.Duration, call func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return call(ctx)
}

// again says whether a failed call is made once more, and when.
func (w *Watcher) again(err error, done int) (time.Duration, bool) {
	const most, longest = 3, 3 * time.Second
	var f *Fault
	if done >= most || !errors.As(err, &f) || errors.Is(err, context.DeadlineExceeded) {
		return 0, false
	}
	switch f.Kind {
	case FaultTransport, FaultThrottled, FaultGarbage:
	default:
		return 0, false
	}
	d := w.cfg.BackoffMin << done / 2
	d = max(d*3/4+w.jitter(d/2+1), f.After)
	return d, d <= longest && !errors.Is(err, errRemoved)
}

func (w *Watcher) header(ctx context.Context, height uint64) (Header, error) {
	return ask(ctx, w, func(ctx context.Context) (Header, error) { return w.rpc.HeaderByNumber(ctx, height) })
}

func (w *Watcher) tag(ctx context.Context, tag string) (Header, error) {
	h, err := ask(ctx, w, func(ctx context.Context) (Header, error) { return w.rpc.HeaderByTag(ctx, tag) })
	if err == nil && tag == "latest" {
		w.pace(h.Block)
	}
	return h, err
}

// pace learns how far apart blocks are.
func (w *Watcher) pace(head chain.Block) {
	if d := head.Time.Sub(w.seen.Time); w.seen.Height > 0 && head.Height > w.seen.Height && d > 0 {
		w.spacing = d / time.Duration(head.Height-w.seen.Height)
	}
	w.seen = head
}
