package report

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
	"golang.org/x/sync/errgroup"
)

// States of a request on chain (IExecutionProvider.RequestState) in which it takes
// an answer.
const (
	stateNone       = 0
	stateOpen       = 1
	stateCancelling = 2
)

// atOnce is how many requests are asked about at the same time.
const atOnce = 8

// inBatch is how many requests are asked about in one batch of calls, batchPause how
// long an endpoint that refused one is not given another.
const (
	inBatch    = 50
	batchPause = time.Minute
)

// stillOpen asks the contract about each request and leaves out what it would skip. What
// one endpoint says may cost the gas of a report that is skipped; but that an answer is
// not sent is believed, where several endpoints must agree, only if they do.
func (r *Reporter) stillOpen(ctx context.Context, in []candidate) ([]candidate, error) {
	ids := make([]common.Hash, len(in))
	for i, c := range in {
		ids[i] = c.Request
	}
	states, err := r.statesOf(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("asking whether requests are still open: %w", err)
	}
	var out []candidate
	for i, c := range in {
		switch r.denied(ctx, c.Request, states[i]) {
		case stateOpen, stateCancelling:
			out = append(out, c)
		case stateNone:
			r.hold(c.Answer, "the endpoint does not know the request although it is final here: it is behind, or on another chain", true)
		default:
			r.hold(c.Answer, "the request is closed on chain already; it is settled when that is final", false)
		}
	}
	return out, nil
}

// denied gives what counts of a state that one endpoint said: what several say, if they
// agree and it takes no answer. Such requests are few: each is held back for a while.
func (r *Reporter) denied(ctx context.Context, id common.Hash, state uint8) uint8 {
	if r.quorum == nil || state == stateOpen || state == stateCancelling {
		return state
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	out, err := r.quorum.CallAgreed(ctx, r.cfg.Provider, r.contract.PackStateOf(id))
	if err != nil {
		r.log.Debug("the endpoints do not agree on a request's state", "request", id.Hex(), "error", err)
		return state // it is asked for again when it is not held any more
	}
	agreed, err := r.contract.UnpackStateOf(out)
	if err != nil {
		return state
	}
	if agreed != state {
		r.log.Warn("one endpoint says otherwise of a request than those that agree", "request", id.Hex(), "one", state, "agreed", agreed)
	}
	return agreed
}

// statesOf gives the states of requests on chain, at the latest block.
func (r *Reporter) statesOf(ctx context.Context, ids []common.Hash) ([]uint8, error) {
	states, known := make([]uint8, len(ids)), make([]bool, len(ids))
	for from := 0; from < len(ids); from += inBatch {
		to := min(from+inBatch, len(ids))
		r.statesInBatch(ctx, ids[from:to], states[from:to], known[from:to])
	}
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, id := range ids {
		if known[i] {
			continue
		}
		g.Go(func() (err error) {
			states[i], err = call(gctx, r, r.contract.PackStateOf(id), r.contract.UnpackStateOf)
			return err
		})
	}
	return states, g.Wait()
}

// statesInBatch asks about several requests in one go and says which it came to know.
// Whatever is wrong with a batch or with one call of it, each by itself says better.
func (r *Reporter) statesInBatch(ctx context.Context, ids []common.Hash, states []uint8, known []bool) {
	if r.batches == nil || len(ids) < 2 || r.now().Before(r.batchAgain) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.cfg.CallTimeout)
	defer cancel()
	calls, results := make([]rpc.BatchElem, len(ids)), make([]hexutil.Bytes, len(ids))
	for i, id := range ids {
		ask := map[string]any{"to": r.cfg.Provider, "input": hexutil.Bytes(r.contract.PackStateOf(id))}
		calls[i] = rpc.BatchElem{Method: "eth_call", Args: []any{ask, "latest"}, Result: &results[i]}
	}
	if err := r.batches.BatchCallContext(ctx, calls); err != nil {
		if ctx.Err() == nil {
			r.log.Debug("the endpoint takes no batch of calls; each is made by itself", "error", err)
		}
		r.batchAgain = r.now().Add(batchPause)
		return
	}
	for i := range calls {
		if calls[i].Error != nil {
			continue
		}
		if state, err := r.contract.UnpackStateOf(results[i]); err == nil {
			states[i], known[i] = state, true
		}
	}
}
