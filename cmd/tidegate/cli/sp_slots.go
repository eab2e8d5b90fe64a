package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/cmd/tidegate/daemon"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/market"
)

func spSlots(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() || c.Int("limit") < 0 {
		return usage("sp slots takes no arguments, and a limit of 0 or more")
	}
	var miner uint64
	if text := c.String("miner"); text != "" {
		var err error
		if miner, err = minerID(text); err != nil {
			return err
		}
	}
	list, done, err := slotLister(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	shown := []httpapi.OpenSlot{}
	limit, head := c.Int("limit"), uint64(0)
	for after, more := uint64(0), true; more; {
		page, err := list(ctx, after, 1000)
		if err != nil {
			return err
		}
		head = page.Head
		for _, s := range page.Items {
			if c.Bool("verified") && !s.Verified || miner != 0 && s.Incumbent != 0 && s.Incumbent != miner {
				continue
			}
			if s.Extend != nil && miner != 0 && s.Extend.Miner != miner {
				s.Extend = nil
			}
			if shown = append(shown, s); len(shown) == limit {
				page.Next = ""
				break
			}
		}
		if page.Next == "" {
			break
		}
		next, err := strconv.ParseUint(page.Next, 10, 64)
		if err != nil || next <= after {
			return fmt.Errorf("the list does not go on: after %d comes %q", after, page.Next)
		}
		after = next
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, httpapi.SlotPage{Head: head, Items: shown})
	}
	return slotTable(c.Root().Writer, head, shown)
}

type listSlots func(ctx context.Context, after uint64, limit int) (httpapi.SlotPage, error)

// slotLister reads from where the flags say.
func slotLister(ctx context.Context, c *cli.Command) (listSlots, func(), error) {
	switch from, rpc := c.String("url"), c.String("rpc"); {
	case from != "" && c.IsSet("url") && c.IsSet("rpc") && rpc != os.Getenv("TIDEGATE_RPC"): // a flag goes before a variable
		return nil, nil, usage("--url and --rpc are alternatives: give one of them")
	case from != "" && (rpc == "" || c.IsSet("url")):
		base, err := url.Parse(from)
		if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
			return nil, nil, usage("--url %q is not the http(s) URL of a daemon's public port", from)
		}
		return func(ctx context.Context, after uint64, limit int) (httpapi.SlotPage, error) {
			return fetchSlots(ctx, base, after, limit)
		}, func() {}, nil
	case rpc == "":
		return nil, nil, usage("where from? Give a daemon's public port with --url, or the chain with --rpc and the contract with --storage")
	}
	client, chain, err := dialChain(ctx, c.String("rpc"))
	if err != nil {
		return nil, nil, err
	}
	storage, err := storageAt(c, client, chain)
	if err != nil {
		client.Close()
		return nil, nil, err
	}
	pools, err := poolsAt(c, chain)
	if err != nil && c.String("pools") != "" {
		client.Close()
		return nil, nil, err
	}
	return daemon.Claimable{Slots: market.NewSlots(storage.WithPools(pools), time.Hour, nil)}.OpenSlots, client.Close, nil
}

// fetchSlots reads a page from a daemon.
func fetchSlots(ctx context.Context, base *url.URL, after uint64, limit int) (httpapi.SlotPage, error) {
	at := base.JoinPath("slots")
	at.RawQuery = url.Values{"after": {strconv.FormatUint(after, 10)}, "limit": {strconv.Itoa(limit)}}.Encode()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return httpapi.SlotPage{}, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return httpapi.SlotPage{}, fmt.Errorf("no daemon's public port answers at %s: %w", config.Redact(base.String()), err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	if err != nil {
		return httpapi.SlotPage{}, fmt.Errorf("reading %s: %w", config.Redact(at.String()), err)
	}
	if res.StatusCode != http.StatusOK {
		var p httpapi.Problem
		if json.Unmarshal(body, &p) != nil || p.Title == "" {
			p.Title = res.Status
		}
		if res.StatusCode == http.StatusNotFound {
			p.Title = "it lists no slots (its chain.storage is not set?)"
		}
		return httpapi.SlotPage{}, fmt.Errorf("%s: %s", config.Redact(base.String()), p.Title)
	}
	var page httpapi.SlotPage
	if err := json.Unmarshal(body, &page); err != nil {
		return httpapi.SlotPage{}, fmt.Errorf("%s is no list of slots: %w", config.Redact(at.String()), err)
	}
	return page, nil
}

func slotTable(w io.Writer, head uint64, slots []httpapi.OpenSlot) error {
	if len(slots) == 0 {
		_, err := fmt.Fprintf(w, "No slot can be claimed at epoch %d.\n", head)
		return err
	}
	var rows [][]string
	for _, s := range slots {
		who := "anyone"
		if s.Incumbent != 0 {
			who = fmt.Sprintf("f0%d", s.Incumbent)
		}
		data := ""
		if s.Verified {
			data = "yes"
		}
		rows = append(rows, []string{
			s.ID, strconv.FormatUint(s.Deal, 10), bytesText(s.Padded), days(s.Term), filOf(s.Obligation), filOf(s.Bounty), filOf(s.Bond),
			days(s.SealWindow), data, s.Money, who, s.Piece,
		})
	}
	if err := table(w, []string{"slot", "deal", "size", "term", "pays", "of it bounty", "bond", "seal within", "datacap", "money", "who", "piece"}, rows); err != nil {
		return err
	}
	for _, s := range slots {
		if e := s.Extend; e != nil {
			fmt.Fprintf(w, "f0%d may have slot %s without sealing anew, before epoch %d: tidegate sp renew %s (its sector %d committed until epoch %d; bond %s)\n",
				e.Miner, s.ID, e.Before, e.Slot, e.Sector, e.Until, filOf(e.Bond))
		}
	}
	_, err := fmt.Fprintf(w, "%d slots at epoch %d. Claim one: tidegate sp claim SLOT --miner f0…\n", len(slots), head)
	return err
}

// filOf gives attoFIL in decimal text as FIL.
func filOf(atto string) string {
	n, ok := new(big.Int).SetString(atto, 10)
	if !ok || n.Sign() < 0 || strings.HasPrefix(atto, "+") {
		return atto
	}
	return filText(n)
}
