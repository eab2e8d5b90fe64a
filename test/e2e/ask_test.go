package e2e

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/estuarypinning"
)

var answeredTopic = crypto.Keccak256Hash([]byte("OracleAnswered(bytes32,uint64,uint8,uint8,bytes32,uint256)"))

// answers counts the OracleAnswered events of each request.
func (n *network) answers(t testing.TB) map[common.Hash]int {
	t.Helper()
	return n.events(t, answeredTopic)
}

// events counts the provider's events of a kind by their request.
func (n *network) events(t testing.TB, kind common.Hash) map[common.Hash]int {
	t.Helper()
	const most = 2000 // blocks; Lotus allows 2,880 in one query
	out := map[common.Hash]int{}
	for from, latest := n.Start, n.head(t); from <= latest; from += most {
		logs, err := n.client.FilterLogs(context.Background(), ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(from), ToBlock: new(big.Int).SetUint64(min(from+most-1, latest)),
			Addresses: []common.Address{common.HexToAddress(n.provider())}, Topics: [][]common.Hash{{kind}},
		})
		if err != nil {
			t.Fatalf("reading events: %v", err)
		}
		for _, l := range logs {
			out[l.Topics[1]]++
		}
	}
	return out
}

// call is a transaction to send: what cast send would do, without its process.
type call struct {
	to    string
	value *big.Int
	data  []byte
}

// pinCall is pinToEstuary(string) at a price.
func (n *network) pinCall(t testing.TB, price *big.Int, cid string) call {
	t.Helper()
	return call{n.pinning(), price, estuarypinning.NewEstuaryPinning().PackPinToEstuary0(cid)}
}

// pinFrom is pinToEstuary with an origin.
func (n *network) pinFrom(t testing.TB, text, origin string) call {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return call{n.pinning(), n.quotePin(), estuarypinning.NewEstuaryPinning().PackPinToEstuary(c.Bytes(), estuarypinning.PinOptions{
		Origins: []string{origin}, Expiry: new(big.Int),
	})}
}

