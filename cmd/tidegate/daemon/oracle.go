package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/cmd/tidegate/config"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/audit"
	"github.com/tidegate/tidegate/oracle/chain"
	"github.com/tidegate/tidegate/oracle/intake"
	"github.com/tidegate/tidegate/oracle/watch"
)

// Filter is the name of the cursor of what the configuration watches.
const Filter = "provider"

// Endpoints opens the configured chain endpoints as one; the functions close them.
func Endpoints(cfg config.Config) (*watch.Pool, []func(), error) {
	var named []watch.Named
	var closers []func()
	for _, url := range cfg.Chain.RPC {
		c, err := watch.NewClient(url)
		if err != nil {
			return nil, nil, fmt.Errorf("chain.rpc: %w", err)
		}
		named, closers = append(named, c), append(closers, c.Close)
	}
	pool, err := watch.NewPool(watch.PoolConfig{
		ChainID: cfg.Chain.ID, Quorum: cfg.Chain.Quorum, MaxLag: cfg.Chain.SoftDepth + 1, BackoffMin: cfg.Chain.PollInterval.D(),
	}, named...)
	if err != nil {
		return nil, nil, fmt.Errorf("chain.rpc: %w", err)
	}
	return pool, closers, nil
}

// Intake makes what translates logs of the configured contracts.
func Intake(cfg config.Config, deps intake.Deps) (*intake.Intake, error) {
	return intake.New(intake.Config{
		ChainID: cfg.Chain.ID, Providers: []common.Address{common.HexToAddress(cfg.Chain.Provider)}, UndoDelay: cfg.Chain.UndoDelay.D(),
	}, deps)
}

// watched are the contracts that the configuration names.
func watched(cfg config.Config) []common.Address {
	out := []common.Address{common.HexToAddress(cfg.Chain.Provider)}
	if cfg.Chain.Pinning != "" {
		out = append(out, common.HexToAddress(cfg.Chain.Pinning))
	}
	return out
}

// Auditor makes the auditor of a ledger. Without a sink it never repairs.
func Auditor(cfg config.Config, ledger *store.Store, pool *watch.Pool, sink audit.Sink, log *slog.Logger, metrics prometheus.Registerer) (*audit.Auditor, error) {
	contracts := func(ctx context.Context) ([]chain.Contract, error) {
		var out []chain.Contract
		for _, a := range watched(cfg) {
			out = append(out, chain.Contract{Address: a, Start: cfg.Chain.Start, Joined: -1})
		}
		added, err := ledger.Contracts(ctx)
		return append(out, added...), err
	}
	return audit.New(audit.Config{Filter: Filter, Contracts: contracts, Every: 50 * cfg.Chain.PollInterval.D()},
		audit.Deps{Chain: counting{pool}, Ledger: ledger, Sink: sink, Logger: log, Metrics: metrics})
}

// counting is the endpoints as audit sees them.
type counting struct{ *watch.Pool }

// agreed is the endpoints as report sees them where several must agree: at the newest
// block that the ledger has, for each of them has another newest one.
type agreed struct {
	pool   *watch.Pool
	ledger *store.Store
}

// CallAgreed implements report.Agreed.
func (a agreed) CallAgreed(ctx context.Context, to common.Address, data []byte) ([]byte, error) {
	at, ok, err := a.ledger.Cursor(ctx, Filter)
	if err != nil || !ok {
		return nil, errors.Join(errors.New("nothing was watched yet"), err)
	}
	return a.pool.Call(ctx, to, data, at.Height)
}

// reverted reports whether a call failed because the contract refused it.
func reverted(err error) bool {
	var f *watch.Fault
	return errors.As(err, &f) && f.Kind == watch.FaultRefused && (f.Code == 3 || strings.Contains(strings.ToLower(f.Err.Error()), "revert"))
}

// NextSeq implements audit.Chain.
func (c counting) NextSeq(ctx context.Context, contract common.Address, height uint64) (uint64, error) {
	provider := estuaryprovider.NewEstuaryProvider() // nextSeq() is the same in every contract of ours
	out, err := c.Call(ctx, contract, provider.PackNextSeq(), height)
	var f *watch.Fault
	switch {
	case reverted(err):
		return 0, audit.ErrNoSeq
	case errors.As(err, &f) && f.Kind == watch.FaultRefused:
		return 0, fmt.Errorf("%w: %w", audit.ErrNoState, err)
	case err != nil:
		return 0, err
	case len(out) == 0:
		return 0, audit.ErrNoSeq
	}
	return provider.UnpackNextSeq(out)
}
