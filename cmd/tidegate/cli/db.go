package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/internal/store"
)

func dbCommand() *cli.Command {
	return &cli.Command{
		Name: "db", Usage: "back up, restore and upgrade the ledger",
		Description: "The ledger is what ledger.url names, or the file ledger.db in data_dir. Each command may be interrupted at any moment\n" +
			"and run again. A backup of either kind of ledger can be restored to either: that is also how to move from a file to Postgres.",
		Commands: []*cli.Command{
			{
				Name: "backup", Usage: "write the whole ledger to a new file, while daemons go on", ArgsUsage: "FILE",
				Description: "The file is a ledger of SQLite, as it was at one moment; it has its name only when it is whole and on disk.\n" +
					"It holds no keys, and no content: back up data_dir/ipfs on its own.",
				Flags: append(settingFlags(), jsonFlag()), Action: dbBackup,
			},
			{
				Name: "restore", Usage: "put a backup in the place of the ledger", ArgsUsage: "FILE",
				Description: "Stop all daemons of the ledger first. What was there is kept beside it (of a file) or replaced (in Postgres). What was\n" +
					"sent after the backup was made is not in it: keys that the chain has seen more of are parked until tidegate keys adopt.",
				Flags: append(settingFlags(), jsonFlag(),
					&cli.BoolFlag{Name: "replace", Usage: "replace a ledger that is there"},
					&cli.BoolFlag{Name: "offline", Usage: "ask no endpoint, and park every key"}),
				Action: dbRestore,
			},
			{
				Name: "migrate", Usage: "bring the ledger's schema up to this version of tidegate",
				Description: "A daemon does this by itself when it starts. Back up first: an older tidegate does not open a newer ledger.",
				Flags:       append(settingFlags(), jsonFlag()), Action: dbMigrate,
			},
		},
	}
}

func oneFile(c *cli.Command) (string, error) {
	if c.Args().Len() != 1 {
		return "", usage("%s needs the name of one file", c.FullName())
	}
	return c.Args().First(), nil
}

func dbBackup(ctx context.Context, c *cli.Command) error {
	file, err := oneFile(c)
	if err != nil {
		return err
	}
	_, ledger, err := openLedger(ctx, c)
	if err != nil {
		return err
	}
	defer ledger.Close()
	if err := ledger.Backup(ctx, file, nil); err != nil {
		return err
	}
	st, err := os.Stat(file)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]any{"file": file, "bytes": st.Size()})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "The ledger is in %s, %d bytes, checked.\n", file, st.Size())
	return err
}

func dbRestore(ctx context.Context, c *cli.Command) error {
	file, err := oneFile(c)
	if err != nil {
		return err
	}
	loaded, err := loadSettings(c)
	if err != nil {
		return err
	}
	if loaded.Ledger.URL == "" { // a ledger in Postgres says itself who uses it
		lock, err := daemon.LockDir(loaded.DataDir)
		if err != nil {
			return err
		}
		defer lock.Close()
	}
	park, done, err := parking(ctx, loaded.Config, c.Bool("offline"))
	if err != nil {
		return err
	}
	defer done()
	out, err := store.Restore(ctx, store.Restoration{From: file, To: loaded.LedgerPath(), Now: time.Now(), Replace: c.Bool("replace"), Park: park})
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w: give --replace to replace it", err)
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, out)
	}
	w := c.Root().Writer
	fmt.Fprintf(w, "The ledger is restored; %d jobs that ran run again.\n", out.Jobs)
	if out.Kept != "" {
		fmt.Fprintf(w, "What was there is %s.\n", out.Kept)
	}
	for key, why := range out.Parked {
		fmt.Fprintf(w, "The key %s is parked: %s.\n    See on an explorer what it sent, then run tidegate keys adopt %s.\n", key, why, key)
	}
	return nil
}

// parking finds keys that sent more than a backup knows.
func parking(ctx context.Context, cfg config.Config, offline bool) (park func(context.Context, common.Address, uint64) (string, error), done func(), err error) {
	if offline {
		return func(context.Context, common.Address, uint64) (string, error) {
			return "the ledger was restored without asking the chain what the key sent since the backup", nil
		}, func() {}, nil
	}
	if len(cfg.Chain.RPC) == 0 {
		return nil, nil, usage("db restore asks the chain what the keys have sent: give --chain-rpc or --config, or --offline to park them all")
	}
	client, err := daemon.DialReads(ctx, cfg.Chain.RPC)
	if err != nil {
		return nil, nil, fmt.Errorf("chain.rpc: %w (--offline parks every key instead)", err)
	}
	return func(ctx context.Context, key common.Address, next uint64) (string, error) {
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		mined, err := client.NonceAt(ctx, key, nil)
		if err != nil {
			return "", fmt.Errorf("chain.rpc: %w (--offline parks every key instead)", err)
		}
		pending, err := client.PendingNonceAt(ctx, key)
		if err != nil {
			return "", fmt.Errorf("chain.rpc: %w (--offline parks every key instead)", err)
		}
		if seen := max(mined, pending); seen > next {
			return fmt.Sprintf("the chain has seen %d transactions of it, the restored ledger knows %d", seen, next), nil
		}
		return "", nil
	}, client.Close, nil
}

func dbMigrate(ctx context.Context, c *cli.Command) error {
	_, ledger, err := openLedger(ctx, c) // which migrates
	if err != nil {
		return err
	}
	defer ledger.Close()
	v, err := ledger.SchemaVersion(ctx)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]int64{"version": v})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "The ledger has schema version %d, the newest that this tidegate knows.\n", v)
	return err
}
