package txmgr

import (
	"math/big"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Metrics are a Sender's counters. A nil *Metrics counts nothing.
type Metrics struct {
	endedTotal  *prometheus.CounterVec
	broadcasts  *prometheus.CounterVec
	replaces    *prometheus.CounterVec
	reverts     prometheus.Counter
	minedRevert prometheus.Counter
	gasUsed     prometheus.Counter
	toMined     prometheus.Histogram
	toFinal     prometheus.Histogram
	open        *prometheus.GaugeVec
	parkedGauge prometheus.Gauge
	waiting     prometheus.Gauge
	balance     prometheus.Gauge
}

// NewMetrics registers a Sender's metrics with r.
func NewMetrics(r prometheus.Registerer) *Metrics {
	name := func(n, help string) prometheus.Opts {
		return prometheus.Opts{Namespace: "tidegate", Subsystem: "tx", Name: n, Help: help}
	}
	counter := func(n, help string) prometheus.CounterOpts { return prometheus.CounterOpts(name(n, help)) }
	gauge := func(n, help string) prometheus.GaugeOpts { return prometheus.GaugeOpts(name(n, help)) }
	times := func(n, help string) prometheus.Histogram {
		o := name(n, help)
		return prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: o.Namespace, Subsystem: o.Subsystem, Name: n, Help: help,
			Buckets: []float64{.1, .25, .5, 1, 2.5, 5, 15, 30, 60, 150, 300, 900, 3600, 10800},
		})
	}
	m := &Metrics{
		endedTotal:  prometheus.NewCounterVec(counter("ended_total", "Transactions that ended, by state."), []string{"state"}),
		broadcasts:  prometheus.NewCounterVec(counter("broadcasts_total", "Broadcasts, by what the replies prove."), []string{"reply"}),
		replaces:    prometheus.NewCounterVec(counter("replacements_total", "Attempts at a better price, by kind."), []string{"kind"}),
		reverts:     prometheus.NewCounter(counter("preflight_reverts_total", "Intents cancelled because they could only fail.")),
		minedRevert: prometheus.NewCounter(counter("mined_reverted_total", "Transactions that were mined and reverted.")),
		gasUsed:     prometheus.NewCounter(counter("gas_used_total", "Gas used by mined transactions.")),
		toMined:     times("mined_seconds", "From intent to block."),
		toFinal:     times("final_seconds", "From intent to final block."),
		open:        prometheus.NewGaugeVec(gauge("open", "Open transactions, by where they are."), []string{"where"}),
		parkedGauge: prometheus.NewGauge(gauge("sender_parked", "1 while the key is parked until a person acts.")),
		waiting:     prometheus.NewGauge(gauge("sender_waiting", "1 while nothing new is sent for now: balance, fee limit, endpoint.")),
		balance:     prometheus.NewGauge(gauge("sender_balance_fil", "Balance of the key when it last sent, in FIL.")),
	}
	r.MustRegister(m.endedTotal, m.broadcasts, m.replaces, m.reverts, m.minedRevert, m.gasUsed, m.toMined, m.toFinal, m.open, m.parkedGauge, m.waiting, m.balance)
	return m
}

func (m *Metrics) ended(state chain.TxState) {
	if m != nil {
		m.endedTotal.WithLabelValues(string(state)).Inc()
	}
}

func (m *Metrics) final(state chain.TxState, took time.Duration) {
	if m != nil {
		m.endedTotal.WithLabelValues(string(state)).Inc()
		m.toFinal.Observe(took.Seconds())
	}
}

func (m *Metrics) landed(took time.Duration, gas uint64, reverted bool) {
	if m == nil {
		return
	}
	m.toMined.Observe(took.Seconds())
	m.gasUsed.Add(float64(gas))
	if reverted {
		m.minedRevert.Inc()
	}
}

func (m *Metrics) broadcast(c class) {
	if m != nil {
		name := map[class]string{accepted: chain.ReplyAccepted, refused: chain.ReplyDefinitive, unknown: chain.ReplyUnknown}[c]
		m.broadcasts.WithLabelValues(name).Inc()
	}
}

func (m *Metrics) replaced(empty bool) {
	if m == nil {
		return
	}
	kind := "price"
	if empty {
		kind = "empty"
	}
	m.replaces.WithLabelValues(kind).Inc()
}

func (m *Metrics) reverted() {
	if m != nil {
		m.reverts.Inc()
	}
}

func (m *Metrics) parked(yes bool) {
	if m != nil {
		m.parkedGauge.Set(bit(yes))
	}
}

func (m *Metrics) gauges(s Status) {
	if m == nil {
		return
	}
	m.open.WithLabelValues("queued").Set(float64(s.Queued))
	m.open.WithLabelValues("in_flight").Set(float64(s.InFlight))
	m.open.WithLabelValues("mined").Set(float64(s.Mined))
	m.waiting.Set(bit(s.Waiting != ""))
	if s.Balance != nil {
		fil, _ := new(big.Float).Quo(new(big.Float).SetInt(s.Balance), big.NewFloat(1e18)).Float64()
		m.balance.Set(fil)
	}
}

func bit(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
