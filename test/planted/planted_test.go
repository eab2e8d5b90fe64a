package planted

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// bug is one line of source made wrong.
type bug struct {
	name     string
	file     string // from the root
	old, new string
	pkg, run string // what must notice
	args     []string
}

var bugs = []bug{
	{
		name: "bytes are broadcast before they are stored",
		file: "oracle/txmgr/send.go",
		old:  "	if err := s.ledger.SignTx(ctx, row.ID,",
		new:  "	_ = s.pool.broadcast(ctx, raw)\n	if err := s.ledger.SignTx(ctx, row.ID,",
		pkg:  "./oracle/txmgr", run: "TestAStopAtAnyStatementOrCallChangesNoEffect",
	},
	{
		name: "a timeout is taken for a refusal, and the nonce goes to a new transaction",
		file: "oracle/txmgr/classify.go",
		old:  "	return reply{class: unknown, why: whyNoAnswer, words: text}",
		new:  "	return reply{class: refused, why: whyOther, words: text}",
		pkg:  "./oracle/txmgr", run: "TestAnyHistoryIsOneThatTheModelAllows",
		args: []string{"-rapid.nofailfile", "-rapid.shrinktime=0s", "-rapid.seed=1"},
	},
	{
		name: "the ledger does not look at a sender's fence",
		file: "internal/store/attempt.go",
		old:  "	if current != fence {",
		new:  "	if current < fence {",
		pkg:  "./internal/store", run: "TestSQLiteFileConforms/Tx",
	},
	{
		name: "the ledger does not look at a job's fence",
		file: "internal/store/claim.go",
		old:  "\" WHERE id = ? AND fence = ? AND state = 'running'\", append",
		new:  "\" WHERE id = ? AND fence >= ? AND state = 'running'\", append",
		pkg:  "./internal/store", run: "TestSQLiteFileConforms/Claim",
	},
	{
		name: "a batch of another operator is signed unseen",
		file: "oracle/report/judge.go",
		old:  "judged[i].Verdict != chain.Agree || once",
		new:  "once",
		pkg:  "./oracle/report", run: "TestOnlyWhatThisOperatorFoundAndSeesFinalIsCountersigned",
	},
	{
		name: "a second result of a request is signed",
		file: "oracle/report/batch.go",
		old:  "	if errors.Is(err, chain.ErrConflictingResult) {\n		return false, r.refuse(ctx, b, results)\n	}",
		new:  "	if errors.Is(err, chain.ErrConflictingResult) {\n		err = nil\n	}",
		pkg:  "./oracle/report", run: "TestAnotherResultOfARequestIsNeverSigned",
	},
}

func TestEachPlantedBugIsCaught(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bugs {
		t.Run(b.name, func(t *testing.T) {
			source := filepath.Join(root, b.file)
			text, err := os.ReadFile(source)
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), b.old); n != 1 {
				t.Fatalf("the place for the bug is %d times in %s: plant it anew", n, b.file)
			}
			dir := t.TempDir()
			wrong, overlay := filepath.Join(dir, "wrong.go"), filepath.Join(dir, "overlay.json")
			if err := os.WriteFile(wrong, []byte(strings.Replace(string(text), b.old, b.new, 1)), 0o600); err != nil {
				t.Fatal(err)
			}
			list, err := json.Marshal(map[string]map[string]string{"Replace": {source: wrong}})
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(overlay, list, 0o600); err != nil {
				t.Fatal(err)
			}
			args := append([]string{"test", "-vet=off", "-count=1", "-failfast", "-overlay", overlay, "-run", b.run, b.pkg}, b.args...)
			cmd := exec.CommandContext(t.Context(), "go", args...)
			cmd.Dir = root
			out, err := cmd.CombinedOutput()
			switch {
			case err == nil:
				t.Errorf("%s did not notice", b.run)
			case !strings.Contains(string(out), "--- FAIL: "+strings.SplitN(b.run, "/", 2)[0]):
				t.Errorf("no test failed, but something else did: %v\n%s", err, out)
			}
		})
	}
}
