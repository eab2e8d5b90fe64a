package provider_test

import (
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	gethrpc "github.com/ethereum/go-ethereum/rpc"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"

	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/devnet/rpc"
)

// serve opens the port of the chain, with the fleet's controls, until the test ends.
func (n *net) serve() (api.FullNode, *gethrpc.Client) {
	n.Helper()
	s, err := rpc.New(rpc.Config{Controls: []any{provider.NewControls(n.fleet)}}, n.Chain)
	n.must(err)
	ctx, cancel := context.WithCancel(n.ctx)
	var running sync.WaitGroup
	running.Go(func() {
		if err := s.Run(ctx); err != nil {
			n.Error(err)
		}
	})
	ws := strings.Replace(s.URL(), "http", "ws", 1)
	full, closer, err := client.NewFullNodeRPCV1(ctx, ws, nil)
	n.must(err)
	eth, err := gethrpc.DialContext(ctx, ws)
	n.must(err)
	n.Cleanup(func() {
		closer()
		eth.Close()
		cancel()
		if err := s.Close(); err != nil {
			n.Error(err)
		}
		running.Wait()
	})
	return full, eth
}

// Every row of a deal's life, and its sector's and miner's, as Lotus's own client reads
// them.
func TestDealLifeAsLotusSeesIt(t *testing.T) {
	n := start(t)
	full, _ := n.serve()
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	n.escrow(c, m)
	head := types.EmptyTSK
	settle := func() { // Lotus shows the state before the head's messages
		if _, err := n.Mine(n.ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	n.lotusLacks(full, 0, "never published")
	id := n.publish(c, m, n.propose(1, 5000))
	settle()
	deal, err := full.StateMarketStorageDeal(n.ctx, id, head)
	n.must(err)
	if deal.State.SectorStartEpoch != -1 || deal.Proposal.Client != idAddr(t, c.id) || deal.Proposal.Provider != m.Address() {
		t.Errorf("published: %+v", deal)
	}
	sector := n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id}}})[0]
	settle()
	events, err := full.GetActorEventsRaw(n.ctx, &types.ActorEventFilter{TipSetKey: nil, FromHeight: new(abi.ChainEpoch),
		Addresses: []address.Address{builtin.StorageMarketActorAddr}})
	if err != nil || len(events) != 2 {
		t.Errorf("%d events of the market, %v, want of the publication and the activation", len(events), err)
	}
	info, err := full.StateSectorGetInfo(n.ctx, m.Address(), sector, head)
	n.must(err)
	deal, err = full.StateMarketStorageDeal(n.ctx, id, head)
	n.must(err)
	if deal.State.SectorStartEpoch != info.Activation || deal.State.SectorNumber != sector {
		t.Errorf("active: %+v, sector %+v", deal.State, info)
	}
	balance, err := full.StateMarketBalance(n.ctx, c.addr, head)
	n.must(err)
	if !balance.Escrow.Equals(provider.Fil(1)) || !balance.Locked.Equals(abi.NewTokenAmount(1000*int64(180*day))) {
		t.Errorf("balance %+v", balance)
	}
	expiration, err := full.StateSectorExpiration(n.ctx, m.Address(), sector, head)
	n.must(err)
	if expiration.OnTime < info.Expiration || expiration.OnTime > info.Expiration+day || expiration.Early != 0 {
		t.Errorf("expires %+v, the sector says %d", expiration, info.Expiration)
	}
	n.lotusSeesFault(full, m, sector)
	n.must(m.Terminate(n.ctx, sector))
	settle()
	n.lotusLacks(full, id, "terminated")
	if info, err := full.StateSectorGetInfo(n.ctx, m.Address(), sector, head); err != nil || info == nil {
		t.Errorf("a terminated sector is there until compaction: %v, %v", info, err)
	}
	n.lotusSeesLateDeal(full, c, m)
}

