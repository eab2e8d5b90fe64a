package ipfs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/job"
)

// progressEvery is how often a pin reports and flushes what has come.
const progressEvery = 250 * time.Millisecond

// PinSpec is one request to hold a DAG.
type PinSpec struct {
	Ref     string   // the request, holder of the references
	Owner   string   // scope of Unpin
	Seq     uint64   // order of requests, for Unpin
	Root    cid.Cid  // root of the DAG
	Origins []string // multiaddrs ending in /p2p/<id>, asked first
	// MaxBytes caps unique block bytes below the operator's cap; 0: no lower cap.
	MaxBytes uint64
	Name     string
}

// PinStat describes a pinned DAG. Blocks and Bytes count each stored block once;
// LogicalBytes once per path from the root. Fetched is how many blocks this call
// brought that the node did not hold.
type PinStat struct{ Blocks, Bytes, LogicalBytes, Fetched uint64 }

// Pin fetches what is missing of the DAG under spec.Root, refers to every block
// of it for spec.Ref, and returns when all of it would survive a power cut. It is
// idempotent, and resumes a pin that was cut short. progress, if not nil, is
// called from Pin's goroutine a few times a second.
//
// Errors: a *job.Fault for what is the content's or its providers' fault
// (invalid_content, too_large, too_many_blocks: final, and what was fetched is
// dropped again; not_found, stalled, unreachable, refused); ErrReleased if Release
// or Unpin stopped it; ErrDiskFull; ErrRefInUse; ErrClosed; the cause of ctx.
func (n *Node) Pin(ctx context.Context, spec PinSpec, progress func(job.Progress)) (PinStat, error) {
	if err := n.begin(); err != nil {
		return PinStat{}, err
	}
	defer n.end()
	if spec.Ref == "" {
		return PinStat{}, errors.New("pin: the request id is empty")
	}
	if err := CheckCID(spec.Root); err != nil {
		return PinStat{}, err
	}
	if len(spec.Origins) > n.cfg.Limits.MaxOrigins {
		return PinStat{}, fault(job.ReasonRefused, false, "%d origins were given; at most %d are allowed", len(spec.Origins), n.cfg.Limits.MaxOrigins)
	}
	origins := slices.Clone(spec.Origins)
	slices.Sort(origins)
	spec.Origins = slices.Compact(origins)

	ctx, stop := n.bind(ctx)
	defer stop()
	want := claim{owner: spec.Owner, root: string(spec.Root.Hash()), seq: spec.Seq}
	ctx, done, err := n.claims.take(ctx, spec.Ref, want, nil)
	if err != nil {
		return PinStat{}, err
	}
	defer done()
	if before, err := n.store.forbidden(spec.Owner, spec.Root.Hash()); err != nil {
		return PinStat{}, fmt.Errorf("pinning %s: %w", spec.Root, err)
	} else if spec.Seq > 0 && spec.Seq < before {
		return PinStat{}, fmt.Errorf("pinning %s: its owner unpinned it later: %w", spec.Root, ErrReleased)
	}
	start := n.now()
	st, err := n.pin(ctx, spec, progress)
	if err != nil {
		if ctx.Err() != nil {
			return PinStat{}, context.Cause(ctx)
		}
		var f *job.Fault
		if errors.As(err, &f) {
			n.metrics.fault(f.Reason)
		}
		return PinStat{}, err
	}
	n.log.Debug("pinned", "request", spec.Ref, "cid", spec.Root, "blocks", st.Blocks, "bytes", st.Bytes, "fetched", st.Fetched, "took", n.now().Sub(start))
	return st, nil
}

// pin does the work under the claim on the request.
func (n *Node) pin(ctx context.Context, spec PinSpec, progress func(job.Progress)) (PinStat, error) {
	rec, stored, err := n.openRecord(ctx, spec)
	if err != nil {
		return PinStat{}, fmt.Errorf("pinning %s: %w", spec.Root, err)
	}
	if rec.State == StatePinned {
		return PinStat{Blocks: rec.Blocks, Bytes: rec.Bytes, LogicalBytes: rec.Logical}, nil
	}
	lim := n.cfg.Limits
	if spec.MaxBytes > 0 {
		lim.MaxBytes = min(lim.MaxBytes, spec.MaxBytes)
	}
	p := n.newPinning(rec, stored, lim, spec.Root)
	p.progress = progress
	f := n.newFetcher(ctx, spec.Ref, spec.Root, spec.Origins)
	defer f.close()
	f.writes, f.onWrite = p.out, p.wrote
	f.onTick = func() error { return p.tick(ctx) }
	p.f, p.w.src = f, f
	defer p.stop()

	st, err := p.run(ctx)
	if err == nil {
		n.announce(spec.Root)
		return st, nil
	}
	p.stop()
	var flt *job.Fault
	if errors.As(err, &flt) && !flt.Retry && p.stored && ctx.Err() == nil {
		freed, derr := n.store.drop(context.WithoutCancel(ctx), rec)
		n.metrics.freed(freed)
		if derr != nil {
			n.log.Warn("dropping a refused pin failed; releasing the request drops it", "request", spec.Ref, "error", derr)
		}
	}
	if flt != nil {
		return PinStat{}, flt
	}
	return PinStat{}, fmt.Errorf("pinning %s: %w", spec.Root, err)
}

