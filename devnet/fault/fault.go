// Package fault is a proxy before a JSON-RPC endpoint that adds what public endpoints
// add: lag, heads that go back, 429, 5xx, garbage, cut answers, stalls, logs that come
// late or never, receipts that vanish, removed logs, other log indices, lies about
// finality. It is seeded: the same requests in the same order meet the same faults.
//
// It serves HTTP only, keeps no state of the chain, and knows no contract. Like all of
// devnet it can be used without Tidegate, before any node.
//
// Map:
//
//	fault.go   Fault, the catalogue; Config, Step, Proxy: switches and script
//	serve.go   requests and answers, faults of the transport, fault_* methods
//	answers.go faults in answers: what the node says, changed
//	view.go    the chain as a node behind sees it
//
// Invariants: without faults every answer is the node's, byte for byte; a fault
// changes one answer and never a transaction on its way to the node.
package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Fault names one kind of fault.
type Fault string

// The catalogue. Rate is the share of answers that a fault changes, but for Lagging,
// LateLogs and IndexHoles, whose rates are said with them.
const (
	Lagging       Fault = "lagging"        // the node is Config.Lag blocks behind, at any rate above 0
	Backwards     Fault = "backwards"      // this answer comes from a node up to Config.Lag blocks behind, or that much more
	Throttle      Fault = "throttle"       // HTTP 429, every other one with Retry-After
	Unavailable   Fault = "unavailable"    // HTTP 502 or 503
	Garbage       Fault = "garbage"        // 200 with HTML, nothing, null, or an answer of another kind
	Truncated     Fault = "truncated"      // the answer ends in the middle
	Stall         Fault = "stall"          // nothing comes for Config.Stall, then the connection closes
	LateLogs      Fault = "late-logs"      // logs of the newest two blocks are shown only later, at any rate above 0
	IndexHoles    Fault = "index-holes"    // this share of blocks has no logs in eth_getLogs, ever; receipts have them
	NoReceipts    Fault = "no-receipts"    // eth_getTransactionReceipt is null
	EmptyReceipts Fault = "empty-receipts" // receipts have no logs
	RemovedLogs   Fault = "removed-logs"   // logs are marked removed
	DoubleLogs    Fault = "double-logs"    // logs are shown twice, under two indices
	LogIndex      Fault = "log-index"      // logs by block hash are numbered otherwise than in ranges, at any rate above 0
	FinalityLies  Fault = "finality-lies"  // the newest block is called final
)

// About says of each fault which source or issue it imitates.
var About = map[Fault]string{
	Lagging:       "a node that is syncing behind a load balancer (go-ethereum#24078; chainlink#12605)",
	Backwards:     "several nodes behind one name (go-ethereum#26098; rindexer#231)",
	Throttle:      "rate limits of hosted endpoints (RFC 6585; Glif, Ankr)",
	Unavailable:   "a gateway without a healthy node (RFC 9110, 15.6)",
	Garbage:       "a landing page or an empty body instead of an answer (ponder rpc retries; curio#1474)",
	Truncated:     "a proxy that cuts long answers (RFC 9112, 8)",
	Stall:         "a node that is busy reindexing (lotus#12853)",
	LateLogs:      "logs of the head that appear later (lotus#12078, lotus#13758)",
	IndexHoles:    "an index with holes that answers [] (lotus#13749)",
	NoReceipts:    "a gateway's look-back of 20 epochs (lotus gateway/node.go; lotus#11583)",
	EmptyReceipts: "receipts whose logs are filled in later (lotus#13758)",
	RemovedLogs:   "logs of orphaned tipsets by block hash (lotus chain/index/events.go; lotus#12584)",
	DoubleLogs:    "duplicated events (lotus#10964)",
	LogIndex:      "indices that differ between methods (lotus#11630, lotus#12254)",
	FinalityLies:  "a node that takes its head for final (ponder#2221)",
}

// All lists every fault, sorted.
func All() []Fault {
	out := make([]Fault, 0, len(About))
	for f := range About {
		out = append(out, f)
	}
	slices.Sort(out)
	return out
}

// Realistic is what a public endpoint does on an ordinary day.
func Realistic() map[Fault]float64 {
	return map[Fault]float64{
		Backwards: 0.05, Throttle: 0.02, Unavailable: 0.02, Garbage: 0.005, Truncated: 0.005, LateLogs: 1, LogIndex: 1,
		EmptyReceipts: 0.05, DoubleLogs: 0.02,
	}
}

// Step switches a fault when so many requests have come.
type Step struct {
	At    int
	Fault Fault
	Rate  float64
}

