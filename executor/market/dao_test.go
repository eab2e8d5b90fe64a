package market

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// Amounts, and whether a deal is made, are found again in what was encoded.
func TestWhatDataCarries(t *testing.T) {
	amount := big.NewInt(123456789)
	pack := func(raw []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	terms := perpetualstorage.DealTerms{BaseBounty: big.NewInt(1), MaxBounty: big.NewInt(2), BondFloor: big.NewInt(3), MinCollateral: big.NewInt(4), Endpoint: "https://x/"}
	store := pack(daodata.Store{Amount: amount, Terms: terms}.Pack())
	add := pack(daodata.Add{Origins: []string{"/ip4/1.2.3.4"}, Expiry: big.NewInt(5), Store: store}.Pack())
	pinned := pack(daodata.Add{Expiry: big.NewInt(7)}.Pack())
	renew := pack(daodata.PackRenewStorage(amount, 7))
	for _, c := range []struct {
		action uint8
		data   []byte
		amount int64
		stores bool
		expiry int64
	}{
		{DAOStore, store, 123456789, true, 0}, {DAOAdd, add, 123456789, true, 5}, {DAOAdd, pinned, 0, false, 7},
		{DAORenewStorage, renew, 123456789, false, 0}, {DAORenew, big.NewInt(99).FillBytes(make([]byte, 32)), 0, false, 99},
		{DAOAdd, nil, 0, false, 0}, {DAOAdd, renew, 0, false, 0}, {DAOStore, []byte{1, 2}, 0, false, 0}, {DAORemove, nil, 0, false, 0},
		{DAORenewStorage, nil, 0, false, 0}, {DAOChangeReplicas, renew, 0, false, 0},
	} {
		got := readData(c.action, c.data)
		if got.amount.Int64() != c.amount || got.stores != c.stores || got.expiry.Int64() != c.expiry {
			t.Errorf("action %d with %d bytes: %+v, want %+v", c.action, len(c.data), got, c)
		}
	}
}

// proposing is a chain, of one block each 30 s, in which proposals were made.
type proposing struct {
	t     *rapid.T
	made  map[uint64]uint64 // proposals, by height
	reads map[uint64]int    // by height
	null  map[uint64]bool   // rounds without a block
}

func (p *proposing) HeaderByNumber(_ context.Context, n *big.Int) (*types.Header, error) {
	if p.null[n.Uint64()] {
		return nil, ethereum.NotFound
	}
	return &types.Header{Number: n, Time: 30 * n.Uint64()}, nil
}

func (p *proposing) FilterLogs(_ context.Context, q ethereum.FilterQuery) ([]types.Log, error) {
	from, to := q.FromBlock.Uint64(), q.ToBlock.Uint64()
	if to < from || to-from >= searched {
		p.t.Fatalf("asked for blocks %d to %d", from, to)
	}
	event := datadao.NewDataDAO().GetABI().Events[datadao.DataDAOProposalCreatedEventName]
	var logs []types.Log
	for h := from; h <= to; h++ {
		p.reads[h]++
		id, ok := p.made[h]
		if !ok {
			continue
		}
		data, err := event.Inputs.NonIndexed().Pack(id, datadao.Rules{Deadline: new(big.Int), Quorum: new(big.Int), Snapshot: new(big.Int), Deposit: new(big.Int)},
			datadao.Draft{Budget: new(big.Int), Cid: []byte{1}, Data: fmt.Append(nil, id)})
		if err != nil {
			p.t.Fatal(err)
		}
		logs = append(logs, types.Log{Address: q.Addresses[0], Topics: []common.Hash{q.Topics[0][0], common.BigToHash(new(big.Int).SetUint64(id)), {}, {}}, Data: data, BlockNumber: h})
	}
	return logs, nil
}

// Whatever proposals there are, and in whichever order and at whichever heads they are
// looked for, each is found, no block is read twice, and none that is older than need be.
func TestDraftsAreFoundAndReadOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &proposing{t: t, made: map[uint64]uint64{}, reads: map[uint64]int{}, null: map[uint64]bool{}}
		at := map[uint64]uint64{}
		for id := range uint64(rapid.IntRange(1, 5).Draw(t, "proposals")) {
			h := rapid.Uint64Range(1, 9000).Draw(t, "height")
			if _, taken := p.made[h]; !taken {
				p.made[h], at[id+1] = id+1, h
			}
		}
		for range rapid.IntRange(0, 3).Draw(t, "nulls") {
			p.null[rapid.Uint64Range(0, 9000).Draw(t, "null")] = true
		}
		d, head := NewDrafts(p, common.Address{7}), uint64(0)
		for id := uint64(1); id <= 5; id++ {
			h, made := at[id]
			if !made {
				continue
			}
			head = max(head, h) + rapid.Uint64Range(0, 4000).Draw(t, "later")
			e, err := d.Find(t.Context(), id, head, time.Unix(int64(30*h), 0))
			if err != nil || string(e.Draft.Data) != fmt.Sprint(id) {
				t.Fatalf("proposal %d at %d, head %d: %v", id, h, head, err)
			}
		}
		if _, err := d.Find(t.Context(), 99, head, time.Unix(int64(30*head), 0)); err == nil {
			t.Fatal("found what is not there")
		}
		for h, n := range p.reads {
			if n > 1 {
				t.Fatalf("block %d was read %d times", h, n)
			}
		}
	})
}
