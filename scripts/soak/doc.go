// Command soak runs what takes hours, by hand, before a release: contracts with
// many more runs, mutants of them, every fuzz target, the concurrent
// packages under the race detector again and again, and the end-to-end tests in
// many rounds. `make soak` runs it and the result file is committed.
//
// It adds no test: it runs those that there are, longer, with fresh seeds.
// A failure does not stop it; it ends with an error that names what failed.
//
// Files: main.go flags and result file; stages.go what is run.
//
// Invariants: the result says which commit was tested, whether the tree was
// clean, and how each stage ended; every fuzz target of the tree is run.
package main
