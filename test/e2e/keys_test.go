package e2e

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Answers that are too many for a transaction are sent by several keys beside each
// other, each request is answered once, and the chain sees both keys at work.
func TestSeveralKeysSendBesideEachOther(t *testing.T) {
	t.Parallel()
	const requests = 48
	n := startAnvil(t, "--block-time", "1")
	other := n.Keys[n.fund(t, 7, 10)]
	d := newDaemon(t, n, "--report-max-batch", "4", "--keys-more-senders", "OTHER_SENDER_KEY")
	d.env = append(d.env, "OTHER_SENDER_KEY="+other.PrivateKey)
	d.start(t)
	var cids []string
	for i := range 6 {
		cids = append(cids, d.add(t, fmt.Sprint("x", i), content(uint64(500+i), 1000)))
	}
	n.awaitAnswers(t, n.askMany(t, requests, cids), time.Minute)

	ctx := context.Background()
	logs, err := n.client.FilterLogs(ctx, ethereum.FilterQuery{
		FromBlock: new(big.Int).SetUint64(n.Start), Addresses: []common.Address{common.HexToAddress(n.provider())}, Topics: [][]common.Hash{{answeredTopic}},
	})
	if err != nil {
		t.Fatal(err)
	}
	by := map[common.Address]int{}
	for _, l := range logs {
		tx, _, err := n.client.TransactionByHash(ctx, l.TxHash)
		if err != nil {
			t.Fatal(err)
		}
		from, err := types.Sender(types.LatestSignerForChainID(tx.ChainId()), tx)
		if err != nil {
			t.Fatal(err)
		}
		by[from]++
	}
	first, second := by[common.HexToAddress(n.Keys[keySender].Address)], by[common.HexToAddress(other.Address)]
	if first+second != requests || first < requests/5 || second < requests/5 {
		t.Errorf("of %d requests one key answered %d, the other %d: %v", requests, first, second, by)
	}
	d.stop(t)
}
