package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	filabi "github.com/filecoin-project/go-state-types/abi"
	fbig "github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/piece"
)

// asker runs commands of one who asks for storage.
type asker struct {
	*spWorld
	flags []string // who sends, and where
}

// does runs a command that must succeed and reads its JSON.
func (c asker) does(into any, args ...string) {
	c.Helper()
	code, out, errOut := c.run(strings.NewReader(""), append(args, append(c.flags, "--yes", "--json")...)...)
	if code != 0 {
		c.Fatalf("%v: %s", args, errOut)
	}
	c.must(json.Unmarshal([]byte(out), into))
}

// fails runs a command that must fail with these words.
func (c asker) fails(words string, args ...string) {
	c.Helper()
	code, out, errOut := c.run(strings.NewReader(""), append(args, append(c.flags, "--yes")...)...)
	if code == 0 || !strings.Contains(errOut, words) || out != "" {
		c.Errorf("%v: code %d, says %q (and %q), want %q", args, code, errOut, out, words)
	}
}

// reads runs a command that only reads and must succeed.
func (c asker) reads(into any, args ...string) {
	c.Helper()
	code, out, errOut := c.run(nil, append(args, "--rpc", c.net.HTTPURL(), "--json")...)
	if code != 0 {
		c.Fatalf("%v: %s", args, errOut)
	}
	c.must(json.Unmarshal([]byte(out), into))
}

// Clients use the contracts by the command line alone: deals, pools, and the question
// whether something is stored.
func TestClientsByTheCommandLine(t *testing.T) {
	w := newSpWorld(t)
	by := func(t *testing.T, a chain.Account, from string) asker {
		return asker{w.in(t), w.keyOf(t, a, from)}
	}
	eth, f1 := w.funded(chain.Ethereum, 2), w.funded(chain.Secp256k1, 1)
	t.Run("deals", func(t *testing.T) { by(t, eth, w.net.Accounts()[2].Address.Hex()).deals() })
	t.Run("orders", func(t *testing.T) { by(t, f1, market.Text(f1.Address)).orders() })
	t.Run("pools", func(t *testing.T) {
		by(t, eth, w.net.Accounts()[2].Address.Hex()).pools(by(t, f1, market.Text(f1.Address)))
	})
	t.Run("status", func(t *testing.T) { by(t, f1, market.Text(f1.Address)).status(f1) })
	t.Run("refunds", func(t *testing.T) {
		third := w.funded(chain.Secp256k1, 2)
		by(t, third, market.Text(third.Address)).refunds()
	})
}

