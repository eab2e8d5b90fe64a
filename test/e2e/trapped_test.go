package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// atOnce is for how many requests one tipset has room.
const atOnce = 50

// trapped is a bridge on a chain that is steered.
type trapped struct {
	*network
	d     *daemon
	whole testing.TB // ends with the chain
	cids  []string
	asked int             // requests that wallets made, each a transaction
	used  map[string]bool // methods of control
	named []string        // what doctor calls the trap
	told  bool            // it did
}

// doctorNames waits until doctor calls the trap by its name.
func (s *trapped) doctorNames() {
	s.t.Helper()
	if len(s.named) == 0 {
		return // all together, or always there
	}
	eventually(s.t, time.Minute, "doctor names it", func() error {
		found := s.d.doctor(s.t)
		if slices.ContainsFunc(found, func(kind string) bool { return slices.Contains(s.named, kind) }) {
			s.told = true
			return nil
		}
		return fmt.Errorf("it says %v, not %v", found, s.named)
	})
}

// control calls the devnet.
func (s *trapped) control(into any, method string, args ...any) {
	s.t.Helper()
	s.used[method] = true
	if err := s.client.Client().CallContext(s.t.Context(), into, method, args...); err != nil {
		s.t.Fatalf("%s: %v", method, err)
	}
}

// sign has fresh wallets with money sign so many requests.
func (s *trapped) sign(count int) []*types.Transaction {
	s.t.Helper()
	var keys []int
	var last common.Hash
	for i := 0; i < count; i += len(s.cids) {
		key, tx := s.funding(s.t, s.asked+i, 10)
		keys, last = append(keys, key), tx
	}
	s.final(last)
	price := s.quotePin()
	var out []*types.Transaction
	for i := range count {
		nonce := i % len(s.cids)
		out = append(out, s.signed(s.t, keys[i/len(s.cids)], uint64(nonce), s.pinCall(s.t, price, s.cids[nonce])))
	}
	s.asked += count
	return out
}

// final waits until a transaction is.
func (s *trapped) final(tx common.Hash) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "it is final", func() error {
		r, err := s.client.TransactionReceipt(s.t.Context(), tx)
		if err == nil && r.BlockNumber.Uint64() > s.finalized() {
			return errNotYet
		}
		return err
	})
}

func (s *trapped) finalized() uint64 {
	s.t.Helper()
	h, err := s.client.HeaderByNumber(s.t.Context(), big.NewInt(int64(rpc.FinalizedBlockNumber)))
	if err != nil {
		s.t.Fatal(err)
	}
	return h.Number.Uint64()
}

// send does as wallets do: what is not on the chain is sent, again if need be.
func (s *trapped) send(txs []*types.Transaction) {
	s.t.Helper()
	for _, tx := range txs {
		_, err := s.client.TransactionReceipt(s.t.Context(), tx.Hash())
		if errors.Is(err, ethereum.NotFound) {
			_ = s.client.SendTransaction(s.t.Context(), tx) // the pool may have it, or have it mined meanwhile
		} else if err != nil {
			s.t.Fatal(err)
		}
	}
}

// answered waits until all these requests are final, and every request that is on the
// chain has exactly one answer.
func (s *trapped) answered(txs []*types.Transaction) {
	s.t.Helper()
	eventually(s.t, time.Duration(60+len(txs))*time.Second, "all are asked", func() error {
		s.send(txs)
		final := s.finalized()
		for i, tx := range txs {
			r, err := s.client.TransactionReceipt(s.t.Context(), tx.Hash())
			switch {
			case err != nil:
				return fmt.Errorf("request %d of %d: %w", i, len(txs), err)
			case r.Status != types.ReceiptStatusSuccessful:
				s.t.Fatalf("request %d failed", i)
			case r.BlockNumber.Uint64() > final:
				return errNotYet
			}
		}
		return nil
	})
	eventually(s.t, time.Duration(120+len(txs))*time.Second, "all are answered", func() error {
		requests, answers := s.events(s.t, requestedTopic), s.answers(s.t)
		if len(requests) != s.asked || len(answers) > s.asked {
			s.t.Fatalf("%d requests and %d answers are on the chain, of %d", len(requests), len(answers), s.asked)
		}
		for id, times := range answers {
			if times != 1 || requests[id] != 1 {
				s.t.Fatalf("request %s, asked %d times, was answered %d times", id, requests[id], times)
			}
		}
		if len(answers) < s.asked {
			var at json.RawMessage // why it does not is in the daemon's status, not in what it logs
			return errors.Join(fmt.Errorf("%d of %d", len(answers), s.asked), s.d.ask(http.MethodGet, "/status", nil, &at), fmt.Errorf("the daemon is at %s", at))
		}
		return nil
	})
}

// chainStatus is where the daemon stands.
type chainStatus struct {
	Chain struct {
		Final  uint64 `json:"final"`
		Cursor uint64 `json:"cursor"`
	} `json:"chain"`
}

// read waits until the daemon stands where f wants it.
func (s *trapped) read(f func(chainStatus) bool) {
	s.t.Helper()
	eventually(s.t, 30*time.Second, "the daemon reads it", func() error {
		var at chainStatus
		if err := s.d.ask(http.MethodGet, "/status", nil, &at); err != nil {
			return err
		}
		if !f(at) {
			return fmt.Errorf("it is at %+v", at)
		}
		return nil
	})
}

// epochs waits until the chain has gone on.
func (s *trapped) epochs(n uint64) {
	s.t.Helper()
	target := s.head(s.t) + n
	eventually(s.t, 30*time.Second, "the chain goes on", func() error {
		if s.head(s.t) < target {
			return errNotYet
		}
		return nil
	})
}

// paused stops the clock for a while.
func (s *trapped) paused(f func()) {
	s.t.Helper()
	s.control(nil, "devnet_pause")
	f()
	s.control(nil, "devnet_resume")
}

// madeBlock is how the devnet's controls name a tipset.
type madeBlock struct {
	Number uint64 `json:"number"`
}

// refusal asks what the node has to refuse.
func (s *trapped) refusal(method string, args ...any) (int, string) {
	s.t.Helper()
	err := s.client.Client().CallContext(s.t.Context(), new(any), method, args...)
	var coded rpc.Error
	if !errors.As(err, &coded) {
		s.t.Fatalf("%s %v: no refusal but %v", method, args, err)
	}
	return coded.ErrorCode(), coded.Error()
}
