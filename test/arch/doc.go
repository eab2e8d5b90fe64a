// Package arch holds the rules of the source tree as tests: who may import
// whom and why not, one package comment a package, sizes of files and
// functions, names that say nothing, and marks on generated files.
//
// It is not a linter of style: gofmt, go vet and staticcheck are (make lint).
// It reads source files, builds nothing, and reports every breach at once.
//
// Map:
//
//	tree_test.go     reads the tree once
//	rules_test.go    the import bans, each with its reason
//	imports_test.go  applies them, and proves that a breach is seen
//	shape_test.go    comments, sizes, names, marks
//	contracts_test.go  who calls actors; the table of known vulnerabilities
//
// Invariants: a rule names packages of this module by their path from the
// root; modules nested in the tree (test/peers) are not looked at.
package arch
