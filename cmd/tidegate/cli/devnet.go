package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/json"
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
	"github.com/tidegate/tidegate/devnet/market"
)

// devnetInfo is the line of `devnet --json`: all that a program needs.
type devnetInfo struct {
	RPC        string                    `json:"rpc"`
	WS         string                    `json:"ws"`
	ChainID    uint64                    `json:"chainId"`
	StartBlock uint64                    `json:"startBlock"`
	Contracts  map[string]common.Address `json:"contracts"`
	Keys       []devnet.Account          `json:"keys"`
	Miners     []string                  `json:"miners,omitempty"`    // storage providers, by id
	Providers  []market.Endpoints        `json:"providers,omitempty"` // those that answer deals; with --market
	Token      string                    `json:"token,omitempty"`     // allows everything; with --auth
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
			&cli.IntFlag{Name: "miners", Usage: "storage providers from the start; they seal when told by devnet_* methods, and prove"},
			&cli.BoolFlag{Name: "market", Usage: "let the miners answer deals (MK20 over HTTP, MK12 over libp2p), seal, prove and serve by themselves"},
			&cli.StringSliceFlag{Name: "misbehave", Usage: "`N=HOW` from the start, for the N-th miner; may be repeated. HOW is one of " + conducts()},
			&cli.IntFlag{Name: "seal-delay", Usage: "`EPOCHS` between having a deal's data and sealing it"},
			&cli.BoolFlag{Name: "auth", Usage: "ask for tokens as Lotus does: without one, calls may only read; prints a token that allows all"},
			&cli.StringFlag{Name: "dump", Usage: "write the whole devnet to `FILE` when it ends"},
			&cli.StringFlag{Name: "load", Usage: "go on from a `FILE` that --dump wrote, with its contracts and miners"},
			&cli.StringFlag{Name: "config-out", Usage: "write a daemon configuration for this chain to `FILE`"},
			&cli.StringFlag{Name: "env-out", Usage: "write the endpoint, contracts and keys to `FILE` as shell variables, once all is up"},
			jsonFlag(),
		},
		Action: runDevnet,
	}
}

func runDevnet(ctx context.Context, c *cli.Command) error {
	cfg := devnet.DefaultConfig()
	cfg.Host, cfg.Port, cfg.BlockTime, cfg.FinalityDepth = c.String("host"), c.Int("port"), c.Duration("block-time"), c.Int("finality")
	cfg.Epoch, cfg.Miners, cfg.Logger = c.Duration("epoch"), c.Int("miners"), daemon.NewLogger(c.Root().ErrWriter, "warn", "text")
	var err error
	if cfg.Market, err = marketConfig(c); err != nil {
		return err
	}
	if c.Bool("auth") {
		cfg.TokenSecret = make([]byte, 32)
		_, _ = rand.Read(cfg.TokenSecret) // never fails
	}
	info, closeDump, err := loadDump(c.String("load"), &cfg)
	if err != nil {
		return err
	}
	net, err := devnet.New(ctx, cfg)
	if err = errors.Join(err, closeDump()); err != nil {
		return err
	}
	serving, stop := context.WithCancel(context.WithoutCancel(ctx)) // it is dumped before it ends
	defer stop()
	running := make(chan error, 1)
	go func() { running <- net.Run(serving) }()
	end := func(err error) error {
		stop()
		return errors.Join(err, <-running, net.Close())
	}
	if err := describe(ctx, net, cfg, &info); err != nil {
		return end(err)
	}
	if err := announce(c, info); err != nil {
		return end(err)
	}
	select {
	case err := <-running:
		return errors.Join(err, net.Close())
	case <-ctx.Done():
		return end(dumpDevnet(context.WithoutCancel(ctx), net, info, c.String("dump")))
	}
}

// describe says what a program needs to know, after deploying the contracts if the
// devnet was not loaded with them.
func describe(ctx context.Context, net *devnet.Devnet, cfg devnet.Config, info *devnetInfo) error {
	info.RPC, info.WS, info.ChainID, info.Keys = net.HTTPURL(), net.WSURL(), devnet.ChainID, net.Accounts()
	for _, m := range net.Providers().Miners() {
		info.Miners = append(info.Miners, m.Address().String())
	}
	if len(cfg.TokenSecret) > 0 {
		var err error
		if info.Token, err = net.Token(); err != nil {
			return err
		}
	}
	if cfg.Load == nil {
		if err := suiteOn(ctx, info); err != nil {
			return err
		}
	}
	info.Providers = openMarket(net.Market(), info.Contracts)
	return nil
}

