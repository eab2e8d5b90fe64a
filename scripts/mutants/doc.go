// Command mutants plants one small defect at a time into the functions that move
// money and sees whether a Foundry test notices. targets.json lists the functions
// by file, with the tests that are to notice; operators.go the defects.
//
//	go run ./scripts/mutants -n 120 -seed 7
//
// draws so many of all that there are, and writes result.txt: the seed, how many
// were killed, every survivor. A survivor that changes nothing that anyone could
// see stands in equivalent.txt with the reason, and is not counted. It fails when
// fewer than 95 % are killed. `make soak` runs it with a fresh seed. With -within 8m
// it stops after that time, and with -resume it goes on, or tries the survivors
// again after a test was written.
//
// A source on disk is never changed. The compiler gives the code of the contracts
// that contain the mutant ("carriers"), and this code goes into a copy of forge's
// artefacts, so that forge compiles nothing. One compiler, which stays warm and
// leaves its optimizer out, and the fast tests first: a mutant takes seconds.
//
// Files: main.go flags and the draw; operators.go what is changed, and where;
// forge.go carriers, artefacts and tests; result.go the result.
//
// Invariants: a mutant counts only if its code differs from the original's; it
// is killed only by a test that fails (or by one that never ends), never by one that
// cannot run; before the first one of a group, its tests pass on the copy as it is.
package main
