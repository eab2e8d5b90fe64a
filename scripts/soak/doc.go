// Command soak runs what takes hours, by hand, before a release: contracts with
// many more runs, mutants of them, every fuzz target, the concurrent
// packages under the race detector again and again, and the end-to-end tests in
// many rounds. `make soak` runs it and the result file is committed. As it takes hours,
// stages can be run one by one (-only): the file keeps a line for each, with the
// commit that it tested.
//
// It adds no test: it runs those that there are, longer, with fresh seeds.
// A failure does not stop it; it ends with an error that names what failed.
//
// Files: main.go flags and running; result.go the result file; stages.go what is run.
//
// Invariants: the result says of each stage which commit was tested, whether the tree was
// clean, and how it ended, or that it was never run; every fuzz target of the tree is run.
package main
