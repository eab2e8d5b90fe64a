// Package txmgr makes intents happen once: one Sender per key takes queued
// intents from the ledger and owns nonce, fee, signing, broadcast, replacement,
// confirmation and every retry until the transaction is final, or will never be.
//
// It knows no job, no request and no contract: who wants what is in the intent's
// data. It keeps no private key (oracle/signer) and no nonce counter: the next
// nonce follows from rows and chain each time.
//
// Map:
//
//	txmgr.go     Config, Deps, Sender, the loop and its Status
//	ledger.go    what is needed of the ledger
//	lease.go     the key's lease: taken, renewed during slow calls, lost
//	endpoint.go  what is needed of an RPC endpoint; reading from one, writing to all
//	rpc.go       an Endpoint over JSON-RPC
//	send.go      queued → prepared → signed → sent
//	nonce.go     the next nonce, foreign use of the key, Adopt
//	confirm.go   sent → mined → final, reorgs, nonces taken by others
//	hasten.go    re-broadcast, replacement, emptying what is of no use any more
//	bounds.go    what is not sent: too large, pointless, above the spending cap; dry runs
//	fee.go       fee arithmetic
//	classify.go  what a reply to a broadcast proves
//	revert.go    failed executions and their words
//	metrics.go   Prometheus
//
// Invariants, which the crash test checks at every call:
//
//   - a nonce belongs to one intent; a timeout never leads to another nonce;
//   - bytes are durable before they leave, and what leaves was read back under the
//     current fence; that an attempt's bytes may be out is never forgotten;
//   - a row is cancelled only when it has no bytes, or when all its bytes were
//     refused and never may have left, or when an empty transaction took its nonce
//     for good;
//   - nothing is signed for the first time that is late, or whose purpose is gone;
//   - mined means: the nonce is counted, an attempt has a receipt, and that
//     receipt's block is canonical; final adds that the block is final.
package txmgr

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Signer signs with the sender's key.
type Signer interface {
	Address() common.Address
	SignTx(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error)
}

// Config is fixed for the life of a Sender. Zero values give the defaults.
type Config struct {
	ChainID uint64
	// Owner names this process, and no other, in the sender's lease.
	Owner string
	Lease time.Duration // 30 s

	// MaxInFlight is how many transactions may be sent and not mined: 1; up to 16
	// on one's own node. Foreign Filecoin nodes take no nonce gap.
	MaxInFlight int
	Poll        time.Duration // how often open transactions are looked at: 1 s
	CallTimeout time.Duration // of one read or broadcast: 15 s

	// ReplaceAfter is how long the newest attempt may wait unmined: 60 s; on
	// Filecoin five epochs.
	ReplaceAfter time.Duration
	// ReplaceBlocks is how many blocks must have gone by too: 0. A chain that
	// makes no blocks is not asked for a better price.
	ReplaceBlocks uint64
	// Rebroadcast is how often the same bytes are sent again while unmined: 30 s.
	Rebroadcast time.Duration

	// GasMargin is added to an estimate, in percent: 20. Ignored with GasPadded.
	GasMargin uint64
	// GasPadded says that the endpoint's estimates contain a margin (Lotus and
	// Forest add 25 %, and unused gas above about 10 % is burnt). Always on for the
	// chain ids 314 and 314159.
	GasPadded bool
	// MaxGas is the most gas one transaction may have; 0 for the block's limit.
	// 10e9 on Filecoin, where a header shows the sum over a tipset's blocks.
	MaxGas uint64

	MaxTip    *big.Int // attoFIL per gas; nil for no limit
	MaxFeeCap *big.Int // attoFIL per gas; nil for no limit
	// MaxDailySpend bounds what 24 hours may cost in attoFIL, fees and values
	// together, what is in flight counted at its most; nil for no limit.
	MaxDailySpend *big.Int
	// LowBalance alarms when the balance is below it, in attoFIL; nil for never.
	LowBalance *big.Int
	// DryRun does everything but send: what is queued is simulated, priced and
	// signed, and stays queued. What an earlier run has sent is followed, and
	// neither sent again nor replaced.
	DryRun bool
}

