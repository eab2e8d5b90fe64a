package signer

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/signer/core/apitypes"
)

// remoteTimeout bounds one signature; a person may have to confirm it.
const remoteTimeout = 60 * time.Second

// ErrWrongSignature is returned when a remote signer gave back something else
// than what it was asked to sign, or signed with another key.
var ErrWrongSignature = errors.New("the remote signer did not sign what it was asked to")

// Remote is a key behind JSON-RPC (web3signer, clef, a node with the account).
type Remote struct {
	address common.Address
	host    string // for words only: the URL may hold credentials
	client  *rpc.Client
}

// openRemote makes the remote signer of a Spec, over mutual TLS where it names a
// certificate.
func openRemote(ctx context.Context, spec Spec) (*Remote, error) {
	if spec.TLSCert == "" && spec.TLSKey == "" && spec.TLSCA == "" {
		return NewRemote(ctx, spec.Remote, spec.Address, nil)
	}
	if !strings.HasPrefix(spec.Remote, "https://") {
		return nil, errors.New("a remote signer with a certificate needs an https:// URL")
	}
	settings := &tls.Config{MinVersion: tls.VersionTLS13}
	if spec.TLSCert != "" || spec.TLSKey != "" {
		if err := checkPrivate(spec.TLSKey); err != nil {
			return nil, fmt.Errorf("the remote signer's tls_key: %w", err)
		}
		pair, err := tls.LoadX509KeyPair(spec.TLSCert, spec.TLSKey)
		if err != nil {
			return nil, fmt.Errorf("the certificate for the remote signer: %w", err)
		}
		settings.Certificates = []tls.Certificate{pair}
	}
	if spec.TLSCA != "" {
		pem, err := os.ReadFile(spec.TLSCA)
		if err != nil {
			return nil, fmt.Errorf("the remote signer's tls_ca: %w", err)
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("the remote signer's tls_ca %s holds no PEM certificate", spec.TLSCA)
		}
	}
	return NewRemote(ctx, spec.Remote, spec.Address, settings)
}

// NewRemote makes a signer for address behind rawURL; settings are for https, nil
// for the system's. It does not call it yet: a signer that is down at start is
// tried again with each signature.
func NewRemote(ctx context.Context, rawURL string, address common.Address, settings *tls.Config) (*Remote, error) {
	if address == (common.Address{}) {
		return nil, errors.New("a remote signer needs the address it is to sign for")
	}
	u, err := url.Parse(rawURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("the remote signer's URL must be http:// or https:// with a host")
	}
	var options []rpc.ClientOption
	if settings != nil {
		options = append(options, rpc.WithHTTPClient(&http.Client{Transport: &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: true}}))
	}
	client, err := rpc.DialOptions(ctx, rawURL, options...)
	if err != nil {
		return nil, fmt.Errorf("remote signer at %s: cannot be dialled", u.Host)
	}
	return &Remote{address: address, host: u.Host, client: client}, nil
}

// Address is the address that the remote side signs for.
func (r *Remote) Address() common.Address { return r.address }

// SignTx asks for a signature by eth_signTransaction and checks what comes back.
func (r *Remote) SignTx(ctx context.Context, tx *types.Transaction, chainID *big.Int) (*types.Transaction, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	var answer json.RawMessage
	if err := r.client.CallContext(ctx, &answer, "eth_signTransaction", r.txArgs(tx, chainID)); err != nil {
		return nil, fmt.Errorf("remote signer at %s: eth_signTransaction: %w", r.host, r.clean(err))
	}
	raw, err := rawTx(answer)
	if err != nil {
		return nil, fmt.Errorf("remote signer at %s: %w: %w", r.host, ErrWrongSignature, err)
	}
	signed := new(types.Transaction)
	if err := signed.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("remote signer at %s: %w: not a transaction: %w", r.host, ErrWrongSignature, err)
	}
	rules := types.LatestSignerForChainID(chainID)
	if signed.Type() != tx.Type() || rules.Hash(signed) != rules.Hash(tx) {
		return nil, fmt.Errorf("remote signer at %s: %w: another transaction came back (nonce %d, to %v; asked for nonce %d, to %v): it may fill in or change fields; configure it not to", r.host, ErrWrongSignature, signed.Nonce(), signed.To(), tx.Nonce(), tx.To())
	}
	from, err := types.Sender(rules, signed)
	if err != nil || from != r.address {
		return nil, fmt.Errorf("remote signer at %s: %w: signed by %s, not by %s", r.host, ErrWrongSignature, from, r.address)
	}
	return signed, nil
}

