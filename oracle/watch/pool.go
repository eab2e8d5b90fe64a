package watch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// PoolConfig says how several endpoints are used as one.
type PoolConfig struct {
	ChainID uint64
	Quorum  int    // endpoints that must agree on what decides money; default 1
	MaxLag  uint64 // blocks behind the best head at which an endpoint is not asked; default 5

	Probe      time.Duration // how often all are looked at; default 10 s
	Timeout    time.Duration // of one endpoint's answer, before the next is asked; default 20 s
	BackoffMin time.Duration // first wait after a failure; default 500 ms
	BackoffMax time.Duration // longest; default 30 s

	Now    func() time.Time
	Jitter func(time.Duration) time.Duration // in [0, d); default random
}

// Named is a Client with a name that can be shown to anyone.
type Named interface {
	Client
	Endpoint() string
}

// Pool is a Client over several endpoints. It asks one at a time and stays with it
// while it answers; on a failure it goes to the next and leaves the failed one alone
// for a while. What it says of the head and of finality never goes back because of a
// change of endpoint. It is safe for concurrent use.
type Pool struct {
	cfg PoolConfig

	mu      sync.Mutex
	members []*member
	current int
	last    int    // who gave the last logs
	high    uint64 // highest head that was given out
	final   uint64 // highest final block that was given out
}

