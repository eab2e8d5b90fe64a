package httpapi

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// loadKey reads the API key, or makes one that only this user can read.
func loadKey(path string) (string, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return makeKey(path)
	}
	if err != nil {
		return "", fmt.Errorf("reading the API key: %w", err)
	}
	if info, err := os.Stat(path); err == nil && info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("the API key in %s can be read by others (mode %04o): run chmod 600 on it, or remove it, and a new one is made", path, info.Mode().Perm())
	}
	key := strings.TrimSpace(string(b))
	if len(key) < 32 {
		return "", fmt.Errorf("the API key in %s is shorter than 32 characters: remove the file, and a new one is made", path)
	}
	return key, nil
}

func makeKey(path string) (string, error) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	key := hex.EncodeToString(b[:])
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fmt.Errorf("making the API key: %w", err)
	}
	_, err = fmt.Fprintln(f, key)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return "", fmt.Errorf("writing the API key to %s: %w", path, err)
	}
	return key, nil
}

// needKey lets a request through that carries the API key.
func (s *Server) needKey(next http.Handler) http.Handler {
	want := sha256.Sum256([]byte(s.key))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(strings.TrimSpace(given)))
		if !ok || subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			s.fail(w, http.StatusUnauthorized, "this needs the API key of the daemon's data directory (api.key), as Authorization: Bearer …", "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkHost refuses names that are not ours: a web page of a stranger whose
// name resolves to loopback sends its own.
func (s *Server) checkHost(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		host = strings.Trim(host, "[]")
		ip := net.ParseIP(host)
		if host != "localhost" && (ip == nil || !ip.IsLoopback()) && !slices.Contains(s.cfg.AllowedHosts, host) {
			s.fail(w, http.StatusMisdirectedRequest, "this Host is not served: add it to http.allowed_hosts if it is yours", "")
			return
		}
		if origin := r.Header.Get("Origin"); origin != "" && r.Method != http.MethodGet && r.Header.Get("Authorization") == "" {
			s.fail(w, http.StatusForbidden, "a web page may not do this", "")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// requestTime bounds reading and answering a request that neither streams nor
// carries content.
const requestTime = 30 * time.Second

// bounded ends connections whose peer reads or writes too slowly.
func bounded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := http.NewResponseController(w)
		until := time.Now().Add(requestTime)
		if err := errors.Join(c.SetReadDeadline(until), c.SetWriteDeadline(until)); err != nil {
			next.ServeHTTP(w, r) // a writer without deadlines, as in tests
			return
		}
		defer func() { // the connection is used again
			_ = c.SetReadDeadline(time.Time{})
			_ = c.SetWriteDeadline(time.Time{})
		}()
		next.ServeHTTP(w, r)
	})
}

// recoverPanics answers 500 and keeps the daemon up.
func (s *Server) recoverPanics(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if v == http.ErrAbortHandler {
				panic(v)
			}
			s.deps.Log.Error("a handler of the local API panicked", "path", r.URL.Path, "panic", v, "stack", string(debug.Stack()))
			s.fail(w, http.StatusInternalServerError, "a fault of ours: see the daemon's log", "")
		}()
		next.ServeHTTP(w, r)
	})
}
