package cli

import (
	"os"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
)

const categorySettings = "SETTINGS (flag > environment > file > default)"

// settingFlags are --config, --devnet and one flag for each setting.
func settingFlags() []cli.Flag {
	flags := []cli.Flag{
		&cli.StringFlag{Name: "config", Usage: "TOML `FILE` of settings", Sources: cli.EnvVars("TIDEGATE_CONFIG")},
		&cli.BoolFlag{Name: "devnet", Usage: "start from defaults that suit a devnet on this machine", Sources: cli.EnvVars("TIDEGATE_DEVNET")},
	}
	for _, f := range config.Fields() {
		flags = append(flags, &cli.StringFlag{
			Name: f.Flag, Usage: f.Doc + " [" + f.Env + "]", Category: categorySettings,
			DefaultText: f.Get(config.Default()),
		})
	}
	return flags
}

// loadSettings reads what settingFlags, the environment and the file say.
func loadSettings(c *cli.Command) (config.Loaded, error) {
	base := config.Default()
	if c.Bool("devnet") {
		base = config.Devnet()
	}
	given := map[string]string{}
	for _, f := range config.Fields() {
		if c.IsSet(f.Flag) {
			given[f.Flag] = c.String(f.Flag)
		}
	}
	return config.Load(config.Layers{Base: base, File: c.String("config"), Getenv: os.LookupEnv, Flags: given})
}
