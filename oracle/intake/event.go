package intake

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// event is how one of the provider's events is understood.
type event struct {
	name string
	// take adds to the batch what follows from the log and gives the event's seq,
	// -1 for an event that carries none.
	take func(b *chain.Batch, l chain.Log, raw *types.Log, now time.Time) (int64, error)
}

// noSeq are events of inherited library code, which carry no seq.
var noSeq = map[string]bool{"EIP712DomainChanged": true, "OwnershipTransferStarted": true, "OwnershipTransferred": true}

// events lists every event of the provider by its topic.
func (in *Intake) events() (map[common.Hash]event, error) {
	parsed, err := estuaryprovider.EstuaryProviderMetaData.ParseABI()
	if err != nil {
		return nil, fmt.Errorf("intake: parsing the provider's ABI: %w", err)
	}
	out := map[common.Hash]event{}
	for name, e := range parsed.Events {
		take := seqOnly(e)
		switch name {
		case "OracleRequested":
			take = in.requested
		case "OracleAnswered":
			take = in.answered
		case "OracleRefunded":
			take = in.refunded
		case "CallbackFailed":
			take = in.callbackFailed
		case "CallbackRetried":
			take = in.callbackRetried
		}
		out[e.ID] = event{name, take}
	}
	return out, nil
}

// take understands one log of a provider.
func (in *Intake) take(b *chain.Batch, l chain.Log, now time.Time) (int64, error) {
	if len(l.Topics) == 0 {
		return -1, errors.New("a log without topics")
	}
	e, ok := in.topics[l.Topics[0]]
	if !ok {
		return -1, fmt.Errorf("unknown event %s", l.Topics[0])
	}
	raw := &types.Log{Address: l.Address, Topics: l.Topics, Data: l.Data}
	seq, err := e.take(b, l, raw, now)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", e.name, err)
	}
	in.counts.WithLabelValues(e.name).Inc()
	return seq, nil
}

// seqOnly reads the seq of an event from which nothing else follows.
func seqOnly(e abi.Event) func(*chain.Batch, chain.Log, *types.Log, time.Time) (int64, error) {
	return func(_ *chain.Batch, _ chain.Log, raw *types.Log, _ time.Time) (int64, error) {
		if noSeq[e.Name] {
			return -1, nil
		}
		values := map[string]any{}
		if err := e.Inputs.UnpackIntoMap(values, raw.Data); err != nil {
			return -1, err
		}
		seq, ok := values["seq"].(uint64)
		if !ok {
			return -1, errors.New("it carries no seq")
		}
		return int64(seq), nil
	}
}

func (in *Intake) requested(b *chain.Batch, l chain.Log, raw *types.Log, now time.Time) (int64, error) {
	e, err := in.abi.UnpackOracleRequestedEvent(raw)
	if err != nil {
		return -1, err
	}
	id, terms, err := in.commitment(l.Address, e.Terms)
	if err != nil {
		return -1, err
	}
	switch {
	case id != common.Hash(e.RequestId):
		return -1, fmt.Errorf("its terms hash to %s, the event says %s", id, common.Hash(e.RequestId))
	case crypto.Keccak256Hash(e.Payload) != common.Hash(e.Terms.PayloadHash):
		return -1, errors.New("its payload is not the one that its terms commit to")
	case crypto.Keccak256Hash(e.Context) != common.Hash(e.Terms.ContextHash):
		return -1, errors.New("its context is not the one that its terms commit to")
	}
	r := chain.Request{
		ID: id, Chain: in.cfg.ChainID, Provider: l.Address, Consumer: e.Terms.Consumer, Requester: e.Terms.Consumer,
		Action: e.Terms.Action, Seq: e.Terms.Seq, Terms: terms, Payload: e.Payload, Context: e.Context,
		Deadline: unix(e.Terms.Deadline), AttemptUntil: unix(e.Terms.AttemptUntil), Log: l, State: chain.RequestOpen,
	}
	if n, ok := in.jobFor(&r, now); ok {
		b.Jobs = append(b.Jobs, n)
	}
	b.Requests = append(b.Requests, r)
	return int64(e.Terms.Seq), nil
}

// commitment recomputes the id of a request as EstuaryProvider.idOf does:
// keccak256(abi.encode(chainid, provider, terms)). It gives abi.encode(terms)
// too, what fulfill takes back.
func (in *Intake) commitment(provider common.Address, t estuaryprovider.Terms) (id common.Hash, encoded []byte, err error) {
	args, err := termsArguments()
	if err != nil {
		return id, nil, err
	}
	if encoded, err = args.Pack(t); err != nil {
		return id, nil, fmt.Errorf("encoding its terms: %w", err)
	}
	head := append(common.LeftPadBytes(new(big.Int).SetUint64(in.cfg.ChainID).Bytes(), 32), common.LeftPadBytes(provider.Bytes(), 32)...)
	return crypto.Keccak256Hash(append(head, encoded...)), encoded, nil
}

// termsArguments is the ABI type (Terms), all of whose fields are static.
func termsArguments() (abi.Arguments, error) {
	parsed, err := estuaryprovider.EstuaryProviderMetaData.ParseABI()
	if err != nil {
		return nil, fmt.Errorf("parsing the provider's ABI: %w", err)
	}
	return parsed.Methods["idOf"].Inputs, nil
}

func (in *Intake) answered(b *chain.Batch, l chain.Log, raw *types.Log, _ time.Time) (int64, error) {
	e, err := in.abi.UnpackOracleAnsweredEvent(raw)
	if err != nil {
		return -1, err
	}
	b.Closings = append(b.Closings, chain.Closing{
		Request: e.RequestId, State: chain.RequestAnswered, Outcome: job.Outcome(e.Outcome), Reason: job.Reason(e.Reason), Log: l,
	})
	return int64(e.Seq), nil
}

func (in *Intake) refunded(b *chain.Batch, l chain.Log, raw *types.Log, _ time.Time) (int64, error) {
	e, err := in.abi.UnpackOracleRefundedEvent(raw)
	if err != nil {
		return -1, err
	}
	b.Closings = append(b.Closings, chain.Closing{Request: e.RequestId, State: chain.RequestRefunded, Log: l})
	return int64(e.Seq), nil
}

func (in *Intake) callbackFailed(b *chain.Batch, l chain.Log, raw *types.Log, _ time.Time) (int64, error) {
	e, err := in.abi.UnpackCallbackFailedEvent(raw)
	if err != nil {
		return -1, err
	}
	b.Callbacks = append(b.Callbacks, chain.Callback{Request: e.RequestId, Failed: true, Log: l})
	return int64(e.Seq), nil
}

func (in *Intake) callbackRetried(b *chain.Batch, l chain.Log, raw *types.Log, _ time.Time) (int64, error) {
	e, err := in.abi.UnpackCallbackRetriedEvent(raw)
	if err != nil {
		return -1, err
	}
	b.Callbacks = append(b.Callbacks, chain.Callback{Request: e.RequestId, Log: l})
	return int64(e.Seq), nil
}

// unix reads a uint40 of seconds.
func unix(v *big.Int) time.Time { return time.Unix(v.Int64(), 0).UTC() }
