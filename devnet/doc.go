// Package devnet runs a development chain in this process and serves it over
// JSON-RPC (HTTP and WebSocket on one port), for `tidegate devnet`, the demo and
// anybody's Go tests:
//
//	chain := devnet.Start(t)                       // on demand, random port, closed with the test
//	client, err := ethclient.Dial(chain.HTTPURL())
//
// or, for a long-lived one:
//
//	chain, err := devnet.New(devnet.DefaultConfig()) // port 8545, a block a second
//	err = chain.Run(ctx)                             // serves and mines until ctx ends
//
// It knows nothing of Tidegate: it imports no other package of this module, and
// it deploys no contract.
//
// What it is not: a Filecoin, yet. Today's engine is go-ethereum with Filecoin's
// manners where they cost nothing (chain id 31415926, forks up to Cancun, no blob
// transactions, replacement only with 25 % more fee, a finalized tag a fixed
// number of blocks behind the head). It has no null rounds, no tipsets, no
// deferred execution (a receipt is known in the block that holds the
// transaction), Ethereum's gas and not Filecoin's, revert data in place of actor
// exit codes, no built-in actors, no FEVM precompiles, no f4 or f0 addresses and
// no Filecoin.* methods. docs/devnet.md lists the differences. The engine stands
// behind the Engine interface so that a real FEVM can take its place without any
// change for the callers.
//
// Map:
//
//	config.go        Config, DefaultConfig, the sentinel errors
//	account.go       Account, Accounts, KnownKeys: the ten funded keys
//	start.go         Start, for tests
//	devnet.go        Devnet: New, Run, Close, the URLs
//	mining.go        when blocks are made: timed, on demand, paused; reorgs; finality
//	clock.go         which timestamp a block gets
//	engine.go        Engine: what a chain must be able to do (Chain, Mempool)
//	geth.go          today's Engine, go-ethereum: start and stop
//	geth_chain.go    … its blocks, tags and reorganisations
//	geth_mempool.go  … its waiting transactions
//	gethlog.go       … its log lines
//	server.go        the port: HTTP, WebSocket, CORS, host names
//	control.go       the RPC namespaces devnet_*, evm_* and anvil_*
//	params.go        how their parameters are read
//
// Invariants: one goroutine at a time changes the chain (Devnet.mu). Every block
// is later than its parent, by whole seconds, even if that runs ahead of the wall
// clock. The finalized block is an ancestor of the head whenever no call is under
// way. In on-demand mode eth_sendRawTransaction returns when the transaction is
// mined and final, or when it cannot be mined yet (a nonce gap, a fee cap below
// the base fee, mining paused). The control namespaces exist only on a loopback
// listener. Nothing outlives Close.
package devnet
