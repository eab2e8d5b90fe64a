// Package planted proves that the tests see the bugs that they are there for: it
// plants each known bug into a copy of one source file, runs the tests that must
// notice it against that copy (go test -overlay), and fails when they pass.
//
// It changes no file of the tree, and is no mutation testing: the bugs are few,
// named, and each is one that would cost somebody money.
//
// Invariant: a bug that no longer applies to the source, or that does not compile,
// is a failure, not a catch.
package planted
