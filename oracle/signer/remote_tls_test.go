package signer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// identity is a self-signed certificate on disk.
type identity struct {
	cert, key string
	pair      tls.Certificate
	pool      *x509.CertPool
}

func newIdentity(t *testing.T, name string) identity {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	id := identity{cert: filepath.Join(t.TempDir(), name+".crt"), key: filepath.Join(t.TempDir(), name+".key"), pool: x509.NewCertPool()}
	for path, block := range map[string]*pem.Block{id.cert: {Type: "CERTIFICATE", Bytes: der}, id.key: {Type: "PRIVATE KEY", Bytes: raw}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if id.pair, err = tls.LoadX509KeyPair(id.cert, id.key); err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	id.pool.AddCert(made)
	return id
}

func TestARemoteSignerOverMutualTLS(t *testing.T) {
	key := fromHex(t, secret)
	server, client, stranger := newIdentity(t, "server"), newIdentity(t, "client"), newIdentity(t, "stranger")
	handler := rpc.NewServer()
	if err := handler.RegisterName("eth", &remoteSide{key: key}); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewUnstartedServer(handler)
	web.TLS = &tls.Config{Certificates: []tls.Certificate{server.pair}, ClientCAs: client.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	web.StartTLS()
	t.Cleanup(func() { web.Close(); handler.Stop() })

	spec := Spec{Remote: web.URL, Address: key.Address(), TLSCert: client.cert, TLSKey: client.key, TLSCA: server.cert}
	good, err := FromSpec(t.Context(), spec, 314)
	if err != nil {
		t.Fatal(err)
	}
	checkSigns(t, good)

	for name, change := range map[string]func(*Spec){
		"another certificate than the signer knows": func(s *Spec) { s.TLSCert, s.TLSKey = stranger.cert, stranger.key },
		"a signer with another certificate":         func(s *Spec) { s.TLSCA = stranger.cert },
		"no certificate":                            func(s *Spec) { s.TLSCert, s.TLSKey = "", "" },
	} {
		bad := spec
		change(&bad)
		s, err := FromSpec(t.Context(), bad, 314)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := s.SignTx(t.Context(), transfer(3), big.NewInt(314)); err == nil {
			t.Errorf("%s: signed", name)
		}
	}
	if err := os.Chmod(client.key, 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		spec Spec
		want string
	}{
		"a key that others can read": {spec, "chmod 600"},
		"http":                       {Spec{Remote: "http://127.0.0.1:1", Address: key.Address(), TLSCA: server.cert}, "https"},
		"no PEM":                     {Spec{Remote: web.URL, Address: key.Address(), TLSCA: client.key}, "holds no PEM certificate"},
	} {
		if _, err := FromSpec(t.Context(), c.spec, 314); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
