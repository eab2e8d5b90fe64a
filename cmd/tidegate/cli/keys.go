package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/tidegate/tidegate/oracle/signer"
	"github.com/tidegate/tidegate/oracle/txmgr"
)

func keysCommand() *cli.Command {
	dir := &cli.StringFlag{Name: "dir", Value: "keys", Usage: "`DIR` of keystore files"}
	return &cli.Command{
		Name: "keys", Usage: "make and list keystore files; take over a key that was used elsewhere",
		Commands: []*cli.Command{
			{
				Name: "new", Usage: "make a key in an encrypted keystore file",
				Flags: []cli.Flag{dir, jsonFlag(),
					&cli.StringFlag{Name: "password-file", Usage: "`FILE` whose first line is the password; asked for on a terminal if absent"}},
				Action: keysNew,
			},
			{Name: "ls", Usage: "list keystore files", Flags: []cli.Flag{dir, jsonFlag()}, Action: keysList},
			{
				Name: "adopt", Usage: "accept that a sender key was used elsewhere, and send with it again", ArgsUsage: "ADDRESS",
				Description: "The daemon parks a key whose nonce on chain is ahead of the ledger's: something else sent with it. Make sure that\n" +
					"nothing does any more, then run this; the daemon goes on by itself.",
				Flags: append(settingFlags(), jsonFlag()), Action: keysAdopt,
			},
		},
	}
}

func keysNew(_ context.Context, c *cli.Command) error {
	password, err := newPassword(c)
	if err != nil {
		return err
	}
	made, err := signer.Create(c.String("dir"), password, signer.Standard)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]string{"address": made.Address.Hex(), "file": made.Path})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "%s in %s\nKeep a copy of the file and of its password: without both the key is lost.\n", made.Address.Hex(), made.Path)
	return err
}

func newPassword(c *cli.Command) (string, error) {
	if path := c.String("password-file"); path != "" {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", fmt.Errorf("--password-file: %w", err)
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if line = strings.TrimRight(line, "\r"); line == "" {
			return "", fmt.Errorf("--password-file: the first line of %s is empty", path)
		}
		return line, nil
	}
	fd := int(os.Stdin.Fd())
	if !term.IsTerminal(fd) {
		return "", usage("there is no terminal to ask for a password on: give --password-file")
	}
	ask := func(prompt string) (string, error) {
		fmt.Fprint(c.Root().ErrWriter, prompt)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(c.Root().ErrWriter)
		return string(b), err
	}
	first, err := ask("Password: ")
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	second, err := ask("Again: ")
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	if first == "" || first != second {
		return "", errors.New("the passwords are empty or differ: nothing was made")
	}
	return first, nil
}

func keysList(_ context.Context, c *cli.Command) error {
	found, err := signer.List(c.String("dir"))
	if err != nil {
		return err
	}
	type row struct {
		Address string `json:"address"`
		File    string `json:"file"`
	}
	all, rows := []row{}, [][]string{}
	for _, a := range found {
		all = append(all, row{a.Address.Hex(), a.Path})
		rows = append(rows, []string{a.Address.Hex(), a.Path})
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, all)
	}
	return table(c.Root().Writer, []string{"address", "file"}, rows)
}

func keysAdopt(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 || !common.IsHexAddress(c.Args().First()) {
		return usage("keys adopt needs the address of the sender key")
	}
	loaded, err := loadSettings(c)
	if err != nil {
		return err
	}
	if len(loaded.Chain.RPC) == 0 {
		return usage("keys adopt needs the daemon's settings: --config, or --chain-rpc and --data-dir")
	}
	ledger, err := existing(ctx, loaded.Config)
	if err != nil {
		return err
	}
	defer ledger.Close()
	nonce, err := txmgr.Adopt(ctx, ledger, anyEndpoint(loaded.Chain.RPC), common.HexToAddress(c.Args().First()))
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]any{"address": c.Args().First(), "nonce": nonce})
	}
	_, err = fmt.Fprintf(c.Root().Writer, "Adopted: the next transaction of %s has nonce %d.\n", c.Args().First(), nonce)
	return err
}

// anyEndpoint asks one endpoint after the other until one answers.
type anyEndpoint []string

func (urls anyEndpoint) Nonce(ctx context.Context, addr common.Address, at txmgr.Tag) (uint64, error) {
	var failed []error
	for _, url := range urls {
		rpc, err := txmgr.NewRPC(ctx, url)
		if err != nil {
			failed = append(failed, fmt.Errorf("chain.rpc: %w", err))
			continue
		}
		nonce, err := rpc.Nonce(ctx, addr, at)
		rpc.Close()
		if err == nil {
			return nonce, nil
		}
		failed = append(failed, err)
	}
	return 0, errors.Join(failed...)
}
