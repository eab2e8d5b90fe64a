package cli

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	filcrypto "github.com/filecoin-project/go-state-types/crypto"

	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/market"
)

// Where a notification was missed, providers show by the command line what stores a slot:
// the deal of f05 by an f1 key, the claim of verified data by an Ethereum key, against
// Filecoin's own actors. The slots are then active, and earn.
func TestPublishByTheCommandLine(t *testing.T) {
	w := newSpWorld(t)
	f1, eth := w.funded(chain.Secp256k1, 0), w.funded(chain.Ethereum, 5)
	ethID, err := address.NewIDAddress(uint64(eth.ID))
	w.must(err)
	f3, msig := w.funded(chain.BLS, 0), w.wallet(f1)
	byMsig := w.miner(msig, f1)
	w.joins(msig, f1, f3)
	key := w.keyOf(t, f1, market.Text(f1.Address))
	wallet := []string{"--rpc", w.net.HTTPURL(), "--from", market.Text(f3.Address)}
	both := []string{"--rpc", w.net.HTTPURL(), "--multisig", market.Text(msig)}
	t.Run("a deal of f05, by an f1 key", func(t *testing.T) { w.in(t).publishDeal(key, w.in(t).sends(key), w.miner(address.Undef, f1)) })
	t.Run("a deal of f05, by the node's wallet", func(t *testing.T) { w.in(t).publishDeal(wallet, w.in(t).sends(wallet), w.miner(address.Undef, f3)) })
	t.Run("a deal of f05, by a multisig of two", func(t *testing.T) {
		w.in(t).publishDeal(both, func(value string, args ...string) {
			w.in(t).proposed(both, []chain.Account{f1, f3}, value, args...)
		}, byMsig)
	})
	t.Run("a claim, by an Ethereum key", func(t *testing.T) { w.in(t).publishClaim(t, eth, w.miner(ethID, f1)) })
}

// f05 counts deals from 0, and nothing else begins there.
func TestNumbers(t *testing.T) {
	for _, c := range []struct {
		text  string
		least uint64
		good  bool
	}{{"0", 0, true}, {"0", 1, false}, {"7", 1, true}, {"18446744073709551615", 0, true}, {"", 0, false}, {"-1", 0, false}, {"07", 0, false}, {"7x", 0, false}} {
		if _, err := number(c.text, "deal", c.least); (err == nil) != c.good {
			t.Errorf("%q, at least %d: %v", c.text, c.least, err)
		}
	}
}

// publishDeal has two deals be published for one slot, of which the contract takes the
// first; the second stores the same piece, and is shown for another slot.
func (w *spWorld) publishDeal(flags []string, act func(value string, args ...string), m *provider.Miner) {
	taken, mine := market.SlotID(w.deal(terms(1), w.fil(3)), 0, 0), market.SlotID(w.deal(terms(1), w.fil(3)), 0, 0)
	slot := fmt.Sprint(mine)
	act("2", "claim", slot, "--miner", id(m))
	w.must(w.net.Providers().AddBalance(w.ctx, m.Worker(), m.Address(), provider.Fil(5))) // its collateral
	first := w.offered(m, taken)
	first.StartEpoch -= 200 // within the claim of the other slot
	second := first
	label, err := market18.NewLabelFromString(fmt.Sprint(taken) + "/again")
	w.must(err)
	second.Label = label
	ids, err := m.Publish(w.ctx, unsigned(first), unsigned(second))
	w.must(err)
	act("0", "publish", slot, fmt.Sprint(ids[1]))
	if d := w.slot(mine); d.State != market.SlotPublished || d.Evidence != uint64(ids[1]) {
		w.Fatalf("published: %+v, want deal %d", d, ids[1])
	}
	w.refused("refused:", with(flags, "publish", slot, fmt.Sprint(ids[1]))...) // a slot of which it is shown already
	_, err = m.Seal(w.ctx, provider.Sector{Pieces: []provider.Piece{{CID: w.piece.CID(), Size: abi.PaddedPieceSize(w.piece.Padded), Deal: &ids[1]}}})
	w.must(err)
	w.pass(day + 300)
	act("0", "prove", slot) // f05 says that it is active
	act("0", "prove", slot)
	if d := w.slot(mine); d.State != market.SlotActive || d.Earned.Sign() <= 0 {
		w.Fatalf("proven: %+v", d)
	}
}

// sends gives a sender of commands that must succeed and say how the slot then is.
func (w *spWorld) sends(flags []string) func(string, ...string) {
	return func(_ string, args ...string) {
		w.Helper()
		var done spDone
		if w.do(&done, with(flags, args...)...); len(done.Slots) != 1 || done.Slots[0].ID != args[1] {
			w.Fatalf("%v: %+v", args, done)
		}
	}
}

