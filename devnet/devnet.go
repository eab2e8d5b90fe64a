package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// Devnet is a running chain and its port.
type Devnet struct {
	config Config
	log    *slog.Logger
	server *server

	mu     sync.Mutex // held by whoever changes the chain
	engine Engine
	clock  clock

	pace paceSetting

	life struct {
		sync.Mutex
		started bool
		cancel  context.CancelFunc // set while Run is under way
	}
	stopping chan struct{} // closed when a stop was asked for
	stop     sync.Once
	release  sync.Once
	done     chan struct{} // closed when everything is released
	closeErr error         // readable after done
}

// New opens the chain and takes the port, so that the URLs are valid and a taken
// port is known at once; nothing is answered or mined before Run. The caller must
// call Close, or Run and end its context. Errors: ErrConfig, ErrPortInUse,
// ErrDataDirInUse, each with a remedy.
func New(config Config) (*Devnet, error) {
	config = config.withDefaults()
	if err := config.check(); err != nil {
		return nil, err
	}
	server, err := listen(config)
	if err != nil {
		return nil, err
	}
	engine, err := newGeth(config)
	if err != nil {
		return nil, errors.Join(err, server.close())
	}
	d := &Devnet{
		config:   config,
		log:      config.Logger,
		server:   server,
		engine:   engine,
		clock:    clock{now: config.Now},
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
	}
	d.pace.init(config.BlockTime)
	head := engine.Head()
	d.clock.resume(head.Time)
	if err := errors.Join(d.finalizeBehind(head.Number), d.server.register(d.services())); err != nil {
		return nil, errors.Join(fmt.Errorf("start devnet: %w", err), d.Close())
	}
	return d, nil
}

// Run answers requests and makes blocks until ctx ends or Close is called, then
// releases everything. It returns nil after such an end and an error when the
// chain or the port failed. It may be called once.
func (d *Devnet) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := d.begin(cancel); err != nil {
		return err
	}
	head := d.Head()
	d.log.Info("devnet is up", "http", d.HTTPURL(), "ws", d.WSURL(), "chain", ChainID, "block", head.Number)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.server.serve(ctx) })
	group.Go(func() error { return d.mine(ctx) })
	err := group.Wait()
	return errors.Join(err, d.shutdown())
}

func (d *Devnet) begin(cancel context.CancelFunc) error {
	d.life.Lock()
	defer d.life.Unlock()
	select {
	case <-d.stopping:
		return ErrClosed
	default:
	}
	if d.life.started {
		return errors.New("devnet: Run was called twice")
	}
	d.life.started, d.life.cancel = true, cancel
	return nil
}

// Close stops the devnet, waits until everything is released and returns what
// failed doing so. It may be called more than once and at any time after New.
func (d *Devnet) Close() error {
	d.life.Lock()
	d.stop.Do(func() { close(d.stopping) })
	started, cancel := d.life.started, d.life.cancel
	d.life.Unlock()
	if !started {
		return d.shutdown()
	}
	cancel()
	<-d.done
	return d.closeErr
}

// shutdown releases the port first and the chain after it.
func (d *Devnet) shutdown() error {
	d.release.Do(func() {
		d.life.Lock()
		d.stop.Do(func() { close(d.stopping) })
		d.life.Unlock()
		err := d.server.close()
		d.mu.Lock()
		defer d.mu.Unlock()
		d.closeErr = errors.Join(err, d.engine.Close())
		close(d.done)
	})
	<-d.done
	return d.closeErr
}

// HTTPURL is the JSON-RPC address over HTTP.
func (d *Devnet) HTTPURL() string { return "http://" + d.server.address() }

// WSURL is the JSON-RPC address over WebSocket; the port is that of HTTPURL.
func (d *Devnet) WSURL() string { return "ws://" + d.server.address() }

// Port is the TCP port it listens on.
func (d *Devnet) Port() int { return d.server.port() }

// Accounts returns the ten funded accounts.
func (d *Devnet) Accounts() []Account { return Accounts() }

// Head is the newest block; the zero Block after Close.
func (d *Devnet) Head() Block {
	var head Block
	_ = d.change(func() error { // ErrClosed leaves the zero Block
		head = d.engine.Head()
		return nil
	})
	return head
}

// change runs f while nothing else changes the chain.
func (d *Devnet) change(f func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	select {
	case <-d.stopping:
		return ErrClosed
	default:
	}
	return f()
}

// paceSetting is when blocks are made. Its zero value must be given to init.
type paceSetting struct {
	mu        sync.Mutex
	blockTime time.Duration
	paused    bool
	changed   chan struct{}
}

func (p *paceSetting) init(blockTime time.Duration) {
	p.blockTime, p.changed = blockTime, make(chan struct{}, 1)
}

func (p *paceSetting) get() (blockTime time.Duration, paused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.blockTime, p.paused
}

func (p *paceSetting) set(change func(p *paceSetting)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(p)
	select {
	case p.changed <- struct{}{}:
	default:
	}
}