// lotusLacks checks that Lotus finds no such deal.
func (n *net) lotusLacks(full api.FullNode, id abi.DealID, when string) {
	n.Helper()
	if _, err := full.StateMarketStorageDeal(n.ctx, id, types.EmptyTSK); err == nil || !strings.Contains(err.Error(), "not found") {
		n.Errorf("%s: %v", when, err)
	}
}

// lotusSeesFault reads a miner that proves and then skips a sector.
func (n *net) lotusSeesFault(full api.FullNode, m *provider.Miner, sector abi.SectorNumber) {
	n.Helper()
	minerInfo, err := full.StateMinerInfo(n.ctx, m.Address(), types.EmptyTSK)
	n.must(err)
	if minerInfo.Worker != idAddr(n, m.Worker().ID) || minerInfo.SectorSize != 2048 {
		n.Errorf("miner %+v", minerInfo)
	}
	n.advance(day + 60)
	n.advance(1)
	power, err := full.StateMinerPower(n.ctx, m.Address(), types.EmptyTSK)
	n.must(err)
	if power.MinerPower.RawBytePower.Int64() != 2048 {
		n.Errorf("power %+v", power)
	}
	m.Skip(sector)
	n.advance(day)
	n.advance(1)
	faults, err := full.StateMinerFaults(n.ctx, m.Address(), types.EmptyTSK)
	n.must(err)
	if faulty, err := faults.IsSet(uint64(sector)); err != nil || !faulty {
		n.Errorf("the skipped sector is not among the faults, %v", err)
	}
	if expiration, err := full.StateSectorExpiration(n.ctx, m.Address(), sector, types.EmptyTSK); err != nil || expiration.Early == 0 {
		n.Errorf("the faulty sector expires %+v, %v", expiration, err)
	}
}

// lotusSeesLateDeal reads a deal that is not activated in time, and the market's events.
func (n *net) lotusSeesLateDeal(full api.FullNode, c contract, m *provider.Miner) {
	n.Helper()
	late := n.publish(c, m, n.propose(2, 20))
	n.advance(40)
	if deal, err := full.StateMarketStorageDeal(n.ctx, late, types.EmptyTSK); err != nil || deal.State.SectorStartEpoch != -1 {
		n.Errorf("late, before anybody looked: %+v, %v", deal, err)
	}
	if _, err := n.fleet.Settle(n.ctx, n.client(), late); err != nil {
		n.Fatal(err)
	}
	n.advance(1)
	if _, err := full.StateMarketStorageDeal(n.ctx, late, types.EmptyTSK); err == nil {
		n.Error("timed out and settled, it is still there")
	}
	// Within the span of a query, which the first deal's begin is not.
	for kind, want := range map[string]int{"deal-published": 1, "deal-activated": 0, "deal-terminated": 1, "deal-completed": 0} {
		value := append([]byte{0x60 | byte(len(kind))}, kind...) // a CBOR text
		from := max(n.Head().Height()-2880, 0)
		events, err := full.GetActorEventsRaw(n.ctx, &types.ActorEventFilter{
			FromHeight: &from, Fields: map[string][]types.ActorEventBlock{"$type": {{Codec: 0x51, Value: value}}},
		})
		n.must(err)
		if len(events) != want {
			n.Errorf("%d events %s, want %d", len(events), kind, want)
		}
	}
}

