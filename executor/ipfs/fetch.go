package ipfs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/ipfs/boxo/exchange"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"

	"github.com/tidegate/tidegate/executor/job"
)

const (
	// wantsAlways is how many wants a pin may have however busy the node is.
	wantsAlways = 4
	// missingNamed is how many missing CIDs a failure names.
	missingNamed = 3
	// gatewayFetches is how many gateway requests one pin makes at a time.
	gatewayFetches = 4
	// originFaultChars bounds the words about one origin in a failure.
	originFaultChars = 200
)

// fetcher is the source of one pin: one bitswap session, the pin's origins, and
// what is asked when these are silent. Its methods belong to the walk's
// goroutine, but for those that only send on its channels.
type fetcher struct {
	n       *Node
	ref     string
	root    cid.Cid
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	origins []*originDial
	writes  chan written // results of the pin's writer, waited for here too

	session    exchange.Fetcher
	endSession context.CancelFunc
	wants      map[cid.Cid]struct{}
	arrivals   chan arrival
	dialled    chan *originDial
	dialling   int

	last     time.Time // of the last block, or of the first want after a pause
	rotated  bool
	looked   bool // whether anybody could answer
	gateways bool // a gateway has delivered: ask them for every want
	gateSlot chan struct{}
	onTick   func() error
	onWrite  func(written) error
}

// originDial is one origin and how dialling it went. Fields are written by the
// walk's goroutine when the result arrives.
type originDial struct {
	addr   string
	peer   peer.ID
	result error
	ended  bool
	busy   bool
	refuse bool // by policy
}

func (n *Node) newFetcher(ctx context.Context, ref string, root cid.Cid, origins []string) *fetcher {
	f := &fetcher{
		n: n, ref: ref, root: root,
		wants:    make(map[cid.Cid]struct{}),
		arrivals: make(chan arrival, n.cfg.MaxWantsPerPin),
		dialled:  make(chan *originDial, len(origins)), // one dial each at a time
		gateSlot: make(chan struct{}, gatewayFetches),
	}
	f.ctx, f.cancel = context.WithCancel(ctx)
	for _, o := range origins {
		f.origins = append(f.origins, &originDial{addr: o})
	}
	return f
}

// close ends the session, the dials and the wants, and waits for them.
func (f *fetcher) close() {
	f.cancel()
	f.n.inflight.Add(-int64(len(f.wants)))
	f.wg.Wait()
	for len(f.dialled) > 0 {
		f.noteDial(<-f.dialled)
	}
	for _, o := range f.origins {
		if o.peer != "" {
			f.n.host.ConnManager().Unprotect(o.peer, f.tag())
		}
	}
}

func (f *fetcher) tag() string { return "pin/" + f.ref }

func (f *fetcher) room() bool {
	return len(f.wants) < f.n.cfg.MaxWantsPerPin &&
		(len(f.wants) < wantsAlways || f.n.inflight.Load() < int64(f.n.cfg.MaxWants))
}

func (f *fetcher) want(cs []cid.Cid) error {
	if len(f.wants) == 0 {
		f.last, f.rotated = time.Now(), false
	}
	for _, c := range cs {
		f.wants[c] = struct{}{}
	}
	f.n.inflight.Add(int64(len(cs)))
	if f.session == nil {
		f.dialOrigins()
		f.openSession()
	}
	return f.ask(cs)
}

func (f *fetcher) openSession() {
	ctx, cancel := context.WithCancel(f.ctx)
	f.session, f.endSession = f.n.bswap.NewSession(ctx), cancel
}

func (f *fetcher) ask(cs []cid.Cid) error {
	ch, err := f.session.GetBlocks(f.ctx, append([]cid.Cid(nil), cs...))
	if err != nil {
		return fmt.Errorf("asking for %d blocks: %w", len(cs), err)
	}
	f.wg.Go(func() {
		for b := range ch {
			select {
			case f.arrivals <- arrival{b.Cid(), b.RawData()}:
			case <-f.ctx.Done():
				return
			}
		}
	})
	if f.gateways {
		f.askGateways(cs)
	}
	return nil
}

// askGateways fetches wants over HTTP, a few at a time.
func (f *fetcher) askGateways(cs []cid.Cid) {
	for _, c := range cs {
		f.wg.Go(func() {
			select {
			case f.gateSlot <- struct{}{}:
				defer func() { <-f.gateSlot }()
			case <-f.ctx.Done():
				return
			}
			data, err := f.n.gates.fetch(f.ctx, c, f.n.cfg.Limits.MaxBlockSize)
			if err != nil {
				f.n.log.Debug("gateways have no such block", "request", f.ref, "cid", c, "error", err)
				return
			}
			select {
			case f.arrivals <- arrival{c, data}:
			case <-f.ctx.Done():
			}
		})
	}
}

// dialOrigins starts a dial of every origin that is not connected.
func (f *fetcher) dialOrigins() {
	for _, o := range f.origins {
		if o.peer != "" && f.n.host.Network().Connectedness(o.peer) == network.Connected {
			continue
		}
		if o.refuse || o.busy {
			continue
		}
		o.busy = true
		f.dialling++
		f.wg.Go(func() {
			p, err := f.n.dialOrigin(f.ctx, o.addr, f.tag())
			f.dialled <- &originDial{addr: o.addr, peer: p, result: err, refuse: errors.Is(err, ErrRefusedAddress)}
		})
	}
}

