package txmgr

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
)

// Tag names a block in a read: "latest", "finalized" or a height in 0x form.
type Tag string

// Tags of the moving blocks.
const (
	Latest    Tag = "latest"
	Finalized Tag = "finalized"
)

// At is the tag of a height.
func At(height uint64) Tag { return Tag(fmt.Sprintf("0x%x", height)) }

// Head is what the sender needs of a block's header. Hash is what the endpoint
// says, never computed: Filecoin nodes hash their own way.
type Head struct {
	Height   uint64
	Hash     common.Hash
	BaseFee  *big.Int // nil where the chain has none
	GasLimit uint64
}

// Receipt is what became of a transaction in a block.
type Receipt struct {
	Block   common.Hash
	Height  uint64
	GasUsed uint64
	Price   *big.Int // effective gas price; nil when not told
	Success bool
}

// ErrNoBlock is returned by an endpoint that has no block for a tag: a null
// round, a height above its head, or no finalized block yet.
var ErrNoBlock = errors.New("no such block")

// Reader reads state and blocks.
type Reader interface {
	ChainID(ctx context.Context) (uint64, error)
	// Nonce is how many transactions addr has sent up to the block.
	Nonce(ctx context.Context, addr common.Address, at Tag) (uint64, error)
	// Balance is in attoFIL at the latest block.
	Balance(ctx context.Context, addr common.Address) (*big.Int, error)
	Head(ctx context.Context, at Tag) (Head, error) // ErrNoBlock
	// Receipt returns false for a transaction that is in no block the endpoint knows.
	Receipt(ctx context.Context, hash common.Hash) (Receipt, bool, error)
}

// Writer simulates and sends.
type Writer interface {
	// Call runs a message and drops what it returns. A revert is a *Revert.
	Call(ctx context.Context, msg ethereum.CallMsg, at Tag) error
	// EstimateGas is the smallest gas limit known to suffice. A revert is a *Revert.
	EstimateGas(ctx context.Context, msg ethereum.CallMsg) (uint64, error)
	Tip(ctx context.Context) (*big.Int, error)
	SendRaw(ctx context.Context, raw []byte) error
}

// Endpoint is one JSON-RPC server.
type Endpoint interface {
	Name() string // for words: never holds credentials
	Reader
	Writer
}

// ErrWrongChain is returned when an endpoint serves another chain than the
// configured one. Such an endpoint is never used.
var ErrWrongChain = errors.New("endpoint of another chain")

// pool reads from one endpoint as long as it answers, and writes to all.
type pool struct {
	endpoints []Endpoint
	chainID   uint64
	timeout   time.Duration

	mu      sync.Mutex
	checked map[string]bool
	current int
}

func newPool(endpoints []Endpoint, chainID uint64, timeout time.Duration) *pool {
	return &pool{endpoints: endpoints, chainID: chainID, timeout: timeout, checked: map[string]bool{}}
}

// usable checks an endpoint's chain once.
func (p *pool) usable(ctx context.Context, e Endpoint) error {
	p.mu.Lock()
	done := p.checked[e.Name()]
	p.mu.Unlock()
	if done {
		return nil
	}
	id, err := e.ChainID(ctx)
	if err != nil {
		return err
	}
	if id != p.chainID {
		return fmt.Errorf("%w: it serves chain %d, configured is %d: correct the URL or the chain id", ErrWrongChain, id, p.chainID)
	}
	p.mu.Lock()
	p.checked[e.Name()] = true
	p.mu.Unlock()
	return nil
}

// read asks endpoints in turn, the one that answered last first. An answer that
// is a verdict (a revert, too little money) is an answer.
func (p *pool) read(ctx context.Context, fn func(context.Context, Endpoint) error) error {
	p.mu.Lock()
	first := p.current
	p.mu.Unlock()
	var all []error
	for i := range p.endpoints {
		n := (first + i) % len(p.endpoints)
		e := p.endpoints[n]
		err := p.ask(ctx, e, fn)
		if err == nil || isVerdict(err) {
			p.mu.Lock()
			p.current = n
			p.mu.Unlock()
			return err
		}
		all = append(all, fmt.Errorf("%s: %w", e.Name(), err))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(all...)
}

func (p *pool) ask(ctx context.Context, e Endpoint, fn func(context.Context, Endpoint) error) error {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	if err := p.usable(ctx, e); err != nil {
		return err
	}
	return fn(ctx, e)
}

// afterFirst is how long slower endpoints may take once one has the bytes.
const afterFirst = 500 * time.Millisecond

// broadcast gives raw to every endpoint at once and sums up their replies.
func (p *pool) broadcast(ctx context.Context, raw []byte) reply {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	answers := make(chan reply, len(p.endpoints))
	for _, e := range p.endpoints {
		go func() {
			err := p.usable(ctx, e)
			if err == nil {
				err = e.SendRaw(ctx, raw)
			}
			r := classify(err)
			if r.words != "" {
				r.words = e.Name() + ": " + r.words
			}
			answers <- r
		}()
	}
	var got []reply
	var grace <-chan time.Time
	for range p.endpoints {
		select {
		case r := <-answers:
			got = append(got, r)
			if r.class == accepted && grace == nil {
				timer := time.NewTimer(afterFirst)
				defer timer.Stop()
				grace = timer.C
			}
		case <-grace:
			return sum(got)
		}
	}
	return sum(got)
}

// sum makes one reply of many: accepted by one is accepted; otherwise one that
// is unknown leaves all unknown, for the bytes may be in that endpoint's pool.
func sum(got []reply) reply {
	best := reply{class: refused}
	var words []string
	for _, r := range got {
		if r.words != "" {
			words = append(words, r.words)
		}
		if r.class > best.class || (r.class == best.class && r.why > best.why) {
			best.class, best.why = r.class, r.why
		}
	}
	best.words = strings.Join(words, "; ")
	return best
}
