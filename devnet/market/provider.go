package market

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/multiformats/go-multiaddr"
	"golang.org/x/crypto/blake2b"

	"github.com/tidegate/tidegate/devnet/provider"
)

// headerPatience bounds the wait for a source's first answer.
const headerPatience = 30 * time.Second

// Provider is a miner that answers deals. Its methods may be called at the same time.
type Provider struct {
	market *Market
	log    *slog.Logger
	key    crypto.PrivKey
	dir    string // of its data
	client *http.Client
	miner  *provider.Miner // set before anything is answered

	sealing, publishing sync.Mutex // held for as long as it takes

	mu         sync.Mutex
	httpAddr   string // host and port, kept while offline
	p2pAddr    multiaddr.Multiaddr
	listener   net.Listener // taken and not served yet
	server     *http.Server
	host       host.Host
	serving    sync.WaitGroup
	conduct    map[Conduct]bool
	changed    chan struct{} // closed when the conduct or a deal changes
	deals      map[string]*job
	order      []string // their ids as they came
	proposals  map[cid.Cid]bool
	terminated map[abi.SectorNumber]bool
	pieces     map[cid.Cid]*piece // by CID v1
	ask        Ask
	askNumber  uint64
}

// open takes a provider's ports and makes its folder.
func (m *Market) open() (*Provider, error) {
	m.mu.Lock()
	number := len(m.providers)
	m.mu.Unlock()
	seed := blake2b.Sum256(append(m.config.Seed[:], "libp2p key "+strconv.Itoa(number)...))
	xof, err := blake2b.NewXOF(blake2b.OutputLengthUnknown, seed[:])
	if err != nil {
		return nil, err
	}
	p := &Provider{
		market: m, client: &http.Client{Transport: &http.Transport{ResponseHeaderTimeout: headerPatience}},
		httpAddr: "127.0.0.1:0", p2pAddr: multiaddr.StringCast("/ip4/127.0.0.1/tcp/0"),
		conduct: map[Conduct]bool{}, changed: make(chan struct{}), deals: map[string]*job{}, proposals: map[cid.Cid]bool{},
		terminated: map[abi.SectorNumber]bool{}, pieces: map[cid.Cid]*piece{}, ask: m.config.Ask, askNumber: 1,
	}
	if p.key, _, err = crypto.GenerateEd25519Key(xof); err != nil {
		return nil, err
	}
	if p.dir, err = os.MkdirTemp(m.dir, "provider-"); err != nil {
		return nil, err
	}
	return p, p.listen()
}

// listen takes both ports, or that of MK20 alone: those it had before, if it had.
func (p *Provider) listen() error {
	listener, err := net.Listen("tcp", p.httpAddr)
	if err != nil {
		return err
	}
	if p.market.config.MK20Only {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.listener, p.httpAddr = listener, listener.Addr().String()
		return nil
	}
	h, err := libp2p.New(
		libp2p.Identity(p.key), libp2p.ListenAddrs(p.p2pAddr), libp2p.Transport(tcp.NewTCPTransport), libp2p.ResourceManager(&network.NullResourceManager{}),
		libp2p.DisableRelay(), libp2p.DisableMetrics(), libp2p.UserAgent("tidegate-devnet"),
	)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener, p.host = listener, h
	p.httpAddr, p.p2pAddr = listener.Addr().String(), h.Network().ListenAddresses()[0]
	return nil
}

