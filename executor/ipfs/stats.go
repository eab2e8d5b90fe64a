package ipfs

import (
	"context"
	"fmt"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/executor/job"
)

// Stats are the node's numbers. Blocks and Bytes count each held block once.
type Stats struct {
	Blocks, Bytes, Pins uint64
	FreeDisk            uint64 // bytes an unprivileged writer may still use
	Peers               int    // connected
	Wants               int    // blocks being waited for
}

// Stats reads the node's numbers; it walks nothing.
func (n *Node) Stats() (Stats, error) {
	t := n.store.totals()
	free, err := freeSpace(n.cfg.DataDir)
	if err != nil {
		return Stats{}, err
	}
	return Stats{
		Blocks: uint64(max(t.Blocks, 0)), Bytes: uint64(max(t.Bytes, 0)), Pins: uint64(max(t.Pins, 0)),
		FreeDisk: free, Peers: len(n.host.Network().Peers()), Wants: int(n.inflight.Load()),
	}, nil
}

// PinInfo is a pin record as people see it. Blocks, Bytes and LogicalBytes are
// set once State is StatePinned.
type PinInfo struct {
	Ref, Owner, Name            string
	Seq                         uint64
	Root                        cid.Cid // undefined while files are being added
	State                       PinState
	Blocks, Bytes, LogicalBytes uint64
	Time                        time.Time // of the last change of State
}

func (r *pinRecord) info() (PinInfo, error) {
	root, err := r.root()
	if err != nil {
		return PinInfo{}, err
	}
	return PinInfo{
		Ref: r.Ref, Owner: r.Owner, Name: r.Name, Seq: r.Seq, Root: root, State: r.State,
		Blocks: r.Blocks, Bytes: r.Bytes, LogicalBytes: r.Logical, Time: r.Time,
	}, nil
}

// ListPins lists every pin record by Ref, unfinished ones included.
func (n *Node) ListPins(ctx context.Context) ([]PinInfo, error) {
	if err := n.begin(); err != nil {
		return nil, err
	}
	defer n.end()
	var out []PinInfo
	err := n.eachPin(ctx, func(rec *pinRecord) error {
		i, err := rec.info()
		out = append(out, i)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing pins: %w", err)
	}
	return out, nil
}

// PinByRef reads one pin record; false if the request holds nothing.
func (n *Node) PinByRef(ctx context.Context, ref string) (PinInfo, bool, error) {
	if err := n.begin(); err != nil {
		return PinInfo{}, false, err
	}
	defer n.end()
	if err := ctx.Err(); err != nil {
		return PinInfo{}, false, err
	}
	rec, err := n.store.pin(ref)
	if err != nil {
		return PinInfo{}, false, fmt.Errorf("reading pin %s: %w", ref, err)
	}
	if rec == nil {
		return PinInfo{}, false, nil
	}
	i, err := rec.info()
	return i, err == nil, err
}

// metrics are the node's Prometheus collectors; they count even when nobody
// registered them.
type metrics struct {
	reg        prometheus.Registerer
	registered []prometheus.Collector

	fetchedBlocks, fetchedBytes, freedBlocks, freedBytes prometheus.Counter
	stalls, rotations                                    prometheus.Counter
	faults                                               *prometheus.CounterVec
}

func newMetrics(n *Node, reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tidegate", Subsystem: "ipfs", Name: name, Help: help})
	}
	gauge := func(name, help string, f func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "tidegate", Subsystem: "ipfs", Name: name, Help: help}, f)
	}
	m := &metrics{
		reg:           reg,
		fetchedBlocks: counter("stored_blocks_total", "Blocks that became held."),
		fetchedBytes:  counter("stored_bytes_total", "Bytes of blocks that became held."),
		freedBlocks:   counter("freed_blocks_total", "Blocks deleted because nobody referred to them any more."),
		freedBytes:    counter("freed_bytes_total", "Bytes of blocks deleted."),
		stalls:        counter("stalls_total", "Pins that ended because nobody sent what was missing."),
		rotations:     counter("rotations_total", "Times a pin asked all providers anew."),
		faults: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "ipfs", Name: "pin_faults_total", Help: "Pins that failed, by reason.",
		}, []string{"reason"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.fetchedBlocks, m.fetchedBytes, m.freedBlocks, m.freedBytes, m.stalls, m.rotations, m.faults,
		gauge("blocks", "Blocks held.", func() float64 { return float64(n.store.totals().Blocks) }),
		gauge("bytes", "Bytes of blocks held.", func() float64 { return float64(n.store.totals().Bytes) }),
		gauge("pins", "Pin records, unfinished ones included.", func() float64 { return float64(n.store.totals().Pins) }),
		gauge("wants", "Blocks being waited for.", func() float64 { return float64(n.inflight.Load()) }),
		gauge("peers", "Connected peers.", func() float64 { return float64(len(n.host.Network().Peers())) }),
	} {
		if err := reg.Register(c); err != nil {
			m.unregister()
			return nil, err
		}
		m.registered = append(m.registered, c)
	}
	return m, nil
}

func (m *metrics) unregister() {
	for _, c := range m.registered {
		m.reg.Unregister(c)
	}
	m.registered = nil
}

func (m *metrics) stored(a added) {
	m.fetchedBlocks.Add(float64(a.blocks))
	m.fetchedBytes.Add(float64(a.bytes))
}

func (m *metrics) freed(u UnpinStat) {
	m.freedBlocks.Add(float64(u.BlocksFreed))
	m.freedBytes.Add(float64(u.BytesFreed))
}

func (m *metrics) fault(r job.Reason) { m.faults.WithLabelValues(r.String()).Inc() }
