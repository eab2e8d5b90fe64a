package deploy

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// slow is a chain that answers what a script says, one entry a question; the
// last entry for ever.
type slow struct {
	Backend
	asked  int
	script []any // an error, a receipt or code
}

func (s *slow) next() (answer any) {
	answer = s.script[min(s.asked, len(s.script)-1)]
	s.asked++
	return answer
}

func (s *slow) TransactionReceipt(context.Context, common.Hash) (*types.Receipt, error) {
	switch a := s.next().(type) {
	case error:
		return nil, a
	case *types.Receipt:
		return a, nil
	}
	return nil, ethereum.NotFound
}

func (s *slow) CodeAt(context.Context, common.Address, *big.Int) ([]byte, error) {
	switch a := s.next().(type) {
	case error:
		return nil, a
	case []byte:
		return a, nil
	}
	return nil, nil
}

func TestWaitingForATransaction(t *testing.T) {
	good := &types.Receipt{Status: types.ReceiptStatusSuccessful, BlockNumber: big.NewInt(7)}
	reverted := &types.Receipt{Status: types.ReceiptStatusFailed, BlockNumber: big.NewInt(7)}
	busy := errors.New("too many requests")
	for name, c := range map[string]struct {
		script []any
		asked  int
		fails  string
	}{
		"mined later":           {script: []any{ethereum.NotFound, ethereum.NotFound, good}, asked: 3},
		"the endpoint stumbles": {script: []any{busy, ethereum.NotFound, busy, good}, asked: 4},
		"the endpoint is gone":  {script: []any{busy}, asked: patience, fails: "too many requests"},
		"it reverted":           {script: []any{ethereum.NotFound, reverted}, asked: 2, fails: "reverted in block 7"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				chain := &slow{script: c.script}
				r := &run{ctx: t.Context(), b: chain}
				_, err := r.mined(common.Hash{1})
				if (err != nil) != (c.fails != "") || (err != nil && !strings.Contains(err.Error(), c.fails)) {
					t.Errorf("got %v, want %q", err, c.fails)
				}
				if chain.asked != c.asked {
					t.Errorf("asked %d times, want %d", chain.asked, c.asked)
				}
			})
		})
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		r := &run{ctx: ctx, b: &slow{script: []any{ethereum.NotFound}}}
		if _, err := r.mined(common.Hash{1}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}

func TestWaitingForCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &run{ctx: t.Context(), b: &slow{script: []any{[]byte{}, errors.New("busy"), []byte{1}}}}
		if err := r.coded(common.Address{1}); err != nil {
			t.Errorf("code that comes late: %v", err)
		}
		r.b = &slow{script: []any{[]byte{}}}
		began := time.Now()
		if err := r.coded(common.Address{1}); !errors.Is(err, ErrNoCode) {
			t.Errorf("no code: got %v", err)
		}
		if waited := time.Since(began); waited != 2*time.Minute {
			t.Errorf("waited %s for code, which Lotus may show four epochs late", waited)
		}
	})
}
