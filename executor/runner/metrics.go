package runner

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	running  *prometheus.GaugeVec
	attempts *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer, counter Counter, log *slog.Logger) (*metrics, error) {
	m := &metrics{
		running: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Namespace: "tidegate", Subsystem: "runner", Name: "running", Help: "Attempts in progress.",
		}, []string{"kind"}),
		attempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "runner", Name: "attempts_total",
			Help: "Ended attempts by how they ended: succeeded, failed, retrying, snoozed, released, dead, void, unwritten.",
		}, []string{"kind", "ended"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Namespace: "tidegate", Subsystem: "runner", Name: "attempt_seconds", Help: "How long attempts took.",
			Buckets: prometheus.ExponentialBuckets(0.005, 4, 10), // 5 ms to 22 min
		}, []string{"kind", "ended"}),
	}
	if reg == nil {
		return m, nil
	}
	all := []prometheus.Collector{m.running, m.attempts, m.seconds}
	if counter != nil {
		all = append(all, &rows{counter: counter, log: log, desc: prometheus.NewDesc(
			"tidegate_jobs", "Rows of the ledger's job table.", []string{"kind", "state"}, nil)})
	}
	for _, c := range all {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// rows counts the ledger's jobs when it is asked.
type rows struct {
	counter Counter
	log     *slog.Logger
	desc    *prometheus.Desc
}

func (c *rows) Describe(ch chan<- *prometheus.Desc) { ch <- c.desc }

func (c *rows) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	counts, err := c.counter.JobCounts(ctx)
	if err != nil {
		c.log.Warn("jobs could not be counted for the metrics", "error", err)
		return
	}
	for kind, states := range counts {
		for state, n := range states {
			ch <- prometheus.MustNewConstMetric(c.desc, prometheus.GaugeValue, float64(n), string(kind), string(state))
		}
	}
}