// Config says before what a Proxy stands, and how it misbehaves.
type Config struct {
	Upstream string            // URL of the node, http or https
	Seed     uint64            // decides everything that is drawn
	Rates    map[Fault]float64 // from the start
	Script   []Step            // and later
	Lag      uint64            // blocks; default 8
	Stall    time.Duration     // default 10 s
	Client   *http.Client      // to the node; default one of its own
}

// Proxy is an http.Handler. Close it when done.
type Proxy struct {
	cfg Config

	mu     sync.Mutex
	rng    *rand.Rand
	rates  map[Fault]float64
	script []Step
	count  int
	done   map[Fault]int // how often each fault was done
	closed chan struct{}
}

// ErrConfig is wrapped into what New and Set say of impossible values.
var ErrConfig = errors.New("bad fault configuration")

// New makes a proxy that serves at once.
func New(cfg Config) (*Proxy, error) {
	u, err := url.Parse(cfg.Upstream)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%w: the node's URL must be http or https", ErrConfig)
	}
	if cfg.Lag == 0 {
		cfg.Lag = 8
	}
	if cfg.Stall <= 0 {
		cfg.Stall = 10 * time.Second
	}
	if cfg.Client == nil {
		cfg.Client = &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	}
	p := &Proxy{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x7469646567617465)), rates: map[Fault]float64{}, done: map[Fault]int{}, closed: make(chan struct{})}
	for f, r := range cfg.Rates {
		if err := p.Set(f, r); err != nil {
			return nil, err
		}
	}
	for _, s := range cfg.Script {
		if err := check(s.Fault, s.Rate); err != nil {
			return nil, err
		}
	}
	p.script = slices.Clone(cfg.Script)
	slices.SortStableFunc(p.script, func(a, b Step) int { return a.At - b.At })
	return p, nil
}

// Close ends stalls and connections to the node.
func (p *Proxy) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
	default:
		close(p.closed)
	}
	p.cfg.Client.CloseIdleConnections()
}

func check(f Fault, rate float64) error {
	if _, known := About[f]; !known {
		return fmt.Errorf("%w: no fault %q; there are %v", ErrConfig, f, All())
	}
	if rate < 0 || rate > 1 {
		return fmt.Errorf("%w: the rate of %s is %v, not between 0 and 1", ErrConfig, f, rate)
	}
	return nil
}

// Set switches a fault; rate 0 is off.
func (p *Proxy) Set(f Fault, rate float64) error {
	if err := check(f, rate); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rates[f] = rate
	return nil
}

// Clear switches all faults off.
func (p *Proxy) Clear() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.rates)
	p.script = nil
}

// Done says how often each fault was done.
func (p *Proxy) Done() map[Fault]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make(map[Fault]int, len(p.done))
	for f, n := range p.done {
		out[f] = n
	}
	return out
}

// arrive counts a request and does what the script says.
func (p *Proxy) arrive() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count++
	for len(p.script) > 0 && p.script[0].At <= p.count {
		p.rates[p.script[0].Fault] = p.script[0].Rate
		p.script = p.script[1:]
	}
}

// draw reports whether a fault is done now.
func (p *Proxy) draw(f Fault) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	hit := p.rates[f] > 0 && p.rng.Float64() < p.rates[f]
	if hit {
		p.done[f]++
	}
	return hit
}

// on reports whether a fault that has no rate is switched on.
func (p *Proxy) on(f Fault) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rates[f] > 0
}

func (p *Proxy) did(f Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done[f]++
}

func (p *Proxy) intN(n int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rng.IntN(n)
}

func (p *Proxy) rate(f Fault) float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rates[f]
}

// Parse reads switches as they are written on command lines: names with commas
// between, each with "=rate" where it is not 1; "realistic" stands for Realistic().
func Parse(text string) (map[Fault]float64, error) {
	out := map[Fault]float64{}
	for _, word := range strings.Split(text, ",") {
		name, value, has := strings.Cut(strings.TrimSpace(word), "=")
		rate := 1.0
		if has {
			var err error
			if rate, err = strconv.ParseFloat(value, 64); err != nil {
				return nil, fmt.Errorf("%w: %q is no rate", ErrConfig, value)
			}
		}
		switch {
		case name == "":
			continue
		case name == "realistic" && !has:
			for f, r := range Realistic() {
				out[f] = r
			}
			continue
		}
		if err := check(Fault(name), rate); err != nil {
			return nil, err
		}
		out[Fault(name)] = rate
	}
	return out, nil
}