// whereabouts are what a miner says on chain of where it can be reached: its peer id, the
// address of its libp2p host, and that of its HTTP server; the last alone without MK12.
func (p *Provider) whereabouts() (peerID []byte, addrs [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.host == nil {
		return nil, [][]byte{p.httpMultiaddr().Bytes()}
	}
	return []byte(p.host.ID()), [][]byte{p.p2pAddr.Bytes(), p.httpMultiaddr().Bytes()}
}

// httpMultiaddr is the HTTP server's address; mu is held.
func (p *Provider) httpMultiaddr() multiaddr.Multiaddr {
	_, port, err := net.SplitHostPort(p.httpAddr)
	if err != nil {
		panic(fmt.Sprintf("market: the address of a listener: %v", err))
	}
	return multiaddr.StringCast("/ip4/127.0.0.1/tcp/" + port + "/http")
}

// begin answers for a miner.
func (p *Provider) begin(miner *provider.Miner) error {
	p.miner = miner
	p.log = p.market.config.Log.With("miner", miner.Address().String())
	return p.serve()
}

func (p *Provider) serve() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.market.ctx.Err() != nil {
		return p.market.ctx.Err()
	}
	p.server = &http.Server{
		Handler: p.routes(), ReadHeaderTimeout: headerPatience, ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return p.market.ctx },
	}
	if p.host != nil {
		p.streams(p.host)
	}
	server, listener := p.server, p.listener
	p.listener = nil
	p.serving.Go(func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Error("a provider's HTTP server ended", "err", err)
		}
	})
	return nil
}

// disappear closes both ports, appear takes them again.
func (p *Provider) disappear() error {
	p.mu.Lock()
	listener, server, h := p.listener, p.server, p.host
	p.listener, p.server, p.host = nil, nil, nil
	p.mu.Unlock()
	var errs []error
	if server != nil {
		errs = append(errs, server.Close())
	}
	if listener != nil {
		errs = append(errs, listener.Close())
	}
	if h != nil {
		errs = append(errs, h.Close())
	}
	p.serving.Wait()
	return errors.Join(errs...)
}

func (p *Provider) appear() error {
	if err := p.listen(); err != nil {
		return err
	}
	return p.serve()
}

func (p *Provider) close() error {
	err := p.disappear()
	p.client.CloseIdleConnections()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, piece := range p.pieces {
		err = errors.Join(err, piece.close())
	}
	clear(p.pieces)
	return err
}

// Miner is the provider on chain.
func (p *Provider) Miner() *provider.Miner { return p.miner }

// Endpoints say all that a client or a test needs of a provider.
type Endpoints struct {
	Miner      address.Address `json:"miner"` // by id
	ID         abi.ActorID     `json:"id"`
	Owner      address.Address `json:"owner"`
	Worker     address.Address `json:"worker"`
	OwnerKey   types.KeyInfo   `json:"ownerKey"`  // as Lotus exports keys; everybody can know them
	WorkerKey  types.KeyInfo   `json:"workerKey"` // of a BLS account
	SectorSize abi.SectorSize  `json:"sectorSize"`
	URL        string          `json:"url"`       // http://127.0.0.1:port; MK20 is below it at MK20Path
	PeerID     peer.ID         `json:"peerId"`    // libp2p's
	Multiaddr  string          `json:"multiaddr"` // of MK12, with the peer id; "" where it is not spoken
}

// Endpoints are where the provider is, or was before it went offline.
func (p *Provider) Endpoints() Endpoints {
	id, err := peer.IDFromPrivateKey(p.key)
	if err != nil {
		panic(fmt.Sprintf("market: peer id of an Ed25519 key: %v", err))
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var mk12 string
	if !p.market.config.MK20Only {
		mk12 = p.p2pAddr.String() + "/p2p/" + id.String()
	}
	return Endpoints{
		Miner: p.miner.Address(), ID: p.miner.ID(), Owner: p.miner.Owner(), Worker: p.miner.Worker().Address,
		OwnerKey: p.miner.Signer().Key.KeyInfo(), WorkerKey: p.miner.Worker().Key.KeyInfo(), SectorSize: p.miner.SectorSize(),
		URL: "http://" + p.httpAddr, PeerID: id, Multiaddr: mk12,
	}
}

// SetAsk changes what the provider wants; unset fields are as in Config.
func (p *Provider) SetAsk(a Ask) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ask = a.withDefaults(p.miner.SectorSize())
	p.askNumber++
}

// pathOf is where a piece's data is.
func (p *Provider) pathOf(c cid.Cid) string { return filepath.Join(p.dir, c.String()) }
