package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxBody bounds what is read of a request or an answer.
const maxBody = 256 << 20

// call is one JSON-RPC request.
type call struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// reply is one JSON-RPC answer.
type reply struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   *rpcError       `json:"error,omitempty"`
}

type rpcError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data,omitempty"`
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var one call
	single := json.Unmarshal(body, &one) == nil && one.Method != ""
	if single && p.control(w, one) {
		return
	}
	p.arrive()
	if single && one.Method == "eth_sendRawTransaction" {
		p.pass(w, r, body) // whether a transaction arrived is not ours to blur
		return
	}
	if p.transport(w, r) {
		return
	}
	if !single {
		p.pass(w, r, body)
		return
	}
	ctx := context.WithoutCancel(r.Context())
	answer, whole, err := p.answer(ctx, one, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	if whole == nil {
		if whole, err = json.Marshal(answer); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if p.draw(Truncated) {
		whole = whole[:len(whole)/2]
	}
	_, _ = w.Write(whole)
}

// transport does the faults that need no answer of the node.
func (p *Proxy) transport(w http.ResponseWriter, r *http.Request) bool {
	switch {
	case p.draw(Throttle):
		if p.intN(2) == 0 {
			w.Header().Set("Retry-After", "1")
		}
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
	case p.draw(Unavailable):
		code := []int{http.StatusBadGateway, http.StatusServiceUnavailable}[p.intN(2)]
		http.Error(w, http.StatusText(code), code)
	case p.draw(Garbage):
		_, _ = io.WriteString(w, []string{"<html><body>We'll be back soon</body></html>", "", "null", `{"jsonrpc":"2.0","id":1,"result":{}}`}[p.intN(4)])
	case p.draw(Stall):
		t := time.NewTimer(p.cfg.Stall)
		defer t.Stop()
		select {
		case <-t.C:
		case <-r.Context().Done():
		case <-p.closed:
		}
		panic(http.ErrAbortHandler)
	default:
		return false
	}
	return true
}

// pass hands a request on as it came.
func (p *Proxy) pass(w http.ResponseWriter, r *http.Request, body []byte) {
	got, err := p.post(r.Context(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(got)
}

func (p *Proxy) post(ctx context.Context, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.cfg.Upstream, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := p.cfg.Client.Do(req)
	if err != nil {
		return nil, errors.New("the node behind the proxy does not answer")
	}
	defer resp.Body.Close()
	return io.ReadAll(io.LimitReader(resp.Body, maxBody))
}

// ask makes a call of our own to the node.
func (p *Proxy) ask(ctx context.Context, method string, params ...any) (reply, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return reply{}, err
	}
	got, err := p.post(ctx, body)
	if err != nil {
		return reply{}, err
	}
	var out reply
	if err := json.Unmarshal(got, &out); err != nil {
		return reply{}, fmt.Errorf("the node's answer to %s: %w", method, err)
	}
	return out, nil
}

// control serves fault_set(name, rate), fault_clear() and fault_status().
func (p *Proxy) control(w http.ResponseWriter, c call) bool {
	out := reply{Version: "2.0", ID: c.ID}
	var err error
	switch c.Method {
	case "fault_set":
		var name Fault
		rate := 1.0
		if len(c.Params) > 0 {
			err = json.Unmarshal(c.Params[0], &name)
		}
		if len(c.Params) > 1 {
			err = errors.Join(err, json.Unmarshal(c.Params[1], &rate))
		}
		if err == nil {
			err = p.Set(name, rate)
		}
		out.Result = json.RawMessage("true")
	case "fault_clear":
		p.Clear()
		out.Result = json.RawMessage("true")
	case "fault_status":
		out.Result, err = json.Marshal(map[string]any{"rates": p.current(), "done": p.Done()})
	default:
		return false
	}
	if err != nil {
		out.Result, out.Error = nil, &rpcError{Code: -32602, Message: err.Error()}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(out)
	return true
}

func (p *Proxy) current() map[Fault]float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[Fault]float64{}
	for f, r := range p.rates {
		if r > 0 {
			out[f] = r
		}
	}
	return out
}
