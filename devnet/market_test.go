package devnet_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	commcid "github.com/filecoin-project/go-fil-commcid"
	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/ipfs/go-cid"
	"github.com/multiformats/go-multiaddr"
	"github.com/oklog/ulid/v2"

	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
)

// source serves so many bytes, and gives them with the piece CID v2.
func (n *network) source(size int) (url string, data []byte, piece cid.Cid) {
	n.t.Helper()
	for i := 0; len(data) < size; i++ {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		data = append(data, sum[:]...)
	}
	sum := new(commp.Calc)
	_, err := sum.Write(data)
	n.must(err)
	root, _, err := sum.Digest()
	n.must(err)
	piece, err = commcid.DataCommitmentToPieceCidv2(root, uint64(len(data)))
	n.must(err)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	n.t.Cleanup(server.Close)
	return server.URL, data, piece
}

// offer proposes raw data to a provider by MK20, and gives the deal's id.
func (n *network) offer(to market.Endpoints, url string, piece cid.Cid) string {
	n.t.Helper()
	client := chain.Account{}
	for _, a := range n.Chain().Accounts() {
		if a.Kind == chain.Secp256k1 {
			client = a
		}
	}
	deal := market.MK20Deal{
		Identifier: ulid.Make(), Client: client.Address.String(),
		Data: &market.DataSource{
			PieceCID: piece, Format: market.DataFormat{Raw: &struct{}{}}, SourceHTTP: &market.HTTPSource{URLs: []market.HTTPURL{{URL: url}}},
		},
		Products: market.MK20Products{DDOV1: &market.DDOV1{Provider: to.Miner, Duration: 518400}, RetrievalV1: &market.RetrievalV1{}},
	}
	body, err := json.Marshal(deal)
	n.must(err)
	path := market.MK20Path + "/deal"
	request, err := http.NewRequestWithContext(n.ctx, http.MethodPost, to.URL+path, bytes.NewReader(body))
	n.must(err)
	message := market.AuthMessage(client.Address.Bytes(), http.MethodPost, path, time.Now())
	signature, err := client.Key.Sign(message[:])
	n.must(err)
	raw, err := signature.MarshalBinary()
	n.must(err)
	encode := base64.StdEncoding.EncodeToString
	request.Header.Set("Authorization", "CurioAuth secp256k1:"+encode(client.Address.Bytes())+":"+encode(raw))
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	n.must(err)
	defer func() { _ = response.Body.Close() }()
	if reason, _ := io.ReadAll(response.Body); response.StatusCode != http.StatusOK {
		n.t.Fatalf("%s refuses: %d %s", to.Miner, response.StatusCode, reason)
	}
	return deal.Identifier.String()
}

// fetched is a piece as a provider serves it.
func (n *network) fetched(from market.Endpoints, piece cid.Cid) []byte {
	n.t.Helper()
	response, err := http.Get(from.URL + "/piece/" + piece.String())
	n.must(err)
	defer func() { _ = response.Body.Close() }()
	out, err := io.ReadAll(response.Body)
	n.must(err)
	return out
}

// With a market the miners answer deals, at any pace, and are steered by RPC.
func TestDevnetWithMarket(t *testing.T) {
	for _, blockTime := range []time.Duration{0, 10 * time.Millisecond} {
		t.Run(fmt.Sprint(blockTime), func(t *testing.T) {
			n := start(t, func(c *devnet.Config) {
				c.Miners, c.BlockTime, c.Market = 2, blockTime, &market.Config{Conduct: [][]market.Conduct{nil, {market.Refuse}}}
			})
			url, data, piece := n.source(5_000)
			var all []market.Endpoints
			n.must(n.rpc().CallContext(n.ctx, &all, "devnet_marketProviders"))
			if len(all) != 2 || all[0].Miner != n.Market().Providers()[0].Miner().Address() || all[0].WorkerKey.Type != "bls" {
				t.Fatalf("providers %+v", all)
			}
			ids := []string{n.offer(all[0], url, piece)}
			honest := struct {
				Miner   string   `json:"miner"`
				Conduct []string `json:"conduct"`
			}{all[1].Miner.String(), []string{}}
			var conduct []string
			n.must(n.rpc().CallContext(n.ctx, &conduct, "devnet_behave", honest))
			if len(conduct) != 0 {
				t.Errorf("conduct %v", conduct)
			}
			ids = append(ids, n.offer(all[1], url, piece))
			for i, p := range n.Market().Providers() {
				deal, err := p.Await(n.ctx, ids[i], market.Complete)
				n.must(err)
				if deal.State != market.Complete || !bytes.Equal(n.fetched(all[i], piece), data) {
					t.Errorf("the deal is %+v", deal)
				}
			}
			var deals []map[string]any
			n.must(n.rpc().CallContext(n.ctx, &deals, "devnet_marketDeals", map[string]string{"miner": all[0].Miner.String()}))
			if len(deals) != 1 || deals[0]["state"] != "complete" || deals[0]["id"] != ids[0] {
				t.Errorf("deals %v", deals)
			}
			honest.Conduct = []string{"liar"}
			if err := n.rpc().CallContext(n.ctx, &conduct, "devnet_behave", honest); err == nil {
				t.Error("an unknown conduct was taken")
			}
			var done bool
			n.must(n.rpc().CallContext(n.ctx, &done, "devnet_allowContract", map[string]string{"address": n.Accounts()[0].Address.Hex()}))
			if err := n.rpc().CallContext(n.ctx, &done, "devnet_allowContract", map[string]string{"address": "gate"}); err == nil {
				t.Error("no address was allowed")
			}
			n.must(n.rpc().CallContext(n.ctx, &done, "devnet_setAsk", map[string]any{"miner": all[0].Miner.String(), "ask": map[string]string{"price": "500"}}))
		})
	}
}

// Loaded miners answer again, and say on chain where.
func TestDumpAndLoadOfMarket(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.Miners, c.Market = 1, &market.Config{} })
	miner := n.Providers().Miners()[0]
	_, err := miner.Seal(n.ctx, provider.Sector{})
	n.must(err)
	var dump bytes.Buffer
	n.must(n.Dump(n.ctx, &dump))
	m := start(t, func(c *devnet.Config) { c.Load, c.BlockTime, c.Market = &dump, 10*time.Millisecond, &market.Config{} })
	if len(m.Market().Providers()) != 1 {
		t.Fatalf("%d providers", len(m.Market().Providers()))
	}
	p := m.Market().Providers()[0]
	info, err := p.Miner().Info(m.ctx)
	m.must(err)
	addr, err := multiaddr.NewMultiaddrBytes(info.Multiaddrs[0])
	m.must(err)
	if at := p.Endpoints(); addr.String()+"/p2p/"+at.PeerID.String() != at.Multiaddr || p.Miner().Address() != miner.Address() {
		t.Errorf("on chain it is at %s, in truth at %s", addr, at.Multiaddr)
	}
	url, data, piece := m.source(5_000)
	deal, err := p.Await(m.ctx, m.offer(p.Endpoints(), url, piece), market.Complete)
	m.must(err)
	if deal.State != market.Complete || *deal.Sector != 1 || !bytes.Equal(m.fetched(p.Endpoints(), piece), data) {
		t.Errorf("the deal is %+v", deal)
	}
	if without := start(t); without.Market() != nil {
		t.Error("a devnet without a market has one")
	}
}
