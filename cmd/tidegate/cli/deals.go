package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/job"
)

func dealsCommand() *cli.Command {
	return &cli.Command{
		Name: "deals", Usage: "order deals and change them; ask whether they are stored; see those that the daemon makes with storage providers",
		Description: "A client's commands (order, look, fund, change, suspend, resume, cancel, vouch, surplus, withdraw, status) speak to the contracts; ls, show and stats ask\n" +
			"the daemon. In ls each line is one proposal of a slot of perpetual storage to one provider. Up to `sealing` a state is the provider's word;\n" +
			"`published`, `active` and what follows are the contract's, read at final blocks. Switched on by deals.enabled.",
		Commands: append([]*cli.Command{
			{
				Name: "ls", Usage: "list deals, newest first",
				Flags: clientFlags(
					&cli.StringFlag{Name: "state", Usage: "only this state (proposing, accepted, transferring, sealing, published, active, ended, failed)"},
					&cli.StringFlag{Name: "slot", Usage: "only of this slot"},
					&cli.StringFlag{Name: "sp", Usage: "only with this miner, 1004 or f01004"},
					&cli.BoolFlag{Name: "live", Usage: "only such as are not over"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "most rows"},
				),
				Action: dealsList,
			},
			{
				Name: "show", Usage: "show one deal: its steps, what Filecoin says of it now, and why its provider was chosen", ArgsUsage: "ID",
				Flags: clientFlags(), Action: dealsShow,
			},
			{
				Name: "repairs", Usage: "list the pieces that slots needed, that were lost here, and that are fetched back from providers; newest first",
				Description: "`stuck` needs a person: nobody that is proven to store the piece gave it, or there is no room. It is tried again by itself, more\n" +
					"and more rarely. `tidegate deals show ID`, of any deal of the piece, has each step.",
				Flags: clientFlags(
					&cli.BoolFlag{Name: "live", Usage: "only such as are not over"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "most rows"},
				),
				Action: dealsRepairs,
			},
			{
				Name: "claims", Usage: "list the slots that providers have claimed, and what each still waits for",
				Description: "Who claims a slot is handed its deal. What stands in the way for now (the piece is not prepared, the provider refuses or is not known) is\n" +
					"looked at again, ever more rarely, until nobody could seal it in time any more; what is marked ! is to be seen to by then.",
				Flags: clientFlags(), Action: dealsClaims,
			},
			{
				Name: "stats", Usage: "count deals: attempted, accepted, active, failed and why, time to active",
				Description: "Each proposal counts on the day or in the week (UTC, ISO) in which it was made. `active` are those that ever were; hours are from the\n" +
					"proposal to the first time that the contract had it active: the mean, and the most.",
				Flags: clientFlags(
					&cli.StringFlag{Name: "by", Value: "day", Usage: "`day`, week or sp"},
					&cli.IntFlag{Name: "days", Value: 30, Usage: "how far back"},
				),
				Action: dealsStats,
			},
			dealsStatusCommand(),
		}, clientCommands()...),
	}
}

func dealsList(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Int("limit"))}}
	for _, name := range []string{"state", "slot"} {
		if v := c.String(name); v != "" {
			query.Set(name, v)
		}
	}
	if v := c.String("sp"); v != "" {
		query.Set("sp", strings.TrimPrefix(strings.TrimPrefix(v, "f0"), "t0"))
	}
	if c.Bool("live") {
		query.Set("live", "true")
	}
	var got page[httpapi.Deal]
	if err := cl.get(ctx, "/deals", query, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]httpapi.Deal{}, got.Items...))
	}
	var rows [][]string
	for _, d := range got.Items {
		rows = append(rows, []string{d.ID, strconv.FormatUint(d.DealID, 10), d.Slot, fmt.Sprintf("f0%d", d.Miner), d.Protocol, stateWords(d), epochText(d.End), noteOf(d)})
	}
	return table(c.Root().Writer, []string{"id", "deal", "slot", "sp", "protocol", "state", "end", "note"}, rows)
}

func stateWords(d httpapi.Deal) string {
	if d.Faulty {
		return d.State + " (faulty)"
	}
	return d.State
}

func noteOf(d httpapi.Deal) string {
	if d.Alarm != "" {
		return "! " + d.Alarm
	}
	return d.Reason
}

func epochText(e uint64) string {
	if e == 0 {
		return ""
	}
	return strconv.FormatUint(e, 10)
}

