package market

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

const (
	// chunkDeals is how many deals one call looks at; the answer is shared by all who ask
	// about the same head.
	chunkDeals = 32
	// chunksAtOnce bounds the calls that one question may cost.
	chunksAtOnce = 8
	// mostChunks bounds what is remembered of a head, mostDetails also what is asked.
	mostChunks, mostDetails = 4096, 1024
	// seatsOfDeal are the low bits of a slot's id.
	seatsOfDeal = 1<<24 - 1
)

// Page is a part of the list of open slots.
type Page struct {
	Head  uint64 // height at which it holds
	Slots []Slot // by id
	// Next is the slot after which to go on, 0 at the end. A page may be empty and have a
	// next one.
	Next uint64
}

// Slots is the list of open slots, for many readers: what one head says is read once, one
// call at a time.
type Slots struct {
	storage *Storage
	every   time.Duration
	now     func() time.Time
	reading chan struct{}

	mu      sync.Mutex
	head    uint64
	end     uint64 // the first deal that there is not
	looked  time.Time
	chunks  map[uint64][]Slot
	details map[question]Detail
}

type question struct {
	slot, miner uint64
	caller      common.Address
}

// NewSlots makes the list; the head is asked for at most once in `every`. now may be nil.
func NewSlots(storage *Storage, every time.Duration, now func() time.Time) *Slots {
	if now == nil {
		now = time.Now
	}
	return &Slots{storage: storage, every: every, now: now, reading: make(chan struct{}, 1)}
}

// Page gives up to `limit` open slots with ids above `after`.
func (l *Slots) Page(ctx context.Context, after uint64, limit int) (Page, error) {
	head, end, err := l.at(ctx)
	if err != nil {
		return Page{}, err
	}
	p := Page{Head: head}
	first := max(after>>24, 1)
	if after&seatsOfDeal == seatsOfDeal && after>>24 != 0 {
		first++
	}
	number := (first - 1) / chunkDeals
	for range chunksAtOnce {
		if number*chunkDeals+1 >= end {
			return p, nil
		}
		chunk, err := l.chunk(ctx, head, number)
		if err != nil {
			return Page{}, err
		}
		for _, s := range chunk {
			if s.ID <= after {
				continue
			}
			if len(p.Slots) == limit {
				p.Next = p.Slots[limit-1].ID
				return p, nil
			}
			p.Slots = append(p.Slots, s)
		}
		number++
	}
	p.Next = number*chunkDeals<<24 | seatsOfDeal
	return p, nil
}

// Slot gives one slot, as it stands at the head, see Storage.Whole.
func (l *Slots) Slot(ctx context.Context, id, miner uint64, caller common.Address) (uint64, Detail, error) {
	head, _, err := l.at(ctx)
	if err != nil {
		return 0, Detail{}, err
	}
	q := question{id, miner, caller}
	d, err := once(ctx, l, head, func() (Detail, bool) {
		d, ok := l.details[q]
		return d, ok
	}, func() (Detail, error) {
		l.mu.Lock()
		many := len(l.details) >= mostDetails
		l.mu.Unlock()
		if many {
			return Detail{}, fmt.Errorf("%d questions about single slots were asked of head %d already", mostDetails, head)
		}
		return l.storage.Whole(ctx, head, id, miner, caller)
	}, func(d Detail) { l.details[q] = d })
	return head, d, err
}

// at is the head that answers are for, and the first deal that there is not.
func (l *Slots) at(ctx context.Context) (head, end uint64, err error) {
	known := func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		head, end = l.head, l.end
		return l.chunks != nil && l.now().Sub(l.looked) < l.every
	}
	if known() {
		return head, end, nil
	}
	if err := l.begin(ctx); err != nil {
		return 0, 0, err
	}
	defer l.finish()
	if known() {
		return head, end, nil
	}
	if head, err = l.storage.Head(ctx); err != nil {
		return 0, 0, err
	}
	if end, err = l.storage.NextDeal(ctx, head); err != nil {
		return 0, 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if head != l.head || l.chunks == nil {
		l.chunks, l.details = map[uint64][]Slot{}, map[question]Detail{}
	}
	l.head, l.end, l.looked = head, end, l.now()
	return head, end, nil
}

func (l *Slots) chunk(ctx context.Context, head, number uint64) ([]Slot, error) {
	return once(ctx, l, head, func() ([]Slot, bool) {
		c, ok := l.chunks[number]
		return c, ok
	}, func() ([]Slot, error) {
		return l.read(ctx, head, number*chunkDeals+1, chunkDeals)
	}, func(c []Slot) {
		if len(l.chunks) >= mostChunks {
			clear(l.chunks)
		}
		l.chunks[number] = c
	})
}

// read looks at deals from..from+deals-1, in two halves where the endpoint finds them too
// many for one call.
func (l *Slots) read(ctx context.Context, head, from uint64, deals int) ([]Slot, error) {
	slots, _, err := l.storage.Open(ctx, head, from, deals)
	if err != nil {
		if deals == 1 || ctx.Err() != nil {
			return nil, err
		}
		first, herr := l.read(ctx, head, from, deals/2)
		if herr != nil {
			return nil, errors.Join(err, herr)
		}
		second, herr := l.read(ctx, head, from+uint64(deals/2), deals-deals/2)
		return append(first, second...), herr
	}
	var d perpetualstorage.DealView
	for i := range slots {
		if i == 0 || slots[i].Deal != slots[i-1].Deal {
			if d, err = l.storage.Deal(ctx, head, slots[i].Deal); err != nil {
				return nil, fmt.Errorf("the deal of slot %d: %w", slots[i].ID, err)
			}
		}
		slots[i].complete(d, l.storage.pools)
		if slots[i].Extend, err = l.storage.extendedTo(ctx, head, slots[i], d); err != nil {
			return nil, fmt.Errorf("the extension to slot %d: %w", slots[i].ID, err)
		}
	}
	return slots, nil
}

// once gives what is remembered, or reads it while nobody else reads.
func once[T any](ctx context.Context, l *Slots, head uint64, recall func() (T, bool), read func() (T, error), keep func(T)) (T, error) {
	known := func() (T, bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.head != head {
			var none T
			return none, false
		}
		return recall()
	}
	if v, ok := known(); ok {
		return v, nil
	}
	if err := l.begin(ctx); err != nil {
		var none T
		return none, err
	}
	defer l.finish()
	if v, ok := known(); ok {
		return v, nil
	}
	v, err := read()
	if err != nil {
		return v, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.head == head {
		keep(v)
	}
	return v, nil
}

func (l *Slots) begin(ctx context.Context) error {
	select {
	case l.reading <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *Slots) finish() { <-l.reading }
