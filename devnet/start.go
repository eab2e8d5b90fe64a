package devnet

import (
	"context"
	"errors"
	"sync"
)

// TB is what Start needs of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Start runs a devnet for the length of a test: on a random loopback port, in
// memory, mining on demand, finality DefaultFinalityDepth blocks behind. Options
// change the Config before it starts. The devnet is closed by t.Cleanup; close
// clients in the test or in a later Cleanup.
func Start(t TB, options ...func(*Config)) *Devnet {
	t.Helper()
	config := Config{FinalityDepth: DefaultFinalityDepth}
	for _, option := range options {
		option(&config)
	}
	d, err := New(config)
	if err != nil {
		t.Fatalf("start devnet: %v", err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		// ErrClosed: the test was over before Run began.
		if err := d.Run(context.Background()); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("devnet stopped: %v", err)
		}
	})
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close devnet: %v", err)
		}
		running.Wait()
	})
	return d
}
