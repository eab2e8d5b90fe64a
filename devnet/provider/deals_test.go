package provider_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// Exit codes of the market that go-state-types does not name.
const (
	dealExpired      = 32
	dealNotActivated = 33
)

const marketID = abi.ActorID(5)

// propose is a deal of the shortest length that starts some epochs from now.
func (n *net) propose(piece byte, startIn abi.ChainEpoch) provider.Proposal {
	at := n.Head().Height() + startIn
	return provider.Proposal{
		PieceCID: pieceCID(n, piece), PieceSize: 2048, Label: "a deal", Start: at, End: at + 180*day,
		PricePerEpoch: abi.NewTokenAmount(1000),
	}
}

// escrow funds a client's and a miner's side of deals.
func (n *net) escrow(c contract, m *provider.Miner) {
	n.Helper()
	n.must(n.fleet.AddBalance(n.ctx, n.client(), c.addr, provider.Fil(1)))
	n.must(n.fleet.AddBalance(n.ctx, n.client(), n.client().Address, provider.Fil(1)))
	n.must(n.fleet.AddBalance(n.ctx, m.Worker(), m.Address(), provider.Fil(1)))
}

// publish publishes a deal of the contract.
func (n *net) publish(c contract, m *provider.Miner, p provider.Proposal) abi.DealID {
	n.Helper()
	proposal, err := m.FromContract(c.addr, p, []byte{0xde, 0xad})
	n.must(err)
	ids, err := m.Publish(n.ctx, proposal)
	n.must(err)
	return ids[0]
}

// getters are what a contract sees of a deal: the exit codes of GetDealClient,
// GetDealActivation and GetDealSector, and their answers.
type getters struct {
	client, activation, sector int64
	activated, terminated      abi.ChainEpoch
	inSector                   uint64
}

func (c contract) deal(id abi.DealID) getters {
	c.n.Helper()
	param := cbg.CborInt(id)
	var g getters
	g.client, _ = c.ask(marketID, builtin.MethodsMarket.GetDealClientExported, &param)
	var out []byte
	if g.activation, out = c.ask(marketID, builtin.MethodsMarket.GetDealActivationExported, &param); g.activation == 0 {
		var a market18.GetDealActivationReturn
		c.n.must(a.UnmarshalCBOR(bytes.NewReader(out)))
		g.activated, g.terminated = a.Activated, a.Terminated
	}
	if g.sector, out = c.ask(marketID, builtin.MethodsMarket.GetDealSectorExported, &param); g.sector == 0 {
		_, number, err := cbg.NewCborReader(bytes.NewReader(out)).ReadHeader()
		c.n.must(err)
		g.inSector = number
	}
	return g
}

