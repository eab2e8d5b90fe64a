package report

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
)

// ErrNotOperator is returned when the report key is not in the configuration that
// is in force on chain.
var ErrNotOperator = errors.New("not an operator")

// ErrNoProvider is returned when what answers at the provider's address is not an
// EstuaryProvider.
var ErrNoProvider = errors.New("no EstuaryProvider")

// operatorSet is the configuration in force.
type operatorSet struct {
	digest    common.Hash
	threshold int
	operators []common.Address
	read      time.Time
}

// setFresh is how long a configuration that was read is believed; it changes only
// after a delay of hours, and a batch under an old one is refused and sealed anew.
const setFresh = 10 * time.Second

// operators gives the configuration in force.
func (r *Reporter) operators(ctx context.Context) (operatorSet, error) {
	r.setMu.Lock()
	defer r.setMu.Unlock()
	if !r.set.read.IsZero() && r.now().Sub(r.set.read) < setFresh {
		return r.set, nil
	}
	// Two digests around the rest: they agree when nothing changed in between.
	for range 3 {
		set, again, err := r.readOperators(ctx)
		if err != nil {
			return operatorSet{}, fmt.Errorf("reading the operators of %s: %w", r.cfg.Provider, err)
		}
		if set.digest != again {
			continue
		}
		set.read = r.now()
		r.set = set
		r.mu.Lock()
		r.status.ConfigDigest, r.status.Threshold = set.digest, set.threshold
		r.status.Operator = slices.Contains(set.operators, r.signer.Address())
		r.mu.Unlock()
		return set, nil
	}
	return operatorSet{}, errors.New("the operators' configuration changed with each read: the endpoint answers from different blocks")
}

// forgetSet has the configuration read anew.
func (r *Reporter) forgetSet() {
	r.setMu.Lock()
	r.set.read = time.Time{}
	r.setMu.Unlock()
}

func (r *Reporter) readOperators(ctx context.Context) (set operatorSet, again common.Hash, err error) {
	c := r.contract
	first, err := call(ctx, r, c.PackConfigDigest(), c.UnpackConfigDigest)
	if err != nil {
		return set, again, err
	}
	threshold, err := call(ctx, r, c.PackThreshold(), c.UnpackThreshold)
	if err != nil {
		return set, again, err
	}
	operators, err := call(ctx, r, c.PackOperators(), c.UnpackOperators)
	if err != nil {
		return set, again, err
	}
	second, err := call(ctx, r, c.PackConfigDigest(), c.UnpackConfigDigest)
	return operatorSet{digest: first, threshold: int(threshold), operators: operators}, second, err
}

// mayReport fails with words for the operator when this key cannot report at all.
func (r *Reporter) mayReport(set operatorSet) error {
	if !slices.Contains(set.operators, r.signer.Address()) {
		return fmt.Errorf("%w: the report key %s is none of the %d operators of provider %s: configure the right key, or have the owner announce it with proposeOperators", ErrNotOperator, r.signer.Address(), len(set.operators), r.cfg.Provider)
	}
	return nil
}

// call reads one value of the provider at the latest block.
func call[T any](ctx context.Context, r *Reporter, data []byte, unpack func([]byte) (T, error)) (T, error) {
	var zero T
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	to := r.cfg.Provider
	out, err := r.chain.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
	if err != nil {
		return zero, err
	}
	if len(out) == 0 {
		return zero, fmt.Errorf("%w at %s on chain %d: check the address and the RPC endpoint's chain", ErrNoProvider, to, r.cfg.ChainID)
	}
	v, err := unpack(out)
	if err != nil {
		return zero, fmt.Errorf("%w at %s: it answers in another form: %w", ErrNoProvider, to, err)
	}
	return v, nil
}
