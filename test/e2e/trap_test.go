package e2e

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

var requestedTopic = crypto.Keccak256Hash([]byte("OracleRequested(bytes32,address,uint16,(uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32),bytes,bytes)"))

// traps are the chain's own: name and switch as docs/devnet.md has them, "" for what is
// always there, and what doctor calls it while it lasts. spring sees that the trap is there, and has the requests asked while it
// snaps.
var traps = []struct {
	name, by string
	named    []string
	spring   func(s *trapped, txs []*types.Transaction)
}{
	{"null-rounds", "devnet_nullRounds", []string{"null_rounds"}, (*trapped).nullRounds},
	{"deferred-execution", "", nil, (*trapped).deferred},
	{"too-early", "", nil, (*trapped).tooEarly},
	{"log-limits", "devnet_setLogLimits", []string{"log_limits"}, (*trapped).logLimits},
	{"orphaned-logs", "devnet_reorg", []string{"reorg"}, (*trapped).orphaned},
	{"again", "devnet_reorg", []string{"reorg"}, (*trapped).again},
	{"deep-reorg", "devnet_reorg", []string{"frozen"}, (*trapped).deepReorg},
	{"stalled-finality", "devnet_stallFinality", []string{"finality_stalled"}, (*trapped).stalled},
	{"full-blooms", "devnet_fullBlooms", []string{"full_blooms"}, (*trapped).blooms},
	{"other-hashes", "", nil, (*trapped).hashes},
	{"forgetful-pool", "devnet_dropPending", []string{"unmined"}, (*trapped).forgotten},
	{"failed-messages", "", nil, (*trapped).failed},
}

// Whatever Filecoin does that Ethereum does not, every request that is on the chain in
// the end is answered once, the audit is complete, and doctor is silent afterwards: 500
// requests with each trap alone and with all together under TIDEGATE_SOAK=1,
// otherwise 2 and 16.
func TestEachTrapAloneAndAllTogether(t *testing.T) {
	t.Parallel()
	each, all := 2, 16
	if os.Getenv("TIDEGATE_SOAK") != "" {
		each, all = 500, 500
	}
	p := start(t, "devnet", true, nil, tidegate(t), devnetArgs(t, "200ms")...)
	s := &trapped{network: devnetLine(t, p).dial(t, p), whole: t, used: map[string]bool{}}
	s.plain = "each trap is alone; the faults of endpoints have a test of their own"
	s.d = newDaemon(t, s.network, "--tx-replace-after", "4s") // a forgotten answer is sent again then
	s.d.start(t)
	for i := range 10 { // a requester asks for each but once
		s.cids = append(s.cids, s.d.add(t, fmt.Sprint("content-", i), content(1900+uint64(i), 20_000)))
	}
	for _, c := range traps {
		if t.Failed() {
			break // the chain is not as the next one takes it to be
		}
		t.Run(c.name, func(t *testing.T) {
			s.t = t
			for left := each; left > 0; left -= atOnce {
				txs := s.sign(min(left, atOnce))
				s.used, s.named, s.told = map[string]bool{"": true}, c.named, false
				c.spring(s, txs)
				if !s.used[c.by] || s.told != (len(c.named) > 0) {
					t.Errorf("%s was used: %t; doctor named it: %t", c.by, s.used[c.by], s.told)
				}
				s.answered(txs)
			}
			s.d.well(t)
		})
	}
	t.Run("all together", func(t *testing.T) {
		s.t, s.named = t, nil
		s.together(s.sign(all))
		s.d.well(t)
	})
	s.d.stop(t)
}

func (s *trapped) nullRounds(txs []*types.Transaction) {
	var after madeBlock
	s.control(&after, "devnet_nullRounds", 3)
	s.send(txs)
	s.paused(func() {
		s.control(nil, "devnet_nullRounds", 7)
		s.control(nil, "devnet_mine", 6) // what is after the gap is final, and may be read as one range with it
		s.doctorNames()
	})
	if code, words := s.refusal("eth_getBlockByNumber", hexutil.Uint64(after.Number-1), false); code != 12 {
		s.t.Errorf("a null round is code %d: %s", code, words)
	}
}

