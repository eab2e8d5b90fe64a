package queue

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nsqio/nsq/nsqd"
)

const (
	// checkEvery is how often the embedded nsqd's directory is looked at.
	checkEvery = time.Second
	maxPause   = 30 * time.Second
)

// runEmbedded keeps one nsqd after another up until ctx ends.
func (q *Queue) runEmbedded(ctx context.Context) error {
	pause := q.cfg.RetryEvery
	for ctx.Err() == nil {
		began := time.Now()
		err := q.incarnation(ctx)
		if ctx.Err() != nil {
			break
		}
		q.health.bad("nsqd", "", "embedded nsqd stopped; lanes are swept from the ledger until it is back", err)
		if time.Since(began) > maxPause {
			pause = q.cfg.RetryEvery
		}
		q.drainLocally(ctx, pause)
		pause = min(2*pause, maxPause)
	}
	return nil
}

// drainLocally serves wake-ups in the process while there is no nsqd.
func (q *Queue) drainLocally(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			return
		case <-q.dirty:
			q.wakeLocally()
		}
	}
}

// incarnation runs one nsqd with its session; it returns when ctx ends or the
// nsqd is no use any more, with the reason.
func (q *Queue) incarnation(ctx context.Context) error {
	d, err := q.startNSQD()
	if err != nil {
		return err
	}
	q.health.good("nsqd", "")
	addr := d.RealTCPAddr().String()
	q.addr.Store(&addr)
	defer q.addr.Store(nil)

	ended := make(chan error, 1)
	go func() { ended <- d.Main() }()

	sctx, cancel := context.WithCancelCause(ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := q.session(sctx, []string{addr}, func(err error) { cancel(err) }); err != nil {
			cancel(err)
		}
	})
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	alive := true
	for sctx.Err() == nil {
		select {
		case err := <-ended:
			alive = false
			cancel(fmt.Errorf("nsqd ended: %w", orElse(err, errListener)))
		case <-sctx.Done():
		case <-check.C:
			if err := q.nsqdHealth(d); err != nil {
				cancel(err)
			}
		}
	}
	wg.Wait()
	d.Exit()
	if alive {
		<-ended
	}
	return context.Cause(sctx)
}

var errListener = errors.New("its listener was closed")

func orElse(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

func (q *Queue) nsqdHealth(d *nsqd.NSQD) error {
	if err := d.GetError(); err != nil {
		return fmt.Errorf("nsqd cannot write to %s: %w", q.nsqdDir(), err)
	}
	if !exists(q.nsqdDir()) {
		return fmt.Errorf("the directory of nsqd, %s, has vanished", q.nsqdDir())
	}
	return nil
}

// startNSQD starts nsqd on the data directory. A directory that nsqd cannot use
// is put back to empty, which loses nothing but wake-ups.
func (q *Queue) startNSQD() (*nsqd.NSQD, error) {
	dir := q.nsqdDir()
	if fi, err := os.Lstat(dir); err == nil && !fi.IsDir() {
		if err := q.wipe(dir, errors.New("it is not a directory")); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the embedded nsqd: %w", err)
	}
	d, err := q.openNSQD(dir)
	if err == nil || errors.Is(err, errNew) {
		return d, err
	}
	if err := q.wipe(dir, err); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the directory of the embedded nsqd: %w", err)
	}
	return q.openNSQD(dir)
}

func (q *Queue) wipe(dir string, why error) error {
	q.log.Warn("the embedded nsqd's data is unusable and was set aside as empty; the ledger has all work", "dir", dir, "error", why)
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clearing the directory of the embedded nsqd: %w", err)
	}
	return nil
}

// errNew marks a start that failed for a reason other than the data.
var errNew = errors.New("starting the embedded nsqd")

func (q *Queue) openNSQD(dir string) (*nsqd.NSQD, error) {
	opts := nsqd.NewOptions()
	opts.TCPAddress = "127.0.0.1:0"
	opts.HTTPAddress = ""
	opts.HTTPSAddress = ""
	opts.BroadcastAddress = "127.0.0.1"
	opts.DataPath = dir
	opts.MemQueueSize = 0
	opts.MaxMsgSize = 1024
	opts.MaxBytesPerFile = 1 << 20
	opts.LogLevel = nsqd.LOG_WARN
	opts.Logger = &output{log: q.log.With("part", "nsqd")}
	d, err := nsqd.New(opts)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNew, err)
	}
	// Topics and channels come back from here; the messages of topics that are
	// not in the file are forgotten.
	if err := d.LoadMetadata(); err != nil {
		d.Exit()
		return nil, fmt.Errorf("reading the embedded nsqd's metadata: %w", err)
	}
	return d, nil
}
