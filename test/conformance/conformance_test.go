package conformance

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"testing"

	"github.com/ethereum/go-ethereum/common/hexutil"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/provider"
)

const file = "../contracts/fvm/vectors/conformance.json"

// facts are what the stand-ins are set to, so that the same calls mean the same.
type facts struct {
	Miner      uint64        `json:"miner"`
	Owner      uint64        `json:"owner"`
	OwnerKey   hexutil.Bytes `json:"ownerKey"` // f1
	Worker     uint64        `json:"worker"`
	ContractID uint64        `json:"contractId"`
	Contract   hexutil.Bytes `json:"client"` // f410
	Power      uint64        `json:"power"`  // of the miner, in all stages

	Commitment hexutil.Bytes `json:"commitment"`
	PieceSize  uint64        `json:"pieceSize"`
	Label      string        `json:"label"`
}

// terms are of two deals without collateral, of which one is never activated.
type terms struct {
	Start     int64  `json:"start"`
	End       int64  `json:"end"`
	Deal      uint64 `json:"deal"`
	Late      uint64 `json:"late"`
	LateStart int64  `json:"lateStart"`
	LateEnd   int64  `json:"lateEnd"`
}

// sealed is the sector of the first.
type sealed struct {
	Sector     uint64 `json:"sector"`
	Activated  int64  `json:"activated"`
	Expiration int64  `json:"expiration"`
	Deadline   int64  `json:"deadline"`
	Partition  int64  `json:"partition"`
}

// granted is DataCap that the contract has, and the claim that it comes to.
type granted struct {
	Epoch     int64  `json:"epoch"`
	Size      uint64 `json:"size"` // of the grant, in bytes
	Sector    uint64 `json:"sector"`
	TermStart int64  `json:"termStart"`
	LeastSize uint64 `json:"leastSize"` // of an allocation on the devnet; 1 MiB elsewhere
}

// record is the file.
type record struct {
	Facts facts   `json:"facts"`
	Terms terms   `json:"terms"`
	Seal  sealed  `json:"seal"`
	Grant granted `json:"grant"`
	Calls []call  `json:"calls"`
}

func TestActorsAnswerAsRecorded(t *testing.T) {
	n := start(t)
	r := life(n)
	content, err := json.MarshalIndent(r, "", "  ")
	n.must(err)
	content = append(content, '\n')
	old, err := os.ReadFile(file)
	if err == nil && bytes.Equal(old, content) {
		return
	}
	if os.Getenv("TIDEGATE_UPDATE") != "" {
		n.must(os.WriteFile(file, content, 0o644))
		t.Logf("wrote %d calls", len(r.Calls))
		return
	}
	var before record
	n.must(json.Unmarshal(old, &before))
	if !reflect.DeepEqual(before.Facts, r.Facts) || before.Terms != r.Terms || before.Seal != r.Seal || before.Grant != r.Grant {
		t.Errorf("recorded %+v %+v %+v %+v", before.Facts, before.Terms, before.Seal, before.Grant)
		t.Errorf("now      %+v %+v %+v %+v", r.Facts, r.Terms, r.Seal, r.Grant)
	}
	for i, c := range r.Calls {
		if i < len(before.Calls) && (before.Calls[i].OK != c.OK || !bytes.Equal(before.Calls[i].Output, c.Output)) {
			t.Errorf("%s: %s: recorded %v %s, now %v %s", c.Stage, c.Name, before.Calls[i].OK, before.Calls[i].Output, c.OK, c.Output)
		}
	}
	t.Error("the record is not what the actors answer; TIDEGATE_UPDATE=1 writes it anew")
}

