package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"pgregory.net/rapid"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
)

// book answers as a PerpetualStorage whose deals have so many open slots each.
type book struct {
	mu    sync.Mutex
	head  uint64
	open  []int // by deal, from 1
	most  int64 // deals of one call that the endpoint manages; 0 for any
	calls map[string]int
}

func (b *book) Head(context.Context) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls["head"]++
	return b.head, nil
}

func (b *book) Call(_ context.Context, _ common.Address, data []byte, height uint64) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	abi := perpetualstorage.NewPerpetualStorage().GetABI()
	m, err := abi.MethodById(data)
	if err != nil {
		return nil, err
	}
	in, err := m.Inputs.Unpack(data[4:])
	if err != nil || height != b.head {
		return nil, errors.Join(err, fmt.Errorf("asked at %d, the head is %d", height, b.head))
	}
	b.calls[m.Name]++
	switch m.Name {
	case "nextDeal":
		return m.Outputs.Pack(uint64(len(b.open)) + 1)
	case "openSlots":
		return b.openSlots(m.Outputs.Pack, in[0].(uint64), in[1].(*big.Int).Int64())
	case "dealOf":
		d := perpetualstorage.DealView{
			Cid: append([]byte{0x01, 0x55, 0x12, 0x20}, make([]byte, 32)...), Free: new(big.Int),
			Terms: perpetualstorage.DealTerms{
				SealWindow: 2880, BaseBounty: new(big.Int), MaxBounty: new(big.Int), BondFloor: new(big.Int), MinCollateral: new(big.Int),
				Endpoint: fmt.Sprintf("https://%d.example/piece/", in[0]),
			},
		}
		if id := in[0].(uint64); id > 0 && id <= uint64(len(b.open)) {
			d.Client = common.Address{byte(id%2) + 1}
		}
		return m.Outputs.Pack(d)
	case "seatOf":
		return m.Outputs.Pack(SlotID(in[0].(uint64), in[1].(uint8), 0), uint64(0))
	case "slotOf":
		return m.Outputs.Pack(perpetualstorage.SlotView{Organisation: new(big.Int), Bond: new(big.Int), Obligation: new(big.Int), Earned: new(big.Int)})
	case "nextOpening":
		return m.Outputs.Pack(uint32(9))
	case "sourcesOf":
		return m.Outputs.Pack([]uint64{1000}, []string{"https://sp.example/"})
	case "previewClaim":
		return m.Outputs.Pack([32]byte{'t', 'a', 'k', 'e', 'n'}, big.NewInt(5), big.NewInt(6))
	}
	return nil, fmt.Errorf("no answer to %s", m.Name)
}

func (b *book) openSlots(pack func(...any) ([]byte, error), from uint64, limit int64) ([]byte, error) {
	if b.most != 0 && limit > b.most {
		return nil, errors.New("out of gas")
	}
	list, next := []perpetualstorage.OpenSlot{}, min(from+uint64(limit), uint64(len(b.open))+1)
	for deal := from; deal < next; deal++ {
		for i := range b.open[deal-1] {
			list = append(list, perpetualstorage.OpenSlot{
				SlotId: SlotID(deal, uint8(i), 0), PaddedSize: 2048, CarSize: 1500, Term: 10, Bounty: big.NewInt(7), Obligation: big.NewInt(57), Bond: big.NewInt(1),
			})
		}
	}
	if next > uint64(len(b.open)) {
		next = 0
	}
	return pack(list, next)
}

// Whatever the deals and the size of pages, each open slot is listed once, in order, and
// the contract is asked once about each chunk of a head.
func TestPagesAreTheList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &book{
			head: 5, calls: map[string]int{}, most: rapid.SampledFrom([]int64{0, 1, 7, 32}).Draw(t, "most"),
			open: rapid.SliceOfN(rapid.SampledFrom([]int{0, 0, 0, 1, 3}), 0, 700).Draw(t, "open"),
		}
		limit := rapid.IntRange(1, 200).Draw(t, "limit")
		pools, money := common.Address{1}, [2]string{MoneyPool, MoneyDeal}
		if rapid.Bool().Draw(t, "no pools") {
			pools, money = common.Address{}, [2]string{}
		}
		l := NewSlots(NewStorage(b, common.Address{2}).WithPools(pools), time.Hour, nil)
		walk := func() (ids []uint64) {
			for after := uint64(0); ; {
				p, err := l.Page(t.Context(), after, limit)
				if err != nil {
					t.Fatal(err)
				}
				if len(p.Slots) > limit || p.Head != b.head {
					t.Fatalf("%d slots of head %d", len(p.Slots), p.Head)
				}
				for _, s := range p.Slots {
					if want := fmt.Sprintf("https://%d.example/piece/%s", s.Deal, s.Piece); s.URL != want || s.SealWindow != 2880 || s.CID == "" || s.Rate.Int64() != 5 ||
						s.Client != (common.Address{byte(s.Deal%2) + 1}) || s.Money != money[s.Deal%2] {
						t.Fatalf("slot %+v", s)
					}
					ids = append(ids, s.ID)
				}
				if p.Next == 0 {
					return ids
				}
				if p.Next <= after {
					t.Fatalf("after %d comes %d", after, p.Next)
				}
				after = p.Next
			}
		}
		var want []uint64
		for i, n := range b.open {
			for k := range n {
				want = append(want, SlotID(uint64(i+1), uint8(k), 0))
			}
		}
		if got := walk(); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("listed %v, want %v", got, want)
		}
		asked := b.calls["openSlots"]
		if b.most == 0 && asked > len(b.open)/chunkDeals+1 {
			t.Fatalf("asked %d times about %d deals", asked, len(b.open))
		}
		if walk(); b.calls["openSlots"] != asked || b.calls["head"] != 1 || b.calls["nextDeal"] != 1 {
			t.Fatalf("asked again: %v", b.calls)
		}
		if p, err := l.Page(t.Context(), rapid.Uint64Min(uint64(len(b.open)+1)<<24).Draw(t, "beyond"), limit); err != nil || len(p.Slots) > 0 || p.Next != 0 || b.calls["openSlots"] != asked {
			t.Fatalf("beyond the last deal: %+v %v %v", p, err, b.calls)
		}
	})
}

