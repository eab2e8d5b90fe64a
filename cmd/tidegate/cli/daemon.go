package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
)

func daemonCommand(hasten context.Context) *cli.Command {
	return &cli.Command{
		Name:  "daemon",
		Usage: "watch a provider contract, do what it asks, and answer on chain",
		Description: "Runs until SIGINT or SIGTERM; running work then gets runner.grace, a second signal ends it at once.\n" +
			"Everything is in the data directory: a restart resumes where it was, also after a kill.\n" +
			"tidegate config show --toml prints a file to start from.",
		Flags: settingFlags(),
		Action: func(ctx context.Context, c *cli.Command) error {
			loaded, err := loadSettings(c)
			if err != nil {
				return err
			}
			if err := loaded.Check(); err != nil {
				return fmt.Errorf("the configuration has problems:\n%w", err)
			}
			log := daemon.NewLogger(c.Root().ErrWriter, loaded.Log.Level, loaded.Log.Format)
			d, err := daemon.New(ctx, loaded.Config, daemon.Deps{Log: log})
			if err != nil {
				return err
			}
			return errors.Join(d.Run(ctx, hasten), d.Close())
		},
	}
}
