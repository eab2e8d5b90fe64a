// Package e2e holds tests of the whole: the tidegate binary as separate
// processes, a devnet or anvil as the chain, a real Kubo as the peer that has
// the content, cast as the wallet. Nothing is mocked and nothing is imported
// from the inside but the bindings and, for recounts, the node.
//
// Map:
//
//	harness_test.go  processes, ports, polling
//	chain_test.go    devnets (one shared) and anvil, deployment, cast, the daemon
//	tutorial_test.go runs docs/tutorials, command by command
//	*_test.go        one story each
//
// The binaries come from `make e2e`: bin/tidegate, test/peers/bin/ipfs and the
// pinned npm tools. A missing one fails the tests; none is skipped.
package e2e
