package rpc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/filecoin-project/go-jsonrpc"
)

// answer reads a request or a batch. Single requests are go-jsonrpc's, with its HTTP
// status 500 for calls that never reached a method, as Lotus has it. Batches are
// taken apart here, so that each call fails for itself and sizes are bounded.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, calls *jsonrpc.RPCServer) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.config.MaxBody))
	if err != nil {
		if tooBig := new(http.MaxBytesError); errors.As(err, &tooBig) {
			refuse(w, http.StatusRequestEntityTooLarge, codeInvalidRequest, fmt.Sprintf("request bigger than maximum %d allowed", tooBig.Limit))
		}
		return // the caller is gone
	}
	body = bytes.TrimSpace(body)
	if len(body) == 0 || body[0] != '[' {
		r.Body = io.NopCloser(bytes.NewReader(body))
		calls.ServeHTTP(w, r)
		return
	}
	var batch []json.RawMessage
	if err := json.Unmarshal(body, &batch); err != nil {
		refuse(w, http.StatusInternalServerError, codeParse, "Parse error")
		return
	}
	switch {
	case len(batch) == 0:
		refuse(w, http.StatusBadRequest, codeInvalidRequest, "Invalid request")
		return
	case len(batch) > s.config.MaxBatch:
		refuse(w, http.StatusBadRequest, codeInvalidRequest, fmt.Sprintf("batch of %d calls is too large: send at most %d", len(batch), s.config.MaxBatch))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(s.answerBatch(r.Context(), batch, calls)) // an error is a caller that is gone
}

func (s *Server) answerBatch(ctx context.Context, batch []json.RawMessage, calls *jsonrpc.RPCServer) []byte {
	var out bytes.Buffer
	out.WriteByte('[')
	for _, call := range batch {
		one := s.answerOne(ctx, call, calls, out.Len())
		if len(one) == 0 {
			continue // a notification
		}
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		out.Write(one)
	}
	out.WriteByte(']')
	return out.Bytes()
}

func (s *Server) answerOne(ctx context.Context, call json.RawMessage, calls *jsonrpc.RPCServer, written int) []byte {
	var one bytes.Buffer
	if len(call) == 0 || call[0] != '{' {
		return refusal(nil, codeInvalidRequest, "Invalid request")
	}
	if written > s.config.MaxResponse {
		var head struct {
			ID json.RawMessage `json:"id"`
		}
		if json.Unmarshal(call, &head) != nil || head.ID == nil {
			return nil
		}
		return refusal(head.ID, codeLimit, "response too large: send smaller batches")
	}
	calls.HandleRequest(ctx, bytes.NewReader(call), &one)
	return bytes.TrimSpace(one.Bytes())
}

func refuse(w http.ResponseWriter, status int, code jsonrpc.ErrorCode, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(refusal(nil, code, text)) // an error is a caller that is gone
}

func refusal(id json.RawMessage, code jsonrpc.ErrorCode, text string) []byte {
	out, err := json.Marshal(struct {
		Jsonrpc string                `json:"jsonrpc"`
		ID      json.RawMessage       `json:"id"`
		Error   *jsonrpc.JSONRPCError `json:"error"`
	}{"2.0", id, &jsonrpc.JSONRPCError{Code: code, Message: text}})
	if err != nil { // an id that is no JSON cannot come out of a parsed request
		return []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"internal error"}}`)
	}
	return out
}
