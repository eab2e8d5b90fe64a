package store_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/internal/store/storetest"
)

// postgres is one server for all tests of this package, started by the first that
// needs it and ended by TestMain.
var postgres struct {
	sync.Once
	server *storetest.Server
	err    error
}

func postgresServer(t testing.TB) *storetest.Server {
	t.Helper()
	postgres.Do(func() { postgres.server, postgres.err = storetest.StartPostgres() })
	if postgres.err != nil {
		t.Fatal(postgres.err)
	}
	return postgres.server
}

func stopPostgres() {
	if postgres.server != nil {
		postgres.server.Stop()
	}
}

// emptyLedgers gives one database, emptied for each test that asks for it.
func emptyLedgers(t *testing.T) func(t testing.TB) string {
	s := postgresServer(t)
	name, url := s.Database(t)
	if err := mustOpen(t, url).Close(); err != nil {
		t.Fatal(err)
	}
	return func(t testing.TB) string {
		t.Helper()
		s.Empty(t, name)
		return url
	}
}

// oneAtATime opens the same database again and again, emptied each time; through
// gives the way to it.
func oneAtATime(t *testing.T, through func(url string) string) storetest.Opener {
	empty := emptyLedgers(t)
	way := through(empty(t))
	var last *store.Store
	t.Cleanup(func() {
		if last != nil {
			last.Close()
		}
	})
	return func(t testing.TB, clock func() time.Time) storetest.Ledger {
		t.Helper()
		if last != nil {
			if err := last.Close(); err != nil {
				t.Fatal(err)
			}
		}
		empty(t)
		var err error
		if last, err = store.Open(context.Background(), store.Config{Path: way, NodeID: "node", Now: clock}); err != nil {
			t.Fatal(err)
		}
		return last
	}
}

func directly(url string) string { return url }

// Postgres conforms, also when the answer to each fifth COMMIT is lost: what a method
// says is what became of it.
func TestPostgresConforms(t *testing.T) {
	oneGoroutine(t)
	var commits atomic.Int64
	var l *line
	storetest.Run(t, oneAtATime(t, func(url string) string {
		l = newLine(t, url, func() loss {
			if commits.Add(1)%5 == 0 {
				return replyLost
			}
			return none
		})
		return l.url()
	}))
	if n := l.cut.Load(); n < 100 {
		t.Errorf("only %d connections were cut", n)
	}
}

// The model is walked 15 times, and 100 times in make soak (TIDEGATE_SOAK=1).
func TestPostgresFollowsTheModel(t *testing.T) {
	oneGoroutine(t)
	if checks := flag.Lookup("rapid.checks"); os.Getenv("TIDEGATE_SOAK") == "" {
		was := checks.Value.String()
		defer func() { _ = checks.Value.Set(was) }()
		if err := checks.Value.Set("15"); err != nil {
			t.Fatal(err)
		}
	}
	storetest.RunModel(t, oneAtATime(t, directly))
}

// Two daemons on one database claim beside each other: no job is given out twice.
func TestTwoDaemonsOnOnePostgresClaimEachJobOnce(t *testing.T) {
	url := emptyLedgers(t)(t)
	const n = 60
	daemons := []*store.Store{mustOpen(t, url), mustOpen(t, url)}
	now := time.Now()
	for i := range n {
		if _, _, err := daemons[0].InsertJob(t.Context(), job.New{Key: fmt.Sprintf("local:%d", i), Kind: job.KindPin, Lane: job.LaneNow, RunAt: now, Payload: []byte("{}")}, now); err != nil {
			t.Fatal(err)
		}
	}
	var mu sync.Mutex
	claimed := map[int64]string{}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			owner := fmt.Sprintf("worker %d", i)
			for {
				j, ok, err := daemons[i%2].Claim(t.Context(), job.ClaimRequest{Kind: job.KindPin, Owner: owner, Lease: time.Minute, Now: time.Now(), NodeID: "node"})
				if err != nil {
					t.Error(err)
					return
				}
				if !ok {
					return
				}
				mu.Lock()
				if other := claimed[j.ID]; other != "" {
					t.Errorf("job %d went to %s and %s", j.ID, other, owner)
				}
				claimed[j.ID] = owner
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(claimed) != n {
		t.Errorf("%d of %d jobs were claimed", len(claimed), n)
	}
}

func TestAPostgresThatIsNotThereIsExplained(t *testing.T) {
	_, err := store.Open(t.Context(), store.Config{Path: "postgres://user:hunter2@127.0.0.1:1/tidegate?connect_timeout=2"})
	if !errors.Is(err, store.ErrNoServer) || strings.Contains(fmt.Sprint(err), "hunter2") {
		t.Error(err)
	}
	if _, err := store.Open(t.Context(), store.Config{Path: "postgres://user:hunter2@:::/x"}); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	if os.Getenv("TIDEGATE_TEST_POSTGRES") == "" {
		t.Setenv("TIDEGATE_TEST_POSTGRES", "nonsense")
		if _, err := storetest.StartPostgres(); err == nil {
			t.Error("nonsense was taken for a server")
		}
	}
}
