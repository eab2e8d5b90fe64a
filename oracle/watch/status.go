package watch

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Status is what health checks and the API show. Heights are block heights.
type Status struct {
	Filter       string
	EndpointHead uint64 // what the endpoint said last
	Head         uint64 // newest head that the ledger was told of
	Final        uint64
	Soft         uint64
	Cursor       uint64 // newest covered height
	Behind       uint64 // heights between cursor and head
	Lagging      bool   // the endpoint is behind the cursor
	Frozen       string // why the money lane is frozen, "" when it is not
	LastError    string // of the last step, "" when it went well
	LastStep     time.Time
	LastGood     time.Time // last step that went well
	LastLate     time.Time // when a second read showed logs that the first answer lacked, or a bloom spoke against an empty one
	LateLogs     int       // logs that only a second read showed, since the start
	Unfinal      uint64    // heights that the head moved since the final block last did
	Stalled      bool      // Unfinal is more than is usual here
	Gap, Reorg   Event     // the last long run of null rounds; the last reorg as deep as work that may start early
	Past         []Status  // of added contracts whose past is being read
}

// News is how many heights the head goes on until an Event is past.
const News = 50

// Event is something that the chain did.
type Event struct {
	Heights uint64    `json:"heights"` // null rounds, or heights that were replaced; 0 for none since the start
	Before  uint64    `json:"before"`  // height of the first block after it
	Seen    time.Time `json:"seen"`
}

// finality remembers how the final block moves.
type finality struct {
	height, head uint64 // of the final block, and of the head when that was first seen
	usual        uint64 // most that it was seen to before the final block moved again, of late
}

// stillFinal takes down how far the head is from where the final block last moved. That
// moves by single blocks, or by epochs of 32; what it once stood still is forgotten while
// it moves. The caller holds mu.
func (w *Watcher) stillFinal(head, final uint64) {
	const epochs, most, forget = 8, 64, 16
	f := &w.moves
	moved := head - min(head, f.head)
	if final > f.height {
		if f.height > 0 && w.status.Unfinal <= most {
			f.usual = max(f.usual-(f.usual+forget-1)/forget, w.status.Unfinal)
		}
		f.height, f.head, moved = final, head, 0
	}
	w.status.Unfinal = moved
	w.status.Stalled = moved > max(epochs*max(w.cfg.SoftDepth, 1), 2*f.usual)
}

// noteEvent takes down what the chain did if it is more than is usual: as long or as
// deep as what the soft lane waits for. It reports whether it is.
func (w *Watcher) noteEvent(at *Event, heights, before uint64) bool {
	if heights <= w.cfg.SoftDepth && (at == &w.status.Gap || heights < max(w.cfg.SoftDepth, 1)) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	*at = Event{heights, before, w.now()}
	return true
}

// Status gives the state after the last step.
func (w *Watcher) Status() Status {
	pasts := w.Pasts()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.status
	for _, p := range pasts {
		s.Past = append(s.Past, p.Status())
	}
	return s
}

// noteLate takes down that an endpoint's first answer lacked logs.
func (w *Watcher) noteLate(logs int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.LastLate = w.now()
	w.status.LateLogs += logs
}

func (w *Watcher) noteSight(s sight) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.EndpointHead, w.status.Frozen = s.head.Height, s.cur.Frozen
	w.m.endpointHead.Set(float64(s.head.Height))
	w.stillFinal(s.head.Height, s.final.Height)
	frozen := 0.0
	if s.cur.Frozen != "" {
		frozen = 1
	}
	w.m.frozen.Set(frozen)
	if s.has {
		w.place(s.cur.Height, s.cur.Final, s.cur.Soft, s.cur.Head)
	}
}

func (w *Watcher) noteUpdate(u chain.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	cursor := w.status.Cursor
	if u.Reorg {
		cursor = u.Ancestor.Height
	}
	if u.From <= u.To {
		cursor = u.To
	}
	w.place(cursor, u.Final.Height, u.Soft, u.Head.Height)
	w.m.logs.Add(float64(len(u.Logs)))
}

// place sets the heights; the caller holds mu.
func (w *Watcher) place(cursor, final, soft, head uint64) {
	st := &w.status
	st.Cursor, st.Final, st.Soft, st.Head, st.Behind = cursor, final, soft, head, 0
	if top := max(head, st.EndpointHead); top > cursor {
		st.Behind = top - cursor
	}
	w.m.cursor.Set(float64(cursor))
	w.m.final.Set(float64(final))
	w.m.head.Set(float64(head))
	w.m.behind.Set(float64(st.Behind))
}

func (w *Watcher) noteLag(lagging bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.Lagging = lagging
}

func (w *Watcher) noteResult(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.status.LastStep, w.status.LastError = w.now(), ""
	if err != nil {
		w.status.LastError = err.Error()
		w.m.failures.WithLabelValues(condition(err)).Inc()
		return
	}
	w.status.LastGood = w.status.LastStep
}

type metrics struct {
	endpointHead, head, final, cursor, behind, frozen prometheus.Gauge
	reorgs, logs, repaired, doubted                   prometheus.Counter
	depth                                             prometheus.Histogram
	failures                                          *prometheus.CounterVec
}

func newMetrics(reg prometheus.Registerer, filter string) (*metrics, error) {
	labels := prometheus.Labels{"filter": filter}
	var all []prometheus.Collector
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Namespace: "tidegate", Subsystem: "watch", Name: name, Help: help, ConstLabels: labels})
		all = append(all, g)
		return g
	}
	counter := func(name, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Namespace: "tidegate", Subsystem: "watch", Name: name, Help: help, ConstLabels: labels})
		all = append(all, c)
		return c
	}
	m := &metrics{
		endpointHead: gauge("endpoint_head", "Head that the endpoint said last."),
		head:         gauge("head", "Head that the ledger was told of."),
		final:        gauge("final", "Newest final height acted on."),
		cursor:       gauge("cursor", "Newest covered height."),
		behind:       gauge("behind", "Heights between the cursor and the head."),
		frozen:       gauge("frozen", "1 while the money lane is frozen."),
		reorgs:       counter("reorgs_total", "Rollbacks."),
		logs:         counter("logs_total", "Logs handed on."),
		repaired:     counter("repaired_logs_total", "Logs that only the second read showed."),
		doubted:      counter("doubted_answers_total", "Answers that were asked for again because something spoke against them."),
		depth: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: "tidegate", Subsystem: "watch", Name: "reorg_depth", Help: "Heights rolled back.",
			Buckets: []float64{1, 2, 3, 5, 10, 30, 100, 900}, ConstLabels: labels,
		}),
		failures: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "watch", Name: "failed_steps_total", Help: "Steps that failed, by condition.", ConstLabels: labels,
		}, []string{"condition"}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range append(all, m.depth, m.failures) {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
