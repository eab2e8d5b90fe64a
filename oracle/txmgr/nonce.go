package txmgr

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// AdoptedKey is the ledger's meta key of the nonce up to which a person has
// accepted foreign use of addr.
func AdoptedKey(addr common.Address) string {
	return "sender/" + strings.ToLower(addr.Hex()) + "/adopted-nonce"
}

// AdoptLedger is what Adopt needs of the ledger.
type AdoptLedger interface {
	UnparkSender(ctx context.Context, addr common.Address) error
	SetMeta(ctx context.Context, key, value string) error
}

// NonceReader tells the chain's count of an address.
type NonceReader interface {
	Nonce(ctx context.Context, addr common.Address, at Tag) (uint64, error)
}

// Adopt accepts that addr was used from elsewhere up to the chain's latest nonce,
// which it returns, and lifts the parking. It may be called while a Sender runs.
// The person who calls it says that nothing else sends with the key from now on.
func Adopt(ctx context.Context, ledger AdoptLedger, endpoint NonceReader, addr common.Address) (uint64, error) {
	nonce, err := endpoint.Nonce(ctx, addr, Latest)
	if err != nil {
		return 0, fmt.Errorf("reading the nonce of %s: %w", addr, err)
	}
	if err := ledger.SetMeta(ctx, AdoptedKey(addr), strconv.FormatUint(nonce, 10)); err != nil {
		return 0, fmt.Errorf("storing the adopted nonce of %s: %w", addr, err)
	}
	if err := ledger.UnparkSender(ctx, addr); err != nil && !errors.Is(err, job.ErrNotFound) {
		return 0, fmt.Errorf("unparking %s: %w", addr, err)
	}
	return nonce, nil
}

func (s *Sender) adopted(ctx context.Context) (uint64, error) {
	text, ok, err := s.ledger.GetMeta(ctx, AdoptedKey(s.addr))
	if err != nil {
		return 0, fmt.Errorf("reading the adopted nonce: %w", err)
	}
	if !ok {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("the ledger's adopted nonce of %s is not a number: run `tidegate keys adopt` again", s.addr)
	}
	return n, nil
}

// nextNonce gives the nonce of the next new transaction, or false when none may be
// made now: the key was just parked, or the endpoint is behind (t.waiting says so).
//
// Where no row holds a nonce the chain's count is taken as it is: a ledger that
// remembers nothing cannot collide with anything, and an operator who brings a
// used key to a new installation needs no ceremony. Where rows hold nonces, a count
// above them means that somebody else sends with this key, and two senders with one
// key lose transactions to each other: a person must say which of them stops.
func (t *turn) nextNonce(ctx context.Context) (uint64, bool, error) {
	s := t.s
	highest, any, err := s.ledger.HighestNonce(ctx, s.addr)
	if err != nil {
		return 0, false, fmt.Errorf("reading the highest nonce: %w", err)
	}
	onChain := t.view.nonce
	if !any {
		return onChain, true, nil
	}
	adopted, err := s.adopted(ctx)
	if err != nil {
		return 0, false, err
	}
	next := max(highest+1, adopted)
	if onChain > next {
		why := fmt.Sprintf("the chain counts %d transactions of %s, this ledger knows of %d: another program uses the key, or the ledger is an old copy; stop the other one, then run `tidegate keys adopt`", onChain, s.addr, next)
		if err := s.ledger.ParkSender(ctx, s.addr, s.fence, why); err != nil {
			return 0, false, fmt.Errorf("parking %s: %w", s.addr, err)
		}
		s.parked = why
		s.metrics.parked(true)
		s.log.Error("the key is parked until a person acts", "why", why)
		return 0, false, nil
	}
	lowest := next
	for _, r := range t.rows {
		if r.HasNonce && (r.State == chain.TxSigned || r.State == chain.TxSent) && r.Nonce < lowest {
			lowest = r.Nonce
		}
	}
	if onChain < lowest {
		t.waiting = fmt.Sprintf("the endpoint counts %d transactions of %s where %d are in blocks: it is behind, or serves a chain that was reset (then start with a new data directory)", onChain, s.addr, lowest)
		return 0, false, nil
	}
	return next, true, nil
}
