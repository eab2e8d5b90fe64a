package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
)

// loss is how a connection ends at a COMMIT.
type loss = int32

const (
	none          loss = iota
	replyLost          // it is applied, and nobody is told
	requestLost        // it never came, and the server sees the connection end
	serverUnaware      // it never came, and the server waits on
)

// line carries bytes between ledgers and a Postgres, and cuts connections at COMMIT.
type line struct {
	t       testing.TB
	server  *pgx.ConnConfig
	listen  net.Listener
	at      func() loss // asked at each COMMIT
	cut     atomic.Int64
	sever   atomic.Bool // with the next cut all connections end, and none is let through
	down    atomic.Bool // none is let through
	mu      sync.Mutex
	servers []net.Conn // the server's ends
	carried sync.WaitGroup
}

// newLine gives a line to the database at url; at says what happens at a COMMIT.
func newLine(t testing.TB, url string, at func() loss) *line {
	t.Helper()
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, server: cfg, at: at}
	if l.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	l.carried.Go(func() {
		for {
			c, err := l.listen.Accept()
			if err != nil {
				return
			}
			l.carried.Go(func() { l.carry(c) })
		}
	})
	t.Cleanup(func() {
		l.listen.Close()
		l.hangUp(nil)
		l.carried.Wait()
	})
	return l
}

func (l *line) url() string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", l.server.User, l.server.Password, l.listen.Addr(), l.server.Database)
}

// hangUp ends all connections but one.
func (l *line) hangUp(but net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.servers {
		if c != but {
			c.Close()
		}
	}
}

func (l *line) carry(client net.Conn) {
	defer client.Close()
	if l.down.Load() {
		return
	}
	network, address := pgconn.NetworkAddress(l.server.Host, l.server.Port)
	server, err := net.Dial(network, address)
	if err != nil {
		l.t.Error(err)
		return
	}
	l.mu.Lock()
	l.servers = append(l.servers, server)
	l.mu.Unlock()
	var deaf atomic.Bool // what the server says from now on is lost
	l.carried.Go(func() {
		defer client.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := server.Read(buf)
			if err != nil || deaf.Load() {
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		if err != nil {
			server.Close()
			return
		}
		how := none
		if bytes.Contains(buf[:n], []byte("COMMIT\x00")) {
			how = l.at()
		}
		if how != none {
			l.cut.Add(1)
			if l.sever.Swap(false) {
				l.down.Store(true)
				l.hangUp(server)
			}
		}
		switch how {
		case requestLost:
			server.Close()
			return
		case serverUnaware:
			return
		case replyLost:
			deaf.Store(true)
		}
		if _, err := server.Write(buf[:n]); err != nil {
			server.Close()
			return
		}
	}
}

// However the connection ends at COMMIT, the ledger says whether it was applied.
func TestWhatBecameOfALostCommitIsFoundOut(t *testing.T) {
	url := emptyLedgers(t)(t)
	var next atomic.Int32
	l := newLine(t, url, func() loss { return next.Swap(none) })
	s, plain := mustOpen(t, l.url()), mustOpen(t, url)
	now := time.Now()
	insert := func(ctx context.Context, key string) error {
		_, _, err := s.InsertJob(ctx, job.New{Key: "local:" + key, Kind: job.KindPin, Lane: job.LaneNow, RunAt: now, Payload: []byte("{}")}, now)
		return err
	}
	count := func() int {
		t.Helper()
		all, err := plain.Jobs(t.Context(), job.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return len(all)
	}
	for how, applied := range map[loss]int{replyLost: 1, requestLost: 0, serverUnaware: 0} {
		before := count()
		next.Store(how)
		err := insert(t.Context(), fmt.Sprint(how))
		if (err == nil) != (applied == 1) || errors.Is(err, store.ErrInDoubt) || count() != before+applied {
			t.Errorf("loss %d: %d of %d applied, said %v", how, count()-before, applied, err)
		}
		if err := insert(t.Context(), fmt.Sprint(how)); err != nil || count() != before+1 {
			t.Errorf("loss %d, again: %d jobs, %v", how, count()-before, err)
		}
	}

	// A claim whose answer is lost is had, once: the job is not left to nobody.
	next.Store(replyLost)
	j, ok, err := s.Claim(t.Context(), job.ClaimRequest{Kind: job.KindPin, Owner: "w", Lease: time.Minute, Now: now, NodeID: "node"})
	if err != nil || !ok || j.Attempt != 1 {
		t.Errorf("claimed %+v, %t, %v", j, ok, err)
	}

	// The server is away for a while; then for longer than is waited.
	next.Store(replyLost)
	l.sever.Store(true)
	back := time.AfterFunc(500*time.Millisecond, func() { l.down.Store(false) })
	defer back.Stop()
	if err := insert(t.Context(), "away"); err != nil {
		t.Error(err)
	}
	if err := insert(t.Context(), "back"); err != nil {
		t.Error(err)
	}
	next.Store(requestLost)
	l.sever.Store(true)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := insert(ctx, "gone"); !errors.Is(err, store.ErrInDoubt) {
		t.Errorf("got %v", err)
	}
	l.down.Store(false)
	before := count()
	for range 10 { // what is left of broken connections is used up
		if err := insert(t.Context(), "gone"); err == nil {
			break
		}
	}
	if got := count(); got != before+1 {
		t.Errorf("%d of 1 applied", got-before)
	}
}