func TestWalletOfTheNode(t *testing.T) {
	n := start(t)
	full, _ := n.serve()
	from, err := full.WalletDefaultAddress(n.ctx)
	n.must(err)
	id, err := full.MarketAddBalance(n.ctx, from, from, provider.Fil(2))
	n.must(err)
	n.advance(2)
	found, err := full.StateSearchMsg(n.ctx, types.EmptyTSK, id, -1, true)
	if err != nil || found == nil || found.Receipt.ExitCode != 0 {
		t.Fatalf("the message is %+v, %v", found, err)
	}
	balance, err := full.StateMarketBalance(n.ctx, from, types.EmptyTSK)
	n.must(err)
	if !balance.Escrow.Equals(provider.Fil(2)) {
		t.Errorf("escrow %s", balance.Escrow)
	}
	spec := &api.MessageSendSpec{MsgUuid: [16]byte{1}}
	first, err := full.MpoolPushMessage(n.ctx, &types.Message{From: from, To: m0(t), Value: abi.NewTokenAmount(1)}, spec)
	n.must(err)
	again, err := full.MpoolPushMessage(n.ctx, &types.Message{From: from, To: m0(t), Value: abi.NewTokenAmount(1)}, spec)
	if err != nil || again.Cid() != first.Cid() {
		t.Errorf("the same send again: %v, %v", again, err)
	}
	if _, err := full.MpoolPushMessage(n.ctx, &types.Message{From: m0(t), To: from, Value: abi.NewTokenAmount(1)}, nil); err == nil {
		t.Error("the node signs for accounts that are not its own")
	}
}

func m0(tb testing.TB) address.Address { return idAddr(tb, 1000) }

// The fleet by JSON-RPC alone: a miner, a deal of a contract, its sector, a fault.
func TestControls(t *testing.T) {
	n := start(t)
	full, eth := n.serve()
	c := n.deploy(witness)
	call := func(result any, method string, params any) {
		t.Helper()
		if err := eth.CallContext(n.ctx, result, method, params); err != nil {
			t.Fatalf("%s: %v", method, err)
		}
	}
	var m provider.MinerView
	call(&m, "devnet_createMiner", map[string]any{"multiaddrs": []string{"/ip4/127.0.0.1/tcp/24001"}, "peerId": "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA"})
	info, err := full.StateMinerInfo(n.ctx, m.Miner, types.EmptyTSK)
	n.must(err)
	if info.PeerId == nil || info.PeerId.String() != "12D3KooWD3eckifWpRn9wQpMG9R9hX3sD158z7EqHWmweQAJU5SA" || len(info.Multiaddrs) != 1 {
		t.Errorf("the miner is at %v, %v", info.PeerId, info.Multiaddrs)
	}
	var ok bool
	eth20, err := ethtypes.EthAddressFromFilecoinAddress(c.addr)
	n.must(err)
	call(&ok, "devnet_addEscrow", map[string]any{"for": eth20.String(), "amount": "1000000000000000000"})
	var deal abi.DealID
	at := n.Head().Height()
	call(&deal, "devnet_publishDeal", map[string]any{"miner": m.Miner, "client": eth20.String(), "pieceCid": pieceCID(t, 1), "pieceSize": 2048,
		"start": at + 5000, "end": at + 5000 + 180*day, "pricePerEpoch": 7, "label": "by JSON"})
	var sealed []provider.Sealed
	call(&sealed, "devnet_sealSectors", map[string]any{"miner": m.Miner, "sectors": []any{
		map[string]any{"pieces": []any{map[string]any{"cid": pieceCID(t, 1), "size": 2048, "deal": deal}}}}})
	if len(sealed) != 1 || sealed[0].ExitCode != 0 {
		t.Fatalf("sealed %+v", sealed)
	}
	if got := c.deal(deal); got.activation != 0 || got.activated < 0 {
		t.Errorf("the contract sees the deal as %+v", got)
	}
	which := map[string]any{"miner": m.Miner, "sectors": []any{sealed[0].Sector}}
	var block json.RawMessage
	call(&block, "devnet_advance", 2940)
	call(&ok, "devnet_skipSectors", which)
	call(&block, "devnet_advance", 2880)
	var sectors []provider.SectorView
	call(&sectors, "devnet_sectors", which)
	if len(sectors) != 1 || sectors[0].Status != abi.SectorStatusCodeFaulty || sectors[0].Deadline == nil {
		t.Errorf("sectors %+v", sectors)
	}
	call(&ok, "devnet_terminateSectors", which)
	var settled []provider.Settlement
	call(&settled, "devnet_settleDeals", map[string]any{"deals": []any{deal}})
	if len(settled) != 1 || settled[0].ExitCode != dealExpired {
		t.Errorf("settled %+v", settled)
	}
	var refused []string
	call(&refused, "devnet_refuseProofs", []string{"post"})
	if len(refused) != 1 {
		t.Errorf("refused %v", refused)
	}
	if err := eth.CallContext(n.ctx, &ok, "devnet_stopProving", map[string]any{"miner": "f099"}); err == nil {
		t.Error("stopped a miner of nobody")
	}
}

