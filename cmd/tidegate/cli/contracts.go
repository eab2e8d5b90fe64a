package cli

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/oracle/signer"
)

func contractsCommand() *cli.Command {
	return &cli.Command{
		Name: "contracts", Usage: "deploy the contracts, or show what a deployment says",
		Commands: []*cli.Command{
			{
				Name: "deploy", Usage: "deploy and configure EstuaryProvider and EstuaryPinning",
				Description: "The deploying key owns the contracts: it sets prices, pauses intake and proposes operators; it can never take\n" +
					"money or answer requests. On Filecoin use --profile filecoin and a keystore.",
				Flags: []cli.Flag{
					&cli.StringFlag{Name: "rpc", Required: true, Usage: "JSON-RPC `URL`"},
					&cli.StringFlag{Name: "profile", Value: "filecoin", Usage: "parameters: filecoin, devnet (quick, for tidegate devnet) or anvil (quick, in Ethereum's gas)"},
					&cli.StringSliceFlag{Name: "operators", Required: true, Usage: "addresses that may sign reports"},
					&cli.IntFlag{Name: "threshold", Value: 1, Usage: "signatures that a report needs"},
					&cli.BoolFlag{Name: "samples", Usage: "deploy the sample contracts too"},
					&cli.StringFlag{Name: "keystore", Usage: "encrypted keystore `FILE` of the deployer"},
					&cli.StringFlag{Name: "password-file", Usage: "`FILE` with its password"},
					&cli.StringFlag{Name: "key-env", Usage: "`NAME` of a variable with the deployer's key; devnets only"},
					jsonFlag(),
				},
				Action: contractsDeploy,
			},
			{
				Name: "show", Usage: "show a provider's configuration, prices and operators", ArgsUsage: "PROVIDER",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "rpc", Required: true, Usage: "JSON-RPC `URL`"}, jsonFlag()},
				Action: contractsShow,
			},
		},
	}
}

func contractsDeploy(ctx context.Context, c *cli.Command) error {
	profiles := deploy.Profiles()
	at := slices.IndexFunc(profiles, func(p deploy.Profile) bool { return p.Name == c.String("profile") })
	if at < 0 {
		return usage("--profile %q: there are filecoin, devnet and anvil", c.String("profile"))
	}
	var operators []common.Address
	for _, text := range c.StringSlice("operators") {
		if !common.IsHexAddress(text) {
			return usage("--operators: %q is not an address", text)
		}
		operators = append(operators, common.HexToAddress(text))
	}
	if n := c.Int("threshold"); n < 1 || n > 255 {
		return usage("--threshold is 1 to 255")
	}
	ctx, cancel := context.WithTimeout(ctx, deployTimeout)
	defer cancel()
	client, id, err := dialChain(ctx, c.String("rpc"))
	if err != nil {
		return err
	}
	defer client.Close()
	key, err := signer.FromSpec(ctx, signer.Spec{Keystore: c.String("keystore"), PasswordFile: c.String("password-file"), Env: c.String("key-env")}, id.Uint64())
	if err != nil {
		return fmt.Errorf("the deployer's key: %w", err)
	}
	opts := transactor(func(_ common.Address, tx *types.Transaction) (*types.Transaction, error) {
		return key.SignTx(ctx, tx, id)
	}, key.Address())
	made, err := deploy.Run(ctx, client, opts, deploy.Plan{
		Profile: profiles[at], Operators: operators, Threshold: uint8(c.Int("threshold")), Samples: c.Bool("samples"),
		Said: func(format string, args ...any) { fmt.Fprintf(c.Root().ErrWriter, format+"\n", args...) },
	})
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, made)
	}
	for _, name := range sortedKeys(made.Contracts) {
		if err := pairs(c.Root().Writer, name, made.Contracts[name].Hex()); err != nil {
			return err
		}
	}
	return pairs(c.Root().Writer, "chain id", fmt.Sprint(made.ChainID), "start block", fmt.Sprint(made.StartBlock), "operators", made.ConfigDigest.Hex())
}

