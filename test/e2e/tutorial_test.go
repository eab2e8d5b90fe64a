package e2e

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// step is a command of a tutorial and the lines that it prints.
type step struct {
	at      string // file:line
	command string
	prints  []string
}

// steps reads the commands of a page: in blocks fenced as ```console the lines that
// begin with "$ " are commands, and what follows each is what it prints.
func steps(t *testing.T, path string) []step {
	t.Helper()
	var out []step
	inside := false
	for i, line := range strings.Split(readFile(t, path), "\n") {
		switch {
		case line == "```console":
			inside = true
		case strings.HasPrefix(line, "```"):
			inside = false
		case !inside:
		case strings.HasPrefix(line, "$ "):
			out = append(out, step{fmt.Sprintf("%s:%d", filepath.Base(path), i+1), line[2:], nil})
		case len(out) == 0:
			t.Fatalf("%s:%d: output before any command", path, i+1)
		default:
			last := &out[len(out)-1]
			last.prints = append(last.prints, line)
		}
	}
	return out
}

// printed reports whether the lines are as a tutorial says: "…" stands for anything
// within a line, and a line of it alone for any number of lines.
func printed(want, got []string) bool {
	if len(want) == 0 {
		return len(got) == 0
	}
	if want[0] == "…" {
		return printed(want[1:], got) || len(got) > 0 && printed(want, got[1:])
	}
	if len(got) == 0 {
		return false
	}
	pattern := "^" + strings.ReplaceAll(regexp.QuoteMeta(want[0]), "…", ".*") + "$"
	return regexp.MustCompile(pattern).MatchString(strings.TrimRight(got[0], " \t")) && printed(want[1:], got[1:])
}

func TestPrintedSeesDeviations(t *testing.T) {
	for _, c := range []struct {
		want, got string
		same      bool
	}{
		{"a|b", "a|b", true}, {"a|b", "a", false}, {"a", "a|b", false}, {"a…c", "abbc", true}, {"a…c", "ab", false},
		{"…", "", true}, {"…|x", "1|2|x", true}, {"…|x", "1|2", false}, {"(1)", "(1)  ", true}, {"", "x", false},
	} {
		split := func(s string) []string { return strings.FieldsFunc(s, func(r rune) bool { return r == '|' }) }
		if printed(split(c.want), split(c.got)) != c.same {
			t.Errorf("%q against %q", c.got, c.want)
		}
	}
}

// shell is one bash that runs command after command.
type shell struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string
	dir   string
}

const shellMark = "=== command ended with "

func startShell(t *testing.T, env []string) *shell {
	t.Helper()
	s := &shell{cmd: exec.Command("bash", "--noprofile", "--norc"), lines: make(chan string, 4096), dir: t.TempDir()}
	s.cmd.Dir, s.cmd.Env = root(t), append(os.Environ(), env...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := s.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s.in, s.cmd.Stdout, s.cmd.Stderr = in, write, write
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	go func() {
		defer close(s.lines)
		scan := bufio.NewScanner(read)
		scan.Buffer(nil, 1<<20)
		for scan.Scan() {
			s.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) // with what it runs behind
		_ = s.cmd.Wait()
		_ = read.Close()
	})
	_, _ = s.run("set -o pipefail", time.Minute)
	return s
}

// run runs a command in the shell itself, so that what it sets stays.
func (s *shell) run(command string, within time.Duration) ([]string, error) {
	file := filepath.Join(s.dir, "command")
	if err := os.WriteFile(file, []byte(command+"\n"), 0o600); err != nil {
		return nil, err
	}
	if _, err := fmt.Fprintf(s.in, "source %s </dev/null; printf '%s%%d\\n' $?\n", file, shellMark); err != nil {
		return nil, err
	}
	var out []string
	timeout := time.After(patient(within))
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				return out, io.ErrUnexpectedEOF
			}
			if before, code, ended := strings.Cut(line, shellMark); ended {
				if before != "" { // a last line without its end
					out = append(out, before)
				}
				if code != "0" {
					return out, fmt.Errorf("exit status %s", code)
				}
				return out, nil
			}
			out = append(out, line)
		case <-timeout:
			return out, fmt.Errorf("not within %s", within)
		}
	}
}

// Every command of docs/tutorials is run as it stands, in one shell on one devnet with
// one daemon, and prints what the page says.
func TestTutorials(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"bin/tidegate", "bin/cast", "bin/forge"} {
		tool(t, name)
	}
	pages, err := filepath.Glob(filepath.Join(root(t), "docs/tutorials/[1-9]*.md"))
	if err != nil || len(pages) < 4 {
		t.Fatalf("%d tutorials (%v)", len(pages), err)
	}
	pages = append([]string{filepath.Join(root(t), "docs/tutorials/README.md")}, pages...)
	local := func() string { return fmt.Sprintf("127.0.0.1:%d", freePort(t)) }
	api := local()
	s := startShell(t, []string{
		"TMPDIR=" + t.TempDir(), fmt.Sprintf("PORT=%d", freePort(t)), "TIDEGATE_HTTP_LISTEN=" + api, "TIDEGATE_API=http://" + api,
		"TIDEGATE_HTTP_ADMIN=" + local(), "TIDEGATE_PUBLIC_LISTEN=" + local(), fmt.Sprintf("TIDEGATE_IPFS_LISTEN=/ip4/127.0.0.1/tcp/%d", freePort(t)),
	})
	for _, page := range pages {
		began := time.Now()
		for _, step := range steps(t, page) {
			got, err := s.run(step.command, 2*time.Minute)
			if err != nil || !printed(step.prints, got) {
				logs, _ := s.run(`tail -n 15 $WORK/devnet.log $WORK/daemon.log`, time.Minute)
				t.Fatalf("%s: %s\n%v; printed:\n%s\nwant:\n%s\n---- logs\n%s", step.at, step.command, err,
					strings.Join(got, "\n"), strings.Join(step.prints, "\n"), strings.Join(logs, "\n"))
			}
		}
		t.Logf("%s: %s", filepath.Base(page), time.Since(began).Round(100*time.Millisecond))
	}
}
