package cli

import (
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/devnet/market"
)

// marketConfig reads what the flags say of the market; nil if there is to be none.
func marketConfig(c *cli.Command) (*market.Config, error) {
	miners, bad := c.Int("miners"), c.StringSlice("misbehave")
	if !c.Bool("market") {
		if len(bad) > 0 || c.IsSet("seal-delay") {
			return nil, usage("--misbehave and --seal-delay are about miners that answer deals: give --market too")
		}
		return nil, nil
	}
	if c.IsSet("load") {
		miners = math.MaxInt16 // as many as the file has
	}
	if miners == 0 {
		return nil, usage("--market needs miners: give --miners 3, for example")
	}
	out := &market.Config{SealDelay: abi.ChainEpoch(c.Int("seal-delay")), Conduct: make([][]market.Conduct, miners)}
	for _, one := range bad {
		text, name, _ := strings.Cut(one, "=")
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > miners {
			return nil, usage("--misbehave %s: want N=HOW with N from 1 to the number of miners, like 2=corrupt", one)
		}
		how, err := market.ParseConduct(name)
		if err != nil {
			return nil, usage("--misbehave %s: %v", one, err)
		}
		out.Conduct[n-1] = append(out.Conduct[n-1], how)
	}
	return out, nil
}

func conducts() string {
	var names []string
	for _, c := range market.Conducts() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// openMarket lets providers take deals of the gate, and says where they are; there may be
// no market.
func openMarket(m *market.Market, contracts map[string]common.Address) []market.Endpoints {
	if m == nil {
		return nil
	}
	if gate, ok := contracts["StorageGate"]; ok {
		m.Allow(gate)
	}
	var out []market.Endpoints
	for _, p := range m.Providers() {
		out = append(out, p.Endpoints())
	}
	return out
}

// announceMiners prints who stores: with --market where each can be asked.
func announceMiners(out io.Writer, info devnetInfo) error {
	if len(info.Providers) == 0 {
		for _, m := range info.Miners {
			if err := pairs(out, "miner", m); err != nil {
				return err
			}
		}
		return nil
	}
	var rows [][]string
	for _, p := range info.Providers {
		rows = append(rows, []string{p.Miner.String(), p.URL, p.Multiaddr})
	}
	return table(out, []string{"miner", "MK20 and retrieval", "MK12"}, rows)
}