// signed makes a signed transaction at the given nonce.
func (n *network) signed(t testing.TB, key int, nonce uint64, c call) *types.Transaction {
	t.Helper()
	private, err := crypto.HexToECDSA(strings.TrimPrefix(n.Keys[key].PrivateKey, "0x"))
	if err != nil {
		t.Fatal(err)
	}
	to := common.HexToAddress(c.to)
	tx, err := types.SignNewTx(private, types.LatestSignerForChainID(new(big.Int).SetUint64(n.ChainID)), &types.DynamicFeeTx{
		ChainID: new(big.Int).SetUint64(n.ChainID), Nonce: nonce, To: &to, Value: c.value, Data: c.data,
		Gas: n.gas, GasTipCap: big.NewInt(1_000_000_000), GasFeeCap: big.NewInt(5_000_000_000),
	})
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

func (n *network) nonce(t testing.TB, key int) uint64 {
	t.Helper()
	nonce, err := n.client.PendingNonceAt(context.Background(), common.HexToAddress(n.Keys[key].Address))
	if err != nil {
		t.Fatal(err)
	}
	return nonce
}

// await waits for a transaction's receipt and gives its request.
func (n *network) await(t testing.TB, tx common.Hash) (common.Hash, *types.Receipt) {
	t.Helper()
	var got *types.Receipt
	eventually(t, 30*time.Second, "the transaction is mined", func() (err error) {
		got, err = n.client.TransactionReceipt(context.Background(), tx)
		return err
	})
	if got.Status != types.ReceiptStatusSuccessful {
		t.Fatalf("transaction %s reverted", tx)
	}
	for _, l := range got.Logs {
		if strings.EqualFold(l.Address.Hex(), n.provider()) && len(l.Topics) == 4 {
			return l.Topics[1], got
		}
	}
	t.Fatalf("no OracleRequested in %s", tx)
	return common.Hash{}, nil
}

// askMany asks for count pins, the CIDs in turn, each by its own requester so
// that no request of one is in the way of another.
func (n *network) askMany(t testing.TB, count int, cids []string) []common.Hash {
	t.Helper()
	ctx := context.Background()
	var asked []common.Hash
	for i := 0; i < count; i += len(cids) {
		who, price := n.fund(t, i, 1+min(count-i, len(cids))), n.quotePin()
		nonce := uint64(0)
		var sent []common.Hash
		for j := i; j < min(count, i+len(cids)); j++ {
			tx := n.signed(t, who, nonce, n.pinCall(t, price, cids[j-i]))
			if err := n.client.SendTransaction(ctx, tx); err != nil {
				t.Fatalf("asking: %v", err)
			}
			sent = append(sent, tx.Hash())
			nonce++
		}
		for _, tx := range sent {
			id, _ := n.await(t, tx)
			asked = append(asked, id)
		}
	}
	return asked
}

// fund makes a fresh account with so many FIL, one for each request, and gives its key's index.
func (n *network) fund(t testing.TB, salt, fil int) int {
	t.Helper()
	key, tx := n.funding(t, salt, fil)
	eventually(t, 30*time.Second, "the account is funded", func() error {
		r, err := n.client.TransactionReceipt(context.Background(), tx)
		if err == nil && r.Status != types.ReceiptStatusSuccessful {
			return errNotYet
		}
		return err
	})
	return key
}

// funding makes a fresh account and sends it money: its key's index, and the transaction.
func (n *network) funding(t testing.TB, salt, fil int) (int, common.Hash) {
	t.Helper()
	private, err := crypto.ToECDSA(crypto.Keccak256([]byte(fmt.Sprint("e2e account ", salt, len(n.Keys)))))
	if err != nil {
		t.Fatal(err)
	}
	a := account{crypto.PubkeyToAddress(private.PublicKey).Hex(), "0x" + hex.EncodeToString(crypto.FromECDSA(private))}
	n.Keys = append(n.Keys, a)
	value := new(big.Int).Mul(big.NewInt(int64(fil)), big.NewInt(1e18)) // no more: the deployer's money has to be enough for thousands of requests
	tx := n.signed(t, keyDeployer, n.nonce(t, keyDeployer), call{to: a.Address, value: value})
	if err := n.client.SendTransaction(context.Background(), tx); err != nil {
		t.Fatal(err)
	}
	return len(n.Keys) - 1, tx.Hash()
}

// cidHex is a CID's bytes as cast takes them.
func cidHex(t testing.TB, text string) string {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return "0x" + hex.EncodeToString(c.Bytes())
}

// heldPin is a row of `pin ls --json`.
type heldPin struct {
	Ref   string `json:"ref"`
	CID   string `json:"cid"`
	State string `json:"state"`
}

// pins lists what the node holds of a CID, "" for all.
func (d *daemon) pins(t testing.TB, text string) []heldPin {
	t.Helper()
	var out []heldPin
	for _, p := range decode[[]heldPin](t, d.cli(t, "pin", "ls", "--json")) {
		if (text == "" || sameBlock(t, p.CID, text)) && p.State == "pinned" {
			out = append(out, p)
		}
	}
	return out
}

func sameBlock(t testing.TB, a, b string) bool {
	t.Helper()
	return cidHash(t, a) == cidHash(t, b)
}

func cidHash(t testing.TB, text string) string {
	t.Helper()
	c, err := cid.Decode(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(c.Hash())
}

// verify recounts the node's references from scratch.
func (d *daemon) verify(t testing.TB) {
	t.Helper()
	var report struct {
		OK bool `json:"ok"`
	}
	text := d.cli(t, "pin", "verify", "--json")
	if err := json.Unmarshal([]byte(text), &report); err != nil || !report.OK {
		t.Fatalf("the recount differs from the references (%v): %s", err, text)
	}
}

// awaitAnswered waits until no job is on its way.
func (d *daemon) awaitAnswered(t testing.TB) {
	t.Helper()
	eventually(t, 2*time.Minute, "no job is on its way", func() error {
		for _, j := range decode[[]struct {
			Key   string `json:"key"`
			Kind  string `json:"kind"`
			State string `json:"state"`
		}](t, d.cli(t, "jobs", "ls", "--json", "--limit", "1000")) {
			switch {
			case j.State == "settled", j.State == "cancelled", j.State == "orphaned", j.Kind == "release":
			case j.State == "done" && strings.HasPrefix(j.Key, "local:"):
			case j.State == "dead":
				t.Fatalf("job %s is dead", j.Key)
			default:
				return fmt.Errorf("job %s is %s", j.Key, j.State)
			}
		}
		return nil
	})
}
