package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/piece"
	oraclechain "github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/report"
)

// spWorld is perpetual storage on a devnet whose epochs are made on demand.
type spWorld struct {
	testing.TB
	ctx     context.Context
	net     *devnet.Devnet
	client  *ethclient.Client
	made    deploy.Deployment
	at      common.Address
	storage *perpetualstorage.PerpetualStorage
	piece   piece.Commitment
}

func newSpWorld(t testing.TB, with ...func(*devnet.Config)) *spWorld {
	t.Helper()
	limit := 5 * time.Minute
	if os.Getenv("TIDEGATE_SOAK") != "" { // half a year of epochs
		limit = 30 * time.Minute
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	t.Cleanup(cancel)
	net := devnet.Start(t, append(with, func(c *devnet.Config) { c.Unmetered = true })...)
	client, err := ethclient.DialContext(ctx, net.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	made, err := deploy.OnDevnet(ctx, client, net.Accounts()[0].Key(), net.Accounts()[1].Address)
	if err != nil {
		t.Fatal(err)
	}
	return &spWorld{
		TB: t, ctx: ctx, net: net, client: client, made: made, at: made.Contracts["PerpetualStorage"],
		storage: perpetualstorage.NewPerpetualStorage(), piece: piece.Commitment{Root: [32]byte{7}, Padded: 2048, Payload: 2000},
	}
}

// in is the world as a test within a test sees it.
func (w *spWorld) in(t testing.TB) *spWorld {
	own := *w
	own.TB = t
	return &own
}

func (w *spWorld) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// send sends a call by one of the devnet's Ethereum accounts.
func (w *spWorld) send(from devnet.Account, to common.Address, value *big.Int, data []byte) *types.Receipt {
	w.Helper()
	opts := bind.NewKeyedTransactor(from.Key(), big.NewInt(devnet.ChainID))
	opts.Context, opts.Value = w.ctx, value
	tx, err := bind.Transact(w.storage.Instance(w.client, to), opts, data)
	w.must(err)
	receipt, err := bind.WaitMined(w.ctx, w.client, tx.Hash())
	w.must(err)
	if receipt.Status != types.ReceiptStatusSuccessful {
		w.Fatalf("transaction %s failed", tx.Hash())
	}
	return receipt
}

// day is in epochs.
const day = 2880

// terms of a deal of 180 days: 1 FIL of bounty and 2 µFIL an epoch.
func terms(replicas uint8) perpetualstorage.DealTerms {
	return perpetualstorage.DealTerms{
		Replicas: replicas, Term: 180 * day, SealWindow: day, RenewWindow: 100 * day, Ramp: 10 * day, Rate: 2e12,
		BaseBounty: big.NewInt(1e18), MaxBounty: big.NewInt(1e18), BondFloor: big.NewInt(2e18), MinCollateral: new(big.Int),
	}
}

// deal creates a deal whose slots can be claimed.
func (w *spWorld) deal(t perpetualstorage.DealTerms, funds *big.Int) uint64 {
	w.Helper()
	content := append([]byte{0x01, 0x55, 0x12, 0x20}, crypto.Keccak256([]byte{1})...)
	receipt := w.send(w.net.Accounts()[2], w.at, funds, w.storage.PackCreateDeal(content, w.piece.CID().Bytes(), w.piece.Padded, w.piece.Payload, t))
	for _, log := range receipt.Logs {
		if e, err := w.storage.UnpackDealCreatedEvent(log); err == nil && log.Address == w.at {
			w.serve(e.DealId)
			return e.DealId
		}
	}
	w.Fatal("no deal was created")
	return 0
}

// serve has the operator vouch that a deal's piece can be fetched.
func (w *spWorld) serve(deal uint64) {
	w.Helper()
	opts := &bind.CallOpts{Context: w.ctx}
	fee, err := bind.Call(w.storage.Instance(w.client, w.at), opts, w.storage.PackQuoteServed(deal), w.storage.UnpackQuoteServed)
	w.must(err)
	w.answer(w.send(w.net.Accounts()[2], w.at, fee, w.storage.PackRequestServed(deal)), nil)
}

// answer has the operator answer with success what was asked in a transaction.
func (w *spWorld) answer(asked *types.Receipt, result []byte) {
	w.Helper()
	oracle, opts := estuaryprovider.NewEstuaryProvider(), &bind.CallOpts{Context: w.ctx}
	at := w.made.Contracts["EstuaryProvider"]
	config, err := bind.Call(oracle.Instance(w.client, at), opts, oracle.PackConfigDigest(), oracle.UnpackConfigDigest)
	w.must(err)
	for _, log := range asked.Logs {
		e, err := oracle.UnpackOracleRequestedEvent(log)
		if err != nil || log.Address != at {
			continue
		}
		digest, err := report.Digest(devnet.ChainID, at, config, []oraclechain.Answer{{Request: e.RequestId, Outcome: job.Succeeded, Result: result}})
		w.must(err)
		signature, err := crypto.Sign(digest[:], w.net.Accounts()[1].Key())
		w.must(err)
		signature[64] += 27
		w.send(w.net.Accounts()[1], at, nil, oracle.PackFulfill(config, []estuaryprovider.Report{
			{Terms: e.Terms, Outcome: uint8(job.Succeeded), Result: result, Context: e.Context},
		}, [][]byte{signature}))
		return
	}
	w.Fatal("nothing was asked")
}

// funded is the i-th funded account of a kind.
func (w *spWorld) funded(kind chain.AccountKind, i int) chain.Account {
	w.Helper()
	for _, a := range w.net.Chain().Accounts() {
		if a.Kind != kind {
			continue
		}
		if i == 0 {
			return a
		}
		i--
	}
	w.Fatalf("no %s account", kind)
	return chain.Account{}
}

// miner makes a storage provider that an address owns; signer, if not the owner, signs
// what the fleet does for it.
func (w *spWorld) miner(owner address.Address, signer chain.Account) *provider.Miner {
	w.Helper()
	m, err := w.net.Providers().Create(w.ctx, provider.Creation{Owner: owner, Signer: signer})
	w.must(err)
	return m
}

// seal puts the piece into a sector and notifies the gate.
func (w *spWorld) seal(m *provider.Miner, slot uint64) abi.SectorNumber {
	w.Helper()
	return w.sealFor(m, slot, 0)
}

// sealFor is seal, into a sector of a lifetime; 0 is the usual one.
func (w *spWorld) sealFor(m *provider.Miner, slot uint64, lifetime abi.ChainEpoch) abi.SectorNumber {
	w.Helper()
	gate, err := market.FromEth(w.made.Contracts["StorageGate"])
	w.must(err)
	numbers, err := m.Seal(w.ctx, provider.Sector{Lifetime: lifetime, Pieces: []provider.Piece{{
		CID: w.piece.CID(), Size: abi.PaddedPieceSize(w.piece.Padded),
		Notify: []provider.Notification{{To: gate, Payload: market.SlotPayload(slot)}},
	}}})
	w.must(err)
	return numbers[0]
}

func (w *spWorld) pass(epochs int) {
	w.Helper()
	const atOnce = 1000 // so that no gap is longer than what a daemon reads at once
	for ; epochs > 0; epochs -= atOnce {
		_, err := w.net.Chain().Advance(w.ctx, min(epochs, atOnce))
		w.must(err)
	}
}

// sp runs a command line of sp; what it says is read by it. The contract is named.
func (w *spWorld) sp(in io.Reader, args ...string) (code int, out, errOut string) {
	w.Helper()
	return w.run(in, append([]string{"sp", args[0], "--storage", w.at.Hex()}, args[1:]...)...)
}

// run runs any command line.
func (w *spWorld) run(in io.Reader, args ...string) (code int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	root := newRoot(context.Background())
	root.Reader, root.Writer, root.ErrWriter = in, &stdout, &stderr
	if err := root.Run(w.ctx, append([]string{"tidegate"}, args...)); err != nil {
		return 1, stdout.String(), err.Error()
	}
	return 0, stdout.String(), stderr.String()
}

// do runs a command that must succeed and reads what it prints as JSON.
func (w *spWorld) do(into any, args ...string) {
	w.Helper()
	if args = append(args, "--json"); args[0] != "slots" {
		args = append(args, "--yes")
	}
	code, out, errOut := w.sp(strings.NewReader(""), args...)
	if code != 0 {
		w.Fatalf("sp %v: %s", args, errOut)
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		w.Fatalf("sp %v printed %q: %v", args, out, err)
	}
}

// refused runs a command that must fail with these words.
func (w *spWorld) refused(words string, args ...string) {
	w.Helper()
	code, out, errOut := w.sp(strings.NewReader(""), append(args, "--yes")...)
	if code == 0 || !strings.Contains(errOut, words) || out != "" {
		w.Errorf("sp %v: code %d, says %q (and %q), want %q", args, code, errOut, out, words)
	}
}

// keyOf puts an account's key into the environment and gives the flags that name it.
func (w *spWorld) keyOf(t *testing.T, a chain.Account, from string) []string {
	w.Helper()
	name := fmt.Sprintf("SP_KEY_%d", a.ID)
	t.Setenv(name, fmt.Sprintf("%x", a.Key.KeyInfo().PrivateKey))
	return []string{"--rpc", w.net.HTTPURL(), "--key-env", name, "--from", from}
}
