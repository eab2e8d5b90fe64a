package fevm

import (
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// walletsDataCap is a wallet that has DataCap. It cannot send it to the gate, whatever it says
// with it: f07 moves DataCap to and from the verified registry alone, and does not even ask the
// gate. It can spend it all the same, on the piece of a deal without DataCap, of which it
// makes the allocation itself.
func (f *functions) walletsDataCap() {
	named := f.verified("functions, sent", 0)
	wallet, notary := f.party("wallet", f.of(chain.Secp256k1, 1)), f.of(chain.Secp256k1, 2)
	f.must(f.fleet.AddNotary(f.ctx, notary.Address, filbig.NewInt(1<<20)))
	f.must(f.fleet.GrantDataCap(f.ctx, notary, wallet.key.Address, filbig.NewInt(4096)))
	id := cbg.CborInt(named)
	_, err := f.fleet.Send(f.ctx, wallet.key, provider.Call{
		To: builtin.DatacapActorAddr, Method: builtin.MethodsDatacap.TransferExported, Params: &datacap18.TransferParams{
			To: filecoinOf(f.at[gate]), Amount: filbig.Mul(filbig.NewInt(2048), verifreg18.DataCapGranularity), OperatorData: encoded(f, &id),
		},
	})
	if !refusedBy(err, exitcode.ErrForbidden) {
		f.Fatalf("a wallet sends DataCap to the gate: %v, want exit code %d", err, exitcode.ErrForbidden)
	}
	f.calls(row{by: f.stranger, to: gate, fn: "dataCapOf", args: with(named), want: "=0"})

	p := pieceOf("functions, of a wallet's own DataCap")
	slot := f.claim(f.eth.party, f.eth.m, f.world.deal(p, terms(1), milli(20_000)), 0)
	ids, err := f.fleet.Allocate(f.ctx, wallet.key, verifreg18.AllocationRequest{
		Provider: f.eth.m.ID(), Data: p.commP, Size: p.size, TermMin: shortTerm, TermMax: 5_256_000, Expiration: f.chain.Head().Height() + day,
	})
	f.must(err)
	sector := f.direct(p, 0, slot)
	sector.Pieces[0].Allocation = &provider.Allocation{Client: wallet.id, ID: ids[0]}
	f.seal(f.eth.m, sector)
	f.wants(slot, active)
	if has, err := f.fleet.DataCap(f.ctx, wallet.key.Address); err != nil || has.Int64() != 2048 {
		f.Fatalf("the wallet has %s left, %v", has, err)
	}
}
