package store_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

// block is the one that benchBatch means.
func blockOf(h int) chain.Block {
	return chain.Block{Height: uint64(h), Hash: crypto.Keccak256Hash(fmt.Appendf(nil, "block %d", h)), Parent: crypto.Keccak256Hash(fmt.Appendf(nil, "block %d", h-1))}
}

// answeredAndFinal is a ledger in which twelve requests in six blocks are final, six
// of them answered in the seventh, and the money lane frozen.
func answeredAndFinal(t *testing.T, s *store.Store, now time.Time) (chain.Batch, map[common.Hash]bool) {
	t.Helper()
	ctx := t.Context()
	b := benchBatch(0, 12)
	b.UndoAt = now.Add(time.Minute)
	for h := 1; h <= 6; h++ {
		b.Blocks = append(b.Blocks, blockOf(h))
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.CommitBatch(ctx, b)
	must(err)
	for range 6 {
		j, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: job.KindPin, Owner: "w", Lease: time.Hour, Now: now})
		must(err)
		if !ok {
			t.Fatal("no job")
		}
		_, err = s.FinishJob(ctx, j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node"}, now)
		must(err)
	}
	answered := map[common.Hash]bool{}
	var closings []chain.Closing
	for i, r := range b.Requests {
		j, err := s.JobByKey(ctx, job.RequestKey(r.Chain, r.Provider.Hex(), r.ID.Hex(), r.Action))
		must(err)
		if j.State != job.Done {
			continue
		}
		answered[r.ID] = true
		closings = append(closings, chain.Closing{Request: r.ID, State: chain.RequestAnswered, Outcome: job.Succeeded,
			Log: chain.Log{Height: 7, Block: blockOf(7).Hash, Index: uint(i), Tx: common.Hash{9}}})
	}
	_, err = s.CommitBatch(ctx, chain.Batch{Update: chain.Update{Filter: "bench", From: 7, To: 7, Blocks: []chain.Block{blockOf(7)}, Final: blockOf(7), Head: blockOf(7)},
		Closings: closings, Now: now, UndoAt: now})
	must(err)
	must(s.Freeze(ctx, "bench", blockOf(7), "test"))
	return b, answered
}

// The chain changes above block three.
func TestAcceptingADeepReorg(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx, now := t.Context(), time.Unix(1_700_000_100, 0)
	b, answered := answeredAndFinal(t, s, now)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.AcceptReorg(ctx, chain.Block{Height: 3, Hash: common.Hash{1}}, now, now); !errors.Is(err, job.ErrConflict) {
		t.Fatalf("an ancestor that the ledger does not have: %v", err)
	}
	before, _, err := s.Cursor(ctx, "bench")
	must(err)
	got, err := s.AcceptReorg(ctx, blockOf(3), now, now)
	must(err)
	// a step that was under way when the reorg was accepted goes by what is no longer so
	if _, err := s.CommitBatch(ctx, chain.Batch{Update: chain.Update{Filter: "bench", After: &before, From: 1, Final: blockOf(7), Head: blockOf(7)}, Now: now}); !errors.Is(err, job.ErrConflict) {
		t.Errorf("a step of before: %v", err)
	}
	if want := (store.Accepted{Logs: 6, Requests: 6, Reopened: 0}); got.Logs != want.Logs || got.Requests != want.Requests {
		t.Fatalf("took back %+v", got)
	}
	cur, _, err := s.Cursor(ctx, "bench")
	must(err)
	if cur.Height != 3 || cur.Final != 3 || cur.Hash != blockOf(3).Hash || cur.FinalHash != blockOf(3).Hash || cur.Frozen != "" {
		t.Fatalf("cursor %+v", cur)
	}
	// who saw the old final block go while the reorg was accepted freezes nothing
	if err := s.Freeze(ctx, "bench", blockOf(7), "seen before"); !errors.Is(err, job.ErrConflict) {
		t.Errorf("a freeze by what was final before: %v", err)
	}
	if cur, _, err := s.Cursor(ctx, "bench"); err != nil || cur.Frozen != "" {
		t.Errorf("frozen again: %q, %v", cur.Frozen, err)
	}
	reopened := 0
	for _, r := range b.Requests {
		now, err := s.Request(ctx, r.ID)
		must(err)
		j, err := s.JobByKey(ctx, job.RequestKey(r.Chain, r.Provider.Hex(), r.ID.Hex(), r.Action))
		must(err)
		want, wantJob := chain.RequestOpen, job.Available
		if r.Log.Height > 3 {
			want, wantJob = chain.RequestRetracted, job.Cancelled
			if answered[r.ID] {
				wantJob = job.Orphaned
			}
		} else if answered[r.ID] {
			reopened++
		}
		if now.State != want || now.ClosedFinal || j.State != wantJob {
			t.Errorf("request at height %d (answered %v): %s, job %s; want %s, %s", r.Log.Height, answered[r.ID], now.State, j.State, want, wantJob)
		}
	}
	if reopened != got.Reopened {
		t.Errorf("%d requests are reopened, it says %d", reopened, got.Reopened)
	}
	// what is final stays so when nobody accepts anything
	if _, err := s.CommitBatch(ctx, chain.Batch{Update: chain.Update{Filter: "bench", Reorg: true, Ancestor: blockOf(2), From: 1}, Now: now}); !errors.Is(err, chain.ErrDeepReorg) {
		t.Errorf("a deep reorg that nobody accepted: %v", err)
	}
	// the old branch may come back
	b.Reorg = false
	b.From, b.Blocks = 4, b.Blocks[3:]
	_, err = s.CommitBatch(ctx, b)
	must(err)
	for _, r := range b.Requests {
		if now, err := s.Request(ctx, r.ID); err != nil || now.State != chain.RequestOpen || !now.Final {
			t.Errorf("request at height %d is %s, final %v, %v", r.Log.Height, now.State, now.Final, err)
		}
	}
}

