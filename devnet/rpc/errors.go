package rpc

import (
	"errors"
	"fmt"

	"github.com/filecoin-project/go-jsonrpc"
)

// Codes of JSON-RPC that go-jsonrpc does not export.
const (
	codeParse          jsonrpc.ErrorCode = -32700
	codeInvalidRequest jsonrpc.ErrorCode = -32600
	codeMethodNotFound jsonrpc.ErrorCode = -32601
	codeInvalidParams  jsonrpc.ErrorCode = -32602
	codeLimit          jsonrpc.ErrorCode = -32005
)

// codedError is an error with a code. go-jsonrpc looks at the outermost error only,
// so it must not be wrapped.
type codedError struct {
	code jsonrpc.ErrorCode
	text string
}

func (e *codedError) Error() string { return e.text }

// ToJSONRPCError implements jsonrpc.RPCErrorCodec.
func (e *codedError) ToJSONRPCError() (jsonrpc.JSONRPCError, error) {
	return jsonrpc.JSONRPCError{Code: e.code, Message: e.text}, nil
}

// FromJSONRPCError implements jsonrpc.RPCErrorCodec, for clients that register it.
func (e *codedError) FromJSONRPCError(j jsonrpc.JSONRPCError) error {
	e.code, e.text = j.Code, j.Message
	return nil
}

func unsupportedMethod(name string) error {
	return &codedError{codeMethodNotFound, fmt.Sprintf("method not supported by the devnet: %s", name)}
}

func badParams(format string, args ...any) error {
	return &codedError{codeInvalidParams, fmt.Sprintf(format, args...)}
}

// Errors with Lotus's words.
var (
	errEventsNotYet     = errors.New("events for the requested block are not yet available")
	errTooManyEvents    = errors.New("filter matches too many events, try a more restricted filter")
	errFilterNotFound   = errors.New("filter not found")
	errTooManyFilters   = errors.New("maximum number of filters registered")
	errNoCallbacks      = errors.New("connection doesn't support callbacks")
	errFutureEpoch      = errors.New("requested a future epoch (beyond 'latest')")
	errFailedToLoad     = errors.New("failed to load message")
	errActorNotFound    = errors.New("actor not found")
	errTipsetNotOnChain = errors.New("tipset is not canonical")
)
