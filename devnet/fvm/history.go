package fvm

// history is a map that remembers how it was, so that a failed call can be undone. Changes
// since mark are taken back by rollback; forget drops the memory.
type history[K comparable, V any] struct {
	m   map[K]V
	log []change[K, V]
}

type change[K comparable, V any] struct {
	key K
	old V
	had bool
}

func newHistory[K comparable, V any]() history[K, V] { return history[K, V]{m: make(map[K]V)} }

func (h *history[K, V]) get(k K) (V, bool) {
	v, ok := h.m[k]
	return v, ok
}

func (h *history[K, V]) set(k K, v V) {
	old, had := h.m[k]
	h.log = append(h.log, change[K, V]{k, old, had})
	h.m[k] = v
}

// cache sets what is true whether or not the current call fails.
func (h *history[K, V]) cache(k K, v V) { h.m[k] = v }

func (h *history[K, V]) mark() int { return len(h.log) }

func (h *history[K, V]) rollback(mark int) {
	for i := len(h.log) - 1; i >= mark; i-- {
		c := h.log[i]
		if c.had {
			h.m[c.key] = c.old
		} else {
			delete(h.m, c.key)
		}
	}
	clear(h.log[mark:])
	h.log = h.log[:mark]
}

func (h *history[K, V]) forget() {
	clear(h.log)
	h.log = h.log[:0]
}