// wait is the only place where a pin waits for the world.
func (f *fetcher) wait(ctx context.Context, w *walk) ([]arrival, error) {
	if !f.looked {
		f.looked = true
		if err := f.hopeless(w); err != nil {
			return nil, err
		}
	}
	deadline := f.last.Add(f.n.cfg.StallTimeout)
	if !f.rotated {
		deadline = f.last.Add(f.n.cfg.StallTimeout / 2)
	}
	stall := time.NewTimer(time.Until(deadline))
	defer stall.Stop()
	tick := time.NewTimer(progressEvery)
	defer tick.Stop()
	select {
	case a := <-f.arrivals:
		return f.take(a), nil
	case r := <-f.writes:
		return nil, f.onWrite(r)
	case d := <-f.dialled:
		f.dialling--
		f.noteDial(d)
		return nil, f.hopeless(w)
	case <-tick.C:
		return nil, f.onTick()
	case <-stall.C:
		if len(f.arrivals) > 0 || len(f.wants) == 0 {
			return nil, nil
		}
		if f.rotated {
			return nil, f.stalled(w)
		}
		return nil, f.rotate()
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// take collects a block and what else is already there.
func (f *fetcher) take(a arrival) []arrival {
	got := []arrival{a}
	for more := true; more; {
		select {
		case b := <-f.arrivals:
			got = append(got, b)
		default:
			more = false
		}
	}
	kept := got[:0]
	for _, b := range got {
		if _, ok := f.wants[b.c]; !ok {
			continue
		}
		delete(f.wants, b.c)
		f.n.inflight.Add(-1)
		kept = append(kept, b)
	}
	if len(kept) > 0 {
		f.last, f.rotated = time.Now(), false
	}
	return kept
}

func (f *fetcher) noteDial(d *originDial) {
	for _, o := range f.origins {
		if o.addr == d.addr {
			if d.peer != "" {
				o.peer = d.peer
			}
			o.result, o.ended, o.refuse, o.busy = d.result, true, d.refuse, false
		}
	}
	if d.result != nil {
		f.n.log.Debug("origin not reached", "request", f.ref, "origin", d.addr, "error", d.result)
	}
}

// rotate asks everyone again: origins are dialled anew, static peers too, the
// wants go to a fresh session, and gateways are asked.
func (f *fetcher) rotate() error {
	f.rotated = true
	f.n.metrics.rotations.Inc()
	f.n.log.Info("no block for a while, asking elsewhere", "request", f.ref, "cid", f.root, "wants", len(f.wants))
	f.endSession()
	f.dialOrigins()
	for _, p := range f.n.static {
		if f.n.host.Network().Connectedness(p.ID) == network.Connected {
			continue
		}
		f.wg.Go(func() {
			ctx, cancel := context.WithTimeout(f.ctx, f.n.cfg.DialTimeout)
			defer cancel()
			if err := f.n.host.Connect(ctx, p); err != nil {
				f.n.log.Debug("static peer not reached", "peer", p.ID, "error", err)
			}
		})
	}
	f.openSession()
	cs := make([]cid.Cid, 0, len(f.wants))
	for c := range f.wants {
		cs = append(cs, c)
	}
	if f.n.gates != nil {
		f.gateways = true
	}
	return f.ask(cs)
}

// hopeless ends the wait early when nobody is left who could answer.
func (f *fetcher) hopeless(w *walk) error {
	if f.dialling > 0 || len(f.n.static) > 0 || f.n.finder != nil || f.n.gates != nil || len(f.n.host.Network().Peers()) > 0 {
		return nil
	}
	return f.stalled(w)
}

// reached tells whether any origin was connected to.
func (f *fetcher) reached() bool {
	for _, o := range f.origins {
		if o.ended && o.result == nil {
			return true
		}
	}
	return false
}

// stalled words the end of a pin that waits in vain.
func (f *fetcher) stalled(w *walk) error {
	f.n.metrics.stalls.Inc()
	var names []string
	for _, c := range w.missing(missingNamed) {
		names = append(names, c.String())
	}
	for c := range f.wants { // after the walk: blocks that vanished under it
		if len(names) == 0 {
			names = append(names, c.String())
		}
	}
	words := fmt.Sprintf("waiting for %s", strings.Join(names, ", "))
	if more := w.waiting() - len(names); more > 0 {
		words += fmt.Sprintf(" and %d more", more)
	}
	words += "; " + f.originWords()
	switch {
	case w.blocks > 0:
		return fault(job.ReasonStalled, true, "%d blocks (%d bytes) are here, then no new block for %s; %s", w.blocks, w.bytes, f.n.cfg.StallTimeout, words)
	case len(f.origins) > 0 && !f.reached():
		retry := len(f.n.static) > 0 || f.n.finder != nil || f.n.gates != nil
		for _, o := range f.origins {
			retry = retry || !o.refuse
		}
		return fault(job.ReasonUnreachable, retry, "no origin could be reached, and nobody else had the root; %s", words)
	default:
		return fault(job.ReasonNotFound, true, "nobody had the root (%d peers connected); %s", len(f.n.host.Network().Peers()), words)
	}
}

func (f *fetcher) originWords() string {
	if len(f.origins) == 0 {
		return "no origins were given"
	}
	var parts []string
	for _, o := range f.origins {
		switch {
		case !o.ended:
			parts = append(parts, o.addr+": still dialling")
		case o.result == nil:
			parts = append(parts, o.addr+": connected")
		default:
			e := strings.Join(strings.Fields(o.result.Error()), " ")
			if len(e) > originFaultChars {
				e = e[:originFaultChars] + "…"
			}
			parts = append(parts, o.addr+": "+e)
		}
	}
	return "origins: " + strings.Join(parts, "; ")
}