func TestANewHeadIsReadAnew(t *testing.T) {
	b := &book{head: 5, open: []int{1}, calls: map[string]int{}}
	now := time.Unix(0, 0)
	l := NewSlots(NewStorage(b, common.Address{2}), time.Second, func() time.Time { return now })
	count := func() int {
		p, err := l.Page(t.Context(), 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		return len(p.Slots)
	}
	first := count()
	b.head, b.open = 6, []int{1, 2}
	again := count() // the head is not asked for yet
	now = now.Add(time.Second)
	if last := count(); first != 1 || again != 1 || last != 3 {
		t.Errorf("listed %d, %d, %d slots", first, again, last)
	}
}

func TestASlotIsToldWhole(t *testing.T) {
	b := &book{head: 5, open: []int{1}, calls: map[string]int{}}
	l := NewSlots(NewStorage(b, common.Address{2}), time.Hour, nil)
	id := SlotID(1, 0, 0)
	for range 2 {
		head, d, err := l.Slot(t.Context(), id, 1000, common.Address{3})
		if err != nil || head != 5 || d.State != SlotOpen || d.NextOpening != 9 || len(d.Sources) != 1 || d.Preview == nil || d.Preview.Reason != "taken" {
			t.Fatalf("%d %+v %v", head, d, err)
		}
	}
	if b.calls["previewClaim"] != 1 {
		t.Errorf("asked %v", b.calls)
	}
	for miner := range uint64(mostDetails) {
		_, _, err := l.Slot(t.Context(), id, miner+2000, common.Address{})
		if first := miner < mostDetails-1; (err == nil) != first {
			t.Fatalf("question %d: %v", miner, err)
		}
	}
	l = NewSlots(NewStorage(b, common.Address{2}), time.Hour, nil)
	for _, none := range []uint64{SlotID(2, 0, 0), SlotID(1, 0, 1), 0} {
		if _, _, err := l.Slot(t.Context(), none, 0, common.Address{}); !errors.Is(err, job.ErrNotFound) {
			t.Errorf("slot %d: %v", none, err)
		}
	}
}

// Every reason and error of the contract has words or is spelt out; bytes that are
// neither make no trouble.
func TestReverts(t *testing.T) {
	abi := perpetualstorage.NewPerpetualStorage().GetABI()
	for name, e := range abi.Errors {
		args := make([]any, 0, len(e.Inputs))
		for _, in := range e.Inputs {
			switch in.Type.String() {
			case "address":
				args = append(args, common.Address{4})
			case "uint64":
				args = append(args, uint64(77))
			case "uint32":
				args = append(args, uint32(77))
			case "uint8":
				args = append(args, uint8(1))
			case "uint256":
				args = append(args, big.NewInt(77))
			case "bytes32":
				args = append(args, [32]byte{'t', 'e', 'r', 'm'})
			case "bytes":
				args = append(args, []byte{7})
			default:
				t.Fatalf("%s has %s", name, in.Type)
			}
		}
		packed, err := e.Inputs.Pack(args...)
		if err != nil {
			t.Fatal(err)
		}
		if text := Reverted(append(append([]byte{}, e.ID[:4]...), packed...)); text == "" || len(text) > 200 {
			t.Errorf("%s: %q", name, text)
		}
	}
	for _, data := range [][]byte{nil, {1}, {1, 2, 3, 4}, {1, 2, 3, 4, 5}} {
		if Reverted(data) == "" {
			t.Errorf("%x says nothing", data)
		}
	}
}
