package devnet

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// services is everything the port answers: the engine's APIs, our own
// eth_sendRawTransaction in front of them and, on loopback, the controls.
func (d *Devnet) services() []rpc.API {
	apis := append(d.engine.APIs(), rpc.API{Namespace: "eth", Service: &sendAPI{d}})
	if !d.config.loopback() {
		return apis
	}
	return append(apis,
		rpc.API{Namespace: "devnet", Service: &devnetAPI{d}},
		rpc.API{Namespace: "evm", Service: &evmAPI{d}},
		rpc.API{Namespace: "anvil", Service: &anvilAPI{d}},
	)
}

// sendAPI replaces the engine's way of taking transactions, so that on-demand
// mining is done when the call returns.
type sendAPI struct{ d *Devnet }

// SendRawTransaction is eth_sendRawTransaction.
func (s *sendAPI) SendRawTransaction(ctx context.Context, raw hexutil.Bytes) (common.Hash, error) {
	hash, err := s.d.engine.Submit(ctx, raw)
	if err != nil {
		return common.Hash{}, err
	}
	if err := s.d.settle(context.WithoutCancel(ctx)); err != nil {
		return common.Hash{}, fmt.Errorf("transaction %s is accepted but not mined: %w", hash, err)
	}
	return hash, nil
}

// SendRawTransactionSync is eth_sendRawTransactionSync, which cannot be had
// without the engine's own mempool path.
func (s *sendAPI) SendRawTransactionSync(context.Context, hexutil.Bytes, *hexutil.Uint64) error {
	return &rpcError{-32601, "the devnet has no eth_sendRawTransactionSync: use eth_sendRawTransaction, which on demand returns when the transaction is final"}
}

type rpcError struct {
	code int
	text string
}

func (e *rpcError) Error() string  { return e.text }
func (e *rpcError) ErrorCode() int { return e.code }

// devnetAPI is the namespace devnet_*.
type devnetAPI struct{ d *Devnet }

// Mine is devnet_mine([n]): n blocks at once, 1 if not given. It returns the head.
func (a *devnetAPI) Mine(ctx context.Context, n *quantity) (Block, error) {
	return a.d.Mine(ctx, n.or(1))
}

// Reorg is devnet_reorg(depth, [keepTxs]); see Devnet.Reorg.
func (a *devnetAPI) Reorg(ctx context.Context, depth quantity, keepTxs *bool) (Reorged, error) {
	return a.d.Reorg(ctx, uint64(depth), keepTxs != nil && *keepTxs)
}

// SetBlockTime is devnet_setBlockTime(milliseconds or "1s"); 0 is on demand.
func (a *devnetAPI) SetBlockTime(blockTime span) (Status, error) {
	if err := a.d.SetBlockTime(time.Duration(blockTime)); err != nil {
		return Status{}, err
	}
	return a.d.Status()
}

// Pause is devnet_pause(): no blocks until devnet_resume.
func (a *devnetAPI) Pause() (Status, error) { a.d.Pause(); return a.d.Status() }

// Resume is devnet_resume().
func (a *devnetAPI) Resume() (Status, error) { a.d.Resume(); return a.d.Status() }

// Status is devnet_status().
func (a *devnetAPI) Status() (Status, error) { return a.d.Status() }

// Fund is devnet_fund(address, attoFIL): money out of nothing, in its own block.
func (a *devnetAPI) Fund(ctx context.Context, to common.Address, value amount) (Block, error) {
	return a.d.Fund(ctx, to, (*big.Int)(&value))
}

// DropPending is devnet_dropPending([hashes]): those, or all waiting transactions,
// are forgotten. It returns how many there were.
func (a *devnetAPI) DropPending(hashes *[]common.Hash) (int, error) {
	if hashes == nil {
		return a.d.DropPending()
	}
	if len(*hashes) == 0 {
		return 0, nil
	}
	return a.d.DropPending(*hashes...)
}

// Accounts is devnet_accounts(): the ten funded accounts with their keys.
func (a *devnetAPI) Accounts() []Account { return Accounts() }

// Status is what devnet_status answers.
type Status struct {
	ChainID       uint64 `json:"chainId"`
	Head          Block  `json:"head"`
	Finalized     uint64 `json:"finalized"` // number of the finalized block
	FinalityDepth uint64 `json:"finalityDepth"`
	BlockTime     string `json:"blockTime"` // "0s" is on demand
	Paused        bool   `json:"paused"`
	AheadSeconds  int64  `json:"aheadSeconds"` // how far the clock was set ahead of the wall clock
}