func (c Config) withDefaults() Config {
	set := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	set(&c.Lease, 30*time.Second)
	set(&c.Poll, time.Second)
	set(&c.CallTimeout, 15*time.Second)
	set(&c.ReplaceAfter, time.Minute)
	set(&c.Rebroadcast, 30*time.Second)
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 1
	}
	if c.GasMargin == 0 {
		c.GasMargin = 20
	}
	if c.ChainID == 314 || c.ChainID == 314159 {
		c.GasPadded = true
		if c.MaxGas == 0 {
			c.MaxGas = 10_000_000_000
		}
	}
	return c
}

// Deps are the parts a Sender works with. Ledger, Signer and Endpoints are needed.
type Deps struct {
	Ledger    Ledger
	Signer    Signer
	Endpoints []Endpoint
	Decode    Decoder          // words for revert data; nil for the standard errors only
	Changed   func()           // called after a transaction ended; must not block; may be nil
	Metrics   *Metrics         // nil for none
	Now       func() time.Time // nil for time.Now
	Log       *slog.Logger     // nil for silence
}

// Status is a snapshot for people and health checks.
type Status struct {
	Address common.Address `json:"address"`
	// Parked is why nothing new is sent until a person acts; "" when it is not so.
	Parked string `json:"parked,omitempty"`
	// Waiting is why nothing new is sent for now; it ends by itself.
	Waiting string `json:"waiting,omitempty"`
	// Error is the last pass's trouble, "" after a pass without.
	Error    string    `json:"error,omitempty"`
	Holding  bool      `json:"holding"` // this process may write for the key
	Balance  *big.Int  `json:"balance,omitempty"`
	Low      bool      `json:"lowBalance,omitempty"` // the balance is below the alarm
	DryRun   bool      `json:"dryRun,omitempty"`
	Nonce    uint64    `json:"nonce"` // the chain's count at its latest block
	Queued   int       `json:"queued"`
	InFlight int       `json:"inFlight"` // signed or sent, not mined
	Mined    int       `json:"mined"`    // not yet final
	Unmined  time.Time `json:"unmined"`  // since when the oldest one in flight is; zero for none
	Passed   time.Time `json:"passed"`   // end of the last pass
}

// Sender sends with one key. Make it with New, then Run it.
type Sender struct {
	cfg     Config
	ledger  Ledger
	signer  Signer
	pool    *pool
	decode  Decoder
	changed func()
	metrics *Metrics
	now     func() time.Time
	log     *slog.Logger
	addr    common.Address
	rules   types.Signer
	wake    chan struct{}

	// Owned by the goroutine of Run.
	fence     int64
	parked    string
	retries   map[int64]retry        // undecided rows
	misses    map[int64]int          // passes that found a row's nonce final and no receipt
	heights   map[common.Hash]uint64 // of the head when an attempt was first looked at
	rehearsed map[int64]bool         // rows that a dry run has told of
	said      string                 // the last trouble that was logged

	mu     sync.Mutex
	status Status
	until  time.Time // the lease's end; zero: not held
	kept   int64     // the fence under which it is held
}

// retry is when the same bytes go out again.
type retry struct {
	at    time.Time
	pause time.Duration
	why   string // what is waited for, "" for an answer
}

