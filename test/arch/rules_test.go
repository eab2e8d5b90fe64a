package arch

// ours are the top folders of this module that hold Go packages.
var ours = []string{"bindings", "cmd", "devnet", "executor", "internal", "oracle", "scripts", "test", "web"}

// rule bans imports. Paths are from the root for our packages, whole for others;
// each covers what is below it.
type rule struct {
	from   []string // packages that the rule binds; empty for all
	except []string // packages that it does not
	ban    []string // what they may not import
	but    []string // what of it they may
	tests  bool     // holds for _test.go files too
	reason string
}

var rules = []rule{
	{
		from: []string{"executor"}, ban: []string{"oracle"}, tests: true,
		reason: "the off-chain side must run and be tested without a chain; what crosses is in executor/job and the ledger",
	},
	{
		from: []string{"oracle"}, ban: []string{"executor"}, but: []string{"executor/job"}, tests: true,
		reason: "the chain side knows work only as jobs; how it is done may change without it",
	},
	{
		from: []string{"executor", "oracle"}, ban: []string{"internal", "cmd", "devnet", "scripts", "web"},
		reason: "both sides declare the ledger that they need as small interfaces; the daemon wires the real one",
	},
	{
		from: []string{"executor/job"}, ban: ours, tests: true,
		reason: "job is a leaf: its types cross the ledger, so it may depend on nothing that could depend on them",
	},
	{
		from: []string{"oracle/chain"}, ban: ours, but: []string{"executor/job"}, tests: true,
		reason: "chain is a leaf: its types cross the ledger, and of ours it needs only the vocabulary of jobs",
	},
	{
		from: []string{"executor/handler"}, ban: ours, but: []string{"executor/job"},
		reason: "a handler sees a job and its own small interfaces; queue, store, runner and node are not its business",
	},
	{
		from: []string{"executor/bucket"}, ban: ours, but: []string{"executor/job", "executor/piece"},
		reason: "the shelf declares the node and the ledger that it needs; it computes with piece and speaks of jobs",
	},
	{
		from: []string{"executor/outbound"}, ban: ours, but: []string{"executor/job"},
		reason: "what dials on behalf of strangers must be readable on its own; who may be dialled is given to it",
	},
	{
		from: []string{"executor/runner"}, ban: ours, but: []string{"executor/job"},
		reason: "the runner owns leases and retries of any kind of work, so it knows no kind",
	},
	{
		from: []string{"executor/queue"}, ban: ours, but: []string{"executor/job"},
		reason: "the queue wakes lanes; the truth is in the ledger, which it may not see",
	},
	{
		from: []string{"executor/ipfs"}, ban: ours, but: []string{"executor/job"},
		reason: "the node holds content for references; it knows neither requests' origin nor who runs it",
	},
	{
		from: []string{"executor/httpapi"}, ban: ours, but: []string{"executor/job"},
		reason: "httpapi takes reader interfaces and mounts, so that a page can be tested without a daemon",
	},
	{
		from: []string{"oracle/watch"}, ban: ours, but: []string{"executor/job", "oracle/chain"},
		reason: "watch follows any chain's logs and knows no contract; decoding is intake's",
	},
	{
		from: []string{"oracle/txmgr"}, ban: ours, but: []string{"executor/job", "oracle/chain"},
		reason: "txmgr makes intents happen once, whatever they say; it never sees a job or a contract",
	},
	{
		from: []string{"oracle/signer"}, ban: ours, tests: true,
		reason: "what touches private keys must be readable on its own",
	},
	{
		ban: []string{"bindings"}, except: []string{"bindings", "oracle/intake", "oracle/report", "executor/market", "cmd", "scripts", "test"},
		reason: "contracts are read by intake, answered by report and used by market; elsewhere a change of ABI must not reach",
	},
	{
		from: []string{"bindings"}, ban: ours, but: []string{"bindings"}, tests: true,
		reason: "bindings must be usable by programs without Tidegate",
	},
	{
		from: []string{"devnet"}, ban: ours, but: []string{"devnet"}, tests: true,
		reason: "devnet must be usable by anyone's Go tests without Tidegate; wire types repeated there are deliberate",
	},
	{
		from: []string{"internal/store"}, ban: ours, but: []string{"executor/job", "oracle/chain", "internal/store"}, tests: true,
		reason: "the ledger stores the types of the two leaves and knows neither side",
	},
	{
		// txmgr's tests alone stop a process at each of its statements; a rule above
		// keeps the ledger out of its other files.
		ban: []string{"internal/store"}, except: []string{"internal/store", "cmd", "test", "oracle/txmgr"}, tests: true,
		reason: "each side declares the part of the ledger that it uses; only the daemon knows which ledger it is",
	},
	{
		ban: []string{"cmd"}, except: []string{"cmd"}, tests: true,
		reason: "commands are the top of the tree: what others need of them belongs below; tests of the whole run the binary",
	},
	{
		ban: []string{"test"}, except: []string{"test"}, tests: true,
		reason: "tests of the whole stand outside; helpers for a package's tests stand beside that package",
	},
	{
		ban: []string{"scripts"}, except: []string{"scripts"}, tests: true,
		reason: "scripts are tools of this repository, not parts of the product",
	},
	{
		ban: []string{"github.com/nsqio"}, except: []string{"executor/queue"}, tests: true,
		reason: "NSQ is one way of waking lanes; replacing it must touch one package",
	},
	{
		ban: []string{
			"database/sql", "modernc.org/sqlite", "github.com/jackc/pgx", "github.com/pressly/goose",
			"github.com/mattn/go-sqlite3", "github.com/lib/pq",
		},
		except: []string{"internal/store", "test"}, tests: true,
		reason: "no transaction crosses a package boundary, so nobody else may speak SQL",
	},
	{
		ban: []string{"github.com/filecoin-project/lotus"}, except: []string{"executor/market", "devnet", "test"}, tests: true,
		reason: "lotus is heavy and moves fast: only what speaks Filecoin's own protocols may need it",
	},
	{
		ban:    []string{"github.com/filecoin-project/filecoin-ffi"},
		tests:  true,
		reason: "it needs cgo and Rust; one static binary is promised",
	},
	{
		from: []string{"executor", "oracle", "internal", "bindings", "devnet", "cmd"}, ban: []string{"testing", "testing/synctest"},
		except: []string{"internal/store/storetest", "devnet/fvm/fvmtest"},
		reason: "test code does not ship in the binary",
	},
	{
		from: []string{"executor", "oracle", "internal", "bindings", "devnet", "cmd"}, ban: []string{"log"}, tests: true,
		but:    []string{"log/slog"},
		reason: "one logger, passed in: log/slog with fixed keys",
	},
}