// Status says what the devnet is doing. Errors: ErrClosed.
func (d *Devnet) Status() (Status, error) {
	var out Status
	err := d.change(func() error {
		head := d.engine.Head()
		blockTime, paused := d.pace.get()
		out = Status{
			ChainID:       ChainID,
			Head:          head,
			Finalized:     head.Number - min(head.Number, d.config.FinalityDepth),
			FinalityDepth: d.config.FinalityDepth,
			BlockTime:     blockTime.String(),
			Paused:        paused,
			AheadSeconds:  d.clock.offset,
		}
		return nil
	})
	return out, err
}

// evmAPI is the namespace evm_*, as Ethereum's test chains have it.
type evmAPI struct{ d *Devnet }

// Mine is evm_mine([timestamp]): one block.
func (a *evmAPI) Mine(ctx context.Context, timestamp *quantity) (string, error) {
	if timestamp != nil {
		if err := a.d.setNextBlockTimestamp(*timestamp); err != nil {
			return "", err
		}
	}
	if _, err := a.d.Mine(ctx, 1); err != nil {
		return "", err
	}
	return "0x0", nil
}

// IncreaseTime is evm_increaseTime(seconds); it returns the whole offset.
func (a *evmAPI) IncreaseTime(seconds quantity) (int64, error) {
	if seconds > math.MaxInt64/quantity(time.Second) {
		return 0, fmt.Errorf("increase time: %d seconds is too much", seconds)
	}
	offset, err := a.d.IncreaseTime(time.Duration(seconds) * time.Second)
	return int64(offset / time.Second), err
}

// SetNextBlockTimestamp is evm_setNextBlockTimestamp(seconds since 1970).
func (a *evmAPI) SetNextBlockTimestamp(timestamp quantity) error {
	return a.d.setNextBlockTimestamp(timestamp)
}

// SetAutomine is evm_setAutomine(on): true mines on demand, false pauses.
func (a *evmAPI) SetAutomine(on bool) error {
	if !on {
		a.d.Pause()
		return nil
	}
	if err := a.d.SetBlockTime(0); err != nil {
		return err
	}
	a.d.Resume()
	return nil
}

// SetIntervalMining is evm_setIntervalMining(seconds), as anvil has it: 0 pauses.
func (a *evmAPI) SetIntervalMining(seconds quantity) error { return a.d.setInterval(seconds) }

// anvilAPI is the part of anvil's namespace that costs nothing.
type anvilAPI struct{ d *Devnet }

// Mine is anvil_mine([n], [seconds between the blocks]).
func (a *anvilAPI) Mine(ctx context.Context, n, interval *quantity) error {
	_, err := a.d.mineEvery(ctx, n.or(1), interval.or(0))
	return err
}

// SetIntervalMining is anvil_setIntervalMining(seconds): 0 pauses.
func (a *anvilAPI) SetIntervalMining(seconds quantity) error { return a.d.setInterval(seconds) }

// DropTransaction is anvil_dropTransaction(hash); it returns the hash, or null when
// the transaction was not waiting.
func (a *anvilAPI) DropTransaction(hash common.Hash) (*common.Hash, error) {
	n, err := a.d.DropPending(hash)
	if err != nil || n == 0 {
		return nil, err
	}
	return &hash, nil
}

// DropAllTransactions is anvil_dropAllTransactions().
func (a *anvilAPI) DropAllTransactions() error {
	_, err := a.d.DropPending()
	return err
}

func (d *Devnet) setNextBlockTimestamp(timestamp quantity) error {
	return d.SetNextBlockTime(time.Unix(int64(min(timestamp, math.MaxInt64)), 0))
}

func (d *Devnet) setInterval(seconds quantity) error {
	if seconds == 0 {
		d.Pause()
		return nil
	}
	if seconds > math.MaxInt64/quantity(time.Second) {
		return fmt.Errorf("%w: %d seconds between blocks is too long", ErrConfig, seconds)
	}
	if err := d.SetBlockTime(time.Duration(seconds) * time.Second); err != nil {
		return err
	}
	d.Resume()
	return nil
}
