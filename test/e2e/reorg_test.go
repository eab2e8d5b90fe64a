package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/test/kubo"
)

// A request that a reorg drops leaves nothing pinned; one that it re-includes
// is answered once.
func TestReorgOnAnvil(t *testing.T) {
	t.Parallel()
	const depth = 3
	for name, again := range map[string]bool{"dropped": false, "included again": true} {
		t.Run(name, func(t *testing.T) {
			n := startAnvil(t) // without a clock: deep enough for the soft lane, and never final, however slow all else is
			n.plain = "its chain stands still between soft and final, and logs that came late are read again when it goes on"
			k := kubo.Start(t)
			cid := k.Add(content(50, 700_000))
			d := newDaemon(t, n, "--ipfs-peers", k.Addr)
			d.start(t)

			tx := n.signed(t, keyAlice, n.nonce(t, keyAlice), n.pinCall(t, n.quotePin(), cid))
			if err := n.client.SendTransaction(context.Background(), tx); err != nil {
				t.Fatal(err)
			}
			first, mined := n.await(t, tx.Hash())
			output(t, nil, cast(t), "rpc", "--rpc-url", n.RPC, "anvil_mine", fmt.Sprint(depth-1))
			eventually(t, time.Minute, "the soft lane pins it", func() error {
				if len(d.pins(t, cid)) != 1 {
					return errNotYet
				}
				return nil
			})
			if got := n.head(t) - mined.BlockNumber.Uint64() + 1; n.answers(t)[first] != 0 || got != depth {
				t.Fatalf("reorg depth %d: the request is not between soft and final", got)
			}
			pairs := "[]"
			if again {
				raw, err := tx.MarshalBinary()
				if err != nil {
					t.Fatal(err)
				}
				b, err := json.Marshal([][]any{{hexutil.Encode(raw), 0}})
				if err != nil {
					t.Fatal(err)
				}
				pairs = string(b)
			}
			output(t, nil, cast(t), "rpc", "--rpc-url", n.RPC, "anvil_reorg", fmt.Sprint(depth), pairs)
			n.mineEvery(t, 1)

			if !again {
				eventually(t, time.Minute, "nothing is pinned for it", func() error {
					if held := d.pins(t, ""); len(held) > 0 {
						return fmt.Errorf("still held: %v", held)
					}
					return nil
				})
				n.finalise(t)
				if got := len(n.answers(t)); got != 0 {
					t.Fatalf("%d answers to a request that is not on chain", got)
				}
			} else {
				second, _ := n.await(t, tx.Hash())
				t.Logf("request %s became %s", first, second)
				n.awaitStatus(cid, pinPinned, time.Minute)
				n.finalise(t)
				if all := n.answers(t); len(all) != 1 || all[second] != 1 {
					t.Fatalf("answers: %v, want one, to %s", all, second)
				}
				if held := d.pins(t, cid); len(held) != 1 {
					t.Fatalf("held by %v, want one reference", held)
				}
			}
			d.awaitAnswered(t)
			d.verify(t)
			d.stop(t)
		})
	}
}

// mineEvery sets anvil's seconds between blocks.
func (n *network) mineEvery(t testing.TB, seconds int) {
	t.Helper()
	output(t, nil, cast(t), "rpc", "--rpc-url", n.RPC, "evm_setIntervalMining", fmt.Sprint(seconds))
}

func (n *network) head(t testing.TB) uint64 {
	t.Helper()
	h, err := n.client.BlockNumber(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// finalise waits until what is at the head now is final, and a little longer,
// so that a second answer would have had its time.
func (n *network) finalise(t testing.TB) {
	t.Helper()
	target := n.head(t) + 14
	eventually(t, time.Minute, "the chain goes on", func() error {
		if n.head(t) < target {
			return errNotYet
		}
		return nil
	})
}