func numberText(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}

func dealsShow(ctx context.Context, c *cli.Command) error {
	if c.NArg() != 1 {
		return errors.New("name one deal by its id: see tidegate deals ls")
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var d httpapi.DealDetail
	if err := cl.get(ctx, "/deals/"+url.PathEscape(c.Args().First()), nil, &d); err != nil {
		return err
	}
	out := c.Root().Writer
	if c.Bool("json") {
		return printJSON(out, d)
	}
	if err := pairs(out, "id", d.ID, "deal", strconv.FormatUint(d.DealID, 10), "slot", d.Slot, "provider", fmt.Sprintf("f0%d", d.Miner), "protocol", d.Protocol,
		"piece", d.Piece, "state", stateWords(d.Deal), "reason", d.Reason, "alarm", d.Alarm, "f05 deal", numberText(d.Evidence), "sector", numberText(d.Sector),
		"paid from", epochText(d.Start), "until", epochText(d.End), dueWords(d.Deal), epochText(d.Deadline), "times sent", strconv.Itoa(d.Attempts),
		"on chain", chainWords(d.Chain)); err != nil {
		return err
	}
	fmt.Fprintln(out)
	var rows [][]string
	for _, s := range d.Steps {
		rows = append(rows, []string{s.At.Format("2006-01-02 15:04:05"), s.State, s.Words})
	}
	if err := table(out, []string{"at", "step", "words"}, rows); err != nil {
		return err
	}
	if err := showRepairs(out, d.Repairs); err != nil {
		return err
	}
	return showChoice(out, d.Choice)
}

// dueWords names what an offer's deadline is for.
func dueWords(d httpapi.Deal) string {
	switch job.OfferState(d.State) {
	case job.OfferPublished, job.OfferActive, job.OfferEnded:
		return "active by"
	}
	return "on chain by"
}

func chainWords(c *job.OnChain) string {
	if c == nil {
		return ""
	}
	return fmt.Sprintf("%s, at epoch %d: %s", c.Status, c.Epoch, c.Words)
}

// showChoice shows the providers that were thought of, as they stood then.
func showChoice(out io.Writer, choice json.RawMessage) error {
	var among []job.ProviderScore
	if err := json.Unmarshal(choice, &among); err != nil || len(among) == 0 {
		return err
	}
	fmt.Fprintln(out, "\nchosen among, as they stood then")
	var rows [][]string
	for _, s := range among {
		rows = append(rows, scoreRow(s))
	}
	return table(out, scoreHead, rows)
}

// dealsClaims lists claimed slots.
func dealsClaims(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got page[httpapi.Claim]
	if err := cl.get(ctx, "/deals/claims", nil, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]httpapi.Claim{}, got.Items...))
	}
	var rows [][]string
	for _, d := range got.Items {
		note := d.Why
		if d.Alarm != "" {
			note = "! " + d.Alarm
		}
		rows = append(rows, []string{d.Slot, strconv.FormatUint(d.DealID, 10), fmt.Sprintf("f0%d", d.Miner), epochText(d.Deadline), epochText(d.Next), note})
	}
	return table(c.Root().Writer, []string{"slot", "deal", "sp", "seal by", "next look", "waits for"}, rows)
}

// dealsStats counts deals.
func dealsStats(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got page[job.DealStats]
	if err := cl.get(ctx, "/deals/stats", url.Values{"by": {c.String("by")}, "days": {strconv.Itoa(c.Int("days"))}}, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]job.DealStats{}, got.Items...))
	}
	var rows [][]string
	for _, s := range got.Items {
		var reasons []string
		for _, kind := range slices.Sorted(maps.Keys(s.Reasons)) {
			reasons = append(reasons, fmt.Sprintf("%s %d", kind, s.Reasons[kind]))
		}
		rows = append(rows, []string{
			s.Key, strconv.Itoa(s.Attempted), strconv.Itoa(s.Accepted), strconv.Itoa(s.Pending), strconv.Itoa(s.Active), strconv.Itoa(s.Ended), strconv.Itoa(s.Failed),
			decimals(s.Hours, 1), decimals(s.MostHours, 1), strings.Join(reasons, ", "),
		})
	}
	return table(c.Root().Writer, []string{c.String("by"), "attempted", "accepted", "pending", "active", "ended", "failed", "hours", "most", "failures"}, rows)
}

func decimals(v float64, n int) string { return strconv.FormatFloat(v, 'f', n, 64) }