func (c asker) deals() {
	deal := c.deal(terms(1), c.fil(4))
	id, at := fmt.Sprint(deal), "--storage="+c.at.Hex()
	stranger := c.funded(chain.Secp256k1, 0)
	var done spDone
	step := func(args ...string) *dealState {
		c.Helper()
		done = spDone{}
		c.does(&done, append([]string{"deals", args[0], at}, args[1:]...)...)
		if done.Deal == nil || done.Deal.Deal != deal {
			c.Fatalf("%v: %+v", args, done)
		}
		return done.Deal
	}
	if d := step("fund", id, "1.5"); d.Free != "5500000000000000000" || d.Status != "open" {
		c.Errorf("funded: %+v", d)
	}
	if d := step("change", "--bounty", "0.9", id); d.BaseBounty != "900000000000000000" {
		c.Errorf("bounty: %+v", d)
	}
	if d := step("change", "--max-bounty", "2", id); d.MaxBounty != "2000000000000000000" || d.Rate != 2e12 {
		c.Errorf("price: %+v", d)
	}
	if d := step("change", "--replicas", "2", id); d.Replicas != 2 {
		c.Errorf("copies: %+v", d)
	}
	if d := step("change", "--end-epoch", "9000000", id); d.EndEpoch != 9_000_000 {
		c.Errorf("end: %+v", d)
	}
	if d := step("change", "--datacap", id); !d.Verified {
		c.Errorf("datacap: %+v", d)
	}
	if d := step("change", "--datacap=false", id); d.Verified {
		c.Errorf("no datacap: %+v", d)
	}
	if d := step("suspend", id); !d.Suspended {
		c.Errorf("suspended: %+v", d)
	}
	if d := step("resume", id); d.Suspended {
		c.Errorf("resumed: %+v", d)
	}
	if d := step("surplus", id, "1"); d.Free != "4500000000000000000" || done.Credit != "1000000000000000000" {
		c.Errorf("surplus: %+v of %+v", done, d)
	}
	var look dealState
	c.reads(&look, "deals", "look", at, id)
	if len(look.Slots) != 2 || look.Replicas != 2 || look.CID == "" || look.Client != c.net.Accounts()[2].Address.Hex() {
		c.Errorf("looked: %+v", look)
	}
	c.fails("one change", "deals", "change", at, id)
	c.fails("one change", "deals", "change", at, "--replicas", "2", "--datacap", id)
	c.fails("not found", "deals", "fund", at, "999", "1")
	c.fails("is not an amount", "deals", "fund", at, id, "much")
	other := asker{c.spWorld, []string{"--rpc", c.net.HTTPURL(), "--from", market.Text(stranger.Address)}}
	other.fails("only the deal's client", "deals", "cancel", at, id)
	c.fails("is not the number of a deal", "deals", "fund", at, "0x12", "1")
	c.fails("--max-bounty", "deals", "change", at, "--bounty", "2.5", id)
	code, out, errOut := c.run(strings.NewReader(""), "deals", "look", "--rpc", c.net.HTTPURL(), at, id)
	if code != 0 || !strings.Contains(out, "vouched for by") || !strings.Contains(out, "for all copies") {
		c.Errorf("looked, code %d:\n%s%s", code, out, errOut)
	}
	before := look.ServedUntil
	c.pass(day)
	c.does(&done, "deals", "vouch", at, id)
	c.answer(c.receipt(done.Transaction), nil)
	if c.reads(&look, "deals", "look", at, id); look.ServedUntil <= before {
		c.Errorf("vouched for until %d, before that until %d", look.ServedUntil, before)
	}
	if d := step("cancel", id); d.Status != "cancelled" || d.Free != "0" || done.Credit != "5500000000000000000" {
		c.Errorf("cancelled: %+v of %+v", done, d)
	}
	done = spDone{}
	if c.does(&done, "deals", "withdraw", at); done.Credit != "0" {
		c.Errorf("withdrawn: %+v", done)
	}
}

func (c asker) receipt(tx common.Hash) *types.Receipt {
	c.Helper()
	r, err := c.client.TransactionReceipt(c.ctx, tx)
	c.must(err)
	return r
}

// content is the CID of some block.
func content(i byte) string {
	return cid.NewCidV1(cid.Raw, append([]byte{0x12, 0x20}, bytes.Repeat([]byte{i}, 32)...)).String()
}

func (c asker) orders() {
	at := "--pinning=" + c.made.Contracts["EstuaryPinning"].Hex()
	var done spDone
	c.does(&done, "deals", "order", at, "--value", "3", "--replicas", "1", content(1))
	asked := false
	for _, log := range c.receipt(done.Transaction).Logs {
		e, err := estuaryprovider.NewEstuaryProvider().UnpackOracleRequestedEvent(log)
		asked = asked || err == nil && common.Hash(e.RequestId).Hex() == done.Request
	}
	if !asked {
		c.Errorf("ordered: %+v", done)
	}
	c.fails("no deal could be opened so", "deals", "order", at, "--value", "3", "--replicas", "17", content(1))
	c.fails("no deal could be opened so: UnsupportedCid", "deals", "order", at, "--value", "3", c.piece.CID().String())
	c.fails("buys no term of any copy", "deals", "order", at, "--value", "0.01", content(1))
	c.fails("is not a CID", "deals", "order", at, "--value", "3", "nothing")
	c.fails("--pinning is needed", "deals", "order", "--value", "3", content(1))
}