func dialChain(ctx context.Context, url string) (*ethclient.Client, *big.Int, error) {
	client, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return nil, nil, fmt.Errorf("connecting to %s: %w", config.Redact(url), err)
	}
	id, err := client.ChainID(ctx)
	if err != nil {
		client.Close()
		return nil, nil, fmt.Errorf("%s does not answer as a chain: %w (is it running?)", config.Redact(url), err)
	}
	return client, id, nil
}

// dialRPC dials the chain of --rpc, for commands that only read.
func dialRPC(ctx context.Context, c *cli.Command) (*ethclient.Client, *big.Int, error) {
	if c.String("rpc") == "" {
		return nil, nil, usage("where? Give the chain's JSON-RPC with --rpc")
	}
	return dialChain(ctx, c.String("rpc"))
}

// providerView is what `contracts show` says.
type providerView struct {
	Address   common.Address   `json:"address"`
	ChainID   uint64           `json:"chainId"`
	Owner     common.Address   `json:"owner"`
	Operators []common.Address `json:"operators"`
	Threshold uint8            `json:"threshold"`
	Digest    common.Hash      `json:"configDigest"`
	NextSeq   uint64           `json:"nextSeq"`
	Paused    bool             `json:"intakePaused"`
	Config    any              `json:"config"`
	Pin       any              `json:"pinPrice"`
	Unpin     any              `json:"unpinPrice"`
}

func contractsShow(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || !common.IsHexAddress(c.Args().First()) {
		return usage("show needs the address of an EstuaryProvider")
	}
	client, id, err := dialChain(ctx, c.String("rpc"))
	if err != nil {
		return err
	}
	defer client.Close()
	v := providerView{Address: common.HexToAddress(c.Args().First()), ChainID: id.Uint64()}
	if err := readProvider(ctx, client, &v); err != nil {
		return fmt.Errorf("%s is not an EstuaryProvider on chain %d: %w", v.Address, v.ChainID, err)
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, v)
	}
	var operators []string
	for _, o := range v.Operators {
		operators = append(operators, o.Hex())
	}
	return pairs(c.Root().Writer, "provider", v.Address.Hex(), "chain id", fmt.Sprint(v.ChainID), "owner", v.Owner.Hex(),
		"operators", strings.Join(operators, " "), "threshold", fmt.Sprint(v.Threshold), "next seq", fmt.Sprint(v.NextSeq),
		"intake paused", fmt.Sprint(v.Paused), "pin price", fmt.Sprintf("%+v", v.Pin), "unpin price", fmt.Sprintf("%+v", v.Unpin), "config", fmt.Sprintf("%+v", v.Config))
}

func readProvider(ctx context.Context, client *ethclient.Client, v *providerView) (err error) {
	p := estuaryprovider.NewEstuaryProvider()
	at, opts := p.Instance(client, v.Address), &bind.CallOpts{Context: ctx}
	if v.Owner, err = bind.Call(at, opts, p.PackOwner(), p.UnpackOwner); err != nil {
		return err
	}
	if v.Operators, err = bind.Call(at, opts, p.PackOperators(), p.UnpackOperators); err != nil {
		return err
	}
	if v.Threshold, err = bind.Call(at, opts, p.PackThreshold(), p.UnpackThreshold); err != nil {
		return err
	}
	digest, err := bind.Call(at, opts, p.PackConfigDigest(), p.UnpackConfigDigest)
	if err != nil {
		return err
	}
	v.Digest = digest
	if v.NextSeq, err = bind.Call(at, opts, p.PackNextSeq(), p.UnpackNextSeq); err != nil {
		return err
	}
	if v.Paused, err = bind.Call(at, opts, p.PackIntakePaused(), p.UnpackIntakePaused); err != nil {
		return err
	}
	if v.Config, err = bind.Call(at, opts, p.PackConfig(), p.UnpackConfig); err != nil {
		return err
	}
	if v.Pin, err = bind.Call(at, opts, p.PackPriceOf(1), p.UnpackPriceOf); err != nil {
		return err
	}
	v.Unpin, err = bind.Call(at, opts, p.PackPriceOf(2), p.UnpackPriceOf)
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
