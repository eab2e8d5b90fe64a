package doctor

import (
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/watch"
)

func kinds(list []Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Kind)
		if f.What == "" || f.Where == "" || f.Remedy == "" {
			out = append(out, "a finding without words")
		}
	}
	return out
}

// A piece that is lost and that nobody gives back is for a person; one on its way is not.
func TestWhatTheLedgerSaysOfLostPieces(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ledger, err := store.Open(t.Context(), store.Config{Path: ":memory:"})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	if err := ledger.AddRepair(t.Context(), job.Repair{Piece: "baga", Deal: 1, Slot: 1 << 24, Size: 9, DueAt: now}, now); err != nil {
		t.Fatal(err)
	}
	var f findings
	if f.ledger(t.Context(), ledger); len(f.list) != 0 {
		t.Errorf("of one on its way: %+v", f.list)
	}
	all, err := ledger.Repairs(t.Context(), job.RepairFilter{Live: true})
	if err != nil {
		t.Fatal(err)
	}
	r := all[0]
	r.State, r.Words = job.RepairStuck, "f01004: 404"
	if err := ledger.UpdateRepair(t.Context(), r, job.RepairWanted, r.Words, now); err != nil {
		t.Fatal(err)
	}
	if f.ledger(t.Context(), ledger); !slices.Equal(kinds(f.list), []string{KindRepair}) || !strings.Contains(Words(f.list), "f01004: 404") {
		t.Errorf("%+v", f.list)
	}
}

