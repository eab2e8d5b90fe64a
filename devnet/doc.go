// Package devnet runs a Filecoin with a real FEVM in this process and serves it as a
// Lotus node does, over JSON-RPC (HTTP and WebSocket on one port), for `tidegate
// devnet`, the demo and anybody's Go tests:
//
//	net := devnet.Start(t)                       // on demand, random port, closed with the test
//	client, err := ethclient.Dial(net.HTTPURL())
//	_, err = net.Chain().NullRounds(ctx, 5)      // what only Filecoin has
//
// or, for a long-lived one:
//
//	net, err := devnet.New(ctx, devnet.DefaultConfig()) // port 8545, an epoch a second
//	err = net.Run(ctx)                                  // serves and mines until ctx ends
//
// The official built-in actors execute every message, so exit codes, gas, events and
// state are Filecoin's. docs/devnet.md is the tutorial, and lists what is not faithful.
// It knows nothing of Tidegate: it imports no other package of this module, and it
// deploys no contract.
//
// Map, from the bottom:
//
//	fvm/        the machine: official actors on WebAssembly, syscalls, gas, state tree
//	fvm/gas     the price list, and the counting of executed instructions
//	fvm/sig     signatures: secp256k1, BLS, Ethereum
//	chain/      the chain: genesis, tipsets, message pool, finality, reorgs
//	rpc/        the port: Filecoin.*, eth_*, and the controls devnet_*, evm_*, anvil_*
//	provider/   storage providers on the chain: sectors, proofs, faults, deals, DataCap
//	market/     the same asked over the network: MK20, MK12, transfers, retrievals, misbehaviour
//	config.go   Config, DefaultConfig, the sentinel errors
//	account.go  Account, Accounts, KnownKeys: the ten funded keys
//	start.go    Start, for tests
//	devnet.go   Devnet: New, Run, Close, the URLs
//
// Everything is in memory and gone with the process, but for what Dump wrote; only
// compiled actors are kept, in the user's cache directory. Nothing else outlives Close.
package devnet
