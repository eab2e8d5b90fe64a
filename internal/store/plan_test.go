package store_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tidegate/tidegate/internal/store"
	"github.com/tidegate/tidegate/internal/store/storetest"
	"github.com/tidegate/tidegate/oracle/chain"
)

// growing are the tables that grow with history: a statement that walks one of
// them gets slower every day.
var growing = regexp.MustCompile(`SCAN (log|request|job|answer|batch|batch_item|tx|tx_attempt|block|turn|sample|r|j|a|i|x)\b`)

// byState is an index that is as long as history for most states: good for
// listings and counts only.
const byState = "INDEX job_state"

// mayWalk are statements that people ask for now and then, and why they may walk.
var mayWalk = map[string]string{
	"FROM log WHERE height >= ?":                    "listing logs, newest request last, is for audits",
	"FROM request WHERE 1 = 1":                      "listing requests walks request_seq from its end, up to the limit",
	"FROM job WHERE 1 = 1":                          "listing jobs walks from the newest, up to the limit",
	"SELECT kind, state, count(*) FROM job":         "counting walks the index of states",
	"FROM batch b LEFT JOIN tx x ON x.id = b.tx":    "walks batch_open, which holds open batches only",
	"WITH RECURSIVE k(kind)":                        "asks indexes of rows that are due, timed or running for their next kind",
	"INSERT OR FAIL INTO":                           "inserting walks nothing; the plan names the children of a deferred foreign key, read only while one is violated",
	"IN ('', ?) AND NOT EXISTS (SELECT 1 FROM job":  "walks the rows that the inner statement gave, of one turn, up to its limit",
	"WHERE state = 'running' AND (lease_owner":      "walks what is running now, when a daemon starts or stops",
	"WHERE state = 'running' AND lease_owner <> ''": "walks what is running now, when a daemon starts or stops",
	"SELECT 'local:elsewhere/' || n.id":             "as above; it looks at one job and walks the nodes",
	"FROM sample WHERE at >= ? GROUP BY":            "samples from before half a year are deleted, and all others counted",
	"SELECT max(version_id) FROM goose_db_version":  "a row a migration",
}

// TestSQLiteInMemoryConformsAndWalksNoHistory runs the conformance suite and looks
// at the plan of every statement that it made the store run.
func TestSQLiteInMemoryConformsAndWalksNoHistory(t *testing.T) {
	oneGoroutine(t)
	var plans store.Plans
	open := opener(func(testing.TB) string { return ":memory:" })
	storetest.Run(t, func(t testing.TB, clock func() time.Time) storetest.Ledger {
		l := open(t, clock)
		plans.Watch(l.(*store.Store))
		return l
	})
	if len(plans.Of()) < 80 {
		t.Fatalf("only %d statements were seen", len(plans.Of()))
	}
	for q, plan := range plans.Of() {
		excused := false
		for start := range mayWalk {
			excused = excused || strings.Contains(q, start)
		}
		for _, line := range plan {
			if !excused && (growing.MatchString(line) || strings.Contains(line, byState) || strings.HasPrefix(line, "not explained")) {
				t.Errorf("%s\n\t%s", strings.Join(strings.Fields(q), " "), strings.Join(plan, "\n\t"))
				break
			}
		}
	}
}

// What the watcher asks with each new block is answered by the index of logs that are
// not final, however many there are of the others.
func TestLogsThatAreNotFinalAreNotLookedForAmongAll(t *testing.T) {
	s, err := store.Open(t.Context(), store.Config{Path: filepath.Join(t.TempDir(), "ledger.db"), NodeID: "node"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var plans store.Plans
	plans.Watch(s)
	for _, after := range []int64{0, 7} {
		if _, err := s.Logs(t.Context(), chain.LogFilter{State: chain.LogSeen, FromHeight: 3, ToHeight: 9, AfterID: after, Limit: 100}); err != nil {
			t.Fatal(err)
		}
	}
	if len(plans.Of()) != 2 {
		t.Errorf("%d statements were seen", len(plans.Of()))
	}
	for q, plan := range plans.Of() {
		if !strings.Contains(strings.Join(plan, "\n"), "log_open") {
			t.Errorf("%s\n\t%s", q, strings.Join(plan, "\n\t"))
		}
	}
}
