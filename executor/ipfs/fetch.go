package ipfs

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// fetcher is the source of one pin. It asks the origins and static peers that are
// connected directly (direct.go); what they lack or do not send in time is asked
// of everyone through one bitswap session, which also searches for providers.
// Its methods belong to the walk's goroutine, but for those that only send on its
// channels.
type fetcher struct {
	n       *Node
	ref     string
	root    cid.Cid
	ctx     context.Context
	cancel  context.CancelFunc
	wg      sync.WaitGroup
	origins []*originDial
	writes  chan written // results of the pin's writer, waited for here too

	session    exchange.Fetcher // nil until it is needed
	endSession context.CancelFunc
	wants      map[cid.Cid]want
	arrivals   chan arrival
	chosen     []peer.ID // asked directly, in turn
	turn       int
	misses     map[peer.ID]int
	ticker     *time.Ticker
	dialled    chan *originDial
	dialling   int

	last     time.Time // of the last block, or of the first want after a pause
	left     time.Time // when wait last returned
	rotated  bool
	begun    bool
	looked   bool // whether anybody could answer
	gateways bool // a gateway has delivered: ask them for every want
	gateSlot chan struct{}
	onTick   func() error
	onWrite  func(written) error
}

// want is a block being waited for.
type want struct {
	from    peer.ID // asked directly; "" for nobody
	session bool    // asked of everyone
	since   time.Time
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
		wants:    make(map[cid.Cid]want),
		misses:   make(map[peer.ID]int),
		arrivals: make(chan arrival, n.cfg.MaxWantsPerPin),
		ticker:   time.NewTicker(progressEvery),
		dialled:  make(chan *originDial, len(origins)), // one dial each at a time
		gateSlot: make(chan struct{}, gatewayFetches),
	}
	f.ctx, f.cancel = context.WithCancel(ctx)
	for _, o := range origins {
		_, id, _ := parseOrigin(o) // a malformed one fails when it is dialled
		f.origins = append(f.origins, &originDial{addr: o, peer: id})
	}
	return f
}

// close ends the session, the dials and the wants, and waits for them.
func (f *fetcher) close() {
	f.cancel()
	f.ticker.Stop()
	f.n.inflight.Add(-int64(len(f.wants)))
	for c, w := range f.wants {
		if w.from != "" {
			f.n.direct.forget(f, w.from, c, true)
		}
	}
	f.wg.Wait()
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
		f.left = f.last
	}
	for _, c := range cs {
		f.wants[c] = want{since: time.Now()}
	}
	f.n.inflight.Add(int64(len(cs)))
	if !f.begun {
		f.begun = true
		f.dialOrigins()
		f.choose()
	}
	if f.gateways {
		f.askGateways(cs)
	}
	if len(f.chosen) > 0 && !f.rotated {
		f.askDirect(cs)
		return nil
	}
	if f.dialling > 0 && f.session == nil {
		return nil // asked when the first dial ends
	}
	return f.askSession(cs)
}

// choose picks the peers to be asked directly: connected origins, else connected
// static peers.
func (f *fetcher) choose() {
	f.chosen = f.chosen[:0]
	add := func(p peer.ID) {
		if p != "" && f.misses[p] < directMisses && !slices.Contains(f.chosen, p) && f.n.host.Network().Connectedness(p) == network.Connected {
			f.chosen = append(f.chosen, p)
		}
	}
	for _, o := range f.origins {
		add(o.peer)
	}
	if len(f.chosen) > 0 {
		return
	}
	for _, p := range f.n.friends() {
		add(p.ID)
	}
}

// askDirect spreads wants over the chosen peers.
func (f *fetcher) askDirect(cs []cid.Cid) {
	groups := make(map[peer.ID][]cid.Cid, len(f.chosen))
	for _, c := range cs {
		p := f.chosen[f.turn%len(f.chosen)]
		f.turn++
		f.wants[c] = want{from: p, since: time.Now()}
		groups[p] = append(groups[p], c)
	}
	for p, g := range groups {
		f.n.direct.ask(f, p, g)
	}
}

// askSession asks everyone for wants, whoever was asked before.
func (f *fetcher) askSession(cs []cid.Cid) error {
	if len(cs) == 0 {
		return nil
	}
	if f.session == nil {
		ctx, cancel := context.WithCancel(f.ctx)
		f.session, f.endSession = f.n.bswap.NewSession(ctx), cancel
	}
	for _, c := range cs {
		w := f.wants[c]
		w.session = true
		f.wants[c] = w
	}
	ch, err := f.session.GetBlocks(f.ctx, slices.Clone(cs))
	if err != nil {
		return fmt.Errorf("asking for %d blocks: %w", len(cs), err)
	}
	f.wg.Go(func() {
		for b := range ch {
			select {
			case f.arrivals <- arrival{c: b.Cid(), data: b.RawData()}:
			case <-f.ctx.Done():
				return
			}
		}
	})
	return nil
}

