// Command analyze runs slither over contracts/ and compares what it finds with
// baseline.txt, where each known finding stands below the reason why it is none.
// It fails on a finding that is not there, and on one there that slither finds
// no more. `make analyze` runs it, and installs slither before.
//
// It compiles nothing into code: the compiler of package.json parses the sources
// in ten seconds, and slither reads the trees. Findings of the kinds
// "informational" and "optimization" are left out: they are of style, which
// forge fmt, forge lint and gas snapshots look after.
//
// Files: main.go flags and the run; source.go what slither is given; finding.go
// findings and the baseline; slither.txt the pinned packages.
//
// Invariants: a finding is known by its check, its place and the text of all that
// it points at, never by lines, so that it is looked at again when that text
// changes; none is accepted without a reason.
package main
