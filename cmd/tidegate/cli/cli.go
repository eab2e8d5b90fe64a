// Package cli is the command line of tidegate: flags, words and tables. What a
// command does lives elsewhere (daemon, demo, devnet, bindings/deploy, the
// daemon's HTTP API).
//
// Map:
//
//	cli.go       Main, the root command, exit codes
//	signals.go   SIGINT and SIGTERM: the first stops, the second hastens
//	settings.go  flags of the daemon's settings; loading them
//	daemon.go    daemon
//	devnet.go    devnet; faults.go: faults
//	demo.go      demo
//	contracts.go contracts deploy | show
//	pin.go       pin add | ls | rm | cat | verify
//	jobs.go      jobs ls | show | retry | drop
//	piece.go     piece commp | car, where blocks come from; piece_files.go aggregate | verify | split
//	bucket.go    bucket ls | show | flush | clean | add
//	dao.go       dao, its connection; dao_show.go ls | show | members | treasury; dao_send.go create | propose | vote | execute
//	sp.go        sp, its connection; sp_slots.go slots, sp_calls.go claim | publish | prove | release | withdraw;
//	             sp_from.go who sends, sp_send.go showing, trying, sending, telling
//	deals.go     deals ls | show | stats, of the daemon; deals_status.go status; deals_client.go what a client calls
//	pool.go      pool open | show | join | pay | leave | withdraw
//	keys.go      keys new | ls | adopt
//	oracle.go    oracle contracts ls | add, oracle reorg show | accept
//	audit.go     audit; doctor.go: doctor
//	config.go    config show | check, version
//	client.go    the HTTP client of the local API
//	output.go    JSON or tables
//
// Invariants: standard output carries results only, everything else goes to
// standard error; with --json standard output is JSON and nothing else; exit
// code 0 is success, 1 a failure, 2 a wrong use of the command line.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"

	"github.com/urfave/cli/v3"
)

// Version is the released version; a build from a checkout says "dev".
var Version = "dev"

// errUsage marks an error of the command line itself.
var errUsage = errors.New("usage")

func usage(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// Main runs the command line and gives the process's exit code.
func Main(args []string) int {
	ctx, hasten, stop := signals(context.Background())
	defer stop()
	return run(ctx, hasten, args, os.Stdout, os.Stderr)
}

func run(ctx, hasten context.Context, args []string, out, errOut io.Writer) int {
	root := newRoot(hasten)
	root.Writer, root.ErrWriter = out, errOut
	err := root.Run(ctx, args)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(errOut, "tidegate: %v\nRun tidegate help for the commands.\n", err)
		return 2
	default:
		fmt.Fprintf(errOut, "tidegate: %v\n", err)
		return 1
	}
}

func newRoot(hasten context.Context) *cli.Command {
	root := &cli.Command{
		Name:  "tidegate",
		Usage: "the bridge between contracts on Filecoin's EVM and real storage",
		Description: "Contracts ask (pinToEstuary), an operator's daemon pins the content on an embedded IPFS node\n" +
			"and answers on chain with a signed report. Start with: tidegate demo",
		Version:         version(),
		HideVersion:     true,
		ExitErrHandler:  func(context.Context, *cli.Command, error) {},
		CommandNotFound: nil,
		Action: func(ctx context.Context, c *cli.Command) error {
			if c.Args().Present() {
				return usage("no command %q", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		Commands: []*cli.Command{
			demoCommand(hasten), devnetCommand(), faultsCommand(), daemonCommand(hasten), contractsCommand(), pinCommand(),
			requestsCommand(), jobsCommand(), pieceCommand(), daoCommand(), spCommand(), dealsCommand(), poolCommand(), bucketCommand(), keysCommand(), oracleCommand(), auditCommand(), doctorCommand(), dbCommand(), configCommand(), versionCommand(),
		},
	}
	sayUsage(root)
	return root
}

// sayUsage makes flags that c or a command below it does not know errUsage;
// commands do not inherit that from the root.
func sayUsage(c *cli.Command) {
	c.OnUsageError = func(_ context.Context, _ *cli.Command, err error, _ bool) error { return usage("%v", err) }
	for _, sub := range c.Commands {
		sayUsage(sub)
	}
}

func version() string {
	v := Version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				v += " (" + s.Value[:12] + ")"
			}
		}
	}
	return v
}