// impatient asks everyone for what was asked directly and is overdue.
func (f *fetcher) impatient(now time.Time) error {
	var late []cid.Cid
	for c, w := range f.wants {
		// While blocks flow, one in a long queue is given more time.
		if !w.session && (now.Sub(f.last) > directPatience || now.Sub(w.since) > 5*directPatience) {
			late = append(late, c)
		}
	}
	return f.askSession(late)
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
			case f.arrivals <- arrival{c: c, data: data}:
			case <-f.ctx.Done():
			}
		})
	}
}

// dialOrigins starts a dial of every origin that is not connected.
func (f *fetcher) dialOrigins() {
	for _, o := range f.origins {
		if o.peer != "" && f.n.host.Network().Connectedness(o.peer) == network.Connected {
			f.n.host.ConnManager().Protect(o.peer, f.tag())
			o.ended, o.result = true, nil
			continue
		}
		if o.refuse || o.busy {
			continue
		}
		o.busy = true
		f.dialling++
		f.wg.Go(func() {
			_, err := f.n.dialOrigin(f.ctx, o.addr, f.tag())
			f.dialled <- &originDial{addr: o.addr, result: err, refuse: errors.Is(err, ErrRefusedAddress)}
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
	// The clock of a stall stands still while the walk is busy with the disk.
	f.last = f.last.Add(time.Since(f.left))
	defer func() { f.left = time.Now() }()
	deadline := f.last.Add(f.n.cfg.StallTimeout)
	if !f.rotated {
		deadline = f.last.Add(f.n.cfg.StallTimeout / 2)
	}
	stall := time.NewTimer(time.Until(deadline))
	defer stall.Stop()
	select {
	case a := <-f.arrivals:
		return f.take(a)
	case r := <-f.writes:
		return nil, f.onWrite(r)
	case d := <-f.dialled:
		f.dialling--
		f.noteDial(d)
		return nil, errors.Join(f.dialEnded(), f.hopeless(w))
	case now := <-f.ticker.C:
		return nil, errors.Join(f.impatient(now), f.onTick())
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

// take collects what came with a, and what else is already there.
func (f *fetcher) take(a arrival) ([]arrival, error) {
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
	var missed []cid.Cid
	for _, b := range got {
		w, ok := f.wants[b.c]
		if !ok || b.miss && w.from != b.from {
			continue
		}
		if w.from != "" {
			f.n.direct.forget(f, w.from, b.c, !b.miss && b.from != w.from)
		}
		if b.miss {
			f.misses[b.from]++
			w.from = ""
			if f.wants[b.c] = w; !w.session {
				missed = append(missed, b.c)
			}
			continue
		}
		delete(f.wants, b.c)
		f.n.inflight.Add(-1)
		kept = append(kept, b)
	}
	if len(kept) > 0 {
		f.last, f.rotated = time.Now(), false
	}
	if len(missed) > 0 {
		f.choose()
	}
	return kept, f.askSession(missed)
}

// dialEnded asks what has waited for a peer to ask.
func (f *fetcher) dialEnded() error {
	f.choose()
	var idle []cid.Cid
	for c, w := range f.wants {
		if w.from == "" && !w.session {
			idle = append(idle, c)
		}
	}
	switch {
	case len(idle) == 0 || len(f.chosen) == 0 && f.dialling > 0:
		return nil
	case len(f.chosen) > 0:
		f.askDirect(idle)
		return nil
	default:
		return f.askSession(idle)
	}
}

func (f *fetcher) noteDial(d *originDial) {
	for _, o := range f.origins {
		if o.addr == d.addr {
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
	if f.session != nil {
		f.endSession()
		f.session = nil
	}
	f.dialOrigins()
	for _, p := range f.n.friends() {
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
	cs := make([]cid.Cid, 0, len(f.wants))
	for c := range f.wants {
		cs = append(cs, c)
	}
	if f.n.gates != nil {
		f.gateways = true
		f.askGateways(cs)
	}
	return f.askSession(cs)
}

// hopeless ends the wait early when nobody is left who could answer.
func (f *fetcher) hopeless(w *walk) error {
	if f.dialling > 0 || len(f.n.friends()) > 0 || f.n.finder != nil || f.n.gates != nil || len(f.n.host.Network().Peers()) > 0 {
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
		retry := len(f.n.friends()) > 0 || f.n.finder != nil || f.n.gates != nil
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
