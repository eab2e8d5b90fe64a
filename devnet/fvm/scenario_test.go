package fvm_test

import (
	"bytes"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/fxamacker/cbor/v2"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Method numbers that actors export to contracts.
const (
	getBalance       = 726108461
	getActivation    = 2567238399
	getDealSector    = 2611213344
	getDealClient    = 128053329
	minerPower       = 36284446
	getSectorSize    = 3858292296
	sectorExpiration = 3010055991
	settleDeals      = 1900091594
	marketID         = abi.ActorID(5)
	dealDuration     = 518400
)

func marshal(tb testing.TB, v cbg.CBORMarshaler) []byte {
	tb.Helper()
	var b bytes.Buffer
	if err := v.MarshalCBOR(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// storage is what the storage scenario made.
type storage struct {
	client contract
	miner  abi.ActorID
	piece  cid.Cid
}

// createMiner makes a storage provider of the BLS account.
func (w *world) createMiner() abi.ActorID {
	w.tb.Helper()
	owner := w.bls.Address()
	res := w.ok(w.send(owner, idAddr(4), builtin.MethodsPower.CreateMiner, fil(1000), marshal(w.tb, &power.CreateMinerParams{
		Owner: owner, Worker: owner, WindowPoStProofType: abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1, Peer: abi.PeerID("peer")})))
	var ret power.CreateMinerReturn
	if err := ret.UnmarshalCBOR(bytes.NewReader(res.Receipt.Return)); err != nil {
		w.tb.Fatal(err)
	}
	return abi.ActorID(must[uint64](w.tb)(address.IDFromAddress(ret.IDAddress)))
}

// addBalance puts money into the storage market for somebody.
func (w *world) addBalance(from, whom address.Address, amount big.Int) {
	w.tb.Helper()
	w.ok(w.send(from, idAddr(marketID), builtin.MethodsMarket.AddBalance, amount, encode(w.tb, whom.Bytes())))
}

func (w *world) proposal(s storage, client address.Address, start abi.ChainEpoch) market.DealProposal {
	label := must[market.DealLabel](w.tb)(market.NewLabelFromString("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"))
	return market.DealProposal{PieceCID: s.piece, PieceSize: 2048, Client: client, Provider: idAddr(s.miner), Label: label, StartEpoch: start,
		EndEpoch: start + dealDuration, StoragePricePerEpoch: big.NewInt(1), ProviderCollateral: big.NewInt(1_000_000), ClientCollateral: big.Zero()}
}

// publish sends a deal proposal to the market as the provider does.
func (w *world) publish(p market.DealProposal) *fvm.Result {
	w.tb.Helper()
	return w.send(w.bls.Address(), idAddr(marketID), builtin.MethodsMarket.PublishStorageDeals, big.Zero(), marshal(w.tb, &market.PublishStorageDealsParams{
		Deals: []market.ClientDealProposal{{Proposal: p, ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: make([]byte, 96)}}}}))
}

// storageScenario makes a provider and publishes, seals and proves a deal whose client is a
// contract.
func (w *world) storageScenario() storage {
	w.tb.Helper()
	s := storage{client: w.deploy(probe), piece: must[cid.Cid](w.tb)(cid.Parse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"))}
	s.miner = w.createMiner()
	w.wantAsk(s.client, actorCall{actor: marketID, method: getActivation, params: encode(w.tb, uint64(0))}, 17)
	w.addBalance(w.eth.Address(), s.client.f410(w.tb), fil(1))
	w.addBalance(w.bls.Address(), idAddr(s.miner), fil(1))
	w.ok(w.publish(w.proposal(s, s.client.f410(w.tb), 5000)))
	w.epoch = 200
	w.tick()
	sealed := must[cid.Cid](w.tb)(cid.Parse("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"))
	w.ok(w.send(w.bls.Address(), idAddr(s.miner), builtin.MethodsMiner.PreCommitSectorBatch2, fil(10), marshal(w.tb, &miner.PreCommitSectorBatchParams2{
		Sectors: []miner.SectorPreCommitInfo{{SealProof: abi.RegisteredSealProof_StackedDrg2KiBV1_1, SectorNumber: 7, SealedCID: sealed,
			SealRandEpoch: 100, Expiration: 200 + 3*dealDuration, UnsealedCid: &s.piece}}})))
	w.epoch = 400
	w.tick()
	w.ok(w.send(w.bls.Address(), idAddr(s.miner), builtin.MethodsMiner.ProveCommitSectors3, big.Zero(), marshal(w.tb, &miner.ProveCommitSectors3Params{
		SectorActivations: []miner.SectorActivationManifest{{SectorNumber: 7, Pieces: []miner.PieceActivationManifest{{CID: s.piece, Size: 2048,
			Notify: []miner.DataActivationNotification{{Address: idAddr(marketID), Payload: encode(w.tb, uint64(0))}}}}}},
		SectorProofs: [][]byte{make([]byte, 192)}, RequireActivationSuccess: true})))
	return s
}

func TestStorageDealOfContract(t *testing.T) {
	w := newWorld(t)
	s := w.storageScenario()
	var activation []int64
	var sector, client, size uint64
	for _, c := range []struct {
		call actorCall
		into any
	}{
		{actorCall{actor: marketID, method: getActivation, params: encode(t, uint64(0))}, &activation},
		{actorCall{actor: marketID, method: getDealSector, params: encode(t, uint64(0))}, &sector},
		{actorCall{actor: marketID, method: getDealClient, params: encode(t, uint64(0))}, &client},
		{actorCall{actor: s.miner, method: getSectorSize}, &size},
	} {
		if err := cbor.Unmarshal(w.wantAsk(s.client, c.call, 0), c.into); err != nil {
			t.Fatal(err)
		}
	}
	if len(activation) != 2 || activation[0] != 401 || activation[1] != -1 || sector != 7 || abi.ActorID(client) != s.client.id || size != 2048 {
		t.Fatalf("activation %v, sector %d, client %d, sector size %d", activation, sector, client, size)
	}
	w.wantAsk(s.client, actorCall{actor: s.miner, method: sectorExpiration, params: encode(t, uint64(7))}, 0)
	w.wantAsk(s.client, actorCall{actor: 4, method: minerPower, params: encode(t, uint64(s.miner))}, 0)
}

func TestRefusedProofsFailTheSector(t *testing.T) {
	w := newWorld(t)
	kinds := map[string]int{}
	w.proofs = func(kind string) bool { kinds[kind]++; return false }
	s := storage{client: w.deploy(probe), piece: must[cid.Cid](t)(cid.Parse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"))}
	s.miner = w.createMiner()
	sealed := must[cid.Cid](t)(cid.Parse("bagboea4b5abcatlxechwbp7kjpjguna6r6q7ejrhe6mdp3lf34pmswn27pkkiekz"))
	w.epoch = 200
	w.tick()
	w.ok(w.send(w.bls.Address(), idAddr(s.miner), builtin.MethodsMiner.PreCommitSectorBatch2, fil(10), marshal(t, &miner.PreCommitSectorBatchParams2{
		Sectors: []miner.SectorPreCommitInfo{{SealProof: abi.RegisteredSealProof_StackedDrg2KiBV1_1, SectorNumber: 7, SealedCID: sealed,
			SealRandEpoch: 100, Expiration: 200 + 3*dealDuration, UnsealedCid: &s.piece}}})))
	w.epoch = 400
	w.tick()
	res := w.send(w.bls.Address(), idAddr(s.miner), builtin.MethodsMiner.ProveCommitSectors3, big.Zero(), marshal(t, &miner.ProveCommitSectors3Params{
		SectorActivations: []miner.SectorActivationManifest{{SectorNumber: 7, Pieces: []miner.PieceActivationManifest{{CID: s.piece, Size: 2048}}}},
		SectorProofs:      [][]byte{make([]byte, 192)}, RequireActivationSuccess: true}))
	w.exit(res, 16)
	if kinds["seal"] != 1 {
		t.Fatalf("proofs asked for: %v", kinds)
	}
}

func TestDealExpiredIs32(t *testing.T) {
	w := newWorld(t)
	s := storage{client: w.deploy(probe), piece: must[cid.Cid](t)(cid.Parse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"))}
	s.miner = w.createMiner()
	w.addBalance(w.eth.Address(), s.client.f410(t), fil(1))
	w.addBalance(w.bls.Address(), idAddr(s.miner), fil(1))
	w.ok(w.publish(w.proposal(s, s.client.f410(t), 100)))
	deal := encode(t, uint64(0))
	w.wantAsk(s.client, actorCall{actor: marketID, method: getActivation, params: deal}, 0)
	w.wantAsk(s.client, actorCall{actor: marketID, method: getDealSector, params: deal}, 33) // not activated
	w.epoch = 5000
	w.ok(w.send(w.secp.Address(), idAddr(marketID), settleDeals, big.Zero(), marshal(t, bitfieldOf(0))))
	w.wantAsk(s.client, actorCall{actor: marketID, method: getActivation, params: deal}, 32)
}

func bitfieldOf(bits ...uint64) *bitfield.BitField {
	b := bitfield.NewFromSet(bits)
	return &b
}

// An Ethereum account cannot be the client of a deal: it answers AuthenticateMessage with
// nothing.
func TestEthAccountAsDealClient(t *testing.T) {
	w := newWorld(t)
	s := storage{piece: must[cid.Cid](t)(cid.Parse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"))}
	s.miner = w.createMiner()
	w.addBalance(w.eth.Address(), w.eth.Address(), fil(1))
	w.addBalance(w.bls.Address(), idAddr(s.miner), fil(1))
	w.exit(w.publish(w.proposal(s, w.eth.Address(), 5000)), 16)
}

// A secp256k1 account can, with its signature.
func TestKeyAccountAsDealClient(t *testing.T) {
	w := newWorld(t)
	s := storage{piece: must[cid.Cid](t)(cid.Parse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"))}
	s.miner = w.createMiner()
	w.addBalance(w.secp.Address(), w.secp.Address(), fil(1))
	w.addBalance(w.bls.Address(), idAddr(s.miner), fil(1))
	p := w.proposal(s, w.secp.Address(), 5000)
	w.exit(w.publish(p), 16) // a signature of zeros
	good := must[crypto.Signature](t)(w.secp.Sign(marshal(t, &p)))
	res := w.send(w.bls.Address(), idAddr(marketID), builtin.MethodsMarket.PublishStorageDeals, big.Zero(), marshal(t, &market.PublishStorageDealsParams{
		Deals: []market.ClientDealProposal{{Proposal: p, ClientSignature: good}}}))
	w.ok(res)
}
