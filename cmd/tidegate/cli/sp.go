package cli

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/executor/market"
)

func spCommand() *cli.Command {
	return &cli.Command{
		Name: "sp", Usage: "for storage providers: slots of perpetual storage",
		Description: "A slot is one copy of a piece, paid for a term, for which its provider posts a bond.",
		Commands: []*cli.Command{
			{
				Name: "slots", Usage: "list the slots that can be claimed now",
				Description: "From a daemon's public port (--url), or from the contract itself (--rpc, --storage).",
				Flags: spReadFlags(
					&cli.StringFlag{Name: "url", Usage: "public port of a daemon, `http://host:4782`", Sources: cli.EnvVars("TIDEGATE_SLOTS_URL")},
					&cli.StringFlag{Name: "miner", Usage: "leave out those that only another `MINER` may claim"},
					&cli.BoolFlag{Name: "verified", Usage: "only those with DataCap"},
					&cli.IntFlag{Name: "limit", Value: 100, Usage: "most rows; 0 for all"}),
				Action: spSlots,
			},
		},
	}
}

func spReadFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{
		&cli.StringFlag{Name: "rpc", Usage: "JSON-RPC `URL`", Sources: cli.EnvVars("TIDEGATE_RPC")},
		&cli.StringFlag{Name: "storage", Usage: "`ADDRESS` of PerpetualStorage; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_STORAGE", "TIDEGATE_CHAIN_STORAGE")},
		jsonFlag(),
	}, more...)
}

// contractsOf is a chain as market reads contracts.
type contractsOf struct{ *ethclient.Client }

// Head implements market.Chain.
func (c contractsOf) Head(ctx context.Context) (uint64, error) { return c.BlockNumber(ctx) }

// Call implements market.Chain.
func (c contractsOf) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	return c.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, new(big.Int).SetUint64(height))
}

// storageAt is the PerpetualStorage that the flags name, or the public one of the chain.
func storageAt(c *cli.Command, client *ethclient.Client, chain *big.Int) (*market.Storage, error) {
	text := c.String("storage")
	if text != "" {
		if !common.IsHexAddress(text) {
			return nil, usage("--storage %q is not an address", text)
		}
		return market.NewStorage(contractsOf{client}, common.HexToAddress(text)), nil
	}
	known, err := bindings.On(chain.Uint64())
	if err != nil {
		return nil, usage("--storage is needed: %v", err)
	}
	at, err := known.Address(bindings.PerpetualStorage)
	if err != nil {
		return nil, usage("--storage is needed: %v", err)
	}
	return market.NewStorage(contractsOf{client}, at), nil
}

// minerID reads f01000, t01000 or 1000.
func minerID(text string) (uint64, error) {
	digits := text
	if len(text) > 2 && (strings.HasPrefix(text, "f0") || strings.HasPrefix(text, "t0")) {
		digits = text[2:]
	}
	id, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || id == 0 {
		return 0, usage("%q is not a miner: give its id address, f01234", text)
	}
	return id, nil
}

// days puts epochs of 30 s into words.
func days(epochs uint32) string { return fmt.Sprintf("%.4gd", float64(epochs)/2880) }
