package main

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// stage is one command that runs long. Its id stays the same from run to run; its name says
// with which numbers it runs.
type stage struct {
	id   string
	name string
	env  []string
	args []string
}

// plan says how long things run.
type plan struct {
	rounds int           // of end-to-end and race tests
	fuzz   time.Duration // for each fuzz target
	seed   uint64        // of Foundry's fuzzing and of the draw of mutants

	mutants int     // how many are tried
	only    pattern // ids of the stages to run
}

// concurrent packages are the ones that `make race` names, and two whose suites
// take too long there.
var concurrent = []string{
	"./oracle/watch/...", "./oracle/intake/...", "./oracle/report/...", "./oracle/txmgr/...",
	"./internal/store/...", "./executor/runner/...", "./executor/queue/...", "./executor/ipfs/...", "./executor/piece/...",
}

// stages lists what a plan runs, in order.
func stages(p plan, targets []target) []stage {
	all := []stage{{
		id:   "contracts",
		name: fmt.Sprintf("contracts, profile soak, seed %#x", p.seed),
		env:  []string{"FOUNDRY_PROFILE=soak", fmt.Sprintf("FOUNDRY_FUZZ_SEED=%#x", p.seed)},
		args: []string{"bin/forge", "test"},
	}}
	all = append(all,
		stage{
			id:   "mutants",
			name: fmt.Sprintf("mutants: %d, seed %d", p.mutants, p.seed),
			args: []string{"go", "run", "./scripts/mutants", "-n", strconv.Itoa(p.mutants), "-seed", strconv.FormatUint(p.seed, 10)},
		},
		stage{
			id:   "symbolic",
			name: "halmos: solvency, the bounty's curve and vesting for all values, and each planted change",
			args: []string{"go", "run", "./scripts/symbolic"},
		},
	)
	return append(append(all, fuzzing(p, targets)...), wholes(strconv.Itoa(p.rounds))...)
}

func fuzzing(p plan, targets []target) (all []stage) {
	for _, t := range targets {
		all = append(all, stage{
			id:   "fuzz:" + strings.TrimPrefix(t.pkg, "./") + ":" + t.fn,
			name: fmt.Sprintf("%s of %s for %s", t.fn, t.pkg, p.fuzz),
			args: []string{"go", "test", "-run", "^$", "-fuzz", "^" + t.fn + "$", "-fuzztime", p.fuzz.String(), t.pkg},
		})
	}
	return all
}

// wholes are the parts that work together, and what is done to them.
func wholes(count string) []stage {
	return []stage{
		{
			id:   "race",
			name: "race detector, " + count + " rounds", env: []string{"CGO_ENABLED=1"},
			args: append([]string{"go", "test", "-race", "-count", count, "-timeout", "0"}, concurrent...),
		},
		{
			id:   "e2e",
			name: "end to end, " + count + " rounds",
			args: []string{"go", "test", "-count", count, "-timeout", "0", "./test/e2e/..."},
		},
		{
			id:   "sim",
			name: "simulation: 200 seeds, and each planted bug with up to 200", env: []string{"TIDEGATE_SOAK=1", "SEEDS=200"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "./test/sim"},
		},
		{
			id:   "faults",
			name: "faults of endpoints: each alone and all together, 500 requests each", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestEachFaultAloneAndAllTogether", "./test/e2e"},
		},
		{
			id:   "traps",
			name: "traps of the chain: each alone and all together, 500 requests each", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestEachTrapAloneAndAllTogether", "./test/e2e"},
		},
		{
			id:   "kills",
			name: "kill -9 of one daemon on SQLite and of two on Postgres: 300 times during 2,000 requests; ten dead leaders", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestKillNine|TestTheNextDaemonTakesOver", "./test/e2e"},
		},
		{
			id:   "deal-kills",
			name: "kill -9 of a daemon that makes deals: 140 times, 20 in each phase of a deal and 40 as a lost piece is fetched back", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestDealsSurviveKillNineInEachPhase", "./test/e2e"},
		},
		{
			id:   "conducts",
			name: "each misconduct of a storage provider against a daemon, over MK12 and over MK20", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestEachMisconductOfAProvider", "./test/e2e"},
		},
		{
			id:   "repairs",
			name: "a copy and the hot copy are lost: the piece comes from another provider, whatever the next one does", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestALostPieceComesBackFromItsProviders", "./cmd/tidegate/daemon"},
		},
		{
			id:   "pieces",
			name: "pieces: 50 GiB in a stream, a DAG of 4 GiB", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestSparseStream|TestMemory", "./executor/piece"},
		},
		{
			id:   "storage",
			name: "storage and DAOs on the FEVM: a term of half a year, 1,000 members; deals with a provider that never seals, and over 400 days", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "./test/fevm", "./test/deals"},
		},
		{
			id:   "deal-states",
			name: "every state of a deal, to its end and what is left of it; providers by the command line, a week after anybody vouched too", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "-run", "TestEveryStateOfADealIsToldRightly|TestProvidersByTheCommandLine", "./cmd/tidegate/cli"},
		},
		{
			id:   "providers",
			name: "half years of storage providers", env: []string{"TIDEGATE_SOAK=1"},
			args: []string{"go", "test", "-count", "1", "-timeout", "0", "./devnet/provider"},
		},
	}
}

// target is a fuzz target.
type target struct{ pkg, fn string }

var fuzzFunc = regexp.MustCompile(`(?m)^func (Fuzz\w+)\(\w+ \*testing\.F\)`)

// fuzzTargets finds every fuzz target of the module, in order of path.
func fuzzTargets(root fs.FS) ([]target, error) {
	var found []target
	err := fs.WalkDir(root, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			base := path.Base(name)
			if name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || name == "test/peers") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, "_test.go") {
			return nil
		}
		source, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		for _, m := range fuzzFunc.FindAllSubmatch(source, -1) {
			found = append(found, target{pkg: "./" + path.Dir(name), fn: string(m[1])})
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for fuzz targets: %w", err)
	}
	return found, nil
}

// environ is the process's environment with a stage's own.
func (s stage) environ() []string { return append(os.Environ(), s.env...) }