// A reorg of fifty epochs takes back a deal's publication and activation. Every view
// agrees about it afterwards, subscribers are told, and the old states stay readable.
func TestDeepReorgThroughDeal(t *testing.T) {
	n := start(t)
	full, eth := n.serve()
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	n.escrow(c, m)
	if _, err := n.Mine(n.ctx, 1); err != nil {
		t.Fatal(err)
	}
	base := n.Head()

	logs := make(chan ethtypes.EthLog, 100)
	sub, err := eth.EthSubscribe(n.ctx, logs, "logs", map[string]any{})
	n.must(err)
	defer sub.Unsubscribe()
	from := base.Height()
	events, err := full.SubscribeActorEventsRaw(n.ctx, &types.ActorEventFilter{Addresses: []address.Address{builtin.StorageMarketActorAddr}, FromHeight: &from})
	n.must(err)
	heads, err := full.ChainNotify(n.ctx)
	n.must(err)
	if first := <-heads; len(first) != 1 || first[0].Type != "current" {
		t.Fatalf("first notice %v", first)
	}

	id := n.publish(c, m, n.propose(1, 5000))
	sector := n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id, Notify: []provider.Notification{{To: c.addr}}}}})[0]
	depth := 0
	for ts := n.Head(); ts.Height() > base.Height(); depth++ {
		ts, err = n.TipSet(ts.Parents())
		n.must(err)
	}
	if _, err := n.Mine(n.ctx, 50-depth); err != nil {
		t.Fatal(err)
	}
	old := n.Head()
	if got := c.deal(id); got.activation != 0 || got.activated < 0 {
		t.Fatalf("before the reorg: %+v", got)
	}
	blockLogs := func() int {
		t.Helper()
		var out []json.RawMessage
		n.must(eth.CallContext(n.ctx, &out, "eth_getLogs", map[string]any{"fromBlock": hexOf(base.Height()), "toBlock": hexOf(n.Head().Height() - 1)}))
		return len(out)
	}
	if got := blockLogs(); got != 2 {
		t.Errorf("%d logs before the reorg, want of the publication and the activation", got)
	}

	done, err := n.Reorg(n.ctx, 50, false)
	n.must(err)
	if done.Ancestor.Key() != base.Key() {
		t.Fatalf("back to %d, want %d", done.Ancestor.Height(), base.Height())
	}
	if got := c.deal(id); got.activation != 17 {
		t.Errorf("the contract sees %+v", got)
	}
	if _, err := full.StateMarketStorageDeal(n.ctx, id, types.EmptyTSK); err == nil {
		t.Error("Lotus's view still has the deal")
	}
	if info, err := full.StateSectorGetInfo(n.ctx, m.Address(), sector, types.EmptyTSK); err != nil || info != nil {
		t.Errorf("Lotus's view has the sector: %v, %v", info, err)
	}
	if got := blockLogs(); got != 0 {
		t.Errorf("%d logs are left", got)
	}
	for _, msg := range done.Dropped {
		if _, ok := n.Lookup(msg.Cid()); ok {
			t.Errorf("message %s is still found", msg.Cid())
		}
	}
	if deal, err := full.StateMarketStorageDeal(n.ctx, id, old.Key()); err != nil || deal.State.SectorNumber != sector {
		t.Errorf("the old state: %+v, %v", deal, err)
	}
	n.toldOfReorg(logs, events, heads)

	n.dealAgain(c, m, id)
}

