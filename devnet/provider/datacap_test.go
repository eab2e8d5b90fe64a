package provider_test

import (
	"bytes"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/actors/builtin/verifreg"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

const datacapID = abi.ActorID(7)

// notary is an account that may grant DataCap.
func (n *net) notary() chain.Account {
	n.Helper()
	notary := n.of(chain.Secp256k1, 2)
	n.must(n.fleet.AddNotary(n.ctx, notary.Address, big.NewInt(1<<20)))
	return notary
}

func (n *net) request(m *provider.Miner, piece byte) verifreg18.AllocationRequest {
	return verifreg18.AllocationRequest{
		Provider: m.ID(), Data: pieceCID(n, piece), Size: 2048, TermMin: 180 * day, TermMax: 600 * day, Expiration: n.Head().Height() + 2*day,
	}
}

func (n *net) wantDataCap(c contract, account chain.Account, ofContract, ofAccount int64) {
	n.Helper()
	for _, w := range []struct {
		name string
		get  func() (abi.StoragePower, error)
		want int64
	}{
		{"contract", func() (abi.StoragePower, error) { return n.fleet.DataCap(n.ctx, c.addr) }, ofContract},
		{"account", func() (abi.StoragePower, error) { return n.fleet.DataCap(n.ctx, account.Address) }, ofAccount},
	} {
		got, err := w.get()
		n.must(err)
		if !got.Equals(big.NewInt(w.want)) {
			n.Errorf("the %s has DataCap for %s bytes, want %d", w.name, got, w.want)
		}
	}
}

func TestVerifiedDataOfAccountAndContract(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	client := n.client()
	m := n.miner(provider.Creation{})
	notary := n.notary()
	full, _ := n.serve()
	if code := exitCode(n.fleet.GrantDataCap(n.ctx, client, client.Address, big.NewInt(4096))); code == 0 {
		t.Error("an account that is no notary granted DataCap")
	}
	n.must(n.fleet.GrantDataCap(n.ctx, notary, client.Address, big.NewInt(8192)))
	n.must(n.fleet.GrantDataCap(n.ctx, notary, c.addr, big.NewInt(4096)))
	n.wantDataCap(c, client, 4096, 8192)
	if len(c.heard(builtin.MethodsVerifiedRegistry.UniversalReceiverHook)) != 1 {
		t.Error("the contract's Receive hook was not called")
	}

	ids, err := n.fleet.Allocate(n.ctx, client, n.request(m, 1), n.request(m, 2))
	n.must(err)
	transfer, err := provider.AllocationTransfer(verifreg18.AllocationRequests{Allocations: []verifreg18.AllocationRequest{n.request(m, 3)}}, 0)
	n.must(err)
	code, out := answered(t, c.send(input(t, datacapID, builtin.MethodsDatacap.TransferExported, transfer)))
	if code != 0 {
		t.Fatalf("the contract's transfer: exit code %d", code)
	}
	var moved datacap18.TransferReturn
	n.must(moved.UnmarshalCBOR(bytes.NewReader(out)))
	var answer verifreg18.AllocationsResponse
	n.must(answer.UnmarshalCBOR(bytes.NewReader(moved.RecipientData)))
	n.wantDataCap(c, client, 2048, 4096)
	if all, err := n.fleet.Allocations(n.ctx, client.ID); err != nil || len(all) != 2 {
		t.Errorf("the account's allocations: %v, %v", all, err)
	}

	claim := func(client abi.ActorID, id verifreg18.AllocationId, piece byte) provider.Sector {
		return provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, piece), Size: 2048, Allocation: &provider.Allocation{Client: client, ID: id}}}}
	}
	sectors := []provider.Sector{claim(client.ID, ids[0], 1), claim(c.id, answer.NewAllocations[0], 3), claim(client.ID, ids[1], 9)} // 9 is not what was allocated
	numbers, err := m.PreCommit(n.ctx, sectors...)
	n.must(err)
	result, err := m.Prove(n.ctx, numbers, sectors, provider.Demands{})
	n.must(err)
	if codes := result.Codes(); len(codes) != 3 || codes[0] != 0 || codes[1] != 0 || codes[2] == 0 {
		t.Fatalf("claims: exit codes %v, want only the last to fail", codes)
	}
	claims, err := n.fleet.Claims(n.ctx, m.ID())
	n.must(err)
	mine, ok := claims[verifreg18.ClaimId(ids[0])]
	if !ok || len(claims) != 2 || mine.Sector != numbers[0] || mine.Client != client.ID || mine.TermMax != 600*day {
		t.Fatalf("claims %+v", claims)
	}

	n.advance(1) // Lotus shows the state before the head's messages
	n.lotusSeesClaims(full, m, c, ids, numbers[0])
	n.extendClaims(m, ids[0], answer.NewAllocations[0])
	info, err := m.Sector(n.ctx, numbers[0])
	n.must(err)
	n.advance(day)
	n.must(m.Extend(n.ctx, info.Expiration+100*day, numbers[0]))

	n.advance(2 * day)
	removed, err := n.fleet.RemoveExpiredAllocations(n.ctx, notary, client.ID)
	n.must(err)
	if !removed.DataCapRecovered.Equals(big.NewInt(2048)) {
		t.Errorf("recovered %s bytes of an allocation that nobody claimed", removed.DataCapRecovered)
	}
}

