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

func TestDHTAnnouncesRootsAndFindsThem(t *testing.T) {
	h, err := libp2p.New(libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), libp2p.DisableMetrics())
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	server, err := dht.New(h, dht.Mode(dht.ModeServer))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	online := func(c *Config) {
		c.Routing = RoutingDHT
		c.Bootstrap = []string{h.Addrs()[0].String() + "/p2p/" + h.ID().String()}
		c.StallTimeout = 30 * time.Second
	}
	src, n := startNode(t, online), startNode(t, online)
	root := addFile(t, src, "f", randBytes(3, 5000))
	deadline := time.Now().Add(20 * time.Second)
	for {
		ps, err := server.ProviderStore().GetProviders(context.Background(), root.Hash())
		if err != nil {
			t.Fatal(err)
		}
		if len(ps) > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the root was not announced")
		}
		time.Sleep(20 * time.Millisecond)
	}
	pinOK(t, n, PinSpec{Ref: "r", Root: root})
	wantClean(t, n, 1)
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
