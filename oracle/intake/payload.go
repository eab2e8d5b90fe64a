package intake

import (
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// Actions that have a job, numbered as on chain (library Actions).
const (
	actionPin     uint16 = 1
	actionUnpin   uint16 = 2
	actionPrepare uint16 = 3
	actionServed  uint16 = 4
	actionStatus  uint16 = 5
)

// pinPayload is IExecutionProvider's PinPayload. A prepare carries the same; its
// expiry says until when the piece is on offer at least, 0 for the operators' policy.
type pinPayload struct {
	Cid       []byte
	Requester common.Address
	MaxBytes  uint64
	Expiry    *big.Int
	Origins   []string
	Name      string
}

// unpinPayload is IExecutionProvider's UnpinPayload.
type unpinPayload struct {
	Cid       []byte
	Requester common.Address
}

// servedPayload is abi.encode of (bytes pieceCid, address requester, string endpoint)
// as one struct.
type servedPayload struct {
	PieceCid  []byte
	Requester common.Address
	Endpoint  string
}

// statusPayload is IDealStatusOracle's DealRef.
type statusPayload struct {
	DealId     uint64
	Miner      uint64
	Sector     uint64
	Commitment [32]byte
}

var (
	statusArgs = tuple([]abi.ArgumentMarshaling{
		{Name: "dealId", Type: "uint64"}, {Name: "miner", Type: "uint64"}, {Name: "sector", Type: "uint64"}, {Name: "commitment", Type: "bytes32"},
	})
	servedArgs = tuple([]abi.ArgumentMarshaling{
		{Name: "pieceCid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "endpoint", Type: "string"},
	})
	pinArgs = tuple([]abi.ArgumentMarshaling{
		{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "maxBytes", Type: "uint64"},
		{Name: "expiry", Type: "uint40"}, {Name: "origins", Type: "string[]"}, {Name: "name", Type: "string"},
	})
	unpinArgs = tuple([]abi.ArgumentMarshaling{{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}})
)

// tuple gives the arguments of abi.decode(…, (T)) for a struct T.
func tuple(fields []abi.ArgumentMarshaling) abi.Arguments {
	t, err := abi.NewType("tuple", "", fields)
	if err != nil {
		panic(fmt.Sprintf("intake: a payload's type: %v", err))
	}
	return abi.Arguments{{Name: "payload", Type: t}}
}

// decodePayload reads abi.encode(T).
func decodePayload[T any](args abi.Arguments, raw []byte) (T, error) {
	var v struct{ Payload T }
	values, err := args.Unpack(raw)
	if err == nil {
		err = args.Copy(&v, values)
	}
	return v.Payload, err
}

// decodePin reads the payload of a pin or a prepare; a zero one where it is none.
func decodePin(raw []byte) pinPayload {
	if p, ok := plainPin(raw); ok {
		return p
	}
	p, err := decodePayload[pinPayload](pinArgs, raw)
	if err != nil || p.Expiry.BitLen() > 40 { // the decoder does not bound uint40
		return pinPayload{Expiry: new(big.Int)}
	}
	return p
}

// jobOf gives the job that answers r, and who asked for it: the payload's
// requester, or the consumer when it names nobody. A payload that does not decode
// makes a job without a CID, which its handler answers as invalid content. ok is
// false for actions without a job. When the job runs first is left open.
func jobOf(r chain.Request) (n job.New, requester common.Address, ok bool) {
	n = job.New{
		Key:   job.RequestKey(r.Chain, hex(r.Provider), r.ID.Hex(), r.Action),
		Class: job.ClassPaid, Request: r.ID.Hex(), Height: r.Log.Height,
		Deadline: r.Deadline, NotBefore: r.AttemptUntil, Trace: traceOf(r.ID),
	}
	switch r.Action {
	case actionPin:
		p := decodePin(r.Payload)
		requester = orElse(p.Requester, r.Consumer)
		n.Kind, n.Lane = job.KindPin, job.LaneSoft
		n.Payload = job.Encode(job.Pin{
			CID: bytesOf(p.Cid), Origins: p.Origins, Name: p.Name, MaxBytes: p.MaxBytes, Expiry: p.Expiry.Int64(),
			Owner: owner(r.Consumer, requester), Seq: r.Seq,
		})
	case actionUnpin:
		p, err := decodePayload[unpinPayload](unpinArgs, r.Payload)
		if err != nil {
			p = unpinPayload{}
		}
		requester = orElse(p.Requester, r.Consumer)
		n.Kind, n.Lane = job.KindUnpin, job.LaneFinal
		n.Payload = job.Encode(job.Unpin{CID: bytesOf(p.Cid), Owner: owner(r.Consumer, requester), Seq: r.Seq})
	case actionPrepare:
		p := decodePin(r.Payload)
		requester = orElse(p.Requester, r.Consumer)
		n.Kind, n.Lane = job.KindPrepare, job.LaneSoft
		n.Payload = job.Encode(job.Prepare{
			CID: bytesOf(p.Cid), Origins: p.Origins, MaxBytes: p.MaxBytes, Until: p.Expiry.Int64(), Owner: owner(r.Consumer, requester),
		})
	case actionServed:
		p, err := decodePayload[servedPayload](servedArgs, r.Payload)
		if err != nil {
			p = servedPayload{}
		}
		requester = orElse(p.Requester, r.Consumer)
		// Final, so that what is attested is as fresh as it can be.
		n.Kind, n.Lane = job.KindServed, job.LaneFinal
		n.Payload = job.Encode(job.Served{Piece: bytesOf(p.PieceCid), Endpoint: p.Endpoint})
	case actionStatus:
		p, err := decodePayload[statusPayload](statusArgs, r.Payload)
		requester = r.Consumer
		// Final, so that the epoch of the request, at which the actors are asked, is the same for all.
		n.Kind, n.Lane = job.KindStatus, job.LaneFinal
		n.Payload = job.Encode(job.Status{Deal: p.DealId, Miner: p.Miner, Sector: p.Sector, Commitment: p.Commitment, Malformed: err != nil})
	default:
		return job.New{}, r.Consumer, false
	}
	n.Requester = hex(requester)
	return n, requester, true
}

// bytesOf keeps an absent CID an empty string in JSON rather than null.
func bytesOf(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

func orElse(a, b common.Address) common.Address {
	if a == (common.Address{}) {
		return b
	}
	return a
}

// owner scopes what an unpin may drop.
func owner(consumer, requester common.Address) string { return hex(consumer) + ":" + hex(requester) }

func hex(a common.Address) string { return hexutil.Encode(a[:]) }

// traceOf gives the W3C traceparent of a request: the same on every operator and
// after every reorg.
func traceOf(id common.Hash) string {
	trace, span := [16]byte(id[:16]), [8]byte(id[16:24])
	if trace == ([16]byte{}) {
		trace[15] = 1 // all zeros is not a trace id
	}
	if span == ([8]byte{}) {
		span[7] = 1
	}
	return "00-" + hexutil.Encode(trace[:])[2:] + "-" + hexutil.Encode(span[:])[2:] + "-01"
}