// refunds gets back what was paid for requests that nobody answered: a question's fee, and of
// an order the fee and what was to fund the deal.
func (c asker) refunds() {
	provider := "--provider=" + c.made.Contracts["EstuaryProvider"].Hex()
	pinning := "--pinning=" + c.made.Contracts["EstuaryPinning"].Hex()
	var question, order, done spDone
	c.does(&question, "deals", "status", "--desk="+c.made.Contracts["StatusDesk"].Hex(), "--no-wait", "9")
	c.does(&order, "deals", "order", pinning, "--value", "3", "--replicas", "1", content(3))
	c.fails("may still be answered, until 20", "requests", "refund", provider, question.Transaction.Hex())
	c.fails("may still be answered, until 20", "requests", "refund", provider, order.Transaction.Hex())
	c.fails("has no credit at", "requests", "withdraw", provider)
	c.fails("has no credit at", "requests", "withdraw", pinning, "--escrow")
	c.must(c.client.Client().CallContext(c.ctx, nil, "evm_increaseTime", 2*60*60))
	c.must(c.client.Client().CallContext(c.ctx, nil, "evm_mine"))
	c.does(&done, "requests", "refund", provider, question.Transaction.Hex())
	fee, _ := new(big.Int).SetString(done.Credit, 10)
	paid, _ := new(big.Int).SetString(question.Value, 10)
	if done.Request != question.Request || fee.Sign() <= 0 || fee.Cmp(paid) > 0 || done.Escrow != "" {
		c.Fatalf("refunded of %s: %+v", paid, done)
	}
	c.does(&done, "requests", "refund", provider, "--request", order.Request, order.Transaction.Hex())
	all, _ := new(big.Int).SetString(done.Credit, 10)
	paid, _ = new(big.Int).SetString(order.Value, 10)
	if sum := new(big.Int).Add(new(big.Int).Sub(all, fee), c.fil(3)); done.Request != order.Request || done.Escrow != "3000000000000000000" || sum.Cmp(paid) != 0 {
		c.Fatalf("%s of %s came back: %+v", sum, paid, done)
	}
	c.fails("answered or refunded already", "requests", "refund", provider, question.Transaction.Hex())
	c.fails("refused:", "requests", "refund", provider, order.Transaction.Hex())
	c.fails("did not make request", "requests", "refund", provider, "--request", question.Request, order.Transaction.Hex())
	c.fails("asked nothing of", "requests", "refund", provider, done.Transaction.Hex())
	c.fails("needs the transaction that asked", "requests", "refund", provider, "7")
	to := c.funded(chain.BLS, 2)
	before := c.balance(to.Address)
	c.does(&done, "requests", "withdraw", provider, "--to", market.Text(to.Address))
	c.does(&done, "requests", "withdraw", pinning, "--escrow", "--to", market.Text(to.Address))
	if got := new(big.Int).Sub(c.balance(to.Address), before); got.Cmp(new(big.Int).Add(all, c.fil(3))) != 0 || done.Credit != "0" {
		c.Errorf("%s were paid, want %s and 3 FIL: %+v", got, all, done)
	}
	c.fails("has no credit at", "requests", "withdraw", provider)
}

// pools has two members share an aggregate, of which one leaves.
func (c asker) pools(other asker) {
	parts := []piece.Commitment{{Root: [32]byte{1}, Payload: 200, Padded: 256}, {Root: [32]byte{2}, Payload: 200, Padded: 256}}
	whole, err := piece.NewAggregate(parts, 2048)
	c.must(err)
	at, of := "--pools="+c.made.Contracts["StoragePools"].Hex(), whole.Commitment()
	rules := filepath.Join(c.TempDir(), "terms.json")
	t := terms(1)
	raw, err := json.Marshal(map[string]any{
		"term": t.Term, "sealWindow": t.SealWindow, "renewWindow": t.RenewWindow, "ramp": t.Ramp, "rate": t.Rate, "baseBounty": t.BaseBounty, "maxBounty": t.MaxBounty, "bondFloor": t.BondFloor,
	})
	c.must(err)
	c.must(os.WriteFile(rules, raw, 0o600))
	proof := func(i int) string {
		p, err := whole.Proof(i)
		c.must(err)
		raw, err := json.Marshal(map[string]any{"cid": content(byte(i)), "pieceCid": parts[i].CID().String(), "paddedSize": 256, "proof": p})
		c.must(err)
		path := filepath.Join(c.TempDir(), fmt.Sprint(i))
		c.must(os.WriteFile(path, raw, 0o600))
		return path
	}
	var done spDone
	c.does(&done, "pool", "open", at, "--size", "2048", "--car-size", "2000", "--terms", rules, "--replicas", "1", content(2), of.CID().String())
	if done.Pool == nil || done.Pool.Piece != of.CID().String() || done.Pool.Value != "0" {
		c.Fatalf("opened: %+v", done)
	}
	id := fmt.Sprint(done.Pool.Pool)
	var shown poolState
	c.reads(&shown, "pool", "show", at, "--size", "256", id)
	c.fails("the piece's part is", "pool", "join", at, "--value", "0.0001", id, proof(0))
	c.does(&done, "pool", "join", at, id, proof(0))
	if done.Value != shown.Price || done.Pool.Worth != shown.Price || done.Pool.Pieces != 1 {
		c.Errorf("joined: %+v %+v, for %+v", done, done.Pool, shown)
	}
	c.fails("in pool "+id+" with that piece already", "pool", "join", at, id, proof(0))
	other.does(&done, "pool", "join", at, "--value", "3", id, proof(1))
	other.does(&done, "pool", "pay", at, id, "1")
	if done.Pool.Worth != "4000000000000000000" || done.Pool.Pieces != 2 {
		c.Errorf("paid: %+v", done.Pool)
	}
	c.serve(done.Pool.Pool)
	c.marked(done.Pool.Pool)
	c.reads(&shown, "pool", "show", at, "--member", c.net.Accounts()[2].Address.Hex(), id)
	if shown.Shares == "0" || shown.Worth == "0" {
		c.Errorf("shown: %+v", shown)
	}
	other.does(&done, "pool", "leave", at, id)
	if done.Credit != "4000000000000000000" || done.Pool.Shares != "0" {
		c.Errorf("left: %+v of %+v", done, done.Pool)
	}
	other.fails("has no shares", "pool", "leave", at, id)
	other.does(&done, "pool", "withdraw", at)
	other.fails("leave a pool first", "pool", "withdraw", at)
	c.fails("is no pool", "pool", "pay", at, "999", "1")
	c.fails("does not say how large it is", "pool", "open", at, content(2), of.CID().String())
}

