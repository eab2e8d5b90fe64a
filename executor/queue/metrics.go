package queue

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	published, failed, received *prometheus.CounterVec
	connected                   prometheus.Gauge
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{
			Namespace: "tidegate", Subsystem: "queue", Name: name, Help: help,
		}, []string{"kind"})
	}
	m := &metrics{
		published: counter("published_total", "Wake-ups that an nsqd took."),
		failed:    counter("publish_failures_total", "Wake-ups that no nsqd took; their lanes were woken in the process."),
		received:  counter("received_total", "Wake-ups that came back from an nsqd."),
		connected: prometheus.NewGauge(prometheus.GaugeOpts{
			Namespace: "tidegate", Subsystem: "queue", Name: "connected",
			Help: "1 when the last exchange with NSQ worked.",
		}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{m.published, m.failed, m.received, m.connected} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}
