package devnet_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/devnet/fvm/fvmtest"
)

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) { goleak.VerifyTestMain(m, goleak.IgnoreCurrent(), fvmtest.Websocket) }