// SignTyped asks by eth_signTypedData_v4, then by eth_signTypedData where the
// first is not known, and checks what comes back.
func (r *Remote) SignTyped(ctx context.Context, data apitypes.TypedData) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	digest, _, err := apitypes.TypedDataAndHash(data)
	if err != nil {
		return nil, fmt.Errorf("hashing typed data: %w", err)
	}
	var sig hexutil.Bytes
	err = r.client.CallContext(ctx, &sig, "eth_signTypedData_v4", r.address, data)
	if unknownMethod(err) {
		err = r.client.CallContext(ctx, &sig, "eth_signTypedData", r.address, data)
	}
	if err != nil {
		return nil, fmt.Errorf("remote signer at %s: eth_signTypedData: %w", r.host, r.clean(err))
	}
	out, err := canonical(sig)
	if err != nil {
		return nil, fmt.Errorf("remote signer at %s: %w: %w", r.host, ErrWrongSignature, err)
	}
	from, err := Recover(digest, out)
	if err != nil || from != r.address {
		return nil, fmt.Errorf("remote signer at %s: %w: signed by %s, not by %s", r.host, ErrWrongSignature, from, r.address)
	}
	return out, nil
}

// Recover gives the address that signed digest; sig is 65 bytes with v 27 or 28.
func Recover(digest, sig []byte) (common.Address, error) {
	if len(sig) != 65 || (sig[64] != 27 && sig[64] != 28) {
		return common.Address{}, errors.New("a signature is 65 bytes and ends in 27 or 28")
	}
	plain := bytes.Clone(sig)
	plain[64] -= 27
	pub, err := crypto.SigToPub(digest, plain)
	if err != nil {
		return common.Address{}, fmt.Errorf("recovering a signer: %w", err)
	}
	return crypto.PubkeyToAddress(*pub), nil
}

// canonical accepts v as 0, 1, 27 or 28 and a high s, and gives v 27 or 28 with
// the low s that contracts insist on.
func canonical(sig []byte) ([]byte, error) {
	if len(sig) != 65 {
		return nil, fmt.Errorf("a signature of %d bytes instead of 65", len(sig))
	}
	out := bytes.Clone(sig)
	if out[64] < 27 {
		out[64] += 27
	}
	if out[64] != 27 && out[64] != 28 {
		return nil, fmt.Errorf("a signature with v = %d", sig[64])
	}
	order := crypto.S256().Params().N
	s := new(big.Int).SetBytes(out[32:64])
	if s.Cmp(new(big.Int).Rsh(order, 1)) > 0 {
		s.Sub(order, s).FillBytes(out[32:64])
		out[64] = 27 + 28 - out[64]
	}
	return out, nil
}

func (r *Remote) txArgs(tx *types.Transaction, chainID *big.Int) map[string]any {
	args := map[string]any{
		"from":    r.address,
		"gas":     hexutil.Uint64(tx.Gas()),
		"nonce":   hexutil.Uint64(tx.Nonce()),
		"value":   (*hexutil.Big)(tx.Value()),
		"data":    hexutil.Bytes(tx.Data()),
		"chainId": (*hexutil.Big)(chainID),
	}
	if tx.To() != nil {
		args["to"] = tx.To()
	}
	if tx.Type() == types.LegacyTxType {
		args["gasPrice"] = (*hexutil.Big)(tx.GasPrice())
	} else {
		args["maxFeePerGas"] = (*hexutil.Big)(tx.GasFeeCap())
		args["maxPriorityFeePerGas"] = (*hexutil.Big)(tx.GasTipCap())
	}
	return args
}

// rawTx reads both forms of answer in use: the bytes, or {"raw": bytes, …}.
func rawTx(answer json.RawMessage) ([]byte, error) {
	var plain hexutil.Bytes
	if json.Unmarshal(answer, &plain) == nil {
		return plain, nil
	}
	var wrapped struct {
		Raw hexutil.Bytes `json:"raw"`
	}
	if err := json.Unmarshal(answer, &wrapped); err != nil || len(wrapped.Raw) == 0 {
		return nil, errors.New("neither bytes nor an object with raw bytes came back")
	}
	return wrapped.Raw, nil
}

func unknownMethod(err error) bool {
	var coded rpc.Error
	return errors.As(err, &coded) && coded.ErrorCode() == -32601
}

// clean drops the URL, which may hold a password, from transport errors.
func (r *Remote) clean(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return fmt.Errorf("%s: %w", ue.Op, ue.Err)
	}
	return err
}

// String names the signer without its URL.
func (r *Remote) String() string {
	return strings.Join([]string{"remote signer of", r.address.Hex(), "at", r.host}, " ")
}

// GoString is String.
func (r *Remote) GoString() string { return r.String() }

// LogValue is what a log line shows.
func (r *Remote) LogValue() slog.Value { return slog.StringValue(r.String()) }