// Every row of a deal's life, as a contract that is the client reads it.
func TestDealLifeAsContractsSeeIt(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	n.escrow(c, m)
	never := getters{client: int64(exitcode.ErrNotFound), activation: int64(exitcode.ErrNotFound), sector: int64(exitcode.ErrNotFound)}
	gone := getters{client: dealExpired, activation: dealExpired, sector: dealExpired}
	published := getters{activated: -1, terminated: -1, sector: dealNotActivated}

	if got := c.deal(0); got != never {
		t.Fatalf("a deal that was never published: %+v", got)
	}
	id := n.publish(c, m, n.propose(1, 5000))
	if got := c.deal(id); got != published {
		t.Fatalf("published: %+v", got)
	}
	if got := c.deal(id + 1); got != never {
		t.Errorf("the id after it: %+v", got)
	}
	if len(c.heard(builtin.MustGenerateFRCMethodNum("MarketNotifyDeal"))) != 1 {
		t.Error("the client was not notified of the publication")
	}
	sector := n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id}}})[0]
	info, err := m.Sector(n.ctx, sector)
	n.must(err)
	active := getters{activated: info.Activation, terminated: -1, inSector: uint64(sector)}
	if got := c.deal(id); got != active {
		t.Fatalf("active: %+v, want %+v", got, active)
	}
	n.advance(2 * day) // its sector is proven, the deal begins
	if got := c.deal(id); got != active {
		t.Fatalf("active and begun: %+v", got)
	}
	n.must(m.Terminate(n.ctx, sector))
	if got := c.deal(id); got != gone {
		t.Errorf("terminated: %+v", got)
	}

	late := n.publish(c, m, n.propose(2, 100))
	n.advance(200)
	if got := c.deal(late); got != published {
		t.Errorf("not activated in time, before anybody looked: %+v", got)
	}
	settled, err := n.fleet.Settle(n.ctx, n.client(), late)
	n.must(err)
	if codes := settled.Results.Codes(); len(codes) != 1 || codes[0] != dealExpired {
		t.Errorf("settling a deal that timed out: %v", codes)
	}
	if got := c.deal(late); got != gone {
		t.Errorf("timed out and settled: %+v", got)
	}

	cleaned := n.publish(c, m, n.propose(3, 100))
	n.advance(32 * day) // cron visits it within 30 days of its start
	if got := c.deal(cleaned); got != gone {
		t.Errorf("timed out and cleaned by cron: %+v", got)
	}
	n.advance(1) // Lotus shows the state before the head's messages
	full, _ := n.serve()
	n.lotusLacks(full, cleaned, "timed out and cleaned by cron")
}

// A deal that ran its whole time is readable as active until somebody settles it.
func TestDealThatCompletes(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	n.escrow(c, m)
	id := n.publish(c, m, n.propose(1, 1000))
	n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id}}})
	days := 181 * day
	if !soak { // the deal's last day is as good as all of them; only its payments say how long it was
		m.StopProving()
		days = 5 * day
	}
	n.advance(days)
	if got := c.deal(id); got.activation != 0 || got.terminated != -1 {
		t.Fatalf("before it was settled: %+v", got)
	}
	settled, err := n.fleet.Settle(n.ctx, n.client(), id)
	n.must(err)
	if !settled.Results.AllOk() || settled.Settlements[0].Completed != soak || settled.Settlements[0].Payment.Sign() <= 0 {
		t.Fatalf("settled: %+v", settled)
	}
	if got := c.deal(id).activation; soak && got != dealExpired {
		t.Errorf("completed and settled: exit code %d", got)
	}
	if soak {
		n.advance(1)
		full, _ := n.serve()
		n.lotusLacks(full, id, "completed and settled")
	}
}

func TestDealsOfAccounts(t *testing.T) {
	n := start(t)
	m := n.miner(provider.Creation{})
	client := n.client()
	n.must(n.fleet.AddBalance(n.ctx, client, client.Address, provider.Fil(1)))
	good, err := m.FromAccount(client, n.propose(1, 5000))
	n.must(err)
	forged, err := m.FromAccount(client, n.propose(2, 5000))
	n.must(err)
	forged.Proposal.PieceSize = 1024 // not what was signed
	ids, err := m.Publish(n.ctx, forged, good)
	if !errors.Is(err, provider.ErrDealRefused) || len(ids) != 1 {
		t.Errorf("published %v, %v; want one of two", ids, err)
	}
	if _, err := m.Publish(n.ctx, forged); exitCode(err) != exitcode.ErrIllegalArgument {
		t.Errorf("published a forged proposal: %v", err)
	}
	eth, err := m.FromContract(n.of(chain.Ethereum, 0).Address, n.propose(3, 5000), nil)
	n.must(err)
	if _, err := m.Publish(n.ctx, eth); exitCode(err) != exitcode.ErrIllegalArgument {
		t.Errorf("an Ethereum account is a client: %v", err)
	}
	if got := n.market().NextID; got != 1 {
		t.Errorf("next deal is %d, want 1", got)
	}
}

