package store

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"sync/atomic"
)

// In WAL mode what is committed is in SQLite's log, and a checkpoint copies it into the
// database: many pages and two syncs. By default a commit does that, whichever makes the
// log long enough, and waits for the disk; while the past is read, each commit did. So
// checkpoints run beside the writers, on a connection of the readers. SQLite begins its
// log again only when all of it was copied and nobody writes, which never happens while
// one transaction follows the other: when the log has grown long, the writers wait for
// what little was committed since the checkpoint before.

const (
	// checkpointEvery is after how many written pages a checkpoint runs: so many that a
	// page that each transaction changes is copied once for several.
	checkpointEvery = 8000
	// longLog is at how many pages the log is begun again (192 MiB).
	longLog = 24_000
	// longestLog is at how many pages a commit copies by itself, as by default, should
	// checkpoints beside it not keep pace.
	longestLog = 40_000
)

// checkpoint is the state of checkpoints beside the writers.
type checkpoint struct {
	every, long int // checkpointEvery, longLog; 0 where commits copy by themselves
	written     int // pages since the last one; of who holds Store.turn
	busy        atomic.Bool
	running     sync.WaitGroup
}

// checkpointBeside takes checkpoints out of the writers' commits, where their
// connection tells how much they wrote.
func (s *Store) checkpointBeside(ctx context.Context) error {
	if s.writer.kept == nil {
		return nil
	}
	if _, err := s.writer.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA wal_autocheckpoint = %d", longestLog)); err != nil {
		return err
	}
	s.checkpoint.every, s.checkpoint.long = checkpointEvery, longLog
	return nil
}

// wrote begins a checkpoint when enough was written by the transaction that just ended,
// in whose turn it is called, and by those before it.
func (s *Store) wrote() {
	c := &s.checkpoint
	if c.every == 0 {
		return
	}
	if c.written += s.writer.kept.written(); c.written < c.every || !c.busy.CompareAndSwap(false, true) {
		return
	}
	c.written = 0
	c.running.Go(func() {
		defer c.busy.Store(false)
		s.copyLog()
	})
}

// copyLog copies the log into the database; a long one to its end, while nobody writes.
// As with SQLite's own checkpoints, what cannot be copied now is copied later: it is as
// durable in the log, and a disk that is full says so to whoever writes.
func (s *Store) copyLog() {
	conn, err := s.read.Conn(context.Background())
	if err != nil {
		return
	}
	defer conn.Close()
	if pages, err := copyPages(conn); err != nil || pages < s.checkpoint.long {
		return
	}
	if _, open := <-s.turn; !open {
		return
	}
	defer func() { s.turn <- struct{}{} }()
	_, _ = copyPages(conn)
}

// copyPages copies what no reader needs as it is, and gives how many pages the log has.
func copyPages(conn *sql.Conn) (pages int, err error) {
	var busy, copied int
	err = conn.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &copied)
	return pages, err
}
