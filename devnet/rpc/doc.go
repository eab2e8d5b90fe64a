// Package rpc serves a devnet chain as a Lotus node serves Filecoin: JSON-RPC 2.0
// over HTTP and WebSocket at /rpc/v1 (and at /, for tools that are given a bare
// URL), with the Filecoin.* methods of lotus/api and their eth_*, net_* and web3_*
// names. The server underneath is go-jsonrpc and the types are lotus/api's, so that
// Lotus's own client, cast, forge, viem, MetaMask and abigen bindings work unchanged.
//
// What Ethereum developers do not expect is kept on purpose, because it is what
// public endpoints do: the latest block is the head's parent (messages run when the
// next tipset is made), block hashes are digests of tipset keys, null rounds are
// error code 12, eth_getLogs spans at most 2880 epochs and refuses ranges that reach
// the head, gas estimates carry a factor of 1.25, and a failed call is code 3 with
// the revert data.
//
// It is not a node: its wallet is the funded accounts, there are no peers, no tracing
// API and no storage-provider API. A method that Lotus has and the devnet has not
// answers code -32601 and says so.
//
// Known differences from Lotus: premium estimates have no random noise; StateWaitMsg
// gives return values undecoded; MpoolPending and MpoolSelect look at the pool, not at
// forks of the chain; a replaced transaction has no receipt (as in Lotus 1.36.2).
// Limits of batches and bodies are those of HTTP: as in Lotus, a WebSocket takes one
// call per message, of any size.
//
// On a loopback address the port also serves controls of the chain: devnet_*, and
// the evm_* and anvil_* names that Foundry's users know.
//
// Map of the files:
//
//   - chain.go: what the server wants of a chain; chain.Chain has it
//   - server.go, http.go, batch.go: the port, its limits, who may call
//   - register.go, errors.go, params.go: names, error codes, loose parameters
//   - resolve.go, hashes.go: which tipset a block parameter means
//   - convert.go, transactions.go, receipt.go: blocks, transactions, receipts
//   - eth_*.go: the Ethereum methods
//   - events.go, logs.go, filters.go, subscribe.go, dispatch.go: events as logs
//   - simulate.go, gas.go: calls and estimates
//   - fil_*.go: the Filecoin methods
//   - auth.go: tokens and permissions
//   - control.go, control_evm.go: devnet_*, evm_*, anvil_*
//   - ethtx: signed Ethereum transactions and the messages that carry them
//
// Invariants: every exported method of node is a method on the wire with the
// signature lotus/api gives it; nothing here changes the chain except the mempool's
// Push and the controls; answers are computed from tipsets by key, so that a reorg
// during a call cannot mix two chains in one answer.
package rpc