// life goes through the stages and asks at each.
func life(n *net) record {
	n.Helper()
	f := facts{
		Miner: uint64(n.miner.ID()), Owner: n.resolve(n.miner.Owner()), Worker: n.resolve(n.miner.Worker().Address),
		ContractID: uint64(n.probeID), Contract: n.probe.Bytes(), PieceSize: 2048, Label: "a deal",
	}
	f.OwnerKey = n.miner.Owner().Bytes()
	root := bytes.Repeat([]byte{7}, 32)
	f.Commitment = root
	piece, err := commcid.DataCommitmentV1ToCID(root)
	n.must(err)
	var d terms
	var s sealed
	var calls []call
	at := func(stage string, list ...[]call) {
		for _, some := range list {
			for _, c := range some {
				c.Stage = stage
				c.OK, c.Output = n.ask(c)
				calls = append(calls, c)
			}
		}
	}

	n.must(n.fleet.AddBalance(n.ctx, n.miner.Worker(), n.miner.Address(), provider.Fil(1)))
	at("begun", machinery(n, f), ofMiner(f), ofDataCap(n, f), getters("a deal that never was", 0),
		getters("the greatest id", math.MaxUint64), status(n, "a sector that never was", f.Miner, 5, nowhere))

	d.Start, d.End = n.propose(2000)
	d.Deal = n.publish(provider.Proposal{
		PieceCID: piece, PieceSize: 2048, Label: f.Label, Start: abi.ChainEpoch(d.Start), End: abi.ChainEpoch(d.End),
	})
	at("published", getters("the deal", d.Deal), getters("the next", d.Deal+1))

	deal := abi.DealID(d.Deal)
	numbers, err := n.miner.Seal(n.ctx, provider.Sector{Pieces: []provider.Piece{{CID: piece, Size: 2048, Deal: &deal}}})
	n.must(err)
	info, err := n.miner.Sector(n.ctx, numbers[0])
	n.must(err)
	deadline, partition, err := n.miner.Place(n.ctx, numbers[0])
	n.must(err)
	s.Sector, s.Activated, s.Expiration = uint64(numbers[0]), int64(info.Activation), int64(info.Expiration)
	s.Deadline, s.Partition = int64(deadline), int64(partition)
	_, location, err := n.miner.Status(n.ctx, numbers[0])
	n.must(err)
	sector := func(name string) []call {
		return append(status(n, name, f.Miner, s.Sector, location),
			ask(name+": until when", f.Miner, "GetNominalSectorExpiration", number(s.Sector)))
	}
	at("active", getters("the deal", d.Deal), sector("the sector"), places(n, f.Miner, s, location))

	d.LateStart, d.LateEnd = n.propose(100)
	d.Late = n.publish(provider.Proposal{
		PieceCID: piece, PieceSize: 2048, Label: f.Label, Start: abi.ChainEpoch(d.LateStart), End: abi.ChainEpoch(d.LateEnd),
	})
	_, err = n.chain.Advance(n.ctx, 2*builtin.EpochsInDay)
	n.must(err)
	at("begun to run", getters("the deal", d.Deal), getters("one that missed its start", d.Late), sector("the sector"))
	_, err = n.fleet.Settle(n.ctx, n.client(), abi.DealID(d.Late))
	n.must(err)
	at("settled", getters("one that missed its start", d.Late))

	n.miner.Skip(numbers[0])
	_, err = n.chain.Advance(n.ctx, builtin.EpochsInDay+60)
	n.must(err)
	at("faulty", getters("the deal", d.Deal), sector("the sector"))

	n.must(n.miner.Terminate(n.ctx, numbers[0]))
	at("terminated", getters("the deal", d.Deal), sector("the sector"))
	g := verified(n, f, piece, at)
	return record{f, d, s, g, calls}
}

// verified is the life of DataCap of a contract: granted, allocated, claimed.
func verified(n *net, f facts, piece cid.Cid, at func(string, ...[]call)) granted {
	n.Helper()
	g := granted{Size: 3 * 2048, LeastSize: 256}
	notary := n.client()
	n.must(n.fleet.AddNotary(n.ctx, notary.Address, big.NewInt(1<<20)))
	n.must(n.fleet.GrantDataCap(n.ctx, notary, n.probe, big.NewIntUnsigned(g.Size)))
	g.Epoch = int64(n.chain.Head().Height())
	allocate := allocations(n, f, piece, g.Epoch)
	at("granted", allocate)

	data := slices.Concat(precompile(callByID), word(0), allocate[0].Input)
	wrapped := abi.CborBytes(data)
	_, err := n.fleet.Send(n.ctx, n.client(), provider.Call{To: n.probe, Method: builtin.MethodsEVM.InvokeContract, Params: &wrapped})
	n.must(err)
	numbers, err := n.miner.Seal(n.ctx, provider.Sector{Pieces: []provider.Piece{{
		CID: piece, Size: 2048, Allocation: &provider.Allocation{Client: n.probeID, ID: 1},
	}}})
	n.must(err)
	claims, err := n.fleet.Claims(n.ctx, n.miner.ID())
	n.must(err)
	g.Sector, g.TermStart = uint64(numbers[0]), int64(claims[1].TermStart)
	at("claimed", ofClaims(n, f))
	return g
}

// places are locations that are not the sector's.
func places(n *net, of uint64, s sealed, location []byte) (list []call) {
	for _, p := range []struct {
		name     string
		location []byte
	}{
		{"nowhere", nowhere},
		{"another deadline", place((s.Deadline+1)%48, 0)},
		{"another partition", place(s.Deadline, s.Partition+1)},
		{"deadline 48", []byte{0x82, 0x18, 48, 0x00}},
		{"a deadline and no partition", []byte{0x82, 0x00, 0x20}},
		{"no deadline and a partition", []byte{0x82, 0x20, 0x00}},
		{"a negative one", []byte{0x82, 0x21, 0x00}},
		{"three numbers", []byte{0x83, 0x00, 0x00, 0x00}},
		{"no CBOR", []byte{0xff}},
		{"nothing", nil},
	} {
		list = append(list, status(n, p.name, of, s.Sector, p.location)...)
	}
	list = append(list, status(n, "another sector", of, s.Sector+1, location)...)
	list = append(list, status(n, "another sector, nowhere", of, s.Sector+1, nowhere)...)
	return append(list, ask("another sector: until when", of, "GetNominalSectorExpiration", number(s.Sector+1)))
}

// place is CBOR [deadline, partition].
func place(deadline, partition int64) []byte {
	return slices.Concat([]byte{0x82}, number(uint64(deadline)), number(uint64(partition)))
}

// propose gives the epochs of the shortest deal that starts some epochs from now.
func (n *net) propose(startIn int64) (start, end int64) {
	start = int64(n.chain.Head().Height()) + startIn
	return start, start + 180*builtin.EpochsInDay
}

// publish publishes a deal of the probe.
func (n *net) publish(p provider.Proposal) uint64 {
	n.Helper()
	proposal, err := n.miner.FromContract(n.probe, p, []byte{0xde, 0xad})
	n.must(err)
	ids, err := n.miner.Publish(n.ctx, proposal)
	n.must(err)
	return uint64(ids[0])
}
