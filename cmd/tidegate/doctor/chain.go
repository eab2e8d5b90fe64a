package doctor

import (
	"fmt"
	"time"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/oracle/watch"
)

// while is how long what the chain did is said, unless it goes on and it is no news before:
// some chains stand still.
const while = 2 * time.Minute

// chain says what the daemon sees the chain do.
func (f *findings) chain(d *Daemon, cfg config.Config, now time.Time) {
	c := d.Chain
	if c.Stalled {
		f.add(KindFinality, "the chain", fmt.Sprintf("block %d is the newest final one, and the chain has gone on for %d heights since: answers and payments wait", c.Final, c.Unfinal),
			"compare with another endpoint; if they agree, wait: F3 stands still, or the chain is split")
	}
	lasts := func(e watch.Event, end uint64) bool {
		return e.Heights > 0 && c.Head < end+watch.News && now.Sub(e.Seen) < while
	}
	if lasts(c.Gap, c.Gap.Before) {
		f.add(KindNulls, "the chain", fmt.Sprintf("there was no block for %d heights before %d", c.Gap.Heights, c.Gap.Before),
			"nothing is lost; requests and answers take longer while blocks are few")
	}
	if lasts(c.Reorg, c.Reorg.Before+c.Reorg.Heights) { // a deep one begins long before it is seen
		f.add(KindReorg, "the chain", fmt.Sprintf("it replaced its newest %d heights, from %d on", c.Reorg.Heights, c.Reorg.Before),
			"nothing is lost; if it happens often, raise chain.soft_depth")
	}
	if at, patience := d.Sender.Unmined, cfg.Tx.ReplaceAfter.D(); !at.IsZero() && patience > 0 && now.Sub(at) > patience {
		f.add(KindUnmined, "sending", fmt.Sprintf("a transaction is in no block since %s", at.Format(time.TimeOnly)),
			"it is sent again, with more premium, by itself; if it lasts, look at the endpoints' pools and at tx.max_fee_gwei")
	}
}