// openRecord finds or makes the record of a request; stored tells which.
func (n *Node) openRecord(ctx context.Context, spec PinSpec) (rec *pinRecord, stored bool, err error) {
	rec, err = n.store.pin(spec.Ref)
	if err != nil {
		return nil, false, err
	}
	if rec != nil && rec.State == StateDropping {
		if _, err := n.store.drop(ctx, rec); err != nil {
			return nil, false, err
		}
		rec = nil
	}
	if rec != nil {
		root, err := rec.root()
		if err != nil {
			return nil, false, err
		}
		if walkKey(root) != walkKey(spec.Root) || rec.Owner != spec.Owner || rec.Seq != spec.Seq {
			return nil, false, fmt.Errorf("%w: %s holds %s for %s (seq %d)", ErrRefInUse, rec.Ref, root, rec.Owner, rec.Seq)
		}
		return rec, true, nil
	}
	num, err := n.store.newNum()
	if err != nil {
		return nil, false, err
	}
	return &pinRecord{
		Num: num, Ref: spec.Ref, Owner: spec.Owner, Seq: spec.Seq, Root: spec.Root.Bytes(),
		Name: spec.Name, State: StatePinning, Time: n.now().UTC(),
	}, false, nil
}

// pinning is one pin at work: a walk, its source, and writers beside it.
type pinning struct {
	n        *Node
	rec      *pinRecord
	stored   bool // the record is in the store
	w        *walk
	f        *fetcher
	progress func(job.Progress)

	items     []item
	itemBytes int
	lost      []item
	fetched   uint64

	in   chan []item // to the writers, nil until they run
	out  chan written
	busy int // batches the writers have
}

// written is a writer's answer to one batch.
type written struct {
	added
	err error
}

func (n *Node) newPinning(rec *pinRecord, stored bool, lim Limits, root cid.Cid) *pinning {
	p := &pinning{n: n, rec: rec, stored: stored, out: make(chan written, 1)}
	p.w = newWalk(n.store, lim, root)
	p.w.sink = p.sink
	return p
}

func (p *pinning) run(ctx context.Context) (PinStat, error) {
	p.report("fetching")
	if err := p.w.run(ctx); err != nil {
		var flt *job.Fault
		if ctx.Err() == nil && errors.As(err, &flt) && flt.Retry {
			// What came is kept: the next attempt goes on from here.
			err = errors.Join(err, p.keep(ctx))
		}
		return PinStat{}, err
	}
	p.report("committing")
	if err := p.finish(ctx); err != nil {
		return PinStat{}, err
	}
	p.report("pinned")
	return p.stat(), nil
}

func (p *pinning) stat() PinStat {
	return PinStat{Blocks: p.w.blocks, Bytes: p.w.bytes, LogicalBytes: p.w.logical, Fetched: p.fetched}
}

// sink takes a block from the walk.
func (p *pinning) sink(ctx context.Context, it item) error {
	p.items = append(p.items, it)
	p.itemBytes += len(it.data)
	if len(p.items) >= flushItems || p.itemBytes >= flushBytes {
		return p.flush(ctx)
	}
	return nil
}