// dealAgain publishes and activates what a reorg took back.
func (n *net) dealAgain(c contract, m *provider.Miner, id abi.DealID) {
	n.Helper()
	again := n.publish(c, m, n.propose(1, 5000))
	n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(n, 1), Size: 2048, Deal: &again}}})
	if got := c.deal(again); again != id || got.activation != 0 || got.activated < 0 {
		n.Errorf("on the new branch, deal %d: %+v", again, got)
	}
	n.advance(2 * day)
	n.wantStatus(m, abi.SectorStatusCodeActive, 0)
}

func hexOf(epoch abi.ChainEpoch) string { return ethtypes.EthUint64(epoch).Hex() }

// toldOfReorg wants each log and event to have come and gone, and fifty tipsets too.
func (n *net) toldOfReorg(logs <-chan ethtypes.EthLog, events <-chan *types.ActorEvent, heads <-chan []*api.HeadChange) {
	n.Helper()
	var came, gone int
	for gone < 2 {
		select {
		case log := <-logs:
			if log.Removed {
				gone++
			} else {
				came++
			}
		case <-n.ctx.Done():
			n.Fatalf("%d logs came, %d were taken back", came, gone)
		}
	}
	if came != 2 {
		n.Errorf("%d logs came", came)
	}
	kinds := map[string]int{}
	for kinds["-deal-published"] == 0 || kinds["-deal-activated"] == 0 {
		select {
		case e := <-events:
			for _, entry := range e.Entries {
				if entry.Key != "$type" {
					continue
				}
				name := string(entry.Value[1:]) // a CBOR text
				if e.Reverted {
					name = "-" + name
				}
				kinds[name]++
			}
		case <-n.ctx.Done():
			n.Fatalf("events %v", kinds)
		}
	}
	if kinds["deal-published"] != 1 || kinds["deal-activated"] != 1 {
		n.Errorf("events %v", kinds)
	}
	reverted, applied := 0, 0
	for reverted < 50 || applied < 101 {
		select {
		case changes := <-heads:
			for _, change := range changes {
				if change.Type == "revert" {
					reverted++
				} else {
					applied++
				}
			}
		case <-n.ctx.Done():
			n.Fatalf("%d tipsets reverted, %d applied", reverted, applied)
		}
	}
	if reverted != 50 || applied != 101 {
		n.Errorf("%d tipsets reverted, %d applied, want 50 and 50+51", reverted, applied)
	}
}

// After a reorg that keeps the messages they run again, on the other branch, where they
// may end otherwise: here the proof comes at once, before the challenge.
func TestReorgThatKeepsMessages(t *testing.T) {
	n := start(t)
	c := n.deploy(witness)
	m := n.miner(provider.Creation{})
	n.escrow(c, m)
	id := n.publish(c, m, n.propose(1, 5000))
	n.seal(m, provider.Sector{Pieces: []provider.Piece{{CID: pieceCID(t, 1), Size: 2048, Deal: &id}}})
	if got := c.deal(id); got.activation != 0 || got.activated < 0 {
		t.Fatalf("before: %+v", got)
	}
	depth := 0
	for ts := n.Head(); ; depth++ {
		execution, err := n.Execution(ts)
		n.must(err)
		published := false
		for _, r := range execution.Results {
			published = published || r.Message.VMMessage().Method == builtin.MethodsMarket.PublishStorageDeals && r.Message.VMMessage().To == builtin.StorageMarketActorAddr
		}
		if published {
			break
		}
		ts, err = n.TipSet(ts.Parents())
		n.must(err)
	}
	if _, err := n.Reorg(n.ctx, depth+1, true); err != nil {
		t.Fatal(err)
	}
	if got := c.deal(id); got.activation != 0 || got.activated != -1 || got.sector != dealNotActivated {
		t.Errorf("after: %+v, want published and not active", got)
	}
	if _, err := m.Sector(n.ctx, 0); err == nil {
		t.Error("the sector is still there")
	}
}
