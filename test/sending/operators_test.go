package sending

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/peers"
	"github.com/tidegate/tidegate/oracle/report"
	"github.com/tidegate/tidegate/oracle/txmgr"
)

// operator is one of several daemons: its own ledger, keys and port.
type operator struct {
	*bench
	name   string
	port   string   // of its Server; kept over restarts
	others []string // ports
	answer func(j job.Job) []byte

	reporter *report.Reporter
	stop     func() // nil while it is down
	told     []report.Disagreement
}

// operators puts n daemons before one chain; all of them must be started.
func operators(t *testing.T, n, k int) []*operator {
	t.Helper()
	var senders, reports []byte
	for i := range n {
		senders, reports = append(senders, byte(10+i)), append(reports, byte(20+i))
	}
	first := newChain(t, senders, reports, uint8(k))
	all := make([]*operator, n)
	for i := range all {
		own := *first
		own.answers, own.landed, own.read, own.maySkip = map[common.Hash]int{}, map[common.Hash]int{}, chain.Block{}, true
		own.txKey, _ = key(t, senders[i])
		own.repKey, _ = key(t, reports[i])
		own.log = first.log.With("at", fmt.Sprintf("operator %d", i))
		own.openLedger()
		all[i] = &operator{bench: &own, name: fmt.Sprintf("operator %d", i), answer: func(job.Job) []byte { return []byte("true") }}
	}
	for _, o := range all {
		// A port of its own for the whole test: taken, noted, given back.
		s, err := peers.NewServer("127.0.0.1:0", o.identity(), nil, slog.New(slog.DiscardHandler))
		must(t, err)
		o.port = s.Addr()
		must(t, s.Close())
	}
	for _, o := range all {
		for _, other := range all {
			if other != o {
				o.others = append(o.others, "https://"+other.port)
			}
		}
	}
	return all
}

func (o *operator) identity() *peers.Identity {
	return peers.NewIdentity(peers.Domain{ChainID: chainID, Provider: o.provider}, o.repKey, time.Now)
}

// start is the operator's daemon coming up.
func (o *operator) start() {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	id := o.identity()
	client, err := peers.NewClient(o.others, id, o.log)
	must(o.t, err)
	sender, err := txmgr.New(txmgr.Config{ChainID: chainID, Owner: "daemon", Poll: 10 * time.Millisecond, MaxInFlight: 4}, txmgr.Deps{
		Ledger: meta{o.ledger}, Signer: o.txKey, Endpoints: []txmgr.Endpoint{txmgr.FromClient("simulated", o.rpc)},
		Decode: txmgr.ABIDecoder(contract.GetABI()), Changed: func() { o.reporter.Wake() }, Log: o.log,
	})
	must(o.t, err)
	o.reporter, err = report.New(report.Config{
		ChainID: chainID, Provider: o.provider, BatchWindow: 50 * time.Millisecond, Poll: 20 * time.Millisecond,
		Takeover: time.Second, SignWithin: 500 * time.Millisecond, AskAgain: 100 * time.Millisecond,
	}, report.Deps{Ledger: o.ledger, Chain: o.eth, Signer: o.repKey, Peers: client, Sender: o.txKey.Address, Queued: sender.Wake, Log: o.log})
	must(o.t, err)
	server, err := peers.NewServer(o.port, id, o.reporter, o.log)
	must(o.t, err)
	var wg sync.WaitGroup
	for _, run := range []func(context.Context) error{sender.Run, o.reporter.Run, server.Run} {
		wg.Go(func() { _ = run(ctx) })
	}
	o.stop = func() {
		cancel()
		wg.Wait()
		client.Close()
		o.told = append(o.told, o.reporter.Status().Disagreements...)
		o.stop = nil
	}
}

// do does every job that is due with this operator's own answer; those without one
// are put off.
func (o *operator) do() {
	o.t.Helper()
	for {
		j, ok, err := o.ledger.Claim(o.t.Context(), job.ClaimRequest{Kind: job.KindUnpin, Owner: "test", Lease: time.Minute, Now: time.Now(), NodeID: "node"})
		must(o.t, err)
		if !ok {
			return
		}
		answer := o.answer(j)
		if answer == nil {
			must(o.t, o.ledger.SnoozeJob(o.t.Context(), j.ID, j.Fence, time.Now().Add(50*time.Millisecond), "not here yet"))
			continue
		}
		_, err = o.ledger.FinishJob(o.t.Context(), j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Answer: answer}, time.Now())
		must(o.t, err)
	}
}