// flush hands the collected blocks to the writers, which work beside the walk
// and beside each other: while one waits for the disk, the next one writes.
func (p *pinning) flush(ctx context.Context) error {
	if p.in == nil {
		if err := p.start(ctx); err != nil {
			return err
		}
	}
	batch := p.items
	for {
		select {
		case p.in <- batch:
			p.busy++
			p.items, p.itemBytes = nil, 0
			return nil
		case r := <-p.out:
			if err := p.wrote(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// start writes the record, which every batch relies on, and starts the writers.
func (p *pinning) start(ctx context.Context) error {
	if !p.stored {
		if _, err := p.add(ctx, nil, false); err != nil {
			return err
		}
	}
	in := make(chan []item)
	var writers sync.WaitGroup
	for range flushWriters {
		writers.Go(func() {
			for batch := range in {
				a, err := p.add(ctx, batch, false)
				p.out <- written{a, err}
			}
		})
	}
	go func() {
		writers.Wait()
		close(p.out)
	}()
	p.in = in
	return nil
}

// wrote takes a writer's answer.
func (p *pinning) wrote(r written) error {
	p.busy--
	p.fetched += r.blocks
	p.lost = append(p.lost, r.lost...)
	return r.err
}

// settle waits for the writers to have nothing left.
func (p *pinning) settle() error {
	var errs []error
	for p.busy > 0 {
		errs = append(errs, p.wrote(<-p.out))
	}
	return errors.Join(errs...)
}

// stop ends the writers; their answers, if any are left, are dropped.
func (p *pinning) stop() {
	if p.in == nil {
		return
	}
	close(p.in)
	p.in = nil
	for range p.out {
	}
}

// tick is called while the walk waits.
func (p *pinning) tick(ctx context.Context) error {
	p.report("fetching")
	if len(p.items) > 0 && p.busy < flushWriters {
		return p.flush(ctx)
	}
	return nil
}

// add references one batch of blocks, and tells bitswap of the new ones.
func (p *pinning) add(ctx context.Context, items []item, final bool) (added, error) {
	var bytes uint64
	for _, it := range items {
		bytes += uint64(len(it.data))
	}
	if err := p.n.checkDisk(bytes); err != nil {
		return added{}, err
	}
	fresh := !p.stored
	a, err := p.n.store.add(ctx, p.rec, items, fresh, final)
	if err != nil {
		if isDiskFull(err) {
			err = fmt.Errorf("%w: %w", ErrDiskFull, err)
		}
		return added{}, err
	}
	if fresh {
		p.stored = true // by the walk's goroutine: writers start after it
	}
	p.n.metrics.stored(a)
	if a.blocks == 0 {
		return a, nil
	}
	news := make([]blocks.Block, 0, a.blocks)
	for _, it := range items {
		if it.data == nil {
			continue
		}
		b, err := blocks.NewBlockWithCid(it.data, it.c)
		if err != nil {
			return a, fmt.Errorf("announcing %s: %w", it.c, err)
		}
		news = append(news, b)
	}
	return a, p.n.notify(ctx, news)
}

// keep stores what came before a failure.
func (p *pinning) keep(ctx context.Context) error {
	if err := p.settle(); err != nil {
		return err
	}
	if len(p.items) == 0 {
		return nil
	}
	_, err := p.add(ctx, p.items, false)
	return err
}

// finish writes the rest and, with it, the record as pinned.
func (p *pinning) finish(ctx context.Context) error {
	if err := p.settle(); err != nil {
		return err
	}
	p.rec.Blocks, p.rec.Bytes, p.rec.Logical = p.w.blocks, p.w.bytes, p.w.logical
	p.rec.Time = p.n.now().UTC()
	for {
		if err := p.refetch(ctx); err != nil {
			return err
		}
		a, err := p.add(ctx, p.items, true)
		if err != nil {
			return err
		}
		p.items = nil
		p.fetched += a.blocks
		if p.lost = a.lost; len(p.lost) == 0 {
			return nil
		}
	}
}

// refetch brings blocks that were here when the walk met them and were let go by
// their last holder before this pin could refer to them.
func (p *pinning) refetch(ctx context.Context) error {
	for len(p.lost) > 0 {
		if p.f == nil {
			return &missingError{p.lost[0].c}
		}
		at := make(map[cid.Cid]bool)
		var ask []cid.Cid
		for len(p.lost) > 0 && p.f.room() && len(ask) < wantsAlways {
			it := p.lost[0]
			p.lost = p.lost[1:]
			if !at[it.c] {
				at[it.c] = true
				ask = append(ask, it.c)
			}
		}
		if err := p.f.want(ask); err != nil {
			return err
		}
		for len(at) > 0 {
			got, err := p.f.wait(ctx, p.w)
			if err != nil {
				return err
			}
			for _, a := range got {
				if at[a.c] {
					delete(at, a.c)
					p.items = append(p.items, newItem(a.c, a.data))
				}
			}
		}
		if len(p.items) < flushItems {
			continue
		}
		a, err := p.add(ctx, p.items, false)
		if err != nil {
			return err
		}
		p.items, p.fetched = nil, p.fetched+a.blocks
	}
	return nil
}

func (p *pinning) report(phase string) {
	if p.progress == nil {
		return
	}
	pr := job.Progress{
		Blocks: p.w.blocks, Bytes: p.w.bytes, Total: p.w.total, Phase: phase,
		Known: p.w.blocks + uint64(p.w.waiting()),
	}
	if phase == "fetching" {
		if m := p.w.missing(1); len(m) > 0 {
			pr.Missing = m[0].String()
		}
		if p.f != nil && p.f.dialling > 0 && p.w.blocks == 0 {
			pr.Phase = "connecting"
		}
	}
	p.progress(pr)
}