// What we answered, lost in a deep reorg and find answered again, by what we signed,
// before it was done again, is still done: the answer says that it is held.
func TestAnAnswerThatComesBackBeforeItsWorkIsStillOwed(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx, now := t.Context(), time.Unix(1_700_000_100, 0)
	b, answered := answeredAndFinal(t, s, now)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := func(r chain.Request) string {
		return job.RequestKey(r.Chain, r.Provider.Hex(), r.ID.Hex(), r.Action)
	}
	var lost []chain.Request // above the first block and answered
	for _, r := range b.Requests {
		if answered[r.ID] && r.Log.Height > 1 {
			lost = append(lost, r)
		}
	}
	if len(lost) < 2 {
		t.Fatalf("%d requests to lose", len(lost))
	}
	ours, theirs := lost[0], lost[1]
	must(s.RecordSigned(ctx, common.Address{1}, []chain.SignedResult{{Request: ours.ID, ResultHash: common.Hash{1}}}, now))
	_, err := s.AcceptReorg(ctx, blockOf(1), now, now)
	must(err)
	for { // what they held is dropped
		j, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: job.KindRelease, NodeID: "node", Owner: "w", Lease: time.Hour, Now: now})
		must(err)
		if !ok {
			break
		}
		_, err = s.FinishJob(ctx, j.ID, j.Fence, job.Result{Outcome: job.Succeeded}, now)
		must(err)
	}
	b.Reorg, b.From, b.Blocks = false, 2, append(b.Blocks[1:], blockOf(7))
	b.To, b.Final, b.Head = 7, blockOf(7), blockOf(7)
	for i, r := range []chain.Request{ours, theirs} {
		b.Closings = append(b.Closings, chain.Closing{Request: r.ID, State: chain.RequestAnswered, Outcome: job.Succeeded,
			Log: chain.Log{Height: 7, Block: blockOf(7).Hash, Index: uint(100 + i), Tx: common.Hash{9}}})
	}
	_, err = s.CommitBatch(ctx, b)
	must(err)
	state := func(r chain.Request) job.State {
		t.Helper()
		j, err := s.JobByKey(ctx, key(r))
		must(err)
		return j.State
	}
	if got := state(ours); got != job.Available {
		t.Fatalf("what our own answer says is %s, it is to be done", got)
	}
	if got := state(theirs); got != job.Settled {
		t.Fatalf("what others answered is %s", got)
	}
	for done := false; !done; {
		j, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: job.KindPin, NodeID: "node", Owner: "w", Lease: time.Hour, Now: now})
		must(err)
		if !ok {
			t.Fatal("it cannot be claimed")
		}
		c, err := s.FinishJob(ctx, j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node"}, now)
		must(err)
		if done = j.Key == key(ours); done && c.Answer {
			t.Error("it is to be answered twice")
		}
	}
	if got := state(ours); got != job.Settled {
		t.Errorf("done again, it is %s", got)
	}
	if c, err := s.JobByKey(ctx, job.CompensationKey(key(ours))); err != nil || c.State.Claimable() {
		t.Errorf("the release of its content is %s, %v", c.State, err)
	}
}

