package devnet_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/provider"
)

// Miners are there from the start, whatever the pace, and the chain's clock is not ahead.
func TestMinersFromTheStart(t *testing.T) {
	for _, blockTime := range []time.Duration{0, 10 * time.Millisecond} {
		n := start(t, func(c *devnet.Config) { c.Miners, c.BlockTime = 2, blockTime })
		var miners []provider.MinerView
		n.must(n.rpc().CallContext(n.ctx, &miners, "devnet_miners"))
		if len(miners) != 2 || len(n.Providers().Miners()) != 2 {
			t.Errorf("miners %+v", miners)
		}
		sectors, err := n.Providers().Miners()[0].Seal(n.ctx, provider.Sector{})
		if err != nil || len(sectors) != 1 {
			t.Errorf("sealed %v, %v", sectors, err)
		}
	}
	if _, err := devnet.New(t.Context(), devnet.Config{Miners: -1}); !errors.Is(err, devnet.ErrConfig) {
		t.Errorf("minus one miner: %v", err)
	}
}

// rpc is the client's raw form.
func (n *network) rpc() *rpc.Client { return n.eth.Client() }

func TestDumpAndLoadOfDevnet(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.Miners = 1 })
	tx := n.send(0, common.HexToAddress("0x1234"))
	miner := n.Providers().Miners()[0]
	sectors, err := miner.Seal(n.ctx, provider.Sector{})
	n.must(err)
	var dump bytes.Buffer
	n.must(n.Dump(n.ctx, &dump))

	m := start(t, func(c *devnet.Config) { c.Load = &dump })
	if m.Chain().Head().Key() != n.Chain().Head().Key() {
		t.Errorf("loaded at %s, dumped at %s", m.Chain().Head().Key(), n.Chain().Head().Key())
	}
	if receipt, err := m.eth.TransactionReceipt(m.ctx, tx.Hash()); err != nil || receipt.Status != 1 {
		t.Errorf("receipt %+v, %v", receipt, err)
	}
	_, err = m.Chain().Advance(m.ctx, 2940)
	m.must(err)
	loaded, err := m.Providers().Miner(miner.Address())
	m.must(err)
	if status, _, err := loaded.Status(m.ctx, sectors[0]); err != nil || status != abi.SectorStatusCodeActive {
		t.Errorf("a day later the sector has status %d, %v", status, err)
	}
	m.send(0, common.HexToAddress("0x1234"))
	if _, err := devnet.New(m.ctx, devnet.Config{Load: strings.NewReader("no dump")}); !errors.Is(err, chain.ErrDump) {
		t.Errorf("loaded words: %v", err)
	}
}

func TestDevnetWithTokens(t *testing.T) {
	n := start(t, func(c *devnet.Config) { c.TokenSecret = []byte("sixteen bytes or more") })
	if _, err := n.eth.BlockNumber(n.ctx); err != nil {
		t.Errorf("reading without a token: %v", err)
	}
	token, err := n.Token()
	n.must(err)
	var status any
	if err := n.rpc().CallContext(n.ctx, &status, "devnet_status"); err == nil {
		t.Error("the controls ask for no token")
	}
	for _, dial := range []func() (*rpc.Client, error){
		func() (*rpc.Client, error) {
			return rpc.DialOptions(n.ctx, n.HTTPURL(), rpc.WithHeader("Authorization", "Bearer "+token))
		},
		func() (*rpc.Client, error) { return rpc.DialContext(n.ctx, n.WSURL()+"?token="+token) },
	} {
		client, err := dial()
		n.must(err)
		if err := client.CallContext(n.ctx, &status, "devnet_status"); err != nil {
			t.Errorf("with a token: %v", err)
		}
		client.Close()
	}
}