// number is the place of a job's request among those asked.
func number(t *testing.T, j job.Job) int {
	t.Helper()
	u, err := job.Decode[job.Unpin](j.Payload)
	must(t, err)
	return int(u.CID[0])
}

func TestThreeOperatorsOneLiesOneIsDownHalfTheTimeOneLacksAnItem(t *testing.T) {
	all := operators(t, 3, 2)
	liar, sleeper, short := all[0], all[1], all[2]
	const n, missing = 50, 17
	has := false
	liar.answer = func(job.Job) []byte { return []byte("a lie") }
	short.answer = func(j job.Job) []byte {
		if number(t, j) == missing && !has {
			return nil
		}
		return []byte("true")
	}
	short.ask(n)
	for _, o := range all { // everyone has worked before anybody reports
		o.follow()
		o.do()
	}
	for _, o := range all {
		o.start()
	}
	defer func() {
		for _, o := range all {
			if o.stop != nil {
				o.stop()
			}
		}
	}()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	give := time.Now().Add(60 * time.Second)
	for i := 1; len(short.answers) < n; i++ {
		if time.Now().After(give) {
			t.Fatalf("%d of %d answered in time: %s; %+v", len(short.answers), n, short.state(), short.reporter.Status())
		}
		<-ticks.C
		short.sim.Commit()
		for _, o := range all {
			if o.stop != nil {
				o.follow()
				o.do()
			}
		}
		if i%20 == 0 { // the sleeper sleeps half of the time
			if sleeper.stop != nil {
				sleeper.stop()
			} else {
				sleeper.start()
			}
		}
		if len(short.answers) == n-1 {
			has = true
		}
	}
	for _, o := range all {
		if o.stop != nil {
			o.stop()
		}
	}
	short.checkResults(t, n)
	for _, o := range []*operator{sleeper, short} {
		for _, d := range o.told {
			if d.Operator != liar.repKey.Address() {
				t.Errorf("%s reports %s, who is honest", o.name, d.Operator)
			}
		}
	}
	if len(sleeper.told)+len(short.told) == 0 {
		t.Error("the lie was not reported")
	}
}

// checkResults looks at what the contract was told of n requests: all but one in
// one transaction, that one later, each once and truly.
func (o *operator) checkResults(t *testing.T, n int) {
	t.Helper()
	var sizes []int
	for _, size := range o.landed {
		sizes = append(sizes, size)
	}
	slices.Sort(sizes)
	if !slices.Equal(sizes, []int{1, n - 1}) {
		t.Errorf("the answers came in transactions of %v, want %d in one and the missing one later", sizes, n-1)
	}
	for id, times := range o.answers {
		if times != 1 {
			t.Errorf("request %s was answered %d times", id, times)
		}
	}
	requests, err := o.ledger.Requests(t.Context(), chain.RequestFilter{Limit: 1000})
	must(t, err)
	for _, r := range requests {
		if r.State != chain.RequestAnswered || r.Outcome != job.Succeeded {
			t.Errorf("request %s is %s, %s", r.ID, r.State, r.Outcome)
		}
	}
}

func TestIfTheLeaderDoesNotSendTheNextOneDoes(t *testing.T) {
	all := operators(t, 3, 2)
	all[0].ask(3)
	for _, o := range all {
		o.follow()
		o.do()
	}
	// Whoever would lead now stays down; the two others are enough.
	addresses, err := reportOperators(t, all[0])
	must(t, err)
	leader := addresses[int(time.Now().Unix()/3600%3)]
	var up []*operator
	for _, o := range all {
		if o.repKey.Address() != leader {
			o.start()
			up = append(up, o)
		}
	}
	if len(up) != 2 {
		t.Fatalf("%d operators are up", len(up))
	}
	defer up[0].stop()
	defer up[1].stop()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	give := time.Now().Add(30 * time.Second)
	for len(up[0].answers) < 3 {
		if time.Now().After(give) {
			t.Fatalf("not answered: %s; %+v", up[0].state(), up[0].reporter.Status())
		}
		<-ticks.C
		up[0].sim.Commit()
		for _, o := range up {
			o.follow()
			o.do()
		}
	}
}

func reportOperators(t *testing.T, o *operator) ([]common.Address, error) {
	t.Helper()
	r, err := report.New(report.Config{ChainID: chainID, Provider: o.provider},
		report.Deps{Ledger: o.ledger, Chain: o.eth, Signer: o.repKey, Sender: o.txKey.Address})
	if err != nil {
		return nil, err
	}
	return r.Operators(t.Context())
}
