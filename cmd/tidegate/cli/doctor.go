package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/doctor"
	"github.com/tidegate/tidegate/internal/store"
)

func doctorCommand() *cli.Command {
	return &cli.Command{
		Name: "doctor", Usage: "say what is wrong, and what to do about it; silent when all is well",
		Description: "Looks at the running daemon, at its ledger and at every endpoint of the settings. Changes nothing. Ends with code 1 when\n" +
			"something is wrong.",
		Flags: append(settingFlags(), jsonFlag(),
			&cli.StringFlag{Name: "api", Usage: "`URL` of the daemon's local API; default from http.listen", Sources: cli.EnvVars("TIDEGATE_API")}),
		Action: doctorRun,
	}
}

func doctorRun(ctx context.Context, c *cli.Command) error {
	loaded, err := loadSettings(c)
	if err != nil {
		return err
	}
	if len(loaded.Chain.RPC) == 0 {
		return usage("doctor needs the daemon's settings: --config, or --chain-rpc, --chain-id, --chain-provider and --data-dir")
	}
	api := c.String("api")
	if api == "" {
		api = "http://" + loaded.HTTP.Listen
	}
	key, err := os.ReadFile(filepath.Join(loaded.DataDir, "api.key"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the API key: %w", err)
	}
	cl := &client{base: strings.TrimRight(api, "/") + "/api/v1", key: strings.TrimSpace(string(key)), http: newHTTP(5 * time.Second)}
	var said doctor.Daemon
	daemon := &said
	asked := cl.get(ctx, "/status", nil, daemon)
	if asked != nil {
		daemon = nil
	}
	var ledger *store.Store
	if _, err := os.Stat(loaded.LedgerPath()); err == nil || loaded.Ledger.URL != "" {
		if ledger, err = store.Open(ctx, store.Config{Path: loaded.LedgerPath()}); err != nil {
			return err
		}
		defer ledger.Close()
	}
	found := doctor.Examine(ctx, loaded.Config, ledger, daemon, asked, time.Now())
	if c.Bool("json") {
		if err := printJSON(c.Root().Writer, append([]doctor.Finding{}, found...)); err != nil {
			return err
		}
	} else if _, err := fmt.Fprint(c.Root().Writer, doctor.Words(found)); err != nil {
		return err
	}
	switch len(found) {
	case 0:
		return nil
	case 1:
		return errors.New("1 thing is wrong")
	}
	return fmt.Errorf("%d things are wrong", len(found))
}