// New makes a Sender for the signer's address.
func New(cfg Config, deps Deps) (*Sender, error) {
	switch {
	case deps.Ledger == nil || deps.Signer == nil:
		return nil, errors.New("txmgr: needs a ledger and a signer")
	case len(deps.Endpoints) == 0:
		return nil, errors.New("txmgr: needs at least one RPC endpoint")
	case cfg.ChainID == 0:
		return nil, errors.New("txmgr: needs a chain id")
	case cfg.Owner == "":
		return nil, errors.New("txmgr: needs an owner for the lease")
	}
	cfg = cfg.withDefaults()
	s := &Sender{
		cfg: cfg, ledger: deps.Ledger, signer: deps.Signer,
		pool:   newPool(deps.Endpoints, cfg.ChainID, cfg.CallTimeout),
		decode: deps.Decode, changed: deps.Changed, metrics: deps.Metrics, now: deps.Now, log: deps.Log,
		addr:    deps.Signer.Address(),
		rules:   types.LatestSignerForChainID(new(big.Int).SetUint64(cfg.ChainID)),
		wake:    make(chan struct{}, 1),
		retries: map[int64]retry{}, misses: map[int64]int{}, heights: map[common.Hash]uint64{}, rehearsed: map[int64]bool{},
	}
	if s.changed == nil {
		s.changed = func() {}
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	s.log = s.log.With("sender", s.addr.Hex())
	s.status.Address, s.status.DryRun = s.addr, cfg.DryRun
	return s, nil
}

// Wake makes the next pass start now: an intent was queued.
func (s *Sender) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Status is safe to call at any time.
func (s *Sender) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Run works until ctx ends and then returns nil: whatever is open is in the
// ledger, and the next Run goes on from there.
func (s *Sender) Run(ctx context.Context) error {
	ctx, end := context.WithCancel(ctx)
	var keeping sync.WaitGroup
	defer keeping.Wait()
	defer end()
	keeping.Go(func() { s.keep(ctx) })
	pause := s.cfg.Poll
	for {
		wait, err := s.pass(ctx)
		if ctx.Err() != nil {
			return nil
		}
		s.report(err)
		if err != nil {
			pause = min(2*pause, 15*time.Second)
			wait = max(wait, pause)
		} else {
			pause = s.cfg.Poll
		}
		timer := time.NewTimer(min(wait, s.cfg.Lease/3))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-s.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

// report logs trouble once for as long as it stays the same.
func (s *Sender) report(err error) {
	s.mu.Lock()
	s.status.Error = ""
	if err != nil {
		s.status.Error = err.Error()
	}
	s.status.Passed = s.now()
	text := s.status.Error
	s.mu.Unlock()
	if text == s.said {
		return
	}
	s.said = text
	switch {
	case text == "":
		s.log.Info("sending works again")
	case errors.Is(err, job.ErrFenced):
		s.log.Warn("another process holds the key's lease; waiting for it", "owner", s.cfg.Owner)
	default:
		s.log.Warn("sending is held up, trying again", "error", text)
	}
}

// pass does all that can be done now and says when to look again.
func (s *Sender) pass(ctx context.Context) (time.Duration, error) {
	if err := s.acquire(ctx); err != nil {
		return s.cfg.Lease / 3, err
	}
	next, err := s.work(ctx)
	if errors.Is(err, job.ErrFenced) {
		s.leased(time.Time{}, 0)
		s.holding(false)
	}
	return next, err
}

// idle is how long to sleep when nothing is open: Wake ends it, and this is for
// intents whose Wake was lost.
func (s *Sender) idle() time.Duration { return max(s.cfg.Poll, 2*time.Second) }

func (s *Sender) work(ctx context.Context) (time.Duration, error) {
	rows, err := s.ledger.OpenTxs(ctx, s.addr)
	if err != nil {
		return s.cfg.Poll, fmt.Errorf("reading open transactions: %w", err)
	}
	s.forget(rows)
	if len(rows) == 0 {
		s.publish(rows, "")
		return s.idle(), nil
	}
	v, err := s.look(ctx)
	if err != nil {
		s.publish(rows, s.Status().Waiting) // nothing is known to have changed
		return s.cfg.Poll, err
	}
	p := &turn{s: s, view: v, rows: rows}
	err = p.run(ctx)
	s.publish(p.rows, p.waiting)
	if p.ended {
		s.changed()
	}
	if p.waiting != "" && p.inFlight() == 0 {
		return 5 * s.cfg.Poll, err
	}
	return s.cfg.Poll, err
}

// forget drops what is remembered of rows that are no longer open.
func (s *Sender) forget(rows []chain.Tx) {
	open := map[int64]bool{}
	for _, r := range rows {
		open[r.ID] = true
	}
	for id := range s.retries {
		if !open[id] {
			delete(s.retries, id)
		}
	}
	for id := range s.misses {
		if !open[id] {
			delete(s.misses, id)
		}
	}
	if len(open) == 0 {
		clear(s.heights)
		clear(s.rehearsed)
	}
}

// firstSent is when a transaction's first form was made, zero if none was broadcast yet.
func firstSent(row chain.Tx) time.Time {
	for _, a := range row.Attempts {
		if !a.Broadcast.IsZero() {
			return a.CreatedAt
		}
	}
	return time.Time{}
}

func (s *Sender) publish(rows []chain.Tx, waiting string) {
	s.mu.Lock()
	st := &s.status
	was := st.Waiting
	st.Waiting, st.Parked = waiting, s.parked
	st.Queued, st.InFlight, st.Mined, st.Unmined = 0, 0, 0, time.Time{}
	for _, r := range rows {
		switch r.State {
		case chain.TxQueued, chain.TxPrepared:
			st.Queued++
		case chain.TxSigned, chain.TxSent:
			st.InFlight++
			if at := firstSent(r); !at.IsZero() && (st.Unmined.IsZero() || at.Before(st.Unmined)) {
				st.Unmined = at
			}
		case chain.TxMined:
			st.Mined++
		}
	}
	now := *st
	s.mu.Unlock()
	s.metrics.gauges(now)
	switch { // amounts in the words change with each block: told once
	case waiting != "" && was == "":
		s.log.Error("nothing is sent for now", "why", waiting)
	case waiting == "" && was != "":
		s.log.Info("sending goes on")
	}
}

// turn is one pass over the open rows; it changes its copy of them as it goes.
type turn struct {
	s       *Sender
	view    view
	rows    []chain.Tx
	waiting string
	ended   bool // some row ended
}

func (t *turn) run(ctx context.Context) error {
	if err := t.confirm(ctx); err != nil {
		return err
	}
	if t.s.cfg.DryRun {
		return t.start(ctx)
	}
	if err := t.decide(ctx); err != nil {
		return err
	}
	if err := t.hasten(ctx); err != nil {
		return err
	}
	return t.start(ctx)
}

// inFlight counts what bounds sending: neither queued nor in a block.
func (t *turn) inFlight() int {
	n := 0
	for _, r := range t.rows {
		if r.State == chain.TxPrepared || r.State == chain.TxSigned || r.State == chain.TxSent {
			n++
		}
	}
	return n
}

// newest is the attempt that was signed last.
func newest(row *chain.Tx) *chain.Attempt {
	if len(row.Attempts) == 0 {
		return nil
	}
	return &row.Attempts[len(row.Attempts)-1]
}

// late reports whether an intent's time has passed.
func late(row *chain.Tx, now time.Time) bool {
	return !row.Intent.Expiry.IsZero() && now.After(row.Intent.Expiry)
}

// cancel ends a row that has no effect and never will.
func (t *turn) cancel(ctx context.Context, row *chain.Tx, why string) error {
	s := t.s
	if err := s.ledger.CancelTx(ctx, row.ID, s.fence, why, s.now()); err != nil {
		return fmt.Errorf("cancelling transaction %d: %w", row.ID, err)
	}
	row.State, row.Why, row.HasNonce = chain.TxCancelled, why, false
	t.ended = true
	s.metrics.ended(chain.TxCancelled)
	s.log.Warn("transaction cancelled", "tx", row.ID, "intent", row.Intent.Key, "why", why)
	return nil
}