// A live deal with an alarm is for a person, and a claim; a deal that is over, or well, is not.
func TestWhatTheLedgerSaysOfDeals(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	ledger, err := store.Open(t.Context(), store.Config{Path: ":memory:"})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	for i, o := range []job.Offer{
		{Alarm: "deal 1 has too little", State: job.OfferActive}, {State: job.OfferActive}, {Alarm: "over", State: job.OfferFailed, Reason: "lost"},
	} {
		id := fmt.Sprint("offer-", i)
		o.ID, o.Slot, o.Miner, o.Protocol = id, uint64(i+1)<<24, 1004, job.ProtocolMK12
		state, alarm, reason := o.State, o.Alarm, o.Reason
		o.State, o.Alarm, o.Reason = job.OfferProposing, "", ""
		if err := ledger.AddOffer(t.Context(), o, now); err != nil {
			t.Fatal(err)
		}
		o.State, o.Alarm, o.Reason, o.Start, o.End = state, alarm, reason, 10, 20
		if err := ledger.UpdateOffer(t.Context(), o, job.OfferProposing, "", now); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []job.Claim{{Slot: 9 << 24, Miner: 1004, Alarm: "has no deal yet"}, {Slot: 10 << 24, Miner: 1004}} {
		if err := ledger.PutClaim(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	var f findings
	f.ledger(t.Context(), ledger)
	if words := Words(f.list); !slices.Equal(kinds(f.list), []string{KindDeal, KindClaim}) || !strings.Contains(words, "deal 1 has too little") || !strings.Contains(words, "deals show offer-0") {
		t.Errorf("%+v", f.list)
	}
}

// What the daemon says of itself becomes findings, while it lasts.
func TestWhatTheDaemonSays(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	well := func() *Daemon {
		d := &Daemon{Ready: true}
		d.Chain.Head, d.Chain.Cursor, d.Chain.LastGood = 50, 50, now
		d.Chain.Audit = []audit.Proof{{Complete: true}}
		return d
	}
	cfg := config.Config{}
	cfg.Tx.ReplaceAfter = config.Duration(time.Minute)
	for name, c := range map[string]struct {
		edit func(*Daemon)
		want string
	}{
		"all is well":           {func(*Daemon) {}, ""},
		"frozen":                {func(d *Daemon) { d.Chain.Frozen = "x" }, KindFrozen},
		"behind":                {func(d *Daemon) { d.Chain.Head = 500 }, KindBehind},
		"stuck":                 {func(d *Daemon) { d.Chain.Error, d.Chain.LastGood = "no", now.Add(-time.Minute) }, KindStuck},
		"an error of a moment":  {func(d *Daemon) { d.Chain.Error, d.Chain.LastGood = "no", now.Add(-time.Second) }, ""},
		"late logs":             {func(d *Daemon) { d.Chain.LastLate = now.Add(-time.Second) }, KindLate},
		"late logs, long ago":   {func(d *Daemon) { d.Chain.LastLate = now.Add(-time.Hour) }, ""},
		"parked":                {func(d *Daemon) { d.Sender.Parked = "x" }, KindSender},
		"waiting":               {func(d *Daemon) { d.Sender.Waiting = "x" }, KindSender},
		"missing":               {func(d *Daemon) { d.Chain.Audit = []audit.Proof{{NextSeq: 3, Missing: []int64{1}}} }, KindMissing},
		"uncounted":             {func(d *Daemon) { d.Chain.Audit = []audit.Proof{{Uncounted: true}} }, ""},
		"no audit":              {func(d *Daemon) { d.Chain.Audit = []audit.Proof{{Error: "x"}} }, KindUnreadable},
		"a leader":              {func(d *Daemon) { d.Leaders = []Leader{{Name: "watch", Owner: "a/1", Until: now.Add(-time.Second)}} }, ""},
		"no leader":             {func(d *Daemon) { d.Leaders = []Leader{{Name: "watch", Owner: "a/1", Until: now.Add(-time.Minute)}} }, KindLeader},
		"a leader that stopped": {func(d *Daemon) { d.Leaders = []Leader{{Name: "report"}} }, KindLeader},
		"a key out of use":      {func(d *Daemon) { d.Leaders = []Leader{{Name: "sender 0x01"}} }, ""},
		"finality stands still": {func(d *Daemon) { d.Chain.Stalled, d.Chain.Unfinal = true, 60 }, KindFinality},
		"null rounds":           {func(d *Daemon) { d.Chain.Gap = watch.Event{Heights: 9, Before: 45, Seen: now} }, KindNulls},
		"null rounds, long ago": {func(d *Daemon) { d.Chain.Gap = watch.Event{Heights: 9, Before: 45, Seen: now.Add(-time.Hour)} }, ""},
		"null rounds, far behind": {func(d *Daemon) {
			d.Chain.Head, d.Chain.Cursor, d.Chain.Gap = 99, 99, watch.Event{Heights: 9, Before: 45, Seen: now}
		}, ""},
		"a reorg": {func(d *Daemon) { d.Chain.Reorg = watch.Event{Heights: 5, Before: 45, Seen: now} }, KindReorg},
		"a deep reorg": {func(d *Daemon) {
			d.Chain.Head, d.Chain.Cursor, d.Chain.Reorg = 200, 200, watch.Event{Heights: 100, Before: 100, Seen: now}
		}, KindReorg},
		"a deep reorg, far behind": {func(d *Daemon) {
			d.Chain.Head, d.Chain.Cursor, d.Chain.Reorg = 250, 250, watch.Event{Heights: 100, Before: 100, Seen: now}
		}, ""},
		"a reorg, long ago": {func(d *Daemon) { d.Chain.Reorg = watch.Event{Heights: 5, Before: 45, Seen: now.Add(-time.Hour)} }, ""},
		"in no block":       {func(d *Daemon) { d.Sender.Unmined = now.Add(-time.Hour) }, KindUnmined},
		"in no block yet":   {func(d *Daemon) { d.Sender.Unmined = now.Add(-time.Second) }, ""},
		"trouble": {func(d *Daemon) {
			d.Chain.Endpoints = []watch.EndpointStatus{{Name: "e", Troubles: []watch.Trouble{{Kind: watch.TroubleLagging, Detail: "x", Last: now}}}}
		}, watch.TroubleLagging},
		"trouble, long ago": {func(d *Daemon) {
			d.Chain.Endpoints = []watch.EndpointStatus{{Name: "e", Troubles: []watch.Trouble{{Kind: watch.TroubleLagging, Detail: "x", Last: now.Add(-time.Hour)}}}}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			d := well()
			c.edit(d)
			got := kinds(Examine(t.Context(), cfg, nil, d, nil, now))
			var want []string
			if c.want != "" {
				want = []string{c.want}
			}
			if !slices.Equal(got, want) {
				t.Errorf("says %v, want %v", got, want)
			}
		})
	}
}

// Requests that are final and wait are said once, with the oldest of them.
func TestRequestsThatNobodyAnswers(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	request := func(n byte, age time.Duration, final bool, left time.Duration) chain.Request {
		return chain.Request{ID: [32]byte{n}, Action: 5, Final: final, CreatedAt: now.Add(-age), Deadline: now.Add(left)}
	}
	for name, c := range map[string]struct {
		open        []chain.Request
		want, never string
	}{
		"none":                {nil, "", ""},
		"young or not final":  {[]chain.Request{request(1, time.Minute, true, time.Hour), request(2, time.Hour, false, time.Hour)}, "", ""},
		"two":                 {[]chain.Request{request(3, 20*time.Minute, true, time.Hour), request(2, time.Hour, true, time.Hour)}, "2 are final and not answered; the oldest is 0x02", "refund"},
		"past their deadline": {[]chain.Request{request(4, time.Hour, true, -time.Second)}, "which is past: anyone may refund it", "0x02"},
	} {
		t.Run(name, func(t *testing.T) {
			var f findings
			f.unanswered(c.open, now)
			if c.want == "" {
				if len(f.list) != 0 {
					t.Errorf("found %+v", f.list)
				}
				return
			}
			if len(f.list) != 1 || f.list[0].Kind != KindUnanswered || !strings.Contains(f.list[0].What, c.want) || strings.Contains(f.list[0].What, c.never) {
				t.Errorf("found %+v, want %q", f.list, c.want)
			}
			if got := kinds(f.list); len(got) != 1 {
				t.Errorf("kinds %v", got)
			}
		})
	}
}

func TestADaemonAndAnEndpointThatAreDown(t *testing.T) {
	srv := httptest.NewServer(nil)
	srv.Close()
	cfg := config.Devnet()
	cfg.Chain.RPC = []string{srv.URL}
	found := Examine(t.Context(), cfg, nil, nil, errors.New("refused"), time.Now())
	if got := kinds(found); !slices.Equal(got, []string{KindDown, string(watch.FaultTransport)}) {
		t.Errorf("says %v", got)
	}
	if text := Words(found); !strings.Contains(text, "start it with tidegate daemon") || !strings.Contains(text, srv.URL) {
		t.Errorf("in words: %s", text)
	}
}