// changed is SectorContentChanged as the contract got it.
func changed(tb testing.TB, raw []byte) []struct {
	sector, minimum, pieces uint64
} {
	tb.Helper()
	r := cbg.NewCborReader(bytes.NewReader(raw))
	header := func() uint64 {
		_, n, err := r.ReadHeader()
		if err != nil {
			tb.Fatalf("%x: %v", raw, err)
		}
		return n
	}
	var out []struct{ sector, minimum, pieces uint64 }
	for range header() {
		header()
		entry := struct{ sector, minimum, pieces uint64 }{sector: header(), minimum: header()}
		entry.pieces = header()
		for range entry.pieces {
			var skip cbg.Deferred
			if err := skip.UnmarshalCBOR(r); err != nil {
				tb.Fatal(err)
			}
		}
		out = append(out, entry)
	}
	return out
}

var sectorContentChanged = builtin.MustGenerateFRCMethodNum("SectorContentChanged")

// What the contract answers decides about the proof if success is required of it.
func TestAnswerToNotificationDecides(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	prove := func(demand provider.Demands) error {
		t.Helper()
		sector := provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Notify: []provider.Notification{{To: c.addr, Payload: []byte("slot 1")}}}}}
		numbers, err := m.PreCommit(n.ctx, sector)
		n.must(err)
		_, err = m.Prove(n.ctx, numbers, []provider.Sector{sector}, demand)
		if err == nil {
			_, err = m.Sector(n.ctx, numbers[0])
		}
		return err
	}
	required := provider.Demands{Notification: true}
	for _, c2 := range []struct {
		name   string
		answer []byte // [[bool, …], …]
		demand provider.Demands
		proven bool
	}{
		{"accepts", []byte{0x81, 0x81, 0xf5}, required, true},
		{"rejects", []byte{0x81, 0x81, 0xf4}, required, false},
		{"rejects, not required", []byte{0x81, 0x81, 0xf4}, provider.Demands{}, true},
		{"says nothing", nil, required, false},
		{"says nothing, not required", nil, provider.Demands{}, true},
		{"answers for two pieces", []byte{0x81, 0x82, 0xf5, 0xf5}, required, false},
	} {
		c.answers(c2.answer...)
		if err := prove(c2.demand); (err == nil) != c2.proven {
			t.Errorf("the contract %s: %v, want proven: %v", c2.name, err, c2.proven)
		}
	}
	if got := len(c.heard(sectorContentChanged)); got != 3 { // logs of failed messages do not exist
		t.Errorf("%d notifications are on the chain, want those of the three proofs", got)
	}
}

func TestPieceNotifiedTwiceArrivesTwice(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	c.answers(0x81, 0x82, 0xf5, 0xf5)
	m := n.miner(provider.Creation{})
	sector := provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Notify: []provider.Notification{
		{To: c.addr, Payload: []byte("slot 1")}, {To: c.addr, Payload: []byte("slot 2")},
	}}}}
	numbers, err := m.PreCommit(n.ctx, sector)
	n.must(err)
	_, err = m.Prove(n.ctx, numbers, []provider.Sector{sector}, provider.Demands{Notification: true})
	n.must(err)
	heard := c.heard(sectorContentChanged)
	if len(heard) != 1 {
		t.Fatalf("%d calls, want one for each actor and message", len(heard))
	}
	got := changed(t, heard[0])
	if len(got) != 1 || got[0].sector != uint64(numbers[0]) || got[0].pieces != 2 {
		t.Errorf("notified of %+v, want the piece twice in sector %d", got, numbers[0])
	}
	for _, payload := range []string{"slot 1", "slot 2"} {
		if !bytes.Contains(heard[0], []byte(payload)) {
			t.Errorf("payload %q did not arrive", payload)
		}
	}
	info, err := m.Sector(n.ctx, numbers[0])
	n.must(err)
	if got[0].minimum != uint64(info.Expiration) {
		t.Errorf("minimum commitment until %d, the sector expires at %d", got[0].minimum, info.Expiration)
	}
}
