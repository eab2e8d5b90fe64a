package bench

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
)

const (
	backfillEvents = 200_000
	perBlock       = 40
	mostResults    = 10_000 // Lotus's MaxFilterResults
	benchChain     = 31415926
)

var (
	benchProvider = common.HexToAddress("0x1000000000000000000000000000000000000001")
	benchContract = estuaryprovider.NewEstuaryProvider()
)

// archive is a node with a long past. It writes its logs as JSON for each answer, as
// nodes do, but by hand: what it computes on cores that it shares with who reads is not
// theirs, so it is little.
type archive struct {
	mu     sync.Mutex
	logs   [][]types.Log // by height
	final  uint64
	calls  atomic.Int64
	shown  map[uint64]time.Time // when a height was first said to be final
	action uint16
}

func blockHash(h uint64) common.Hash { return crypto.Keccak256Hash(fmt.Appendf(nil, "block %d", h)) }

// samplePin is what the pinning contract asks of the provider.
func samplePin(b testing.TB) []byte {
	t, err := abi.NewType("tuple", "", []abi.ArgumentMarshaling{
		{Name: "cid", Type: "bytes"}, {Name: "requester", Type: "address"}, {Name: "maxBytes", Type: "uint64"},
		{Name: "expiry", Type: "uint40"}, {Name: "origins", Type: "string[]"}, {Name: "name", Type: "string"},
	})
	if err != nil {
		b.Fatal(err)
	}
	raw, err := abi.Arguments{{Type: t}}.Pack(struct {
		Cid       []byte
		Requester common.Address
		MaxBytes  uint64
		Expiry    *big.Int
		Origins   []string
		Name      string
	}{append([]byte{1, 0x55, 0x12, 0x20}, make([]byte, 32)...), common.Address{4}, 1 << 30, big.NewInt(4_000_000_000), []string{}, "a name"})
	if err != nil {
		b.Fatal(err)
	}
	return raw
}

// fill makes blocks with n requests each.
func (a *archive) fill(b testing.TB, blocks, n int) {
	spec := benchContract.GetABI().Events["OracleRequested"]
	payload := samplePin(b)
	a.mu.Lock()
	defer a.mu.Unlock()
	for range blocks {
		h := uint64(len(a.logs))
		var logs []types.Log
		for i := range n {
			seq := h*uint64(n) + uint64(i)
			terms := estuaryprovider.Terms{
				Seq: seq, Consumer: common.Address{2}, Action: a.action, Deadline: big.NewInt(4_000_000_000), AttemptUntil: big.NewInt(3_900_000_000),
				RefundTo: common.Address{3}, Fee: big.NewInt(1e15), AttemptFee: big.NewInt(1e13),
				PayloadHash: crypto.Keccak256Hash(payload), ContextHash: crypto.Keccak256Hash(nil),
			}
			enc := benchContract.PackIdOf(terms)[4:]
			id := crypto.Keccak256Hash(common.BigToHash(big.NewInt(benchChain)).Bytes(), common.BytesToHash(benchProvider[:]).Bytes(), enc)
			data, err := spec.Inputs.NonIndexed().Pack(terms, payload, []byte{})
			if err != nil {
				b.Fatal(err)
			}
			logs = append(logs, types.Log{
				Address: benchProvider, Topics: []common.Hash{spec.ID, id, common.BytesToHash(terms.Consumer[:]), {31: byte(a.action)}}, Data: data,
				BlockNumber: h, BlockHash: blockHash(h), TxHash: id, TxIndex: uint(i), Index: uint(i),
			})
		}
		a.logs = append(a.logs, logs)
	}
}

// ServeHTTP implements http.Handler.
func (a *archive) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	_ = json.NewDecoder(r.Body).Decode(&c)
	a.calls.Add(1)
	out := map[string]any{"jsonrpc": "2.0", "id": c.ID}
	w.Header().Set("Content-Type", "application/json")
	switch c.Method {
	case "eth_chainId":
		out["result"] = hexutil.Uint64(benchChain)
	case "eth_getBlockByNumber":
		out["result"] = a.block(string(c.Params[0]), string(c.Params[1]) == "true")
	case "bench_calls":
		out["result"] = a.calls.Swap(0) - 1
	case "eth_getLogs":
		if logs, ok := a.find(c.Params[0]); ok {
			_, _ = w.Write(answerLogs(c.ID, logs))
			return
		}
		out["error"] = map[string]any{"code": 1, "message": "filter matches too many events, try a more restricted filter"}
	default:
		out["error"] = map[string]any{"code": -32601, "message": "method not found: " + c.Method}
	}
	_ = json.NewEncoder(w).Encode(out)
}

// answerLogs writes an answer that holds logs, each as go-ethereum and Lotus write it.
func answerLogs(id json.RawMessage, logs []*types.Log) []byte {
	size := 64 + len(id)
	for _, l := range logs {
		size += 600 + 68*len(l.Topics) + 2*len(l.Data)
	}
	to := append(append(append(make([]byte, 0, size), `{"jsonrpc":"2.0","id":`...), id...), `,"result":[`...)
	bytes := func(name string, v []byte) {
		to = append(hex.AppendEncode(append(append(to, name...), `"0x`...), v), '"')
	}
	number := func(name string, v uint64) {
		to = append(strconv.AppendUint(append(append(to, name...), `"0x`...), v, 16), '"')
	}
	for i, l := range logs {
		if i > 0 {
			to = append(to, ',')
		}
		bytes(`{"address":`, l.Address[:])
		for i, topic := range l.Topics {
			name := `,`
			if i == 0 {
				name = `,"topics":[`
			}
			bytes(name, topic[:])
		}
		bytes(`],"data":`, l.Data)
		number(`,"blockNumber":`, l.BlockNumber)
		bytes(`,"transactionHash":`, l.TxHash[:])
		number(`,"transactionIndex":`, uint64(l.TxIndex))
		bytes(`,"blockHash":`, l.BlockHash[:])
		number(`,"logIndex":`, uint64(l.Index))
		to = append(to, `,"removed":false}`...)
	}
	return append(to, "]}\n"...)
}

