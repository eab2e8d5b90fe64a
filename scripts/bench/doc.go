// Command bench runs every benchmark of the project and reports them as one
// table: name, value, unit, what it is compared with, that one's value, the
// ratio of the two, and how it was measured. `make bench` runs it.
//
// It measures nothing itself: it runs Go benchmarks and Foundry's gas tests and
// reads what they print. A new benchmark is a new entry in registry.go.
//
// Files: main.go flags and order; registry.go the list; gotest.go Go
// benchmarks; gas.go gas; report.go the table and the lines of JSON.
//
// Invariants: a ratio is value / baseline value, and both come from the same
// run unless the method says "recorded" or the baseline is a ceiling; a
// benchmark that fails or prints nothing fails the command, after the others
// have run.
package main
