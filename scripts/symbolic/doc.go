// Command symbolic has halmos show, for all values at once, what test/symbolic
// says of solvency, the bounty's curve and vesting in PerpetualStorage. `make
// symbolic` runs it, and installs halmos and yices before; `make soak` too. A
// full run writes result.txt, which is committed.
//
// A check that could not fail would show nothing: planted.json lists small changes
// of contracts, each with the check that has to find it, and every check is named there.
//
//	go run ./scripts/symbolic -only BountyChecks -planted=false
//
// Halmos leaves products and quotients of words to a solver, and none decides them
// bit by bit at these widths. So solve.py has them read as integers (integers.py), and
// is held against z3 on formulas drawn anew before each run.
//
// Files: main.go flags, the run and its result; halmos.go its runs; planted.go planted changes;
// solve.py and integers.py the solver; symbolic.txt the pinned packages.
//
// Invariants: what was not decided, by time or otherwise, has not passed; no source
// in the tree is changed.
package main