// block gives a block by number or tag. As Lotus does, it shows an all-ones bloom
// where there are transactions.
func (a *archive) block(ref string, whole bool) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := uint64(len(a.logs) - 1)
	switch ref {
	case `"latest"`:
	case `"finalized"`:
		h = a.final
		if _, known := a.shown[h]; !known && a.shown != nil {
			a.shown[h] = time.Now()
		}
	default:
		var v hexutil.Uint64
		if json.Unmarshal([]byte(ref), &v) != nil || uint64(v) > h {
			return nil
		}
		h = uint64(v)
	}
	parent := common.Hash{}
	if h > 0 {
		parent = blockHash(h - 1)
	}
	var bloom types.Bloom
	txs := make([]any, 0, len(a.logs[h]))
	for _, l := range a.logs[h] {
		bloom = fullBloom
		if whole {
			txs = append(txs, transaction(l))
		} else {
			txs = append(txs, l.TxHash)
		}
	}
	return map[string]any{
		"number": hexutil.Uint64(h), "hash": blockHash(h), "parentHash": parent, "timestamp": hexutil.Uint64(1_700_000_000 + h), "logsBloom": bloom,
		"transactions": txs, "uncles": []any{}, "miner": common.Address{}, "difficulty": "0x0", "totalDifficulty": "0x0", "extraData": "0x", "size": "0x0",
		"gasLimit": hexutil.Uint64(10_000_000_000), "gasUsed": hexutil.Uint64(20_000_000 * len(txs)), "baseFeePerGas": "0x64", "nonce": "0x0000000000000000",
		"mixHash": common.Hash{}, "stateRoot": common.Hash{}, "transactionsRoot": common.Hash{}, "receiptsRoot": common.Hash{}, "sha3Uncles": types.EmptyUncleHash,
	}
}

var fullBloom = func() (b types.Bloom) {
	for i := range b {
		b[i] = 0xff
	}
	return b
}()

// transaction is that which a log is of: a call of the consumer that carries its data.
func transaction(l types.Log) any {
	return map[string]any{
		"hash": l.TxHash, "blockHash": l.BlockHash, "blockNumber": hexutil.Uint64(l.BlockNumber), "transactionIndex": hexutil.Uint64(l.TxIndex),
		"from": common.Address{3}, "to": common.BytesToAddress(l.Topics[2][:]), "input": hexutil.Bytes(l.Data[len(l.Data)/2:]), "value": "0x38d7ea4c68000",
		"nonce": hexutil.Uint64(l.BlockNumber*perBlock + uint64(l.TxIndex)), "gas": "0x1312d00", "gasPrice": "0x64", "maxFeePerGas": "0x64",
		"maxPriorityFeePerGas": "0x1", "type": "0x2", "chainId": hexutil.Uint64(benchChain), "accessList": []any{}, "v": "0x1", "yParity": "0x1",
		"r": l.TxHash, "s": l.TxHash,
	}
}

func (a *archive) find(raw json.RawMessage) ([]*types.Log, bool) {
	var f struct {
		FromBlock, ToBlock *hexutil.Uint64
		BlockHash          *common.Hash
	}
	_ = json.Unmarshal(raw, &f)
	a.mu.Lock()
	defer a.mu.Unlock()
	out := []*types.Log{}
	if f.BlockHash != nil {
		for h := len(a.logs) - 1; h >= 0; h-- {
			if blockHash(uint64(h)) == *f.BlockHash {
				for i := range a.logs[h] {
					out = append(out, &a.logs[h][i])
				}
				return out, true
			}
		}
	}
	for h := uint64(*f.FromBlock); h <= uint64(*f.ToBlock) && h < uint64(len(a.logs)); h++ {
		for i := range a.logs[h] {
			out = append(out, &a.logs[h][i])
		}
		if len(out) > mostResults {
			return nil, false
		}
	}
	return out, true
}

// archiveProcess makes a process of this program a node with the past of BenchmarkBackfill.
const archiveProcess = "TIDEGATE_BENCH_ARCHIVE"

func TestMain(m *testing.M) {
	if os.Getenv(archiveProcess) == "" {
		os.Exit(m.Run())
	}
	a := &archive{action: 1}
	a.fill(&testing.B{}, backfillEvents/perBlock, perBlock)
	a.final = uint64(len(a.logs) - 1)
	runtime.GC()
	srv := httptest.NewServer(a)
	fmt.Println(srv.URL)
	_, _ = io.Copy(io.Discard, os.Stdin) // until who started it is gone
}

// startArchive runs the node in a process of its own, so that its memory is not ours.
func startArchive(b *testing.B) (url string) {
	cmd := exec.CommandContext(b.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), archiveProcess+"=1"), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(line)
}
