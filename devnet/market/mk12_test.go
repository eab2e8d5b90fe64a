package market_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/google/uuid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
)

// dialer is a client's libp2p host.
func (n *net) dialer() host.Host {
	n.Helper()
	h, err := libp2p.New(libp2p.NoListenAddrs, libp2p.Transport(tcp.NewTCPTransport), libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(), libp2p.DisableMetrics())
	n.must(err)
	n.Cleanup(func() { n.must(h.Close()) })
	return h
}

// stream sends a request and reads the answer.
func (n *net) stream(h host.Host, p *market.Provider, id protocol.ID, request cbg.CBORMarshaler, answer cbg.CBORUnmarshaler) error {
	n.Helper()
	info, err := peer.AddrInfoFromString(p.Endpoints().Multiaddr)
	n.must(err)
	if err := h.Connect(n.ctx, *info); err != nil {
		return err
	}
	s, err := h.NewStream(n.ctx, info.ID, id)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	_ = s.SetDeadline(time.Now().Add(30 * time.Second))
	if err := request.MarshalCBOR(s); err != nil {
		return err
	}
	return answer.UnmarshalCBOR(s)
}

// older is a proposal as 1.2.0 has it.
type older struct{ *market.DealParams }

// MarshalCBOR leaves the last two fields out, of the seven.
func (o older) MarshalCBOR(w io.Writer) error {
	var whole bytes.Buffer
	if err := o.DealParams.MarshalCBOR(&whole); err != nil {
		return err
	}
	raw := whole.Bytes()
	for _, name := range []string{"\x70SkipIPNIAnnounce", "\x72RemoveUnsealedCopy"} {
		at := bytes.Index(raw, []byte(name))
		raw = append(raw[:at:at], raw[at+len(name)+1:]...)
	}
	raw[0] -= 2
	_, err := w.Write(raw)
	return err
}

// mk12 is a proposal that a provider should take, signed by an account.
func (n *net) mk12(p *market.Provider, c *content, from chain.Account, change ...func(*market18.DealProposal)) *market.DealParams {
	n.Helper()
	proposal := n.terms(p, c, from.Address)
	for _, f := range change {
		f(&proposal)
	}
	var encoded bytes.Buffer
	n.must(proposal.MarshalCBOR(&encoded))
	signature, err := from.Key.Sign(encoded.Bytes())
	n.must(err)
	return n.params(c, market18.ClientDealProposal{Proposal: proposal, ClientSignature: signature})
}

func (n *net) terms(p *market.Provider, c *content, client address.Address) market18.DealProposal {
	n.Helper()
	least, err := n.fleet.LeastCollateral(n.ctx, c.padded, false)
	n.must(err)
	label, err := market18.NewLabelFromString(c.root.String())
	n.must(err)
	start := n.Head().Height() + 2*day
	return market18.DealProposal{
		PieceCID: c.v1, PieceSize: c.padded, Client: client, Provider: p.Miner().Address(), Label: label, StartEpoch: start, EndEpoch: start + 180*day,
		StoragePricePerEpoch: big.Zero(), ProviderCollateral: big.Div(big.Mul(least, big.NewInt(12)), big.NewInt(10)), ClientCollateral: big.Zero(),
	}
}

func (n *net) params(c *content, proposal market18.ClientDealProposal) *market.DealParams {
	n.Helper()
	transfer, err := json.Marshal(map[string]any{"URL": c.url, "Headers": map[string]string{"X-Tidegate": "yes"}})
	n.must(err)
	return &market.DealParams{
		DealUUID: uuid.New(), ClientDealProposal: proposal, DealDataRoot: c.root,
		Transfer: market.Transfer{Type: "http", Params: transfer, Size: uint64(len(c.car))},
	}
}

