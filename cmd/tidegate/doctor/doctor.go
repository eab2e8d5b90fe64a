// Package doctor says in words what is wrong with a running Tidegate and with the
// endpoints that it reads, and what to do about it. It says nothing when all is well.
//
// It changes nothing, and takes no part in the daemon: it looks at what the daemon
// says of itself, at the ledger, and at each endpoint with its own eyes.
//
// Map:
//
//	doctor.go    Finding, Examine: all that is looked at
//	chain.go     what the chain does
//	endpoint.go  one endpoint: what it answers, against what the ledger knows
package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/watch"
)

// Finding is one thing that is wrong.
type Finding struct {
	Kind   string `json:"kind"` // closed words, for scripts: see the constants of this package and watch's kinds of trouble
	Where  string `json:"where"`
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// Kinds of findings besides watch's kinds of trouble.
const (
	KindDown       = "daemon_down"
	KindFrozen     = "frozen"
	KindBehind     = "behind"
	KindStuck      = "stuck"
	KindLate       = "late_logs"
	KindMissing    = "missing_events"
	KindHoles      = "index_holes"
	KindReceipts   = "receipts_vanish"
	KindDouble     = "double_logs"
	KindNumbers    = "log_index"
	KindSender     = "sender"
	KindUnreadable = "unreadable"
	KindLeader     = "no_leader"
	KindFinality   = "finality_stalled"
	KindNulls      = "null_rounds"
	KindReorg      = "reorg"
	KindStale      = "stale_head"
	KindLimits     = "log_limits"
	KindBlooms     = "full_blooms"
	KindUnmined    = "unmined"
	KindUnanswered = "unanswered"
	KindRepair     = "piece_lost"
	KindDeal       = "deal_alarm"
	KindClaim      = "claim_alarm"
)

// Daemon is what a running daemon says of itself.
type Daemon struct {
	Ready  bool `json:"ready"`
	Sender struct {
		Parked  string    `json:"parked"`
		Waiting string    `json:"waiting"`
		Unmined time.Time `json:"unmined"`
	} `json:"sender"`
	Chain struct {
		Head      uint64                 `json:"head"`
		Cursor    uint64                 `json:"cursor"`
		Frozen    string                 `json:"frozen"`
		Error     string                 `json:"error"`
		LastGood  time.Time              `json:"lastGood"`
		LastLate  time.Time              `json:"lastLate"`
		LateLogs  int                    `json:"lateLogs"`
		Final     uint64                 `json:"final"`
		Unfinal   uint64                 `json:"unfinal"`
		Stalled   bool                   `json:"finalityStalled"`
		Gap       watch.Event            `json:"gap"`
		Reorg     watch.Event            `json:"reorg"`
		Endpoints []watch.EndpointStatus `json:"endpoints"`
		Audit     []audit.Proof          `json:"audit"`
	} `json:"chain"`
	Leaders []Leader `json:"leaders"`
}

// Leader is who led something last, until when.
type Leader struct {
	Name  string    `json:"name"`
	Owner string    `json:"owner"`
	Until time.Time `json:"until"`
}

// recent is how long ago something may have been to be said still.
const recent = 30 * time.Second

// overdue is how long a final request may wait for its answer and not be said.
const overdue = 15 * time.Minute

// Examine looks at everything. daemon is nil where it does not answer, and ask says
// why not.
func Examine(ctx context.Context, cfg config.Config, ledger *store.Store, daemon *Daemon, ask error, now time.Time) []Finding {
	var f findings
	if daemon == nil {
		f.add(KindDown, "the daemon", fmt.Sprintf("does not answer: %v", ask), "start it with tidegate daemon, or give its --api")
	} else {
		f.daemon(daemon, now)
		f.chain(daemon, cfg, now)
	}
	if ledger != nil {
		f.ledger(ctx, ledger)
		f.requests(ctx, ledger, now)
	}
	f.endpoints(ctx, cfg, ledger, now)
	return f.merged()
}

type findings struct{ list []Finding }

func (f *findings) add(kind, where, what, remedy string) {
	f.list = append(f.list, Finding{kind, where, what, remedy})
}

// merged drops what was found twice, by the daemon and by us.
func (f *findings) merged() []Finding {
	var out []Finding
	for _, x := range f.list {
		if !slices.ContainsFunc(out, func(o Finding) bool { return o.Kind == x.Kind && o.Where == x.Where }) {
			out = append(out, x)
		}
	}
	return out
}

// daemon reads what the daemon says of itself.
func (f *findings) daemon(d *Daemon, now time.Time) {
	c := d.Chain
	if c.Frozen != "" {
		f.frozen(c.Frozen)
	}
	if c.Error != "" && now.Sub(c.LastGood) > 10*time.Second {
		f.add(KindStuck, "watching", "nothing is read: "+c.Error, "see the endpoints below; name a second one in chain.rpc")
	}
	if c.Head > c.Cursor && c.Head-c.Cursor > 100 {
		f.add(KindBehind, "watching", fmt.Sprintf("the cursor is at %d, the head at %d", c.Cursor, c.Head), "wait; if the distance does not shrink, use a faster endpoint")
	}
	if now.Sub(c.LastLate) < recent {
		f.add(KindLate, "watching", fmt.Sprintf("an endpoint's first answer lacked logs that a second one had (%d since the start)", c.LateLogs),
			"nothing was lost; an endpoint whose index is complete saves the repetition")
	}
	if s := d.Sender; s.Parked != "" {
		f.add(KindSender, "sending", s.Parked, "find out what else used the key, then run tidegate keys adopt")
	} else if s.Waiting != "" {
		f.add(KindSender, "sending", s.Waiting, "it is tried again by itself; see the reason")
	}
	for _, p := range c.Audit {
		f.proof(p)
	}
	for _, l := range d.Leaders {
		if strings.HasPrefix(l.Name, store.SenderLease) {
			continue // a key may be out of use
		}
		if l.Owner == "" || now.Sub(l.Until) > recent {
			last := l.Owner
			if last == "" {
				last = "one that stopped"
			}
			f.add(KindLeader, l.Name, "no daemon leads it; the last was "+last, "start a daemon whose roles include it: watch, or send to report")
		}
	}
	for _, e := range c.Endpoints {
		for _, t := range e.Troubles {
			if now.Sub(t.Last) < recent {
				f.add(t.Kind, e.Name, fmt.Sprintf("%s (%d times since %s)", t.Detail, t.Count, t.First.Format(time.TimeOnly)), remedy(t.Kind))
			}
		}
	}
}

func (f *findings) frozen(why string) {
	f.add(KindFrozen, "the money lane", "answers and payments are frozen: "+why,
		"compare with another endpoint or an explorer, then run tidegate oracle reorg show")
}

func (f *findings) proof(p audit.Proof) {
	switch {
	case p.Error != "":
		f.add(KindUnreadable, p.Contract.Hex(), "cannot be audited: "+p.Error, "use an endpoint that answers eth_call at the final block")
	case !p.Complete && !p.Uncounted && !p.Joining:
		f.add(KindMissing, p.Contract.Hex(), fmt.Sprintf("%d of %d events are missing", len(p.Missing), p.NextSeq), "run tidegate audit --repair; add an endpoint if that does not help")
	}
}

// remedy says what to do about a kind of trouble with an endpoint.
func remedy(kind string) string {
	switch kind {
	case string(watch.FaultThrottled):
		return "ask less (chain.poll_interval), pay for more, or add an endpoint to chain.rpc"
	case string(watch.FaultTransport):
		return "look at the endpoint and the way to it; add a second one to chain.rpc"
	case string(watch.FaultGarbage):
		return "is the URL that of a JSON-RPC endpoint? If it was and is, tell its operator; others are asked meanwhile"
	case watch.TroubleLagging, watch.TroubleWentBack:
		return "several nodes behind one name, or one that is syncing: nothing is lost, but it answers late; prefer another"
	case watch.TroubleWrongChain:
		return "correct chain.rpc or chain.id"
	case watch.TroubleDisagrees, watch.TroubleHeadFinal:
		return "set chain.quorum to 2 or more, so that one endpoint cannot decide what is final"
	case watch.TroubleUntrue:
		return "others are asked instead; replace it"
	}
	return "see the daemon's log"
}

func (f *findings) ledger(ctx context.Context, ledger *store.Store) {
	cur, has, err := ledger.Cursor(ctx, "provider")
	switch {
	case err != nil:
		f.add(KindUnreadable, "the ledger", err.Error(), "see the message")
	case has && cur.Frozen != "":
		f.frozen(cur.Frozen)
	}
	f.repairs(ctx, ledger)
	f.deals(ctx, ledger)
}

// deals reads the alarms of deals, and of claimed slots that wait for one.
func (f *findings) deals(ctx context.Context, ledger *store.Store) {
	live, err := ledger.Offers(ctx, job.OfferFilter{Live: true, Brief: true})
	if err != nil {
		f.add(KindUnreadable, "the ledger", err.Error(), "see the message")
	}
	for _, o := range live {
		if o.Alarm != "" {
			f.add(KindDeal, fmt.Sprintf("slot %d with f0%d", o.Slot, o.Miner), o.Alarm, "its steps: tidegate deals show "+o.ID+"; what each alarm means: docs/deals.md")
		}
	}
	claims, err := ledger.Claims(ctx, 0, 1000)
	if err != nil {
		f.add(KindUnreadable, "the ledger", err.Error(), "see the message")
	}
	for _, c := range claims {
		if c.Alarm != "" {
			f.add(KindClaim, fmt.Sprintf("slot %d", c.Slot), c.Alarm, "what each claim waits for: tidegate deals claims")
		}
	}
}

// repairs reads what became of pieces that were lost.
func (f *findings) repairs(ctx context.Context, ledger *store.Store) {
	live, err := ledger.Repairs(ctx, job.RepairFilter{Live: true, Limit: 1000})
	if err != nil {
		f.add(KindUnreadable, "the ledger", err.Error(), "see the message")
	}
	for _, r := range live {
		if r.State != job.RepairStuck {
			continue
		}
		f.add(KindRepair, "piece "+r.Piece, fmt.Sprintf("slot %d needs it, it is lost here, and nobody gave it back: %s", r.Slot, r.Words),
			fmt.Sprintf("pin its content from elsewhere and prepare it again, or have a provider that stores it serve it (tidegate sp show); it is tried again at %s", r.DueAt.Format(time.DateTime)))
	}
}

// requests looks at those that are open.
func (f *findings) requests(ctx context.Context, ledger *store.Store, now time.Time) {
	open, err := ledger.Requests(ctx, chain.RequestFilter{State: chain.RequestOpen, Limit: 1000})
	if err != nil {
		f.add(KindUnreadable, "the ledger", err.Error(), "see the message")
		return
	}
	f.unanswered(open, now)
}

// unanswered says which requests are final and have waited long; the newest come first.
func (f *findings) unanswered(open []chain.Request, now time.Time) {
	var late []chain.Request
	for _, r := range open {
		if r.Final && now.Sub(r.CreatedAt) > overdue {
			late = append(late, r)
		}
	}
	if len(late) == 0 {
		return
	}
	oldest := late[len(late)-1]
	what := fmt.Sprintf("%d are final and not answered; the oldest is %s (action %d), due by %s", len(late), oldest.ID, oldest.Action, oldest.Deadline.UTC().Format(time.RFC3339))
	if now.After(oldest.Deadline) {
		what += ", which is past: anyone may refund it"
	}
	f.add(KindUnanswered, "requests", what, "see tidegate jobs ls for what their jobs say, and whether some daemon's settings have the kind (kinds); with several operators, whether enough of them agree")
}

// latest gives the newest requests whose events are final.
func latest(ctx context.Context, ledger *store.Store, n int) []chain.Request {
	all, err := ledger.Requests(ctx, chain.RequestFilter{Limit: 100})
	if err != nil {
		return nil
	}
	var out []chain.Request
	for _, r := range all {
		if r.Final && len(out) < n {
			out = append(out, r)
		}
	}
	return out
}

// Words gives findings for people, one paragraph each.
func Words(list []Finding) string {
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "%s: %s\n    %s\n", f.Where, f.What, f.Remedy)
	}
	return b.String()
}