// wallet is a multisig of one signer.
func (w *spWorld) wallet(signer chain.Account) address.Address {
	w.Helper()
	a, err := w.net.Providers().Multisig(w.ctx, provider.Fil(50), signer)
	w.must(err)
	return a
}

// publishClaim has data be sealed for DataCap without a word to the contract.
func (w *spWorld) publishClaim(t *testing.T, key chain.Account, m *provider.Miner) {
	flags := w.keyOf(t, key, w.net.Accounts()[5].Address.Hex())
	verified := terms(1)
	verified.Verified = true
	deal := w.deal(verified, w.fil(3))
	slot := fmt.Sprint(market.SlotID(deal, 0, 0))
	gate, g := w.made.Contracts["StorageGate"], storagegate.NewStorageGate()
	at, err := market.FromEth(gate)
	w.must(err)
	notary, fleet := w.funded(chain.Secp256k1, 2), w.net.Providers()
	w.must(fleet.AddNotary(w.ctx, notary.Address, filbig.NewInt(1<<20)))
	w.refused("too little DataCap", with(flags, "claim", slot, "--miner", id(m))...) // before anything is bonded
	w.must(fleet.GrantDataCap(w.ctx, notary, at, filbig.NewInt(2048)))
	w.send(w.net.Accounts()[0], gate, nil, g.PackAssignDataCap(deal, big.NewInt(2048)))
	w.refused("who has claimed it", with(flags, "datacap", slot)...)
	var done spDone
	w.do(&done, with(flags, "claim", slot, "--miner", id(m))...)
	w.do(&done, with(flags, "datacap", slot)...)
	allocation := done.Allocation
	w.refused("has its DataCap already", with(flags, "datacap", slot, "--f05")...)
	client, err := w.net.Chain().Resolve(w.ctx, at, nil)
	w.must(err)
	_, err = m.Seal(w.ctx, provider.Sector{Pieces: []provider.Piece{{
		CID: w.piece.CID(), Size: abi.PaddedPieceSize(w.piece.Padded),
		Allocation: &provider.Allocation{Client: client, ID: verifreg.AllocationId(allocation)},
	}}})
	w.must(err)
	w.refused("refused:", with(flags, "publish", slot, "--claim", fmt.Sprint(allocation+1))...)
	w.do(&done, with(flags, "publish", slot, "--claim", fmt.Sprint(allocation))...)
	if got := w.slot(market.SlotID(deal, 0, 0)).Evidence; len(done.Slots) != 1 || done.Slots[0].State != "active" || got != allocation {
		t.Fatalf("activated: %+v by %d, want claim %d", done, got, allocation)
	}
	w.pass(day)
	w.earns(t, flags, slot)
}

func (w *spWorld) earns(t *testing.T, flags []string, slot string) {
	t.Helper()
	var done spDone
	w.do(&done, with(flags, "prove", slot)...)
	if done.Slots[0].State != "active" || done.Slots[0].Earned == "0" {
		t.Errorf("proven: %+v", done)
	}
}

// slot is a slot as the contract has it.
func (w *spWorld) slot(id uint64) market.Detail {
	w.Helper()
	d, err := market.NewStorage(contractsOf{w.client}, w.at).Slot(w.ctx, w.height(), id)
	w.must(err)
	return d
}

// fil is so many FIL in attoFIL.
func (w *spWorld) fil(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }

// offered is the deal of f05 for a slot, as its label names it.
func (w *spWorld) offered(m *provider.Miner, slot uint64) market18.DealProposal {
	w.Helper()
	height := w.height()
	at, err := market.FromEth(w.made.Contracts["StorageGate"])
	w.must(err)
	label, err := market18.NewLabelFromString(fmt.Sprint(slot) + "/")
	w.must(err)
	start := abi.ChainEpoch(height + day)
	return market18.DealProposal{
		PieceCID: w.piece.CID(), PieceSize: abi.PaddedPieceSize(w.piece.Padded), Client: at, Provider: m.Address(), Label: label,
		StartEpoch: start, EndEpoch: start + 181*day, StoragePricePerEpoch: filbig.Zero(), ProviderCollateral: filbig.NewInt(2e17), ClientCollateral: filbig.Zero(),
	}
}

// unsigned is a proposal of which the gate is asked.
func unsigned(p market18.DealProposal) market18.ClientDealProposal {
	return market18.ClientDealProposal{Proposal: p, ClientSignature: filcrypto.Signature{Type: filcrypto.SigTypeBLS}}
}