// marked looks for what slots are paid by.
func (c asker) marked(pool uint64) {
	c.Helper()
	deal := c.deal(terms(1), c.fil(4))
	var page httpapi.SlotPage
	c.reads(&page, "sp", "slots", "--storage", c.at.Hex(), "--pools", c.made.Contracts["StoragePools"].Hex())
	got := map[uint64]string{}
	for _, s := range page.Items {
		got[s.Deal] = s.Money + " of " + s.Client
	}
	hex := func(a common.Address) string { return strings.ToLower(a.Hex()) }
	if want := "pool of " + hex(c.made.Contracts["StoragePools"]); got[pool] != want {
		c.Errorf("the pool's slot: %q, want %q", got[pool], want)
	}
	if want := "deal of " + hex(c.net.Accounts()[2].Address); got[deal] != want {
		c.Errorf("the deal's slot: %q, want %q", got[deal], want)
	}
}

// status asks about deals and sectors; the operator answers.
func (c asker) status(key chain.Account) {
	at := "--desk=" + c.made.Contracts["StatusDesk"].Hex()
	m, err := c.net.Providers().Create(c.ctx, provider.Creation{})
	c.must(err)
	deal := c.stored(m, key)
	const active, unknown, failed = 2, 255, -1
	a := c.asks(active, nil, "deals", "status", at, fmt.Sprint(deal)).Answer
	if a.Status != "active" || !a.Proven || a.Epoch != a.Block || a.Miner != uint64(m.ID()) || a.End <= a.Start || a.Signers != 1 || a.Transaction == nil {
		c.Errorf("an active deal: %+v", a)
	}
	// Whatever operators say: the actors know no such deal.
	if a := c.asks(active, nil, "deals", "status", at, "999").Answer; a.Status != "none" || !a.Proven {
		c.Errorf("a deal that there is not: %+v", a)
	}
	sector := []string{"deals", "status", at, "--miner", id(m), "--sector", "77", "--piece", c.piece.CID().String()}
	if a := c.asks(active, nil, sector...).Answer; a.Status != "active" || a.Proven {
		c.Errorf("the operators' word: %+v", a)
	}
	if a := c.asks(unknown, nil, append(sector, "--gas", "800000000")...).Answer; a.Status != "unknown" || a.Proven {
		c.Errorf("nobody knows: %+v", a)
	}
	var last dealAnswer
	c.reads(&last, "deals", "status", at, "--last", fmt.Sprint(deal))
	if a.Transaction, a.Block, a.Signers = nil, 0, 0; last != *a {
		c.Errorf("the last answer is %+v, want %+v", last, *a)
	}
	var asked spDone
	c.does(&asked, "deals", "status", at, "--no-wait", "7")
	if asked.Request == "" || asked.Answer != nil {
		c.Errorf("only asked: %+v", asked)
	}
	_, _, words := c.run(nil, "deals", "status", at, "--last", "--rpc", c.net.HTTPURL(), "7")
	if !strings.Contains(words, "nobody asked") {
		c.Errorf("of what is not answered the last: %q", words)
	}
	c.fails("at most 1000000000 can be", "deals", "status", at, "--gas", "2000000000", "7")
	c.fails("needs the number", "deals", "status", at)
	c.fails("give --miner, --sector and --piece", "deals", "status", at, "--miner", "1000")
	c.fails("--desk is needed", "deals", "status", "7")
	c.fails("is not the contract that is meant", "deals", "status", "--desk", c.net.Accounts()[7].Address.Hex(), "7")
	if done := c.asks(failed, errNoAnswer, "deals", "status", at, "8"); done.Answer != nil {
		c.Errorf("nobody answers: %+v", done)
	}
}

