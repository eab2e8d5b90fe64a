package devnet

import (
	"context"
	"errors"
	"sync"

	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// TB is what Start needs of a *testing.T or *testing.B.
type TB interface {
	Helper()
	Cleanup(func())
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// shared are the actors of all chains that Start makes in this process, metered or
// not. They are loaded once and never closed, which leaks nothing but memory.
var shared = map[bool]func() (*fvm.Engine, error){false: loader(false), true: loader(true)}

func loader(unmetered bool) func() (*fvm.Engine, error) {
	return sync.OnceValues(func() (*fvm.Engine, error) {
		return fvm.NewEngine(context.Background(), fvm.EngineConfig{Unmetered: unmetered})
	})
}

// Start runs a devnet for the length of a test: on a random loopback port, epochs on
// demand. Options change the Config before it starts. The devnet is closed by
// t.Cleanup; close clients in the test or in a later Cleanup. All devnets that were
// started in a process share their compiled actors.
func Start(t TB, options ...func(*Config)) *Devnet {
	t.Helper()
	var config Config
	for _, option := range options {
		option(&config)
	}
	if config.Engine == nil && config.CacheDir == "" {
		engine, err := shared[config.Unmetered]()
		if err != nil {
			t.Fatalf("start devnet: %v", err)
		}
		config.Engine = engine
	}
	d, err := New(context.Background(), config)
	if err != nil {
		t.Fatalf("start devnet: %v", err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		// ErrRan: the test was over before Run began.
		if err := d.Run(context.Background()); err != nil && !errors.Is(err, rpc.ErrRan) {
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
