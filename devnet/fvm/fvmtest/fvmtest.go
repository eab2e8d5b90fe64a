// Package fvmtest is what the tests of devnet's packages share: one engine a process,
// because compiling the actors is what such tests wait for longest, and a look for
// goroutines that were left behind. It ships in no binary.
package fvmtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/devnet/fvm"
)

var engine struct {
	once sync.Once
	*fvm.Engine
	err error
}

// Engine gives the engine that all tests of a process share.
func Engine(tb testing.TB) *fvm.Engine {
	tb.Helper()
	engine.once.Do(func() { engine.Engine, engine.err = fvm.NewEngine(context.Background(), fvm.EngineConfig{}) })
	if engine.err != nil {
		tb.Fatal(engine.err)
	}
	return engine.Engine
}

// Websocket passes over one goroutine that go-jsonrpc v0.10.1 leaves when a connection is
// closed while a frame arrives: nextMessage hands the frame to a loop that has ended. Both
// of its ends do it, a client with a subscription most of all.
var Websocket = goleak.IgnoreTopFunction("github.com/filecoin-project/go-jsonrpc.(*wsConn).nextMessage")

// Main runs a package's tests, closes the engine and fails when a test left a goroutine
// behind. Those that libraries start when they are loaded are none of ours.
func Main(m *testing.M) {
	libraries := goleak.IgnoreCurrent()
	code := m.Run()
	if engine.Engine != nil {
		if err := engine.Close(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if code == 0 {
		if err := goleak.Find(libraries, Websocket); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}