// accepted proposes a deal that must be taken.
func (n *net) accepted(h host.Host, p *market.Provider, id protocol.ID, params cbg.CBORMarshaler) {
	n.Helper()
	var answer market.DealResponse
	n.must(n.stream(h, p, id, params, &answer))
	if !answer.Accepted || answer.Message != "" {
		n.Fatalf("the deal is refused: %+v", answer)
	}
}

// refused proposes a deal that must not be taken, for a reason.
func (n *net) refused(h host.Host, p *market.Provider, params *market.DealParams, reason string) {
	n.Helper()
	var answer market.DealResponse
	n.must(n.stream(h, p, market.DealProtocol121, params, &answer))
	if answer.Accepted || !strings.Contains(answer.Message, reason) {
		n.Errorf("answered %+v, want a refusal with %q", answer, reason)
	}
}

// status asks how a deal is.
func (n *net) status(h host.Host, p *market.Provider, id uuid.UUID) (out market.StatusResponse) {
	n.Helper()
	signature, err := n.client().Key.Sign(id[:])
	n.must(err)
	n.must(n.stream(h, p, market.StatusProtocol, &market.StatusRequest{DealUUID: id, Signature: signature}, &out))
	return out
}

// activation is the epochs at which the market has a deal activated and terminated.
func (n *net) activation(id abi.DealID) market18.GetDealActivationReturn {
	n.Helper()
	param := cbg.CborInt(id)
	returned, err := n.fleet.Query(n.ctx, n.client().Address, provider.Call{
		To: builtin.StorageMarketActorAddr, Method: builtin.MethodsMarket.GetDealActivationExported, Params: &param,
	})
	n.must(err)
	var out market18.GetDealActivationReturn
	n.must(out.UnmarshalCBOR(bytes.NewReader(returned)))
	return out
}

// Deals by MK12, of an account and of a contract, by both versions: published, sealed,
// active in the market's eyes, and served.
func TestDealsByMK12(t *testing.T) {
	n := start(t, 1)
	p, h, g := n.market.Providers()[0], n.dialer(), n.gate()
	n.must(n.fleet.AddBalance(n.ctx, n.client(), n.client().Address, provider.Fil(1)))
	first, second := n.content(20_000, 7_777), n.content(5_000, 0)
	paid := n.mk12(p, first, n.client(), func(d *market18.DealProposal) { d.StoragePricePerEpoch = big.NewInt(1000) })
	n.accepted(h, p, market.DealProtocol121, paid)
	free := n.params(second, market18.ClientDealProposal{
		Proposal: n.terms(p, second, g.addr), ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{0xde, 0xad}},
	})
	n.accepted(h, p, market.DealProtocol120, older{free})

	for _, one := range []struct {
		params *market.DealParams
		c      *content
	}{{paid, first}, {free, second}} {
		deal := n.await(p, one.params.DealUUID.String(), market.Complete)
		if a := n.activation(*deal.ChainDeal); a.Activated <= 0 || a.Terminated != -1 {
			t.Errorf("the market has the deal activated at %d and terminated at %d", a.Activated, a.Terminated)
		}
		if status := n.sectorStatus(p, deal); status != abi.SectorStatusCodeActive {
			t.Errorf("its sector has status %d", status)
		}
		found, ok := n.Lookup(*deal.PublishCID)
		if !ok || found.Message.VMMessage().Method != builtin.MethodsMarket.PublishStorageDeals {
			t.Errorf("message %s, which published it, is %+v", deal.PublishCID, found)
		}
		n.served(p, one.c)
		status := n.status(h, p, one.params.DealUUID)
		d := status.DealStatus
		if status.Error != "" || d == nil || d.Error != "" || d.Status != "Sealed" || d.SealingStatus != "Sealed and Indexed" ||
			d.PublishCid == nil || *d.PublishCid != *deal.PublishCID || d.ChainDealID != uint64(*deal.ChainDeal) {
			t.Errorf("status %+v of %+v", d, status)
		}
	}
	if got := len(g.heard(builtin.MustGenerateFRCMethodNum("MarketNotifyDeal"))); got != 1 {
		t.Errorf("the contract was notified of %d deals", got)
	}
	_, err := n.Advance(n.ctx, int(3*day))
	n.must(err)
	for _, d := range p.Deals() {
		if a := n.activation(*d.ChainDeal); a.Terminated != -1 || n.sectorStatus(p, d) != abi.SectorStatusCodeActive {
			t.Errorf("three days later deal %s is not active", d.ID)
		}
	}
}

