package fault

import (
	"context"
	"encoding/json"
	"fmt"
)

// behind is how many blocks behind the node that answers now is.
func (p *Proxy) behind() uint64 {
	n := uint64(0)
	if p.on(Lagging) {
		p.did(Lagging)
		n = p.cfg.Lag
	}
	if p.draw(Backwards) {
		n += 1 + uint64(p.intN(int(p.cfg.Lag)))
	}
	return n
}

// head is the height of the node's newest block.
func (p *Proxy) head(ctx context.Context) (uint64, error) {
	got, err := p.ask(ctx, "eth_blockNumber")
	return quantity(got.Result), err
}

// fromBehind answers as a node that is so many blocks behind; done is false for calls
// to which such a node says the same.
func (p *Proxy) fromBehind(ctx context.Context, c call, behind uint64) (reply, bool, error) {
	head, err := p.head(ctx)
	if err != nil {
		return reply{}, false, err
	}
	top := head - min(head, behind)
	future := reply{Error: &rpcError{Code: 1, Message: "requested a future epoch (beyond 'latest')"}}
	switch c.Method {
	case "eth_blockNumber":
		return reply{Result: json.RawMessage(fmt.Sprintf(`"0x%x"`, top))}, true, nil
	case "eth_getBlockByNumber":
		return p.blockFromBehind(ctx, c, top, future)
	case "eth_getLogs":
		var f struct {
			ToBlock   json.RawMessage `json:"toBlock"`
			BlockHash string          `json:"blockHash"`
		}
		if len(c.Params) > 0 {
			_ = json.Unmarshal(c.Params[0], &f)
		}
		if f.BlockHash == "" && quantity(f.ToBlock) > top {
			return future, true, nil
		}
		if f.BlockHash == "" {
			return reply{}, false, nil
		}
		b, err := p.ask(ctx, "eth_getBlockByHash", f.BlockHash, false)
		if err != nil {
			return reply{}, false, err
		}
		var block log
		if json.Unmarshal(b.Result, &block) == nil && quantity(block["number"]) > top {
			return reply{Error: &rpcError{Code: 1, Message: "failed to lookup tipset: block not found"}}, true, nil
		}
	case "eth_getTransactionReceipt":
		if len(c.Params) == 0 {
			return reply{}, false, nil
		}
		got, err := p.ask(ctx, c.Method, c.Params[0])
		var r log
		if err == nil && json.Unmarshal(got.Result, &r) == nil && height(r) > top {
			return reply{Result: json.RawMessage("null")}, true, nil
		}
		return reply{}, false, err
	}
	return reply{}, false, nil
}

// blockFromBehind answers eth_getBlockByNumber where top is the newest block.
func (p *Proxy) blockFromBehind(ctx context.Context, c call, top uint64, future reply) (reply, bool, error) {
	if len(c.Params) == 0 {
		return reply{}, false, nil
	}
	var ref string
	if json.Unmarshal(c.Params[0], &ref) != nil {
		return reply{}, false, nil
	}
	switch ref {
	case "latest", "finalized", "safe":
	default:
		if quantity(c.Params[0]) > top {
			return future, true, nil
		}
		return reply{}, false, nil
	}
	if ref != "latest" {
		got, err := p.ask(ctx, c.Method, ref, false)
		var b log
		if err != nil || json.Unmarshal(got.Result, &b) != nil || quantity(b["number"]) <= top {
			return reply{}, false, err
		}
	}
	for h := top; ; h-- { // null rounds have no block
		got, err := p.ask(ctx, c.Method, fmt.Sprintf("0x%x", h), false)
		if err != nil || got.Error == nil && string(got.Result) != "null" || h == 0 {
			return got, true, err
		}
	}
}
