package rpc

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-jsonrpc/auth"
	"github.com/filecoin-project/lotus/api"
)

// levels are the permissions, each of which includes those before it.
var levels = []auth.Permission{"read", "write", "sign", "admin"}

var (
	errNoSecret = errors.New("this devnet asks for no tokens: run it with a token secret")
	errBadToken = errors.New("JWT verification failed")
)

// tokenHeader is the first part of every token: HMAC with SHA-256.
var tokenHeader = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`))

// claims are what a token says.
type claims struct {
	Allow []auth.Permission
}

func signature(secret []byte, signed string) string {
	mac := hmac.New(sha256.New, secret)
	_, _ = mac.Write([]byte(signed)) // a hash never fails to write
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// newToken signs permissions.
func newToken(secret []byte, allow []auth.Permission) (string, error) {
	for _, p := range allow {
		if !slices.Contains(levels, p) {
			return "", fmt.Errorf("no permission is called %q: give read, write, sign, admin", p)
		}
	}
	body, err := json.Marshal(claims{allow})
	if err != nil {
		return "", err
	}
	signed := tokenHeader + "." + base64.RawURLEncoding.EncodeToString(body)
	return signed + "." + signature(secret, signed), nil
}

// verifyToken gives the permissions of a token that secret signed.
func verifyToken(secret []byte, token string) ([]auth.Permission, error) {
	signed, mac, ok := cutLast(token, ".")
	header, body, two := strings.Cut(signed, ".")
	if !ok || !two || header != tokenHeader || !hmac.Equal([]byte(mac), []byte(signature(secret, signed))) {
		return nil, errBadToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil {
		return nil, errBadToken
	}
	var c claims
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, errBadToken
	}
	return c.Allow, nil
}

func cutLast(text, sep string) (before, after string, found bool) {
	i := strings.LastIndex(text, sep)
	if i < 0 {
		return text, "", false
	}
	return text[:i], text[i+len(sep):], true
}

// levelOf is the highest permission of a request: read without a token, all if the
// server asks for none.
func (c Config) levelOf(r *http.Request) (int, error) {
	if len(c.TokenSecret) == 0 {
		return len(levels) - 1, nil
	}
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !bearer {
		token = r.URL.Query().Get("token") // as browsers' WebSockets must
	}
	if token == "" {
		return 0, nil
	}
	allowed, err := verifyToken(c.TokenSecret, token)
	if err != nil {
		return 0, err
	}
	level := -1
	for _, p := range allowed {
		level = max(level, slices.Index(levels, p))
	}
	if level < 0 {
		return 0, errBadToken
	}
	return level, nil
}

// permissions are what Lotus asks for each of its methods.
func permissions() map[string]auth.Permission {
	out := map[string]auth.Permission{}
	for _, methods := range []reflect.Type{
		reflect.TypeFor[api.FullNodeMethods](), reflect.TypeFor[api.CommonMethods](), reflect.TypeFor[api.NetMethods](),
	} {
		for i := range methods.NumField() {
			field := methods.Field(i)
			out[field.Name] = auth.Permission(field.Tag.Get("perm"))
		}
	}
	return out
}

// denied answers for a method that the caller's token does not allow.
type denied struct {
	name string
	need auth.Permission
}

// Call is the method.
func (d denied) Call(jsonrpc.RawParams) (any, error) {
	return nil, fmt.Errorf("missing permission to invoke '%s' (need '%s')", d.name, d.need)
}

// byLevel are the servers of all permissions, of which one has all methods if no tokens
// are asked for.
func (n *node) byLevel() []*jsonrpc.RPCServer {
	out := make([]*jsonrpc.RPCServer, len(levels))
	for level := range levels {
		if len(n.config.TokenSecret) > 0 || level == len(levels)-1 {
			out[level] = n.register(level)
		}
	}
	return out
}

// AuthNew is Filecoin.AuthNew: a token.
func (n *node) AuthNew(_ context.Context, allow []auth.Permission) ([]byte, error) {
	if len(n.config.TokenSecret) == 0 {
		return nil, errNoSecret
	}
	token, err := newToken(n.config.TokenSecret, allow)
	return []byte(token), err
}

// AuthVerify is Filecoin.AuthVerify: what a token allows.
func (n *node) AuthVerify(_ context.Context, token string) ([]auth.Permission, error) {
	if len(n.config.TokenSecret) == 0 {
		return nil, errNoSecret
	}
	return verifyToken(n.config.TokenSecret, token)
}

// Token is a token for these permissions (read, write, sign, admin); each is named, for
// the highest includes the others here and not in Lotus's own check.
func (s *Server) Token(allow ...auth.Permission) (string, error) {
	if len(s.config.TokenSecret) == 0 {
		return "", errNoSecret
	}
	return newToken(s.config.TokenSecret, allow)
}
