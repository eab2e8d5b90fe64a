package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/executor/httpapi"
)

var storageABI = perpetualstorage.NewPerpetualStorage()

// slotActive is IPerpetualStorage.SlotState.Active.
const slotActive = 3

func (s *show) storage() *bind.BoundContract { return storageABI.Instance(s.client, s.storageAddr) }

// view asks PerpetualStorage.
func view[T any](ctx context.Context, s *show, call []byte, unpack func([]byte) (T, error)) (T, error) {
	v, err := bind.Call(s.storage(), &bind.CallOpts{Context: ctx}, call, unpack)
	if err != nil {
		return v, fmt.Errorf("asking PerpetualStorage: %w", err)
	}
	return v, nil
}

// until asks again and again, for as long as the demo is patient.
func (s *show) until(ctx context.Context, what string, done func(context.Context) (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it did not come about within %s that %s", patience, what))
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(ctx); ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// lately is how many epochs back events are looked for: fewer than a node gives at once.
const lately = 2000

// logsOf finds events of late, by signature and first topic.
func (s *show) logsOf(ctx context.Context, of common.Address, event string, topic common.Hash) ([]types.Log, error) {
	from := max(s.startBlock+lately, uint64(s.net.Chain().Head().Height())) - lately
	logs, err := s.client.FilterLogs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(from), Addresses: []common.Address{of},
		Topics: [][]common.Hash{{crypto.Keccak256Hash([]byte(event))}, {topic}},
	})
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	return logs, nil
}

// list reads what the daemon's local API lists.
func list[T any](ctx context.Context, s *show, path string) ([]T, error) {
	raw, err := get(ctx, "http://"+s.cfg.HTTP.Listen+"/api/v1"+path)
	if err != nil {
		return nil, err
	}
	var page struct{ Items []T }
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return page.Items, nil
}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for %s: %w", url, err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, raw)
	}
	if err != nil {
		return nil, fmt.Errorf("fetching %s: %w", url, err)
	}
	return raw, nil
}

// dealsOf are the offers of a deal's slots, in the order in which they were made.
func (s *show) dealsOf(ctx context.Context, deal uint64) ([]httpapi.Deal, error) {
	all, err := list[httpapi.Deal](ctx, s, "/deals?limit=200")
	if err != nil {
		return nil, err
	}
	slices.Reverse(all) // the latest came first
	s.made = all
	return slices.DeleteFunc(slices.Clone(all), func(d httpapi.Deal) bool { return d.DealID != deal }), nil
}

func slotOf(d httpapi.Deal) (uint64, error) {
	slot, err := strconv.ParseUint(d.Slot, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("a slot's number: %w", err)
	}
	return slot, nil
}

// slotText names a slot by its deal, seat and generation.
func slotText(slot uint64) string {
	return fmt.Sprintf("%d.%d.%d", slot>>24, slot>>16&0xff, slot&0xffff)
}

func dealText(d httpapi.Deal) string {
	text := d.State
	if d.Evidence != nil && d.Sector == nil {
		text += fmt.Sprintf(", f05 deal %d", *d.Evidence)
	}
	if d.Sector != nil {
		text += fmt.Sprintf(" in sector %d, paid from epoch %d to %d", *d.Sector, d.Start, d.End)
	}
	return text + reasonText(d.Reason)
}

// providerOf is who has a deal.
func (s *show) providerOf(d httpapi.Deal) (*market.Provider, error) {
	for _, p := range s.net.Market().Providers() {
		if uint64(p.Endpoints().ID) == d.Miner {
			return p, nil
		}
	}
	return nil, fmt.Errorf("nobody is f0%d", d.Miner)
}

// check compares a deal that the daemon calls active with the contract, and fetches its
// piece from its provider.
func (s *show) check(ctx context.Context, d httpapi.Deal) error {
	slot, err := slotOf(d)
	if err != nil {
		return err
	}
	v, err := view(ctx, s, storageABI.PackSlotOf(slot), storageABI.UnpackSlotOf)
	if err != nil {
		return err
	}
	if v.State != slotActive || v.MinerId != d.Miner || uint64(v.End) != d.End {
		return fmt.Errorf("the contract has slot %s in state %d, with f0%d until epoch %d", d.Slot, v.State, v.MinerId, v.End)
	}
	p, err := s.providerOf(d)
	if err != nil {
		return err
	}
	ours, err := get(ctx, "http://"+s.daemon.Public()+"/piece/"+d.Piece)
	if err != nil {
		return err
	}
	theirs, err := get(ctx, p.Endpoints().URL+"/piece/"+d.Piece)
	if err != nil {
		return err
	}
	// A provider may serve the zeros that pad a piece.
	if len(ours) == 0 || !bytes.HasPrefix(theirs, ours) || len(bytes.Trim(theirs[len(ours):], "\x00")) > 0 {
		return fmt.Errorf("f0%d serves %d bytes that are not the piece's %d", d.Miner, len(theirs), len(ours))
	}
	s.say("read     piece %s… from f0%d: %d bytes, the same byte for byte (sha-256 %x…)", d.Piece[:18], d.Miner, len(ours), first8(ours))
	return nil
}

// reach lets epochs pass, in which providers prove, and the daemon read what happened.
func (s *show) reach(ctx context.Context, epoch uint64) error {
	head, began := uint64(s.net.Chain().Head().Height()), time.Now()
	if head < epoch {
		if _, err := s.net.Chain().Advance(ctx, int(epoch-head)); err != nil {
			return fmt.Errorf("letting epochs pass: %w", err)
		}
	}
	err := s.until(ctx, "the daemon has read them", func(ctx context.Context) (bool, error) {
		cur, ok, err := s.daemon.Ledger().Cursor(ctx, daemon.Filter)
		return ok && min(cur.Final, cur.Height) >= epoch, err
	})
	if err != nil {
		return err
	}
	s.say("clock    %.1f days passed, up to epoch %d, in %s", float64(max(epoch, head)-head)/day, epoch, time.Since(began).Round(time.Millisecond))
	return nil
}

// prove shows the contract what the miner actors say of copies, as anybody may, and what
// these have earned.
func (s *show) prove(ctx context.Context, copies []httpapi.Deal) error {
	var slots []uint64
	var proofs [][]byte
	for _, d := range copies {
		slot, err := slotOf(d)
		if err != nil {
			return err
		}
		p, err := s.providerOf(d)
		if err != nil {
			return err
		}
		status, aux, err := p.Miner().Status(ctx, abi.SectorNumber(*d.Sector))
		if err != nil {
			return err
		}
		if status != abi.SectorStatusCodeActive {
			return fmt.Errorf("sector %d of f0%d has status %d", *d.Sector, d.Miner, status)
		}
		slots, proofs = append(slots, slot), append(proofs, aux)
	}
	if _, err := s.transact(ctx, userFree, s.storage(), nil, storageABI.PackProveActive(slots, proofs)); err != nil {
		return err
	}
	for i, slot := range slots {
		v, err := view(ctx, s, storageABI.PackSlotOf(slot), storageABI.UnpackSlotOf)
		if err != nil {
			return err
		}
		if v.Faulty || v.State != slotActive || v.Proven == 0 {
			return fmt.Errorf("slot %s is in state %d, faulty %t, proven for %d epochs", slotText(slot), v.State, v.Faulty, v.Proven)
		}
		s.say("proven   slot %s: %.1f days so far, f0%d has earned %s", slotText(slot), float64(v.Proven)/day, copies[i].Miner, fil(v.Earned))
	}
	return nil
}
