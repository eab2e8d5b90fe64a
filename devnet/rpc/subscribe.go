package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// maxSendQueue is how far a subscriber may fall behind before it is dropped without
// a word, as in Lotus.
const maxSendQueue = 20_000

// subscription is one eth_subscribe: what it wants and what waits to be sent.
type subscription struct {
	id       ethtypes.EthSubscriptionID
	query    *eventQuery // set for logs
	heads    bool
	messages bool
	send     func(context.Context, jsonrpc.RawParams) error
	stop     context.CancelFunc
	lastHead types.TipSetKey // the parent that was sent last; only the dispatcher uses it

	mu    sync.Mutex
	queue []json.RawMessage
	wake  chan struct{}
}

// push queues a result; a subscriber with too many is stopped.
func (s *subscription) push(result any) error {
	params, err := json.Marshal(ethtypes.EthSubscriptionResponse{SubscriptionID: s.id, Result: result})
	if err != nil {
		return fmt.Errorf("encode for subscription %s: %w", s.id, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) >= maxSendQueue {
		s.stop()
		return nil
	}
	s.queue = append(s.queue, params)
	select {
	case s.wake <- struct{}{}:
	default: // it is awake
	}
	return nil
}

// deliver sends what is queued until ctx ends or the connection fails.
func (s *subscription) deliver(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		}
		s.mu.Lock()
		queue := s.queue
		s.queue = nil
		s.mu.Unlock()
		for _, params := range queue {
			if s.send(ctx, jsonrpc.RawParams(params)) != nil {
				return
			}
		}
	}
}

// subscriptions are those of all connections.
type subscriptions struct {
	mu  sync.Mutex
	all map[ethtypes.EthSubscriptionID]*subscription
}

func newSubscriptions() *subscriptions {
	return &subscriptions{all: map[ethtypes.EthSubscriptionID]*subscription{}}
}

// start serves a subscription until stop or until its connection is gone.
func (s *subscriptions) start(connection *connection, sub *subscription) {
	ctx, cancel := context.WithCancel(connection.gone)
	sub.stop = cancel
	sub.wake = make(chan struct{}, 1)
	s.mu.Lock()
	s.all[sub.id] = sub
	s.mu.Unlock()
	go func() {
		defer cancel()
		defer s.remove(sub.id)
		sub.deliver(ctx)
	}()
}

func (s *subscriptions) remove(id ethtypes.EthSubscriptionID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	sub := s.all[id]
	delete(s.all, id)
	if sub == nil {
		return false
	}
	sub.stop()
	return true
}

func (s *subscriptions) each(do func(*subscription)) {
	s.mu.Lock()
	subs := make([]*subscription, 0, len(s.all))
	for _, sub := range s.all {
		subs = append(subs, sub)
	}
	s.mu.Unlock()
	for _, sub := range subs {
		do(sub)
	}
}

// EthSubscribe is eth_subscribe: newHeads, logs or newPendingTransactions, over
// WebSocket only.
func (n *node) EthSubscribe(ctx context.Context, p jsonrpc.RawParams) (ethtypes.EthSubscriptionID, error) {
	params, err := jsonrpc.DecodeParams[ethtypes.EthSubscribeParams](p)
	if err != nil {
		return ethtypes.EthSubscriptionID{}, fmt.Errorf("decoding params: %w", err)
	}
	client, ok := jsonrpc.ExtractReverseClient[api.EthSubscriberMethods](ctx)
	connection := connectionOf(ctx)
	if !ok || connection == nil {
		return ethtypes.EthSubscriptionID{}, errNoCallbacks
	}
	sub := &subscription{send: client.EthSubscription}
	switch params.EventType {
	case "newHeads":
		sub.heads = true
	case "newPendingTransactions":
		sub.messages = true
	case "logs":
		sub.query = &eventQuery{from: -1, to: -1}
		if params.Params != nil {
			if err := sub.query.narrow(params.Params.Address, params.Params.Topics); err != nil {
				return ethtypes.EthSubscriptionID{}, err
			}
		}
	default:
		return ethtypes.EthSubscriptionID{}, fmt.Errorf("unsupported event type: %s", params.EventType)
	}
	id, err := newFilterID()
	if err != nil {
		return ethtypes.EthSubscriptionID{}, err
	}
	sub.id = ethtypes.EthSubscriptionID(id)
	if connection.gone.Err() != nil {
		return ethtypes.EthSubscriptionID{}, errors.New("connection closed")
	}
	n.subs.start(connection, sub)
	return sub.id, nil
}

// EthUnsubscribe is eth_unsubscribe.
func (n *node) EthUnsubscribe(_ context.Context, id ethtypes.EthSubscriptionID) (bool, error) {
	return n.subs.remove(id), nil
}
