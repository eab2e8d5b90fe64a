package store_test

import (
	"bufio"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/oracle/chain"
)

// machine is one state machine as the code has it.
type machine struct {
	states []string
	edges  map[string]bool // "from to"
}

func machineOf[S ~string](states []S, transitions map[S][]S) machine {
	m := machine{edges: map[string]bool{}}
	for _, s := range states {
		m.states = append(m.states, string(s))
	}
	for from, tos := range transitions {
		for _, to := range tos {
			m.edges[string(from)+" "+string(to)] = true
		}
	}
	return m
}

func machines() map[string]machine {
	return map[string]machine{
		"job":     machineOf(job.States(), job.Transitions),
		"log":     machineOf(chain.LogStates(), chain.LogTransitions),
		"request": machineOf(chain.RequestStates(), chain.RequestTransitions),
		"answer":  machineOf(chain.AnswerStates(), chain.AnswerTransitions),
		"batch":   machineOf(chain.BatchStates(), chain.BatchTransitions),
		"tx":      machineOf(chain.TxStates(), chain.TxTransitions),
		"bucket":  machineOf(job.BucketStates(), job.BucketTransitions),
		"offer":   machineOf(job.OfferStates(), job.OfferTransitions),
		"repair":  machineOf(job.RepairStates(), job.RepairTransitions),
	}
}

