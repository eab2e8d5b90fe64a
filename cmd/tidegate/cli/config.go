package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
)

func configCommand() *cli.Command {
	return &cli.Command{
		Name:  "config",
		Usage: "show or check the daemon's settings",
		Commands: []*cli.Command{
			{
				Name: "show", Usage: "print the settings in force and where each comes from, or a file to start from",
				Flags: append(settingFlags(), jsonFlag(),
					&cli.BoolFlag{Name: "toml", Usage: "print a commented configuration file"}),
				Action: configShow,
			},
			{
				Name: "check", Usage: "report every problem of the settings at once",
				Flags: append(settingFlags(), jsonFlag()), Action: configCheck,
			},
		},
	}
}

func configShow(_ context.Context, c *cli.Command) error {
	loaded, err := loadSettings(c)
	if err != nil {
		return err
	}
	if c.Bool("toml") {
		_, err := fmt.Fprint(c.Root().Writer, config.TOML(loaded.Config))
		return err
	}
	type setting struct {
		Path   string `json:"path"`
		Value  string `json:"value"`
		Source string `json:"source"`
	}
	var all []setting
	var rows [][]string
	for _, f := range config.Fields() {
		value := f.Get(loaded.Config)
		if f.Path == "chain.rpc" || f.Path == "keys.sender.remote" || f.Path == "keys.report.remote" {
			value = redactList(value)
		}
		all = append(all, setting{f.Path, value, loaded.Sources[f.Path]})
		rows = append(rows, []string{f.Path, value, loaded.Sources[f.Path]})
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, all)
	}
	return table(c.Root().Writer, []string{"setting", "value", "from"}, rows)
}

func redactList(value string) string {
	if value == "" {
		return ""
	}
	out := ""
	for i, item := range splitList(value) {
		if i > 0 {
			out += ","
		}
		out += config.Redact(item)
	}
	return out
}

func configCheck(_ context.Context, c *cli.Command) error {
	loaded, err := loadSettings(c)
	if err != nil {
		return err
	}
	if err := loaded.Check(); err != nil {
		return fmt.Errorf("the configuration has problems:\n%w", err)
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]bool{"ok": true})
	}
	_, err = fmt.Fprintln(c.Root().Writer, "The configuration is sound.")
	return err
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Usage: "print the version", Flags: []cli.Flag{jsonFlag()},
		Action: func(_ context.Context, c *cli.Command) error {
			if c.Bool("json") {
				return printJSON(c.Root().Writer, map[string]string{"version": version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
			}
			_, err := fmt.Fprintf(c.Root().Writer, "tidegate %s, %s, %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return err
		},
	}
}