// suiteOn deploys the contracts on a fresh devnet.
func suiteOn(ctx context.Context, info *devnetInfo) error {
	client, err := ethclient.DialContext(ctx, info.withToken(info.RPC))
	if err != nil {
		return fmt.Errorf("connecting to the devnet: %w", err)
	}
	defer client.Close()
	made, err := deploy.OnDevnet(ctx, client, devnet.Accounts()[0].Key(), devnet.Accounts()[2].Address)
	if err != nil {
		return err
	}
	info.StartBlock, info.Contracts = made.StartBlock, made.Contracts
	return nil
}

// withToken is a URL that carries the token, if there is one.
func (i *devnetInfo) withToken(url string) string {
	if i.Token == "" {
		return url
	}
	return url + "?token=" + i.Token
}

// A dump's file begins with a line that says which contracts are on the chain.
type dumpLine struct {
	StartBlock uint64                    `json:"startBlock"`
	Contracts  map[string]common.Address `json:"contracts"`
}

// loadDump opens the file of --load, if there is one; close it when the devnet is made.
func loadDump(path string, cfg *devnet.Config) (info devnetInfo, closeFile func() error, err error) {
	if path == "" {
		return info, func() error { return nil }, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return info, nil, fmt.Errorf("--load: %w", err)
	}
	in := bufio.NewReader(file)
	line, err := in.ReadBytes('\n')
	var head dumpLine
	if err == nil {
		err = json.Unmarshal(line, &head)
	}
	if err != nil {
		return info, nil, errors.Join(fmt.Errorf("--load: %s is no dump of tidegate devnet: %w", path, err), file.Close())
	}
	cfg.Load = in
	return devnetInfo{StartBlock: head.StartBlock, Contracts: head.Contracts}, file.Close, nil
}

// dumpDevnet writes the file of --dump, if it is wanted.
func dumpDevnet(ctx context.Context, net *devnet.Devnet, info devnetInfo, path string) error {
	if path == "" {
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--dump: %w", err)
	}
	err = json.NewEncoder(file).Encode(dumpLine{info.StartBlock, info.Contracts})
	if err == nil {
		err = net.Dump(ctx, file)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("--dump: %w", err)
	}
	return nil
}

func announce(c *cli.Command, info devnetInfo) error {
	if path := c.String("config-out"); path != "" {
		if err := os.WriteFile(path, []byte(config.TOML(devnetConfig(info))), 0o600); err != nil {
			return fmt.Errorf("--config-out: %w", err)
		}
	}
	if err := writeShellEnv(c.String("env-out"), info); err != nil {
		return err
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
	if err := announceMiners(out, info); err != nil {
		return err
	}
	if info.Token != "" {
		if err := pairs(out, "token", info.Token); err != nil {
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
	cfg.Chain.RPC, cfg.Chain.ID, cfg.Chain.Start = []string{info.withToken(info.RPC)}, info.ChainID, info.StartBlock
	cfg.Chain.Provider, cfg.Chain.Pinning = info.Contracts["EstuaryProvider"].Hex(), info.Contracts["EstuaryPinning"].Hex()
	cfg.Chain.Storage, cfg.Chain.Pools = info.Contracts["PerpetualStorage"].Hex(), info.Contracts["StoragePools"].Hex()
	cfg.Keys.Sender.Env, cfg.Keys.Report.Env = "TIDEGATE_SENDER_KEY", "TIDEGATE_REPORT_KEY"
	return cfg
}

// deployTimeout bounds a deployment: eight transactions on a chain with 30 s epochs.
const deployTimeout = 30 * time.Minute

func transactor(key bind.SignerFn, from common.Address) *bind.TransactOpts {
	return &bind.TransactOpts{From: from, Signer: key, Value: new(big.Int)}
}
