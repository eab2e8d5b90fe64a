package ipfs

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/executor/job"
)

// fakeGateway serves raw blocks from a node, or lies.
func fakeGateway(t *testing.T, src *Node, answer func(w http.ResponseWriter, data []byte)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := cid.Decode(strings.TrimPrefix(r.URL.Path, "/ipfs/"))
		if err != nil || r.URL.Query().Get("format") != "raw" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		data, err := src.store.data(r.Context(), c.Hash())
		if err != nil {
			http.Error(w, "not here", http.StatusNotFound)
			return
		}
		answer(w, data)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestGatewaysAreAskedLastAndNotBelieved(t *testing.T) {
	src := startNode(t)
	root := addFile(t, src, "f", randBytes(1, 900<<10))
	honest := fakeGateway(t, src, func(w http.ResponseWriter, d []byte) { w.Write(d) })
	liar := fakeGateway(t, src, func(w http.ResponseWriter, d []byte) { w.Write(append([]byte{1}, d...)) })
	endless := fakeGateway(t, src, func(w http.ResponseWriter, _ []byte) { w.Write(make([]byte, 3<<20)) })
	elsewhere := fakeGateway(t, src, func(w http.ResponseWriter, _ []byte) {
		w.Header().Set("Location", honest)
		w.WriteHeader(http.StatusFound)
	})
	n := startNode(t, func(c *Config) {
		c.StallTimeout = 40 * time.Second // gateways are asked at half of it
		c.Gateways = []string{liar, endless, elsewhere, honest}
	})
	if st := pinOK(t, n, PinSpec{Ref: "r", Root: root}); st.Blocks != 5 {
		t.Fatalf("stat %+v", st)
	}
	wantClean(t, n, 5)
	bad := startNode(t, func(c *Config) {
		c.StallTimeout = 2 * time.Second
		c.Gateways = []string{liar, endless, elsewhere}
	})
	_, err := bad.Pin(context.Background(), PinSpec{Ref: "r", Root: root}, nil)
	wantFault(t, err, job.ReasonNotFound, true)
}

func TestDelegatedRouterFindsAProvider(t *testing.T) {
	src := startNode(t)
	root := addFile(t, src, "f", randBytes(2, 5000))
	addr, _, _ := strings.Cut(src.Addrs()[0], "/p2p/")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"Providers":[{"Schema":"peer","ID":%q,"Addrs":[%q],"Protocols":["transport-bitswap"]}]}`, src.ID(), addr)
	}))
	defer srv.Close()
	n := startNode(t, func(c *Config) {
		c.DelegatedRouters = []string{srv.URL}
		c.StallTimeout = 20 * time.Second
	})
	pinOK(t, n, PinSpec{Ref: "r", Root: root})
	wantClean(t, n, 1)
}

// dhtServer is a peer that keeps provider records, and its address.
func dhtServer(t *testing.T) (*dht.IpfsDHT, string) {
	t.Helper()
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	server, err := dht.New(h, dht.Mode(dht.ModeServer))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server, h.Addrs()[0].String() + "/p2p/" + h.ID().String()
}

func wantAnnounced(t *testing.T, server *dht.IpfsDHT, root cid.Cid) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for {
		ps, err := server.ProviderStore().GetProviders(context.Background(), root.Hash())
		if err != nil {
			t.Fatal(err)
		}
		if len(ps) > 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the root was not announced")
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func online(bootstrap string) func(*Config) {
	return func(c *Config) {
		c.Routing = RoutingDHT
		c.Bootstrap = []string{bootstrap}
		c.StallTimeout = 30 * time.Second
	}
}

func TestDHTAnnouncesRootsAndFindsThem(t *testing.T) {
	server, addr := dhtServer(t)
	src, n := startNode(t, online(addr)), startNode(t, online(addr))
	root := addFile(t, src, "f", randBytes(3, 5000))
	wantAnnounced(t, server, root)
	pinOK(t, n, PinSpec{Ref: "r", Root: root})
	wantClean(t, n, 1)
}

// Roots that come before the first peer is known are announced when one is, those
// of earlier runs among them.
func TestRootsWaitForTheFirstPeer(t *testing.T) {
	server, addr := dhtServer(t)
	cfg := testConfig(t.TempDir())
	n := openNode(t, cfg, Deps{})
	old := addFile(t, n, "old", randBytes(5, 5000))
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	online("/ip4/127.0.0.1/tcp/1" + addr[strings.Index(addr, "/p2p/"):])(&cfg) // nobody listens there
	n = openNode(t, cfg, Deps{})
	added := addFile(t, n, "new", randBytes(6, 5000))
	if size := n.dht.RoutingTable().Size(); size != 0 {
		t.Fatalf("%d peers are known", size)
	}
	known, err := peer.AddrInfoFromString(n.Addrs()[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Host().Connect(t.Context(), *known); err != nil {
		t.Fatal(err)
	}
	wantAnnounced(t, server, old)
	wantAnnounced(t, server, added)
}

func TestMetricsAreRegisteredAndGoWithTheNode(t *testing.T) {
	reg := prometheus.NewRegistry()
	cfg := testConfig(t.TempDir())
	n := openNode(t, cfg, Deps{Metrics: reg})
	addFile(t, n, "f", randBytes(4, 300<<10))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
		}
	}
	for name, want := range map[string]float64{"tidegate_ipfs_blocks": 3, "tidegate_ipfs_pins": 1, "tidegate_ipfs_stored_blocks_total": 3, "tidegate_ipfs_stalls_total": 0} {
		if v, ok := got[name]; !ok || v != want {
			t.Errorf("%s = %v (%t), want %v", name, v, ok, want)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	openNode(t, cfg, Deps{Metrics: reg}) // registering again must not clash
}
