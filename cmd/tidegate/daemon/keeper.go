package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/executor/handler/keep"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/runner"
	"github.com/tidegate/tidegate/oracle/chain"
)

// openKeeper makes the lane of calls that are due, and what finds them; none where keepers
// are off.
func (d *Daemon) openKeeper(ctx context.Context) ([]runner.Lane, error) {
	c := d.cfg.Keeper
	if !c.Enabled {
		return nil, nil
	}
	reads, err := DialReads(ctx, d.cfg.Chain.RPC)
	if err != nil {
		return nil, fmt.Errorf("chain.rpc: %w", err)
	}
	d.closers = append(d.closers, reads.Close)
	handler, err := keep.New(keep.Config{MaxCost: c.MaxCost.Atto(), TryAgain: c.TryAgain.D(), Look: 2 * d.cfg.Chain.PollInterval.D()}, keep.Deps{
		Chain: pricing{d, reads}, Sender: keeperSender{d}, Metrics: d.metrics,
	})
	if err != nil {
		return nil, err
	}
	deps := market.KeeperDeps{
		Chain: finalContracts{contracts{d}}, Events: finalEvents{d}, Logs: reads, Jobs: d.ledger, Wake: func() { d.queue.Notify(job.KindKeep) }, Log: d.log, Now: time.Now,
	}
	if c.Node != "" {
		at, err := market.ParseInfo(c.Node)
		if err != nil {
			return nil, fmt.Errorf("keeper.node: %w", err)
		}
		if at.Header != nil {
			return nil, errors.New("keeper.node has a token in it, which settings are no place for: reading needs none")
		}
		node, err := market.Open(ctx, at)
		if err != nil {
			return nil, fmt.Errorf("keeper.node: %w", err)
		}
		d.closers = append(d.closers, node.Close)
		deps.Node = node
	}
	var daos, clients []common.Address
	for _, at := range c.DAOs {
		daos = append(daos, common.HexToAddress(at))
	}
	for _, at := range c.Clients {
		clients = append(clients, common.HexToAddress(at))
	}
	d.keeping = d.newTerm(leadKeep)
	d.keeper = market.NewKeeper(market.KeeperConfig{
		ChainID: d.cfg.Chain.ID, Storage: common.HexToAddress(d.cfg.Chain.Storage), Pinning: common.HexToAddress(d.cfg.Chain.Pinning), DAOs: daos, Factory: common.HexToAddress(c.Factory), Clients: clients,
		Start: d.cfg.Chain.Start, Every: c.Every.D(), NodeEvery: c.NodeEvery.D(),
	}, deps)
	const keepers, timeout = 2, 2 * time.Minute
	return []runner.Lane{{Kind: job.KindKeep, Handler: handler, Concurrency: keepers, Timeout: timeout, MaxAttempts: d.cfg.Runner.MaxAttempts}}, nil
}

// finalContracts reads contracts at the final block.
type finalContracts struct{ contracts }

// Head implements market.Chain.
func (c finalContracts) Head(ctx context.Context) (uint64, error) { return c.d.finalHeight(ctx) }

// finalHeight is up to where the ledger has the chain as final. Its word counts: what it
// has not seen final yet is not acted on, and nothing is while it is frozen.
func (d *Daemon) finalHeight(ctx context.Context) (uint64, error) {
	cur, has, err := d.ledger.Cursor(ctx, Filter)
	switch {
	case err != nil:
		return 0, err
	case !has:
		return 0, errors.New("the chain has not been read yet")
	case cur.Frozen != "":
		return 0, fmt.Errorf("%w: %s", chain.ErrFrozen, cur.Frozen)
	}
	return min(cur.Final, cur.Height), nil
}

// finalEvents are the ledger's.
type finalEvents struct{ d *Daemon }

// Events implements market.Events.
func (e finalEvents) Events(ctx context.Context, contract common.Address, from, to uint64) ([]*types.Log, error) {
	var out []*types.Log
	f := chain.LogFilter{Address: contract, State: chain.LogFinal, FromHeight: from, Limit: 1000}
	for {
		rows, err := e.d.ledger.Logs(ctx, f)
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			if r.Height <= to {
				out = append(out, &types.Log{Address: r.Address, Topics: r.Topics, Data: r.Data, BlockNumber: r.Height, TxHash: r.Tx})
			}
			f.AfterID = r.ID
		}
		if len(rows) < f.Limit {
			return out, nil
		}
	}
}

// pricing tries and prices calls from the key that would send them.
type pricing struct {
	d      *Daemon
	client *ethclient.Client
}

// Cost implements keep.Chain.
func (p pricing) Cost(ctx context.Context, to string, data []byte, value *big.Int) (*big.Int, error) {
	at := common.HexToAddress(to)
	gas, err := p.client.EstimateGas(ctx, ethereum.CallMsg{From: p.d.freeSender(), To: &at, Data: data, Value: value})
	var said rpc.DataError
	if errors.As(err, &said) {
		if text, ok := said.ErrorData().(string); ok && strings.HasPrefix(text, "0x") {
			return nil, fmt.Errorf("%w: %s", keep.ErrNotDue, market.Reverted(common.FromHex(text)))
		}
	}
	if err != nil && strings.Contains(err.Error(), "revert") {
		return nil, fmt.Errorf("%w: %w", keep.ErrNotDue, err)
	}
	if err != nil {
		return nil, fmt.Errorf("estimating the gas: %w", err)
	}
	price, err := p.client.SuggestGasPrice(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the price of gas: %w", err)
	}
	return price.Mul(price, new(big.Int).SetUint64(gas)), nil
}

// Tip implements keep.Chain.
func (p pricing) Tip(ctx context.Context, to string, data []byte) (*big.Int, error) {
	head, err := contracts{p.d}.Head(ctx)
	if err != nil {
		return nil, fmt.Errorf("asking for the head: %w", err)
	}
	return market.DAOTip(ctx, contracts{p.d}, common.HexToAddress(to), data, head)
}

// keeperSender is the ledger's transactions as the keep handler sees them.
type keeperSender struct{ d *Daemon }

// Find implements keep.Sender.
func (s keeperSender) Find(ctx context.Context, key string) (keep.Sent, error) {
	x, err := s.d.ledger.IntentTx(ctx, key)
	if err != nil {
		return keep.Sent{}, err
	}
	sent := keep.Sent{Over: x.State.Ended(), Done: x.State == chain.TxFinal && !x.Reverted, Why: x.Why, Sender: strings.ToLower(x.Intent.Sender.Hex()), Waits: string(x.State)}
	if x.MinedHash != (common.Hash{}) {
		sent.Hash, sent.Paid = x.MinedHash.Hex(), x.FeePaid
	}
	return sent, nil
}

// Queue implements keep.Sender.
func (s keeperSender) Queue(ctx context.Context, key string, c keep.Call, expiry time.Time) error {
	return s.d.queueOnce(ctx, chain.Intent{Key: key, To: common.HexToAddress(c.To), Data: c.Data, Value: c.Value, Expiry: expiry}, time.Now())
}

// queueOnce queues an intent for a key that has little to do, unless it was queued
// before, perhaps for another of our keys.
func (d *Daemon) queueOnce(ctx context.Context, in chain.Intent, now time.Time) error {
	in.Sender = d.takeSender()
	_, _, err := d.ledger.QueueIntent(ctx, in, now)
	if errors.Is(err, job.ErrConflict) {
		err = nil
	}
	if err == nil {
		d.wakeSenders()
	}
	return err
}
