package queue

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nsqio/nsq/nsqd"

	"github.com/tidegate/tidegate/executor/job"
)

// certificate makes a self-signed one and gives its files and a pool that trusts it.
func certificate(t *testing.T) (cert, key string, pool *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key, pool = filepath.Join(t.TempDir(), "cert"), filepath.Join(t.TempDir(), "key"), x509.NewCertPool()
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})))
	pem, err := os.ReadFile(cert)
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the certificate does not read back", err)
	}
	return cert, key, pool
}

// secured is an nsqd that takes TLS only and asks who is there.
func secured(t *testing.T, secret string) (addr string, pool *x509.CertPool) {
	t.Helper()
	var cert, key string
	cert, key, pool = certificate(t)
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("secret") != secret {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		fmt.Fprint(w, `{"ttl":60,"authorizations":[{"topic":".*","channels":[".*"],"permissions":["subscribe","publish"]}]}`)
	}))
	t.Cleanup(auth.Close)
	opts := nsqd.NewOptions()
	opts.TCPAddress, opts.HTTPAddress, opts.HTTPSAddress = "127.0.0.1:0", "", ""
	opts.DataPath, opts.Logger = t.TempDir(), &output{log: slog.New(slog.DiscardHandler)}
	opts.TLSCert, opts.TLSKey, opts.TLSRequired = cert, key, nsqd.TLSRequired
	opts.AuthHTTPAddresses = []string{strings.TrimPrefix(auth.URL, "http://")}
	d, err := nsqd.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Main() }()
	t.Cleanup(func() { d.Exit(); <-done })
	return d.RealTCPAddr().String(), pool
}

func TestAnExternalQueueWithTLSAndAuthorisation(t *testing.T) {
	addr, pool := secured(t, "open sesame")
	settings := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	q, _, stop := startStop(t, Config{NSQD: []string{addr}, TLS: settings, AuthSecret: "open sesame"})
	quiet(t, q)
	n := received(t, q, "pin")
	q.Notify(job.KindPin)
	eventually(t, "a message over TLS", func() bool { return received(t, q, "pin") > n })
	stop()

	_, _, stranger := certificate(t)
	for name, cfg := range map[string]Config{
		"without TLS":             {AuthSecret: "open sesame"},
		"with another secret":     {TLS: settings, AuthSecret: "wrong"},
		"with a wrong authority":  {TLS: &tls.Config{RootCAs: stranger, MinVersion: tls.VersionTLS12}, AuthSecret: "open sesame"},
		"with no secret to offer": {TLS: settings},
	} {
		cfg.NSQD = []string{addr}
		q, j, stop := startStop(t, cfg)
		q.Notify(job.KindPin)
		wakes(t, q, job.KindPin) // in the process: nothing waits for the queue
		eventually(t, "the refusal to be told", func() bool { return !q.Status().Connected && q.Status().Error != "" })
		if received(t, q, "pin") != 0 || strings.Contains(j.String(), "open sesame") {
			t.Errorf("%s: connected, or the secret is in the log:\n%s", name, j)
		}
		stop()
	}
}
