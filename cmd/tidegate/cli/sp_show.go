package cli

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/job"
)

// spRank lists providers as the daemon scores them.
func spRank(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got page[job.ProviderScore]
	if err := cl.get(ctx, "/providers", nil, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]job.ProviderScore{}, got.Items...))
	}
	var rows [][]string
	for _, s := range got.Items {
		rows = append(rows, scoreRow(s))
	}
	if len(rows) == 0 {
		fmt.Fprintln(c.Root().ErrWriter, "No provider is known: name some in deals.providers, or have them enter themselves (tidegate sp register); deals.enabled must be on.")
	}
	return table(c.Root().Writer, scoreHead, rows)
}

var scoreHead = []string{"sp", "score", "accepted", "sealed", "kept", "served", "hours", "first byte", "pending", "deals", "note"}

func scoreRow(s job.ProviderScore) []string {
	hours, firstByte := "-", "-" // nobody knows yet
	if s.Hours > 0 {
		hours = decimals(s.Hours, 1)
	}
	if s.FirstByte > 0 {
		firstByte = decimals(s.FirstByte, 2) + "s"
	}
	if s.Score == 0 { // it was not scored: it claimed the slot
		return []string{fmt.Sprintf("f0%d", s.Miner), "-", "-", "-", "-", "-", hours, firstByte, strconv.Itoa(s.Pending), strconv.Itoa(s.Deals), s.Why}
	}
	return []string{
		fmt.Sprintf("f0%d", s.Miner), decimals(s.Score, 4), decimals(s.Accepted, 2), decimals(s.Sealed, 2), decimals(s.Kept, 2), decimals(s.Served, 2),
		hours, firstByte, strconv.Itoa(s.Pending), strconv.Itoa(s.Deals), s.Why,
	}
}

// spShow shows one provider: what its score is made of, and when it was thought of.
func spShow(ctx context.Context, c *cli.Command) error {
	if c.NArg() != 1 {
		return usage("name one storage provider, f01004: see tidegate sp rank")
	}
	miner, err := minerID(c.Args().First())
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var d job.ProviderDetail
	if err := cl.get(ctx, "/providers/"+strconv.FormatUint(miner, 10), nil, &d); err != nil {
		return err
	}
	out := c.Root().Writer
	if c.Bool("json") {
		return printJSON(out, d)
	}
	if err := table(out, scoreHead, [][]string{scoreRow(d.Score)}); err != nil {
		return err
	}
	fmt.Fprintln(out)
	if err := pairs(out, "market", d.Market, "pieces", d.Retrieval, "libp2p", strings.Join(d.Addrs, " "), "pieces from", epochText(d.MinPiece), "to", epochText(d.MaxPiece),
		"asks for", epochText(d.MinRate), "owner", epochText(d.Owner), "organisation", epochText(d.Organisation)); err != nil {
		return err
	}
	for _, part := range []func(io.Writer, job.ProviderDetail) error{showInputs, showSamples, showChoices} {
		fmt.Fprintln(out)
		if err := part(out, d); err != nil {
			return err
		}
	}
	return nil
}

const shownTime = "2006-01-02 15:04:05"

func showInputs(out io.Writer, d job.ProviderDetail) error {
	fmt.Fprintln(out, "what the score is made of, newest first")
	var rows [][]string
	for _, in := range d.Inputs {
		rows = append(rows, []string{in.At.Format(shownTime), in.Rate, decimals(in.Good, 2), decimals(in.All, 0), decimals(in.Weight, 2), in.Of, in.Words})
	}
	return table(out, []string{"at", "rate", "good", "of", "weight", "from", "words"}, rows)
}

func showSamples(out io.Writer, d job.ProviderDetail) error {
	fmt.Fprintln(out, "ranges of its pieces that were asked for, newest first")
	var rows [][]string
	for _, s := range d.Samples {
		came := "right"
		if !s.Good {
			came = s.Words
		}
		rows = append(rows, []string{s.At.Format(shownTime), strconv.FormatUint(s.Slot, 10), fmt.Sprintf("%d+%d", s.Offset, s.Length), s.FirstByte.Round(time.Millisecond).String(), came})
	}
	return table(out, []string{"at", "slot", "range", "first byte", "came"}, rows)
}

func showChoices(out io.Writer, d job.ProviderDetail) error {
	fmt.Fprintln(out, "slots for which it was thought of, newest first")
	var rows [][]string
	for _, ch := range d.Choices {
		came := "another was chosen"
		switch {
		case ch.Chosen:
			came = "chosen"
		case ch.Score.Why != "":
			came = ch.Score.Why
		}
		rows = append(rows, []string{ch.At.Format(shownTime), strconv.FormatUint(ch.Slot, 10), fmt.Sprintf("%d of %d", ch.Place, ch.Of), decimals(ch.Score.Score, 4), came, ch.Deal})
	}
	return table(out, []string{"at", "slot", "place", "score", "came", "deal"}, rows)
}
