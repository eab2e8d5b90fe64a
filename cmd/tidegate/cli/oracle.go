package cli

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/watch"
)

func oracleCommand() *cli.Command {
	return &cli.Command{
		Name: "oracle", Usage: "what is watched, and decisions about the chain that only a person may make",
		Commands: []*cli.Command{
			{
				Name: "contracts", Usage: "contracts that are watched beside those of the settings",
				Commands: []*cli.Command{
					{Name: "ls", Usage: "list them", Flags: append(settingFlags(), jsonFlag()), Action: oracleContracts},
					{
						Name: "add", Usage: "watch one more contract from its deployment on", ArgsUsage: "ADDRESS",
						Description: "The running daemon takes it in within seconds and reads its past beside everything else. Its events are kept\n" +
							"and audited by their seq; work is done only for the provider of the settings.",
						Flags: append(settingFlags(), jsonFlag(),
							&cli.Uint64Flag{Name: "from", Usage: "`HEIGHT` of its deployment", Required: true}),
						Action: oracleAdd,
					},
				},
			},
			{
				Name: "reorg", Usage: "a reorganisation below what was final",
				Commands: []*cli.Command{
					{Name: "show", Usage: "say where the ledger and the endpoints part, and change nothing", Flags: append(settingFlags(), jsonFlag()), Action: oracleReorg},
					{
						Name: "accept", Usage: "take the endpoints' chain for the right one: take back what was final on the other, and unfreeze",
						Description: "The daemon freezes answers and payments when a block that was final is no longer on the endpoints' chain. First make\n" +
							"sure, with other endpoints or an explorer, that the network really did reorganise, and that not your endpoint lies. Then run\n" +
							"this: requests that left the chain are undone, answers that left it are given again. The daemon goes on by itself.",
						Flags: append(settingFlags(), jsonFlag(), &cli.BoolFlag{Name: "yes", Usage: "do it; without this the command only shows"}), Action: oracleReorg,
					},
				},
			},
		},
	}
}

// openLedger opens the ledger that the settings name, which a daemon may be using.
func openLedger(ctx context.Context, c *cli.Command) (config.Config, *store.Store, error) {
	loaded, err := loadSettings(c)
	if err != nil {
		return config.Config{}, nil, err
	}
	ledger, err := existing(ctx, loaded.Config)
	return loaded.Config, ledger, err
}

// existing opens a ledger that is there already.
func existing(ctx context.Context, cfg config.Config) (*store.Store, error) {
	if cfg.Ledger.URL == "" {
		if _, err := os.Stat(cfg.LedgerPath()); err != nil {
			return nil, fmt.Errorf("there is no ledger in %s: give the daemon's --data-dir or --config", cfg.DataDir)
		}
	}
	return store.Open(ctx, store.Config{Path: cfg.LedgerPath()})
}

// openChain opens ledger and endpoints; the function closes both.
func openChain(ctx context.Context, c *cli.Command) (config.Config, *store.Store, *watch.Pool, func(), error) {
	cfg, ledger, err := openLedger(ctx, c)
	if err != nil {
		return cfg, nil, nil, nil, err
	}
	if len(cfg.Chain.RPC) == 0 || !common.IsHexAddress(cfg.Chain.Provider) {
		_ = ledger.Close()
		return cfg, nil, nil, nil, usage("%s needs the daemon's settings: --config, or --chain-rpc, --chain-id, --chain-provider and --data-dir", c.Name)
	}
	pool, closers, err := daemon.Endpoints(cfg)
	if err != nil {
		_ = ledger.Close()
		return cfg, nil, nil, nil, err
	}
	return cfg, ledger, pool, func() {
		for _, f := range closers {
			f()
		}
		_ = ledger.Close()
	}, nil
}

func oracleContracts(ctx context.Context, c *cli.Command) error {
	_, ledger, err := openLedger(ctx, c)
	if err != nil {
		return err
	}
	defer ledger.Close()
	type row struct {
		Address string `json:"address"`
		Start   uint64 `json:"start"`
		Read    uint64 `json:"read"` // of its past, up to this height
		Past    int64  `json:"past"` // ends here; -1 before the daemon took it in
	}
	added, err := ledger.Contracts(ctx)
	if err != nil {
		return err
	}
	all, rows := []row{}, [][]string{}
	for _, a := range added {
		cur, _, err := ledger.Cursor(ctx, watch.ContractFilter(a.Address))
		if err != nil {
			return err
		}
		r := row{a.Address.Hex(), a.Start, cur.Height, a.Joined}
		all = append(all, r)
		rows = append(rows, []string{r.Address, strconv.FormatUint(r.Start, 10), strconv.FormatUint(r.Read, 10), strconv.FormatInt(r.Past, 10)})
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, all)
	}
	return table(c.Root().Writer, []string{"address", "deployed", "past read to", "past ends"}, rows)
}

func oracleAdd(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || !common.IsHexAddress(c.Args().First()) {
		return usage("oracle contracts add needs the contract's address")
	}
	_, ledger, err := openLedger(ctx, c)
	if err != nil {
		return err
	}
	defer ledger.Close()
	a := common.HexToAddress(c.Args().First())
	if err := ledger.AddContract(ctx, a, c.Uint64("from")); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]any{"address": a.Hex(), "start": c.Uint64("from")})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "%s is watched from height %d on; the daemon takes it in within seconds.\n", a.Hex(), c.Uint64("from"))
	return err
}

func oracleReorg(ctx context.Context, c *cli.Command) error {
	cfg, ledger, pool, end, err := openChain(ctx, c)
	if err != nil {
		return err
	}
	defer end()
	cur, has, err := ledger.Cursor(ctx, daemon.Filter)
	if err != nil {
		return err
	}
	if !has || cur.Frozen == "" {
		return fmt.Errorf("the money lane is not frozen: there is nothing to decide")
	}
	ancestor, err := watch.CommonAncestor(ctx, pool, ledger)
	if err != nil {
		return err
	}
	type answer struct {
		Frozen   string          `json:"frozen"`
		Final    uint64          `json:"final"`
		Ancestor uint64          `json:"ancestor"`
		Hash     string          `json:"hash"`
		Accepted *store.Accepted `json:"accepted,omitempty"`
	}
	out := answer{Frozen: cur.Frozen, Final: cur.Final, Ancestor: ancestor.Height, Hash: ancestor.Hash.Hex()}
	if c.Name == "accept" && c.Bool("yes") {
		got, err := ledger.AcceptReorg(ctx, ancestor, time.Now().Add(cfg.Chain.UndoDelay.D()), time.Now())
		if err != nil {
			return err
		}
		out.Accepted = &got
	}
	w := c.Root().Writer
	switch {
	case c.Bool("json"):
		return printJSON(w, out)
	case out.Accepted != nil:
		_, err = fmt.Fprintf(w, "Taken back above block %d: %d events, %d requests; %d answers are given again, %d transactions sent again. The daemon goes on.\n",
			ancestor.Height, out.Accepted.Logs, out.Accepted.Requests, out.Accepted.Reopened, out.Accepted.Resending)
	default:
		_, err = fmt.Fprintf(w, "Frozen: %s\nThe ledger and the endpoints agree up to block %s; block %d was final.\nIf the network really reorganised, run: tidegate oracle reorg accept --yes\n",
			cur.Frozen, ancestor.ID(), cur.Final)
	}
	return err
}
