package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"
)

// tide runs the command line in process.
func tide(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = run(t.Context(), context.Background(), append([]string{"tidegate"}, args...), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

func TestEveryCommandTeaches(t *testing.T) {
	var walk func(path []string, c *cli.Command)
	count := 0
	walk = func(path []string, c *cli.Command) {
		for _, sub := range c.Commands {
			if sub.Name == "help" {
				continue
			}
			count++
			at := append(append([]string{}, path...), sub.Name)
			if sub.Usage == "" {
				t.Errorf("%v has no usage line", at)
			}
			code, out, errOut := tide(t, append(at, "--help")...)
			if code != 0 || !strings.Contains(out, sub.Usage) {
				t.Errorf("%v --help: code %d\n%s%s", at, code, out, errOut)
			}
			walk(at, sub)
		}
	}
	walk(nil, newRoot(context.Background()))
	if count < 20 {
		t.Errorf("only %d commands", count)
	}
}

func TestWrongUseIsCodeTwoAndSaysHow(t *testing.T) {
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"dance"}, "dance"},
		{[]string{"jobs", "show"}, "job id"},
		{[]string{"jobs", "show", "x"}, "not a job id"},
		{[]string{"pin", "add"}, "one CID, or --file"},
		{[]string{"pin", "add", "a", "--file", "b"}, "one CID, or --file"},
		{[]string{"contracts", "show", "0x12", "--rpc", "http://127.0.0.1:1"}, "address"},
		{[]string{"keys", "adopt", "me"}, "address"},
		{[]string{"daemon", "--no-such-flag"}, "no-such-flag"},
	} {
		code, out, errOut := tide(t, c.args...)
		if code != 2 || !strings.Contains(errOut, c.says) || out != "" && !strings.Contains(out, "USAGE") {
			t.Errorf("%v: code %d, says %q (standard output %q), want 2 and %q", c.args, code, errOut, out, c.says)
		}
	}
}

func TestNoDaemonSaysWhatToDo(t *testing.T) {
	code, _, errOut := tide(t, "jobs", "ls", "--api", "http://127.0.0.1:1", "--data-dir", t.TempDir())
	if code != 1 || !strings.Contains(errOut, "tidegate daemon") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

func TestConfigCheckReportsEverything(t *testing.T) {
	code, _, errOut := tide(t, "config", "check", "--chain-id", "0", "--log-level", "loud")
	for _, want := range []string{"chain.id", "log.level", "chain.provider", "keys.sender"} {
		if code != 1 || !strings.Contains(errOut, want) {
			t.Errorf("code %d: %s does not name %s", code, errOut, want)
		}
	}
}

func TestConfigShowGivesAFileThatLoads(t *testing.T) {
	code, out, errOut := tide(t, "config", "show", "--devnet", "--toml", "--chain-provider", "0x00000000000000000000000000000000000000aa")
	if code != 0 {
		t.Fatal(errOut)
	}
	file := filepath.Join(t.TempDir(), "tide.toml")
	if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut = tide(t, "config", "show", "--config", file, "--json")
	if code != 0 {
		t.Fatal(errOut)
	}
	var settings []struct{ Path, Value, Source string }
	if err := json.Unmarshal([]byte(out), &settings); err != nil {
		t.Fatal(err)
	}
	for _, s := range settings {
		if s.Path == "chain.provider" && (s.Value != "0x00000000000000000000000000000000000000aa" || s.Source != "file") {
			t.Errorf("%+v", s)
		}
	}
}

func TestConfigShowHidesCredentials(t *testing.T) {
	_, out, _ := tide(t, "config", "show", "--chain-rpc", "https://me:hunter2@node.example/?token=hunter2")
	if strings.Contains(out, "hunter2") {
		t.Error(out)
	}
}

func TestKeysNewAndList(t *testing.T) {
	dir := t.TempDir()
	password := filepath.Join(dir, "password")
	if err := os.WriteFile(password, []byte("correct horse\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errOut := tide(t, "keys", "new", "--dir", filepath.Join(dir, "keys"), "--password-file", password, "--json")
	if code != 0 {
		t.Fatal(errOut)
	}
	var made, listed struct{ Address, File string }
	if err := json.Unmarshal([]byte(out), &made); err != nil {
		t.Fatal(err)
	}
	_, out, _ = tide(t, "keys", "ls", "--dir", filepath.Join(dir, "keys"), "--json")
	if err := json.Unmarshal([]byte(strings.Trim(strings.TrimSpace(out), "[]")), &listed); err != nil || listed != made {
		t.Errorf("made %+v, listed %s (%v)", made, out, err)
	}
	if info, err := os.Stat(made.File); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key file: %v %v", info.Mode(), err)
	}
}

// The client carries the key of the data directory and tells what the daemon's
// problems say.
func TestClientCarriesTheKeyAndTellsProblems(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "api.key"), []byte("sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer sesame" {
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"title":"key","status":401}`))
			return
		}
		w.WriteHeader(http.StatusConflict)
		_, _ = w.Write([]byte(`{"title":"its state does not allow that","detail":"job 3 is done","status":409}`))
	}))
	defer s.Close()
	code, _, errOut := tide(t, "jobs", "retry", "3", "--api", s.URL, "--data-dir", dir)
	if code != 1 || !strings.Contains(errOut, "job 3 is done") {
		t.Errorf("code %d: %s", code, errOut)
	}
	code, _, errOut = tide(t, "jobs", "retry", "3", "--api", s.URL, "--data-dir", t.TempDir())
	if code != 1 || !strings.Contains(errOut, "--data-dir") {
		t.Errorf("code %d: %s", code, errOut)
	}
}

// A list is read from where the flag says, whatever chain a variable names; two flags are one too many.
func TestSlotsAreReadFromTheFlagNotTheVariable(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"head":7,"items":[]}`))
	}))
	defer s.Close()
	t.Setenv("TIDEGATE_RPC", "http://127.0.0.1:1")
	code, out, errOut := tide(t, "sp", "slots", "--url", s.URL, "--json")
	if code != 0 || !strings.Contains(out, `"head":7`) {
		t.Errorf("code %d: %s%s", code, out, errOut)
	}
	if code, _, errOut = tide(t, "sp", "slots", "--url", s.URL, "--rpc", "http://127.0.0.1:2"); code != 2 || !strings.Contains(errOut, "alternatives") {
		t.Errorf("code %d: %s", code, errOut)
	}
}
