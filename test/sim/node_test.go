package sim

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tidegate/tidegate/executor/handler/pin"
	"github.com/tidegate/tidegate/executor/handler/release"
	"github.com/tidegate/tidegate/executor/job"
)

// node is the content node: what it holds outlives the daemon.
type node struct {
	w    *world
	d    *draws
	mu   sync.Mutex
	held map[string]bool // by reference
	said []string        // what was pinned and released, for who looks for a bug
}

var (
	errFetch = errors.New("no provider has it")
	errDisk  = errors.New("the node's disk does not answer")
)

// Pin implements pin.Node.
func (n *node) Pin(ctx context.Context, s pin.Spec, progress func(job.Progress)) (pin.Stat, error) {
	n.w.turns.wait("pin " + s.Ref)
	steps := 1 + n.d.n(4)
	for i := range steps {
		if !sleep(ctx, time.Duration(n.d.n(n.w.rates.fetch))*time.Millisecond) {
			return pin.Stat{}, ctx.Err()
		}
		n.w.turns.wait("pin " + s.Ref)
		progress(job.Progress{Blocks: uint64(i)})
		if !n.w.calm.Load() && n.d.n(100) < 5 {
			return pin.Stat{}, errFetch
		}
	}
	if !n.w.alive(ctx) {
		return pin.Stat{}, context.Canceled
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held[s.Ref] = true
	n.note("pinned", s.Ref)
	return pin.Stat{Blocks: 1, Bytes: 32}, nil
}

// Release implements pin.Node.
func (n *node) Release(ctx context.Context, ref string) error {
	if !n.w.alive(ctx) {
		return context.Canceled
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.held, ref)
	n.note("released", ref)
	return nil
}

// note keeps what was done; the caller holds mu.
func (n *node) note(what, ref string) {
	n.said = append(n.said, time.Now().UTC().Format(time.TimeOnly)+" "+what+" "+ref)
}

// story is what was done for a reference; the caller holds mu.
func (n *node) story(ref string) string {
	var out []string
	for _, s := range n.said {
		if strings.HasSuffix(s, ref) {
			out = append(out, strings.TrimSuffix(s, " "+ref))
		}
	}
	return strings.Join(out, ", ")
}

// releaser is the node as the release handler sees it.
type releaser struct{ *node }

// Release implements release.Node.
func (r releaser) Release(ctx context.Context, ref string) (release.Stat, error) {
	r.w.turns.wait("release " + ref)
	if !sleep(ctx, time.Duration(r.d.n(2000))*time.Millisecond) {
		return release.Stat{}, ctx.Err()
	}
	r.w.turns.wait("release " + ref)
	if !r.w.calm.Load() && r.w.stream("release").n(100) < 5 {
		return release.Stat{}, errDisk
	}
	return release.Stat{}, r.node.Release(ctx, ref)
}

// bell is the queue: it loses, repeats, delays and disorders wake-ups, and is wiped.
type bell struct {
	wiped atomic.Int64 // how often; what was rung before does not arrive
	w     *world
	d     *draws
	ctx   context.Context
	lanes map[job.Kind]chan struct{}
}

func newBell(ctx context.Context, w *world) *bell {
	b := &bell{w: w, d: w.stream("queue"), ctx: ctx, lanes: map[job.Kind]chan struct{}{}}
	for _, k := range []job.Kind{job.KindPin, job.KindRelease} {
		b.lanes[k] = make(chan struct{}, 8)
	}
	return b
}

// Notify implements intake.Notifier.
func (b *bell) Notify(k job.Kind) {
	was := b.wiped.Load()
	for range b.d.n(3) { // lost, once, or twice
		time.AfterFunc(time.Duration(b.d.n(3000))*time.Millisecond, func() {
			if b.wiped.Load() != was {
				return
			}
			select {
			case b.lanes[k] <- struct{}{}:
			default:
			}
		})
	}
}

// wipe loses everything that the queue holds.
func (b *bell) wipe() {
	b.wiped.Add(1)
	for _, lane := range b.lanes {
		for empty := false; !empty; {
			select {
			case <-lane:
			default:
				empty = true
			}
		}
	}
}

// Wakes implements runner.Waker.
func (b *bell) Wakes(k job.Kind) <-chan struct{} { return b.lanes[k] }

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