// NewPool makes a pool of endpoints, best first.
func NewPool(cfg PoolConfig, endpoints ...Named) (*Pool, error) {
	switch {
	case len(endpoints) == 0:
		return nil, errors.New("watch: no endpoints")
	case cfg.ChainID == 0:
		return nil, errors.New("watch: ChainID is zero")
	case cfg.Quorum > len(endpoints):
		return nil, fmt.Errorf("watch: %d endpoints must agree and there are only %d: name more, or lower the quorum", cfg.Quorum, len(endpoints))
	}
	cfg.Quorum = max(cfg.Quorum, 1)
	if cfg.MaxLag == 0 {
		cfg.MaxLag = 5
	}
	for _, d := range []struct {
		at   *time.Duration
		or   time.Duration
		what string
	}{{&cfg.Probe, 10 * time.Second, "Probe"}, {&cfg.Timeout, 20 * time.Second, "Timeout"},
		{&cfg.BackoffMin, 500 * time.Millisecond, "BackoffMin"}, {&cfg.BackoffMax, 30 * time.Second, "BackoffMax"}} {
		if *d.at < 0 {
			return nil, fmt.Errorf("watch: %s is negative", d.what)
		}
		if *d.at == 0 {
			*d.at = d.or
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Jitter == nil {
		cfg.Jitter = func(d time.Duration) time.Duration { return rand.N(d) }
	}
	p := &Pool{cfg: cfg}
	names := map[string]int{}
	for _, e := range endpoints {
		name := e.Endpoint()
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s (%d)", name, names[name])
		}
		p.members = append(p.members, &member{name: name, c: e, troubles: map[string]*Trouble{}})
	}
	return p, nil
}

// Status says what is known of each endpoint, in the order of the configuration.
func (p *Pool) Status() []EndpointStatus {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	var out []EndpointStatus
	for i, m := range p.members {
		s := m.status(now)
		s.Current = i == p.current
		out = append(out, s)
	}
	return out
}

// candidates gives who may be asked, best first: the current one while it is well,
// then the others in order, those that lag last. The second value is when the first
// of those that are put off may be asked again.
func (p *Pool) candidates() ([]int, time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	best := p.high
	for _, m := range p.members {
		best = max(best, m.head)
	}
	var well, behind []int
	var soonest time.Time
	for n := range p.members {
		i := (p.current + n) % len(p.members)
		switch m := p.members[i]; {
		case m.until.After(now):
			if soonest.IsZero() || m.until.Before(soonest) {
				soonest = m.until
			}
		case m.head > 0 && m.head+p.cfg.MaxLag < best:
			behind = append(behind, i)
		default:
			well = append(well, i)
		}
	}
	return append(well, behind...), soonest
}

// note takes down how a call to a member ended, and reports whether another one
// should be asked.
func (p *Pool) note(i int, err error) (next bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, now := p.members[i], p.cfg.Now()
	var f *Fault
	switch _ = errors.As(err, &f); {
	case f == nil:
		return false
	case f.Kind == FaultNotYet || f.Kind == FaultRefused:
		return true // another may have it
	case f.Kind == FaultNullRound || f.Kind == FaultTooMany:
		return false
	}
	if f.Kind == FaultTransport {
		m.checked = false
	}
	m.trouble(string(f.Kind), f.Error(), now)
	m.putOff(now, p.cfg.BackoffMin, p.cfg.BackoffMax, f.After, p.cfg.Jitter)
	return true
}

// poolCall asks one member after the other until one answers.
func poolCall[T any](ctx context.Context, p *Pool, call func(context.Context, Client) (T, error)) (T, int, error) {
	var none T
	ask, soonest := p.candidates()
	if len(ask) == 0 {
		return none, 0, p.allPutOff(soonest)
	}
	var first error
	for _, i := range ask {
		got, err := memberCall(ctx, p, i, call)
		if err == nil {
			p.stay(i)
			return got, i, nil
		}
		if ctx.Err() != nil {
			return none, 0, err
		}
		if first == nil || kindOf(first) != FaultNotYet && kindOf(err) == FaultNotYet {
			first = err // that the block is not there yet says more than that a host is down
		}
		if !p.note(i, err) {
			return none, i, err
		}
	}
	return none, 0, first
}

// stay makes a member that answered the one that is asked first.
func (p *Pool) stay(i int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.current, p.members[i].failures = i, 0
}

// memberCall makes one call to one member, whose chain id is asked for first where
// that was not done since it last failed.
func memberCall[T any](ctx context.Context, p *Pool, i int, call func(context.Context, Client) (T, error)) (T, error) {
	p.mu.Lock()
	m := p.members[i]
	checked := m.checked
	p.mu.Unlock()
	bounded, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	var none T
	if !checked {
		id, err := m.c.ChainID(bounded)
		if err != nil {
			return none, err
		}
		if id != p.cfg.ChainID {
			p.mu.Lock()
			defer p.mu.Unlock()
			why := fmt.Errorf("it serves chain id %d, not %d", id, p.cfg.ChainID)
			m.trouble(TroubleWrongChain, why.Error(), p.cfg.Now())
			m.until = p.cfg.Now().Add(p.cfg.BackoffMax)
			return none, &Fault{Kind: FaultGarbage, Endpoint: m.name, Method: "eth_chainId", Err: &otherID{id, why}}
		}
		p.mu.Lock()
		m.checked = true
		p.mu.Unlock()
	}
	return call(bounded, m.c)
}

// otherID is the cause of a fault when an endpoint serves another chain.
type otherID struct {
	id uint64
	error
}

func (p *Pool) allPutOff(soonest time.Time) error {
	return &Fault{Kind: FaultTransport, Endpoint: "every endpoint", Method: "choosing an endpoint", After: max(0, soonest.Sub(p.cfg.Now())),
		Err: errors.New("all endpoints failed a moment ago and are left alone for a while")}
}

// ChainID gives the id that any endpoint serves, the expected one if one does.
func (p *Pool) ChainID(ctx context.Context) (uint64, error) {
	_, _, err := poolCall(ctx, p, func(context.Context, Client) (struct{}, error) { return struct{}{}, nil })
	var other *otherID
	if errors.As(err, &other) {
		return other.id, nil
	}
	return p.cfg.ChainID, err
}

// HeaderByTag implements Client. The height of what it gives for a tag goes back only
// when no endpoint has what was given before. With a quorum, the final block is one
// that as many endpoints have and call final.
func (p *Pool) HeaderByTag(ctx context.Context, tag string) (Header, error) {
	if tag == "finalized" && p.cfg.Quorum > 1 {
		return p.agreedFinal(ctx)
	}
	given := &p.high
	if tag == "finalized" {
		given = &p.final
	}
	var best Header
	var found bool
	var failed error
	ask, soonest := p.candidates()
	if len(ask) == 0 {
		return best, p.allPutOff(soonest)
	}
	for _, i := range ask {
		h, err := memberCall(ctx, p, i, func(ctx context.Context, c Client) (Header, error) { return c.HeaderByTag(ctx, tag) })
		if ctx.Err() != nil {
			return best, err
		}
		if err != nil {
			if failed == nil {
				failed = err
			}
			if !p.note(i, err) {
				break
			}
			continue
		}
		p.saw(i, tag, h.Height)
		if !found || h.Height > best.Height {
			best, found = h, true
		}
		p.mu.Lock()
		enough := h.Height >= *given
		*given = max(*given, h.Height)
		p.mu.Unlock()
		if enough {
			p.stay(i)
			return h, nil
		}
	}
	if found {
		return best, nil // all are behind what was given before; the caller knows
	}
	return best, failed
}

// saw takes down what a member says of the head or of finality.
func (p *Pool) saw(i int, tag string, height uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m, now := p.members[i], p.cfg.Now()
	if tag == "finalized" {
		if m.final = height; m.head > 0 && height >= m.head && height > 0 {
			m.trouble(TroubleHeadFinal, fmt.Sprintf("block %d is its newest, and it calls it final", height), now)
		}
		return
	}
	if height < m.head {
		m.trouble(TroubleWentBack, fmt.Sprintf("its head was %d and is %d", m.head, height), now)
	}
	was := m.head
	if owes := m.moved(height, now, p.cfg.MaxLag); owes > p.cfg.MaxLag && height >= was {
		m.trouble(TroubleLagging, fmt.Sprintf("its head is %d, about %d blocks less than it would be had it not gone back", height, owes), now)
	}
	best := p.high
	for _, o := range p.members {
		best = max(best, o.head)
	}
	if height+p.cfg.MaxLag < best {
		m.trouble(TroubleLagging, fmt.Sprintf("its head is %d, others have %d", height, best), now)
	}
}

// HeaderByNumber implements Client.
func (p *Pool) HeaderByNumber(ctx context.Context, height uint64) (Header, error) {
	h, _, err := poolCall(ctx, p, func(ctx context.Context, c Client) (Header, error) { return c.HeaderByNumber(ctx, height) })
	return h, err
}

// HeaderByHash implements Client.
func (p *Pool) HeaderByHash(ctx context.Context, hash common.Hash) (Header, error) {
	h, _, err := poolCall(ctx, p, func(ctx context.Context, c Client) (Header, error) { return c.HeaderByHash(ctx, hash) })
	return h, err
}

// LogsByBlock implements Client.
func (p *Pool) LogsByBlock(ctx context.Context, block common.Hash, addrs []common.Address) ([]chain.Log, error) {
	logs, i, err := poolCall(ctx, p, func(ctx context.Context, c Client) ([]chain.Log, error) { return c.LogsByBlock(ctx, block, addrs) })
	p.gave(i, err)
	return logs, err
}

// LogsByRange implements Client. With a quorum, as many endpoints must give the same
// logs: what is read in ranges is final, or about to be.
func (p *Pool) LogsByRange(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error) {
	call := func(ctx context.Context, c Client) ([]chain.Log, error) { return c.LogsByRange(ctx, from, to, addrs) }
	if p.cfg.Quorum > 1 {
		return p.agreedLogs(ctx, call)
	}
	logs, i, err := poolCall(ctx, p, call)
	p.gave(i, err)
	return logs, err
}

func (p *Pool) gave(i int, err error) {
	if err == nil {
		p.mu.Lock()
		p.last = i
		p.mu.Unlock()
	}
}

// Doubt implements Judge: the endpoint that gave the last logs is left alone for a
// while, and another one is asked instead.
func (p *Pool) Doubt(err error) {
	var f *Fault
	if !errors.As(err, &f) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	who := p.last
	switch f.Method {
	case methodFinality:
		who = p.current
	case methodChecking:
	default:
		return // taken down when it came
	}
	m, now := p.members[who], p.cfg.Now()
	m.trouble(TroubleUntrue, err.Error(), now)
	if len(p.members) > 1 {
		m.putOff(now, p.cfg.BackoffMin, p.cfg.BackoffMax, 0, p.cfg.Jitter)
	}
}
