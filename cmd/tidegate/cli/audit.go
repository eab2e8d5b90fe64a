package cli

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/intake"
)

func auditCommand() *cli.Command {
	return &cli.Command{
		Name: "audit", Usage: "prove that no event was missed, or say which were",
		Description: "Every event of ours carries its contract's count. At the ledger's final height the contract says how many it has emitted,\n" +
			"nextSeq(): when the ledger has exactly the numbers below that, nothing is missing. Ends with code 1 when something is.",
		Flags:  append(settingFlags(), jsonFlag(), &cli.BoolFlag{Name: "repair", Usage: "fetch what is missing, from every endpoint and by every way it has"}),
		Action: auditRun,
	}
}

// sleeping wakes nobody: the daemon's sweeper finds work that a repair made.
type sleeping struct{}

// Notify implements intake.Notifier.
func (sleeping) Notify(job.Kind) {}

func auditRun(ctx context.Context, c *cli.Command) error {
	cfg, ledger, pool, end, err := openChain(ctx, c)
	if err != nil {
		return err
	}
	defer end()
	log := slog.New(slog.NewTextHandler(c.Root().ErrWriter, &slog.HandlerOptions{Level: slog.LevelWarn}))
	sink, err := daemon.Intake(cfg, intake.Deps{Ledger: ledger, Notifier: sleeping{}, Logger: log})
	if err != nil {
		return err
	}
	a, err := daemon.Auditor(cfg, ledger, pool, sink, log, nil)
	if err != nil {
		return err
	}
	proofs, err := a.Check(ctx)
	if err != nil {
		return err
	}
	if c.Bool("repair") {
		for _, p := range proofs {
			if len(p.Missing) == 0 {
				continue
			}
			if _, err := a.Repair(ctx, p); err != nil {
				return err
			}
		}
		if proofs, err = a.Check(ctx); err != nil {
			return err
		}
	}
	return printProofs(c, proofs)
}

func printProofs(c *cli.Command, proofs []audit.Proof) error {
	bad, rows := 0, [][]string{}
	for _, p := range proofs {
		said := "complete"
		switch {
		case p.Error != "":
			said, bad = p.Error, bad+1
		case p.Uncounted:
			said = "counts nothing: cannot be proven"
		case p.Joining:
			said, bad = "its past is still being read", bad+1
		case !p.Complete:
			said, bad = "missing "+numbers(p.Missing), bad+1
		}
		rows = append(rows, []string{p.Contract.Hex(), strconv.FormatUint(p.Height, 10), strconv.FormatUint(p.NextSeq, 10), strconv.FormatInt(p.Have, 10), said})
	}
	var err error
	if c.Bool("json") {
		err = printJSON(c.Root().Writer, proofs)
	} else {
		err = table(c.Root().Writer, []string{"contract", "final height", "nextSeq", "have", "says"}, rows)
	}
	if err != nil || bad == 0 {
		return err
	}
	return fmt.Errorf("%d of %d contracts are not proven complete: run tidegate audit --repair, or wait for the daemon, which repairs by itself", bad, len(proofs))
}

// numbers writes ascending numbers as ranges.
func numbers(list []int64) string {
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		if out = append(out, strconv.FormatInt(list[i], 10)); j > i {
			out[len(out)-1] += "–" + strconv.FormatInt(list[j], 10)
		}
		if i = j + 1; len(out) == 20 && i < len(list) {
			return strings.Join(out, ", ") + ", …"
		}
	}
	return strings.Join(out, ", ")
}
