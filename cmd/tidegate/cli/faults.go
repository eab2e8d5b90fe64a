package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/devnet/fault"
)

func faultsCommand() *cli.Command {
	var b strings.Builder
	for _, f := range fault.All() {
		fmt.Fprintf(&b, "  %-15s %s\n", f, fault.About[f])
	}
	return &cli.Command{
		Name: "faults", Usage: "stand before a JSON-RPC endpoint and add what public endpoints add, for tests",
		Description: "Switches are names with commas between, each with =rate (0 to 1) where it is not 1; realistic stands for an ordinary day.\n" +
			"While it runs: cast rpc fault_set throttle 0.1, fault_clear, fault_status. Each imitates:\n" + b.String(),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "to", Required: true, Usage: "`URL` of the node, http or https"},
			&cli.StringFlag{Name: "on", Value: "realistic", Usage: "`SWITCHES` from the start"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "decides everything that is drawn"},
			&cli.IntFlag{Name: "port", Usage: "`PORT` on loopback; 0 picks a free one"},
			jsonFlag(),
		},
		Action: runFaults,
	}
}

func runFaults(ctx context.Context, c *cli.Command) error {
	rates, err := fault.Parse(c.String("on"))
	if err != nil {
		return usage("--on: %v", err)
	}
	p, err := fault.New(fault.Config{Upstream: c.String("to"), Seed: c.Uint64("seed"), Rates: rates})
	if err != nil {
		return usage("--to: %v", err)
	}
	defer p.Close()
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", c.Int("port")))
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	at := "http://" + l.Addr().String()
	if c.Bool("json") {
		err = printJSON(c.Root().Writer, map[string]any{"rpc": at, "faults": rates})
	} else {
		_, err = fmt.Fprintf(c.Root().Writer, "%s stands before %s; stop it with ctrl-c\n", at, c.String("to"))
	}
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = srv.Close() })
	defer stop()
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