// lotusSeesClaims reads verified data through Lotus's client, after one of the
// account's two allocations and the contract's one were claimed.
func (n *net) lotusSeesClaims(full api.FullNode, m *provider.Miner, c contract, ids []verifreg18.AllocationId, sector abi.SectorNumber) {
	n.Helper()
	byLotus, err := full.StateGetClaims(n.ctx, m.Address(), types.EmptyTSK)
	n.must(err)
	if got := byLotus[verifreg.ClaimId(ids[0])]; len(byLotus) != 2 || got.Sector != sector || got.Client != n.client().ID {
		n.Errorf("Lotus's view has the claims %+v", byLotus)
	}
	if left, err := full.StateGetAllocation(n.ctx, n.client().Address, verifreg.AllocationId(ids[1]), types.EmptyTSK); err != nil || left == nil || left.Size != 2048 {
		n.Errorf("Lotus's view of the allocation that is left: %v, %v", left, err)
	}
	if gone, err := full.StateGetAllocation(n.ctx, n.client().Address, verifreg.AllocationId(ids[0]), types.EmptyTSK); err != nil || gone != nil {
		n.Errorf("Lotus's view of the claimed allocation: %v, %v", gone, err)
	}
	for addr, want := range map[address.Address]int64{n.client().Address: 4096, c.addr: 2048} {
		if cap, err := full.StateVerifiedClientStatus(n.ctx, addr, types.EmptyTSK); err != nil || cap == nil || !cap.Equals(big.NewInt(want)) {
			n.Errorf("Lotus's view of the DataCap of %s: %v, %v, want %d", addr, cap, err, want)
		}
	}
	if none, err := full.StateVerifiedClientStatus(n.ctx, m.Worker().Address, types.EmptyTSK); err != nil || none != nil {
		n.Errorf("Lotus's view of the DataCap of a stranger: %v, %v", none, err)
	}
	if may, err := full.StateVerifierStatus(n.ctx, n.of(chain.Secp256k1, 2).Address, types.EmptyTSK); err != nil || may == nil || !may.Equals(big.NewInt(1<<20-8192-4096)) {
		n.Errorf("Lotus's view of the notary: %v, %v", may, err)
	}
}

// extendClaims extends the account's own claim, and the contract's, which only DataCap
// can.
func (n *net) extendClaims(m *provider.Miner, mine, other verifreg18.AllocationId) {
	n.Helper()
	extended, err := n.fleet.ExtendClaims(n.ctx, n.client(),
		verifreg18.ClaimTerm{Provider: m.ID(), ClaimId: verifreg18.ClaimId(mine), TermMax: 900 * day},
		verifreg18.ClaimTerm{Provider: m.ID(), ClaimId: verifreg18.ClaimId(other), TermMax: 900 * day}) // the contract's
	n.must(err)
	if codes := extended.Codes(); codes[0] != 0 || codes[1] != exitcode.ErrForbidden {
		n.Errorf("extending one's own and another's claim: exit codes %v", codes)
	}
	n.must(n.fleet.ExtendClaimsOfOthers(n.ctx, n.client(), 2048, verifreg18.ClaimExtensionRequest{
		Provider: m.ID(), Claim: verifreg18.ClaimId(other), TermMax: 800 * day,
	}))
	claims, err := n.fleet.Claims(n.ctx, m.ID())
	n.must(err)
	if a, b := claims[verifreg18.ClaimId(mine)].TermMax, claims[verifreg18.ClaimId(other)].TermMax; a != 900*day || b != 800*day {
		n.Errorf("claims last until %d and %d days", a/day, b/day)
	}
}

// A contract without a Receive hook cannot be given DataCap.
func TestDataCapNeedsReceiveHook(t *testing.T) {
	n := start(t)
	c := n.deploy(`0 0 REVERT`)
	if code := exitCode(n.fleet.GrantDataCap(n.ctx, n.notary(), c.addr, big.NewInt(4096))); code == 0 {
		t.Error("it was granted")
	}
}
