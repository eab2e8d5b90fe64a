package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// signals gives a context that the first SIGINT or SIGTERM ends, and one that
// the second ends. A third kills the process as if nobody listened.
func signals(parent context.Context) (ctx, hasten context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	hasten, cancelHasten := context.WithCancel(parent)
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		for _, end := range []func(){cancel, func() { cancelHasten(); signal.Stop(ch) }} {
			select {
			case <-ch:
				end()
			case <-done:
				return
			}
		}
	}()
	return ctx, hasten, func() {
		signal.Stop(ch)
		close(done)
		cancel()
		cancelHasten()
	}
}
