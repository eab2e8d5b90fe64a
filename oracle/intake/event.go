package intake

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// noSeq stands for an event that carries no seq of the contract's.
const noSeq = math.MaxUint64

// event is a log that was understood; at most one of the pointers is set.
type event struct {
	name     string
	seq      uint64 // noSeq when the event has none
	request  *chain.Request
	closing  *chain.Closing
	callback *chain.Callback
}

// decode understands one log, or says why not.
func (in *Intake) decode(l chain.Log) (event, error) {
	if !in.providers[l.Address] {
		return in.decodeOther(l), nil
	}
	if len(l.Topics) == 0 {
		return event{}, errors.New("no event signature")
	}
	if l.Topics[0] == in.requested {
		if a, ok := plainRequest(l); ok && a.seq <= math.MaxInt64 {
			r, err := in.request(l, a)
			if err != nil {
				return event{}, fmt.Errorf("%s: %w", estuaryprovider.EstuaryProviderOracleRequestedEventName, err)
			}
			return event{name: estuaryprovider.EstuaryProviderOracleRequestedEventName, seq: a.seq, request: r}, nil
		}
	}
	contract := in.contract.GetABI()
	spec, err := contract.EventByID(l.Topics[0])
	if err != nil {
		return event{}, fmt.Errorf("no such event: %s", l.Topics[0])
	}
	indexed := 0
	for _, a := range spec.Inputs {
		if a.Indexed {
			indexed++
		}
	}
	if len(l.Topics) != 1+indexed {
		return event{}, fmt.Errorf("%s with %d indexed values, not %d", spec.Name, len(l.Topics)-1, indexed)
	}
	if len(l.Data) == 0 && indexed < len(spec.Inputs) {
		return event{}, fmt.Errorf("%s without data", spec.Name)
	}
	e, err := in.known(l)
	if err != nil {
		return event{}, fmt.Errorf("%s: %w", spec.Name, err)
	}
	if e.name == "" { // an event that changes no request: only its seq counts
		values := map[string]any{}
		if err := spec.Inputs.NonIndexed().UnpackIntoMap(values, l.Data); err != nil {
			return event{}, fmt.Errorf("%s: %w", spec.Name, err)
		}
		e.seq = noSeq
		if seq, ok := values["seq"].(uint64); ok {
			e.seq = seq
		}
	}
	e.name = spec.Name
	if e.seq != noSeq && e.seq > math.MaxInt64 {
		return event{}, fmt.Errorf("%s: seq %d is out of range", spec.Name, e.seq)
	}
	return e, nil
}

// decodeOther understands of a log of a contract that is only watched what an audit
// needs, its seq; the log makes no work. Whatever else it says is its own affair.
func (in *Intake) decodeOther(l chain.Log) event {
	e := event{name: "other", seq: noSeq}
	if len(l.Topics) == 0 {
		return e
	}
	if known, err := in.known(l); err == nil && known.name != "" { // of a provider that others serve
		e.seq = known.seq
		return e
	}
	for _, contract := range in.others {
		spec, err := contract.EventByID(l.Topics[0])
		if err != nil {
			continue
		}
		values := map[string]any{}
		if err := spec.Inputs.NonIndexed().UnpackIntoMap(values, l.Data); err != nil {
			continue
		}
		if seq, ok := values["seq"].(uint64); ok && seq <= math.MaxInt64 {
			e.seq = seq
			return e
		}
	}
	return e
}

// known decodes the events that change a request; an event without a name when
// the log is none of them.
func (in *Intake) known(l chain.Log) (event, error) {
	raw := &types.Log{Address: l.Address, Topics: l.Topics, Data: l.Data}
	abi := in.contract.GetABI()
	switch l.Topics[0] {
	case abi.Events[estuaryprovider.EstuaryProviderOracleRequestedEventName].ID:
		a, err := in.announced(raw)
		if err != nil {
			return event{}, err
		}
		r, err := in.request(l, a)
		return event{name: "requested", seq: a.seq, request: r}, err
	case abi.Events[estuaryprovider.EstuaryProviderOracleAnsweredEventName].ID:
		v, err := in.contract.UnpackOracleAnsweredEvent(raw)
		if err != nil {
			return event{}, err
		}
		c := &chain.Closing{Request: v.RequestId, State: chain.RequestAnswered, Outcome: job.Outcome(v.Outcome), Reason: job.Reason(v.Reason), Log: l}
		return event{name: "answered", seq: v.Seq, closing: c}, checkOutcome(c.Outcome, c.Reason)
	case abi.Events[estuaryprovider.EstuaryProviderOracleRefundedEventName].ID:
		v, err := in.contract.UnpackOracleRefundedEvent(raw)
		if err != nil {
			return event{}, err
		}
		return event{name: "refunded", seq: v.Seq, closing: &chain.Closing{Request: v.RequestId, State: chain.RequestRefunded, Log: l}}, nil
	case abi.Events[estuaryprovider.EstuaryProviderCallbackFailedEventName].ID:
		v, err := in.contract.UnpackCallbackFailedEvent(raw)
		if err != nil {
			return event{}, err
		}
		return event{name: "callback failed", seq: v.Seq, callback: &chain.Callback{Request: v.RequestId, Failed: true, Log: l}}, nil
	case abi.Events[estuaryprovider.EstuaryProviderCallbackRetriedEventName].ID:
		v, err := in.contract.UnpackCallbackRetriedEvent(raw)
		if err != nil {
			return event{}, err
		}
		return event{name: "callback retried", seq: v.Seq, callback: &chain.Callback{Request: v.RequestId, Log: l}}, nil
	}
	return event{}, nil
}

