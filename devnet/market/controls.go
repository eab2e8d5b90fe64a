package market

import (
	"context"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
)

// Controls are the market as methods of JSON-RPC: each exported method is
// devnet_<method> and takes at most one object.
type Controls struct{ market *Market }

// NewControls gives the methods for a server's Config.Controls.
func NewControls(m *Market) *Controls { return &Controls{m} }

// MarketProviders is devnet_marketProviders(): the endpoints of all.
func (c *Controls) MarketProviders(context.Context) ([]Endpoints, error) {
	out := []Endpoints{}
	for _, p := range c.market.Providers() {
		out = append(out, p.Endpoints())
	}
	return out, nil
}

// MinerParams name a provider by its miner's id address, like "f01001".
type MinerParams struct {
	Miner string `json:"miner"`
}

func (c *Controls) provider(miner string) (*Provider, error) {
	addr, err := address.NewFromString(miner)
	if err != nil {
		return nil, fmt.Errorf("miner: want an address like \"f01001\": %w", err)
	}
	return c.market.Provider(addr)
}

// MarketDeals is devnet_marketDeals({miner}): what the provider took, in order.
func (c *Controls) MarketDeals(_ context.Context, params MinerParams) ([]Deal, error) {
	p, err := c.provider(params.Miner)
	if err != nil {
		return nil, err
	}
	return p.Deals(), nil
}

// BehaveParams are devnet_behave's: all conducts from now on, none for an honest one.
type BehaveParams struct {
	Miner   string    `json:"miner"`
	Conduct []Conduct `json:"conduct"`
}

// Behave is devnet_behave({miner, conduct}): gives the conduct as it is now.
func (c *Controls) Behave(ctx context.Context, params BehaveParams) ([]Conduct, error) {
	p, err := c.provider(params.Miner)
	if err != nil {
		return nil, err
	}
	err = p.Behave(ctx, params.Conduct...)
	return p.Conduct(), err
}

// AllowParams are devnet_allowContract's.
type AllowParams struct {
	Address string `json:"address"` // 0x…
}

// AllowContract is devnet_allowContract({address}): all providers take its MK20 deals.
func (c *Controls) AllowContract(_ context.Context, params AllowParams) (bool, error) {
	if !common.IsHexAddress(params.Address) {
		return false, fmt.Errorf("address %q: want one like 0x5FbD…", params.Address)
	}
	c.market.Allow(common.HexToAddress(params.Address))
	return true, nil
}

// AskParams are devnet_setAsk's: attoFIL for a GiB and epoch as strings, padded sizes in
// bytes; what is left out is as from the start.
type AskParams struct {
	Miner string `json:"miner"`
	Ask   Ask    `json:"ask"`
}

// SetAsk is devnet_setAsk({miner, ask: {price, verifiedPrice, minPieceSize, maxPieceSize}}).
func (c *Controls) SetAsk(_ context.Context, params AskParams) (bool, error) {
	p, err := c.provider(params.Miner)
	if err != nil {
		return false, err
	}
	p.SetAsk(params.Ask)
	return true, nil
}
