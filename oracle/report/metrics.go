package report

import (
	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"
)

// metrics counts; a nil one counts nothing.
type metrics struct {
	batches *prometheus.CounterVec
	answers prometheus.Counter
	size    prometheus.Histogram
	refuses prometheus.Counter
	alarms  prometheus.Gauge
	differ  *prometheus.CounterVec
}

func newMetrics(r prometheus.Registerer) *metrics {
	if r == nil {
		return nil
	}
	const ns, sub = "tidegate", "report"
	m := &metrics{
		batches: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "batches_total", Help: "Batches, by what became of them."}, []string{"end"}),
		answers: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "answers_sealed_total", Help: "Answers sealed into batches; one that is sealed again counts again."}),
		size:    prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: ns, Subsystem: sub, Name: "batch_answers", Help: "Answers in a batch.", Buckets: []float64{1, 2, 5, 10, 20, 35, 50}}),
		refuses: prometheus.NewCounter(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "conflicting_results_total", Help: "Answers never signed because another result was signed before."}),
		alarms:  prometheus.NewGauge(prometheus.GaugeOpts{Namespace: ns, Subsystem: sub, Name: "answers_held", Help: "Answers held back that a person should look at."}),
	}
	m.differ = prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: ns, Subsystem: sub, Name: "disagreements_total", Help: "Requests of which another operator found something else, by operator."}, []string{"operator"})
	r.MustRegister(m.batches, m.answers, m.size, m.refuses, m.alarms, m.differ)
	return m
}

func (m *metrics) sealed(answers int) {
	if m != nil {
		m.batches.WithLabelValues("sealed").Inc()
		m.answers.Add(float64(answers))
		m.size.Observe(float64(answers))
	}
}

func (m *metrics) ended(how string) {
	if m != nil {
		m.batches.WithLabelValues(how).Inc()
	}
}

func (m *metrics) refused() {
	if m != nil {
		m.refuses.Inc()
	}
}

func (m *metrics) disagreed(who common.Address, n int) {
	if m != nil {
		m.differ.WithLabelValues(who.Hex()).Add(float64(n))
	}
}

func (m *metrics) held(n int) {
	if m != nil {
		m.alarms.Set(float64(n))
	}
}
