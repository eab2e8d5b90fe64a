package intake

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Actions of IExecutionProvider that become jobs.
const (
	actionPin   = 1
	actionUnpin = 2
)

// pinPayload is PinPayload of IExecutionProvider.sol.
type pinPayload struct {
	Cid       []byte
	Requester common.Address
	MaxBytes  uint64
	Expiry    *big.Int
	Origins   []string
	Name      string
}

// unpinPayload is UnpinPayload of IExecutionProvider.sol.
type unpinPayload struct {
	Cid       []byte
	Requester common.Address
}

var (
	pinArguments = tuple([]abi.ArgumentMarshaling{
		{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "maxBytes", Type: "uint64"},
		{Name: "expiry", Type: "uint40"}, {Name: "origins", Type: "string[]"}, {Name: "name", Type: "string"},
	})
	unpinArguments = tuple([]abi.ArgumentMarshaling{{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}})
)

// tuple is the ABI type of abi.encode(struct).
func tuple(fields []abi.ArgumentMarshaling) abi.Arguments {
	t, err := abi.NewType("tuple", "", fields)
	if err != nil {
		panic(fmt.Sprintf("intake: a payload's type: %v", err)) // the types are constants
	}
	return abi.Arguments{{Type: t}}
}

// decode reads abi.encode(T). The ABI decoder panics on nothing, but a payload
// is a stranger's: what it makes of it is checked by the handler.
func decode[T any](args abi.Arguments, payload []byte) (v T, err error) {
	values, err := args.Unpack(payload)
	if err != nil {
		return v, err
	}
	return *abi.ConvertType(values[0], new(T)).(*T), nil
}

// jobFor gives the job that answers a request, and completes the request with
// who asked. An action that is not offered makes none: its fee comes back after
// its deadline.
func (in *Intake) jobFor(r *chain.Request, now time.Time) (job.New, bool) {
	n := job.New{
		Key:   job.RequestKey(r.Chain, r.Provider.Hex(), r.ID.Hex(), r.Action),
		Class: job.ClassPaid, Request: r.ID.Hex(), Height: r.Log.Height, RunAt: now,
		// The runner's clock is ours: what the request says in chain time is put into it.
		Deadline: r.Deadline.Add(-in.skew), NotBefore: r.AttemptUntil.Add(-in.skew), Trace: trace(r.ID),
	}
	switch r.Action {
	case actionPin:
		p, err := decode[pinPayload](pinArguments, r.Payload)
		if err != nil {
			in.d.Log.Warn("a pin's payload does not decode; it will be answered invalid_content", "request", n.Request, "err", err)
			p = pinPayload{Requester: r.Consumer, Expiry: new(big.Int)}
		}
		r.Requester = p.Requester
		n.Kind, n.Lane = job.KindPin, job.LaneSoft
		n.Payload = job.Encode(job.Pin{
			CID: p.Cid, Origins: p.Origins, Name: p.Name, MaxBytes: p.MaxBytes, Expiry: p.Expiry.Int64(), Owner: ownerOf(r), Seq: r.Seq,
		})
	case actionUnpin:
		p, err := decode[unpinPayload](unpinArguments, r.Payload)
		if err != nil {
			in.d.Log.Warn("an unpin's payload does not decode; it will be answered invalid_content", "request", n.Request, "err", err)
			p = unpinPayload{Requester: r.Consumer}
		}
		r.Requester = p.Requester
		n.Kind, n.Lane = job.KindUnpin, job.LaneFinal // what is dropped may not be had again
		n.Payload = job.Encode(job.Unpin{CID: p.Cid, Owner: ownerOf(r), Seq: r.Seq})
	default:
		in.d.Log.Warn("a request for an action that this operator does not offer; it will be refunded after its deadline",
			"request", n.Request, "action", r.Action)
		return job.New{}, false
	}
	n.Requester = strings.ToLower(r.Requester.Hex())
	return n, true
}

// ownerOf scopes unpin: one requester of one consumer.
func ownerOf(r *chain.Request) string {
	return strings.ToLower(r.Consumer.Hex() + ":" + r.Requester.Hex())
}

// trace is the W3C traceparent of a request: the same in every daemon that
// sees it, so that traces of several operators join.
func trace(id common.Hash) string {
	sum := sha256.Sum256(append([]byte("tidegate request "), id[:]...))
	return "00-" + hex.EncodeToString(sum[:16]) + "-" + hex.EncodeToString(sum[16:24]) + "-01"
}
