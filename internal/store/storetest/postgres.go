package storetest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Server is a Postgres for tests: the one that TIDEGATE_TEST_POSTGRES names (a URL
// with the right to make databases), or one of our own from Debian's package.
type Server struct {
	url  func(database string) string
	psql func(database, statement string) error
	stop func()
	next atomic.Int64
}

const noPostgres = "there is no Postgres to test against: install it (apt-get install postgresql), or set TIDEGATE_TEST_POSTGRES to the URL of a server on which databases may be made"

// StartPostgres gives a server that ends with Stop. Its error says what to install.
func StartPostgres() (*Server, error) {
	if given := os.Getenv("TIDEGATE_TEST_POSTGRES"); given != "" {
		return givenServer(given)
	}
	initdb, err := binary("initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := binary("postgres")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "tgpg") // a socket's path must be short
	if err != nil {
		return nil, fmt.Errorf("making a directory for Postgres: %w", err)
	}
	attributes, err := unprivileged(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	make := exec.Command(initdb, "-D", data, "-U", "tidegate", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	make.SysProcAttr, make.Dir = attributes, dir
	if out, err := make.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	// No port is opened: the socket is in a directory of our own.
	run := exec.Command(postgres, "-D", data, "-k", dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c", "shared_buffers=64MB")
	run.SysProcAttr, run.Dir = attributes, dir
	if err := run.Start(); err != nil {
		return nil, fmt.Errorf("starting Postgres: %w", err)
	}
	s := &Server{
		url: func(database string) string { return "postgres:///" + database + "?user=tidegate&host=" + dir },
		stop: sync.OnceFunc(func() {
			_ = run.Process.Signal(syscall.SIGQUIT) // at once: nothing in it is kept
			_ = run.Wait()
			_ = os.RemoveAll(dir)
		}),
	}
	if err := s.ready(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func givenServer(given string) (*Server, error) {
	base, query, _ := strings.Cut(given, "?")
	scheme, rest, ok := strings.Cut(base, "://")
	if !ok {
		return nil, fmt.Errorf("TIDEGATE_TEST_POSTGRES is not a URL like postgres://user@host:5432/postgres")
	}
	host, _, _ := strings.Cut(rest, "/")
	s := &Server{stop: func() {}, url: func(database string) string {
		out := scheme + "://" + host + "/" + database
		if query != "" {
			out += "?" + query
		}
		return out
	}}
	return s, s.ready()
}

// ready waits until the server answers.
func (s *Server) ready() error {
	psql, err := binary("psql")
	if err != nil {
		return err
	}
	s.psql = func(database, statement string) error {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if out, err := exec.CommandContext(ctx, psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", statement, s.url(database)).CombinedOutput(); err != nil {
			return fmt.Errorf("psql: %w: %s", err, out)
		}
		return nil
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := s.psql("postgres", "SELECT 1")
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the Postgres for tests does not answer: %w", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// Stop ends a server of our own and drops its data.
func (s *Server) Stop() { s.stop() }

// Database makes an empty database that ends with the test, and gives its URL.
func (s *Server) Database(t testing.TB) (name, url string) {
	t.Helper()
	name = fmt.Sprintf("tidegate_test_%d_%d", os.Getpid(), s.next.Add(1))
	if err := s.psql("postgres", "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.psql("postgres", "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return name, s.url(name)
}

// empty is a statement that drops all rows but the schema's own.
const empty = `DO $$ DECLARE names text; BEGIN
	SELECT string_agg(quote_ident(tablename), ', ') INTO names FROM pg_tables
		WHERE schemaname = 'public' AND tablename NOT LIKE '%\_edge' AND tablename <> 'goose_db_version';
	EXECUTE 'TRUNCATE ' || names || ' RESTART IDENTITY CASCADE';
END $$`

// Empty drops all rows of a ledger in a database: quicker than a new one.
func (s *Server) Empty(t testing.TB, database string) {
	t.Helper()
	if err := s.psql(database, empty); err != nil {
		t.Fatal(err)
	}
}

// binary finds a program of Postgres on the path or where Debian puts it.
func binary(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil && name == "psql" {
		return path, nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if err == nil && len(found) > 0 {
		return found[len(found)-1], nil
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s (%s is missing)", noPostgres, name)
}

// unprivileged gives dir to a user that Postgres agrees to run as: it refuses root.
func unprivileged(dir string) (*syscall.SysProcAttr, error) {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT}
	if os.Geteuid() != 0 {
		return attributes, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%s (Postgres does not run as root, and there is no user postgres)", noPostgres)
	}
	uid, err1 := strconv.Atoi(u.Uid)
	gid, err2 := strconv.Atoi(u.Gid)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("the user postgres has the ids %s and %s", u.Uid, u.Gid)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, fmt.Errorf("giving %s to the user postgres: %w", dir, err)
	}
	attributes.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attributes, nil
}