// An answer that waits in a batch while its request leaves the chain in a deep reorg, and
// comes back, stands in nobody's way: the job is done again, and when the batch lets the
// answer go it is what the job says now.
func TestWorkIsDoneAgainWhileABatchHasItsAnswer(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx, now := t.Context(), time.Unix(1_700_000_100, 0)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	b := benchBatch(0, 12)
	b.UndoAt = now
	for h := 1; h <= 6; h++ {
		b.Blocks = append(b.Blocks, blockOf(h))
	}
	_, err := s.CommitBatch(ctx, b)
	must(err)
	finish := func(kind job.Kind, r job.Result) bool {
		t.Helper()
		j, ok, err := s.Claim(ctx, job.ClaimRequest{Kind: kind, NodeID: "node", Owner: "w", Lease: time.Hour, Now: now})
		must(err)
		if ok {
			_, err = s.FinishJob(ctx, j.ID, j.Fence, r, now)
			must(err)
		}
		return ok
	}
	pinned := func(n byte) {
		t.Helper()
		for finish(job.KindPin, job.Result{Outcome: job.Succeeded, Answer: []byte{n}, Held: true, NodeID: "node"}) {
		}
	}
	pinned(1)
	pending := func() []chain.Answer {
		t.Helper()
		out, err := s.PendingAnswers(ctx, now, now, 100)
		must(err)
		return out
	}
	sealed := pending()
	if len(sealed) != 12 {
		t.Fatalf("%d answers wait", len(sealed))
	}
	batch, err := s.SealBatch(ctx, chain.Seal{ConfigDigest: common.Hash{1}, Digest: common.Hash{2}, Threshold: 1, Answers: sealed}, now)
	must(err)
	must(s.Freeze(ctx, "bench", blockOf(6), "test"))
	_, err = s.AcceptReorg(ctx, blockOf(3), now, now)
	must(err)
	for finish(job.KindRelease, job.Result{Outcome: job.Succeeded}) {
	}
	b.From, b.Blocks = 4, b.Blocks[3:]
	_, err = s.CommitBatch(ctx, b)
	must(err)
	pinned(2)
	if open, err := s.OpenBatches(ctx); err != nil || len(open) != 1 || len(open[0].Items) != 12 || open[0].Items[11].Result[0] != 1 {
		t.Errorf("what was sealed has changed: %+v, %v", open, err)
	}
	if n := len(pending()); n != 0 {
		t.Errorf("%d answers are offered beside the batch that has them", n)
	}
	_, err = s.AbandonBatch(ctx, batch, now)
	must(err)
	again := 0
	for _, a := range pending() {
		r, err := s.Request(ctx, a.Request)
		must(err)
		want := byte(1)
		if r.Log.Height > 3 {
			want, again = 2, again+1
		}
		if a.Result[0] != want {
			t.Errorf("the answer to a request at height %d is that of life %d", r.Log.Height, a.Result[0])
		}
	}
	if again != 6 {
		t.Errorf("%d of 6 answers are those of work that was done again", again)
	}
}

func TestContractsAddedAtRunTime(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx := t.Context()
	a, b := common.Address{1}, common.Address{2}
	for _, x := range []struct {
		c     common.Address
		start uint64
	}{{b, 70}, {a, 5}, {a, 5}} {
		if err := s.AddContract(ctx, x.c, x.start); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.AddContract(ctx, a, 6); !errors.Is(err, job.ErrConflict) {
		t.Errorf("another height: %v", err)
	}
	for want, height := range map[uint64]uint64{40: 40} {
		for _, try := range []uint64{height, height + 9} {
			if got, err := s.JoinContract(ctx, b, try); err != nil || got != want {
				t.Errorf("joined at %d, %v; want %d", got, err, want)
			}
		}
	}
	got, err := s.Contracts(ctx)
	if err != nil || len(got) != 2 || got[0] != (chain.Contract{Address: a, Start: 5, Joined: -1}) || got[1] != (chain.Contract{Address: b, Start: 70, Joined: 40}) {
		t.Errorf("contracts %+v, %v", got, err)
	}
}

// Logs are told apart by what they say, not by their index.
func TestLogsKeepTheirRowsWhateverTheirIndex(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "ledger.db"))
	ctx := t.Context()
	at := func(index uint, data byte) chain.Log {
		return chain.Log{Height: 1, Block: common.Hash{1}, Index: index, Tx: common.Hash{2}, Address: common.Address{3}, Topics: []common.Hash{{4}}, Data: []byte{data}}
	}
	add := func(logs ...chain.Log) {
		t.Helper()
		if _, err := s.CommitBatch(ctx, chain.Batch{Update: chain.Update{Filter: "f", From: 1, Logs: logs}, Now: time.Unix(1, 0)}); err != nil {
			t.Fatal(err)
		}
	}
	add(at(0, 10))
	add(at(7, 10), at(0, 11)) // the first under another index, and a new one under its own
	rows, err := s.Logs(ctx, chain.LogFilter{})
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if rows[0].Data[0] != 10 || rows[0].Index != 0 || rows[1].Data[0] != 11 || rows[1].Index == 0 {
		t.Errorf("rows %+v", rows)
	}
	next, err := s.Logs(ctx, chain.LogFilter{AfterID: rows[0].ID})
	if err != nil || len(next) != 1 || next[0].ID != rows[1].ID {
		t.Errorf("the page after the first row: %+v, %v", next, err)
	}
}
