package provider_test

import (
	"bytes"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"

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

	extended, err := n.fleet.ExtendClaims(n.ctx, client,
		verifreg18.ClaimTerm{Provider: m.ID(), ClaimId: verifreg18.ClaimId(ids[0]), TermMax: 900 * day},
		verifreg18.ClaimTerm{Provider: m.ID(), ClaimId: verifreg18.ClaimId(answer.NewAllocations[0]), TermMax: 900 * day}) // the contract's
	n.must(err)
	if codes := extended.Codes(); codes[0] != 0 || codes[1] != exitcode.ErrForbidden {
		t.Errorf("extending one's own and another's claim: exit codes %v", codes)
	}
	n.must(n.fleet.ExtendClaimsOfOthers(n.ctx, client, 2048, verifreg18.ClaimExtensionRequest{
		Provider: m.ID(), Claim: verifreg18.ClaimId(answer.NewAllocations[0]), TermMax: 800 * day,
	}))
	claims, err = n.fleet.Claims(n.ctx, m.ID())
	n.must(err)
	if a, b := claims[verifreg18.ClaimId(ids[0])].TermMax, claims[verifreg18.ClaimId(answer.NewAllocations[0])].TermMax; a != 900*day || b != 800*day {
		t.Errorf("claims last until %d and %d days", a/day, b/day)
	}
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

// A contract without a Receive hook cannot be given DataCap.
func TestDataCapNeedsReceiveHook(t *testing.T) {
	n := start(t)
	c := n.deploy(`0 0 REVERT`)
	if code := exitCode(n.fleet.GrantDataCap(n.ctx, n.notary(), c.addr, big.NewInt(4096))); code == 0 {
		t.Error("it was granted")
	}
}
