package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/httpapi"
)

// dealsRepairs lists pieces on their way back.
func dealsRepairs(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Int("limit"))}}
	if c.Bool("live") {
		query.Set("live", "true")
	}
	var got page[httpapi.Repair]
	if err := cl.get(ctx, "/deals/repairs", query, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]httpapi.Repair{}, got.Items...))
	}
	var rows [][]string
	for _, r := range got.Items {
		rows = append(rows, []string{r.Piece, strconv.FormatUint(r.DealID, 10), r.State, minerText(r.Miner), fmt.Sprintf("%d of %d", r.Got, r.Size), r.Words})
	}
	return table(c.Root().Writer, []string{"piece", "deal", "state", "sp", "bytes", "words"}, rows)
}

func minerText(miner uint64) string {
	if miner == 0 {
		return ""
	}
	return fmt.Sprintf("f0%d", miner)
}

// showRepairs shows how a deal's piece was fetched back.
func showRepairs(out io.Writer, all []httpapi.Repair) error {
	for _, r := range all {
		fmt.Fprintf(out, "\nlost here, and fetched back: %s, %d of %d bytes\n", r.State, r.Got, r.Size)
		var rows [][]string
		for _, s := range r.Steps {
			rows = append(rows, []string{s.At.Format("2006-01-02 15:04:05"), s.State, minerText(s.Miner), s.Words})
		}
		if err := table(out, []string{"at", "step", "sp", "words"}, rows); err != nil {
			return err
		}
	}
	return nil
}