// asks runs deals status while the operator answers with a status; with a want of an error
// nobody answers, and time passes.
func (c asker) asks(word int, want error, args ...string) (done spDone) {
	c.Helper()
	from := c.height()
	type ended struct {
		code        int
		out, errOut string
	}
	end := make(chan ended, 1)
	go func() {
		var e ended
		e.code, e.out, e.errOut = c.run(strings.NewReader(""), append(args, append(c.flags, "--yes", "--json")...)...)
		end <- e
	}()
	asked := c.asked(from, func() {
		select {
		case e := <-end:
			c.Fatalf("%v ended: %d %s", args, e.code, e.errOut)
		case <-time.After(20 * time.Millisecond):
		}
	})
	if want != nil {
		c.must(c.client.Client().CallContext(c.ctx, nil, "evm_increaseTime", 2*60*60))
		c.must(c.client.Client().CallContext(c.ctx, nil, "evm_mine"))
	} else {
		c.answer(asked, c.said(word, c.height()))
	}
	e := <-end
	if want != nil {
		if e.code == 0 || !strings.Contains(e.errOut, want.Error()) {
			c.Errorf("%v: %d %q, want %q", args, e.code, e.errOut, want)
		}
		return done
	}
	if e.code != 0 {
		c.Fatalf("%v: %s", args, e.errOut)
	}
	if !strings.Contains(e.errOut, "asked in block") {
		c.Errorf("%v: no progress in %q", args, e.errOut)
	}
	c.must(json.Unmarshal([]byte(e.out), &done))
	return done
}

// asked is the transaction in which the desk asked, after a height.
func (c asker) asked(after uint64, wait func()) *types.Receipt {
	c.Helper()
	x := estuaryprovider.NewEstuaryProvider()
	for {
		logs, err := c.client.FilterLogs(c.ctx, ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(after + 1), Addresses: []common.Address{c.made.Contracts["EstuaryProvider"]},
			Topics: [][]common.Hash{{x.GetABI().Events[estuaryprovider.EstuaryProviderOracleRequestedEventName].ID}},
		})
		if err == nil && len(logs) == 1 {
			return c.receipt(logs[0].TxHash)
		}
		wait()
	}
}

// said is an answer as Solidity decodes it.
func (c asker) said(word int, epoch uint64) []byte {
	c.Helper()
	var args abi.Arguments
	for _, name := range []string{"uint8", "uint64", "bytes"} {
		typ, err := abi.NewType(name, "", nil)
		c.must(err)
		args = append(args, abi.Argument{Type: typ})
	}
	out, err := args.Pack(uint8(word), epoch, []byte{})
	c.must(err)
	return out
}

// stored publishes a deal of an account and seals it.
func (c asker) stored(m *provider.Miner, key chain.Account) filabi.DealID {
	c.Helper()
	size, start := filabi.PaddedPieceSize(c.piece.Padded), filabi.ChainEpoch(c.height()+day)
	least, err := c.net.Providers().LeastCollateral(c.ctx, size, false)
	c.must(err)
	c.must(c.net.Providers().AddBalance(c.ctx, m.Worker(), m.Address(), provider.Fil(1)))
	proposal, err := m.FromAccount(key, provider.Proposal{
		PieceCID: c.piece.CID(), PieceSize: size, Start: start, End: start + 520_000, ProviderCollateral: fbig.Add(least, least),
	})
	c.must(err)
	ids, err := m.Publish(c.ctx, proposal)
	c.must(err)
	_, err = m.Seal(c.ctx, provider.Sector{Pieces: []provider.Piece{{CID: c.piece.CID(), Size: size, Deal: &ids[0]}}})
	c.must(err)
	return ids[0]
}