func checkOutcome(o job.Outcome, r job.Reason) error {
	switch {
	case o == job.Succeeded && r == job.ReasonNone:
		return nil
	case o == job.Failed && r != job.ReasonNone && r <= job.ReasonUnreachable:
		return nil
	}
	return fmt.Errorf("outcome %d with reason %d", o, r)
}

// announced is what an OracleRequested event says.
type announced struct {
	id                       common.Hash
	terms                    []byte // ABI-encoded
	seq                      uint64
	consumer                 common.Address
	action                   uint16
	deadline, attemptUntil   int64 // unix seconds
	payloadHash, contextHash common.Hash
	payload, context         []byte
	indexedConsumer          common.Address
	indexedAction            uint16
}

// announced reads an OracleRequested event by the bindings.
func (in *Intake) announced(raw *types.Log) (announced, error) {
	v, err := in.contract.UnpackOracleRequestedEvent(raw)
	if err != nil {
		return announced{}, err
	}
	terms, err := encodeTerms(in.contract, v.Terms)
	if err != nil {
		return announced{}, fmt.Errorf("terms: %w", err)
	}
	if v.Terms.Deadline.BitLen() > 40 || v.Terms.AttemptUntil.BitLen() > 40 || v.Terms.Fee.BitLen() > 96 || v.Terms.AttemptFee.BitLen() > 96 {
		return announced{}, errors.New("a value of the terms is over its type")
	}
	return announced{
		id: v.RequestId, terms: terms, seq: v.Terms.Seq, consumer: v.Terms.Consumer, action: v.Terms.Action,
		deadline: v.Terms.Deadline.Int64(), attemptUntil: v.Terms.AttemptUntil.Int64(),
		payloadHash: v.Terms.PayloadHash, contextHash: v.Terms.ContextHash, payload: v.Payload, context: v.Context,
		indexedConsumer: v.Consumer, indexedAction: v.Action,
	}, nil
}

// request checks that an announcement is what its id commits to.
func (in *Intake) request(l chain.Log, a announced) (*chain.Request, error) {
	id := requestID(in.cfg.ChainID, l.Address, a.terms)
	switch {
	case id != a.id:
		return nil, fmt.Errorf("the terms hash to request %s on chain %d, the event says %s", id, in.cfg.ChainID, a.id)
	case a.indexedConsumer != a.consumer || a.indexedAction != a.action:
		return nil, errors.New("the indexed consumer or action is not that of the terms")
	case crypto.Keccak256Hash(a.payload) != a.payloadHash:
		return nil, errors.New("the payload is not the one that the terms commit to")
	case crypto.Keccak256Hash(a.context) != a.contextHash:
		return nil, errors.New("the context is not the one that the terms commit to")
	}
	return &chain.Request{
		ID: id, Chain: in.cfg.ChainID, Provider: l.Address, Consumer: a.consumer, Action: a.action, Seq: a.seq,
		Terms: a.terms, Payload: a.payload, Context: a.context,
		Deadline: unix(a.deadline), AttemptUntil: unix(a.attemptUntil), Log: l, State: chain.RequestOpen,
	}, nil
}

// encodeTerms gives abi.encode(terms). Terms have no dynamic part, so that is
// what follows the selector in a call of idOf.
func encodeTerms(contract *estuaryprovider.EstuaryProvider, t estuaryprovider.Terms) ([]byte, error) {
	call, err := contract.TryPackIdOf(t)
	if err != nil {
		return nil, err
	}
	return call[4:], nil
}

// requestID is idOf: keccak256(abi.encode(chainId, provider, terms)).
func requestID(chainID uint64, provider common.Address, terms []byte) common.Hash {
	return crypto.Keccak256Hash(
		common.BigToHash(new(big.Int).SetUint64(chainID)).Bytes(), common.BytesToHash(provider.Bytes()).Bytes(), terms)
}

func unix(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
