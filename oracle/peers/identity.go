package peers

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"

	"github.com/tidegate/tidegate/oracle/signer"
)

// Signer signs with the operator's report key.
type Signer interface {
	Address() common.Address
	SignTyped(ctx context.Context, data apitypes.TypedData) ([]byte, error)
}

// Domain is where an operator is one: statements for another contract or chain are
// worth nothing.
type Domain struct {
	ChainID  uint64
	Provider common.Address
}

const (
	lifetime = 7 * 24 * time.Hour // of a certificate
	skew     = time.Minute        // between operators' clocks
	scheme   = "tidegate-operator"
)

// ErrNoOperator is returned for a certificate that no report key has signed for.
var ErrNoOperator = errors.New("the certificate belongs to no operator")

// Identity is a TLS key made by this process, and the report key's word for it. It
// is renewed when half of its life is over.
type Identity struct {
	domain Domain
	signer Signer
	now    func() time.Time

	mu    sync.Mutex
	cert  *tls.Certificate
	renew time.Time
}

// NewIdentity makes an identity; the report key signs for it at its first use.
func NewIdentity(domain Domain, s Signer, now func() time.Time) *Identity {
	return &Identity{domain: domain, signer: s, now: now}
}

func (id *Identity) certificate(ctx context.Context) (*tls.Certificate, error) {
	id.mu.Lock()
	defer id.mu.Unlock()
	now := id.now()
	if id.cert != nil && now.Before(id.renew) {
		return id.cert, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a TLS key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("encoding a TLS key: %w", err)
	}
	until := now.Add(lifetime).Truncate(time.Second)
	word, err := id.signer.SignTyped(ctx, statement(id.domain, public, until))
	if err != nil {
		return nil, fmt.Errorf("having the report key sign for a TLS key: %w", err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: id.signer.Address().Hex()},
		NotBefore: now.Add(-skew), NotAfter: until,
		URIs:        []*url.URL{{Scheme: scheme, Opaque: hex.EncodeToString(word)}},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	id.cert, id.renew = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, now.Add(lifetime/2)
	return id.cert, nil
}

// statement is what a report key signs for a TLS key: another type than a batch, so
// that neither is ever taken for the other.
func statement(d Domain, publicKey []byte, until time.Time) apitypes.TypedData {
	hash := sha256.Sum256(publicKey)
	return apitypes.TypedData{
		Types: apitypes.Types{
			"EIP712Domain": {
				{Name: "name", Type: "string"}, {Name: "version", Type: "string"},
				{Name: "chainId", Type: "uint256"}, {Name: "verifyingContract", Type: "address"},
			},
			"OperatorTLS": {{Name: "publicKey", Type: "bytes32"}, {Name: "until", Type: "uint64"}},
		},
		PrimaryType: "OperatorTLS",
		Domain: apitypes.TypedDataDomain{
			Name: "Tidegate", Version: "1",
			ChainId: (*math.HexOrDecimal256)(new(big.Int).SetUint64(d.ChainID)), VerifyingContract: d.Provider.Hex(),
		},
		Message: map[string]any{"publicKey": common.Hash(hash).Hex(), "until": strconv.FormatInt(until.Unix(), 10)},
	}
}

// operatorOf gives the report key that has signed for a certificate, or
// ErrNoOperator. TLS has proven that the other side holds the certificate's key.
func operatorOf(d Domain, cert *x509.Certificate, now time.Time) (common.Address, error) {
	if now.Before(cert.NotBefore.Add(-skew)) || now.After(cert.NotAfter.Add(skew)) {
		return common.Address{}, fmt.Errorf("%w: it is valid from %s to %s, and it is %s", ErrNoOperator, cert.NotBefore, cert.NotAfter, now.UTC())
	}
	if len(cert.URIs) != 1 || cert.URIs[0].Scheme != scheme {
		return common.Address{}, fmt.Errorf("%w: it holds no operator's word", ErrNoOperator)
	}
	word, err := hex.DecodeString(cert.URIs[0].Opaque)
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: its operator's word is not readable", ErrNoOperator)
	}
	digest, _, err := apitypes.TypedDataAndHash(statement(d, cert.RawSubjectPublicKeyInfo, cert.NotAfter))
	if err != nil {
		return common.Address{}, fmt.Errorf("hashing an operator's word: %w", err)
	}
	who, err := signer.Recover(digest, word)
	if err != nil {
		return common.Address{}, fmt.Errorf("%w: %w", ErrNoOperator, err)
	}
	return who, nil
}

// check is both sides' look at the other's certificate.
func (id *Identity) check(state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return ErrNoOperator
	}
	_, err := operatorOf(id.domain, state.PeerCertificates[0], id.now())
	return err
}

func (id *Identity) serverTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ClientAuth: tls.RequireAnyClientCert, VerifyConnection: id.check, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(h *tls.ClientHelloInfo) (*tls.Certificate, error) { return id.certificate(h.Context()) },
	}
}

func (id *Identity) clientTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, VerifyConnection: id.check,
		// Names and authorities mean nothing here: VerifyConnection looks at the
		// operator's word instead.
		InsecureSkipVerify:   true,
		GetClientCertificate: func(r *tls.CertificateRequestInfo) (*tls.Certificate, error) { return id.certificate(r.Context()) },
	}
}