// What Curio refuses is refused in its words.
func TestRefusalsByMK12(t *testing.T) {
	n := start(t, 1)
	p, h, c, client := n.market.Providers()[0], n.dialer(), n.content(3_000, 0), n.client()
	for reason, change := range map[string]func(*market18.DealProposal){
		"failed validation: incorrect provider for deal": func(d *market18.DealProposal) { d.Provider = builtin.StorageMarketActorAddr },
		"proposal PieceCID had wrong prefix":             func(d *market18.DealProposal) { d.PieceCID = c.root },
		"proposal end":                                   func(d *market18.DealProposal) { d.EndEpoch = d.StartEpoch },
		"has already elapsed":                            func(d *market18.DealProposal) { d.StartEpoch = 1 },
		"deal duration out of bounds":                    func(d *market18.DealProposal) { d.EndEpoch-- },
		"cannot be more than 3680640 past":               func(d *market18.DealProposal) { d.EndEpoch = d.StartEpoch + 1278*day },
		"below minimum":                                  func(d *market18.DealProposal) { d.ProviderCollateral = big.Div(d.ProviderCollateral, big.NewInt(2)) },
		"above maximum":                                  func(d *market18.DealProposal) { d.ProviderCollateral = big.Mul(d.ProviderCollateral, big.NewInt(2)) },
		"client available funds in escrow 0 not enough":  func(d *market18.DealProposal) { d.StoragePricePerEpoch = big.NewInt(1) },
		"client is not a verified client":                func(d *market18.DealProposal) { d.VerifiedDeal = true },
		"doesn't match padded piece size": func(d *market18.DealProposal) {
			d.PieceSize *= 2
			d.ProviderCollateral = big.Mul(d.ProviderCollateral, big.NewInt(2))
		},
	} {
		n.refused(h, p, n.mk12(p, c, client, change), reason)
	}
	forged := n.mk12(p, c, client)
	forged.ClientDealProposal.ClientSignature.Data[5] ^= 1
	n.refused(h, p, forged, "failed validation: server error: validating signature")
	offline := n.mk12(p, c, client)
	offline.IsOffline = true
	n.refused(h, p, offline, "offline deals are not allowed on this provider")
	byPeer := n.mk12(p, c, client)
	byPeer.Transfer.Type = "libp2p"
	n.refused(h, p, byPeer, "libp2p URLs are not supported by this provider")
	unreadable := n.mk12(p, c, client)
	unreadable.Transfer.Params = []byte("http")
	n.refused(h, p, unreadable, "failed to de-serialize transport params bytes 'http'")
	p.SetAsk(market.Ask{MinPieceSize: 1 << 20})
	n.refused(h, p, n.mk12(p, c, client), "failed validation: piece size less than minimum required size: 4096 < 1048576")
	p.SetAsk(market.Ask{Price: big.NewInt(1 << 40)})
	n.refused(h, p, n.mk12(p, c, client), "failed validation: storage price per epoch less than asking price: 0 < 4194304")
	p.SetAsk(market.Ask{})

	g := n.gate()
	g.set(3, 1)
	n.refused(h, p, n.params(c, market18.ClientDealProposal{
		Proposal: n.terms(p, c, g.addr), ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{1}},
	}), "failed validation: invalid signature")
	if deals := p.Deals(); len(deals) != 0 {
		t.Errorf("refused deals were taken: %+v", deals)
	}

	once := n.mk12(p, c, client)
	n.accepted(h, p, market.DealProtocol121, once)
	n.refused(h, p, once, "store deal: market deal with the same proposalCID")
	status := n.status(h, p, uuid.New())
	if status.Error != "failed to get sealed deal status" || status.DealStatus != nil {
		t.Errorf("status of no deal: %+v", status)
	}
	n.await(p, once.DealUUID.String(), market.Complete)
}

