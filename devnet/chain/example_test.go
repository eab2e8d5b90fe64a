package chain_test

import (
	"context"
	"fmt"

	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
)

// A transfer between two funded accounts: pushed, mined, executed.
func Example() {
	ctx := context.Background()
	c, err := chain.New(ctx, chain.Config{Seed: [32]byte{1}})
	if err != nil {
		panic(err)
	}
	defer c.Close()

	accounts := c.Accounts() // ten Ethereum accounts, then f1, then f3
	from, to := accounts[10], accounts[13]
	signed, err := from.Key.SignMessage(&types.Message{
		From: from.Address, To: to.Address, Value: big.NewInt(1e18),
		GasLimit: 10_000_000, GasFeeCap: big.NewInt(1e9), GasPremium: big.NewInt(1e5),
	}, c.ChainID())
	if err != nil {
		panic(err)
	}
	id, err := c.Push(ctx, signed)
	if err != nil {
		panic(err)
	}
	if _, err := c.Mine(ctx, 1); err != nil {
		panic(err)
	}
	found, _ := c.Lookup(id)
	receiver, err := c.Actor(ctx, to.Address, found.TipSet)
	if err != nil {
		panic(err)
	}
	fmt.Println("epoch", found.TipSet.Height(), "exit code", found.Receipt.ExitCode, "balance", types.FIL(receiver.Balance))
	// Output: epoch 1 exit code Ok(0) balance 10001 FIL
}
