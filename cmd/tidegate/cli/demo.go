package cli

import (
	"context"
	"io"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/demo"
)

func demoCommand(hasten context.Context) *cli.Command {
	return &cli.Command{
		Name:  "demo",
		Usage: "watch a contract call become pinned content and an on-chain answer",
		Description: "Starts a devnet with three storage providers, the contracts, a daemon and a second IPFS peer on this machine. Content is\n" +
			"pinned for a wallet, stored by two providers though one refuses, proven and renewed; a DAO votes to have more stored;\n" +
			"three unhappy stories follow. Then everything stays up, and you can ask yourself. Nothing leaves this machine.",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "exit", Usage: "end after the stories"},
			&cli.BoolFlag{Name: "json", Usage: "print one JSON line at the end; the journey goes to standard error"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of the generated content: the same seed, the same CIDs"},
			&cli.DurationFlag{Name: "block-time", Value: demo.DefaultBlockTime, Usage: "how long an epoch of the devnet takes"},
			&cli.IntFlag{Name: "port", Usage: "RPC `PORT` of the devnet; 0 picks a free one"},
			&cli.StringFlag{Name: "data-dir", Usage: "empty `DIR` that is kept; a temporary one if absent"},
		},
		Action: func(ctx context.Context, c *cli.Command) error {
			var log io.Writer = c.Root().Writer
			if c.Bool("json") {
				log = c.Root().ErrWriter
			}
			return demo.Run(ctx, hasten, demo.Options{
				Seed: c.Uint64("seed"), Exit: c.Bool("exit"), JSON: c.Bool("json"), DataDir: c.String("data-dir"), RPCPort: c.Int("port"), BlockTime: c.Duration("block-time"),
				Out: c.Root().Writer, Log: log,
			})
		},
	}
}