// The market's own refusal, after the provider's check, fails the deal.
func TestDealThatTheMarketRefuses(t *testing.T) {
	n := start(t, 1, func(c *market.Config) { c.Conduct = [][]market.Conduct{{market.Stall}} })
	p, h, c, g := n.market.Providers()[0], n.dialer(), n.content(3_000, 0), n.gate()
	params := n.params(c, market18.ClientDealProposal{
		Proposal: n.terms(p, c, g.addr), ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{1}},
	})
	n.accepted(h, p, market.DealProtocol121, params)
	g.set(3, 1) // it changed its mind
	n.must(p.Behave(n.ctx))
	deal := n.await(p, params.DealUUID.String(), market.Failed)
	if deal.ChainDeal != nil || !strings.Contains(deal.Error, "publish deals") {
		t.Errorf("the deal is %+v", deal)
	}
	status := n.status(h, p, params.DealUUID)
	if d := status.DealStatus; d == nil || d.Status != "Processing" || !strings.Contains(d.Error, "publish deals") || d.PublishCid != nil {
		t.Errorf("status %+v", status)
	}
}

// The ask is the worker's, and where a provider can be reached is on chain and told.
func TestAskAndWhereabouts(t *testing.T) {
	n := start(t, 2, func(c *market.Config) { c.Ask.Price = big.NewInt(500) })
	p, h := n.market.Providers()[0], n.dialer()
	var got market.AskResponse
	n.must(n.stream(h, p, market.AskProtocol, &market.AskRequest{Miner: p.Miner().Address()}, &got))
	ask := got.Ask.Ask
	if !ask.Price.Equals(big.NewInt(500)) || ask.MinPieceSize != 256 || ask.MaxPieceSize != abi.PaddedPieceSize(market.DefaultSectorSize) || ask.SeqNo != 1 {
		t.Errorf("the ask is %+v", ask)
	}
	var encoded bytes.Buffer
	n.must(ask.MarshalCBOR(&encoded))
	if err := sig.Verify(*got.Ask.Signature, p.Miner().Worker().Address, encoded.Bytes()); err != nil {
		t.Errorf("the ask's signature: %v", err)
	}
	n.must(n.stream(h, p, market.AskProtocol, &market.AskRequest{Miner: n.market.Providers()[1].Miner().Address()}, &got))
	if got.Ask != nil {
		t.Errorf("the ask of another miner is %+v", got.Ask)
	}

	info, err := p.Miner().Info(n.ctx)
	n.must(err)
	end := p.Endpoints()
	if peer.ID(info.PeerId) != end.PeerID || len(info.Multiaddrs) != 2 {
		t.Fatalf("on chain it is peer %x at %d addresses", info.PeerId, len(info.Multiaddrs))
	}
	var said market.Transports
	n.must(n.stream(h, p, market.TransportsQuery, &market.AskRequest{Miner: end.Miner}, &said))
	for i, want := range []string{strings.TrimSuffix(end.Multiaddr, "/p2p/"+end.PeerID.String()), "/ip4/127.0.0.1/tcp/" + end.URL[strings.LastIndex(end.URL, ":")+1:] + "/http"} {
		onChain, err := multiaddr.NewMultiaddrBytes(info.Multiaddrs[i])
		n.must(err)
		if onChain.String() != want || !bytes.Equal(said.Protocols[i].Addresses[0], info.Multiaddrs[i]) {
			t.Errorf("address %d on chain is %s, want %s; told %x", i, onChain, want, said.Protocols[i].Addresses[0])
		}
	}
}
