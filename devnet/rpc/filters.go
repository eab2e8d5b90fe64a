package rpc

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/google/uuid"
)

// filter collects what is new since it was last read: events that match a query,
// tipsets, or messages of the mempool. Past most, the oldest are dropped.
type filter struct {
	query    *eventQuery // set for events
	tipsets  bool
	messages bool
	most     int

	mu        sync.Mutex
	prefilled map[types.TipSetKey]bool // tipsets whose events the feed may bring again
	events    []event
	keys      []types.TipSetKey
	pending   []*types.SignedMessage
	read      time.Time
}

func addBounded[T any](all []T, one T, most int) []T {
	if len(all) >= most {
		all = append(all[:0:0], all[len(all)-most+1:]...)
	}
	return append(all, one)
}

// collect adds the events of a tipset that the filter's query covers. Their index
// counts the matches of the tipset, not its events, as in Lotus.
func (f *filter) collect(events []event, reverted bool) {
	if f.query == nil || len(events) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	tipset := events[0].tipset
	if f.prefilled[tipset] {
		if !reverted {
			return // it had them from the beginning
		}
		delete(f.prefilled, tipset)
	}
	index := 0
	for _, e := range events {
		if !f.query.covers(e) {
			continue
		}
		e.index, e.reverted = index, reverted
		f.events = addBounded(f.events, e, f.most)
		index++
	}
}

// prefill puts what the query matched at installation before what came since.
func (f *filter) prefill(events []event) {
	f.mu.Lock()
	defer f.mu.Unlock()
	came := map[types.TipSetKey]bool{}
	for _, e := range f.events {
		came[e.tipset] = true
	}
	f.prefilled = map[types.TipSetKey]bool{}
	var first []event
	for _, e := range events {
		if !came[e.tipset] {
			f.prefilled[e.tipset] = true
			first = append(first, e)
		}
	}
	f.events = append(first, f.events...)
}

func (f *filter) addTipset(ts *types.TipSet) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.keys = addBounded(f.keys, ts.Key(), f.most)
}

func (f *filter) addMessage(msg *types.SignedMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.pending = addBounded(f.pending, msg, f.most)
}

// take empties the filter.
func (f *filter) take(now time.Time) (events []event, keys []types.TipSetKey, pending []*types.SignedMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	events, keys, pending = f.events, f.keys, f.pending
	f.events, f.keys, f.pending = nil, nil, nil
	f.read = now
	return events, keys, pending
}

func (f *filter) unread(since time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.read.Before(since)
}

// filterStore holds the installed filters.
type filterStore struct {
	most int
	now  func() time.Time

	mu  sync.Mutex
	all map[ethtypes.EthFilterID]*filter
}

func newFilterStore(most int, now func() time.Time) *filterStore {
	return &filterStore{most: most, now: now, all: map[ethtypes.EthFilterID]*filter{}}
}

func (s *filterStore) install(f *filter) (ethtypes.EthFilterID, error) {
	id, err := newFilterID()
	if err != nil {
		return id, err
	}
	f.read = s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) >= s.most {
		return ethtypes.EthFilterID{}, errTooManyFilters
	}
	s.all[id] = f
	return id, nil
}

// newFilterID has 16 random bytes and 16 of zeros, as Lotus's.
func newFilterID() (id ethtypes.EthFilterID, err error) {
	raw, err := uuid.NewRandom()
	if err != nil {
		return id, fmt.Errorf("new uuid: %w", err)
	}
	copy(id[:], raw[:])
	return id, nil
}

func (s *filterStore) get(id ethtypes.EthFilterID) (*filter, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.all[id]
	if f == nil {
		return nil, errFilterNotFound
	}
	return f, nil
}

func (s *filterStore) remove(id ethtypes.EthFilterID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.all[id]
	delete(s.all, id)
	return ok
}

func (s *filterStore) each(do func(*filter)) {
	s.mu.Lock()
	filters := make([]*filter, 0, len(s.all))
	for _, f := range s.all {
		filters = append(filters, f)
	}
	s.mu.Unlock()
	for _, f := range filters {
		do(f)
	}
}

// collect removes the filters that nobody has read for ttl.
func (s *filterStore) collect(ttl time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	since := s.now().Add(-ttl)
	for id, f := range s.all {
		if f.unread(since) {
			delete(s.all, id)
		}
	}
}

// EthNewFilter is eth_newFilter. What the query matches already is in the filter
// from the beginning.
func (n *node) EthNewFilter(ctx context.Context, spec *ethtypes.EthFilterSpec) (ethtypes.EthFilterID, error) {
	if spec == nil {
		spec = &ethtypes.EthFilterSpec{}
	}
	query, err := n.logQuery(spec)
	if err != nil {
		return ethtypes.EthFilterID{}, err // unwrapped, for its code
	}
	f := &filter{query: query, most: int(n.logResults.Load())}
	id, err := n.filters.install(f) // first, so that nothing falls between query and feed
	if err != nil {
		return id, err
	}
	if query.tipset != nil || query.from < n.chain.Head().Height() {
		events, err := n.find(ctx, query)
		if err != nil {
			n.filters.remove(id)
			return ethtypes.EthFilterID{}, fmt.Errorf("failed to install event filter: get events for filter: %w", err)
		}
		f.prefill(events)
	}
	return id, nil
}

// EthNewBlockFilter is eth_newBlockFilter: hashes of the tipsets that become head.
func (n *node) EthNewBlockFilter(context.Context) (ethtypes.EthFilterID, error) {
	return n.filters.install(&filter{tipsets: true, most: int(n.logResults.Load())})
}

// EthNewPendingTransactionFilter is eth_newPendingTransactionFilter.
func (n *node) EthNewPendingTransactionFilter(context.Context) (ethtypes.EthFilterID, error) {
	return n.filters.install(&filter{messages: true, most: int(n.logResults.Load())})
}

// EthUninstallFilter is eth_uninstallFilter.
func (n *node) EthUninstallFilter(_ context.Context, id ethtypes.EthFilterID) (bool, error) {
	return n.filters.remove(id), nil
}

// EthGetFilterChanges is eth_getFilterChanges.
func (n *node) EthGetFilterChanges(_ context.Context, id ethtypes.EthFilterID) (*ethtypes.EthFilterResult, error) {
	f, err := n.filters.get(id)
	if err != nil {
		return nil, err
	}
	events, keys, pending := f.take(n.config.Now())
	if f.query != nil {
		return n.logResult(events)
	}
	result := &ethtypes.EthFilterResult{}
	for _, key := range keys {
		hash, err := blockHash(key)
		if err != nil {
			return nil, err
		}
		result.Results = append(result.Results, hash)
	}
	for _, msg := range pending {
		hash, err := n.txHash(msg)
		if err != nil {
			return nil, err
		}
		result.Results = append(result.Results, hash)
	}
	return result, nil
}

// EthGetFilterLogs is eth_getFilterLogs. As in Lotus it empties the filter.
func (n *node) EthGetFilterLogs(_ context.Context, id ethtypes.EthFilterID) (*ethtypes.EthFilterResult, error) {
	f, err := n.filters.get(id)
	if err != nil {
		return nil, err
	}
	if f.query == nil {
		return nil, errors.New("wrong filter type")
	}
	events, _, _ := f.take(n.config.Now())
	return n.logResult(events)
}
