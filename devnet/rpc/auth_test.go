package rpc_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/filecoin-project/go-jsonrpc/auth"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/api/client"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/rpc"
)

var everything = []auth.Permission{"read", "write", "sign", "admin"}

// as is Lotus's own client with a token; none for "".
func (n *net) as(tb testing.TB, scheme, token string) api.FullNode {
	tb.Helper()
	header := http.Header{}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	full, closer, err := client.NewFullNodeRPCV1(within(tb), strings.Replace(n.server.URL(), "http", scheme, 1), header)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(closer)
	return full
}

func TestTokensDecideWhatIsAllowed(t *testing.T) {
	n := start(t, func(_ *chain.Config, c *rpc.Config) { c.TokenSecret = []byte("sixteen bytes or more") })
	for _, scheme := range []string{"http", "ws"} {
		for i, level := range append([]auth.Permission{""}, everything...) {
			token := ""
			if level != "" {
				var err error
				if token, err = n.server.Token(everything[:i]...); err != nil {
					t.Fatal(err)
				}
			}
			full, ctx := n.as(t, scheme, token), within(t)
			_, read := full.ChainHead(ctx)
			from, err := full.WalletDefaultAddress(ctx)
			wantAllowed(t, scheme, string(level)+" wallet", err, i >= 2)
			if err != nil {
				from = n.account(t, chain.Secp256k1).Address
			}
			_, sign := full.WalletSign(ctx, from, []byte("x"))
			_, admin := full.AuthNew(ctx, everything)
			_, push := full.MpoolPush(ctx, &types.SignedMessage{Message: types.Message{To: from, From: from}})
			wantAllowed(t, scheme, string(level)+" read", read, true)
			if got := push == nil || !strings.Contains(push.Error(), "missing permission"); got != (i >= 2) {
				t.Errorf("%s: with %q a push is answered %v", scheme, level, push)
			}
			wantAllowed(t, scheme, string(level)+" sign", sign, i >= 3)
			wantAllowed(t, scheme, string(level)+" admin", admin, i >= 4)
		}
	}
	n.refused(t, 0, "not found", "devnet_status") // the test's own client has no token
}

func wantAllowed(t *testing.T, scheme, what string, err error, allowed bool) {
	t.Helper()
	if (err == nil) != allowed {
		t.Errorf("%s, %s: %v, allowed should be %v", scheme, what, err, allowed)
	}
}

func TestTokensAreChecked(t *testing.T) {
	n := start(t, func(_ *chain.Config, c *rpc.Config) { c.TokenSecret = []byte("sixteen bytes or more") })
	token, err := n.server.Token(everything...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := n.as(t, "http", token).AuthVerify(within(t), token); err != nil || len(got) != 4 {
		t.Errorf("the token allows %v, %v", got, err)
	}
	for _, bad := range []string{"x", "a.b.c", token + "x", strings.Replace(token, ".", ".x", 1)} {
		if _, err := n.as(t, "http", bad).ChainHead(within(t)); err == nil {
			t.Errorf("token %q is taken", bad)
		}
	}
	if _, err := n.server.Token("root"); err == nil {
		t.Error("made a token for a permission that there is not")
	}
	if _, err := rpc.New(rpc.Config{TokenSecret: []byte("short")}, n.Chain); err == nil {
		t.Error("took a secret of five bytes")
	}
}
