package fault

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

// answer gives what the proxy says to a call: the node's own bytes, or a changed reply.
func (p *Proxy) answer(ctx context.Context, c call, body []byte) (reply, []byte, error) {
	behind := p.behind()
	if behind > 0 {
		if out, done, err := p.fromBehind(ctx, c, behind); done || err != nil {
			out.Version, out.ID = "2.0", c.ID
			return out, nil, err
		}
	}
	if c.Method == "eth_getBlockByNumber" && len(c.Params) > 0 && string(c.Params[0]) == `"finalized"` && p.draw(FinalityLies) {
		out, err := p.ask(ctx, c.Method, "latest", false)
		out.ID = c.ID
		return out, nil, err
	}
	whole, err := p.post(ctx, body)
	if err != nil {
		return reply{}, nil, err
	}
	var out reply
	if json.Unmarshal(whole, &out) != nil || out.Error != nil {
		return reply{}, whole, nil
	}
	changed := false
	switch c.Method {
	case "eth_getLogs":
		changed, err = p.changeLogs(ctx, c, &out)
	case "eth_getTransactionReceipt":
		changed, err = p.changeReceipt(&out)
	case "eth_getBlockReceipts":
		changed, err = p.changeReceipts(&out)
	}
	if err != nil || !changed {
		return reply{}, whole, err
	}
	return out, nil, nil
}

// log is an event log with its fields as they came.
type log = map[string]json.RawMessage

func height(l log) uint64 { return quantity(l["blockNumber"]) }

func quantity(raw json.RawMessage) uint64 {
	n, _ := strconv.ParseUint(strings.TrimPrefix(strings.Trim(string(raw), `"`), "0x"), 16, 64)
	return n
}

func (p *Proxy) changeLogs(ctx context.Context, c call, out *reply) (bool, error) {
	var logs []log
	if json.Unmarshal(out.Result, &logs) != nil || len(logs) == 0 {
		return false, nil
	}
	var filter struct {
		BlockHash string `json:"blockHash"`
	}
	if len(c.Params) > 0 {
		_ = json.Unmarshal(c.Params[0], &filter)
	}
	changed := false
	if p.on(LateLogs) {
		head, err := p.head(ctx)
		if err != nil {
			return false, err
		}
		logs, changed = p.without(logs, LateLogs, func(l log) bool { return height(l)+2 > head }, changed)
	}
	if rate := p.rate(IndexHoles); rate > 0 {
		logs, changed = p.without(logs, IndexHoles, func(l log) bool { return share(l["blockHash"], p.cfg.Seed) < rate }, changed)
	}
	if p.on(LogIndex) && filter.BlockHash != "" {
		for _, l := range logs {
			l["logIndex"] = json.RawMessage(fmt.Sprintf(`"0x%x"`, quantity(l["logIndex"])+100))
		}
		p.did(LogIndex)
		changed = true
	}
	if len(logs) > 0 && p.draw(DoubleLogs) {
		for _, l := range logs[:len(logs):len(logs)] {
			twin := make(log, len(l))
			for k, v := range l {
				twin[k] = v
			}
			twin["logIndex"] = json.RawMessage(fmt.Sprintf(`"0x%x"`, quantity(l["logIndex"])+1000))
			logs = append(logs, twin)
		}
		changed = true
	}
	if len(logs) > 0 && p.draw(RemovedLogs) {
		for _, l := range logs {
			l["removed"] = json.RawMessage("true")
		}
		changed = true
	}
	if !changed {
		return false, nil
	}
	if logs == nil {
		logs = []log{}
	}
	var err error
	out.Result, err = json.Marshal(logs)
	return true, err
}

// without leaves out the logs that gone names.
func (p *Proxy) without(logs []log, f Fault, gone func(log) bool, changed bool) ([]log, bool) {
	kept := logs[:0:0]
	for _, l := range logs {
		if !gone(l) {
			kept = append(kept, l)
		}
	}
	if len(kept) < len(logs) {
		p.did(f)
		changed = true
	}
	return kept, changed
}

// share draws from [0, 1), always the same for one block.
func share(block json.RawMessage, seed uint64) float64 {
	h := fnv.New64a()
	_, _ = fmt.Fprintf(h, "%d %s", seed, block)
	return float64(h.Sum64()>>11) / (1 << 53)
}

func (p *Proxy) changeReceipt(out *reply) (bool, error) {
	if p.draw(NoReceipts) {
		out.Result = json.RawMessage("null")
		return true, nil
	}
	var r map[string]json.RawMessage
	if !p.draw(EmptyReceipts) || json.Unmarshal(out.Result, &r) != nil || r == nil {
		return false, nil
	}
	r["logs"] = json.RawMessage("[]")
	var err error
	out.Result, err = json.Marshal(r)
	return true, err
}

func (p *Proxy) changeReceipts(out *reply) (bool, error) {
	var all []map[string]json.RawMessage
	if !p.draw(EmptyReceipts) || json.Unmarshal(out.Result, &all) != nil {
		return false, nil
	}
	for _, r := range all {
		r["logs"] = json.RawMessage("[]")
	}
	var err error
	out.Result, err = json.Marshal(all)
	return true, err
}
