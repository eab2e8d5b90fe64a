// Package bindings knows the contracts of the suite: which there are, what
// their creation code hashes to, and where they are publicly deployed.
//
// It is not the bindings themselves: each contract has its own package below
// (estuaryprovider, estuarypinning, …), made by abigen v2 with the creation
// code inside; and it deploys nothing, which bindings/deploy does. Neither it
// nor anything below it imports another package of this module, so that
// programs without Tidegate can use them.
//
// Files: contracts.json is the one list from which all bindings are generated
// (scripts/gen, `make gen`); deployments.json holds the hash of each
// contract's creation code (kept by `make gen`) and the public deployments
// (kept by hand); deployments.go reads and checks it.
//
// Invariants: a deployment is listed at most once a chain and names every
// contract that it lists by a name of contracts.json; `make check` fails when
// a binding or a hash differs from what the sources give.
package bindings