func (s *trapped) deferred(txs []*types.Transaction) {
	s.paused(func() {
		s.send(txs)
		var in madeBlock
		s.control(&in, "devnet_mine", 1)
		if r, err := s.client.TransactionReceipt(s.t.Context(), txs[0].Hash()); !errors.Is(err, ethereum.NotFound) || s.head(s.t) != in.Number-1 {
			s.t.Errorf("executed in the tipset that has it: %v %v", r, err)
		}
		s.control(nil, "devnet_mine", 1)
		if r, err := s.client.TransactionReceipt(s.t.Context(), txs[0].Hash()); err != nil || r.BlockNumber.Uint64() != in.Number {
			s.t.Errorf("not executed by the next tipset: %v %v", r, err)
		}
	})
}

func (s *trapped) tooEarly(txs []*types.Transaction) {
	s.paused(func() {
		head := hexutil.Uint64(s.head(s.t) + 1)
		if _, words := s.refusal("eth_getBlockByNumber", head, false); !strings.Contains(words, "future epoch") {
			s.t.Error(words)
		}
		if _, words := s.refusal("eth_getLogs", map[string]any{"fromBlock": "0x1", "toBlock": head}); !strings.Contains(words, "not yet available") {
			s.t.Error(words)
		}
	})
	s.send(txs)
}

// logLimits has the daemon come back to a past that no one query may cover.
func (s *trapped) logLimits(txs []*types.Transaction) {
	s.d.proc.stop(s.t)
	s.control(nil, "devnet_setLogLimits", 4, 1)
	for i := range txs { // one by one, so that they are in several tipsets
		s.send(txs[i : i+1])
		s.epochs(1)
	}
	s.epochs(6)
	latest := s.head(s.t)
	if code, words := s.refusal("eth_getLogs", map[string]any{"fromBlock": hexutil.Uint64(latest - 5), "toBlock": hexutil.Uint64(latest)}); code != -32005 {
		s.t.Errorf("six epochs of four: %d %s", code, words)
	}
	s.d.start(s.whole)
	s.read(func(at chainStatus) bool { return at.Chain.Cursor >= latest })
	s.doctorNames()
	s.control(nil, "devnet_setLogLimits")
}

// replaced has the daemon read requests, and then replaces the tipsets that have them.
func (s *trapped) replaced(txs []*types.Transaction, keep bool) *types.Receipt {
	s.t.Helper()
	var was *types.Receipt
	s.paused(func() {
		s.send(txs)
		s.control(nil, "devnet_mine", 2)
		var err error
		if was, err = s.client.TransactionReceipt(s.t.Context(), txs[0].Hash()); err != nil {
			s.t.Fatal(err)
		}
		s.read(func(at chainStatus) bool { return at.Chain.Cursor >= was.BlockNumber.Uint64() })
		var done struct{ Dropped []common.Hash }
		s.control(&done, "devnet_reorg", 2, keep)
		if forgotten := slices.Contains(done.Dropped, txs[0].Hash()); forgotten == keep {
			s.t.Errorf("kept %t, and dropped %v", keep, done.Dropped)
		}
	})
	return was
}

func (s *trapped) orphaned(txs []*types.Transaction) {
	was := s.replaced(txs, false)
	s.doctorNames()
	logs, err := s.client.FilterLogs(s.t.Context(), ethereum.FilterQuery{BlockHash: &was.BlockHash})
	if err != nil || len(logs) < len(txs) || !logs[0].Removed {
		s.t.Errorf("logs of an orphaned tipset: %v %v", logs, err)
	}
}

func (s *trapped) again(txs []*types.Transaction) {
	was := s.replaced(txs, true)
	s.doctorNames()
	s.final(txs[0].Hash())
	if r, err := s.client.TransactionReceipt(s.t.Context(), txs[0].Hash()); err != nil || r.BlockHash == was.BlockHash {
		s.t.Errorf("it is in %v, was in %v, %v", r, was, err)
	}
}

// deepReorg replaces what was final, and its answers with it. A person has to decide.
func (s *trapped) deepReorg(txs []*types.Transaction) {
	s.send(txs)
	s.answered(txs)
	s.belowFinal()
}

func (s *trapped) belowFinal() {
	s.t.Helper()
	s.paused(func() {
		final := s.finalized()
		s.read(func(at chainStatus) bool { return at.Chain.Final >= final })
		s.control(nil, "devnet_reorg", 6, true)
	})
	named := s.named
	s.named = []string{"frozen"} // also where it is one of many
	s.doctorNames()
	s.named = named
	if out, err := s.d.settings("oracle", "reorg", "accept", "--yes"); err != nil {
		s.t.Fatalf("%s %v", out, err)
	}
}

