package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
)

// preflight waits for the endpoint and then makes sure that this is the chain,
// the contract and the key that the operator meant. An endpoint that does not
// answer is waited for; a wrong answer that it gives again and again ends the daemon
// with the remedy: once may be a node that lags, or a garbled answer.
func preflight(ctx context.Context, cfg config.Config, log *slog.Logger, operator func(context.Context, *ethclient.Client) error) error {
	wait := backoff.NewExponentialBackOff()
	wait.InitialInterval, wait.MaxInterval = 500*time.Millisecond, 15*time.Second
	const again = 3 // looks that must find it wrong, one after the other
	said, found := false, 0
	for {
		err := checkChain(ctx, cfg, operator)
		var wrong *wrongError
		if found++; !errors.As(err, &wrong) {
			found = 0
		}
		switch {
		case err == nil:
			return nil
		case found >= again:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
		if !said {
			log.Warn("the chain does not answer yet, waiting; check chain.rpc if this lasts", "rpc", config.Redact(cfg.Chain.RPC[0]), "err", err)
			said = true
		}
		timer := time.NewTimer(wait.NextBackOff())
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// wrongError is an answer that waiting does not mend.
type wrongError struct{ error }

func (w *wrongError) Unwrap() error { return w.error }

func wrong(format string, args ...any) error { return &wrongError{fmt.Errorf(format, args...)} }

func checkChain(ctx context.Context, cfg config.Config, operator func(context.Context, *ethclient.Client) error) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	client, err := DialReads(ctx, cfg.Chain.RPC)
	if err != nil {
		return fmt.Errorf("connecting: %w", err)
	}
	defer client.Close()
	id, err := client.ChainID(ctx)
	if err != nil {
		return fmt.Errorf("asking for the chain id: %w", err)
	}
	if !id.IsUint64() || id.Uint64() != cfg.Chain.ID {
		return wrong("the endpoint %s is chain %s, the configuration says chain.id = %d: correct one of them",
			config.Redact(cfg.Chain.RPC[0]), id, cfg.Chain.ID)
	}
	code, err := client.CodeAt(ctx, common.HexToAddress(cfg.Chain.Provider), nil)
	if err != nil {
		return fmt.Errorf("reading the provider's code: %w", err)
	}
	if len(code) == 0 {
		return wrong("there is no contract at chain.provider = %s on chain %d: deploy with tidegate contracts deploy, or correct the address",
			cfg.Chain.Provider, cfg.Chain.ID)
	}
	return operator(ctx, client)
}
