package queue

import (
	"log/slog"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// output gives the lines of nsqd and go-nsq to slog at debug level: what matters
// of them the queue says itself, once.
type output struct{ log *slog.Logger }

func (o *output) Output(_ int, line string) error {
	o.log.Debug(strings.TrimSpace(line))
	return nil
}

// health logs the way from good to bad and back, not each failure on it. What
// may break is a part (publishing, one nsqd's connection, …) with subjects
// (topics) in it; a part is broken while one of its subjects is.
type health struct {
	log   *slog.Logger
	gauge prometheus.Gauge

	mu     sync.Mutex
	worked bool                         // something has worked since the start
	broken map[string]map[string]string // part → subject → why
}

func newHealth(log *slog.Logger, gauge prometheus.Gauge) *health {
	return &health{log: log, gauge: gauge, broken: make(map[string]map[string]string)}
}

func (h *health) bad(part, subject, words string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.broken[part] == nil {
		h.broken[part] = make(map[string]string)
		h.log.Warn(words, "part", part, "error", err)
	}
	h.broken[part][subject] = err.Error()
	h.gauge.Set(0)
}

func (h *health) good(part, subject string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.worked = true
	if h.clear(part, subject) {
		h.log.Info("NSQ works again", "part", part)
	}
}

// forget drops a subject that is no longer asked for.
func (h *health) forget(part, subject string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clear(part, subject)
}

// clear reports whether part was broken and is not any more.
func (h *health) clear(part, subject string) (mended bool) {
	if subjects, ok := h.broken[part]; ok {
		delete(subjects, subject)
		if len(subjects) == 0 {
			delete(h.broken, part)
			mended = true
		}
	}
	if h.worked && len(h.broken) == 0 {
		h.gauge.Set(1)
	}
	return mended
}

func (h *health) get() (ok bool, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for part, subjects := range h.broken {
		for _, w := range subjects {
			return false, part + ": " + w
		}
	}
	return h.worked, ""
}
