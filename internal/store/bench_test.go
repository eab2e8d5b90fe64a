package store_test

import (
	"context"
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

func openBench(b *testing.B) *store.Store {
	b.Helper()
	s, err := store.Open(context.Background(), store.Config{Path: filepath.Join(b.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// benchBatch makes a batch of n requests from the given seq on, two a block, of
// 50 requesters, with terms and payloads of real size.
func benchBatch(first, n int) chain.Batch {
	now := time.Unix(1_700_000_000, 0)
	provider := common.HexToAddress("0x1111111111111111111111111111111111111111")
	consumer := common.HexToAddress("0x2222222222222222222222222222222222222222")
	blockHash := func(h int) common.Hash { return crypto.Keccak256Hash(fmt.Appendf(nil, "block %d", h)) }
	var b chain.Batch
	b.Filter, b.Now, b.UndoAt = "bench", now, now
	b.From, b.To = uint64(1+first/2), uint64((first+n-1)/2+1)
	for i := first; i < first+n; i++ {
		h := 1 + i/2
		id := crypto.Keccak256Hash(fmt.Appendf(nil, "request %d", i))
		requester := common.BigToAddress(common.Big1)
		requester[0] = byte(i % 50)
		l := chain.Log{Height: uint64(h), Block: blockHash(h), Index: uint(i % 2), Tx: crypto.Keccak256Hash(id[:]), Address: provider,
			Topics: []common.Hash{{1}, id, common.BytesToHash(consumer[:])}, Data: make([]byte, 640)}
		b.Logs = append(b.Logs, l)
		b.Seq = append(b.Seq, int64(i))
		b.Requests = append(b.Requests, chain.Request{ID: id, Chain: 314, Provider: provider, Consumer: consumer, Requester: requester, Action: 1,
			Seq: uint64(i), Terms: make([]byte, 384), Payload: make([]byte, 128), Context: make([]byte, 64), Deadline: now.Add(time.Hour), Log: l})
		b.Jobs = append(b.Jobs, job.New{Key: job.RequestKey(314, provider.Hex(), id.Hex(), 1), Kind: job.KindPin, Class: job.ClassPaid, Request: id.Hex(),
			Requester: requester.Hex(), Payload: job.Encode(job.Pin{CID: make([]byte, 36), Owner: "x", Seq: uint64(i)}), Lane: job.LaneSoft,
			Height: uint64(h), RunAt: now, Deadline: now.Add(time.Hour)})
	}
	b.Head = chain.Block{Height: b.To, Hash: blockHash(int(b.To))}
	b.Soft = b.To
	b.Final = b.Head
	return b
}

// BenchmarkCommitBatch commits 10,000 logs, requests and jobs at a time.
func BenchmarkCommitBatch(b *testing.B) {
	const n = 10_000
	s := openBench(b)
	i := 0
	for b.Loop() {
		b.StopTimer()
		batch := benchBatch(i*n, n)
		i++
		b.StartTimer()
		if _, err := s.CommitBatch(b.Context(), batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n*b.N)/b.Elapsed().Seconds(), "requests/s")
}

// BenchmarkClaimFinish claims and finishes jobs with 8 workers over 50
// requesters.
func BenchmarkClaimFinish(b *testing.B) {
	s := openBench(b)
	now := time.Unix(1_700_000_000, 0)
	for i := 0; i < b.N; i += 10_000 {
		if _, err := s.CommitBatch(b.Context(), benchBatch(i, min(10_000, b.N-i))); err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	b.SetParallelism(4)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			j, ok, err := s.Claim(b.Context(), job.ClaimRequest{Kind: job.KindPin, Owner: "bench", Lease: time.Hour, Now: now, NodeID: "node"})
			if err != nil || !ok {
				b.Error("claim:", ok, err)
				return
			}
			_, err = s.FinishJob(b.Context(), j.ID, j.Fence, job.Result{Outcome: job.Succeeded, Held: true, NodeID: "node", ReleaseAt: now.Add(time.Hour)}, now)
			if err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "pairs/s")
}
