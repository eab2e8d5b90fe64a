package devnet

import (
	"context"
	"log/slog"
	"sync"

	"github.com/ethereum/go-ethereum/log"
)

// gethRoot guards go-ethereum's process-wide logger: a stack, since several
// devnets may run in one process and stop in any order.
var gethRoot struct {
	sync.Mutex
	original log.Logger
	handlers []*slog.Handler
}

// shield hides what kind of logger it holds. go-ethereum's SetDefault replaces the
// standard library's default logger too when it recognises its own kind.
type shield struct{ log.Logger }

// routeGethLog sends go-ethereum's lines to the Config's Logger until the returned
// function is called. Without a Logger it leaves the process alone.
func routeGethLog(c Config) (restore func()) {
	if c.Logger.Handler() == slog.DiscardHandler {
		return func() {}
	}
	var handler slog.Handler = levelHandler{c.Logger.With("component", "geth").Handler(), c.EngineLogLevel}
	own := &handler
	gethRoot.Lock()
	defer gethRoot.Unlock()
	if len(gethRoot.handlers) == 0 {
		gethRoot.original = log.Root()
	}
	gethRoot.handlers = append(gethRoot.handlers, own)
	log.SetDefault(shield{log.NewLogger(handler)})
	return sync.OnceFunc(func() { unrouteGethLog(own) })
}

func unrouteGethLog(own *slog.Handler) {
	gethRoot.Lock()
	defer gethRoot.Unlock()
	for i, h := range gethRoot.handlers {
		if h == own {
			gethRoot.handlers = append(gethRoot.handlers[:i], gethRoot.handlers[i+1:]...)
			break
		}
	}
	if n := len(gethRoot.handlers); n > 0 {
		log.SetDefault(shield{log.NewLogger(*gethRoot.handlers[n-1])})
		return
	}
	log.SetDefault(shield{gethRoot.original})
	gethRoot.original = nil
}

// levelHandler lets only lines from a level upwards through.
type levelHandler struct {
	slog.Handler
	min slog.Level
}

func (h levelHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.min && h.Handler.Enabled(ctx, level)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs), h.min}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name), h.min}
}
