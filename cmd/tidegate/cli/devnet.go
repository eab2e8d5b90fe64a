package cli

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/devnet"
)

// devnetInfo is the line of `devnet --json`: all that a program needs.
type devnetInfo struct {
	RPC        string                    `json:"rpc"`
	WS         string                    `json:"ws"`
	ChainID    uint64                    `json:"chainId"`
	StartBlock uint64                    `json:"startBlock"`
	Contracts  map[string]common.Address `json:"contracts"`
	Keys       []devnet.Account          `json:"keys"`
}

func devnetCommand() *cli.Command {
	d := devnet.DefaultConfig()
	return &cli.Command{
		Name:  "devnet",
		Usage: "run a development chain with the contracts on it",
		Description: "A Filecoin on this machine, in memory: the official actors, a real FEVM, chain id 31415926, ten funded keys\n" +
			"(worthless elsewhere), the contracts deployed. The first start on a machine compiles the actors, which takes some seconds.\n" +
			"Key 0 owns the contracts; key 2 is the operator that may sign reports. MetaMask and cast can use it.\n" +
			"docs/devnet.md tells how to steer it and where it differs from Filecoin.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "host", Value: "127.0.0.1", Usage: "`ADDRESS` to listen on; controls work only on loopback"},
			&cli.IntFlag{Name: "port", Value: d.Port, Usage: "RPC port, HTTP and WebSocket; 0 picks a free one"},
			&cli.DurationFlag{Name: "block-time", Value: d.BlockTime, Usage: "pause between epochs; 0 executes each transaction at once and makes it final"},
			&cli.DurationFlag{Name: "epoch", Usage: "chain time of an epoch, in whole seconds (Filecoin: 30s); the block time rounded up if absent"},
			&cli.IntFlag{Name: "finality", Value: devnet.DefaultFinalityDepth, Usage: "tipsets behind the head that are final"},
			&cli.StringFlag{Name: "config-out", Usage: "write a daemon configuration for this chain to `FILE`"},
			jsonFlag(),
		},
		Action: runDevnet,
	}
}

func runDevnet(ctx context.Context, c *cli.Command) error {
	cfg := devnet.DefaultConfig()
	cfg.Host, cfg.Port, cfg.BlockTime, cfg.FinalityDepth = c.String("host"), c.Int("port"), c.Duration("block-time"), c.Int("finality")
	cfg.Epoch, cfg.Logger = c.Duration("epoch"), daemon.NewLogger(c.Root().ErrWriter, "warn", "text")
	net, err := devnet.New(ctx, cfg)
	if err != nil {
		return err
	}
	running := make(chan error, 1)
	go func() { running <- net.Run(ctx) }()
	info, err := suiteOn(ctx, net)
	if err != nil {
		return errors.Join(err, net.Close(), <-running)
	}
	if err := announce(c, info); err != nil {
		return errors.Join(err, net.Close(), <-running)
	}
	err = <-running
	return errors.Join(err, net.Close())
}

// suiteOn deploys the contracts on a fresh devnet.
func suiteOn(ctx context.Context, net *devnet.Devnet) (devnetInfo, error) {
	info := devnetInfo{RPC: net.HTTPURL(), WS: net.WSURL(), ChainID: devnet.ChainID, Keys: net.Accounts()}
	client, err := ethclient.DialContext(ctx, info.RPC)
	if err != nil {
		return info, fmt.Errorf("connecting to the devnet: %w", err)
	}
	defer client.Close()
	made, err := deploy.OnDevnet(ctx, client, devnet.Accounts()[0].Key(), devnet.Accounts()[2].Address)
	if err != nil {
		return info, err
	}
	info.StartBlock, info.Contracts = made.StartBlock, made.Contracts
	return info, nil
}

func announce(c *cli.Command, info devnetInfo) error {
	if path := c.String("config-out"); path != "" {
		if err := os.WriteFile(path, []byte(config.TOML(devnetConfig(info))), 0o600); err != nil {
			return fmt.Errorf("--config-out: %w", err)
		}
	}
	out := c.Root().Writer
	if c.Bool("json") {
		return printJSON(out, info)
	}
	if err := pairs(out, "rpc", info.RPC, "ws", info.WS, "chain id", fmt.Sprint(info.ChainID)); err != nil {
		return err
	}
	for _, name := range sortedKeys(info.Contracts) {
		if err := pairs(out, name, info.Contracts[name].Hex()); err != nil {
			return err
		}
	}
	var rows [][]string
	for i, k := range info.Keys {
		rows = append(rows, []string{fmt.Sprint(i), k.Address.Hex(), k.PrivateKey})
	}
	return table(out, []string{"key", "address", "private key (worthless elsewhere)"}, rows)
}

// devnetConfig is a daemon's configuration for the chain, less its data
// directory; the keys are named by variable.
func devnetConfig(info devnetInfo) config.Config {
	cfg := config.Devnet()
	cfg.Chain.RPC, cfg.Chain.ID, cfg.Chain.Start = []string{info.RPC}, info.ChainID, info.StartBlock
	cfg.Chain.Provider, cfg.Chain.Pinning = info.Contracts["EstuaryProvider"].Hex(), info.Contracts["EstuaryPinning"].Hex()
	cfg.Keys.Sender.Env, cfg.Keys.Report.Env = "TIDEGATE_SENDER_KEY", "TIDEGATE_REPORT_KEY"
	return cfg
}

// deployTimeout bounds a deployment: eight transactions on a chain with 30 s epochs.
const deployTimeout = 30 * time.Minute

func transactor(key bind.SignerFn, from common.Address) *bind.TransactOpts {
	return &bind.TransactOpts{From: from, Signer: key, Value: new(big.Int)}
}