// openRaw opens a fresh ledger's file beside the store, to go behind its back.
func openRaw(t *testing.T) *sql.DB {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	s, err := store.Open(t.Context(), store.Config{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return rawDB(t, path)
}

func rawDB(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func sorted(edges map[string]bool) []string {
	var out []string
	for e := range edges {
		out = append(out, e)
	}
	slices.Sort(out)
	return out
}

func TestSchemaHoldsTheEdgesOfTheCode(t *testing.T) {
	db := openRaw(t)
	for name, m := range machines() {
		rows, err := db.QueryContext(t.Context(), "SELECT from_state || ' ' || to_state FROM "+name+"_edge")
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]bool{}
		for rows.Next() {
			var e string
			if err := rows.Scan(&e); err != nil {
				t.Fatal(err)
			}
			got[e] = true
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(sorted(got), sorted(m.edges)) {
			t.Errorf("%s: the schema has %v, the code %v", name, sorted(got), sorted(m.edges))
		}
	}
}

// arrow is an edge in a Mermaid state diagram; [*] is the outside.
var arrow = regexp.MustCompile(`^\s*(\S+) --> (\S+)`)

func TestDocumentDrawsTheEdgesOfTheCode(t *testing.T) {
	f, err := os.Open("../../docs/state-machines.md")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	drawn, section := map[string]map[string]bool{}, ""
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
			drawn[section] = map[string]bool{}
		}
		if m := arrow.FindStringSubmatch(line); m != nil && m[1] != "[*]" && m[2] != "[*]" {
			if drawn[section][m[1]+" "+m[2]] {
				t.Errorf("%s: %s --> %s is drawn twice", section, m[1], m[2])
			}
			drawn[section][m[1]+" "+m[2]] = true
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for name, m := range machines() {
		if !slices.Equal(sorted(drawn[name]), sorted(m.edges)) {
			t.Errorf("%s: drawn %v, the code has %v", name, sorted(drawn[name]), sorted(m.edges))
		}
		delete(drawn, name)
	}
	if len(drawn) > 0 {
		t.Errorf("docs/state-machines.md draws machines that the code does not have: %v", drawn)
	}
}

// rowIn are statements that make one row of each machine in a given state, with
// every column the CHECKs ask for, and the columns to set with a new state.
var rowIn = map[string]struct {
	insert func(state string) []string
	set    func(state string) string
}{
	"job": {func(s string) []string {
		return []string{"INSERT INTO turn (kind, requester, class, due, running, served) VALUES ('pin', '', 0, 0, 1, 0)", fmt.Sprintf(`INSERT INTO job (id, key, kind, class, state, payload, lane, ready, started, run_at, lease_owner, lease_until, outcome, created, updated)
			VALUES (1, 'k', 'pin', 0, '%s', '{}', 'now', 1, 1, 0, %s, 0, 0)`, s, jobColumnsFor(s))}
	}, func(s string) string {
		return "(lease_owner, lease_until, outcome) = (" + jobColumnsFor(s) + ")"
	}},
	"log": {func(s string) []string {
		return []string{"INSERT INTO log (id, filter, height, block, idx, tx, tx_index, address, topics, data, state) VALUES (1, 'f', 1, 'b', 0, 't', 0, 'a', '[]', x'', '" + s + "')"}
	}, nil},
	"request": {func(s string) []string {
		return []string{fmt.Sprintf(`INSERT INTO request (id, chain, provider, consumer, requester, action, seq, terms, payload, context, log_block, log_idx, height, tx,
			deadline, attempt_until, state, close_block, created, updated) VALUES (1, 1, 'p', 'c', 'r', 1, 0, x'', x'', x'', 'b', 0, 1, 't', 0, 0, '%s', %s, 0, 0)`, s, closeBlockFor(s))}
	}, func(s string) string { return "close_block = " + closeBlockFor(s) }},
	"answer": {func(s string) []string {
		return []string{
			"INSERT INTO job (id, key, kind, class, state, payload, lane, ready, run_at, outcome, created, updated) VALUES (1, 'k', 'pin', 0, 'done', '{}', 'now', 1, 0, 1, 0, 0)",
			"INSERT INTO batch (id, config_digest, digest, state, threshold, created, updated) VALUES (1, 'c', 'd', 'sealed', 1, 0, 0)",
			fmt.Sprintf(`INSERT INTO answer (job, request, outcome, reason, result, state, not_before, deadline, batch, created, updated)
				VALUES (1, 'r', 1, 0, x'', '%s', 0, 0, %s, 0, 0)`, s, batchFor(s)),
		}
	}, func(s string) string { return "batch = " + batchFor(s) }},
	"batch": {func(s string) []string {
		return []string{
			"INSERT INTO sender (address) VALUES ('s')",
			"INSERT INTO tx (id, intent, sender, target, data, value, expiry, state, fence, created, updated) VALUES (1, 'i', 's', 't', x'', '0', 0, 'queued', 0, 0, 0)",
			fmt.Sprintf("INSERT INTO batch (id, config_digest, digest, state, threshold, tx, created, updated) VALUES (1, 'c', 'd', '%s', 1, %s, 0, 0)", s, txFor(s)),
		}
	}, func(s string) string { return "tx = " + txFor(s) }},
	"tx": {func(s string) []string {
		return []string{
			"INSERT INTO sender (address) VALUES ('s')",
			fmt.Sprintf(`INSERT INTO tx (id, intent, sender, target, data, value, expiry, state, nonce, mined_hash, fence, created, updated)
				VALUES (1, 'i', 's', 't', x'', '0', 0, '%s', %s, 0, 0, 0)`, s, nonceFor(s)),
		}
	}, func(s string) string { return "(nonce, mined_hash) = (" + nonceFor(s) + ")" }},
	"bucket": {func(s string) []string {
		return []string{"INSERT INTO bucket (id, format, state, manifest, piece, padded, size, created, updated) VALUES (1, 'podsi', '" + s + "', " + pieceFor(s) + ", 0, 0)"}
	}, func(s string) string { return "(manifest, piece, padded, size) = (" + pieceFor(s) + ")" }},
	"offer": {func(s string) []string {
		return []string{`INSERT INTO offer (id, slot, miner, protocol, piece, request, choice, deadline, due_at, due_epoch, pay_end, created, updated, state, live, reason)
			VALUES ('1', 1, 1, 'mk12', 'p', x'', x'', 0, 0, 0, 1, 0, 0, '` + s + "', " + offerFor(s) + ")"}
	}, func(s string) string { return "(live, reason) = (" + offerFor(s) + ")" }},
	"repair": {func(s string) []string {
		return []string{`INSERT INTO repair (id, piece, deal, slot, size, words, due_at, created, updated, state, live)
			VALUES (1, 'p', 1, 1, 1, 'why', 0, 0, 0, '` + s + "', " + liveRepair(s) + ")"}
	}, func(s string) string { return "live = " + liveRepair(s) }},
}

func liveRepair(s string) string {
	if job.RepairState(s).Over() {
		return "0"
	}
	return "1"
}

func offerFor(s string) string {
	switch s {
	case "failed":
		return "0, 'why'"
	case "ended":
		return "0, ''"
	default:
		return "1, ''"
	}
}

func pieceFor(s string) string {
	if s == "ready" || s == "cleaned" {
		return "'m', 'p', 128, 127"
	}
	return "'', '', 0, 0"
}

func jobColumnsFor(s string) string {
	switch s {
	case "running":
		return "'w', 1, 0"
	case "done", "settled", "orphaned":
		return "'', 0, 1"
	default:
		return "'', 0, 0"
	}
}

func closeBlockFor(s string) string {
	if s == "answered" || s == "refunded" {
		return "'b'"
	}
	return "''"
}

func batchFor(s string) string {
	if s == "sealed" {
		return "1"
	}
	return "NULL"
}

func txFor(s string) string {
	if s == "sealed" || s == "signed" {
		return "NULL"
	}
	return "1"
}

func nonceFor(s string) string {
	switch s {
	case "queued":
		return "NULL, ''"
	case "mined", "final":
		return "1, 'h'"
	default:
		return "1, ''"
	}
}

// TestSchemaRefusesEveryOtherEdge goes through all pairs of states of all
// machines behind the store's back.
func TestSchemaRefusesEveryOtherEdge(t *testing.T) {
	db := openRaw(t)
	for name, m := range machines() {
		id := map[string]string{"answer": "job"}[name]
		if id == "" {
			id = "id"
		}
		for _, from := range m.states {
			for _, to := range m.states {
				if from == to {
					continue
				}
				tx, err := db.BeginTx(t.Context(), nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range rowIn[name].insert(from) {
					if _, err := tx.ExecContext(t.Context(), q); err != nil {
						t.Fatalf("%s in state %s: %v", name, from, err)
					}
				}
				q := "UPDATE " + name + " SET state = '" + to + "'"
				if set := rowIn[name].set; set != nil {
					q += ", " + set(to)
				}
				_, err = tx.ExecContext(t.Context(), q+" WHERE "+id+" = 1")
				refused := err != nil && strings.Contains(err.Error(), name+": no such transition")
				if m.edges[from+" "+to] && err != nil {
					t.Errorf("%s: %s → %s is an edge, but: %v", name, from, to, err)
				}
				if !m.edges[from+" "+to] && !refused {
					t.Errorf("%s: %s → %s is no edge, but the schema said %v", name, from, to, err)
				}
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestSchemaHoldsWhatIsNeverUndone tries, behind the store's back, what no code
// should be able to do.
func TestSchemaHoldsWhatIsNeverUndone(t *testing.T) {
	for _, c := range []struct {
		name  string
		setup []string
		do    string
		want  string
	}{
		{"a log is deleted", rowIn["log"].insert("seen"), "DELETE FROM log", "never deleted"},
		{"a job's key changes", rowIn["job"].insert("available"), "UPDATE job SET key = 'other'", "identity"},
		{"a fence goes back", append(rowIn["job"].insert("available"), "UPDATE job SET fence = 5"), "UPDATE job SET fence = 4", "fence went back"},
		{"a batch is edited", rowIn["batch"].insert("sealed"), "UPDATE batch SET digest = 'other'", "never edited"},
		{"a final request is retracted", append(rowIn["request"].insert("open"), "UPDATE request SET final = 1"), "UPDATE request SET state = 'retracted'", "final"},
		{"a final request is not final", append(rowIn["request"].insert("open"), "UPDATE request SET final = 1"), "UPDATE request SET final = 0", "final"},
		{"a final closing is reopened", append(rowIn["request"].insert("answered"), "UPDATE request SET closed_final = 1"),
			"UPDATE request SET state = 'open', close_block = '', closed_final = 0", "final"},
		{"a running job without an owner", rowIn["job"].insert("available"), "UPDATE job SET state = 'running'", "CHECK"},
		{"a done job without an outcome", rowIn["job"].insert("running"), "UPDATE job SET state = 'done', lease_owner = '', lease_until = 0", "CHECK"},
		{"a sealed answer without a batch", rowIn["answer"].insert("pending"), "UPDATE answer SET state = 'sealed'", "CHECK"},
		{"a signed binding changes", []string{"INSERT INTO signed_result VALUES ('s', 'r', 'h', 0)"}, "UPDATE signed_result SET result_hash = 'x'", "never changes"},
		{"a signed binding is deleted", []string{"INSERT INTO signed_result VALUES ('s', 'r', 'h', 0)"}, "DELETE FROM signed_result", "never deleted"},
		{"two undecided transactions of a key", rowIn["tx"].insert("prepared"), `INSERT INTO tx (intent, sender, target, data, value, expiry, state, nonce, fence, created, updated)
			VALUES ('j', 's', 't', x'', '0', 0, 'signed', 2, 0, 0, 0)`, "UNIQUE"},
		{"two transactions with one nonce", rowIn["tx"].insert("sent"), `INSERT INTO tx (intent, sender, target, data, value, expiry, state, nonce, fence, created, updated)
			VALUES ('j', 's', 't', x'', '0', 0, 'sent', 1, 0, 0, 0)`, "UNIQUE"},
		{"two jobs that answer one request", []string{jobThatAnswers(1)}, jobThatAnswers(2), "UNIQUE"},
		{"a bucket's piece changes", rowIn["bucket"].insert("ready"), "UPDATE bucket SET piece = 'other'", "never changes"},
		{"two buckets take items", rowIn["bucket"].insert("open"), "INSERT INTO bucket (format, state, created, updated) VALUES ('podsi', 'open', 0, 0)", "UNIQUE"},
		{"a waiting item in no bucket", rowIn["bucket"].insert("open"), "INSERT INTO item (piece, root, padded, car, blocks, state, created, updated) VALUES ('p', 'r', 128, 1, 1, 'waiting', 0, 0)", "CHECK"},
		{"a manifest changes", append(rowIn["bucket"].insert("ready"), "INSERT INTO bucket_item VALUES (1, 0, 0, 'p', 'r', 128, 1)"),
			"UPDATE bucket_item SET piece = 'q'", "never changes"},
		{"two live offers of one slot", rowIn["offer"].insert("proposing"), `INSERT INTO offer (id, slot, miner, protocol, piece, request, choice, deadline, due_at, due_epoch, created, updated, state, live)
			VALUES ('2', 1, 2, 'mk12', 'p', x'', x'', 0, 0, 0, 0, 0, 'proposing', 1)`, "UNIQUE"},
		{"an offer's request changes", rowIn["offer"].insert("proposing"), "UPDATE offer SET request = x'01'", "never changes"},
		{"two live repairs of one piece", rowIn["repair"].insert("stuck"), `INSERT INTO repair (id, piece, deal, slot, size, words, due_at, created, updated, state, live)
			VALUES (2, 'p', 2, 2, 1, '', 0, 0, 0, 'wanted', 1)`, "UNIQUE"},
		{"two blocks at one height", []string{"INSERT INTO block VALUES ('a', 1, 'p', 0)"}, "INSERT INTO block VALUES ('b', 1, 'p', 0)", "UNIQUE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			db := openRaw(t)
			for _, q := range c.setup {
				if _, err := db.ExecContext(t.Context(), q); err != nil {
					t.Fatalf("%s: %v", q, err)
				}
			}
			_, err := db.ExecContext(t.Context(), c.do)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func jobThatAnswers(id int) string {
	return fmt.Sprintf(`INSERT INTO job (id, key, kind, class, state, request, answers, payload, lane, ready, run_at, created, updated)
		VALUES (%d, 'k%d', 'pin', 0, 'available', 'r', 1, '{}', 'now', 1, 0, 0, 0)`, id, id)
}
