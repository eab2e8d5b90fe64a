package watch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// more is what a Client can be besides.
type more interface {
	Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error)
	LogsByReceipts(ctx context.Context, height uint64, addrs []common.Address) ([]chain.Log, error)
}

var errNoCalls = &Fault{Kind: FaultRefused, Endpoint: "the endpoint", Method: "eth_call", Err: errors.New("it only reads blocks and logs")}

// Call runs a contract's function on the state after the block at a height. With a
// quorum, as many endpoints must return the same.
func (p *Pool) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	call := func(ctx context.Context, c Client) ([]byte, error) {
		if m, ok := c.(more); ok {
			return m.Call(ctx, to, data, height)
		}
		return nil, errNoCalls
	}
	if p.cfg.Quorum < 2 {
		got, _, err := poolCall(ctx, p, call)
		return got, err
	}
	ask, _ := p.candidates()
	var answers [][]byte
	var failed error
	for _, i := range ask {
		got, err := memberCall(ctx, p, i, call)
		if err != nil {
			failed = err
			_ = p.note(i, err)
			continue
		}
		votes := 1
		for _, a := range answers {
			if bytes.Equal(a, got) {
				votes++
			}
		}
		if answers = append(answers, got); votes >= p.cfg.Quorum {
			return got, nil
		}
	}
	if len(answers) < p.cfg.Quorum && failed != nil {
		return nil, failed
	}
	return nil, &Fault{Kind: FaultGarbage, Endpoint: "the endpoints", Method: "eth_call", Err: fmt.Errorf("no %d of them return the same", p.cfg.Quorum)}
}

// LogsShown gives what one endpoint shows of heights that are not yet final, also where a
// quorum decides what is.
func (p *Pool) LogsShown(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error) {
	logs, _, err := poolCall(ctx, p, func(ctx context.Context, c Client) ([]chain.Log, error) { return c.LogsByRange(ctx, from, to, addrs) })
	return logs, err
}

// LogsByReceipts gives what one endpoint has in the receipts of a block.
func (p *Pool) LogsByReceipts(ctx context.Context, height uint64, addrs []common.Address) ([]chain.Log, error) {
	logs, _, err := poolCall(ctx, p, func(ctx context.Context, c Client) ([]chain.Log, error) {
		if m, ok := c.(more); ok {
			return m.LogsByReceipts(ctx, height, addrs)
		}
		return nil, errNoCalls
	})
	return logs, err
}

// Everywhere gives the logs of addrs in the canonical blocks from..to that any
// endpoint shows: in a range read, and of a single block by its hash and in its
// receipts too. It is how an index with holes is got round: what one way or one
// endpoint leaves out, another may have. It fails only where nothing answered.
func (p *Pool) Everywhere(ctx context.Context, from, to uint64, addrs []common.Address) ([]chain.Log, error) {
	at := map[uint64]common.Hash{}
	found := map[ident]chain.Log{}
	var failed error
	answered := false
	take := func(i int, read func(context.Context, Client) ([]chain.Log, error)) {
		logs, err := memberCall(ctx, p, i, read)
		if err != nil {
			if failed = err; kindOf(err) != FaultRefused {
				_ = p.note(i, err)
			}
			return
		}
		answered = true
		for _, l := range logs {
			if l.Height < from || l.Height > to {
				continue
			}
			if _, known := at[l.Height]; !known {
				h, err := p.HeaderByNumber(ctx, l.Height)
				if err != nil {
					failed = err
					continue
				}
				at[l.Height] = h.Hash
			}
			if at[l.Height] == l.Block {
				found[identOf(l)] = l
			}
		}
	}
	ask, soonest := p.candidates()
	if len(ask) == 0 {
		return nil, p.allPutOff(soonest)
	}
	for _, i := range ask {
		take(i, func(ctx context.Context, c Client) ([]chain.Log, error) { return c.LogsByRange(ctx, from, to, addrs) })
		if from != to {
			continue
		}
		h, err := p.HeaderByNumber(ctx, from)
		if err != nil {
			failed = err
			continue
		}
		take(i, func(ctx context.Context, c Client) ([]chain.Log, error) { return c.LogsByBlock(ctx, h.Hash, addrs) })
		take(i, func(ctx context.Context, c Client) ([]chain.Log, error) {
			if m, ok := c.(more); ok {
				return m.LogsByReceipts(ctx, from, addrs)
			}
			return nil, errNoCalls
		})
	}
	if !answered {
		return nil, errors.Join(errors.New("no endpoint answered"), failed)
	}
	out := make([]chain.Log, 0, len(found))
	for _, l := range found {
		out = append(out, l)
	}
	slices.SortFunc(out, inOrder)
	return out, nil
}