func (s *trapped) stalled(txs []*types.Transaction) {
	s.control(nil, "devnet_stallFinality", true)
	was := s.finalized()
	s.send(txs)
	id, _ := s.await(s.t, txs[0].Hash())
	s.epochs(10) // it would long be final
	s.doctorNames()
	if now := s.finalized(); now > was || s.answers(s.t)[id] != 0 {
		s.t.Errorf("finality stalled at %d and is at %d; answered %d times", was, now, s.answers(s.t)[id])
	}
	s.control(nil, "devnet_stallFinality", false)
}

// latest is the newest block as the node says it, and as go-ethereum understands it.
func (s *trapped) latest() (hash common.Hash, bloom hexutil.Bytes, decoded *types.Header) {
	s.t.Helper()
	var raw struct {
		Number    hexutil.Uint64
		Hash      common.Hash
		LogsBloom hexutil.Bytes
	}
	s.control(&raw, "eth_getBlockByNumber", "latest", false)
	decoded, err := s.client.HeaderByHash(s.t.Context(), raw.Hash)
	if err != nil {
		s.t.Fatal(err)
	}
	return raw.Hash, raw.LogsBloom, decoded
}

func (s *trapped) blooms(txs []*types.Transaction) {
	s.control(nil, "devnet_fullBlooms")
	if _, bloom, _ := s.latest(); slices.ContainsFunc(bloom, func(b byte) bool { return b != 0xff }) || len(bloom) != types.BloomByteLength {
		s.t.Errorf("the bloom says something: %s", bloom)
	}
	s.answered(txs)
	s.doctorNames()
	s.control(nil, "devnet_fullBlooms", false)
	if _, bloom, _ := s.latest(); !slices.Contains(bloom, 0) {
		s.t.Error("blooms still say nothing")
	}
}

func (s *trapped) hashes(txs []*types.Transaction) {
	if hash, _, decoded := s.latest(); decoded.Hash() == hash {
		s.t.Errorf("go-ethereum computes %s too", hash)
	}
	s.send(txs)
}

// forgotten has the pool forget the daemon's answers.
func (s *trapped) forgotten(txs []*types.Transaction) {
	s.paused(func() {
		s.send(txs)
		s.control(nil, "devnet_mine", 6) // all is final, and the answers cannot be mined
		eventually(s.t, 30*time.Second, "an answer is pending", func() error {
			var status struct{ Pending int }
			if s.control(&status, "devnet_status"); status.Pending == 0 {
				return errNotYet
			}
			return nil
		})
		var dropped int
		if s.control(&dropped, "devnet_dropPending"); dropped == 0 {
			s.t.Error("nothing was pending")
		}
		s.doctorNames()
	})
}

// failed sends a request that runs out of gas.
func (s *trapped) failed(txs []*types.Transaction) {
	gas := s.gas
	s.gas = 15_000_000
	tx := s.signed(s.t, keyBob, s.nonce(s.t, keyBob), s.pinCall(s.t, s.quotePin(), s.cids[0]))
	s.gas = gas
	if err := s.client.SendTransaction(s.t.Context(), tx); err != nil {
		s.t.Fatal(err)
	}
	s.send(txs)
	s.final(tx.Hash())
	if r, err := s.client.TransactionReceipt(s.t.Context(), tx.Hash()); err != nil || r.Status != types.ReceiptStatusFailed || len(r.Logs) != 0 {
		s.t.Errorf("out of gas: %+v %v", r, err)
	}
}

// together lets the traps snap in a drawn order while the requests are asked.
func (s *trapped) together(txs []*types.Transaction) {
	r := rand.New(rand.NewPCG(9, 12))
	s.control(nil, "devnet_setLogLimits", 4, 1)
	s.control(nil, "devnet_fullBlooms")
	stalled := false
	for i, end := 0, 0; end < len(txs); i++ {
		end = min(end+4, len(txs))
		s.send(txs[:end])
		switch r.IntN(5) {
		case 0:
			s.control(nil, "devnet_nullRounds", 1+r.IntN(9))
		case 1, 2:
			s.control(nil, "devnet_reorg", 1+r.IntN(2), r.IntN(2) == 0)
		case 3:
			s.control(nil, "devnet_dropPending")
		case 4:
			stalled = !stalled
			s.control(nil, "devnet_stallFinality", stalled)
		}
		s.epochs(uint64(1 + r.IntN(4)))
	}
	s.control(nil, "devnet_stallFinality", false)
	s.control(nil, "devnet_setLogLimits")
	s.answered(txs)
	s.belowFinal()
	s.answered(txs)
	s.control(nil, "devnet_fullBlooms", false)
}
