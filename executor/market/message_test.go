package market

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	multisig "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
	"github.com/ipfs/go-cid"
	"pgregory.net/rapid"
)

// Numbers and forms are those of Filecoin, as go-state-types and lotus compute them.
func TestCallsAreFilecoinMessages(t *testing.T) {
	if methodAuthenticateMessage != builtin.MustGenerateFRCMethodNum("AuthenticateMessage") || InvokeEVM != builtin.MustGenerateFRCMethodNum("InvokeEVM") || InvokeEVM != builtin.MethodsEVM.InvokeContract || abi.MethodNum(MethodPropose) != builtin.MethodsMultisig.Propose {
		t.Error("method numbers")
	}
	from, err := address.NewIDAddress(1234)
	if err != nil {
		t.Fatal(err)
	}
	call := Call{To: common.HexToAddress("0x00112233445566778899aabbccddeeff00112233"), Value: big.NewInt(5), Data: []byte{1, 2, 3, 4}}
	m, err := call.Message(from)
	if err != nil {
		t.Fatal(err)
	}
	if hex.EncodeToString(m.Params) != "4401020304" || m.Value.Int64() != 5 || m.From != from {
		t.Errorf("%+v", m)
	}
	want, err := ethtypes.EthAddress(call.To).ToFilecoinAddress()
	if err != nil || m.To != want {
		t.Errorf("to %s, want %s (%v)", m.To, want, err)
	}
	p, err := call.Propose(from)
	if err != nil {
		t.Fatal(err)
	}
	var read multisig.ProposeParams
	if err := read.UnmarshalCBOR(bytes.NewReader(p.Propose)); err != nil || read.To != want || read.Method != InvokeEVM || !bytes.Equal(read.Params, m.Params) || read.Value.Int64() != 5 {
		t.Errorf("proposes %+v, %v", read, err)
	}
	if got := hex.EncodeToString(SlotPayload(1 << 24)); got != "1a01000000" {
		t.Errorf("payload %s", got)
	}
}

// Every Ethereum address is one of Filecoin's, as lotus has it, and comes back.
func TestAddressesAreLotuss(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := common.BytesToAddress(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(t, "address"))
		if rapid.Bool().Draw(t, "masked") {
			a = Masked(uint64(rapid.Int64Min(0).Draw(t, "id")))
		}
		want, err := ethtypes.EthAddress(a).ToFilecoinAddress()
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromEth(a)
		if err != nil || got != want {
			t.Fatalf("%s is %s, want %s (%v)", a, got, want, err)
		}
		back, err := (&Node{}).Seen(t.Context(), got)
		if err != nil || back != a {
			t.Fatalf("%s came back as %s (%v)", a, back, err)
		}
		for _, text := range []string{Text(got), a.Hex(), "t" + Text(got)[1:]} {
			if read, err := Parse(text); err != nil || read != got {
				t.Fatalf("%s was read as %s (%v)", text, read, err)
			}
		}
	})
	for _, text := range []string{"", "0x", "f1", "0x12", "00112233445566778899aabbccddeeff00112233", "f410", "hello"} {
		if a, err := Parse(text); !errors.Is(err, ErrAddress) {
			t.Errorf("%q was read as %s (%v)", text, a, err)
		}
	}
}

func TestFullNodeAPIInfo(t *testing.T) {
	const token = "eyJhbGciOiJIUzI1NiIs.eyJBbGxvdyI6WyJyZWFkIl19.a_b-c"
	for _, c := range []struct{ info, url, bearer string }{
		{token + ":/ip4/127.0.0.1/tcp/1234/http", "http://127.0.0.1:1234/rpc/v1", token},
		{"/ip4/10.1.2.3/tcp/1234/http", "http://10.1.2.3:1234/rpc/v1", ""},
		{token + ":/ip6/::1/tcp/1234/http", "http://[::1]:1234/rpc/v1", token},
		{token + ":/dns4/node.example/tcp/443/https", "https://node.example:443/rpc/v1", token},
		{token + ":http://127.0.0.1:1234", "http://127.0.0.1:1234/rpc/v1", token},
		{token + ":https://node.example/", "https://node.example/rpc/v1", token},
		{"https://api.node.glif.io/rpc/v1", "https://api.node.glif.io/rpc/v1", ""},
		{" wss://node.example/rpc/v1\n", "wss://node.example/rpc/v1", ""},
	} {
		e, err := ParseInfo(c.info)
		bearer, _ := strings.CutPrefix(e.Header.Get("Authorization"), "Bearer ")
		if err != nil || e.URL != c.url || bearer != c.bearer {
			t.Errorf("%q: %+v, %v", c.info, e, err)
		}
	}
	for _, bad := range []string{"", "node", token, token + ":", token + ":node", "/ip4/127.0.0.1", "/nothing", "ftp://x", "http://"} {
		if e, err := ParseInfo(bad); err == nil {
			t.Errorf("%q was read as %+v", bad, e)
		} else if strings.Contains(err.Error(), "eyJ") {
			t.Errorf("the error shows the token: %v", err)
		}
	}
}

func FuzzParseInfo(f *testing.F) {
	f.Add("a.b.c:/ip4/127.0.0.1/tcp/1/http")
	f.Add("http://[::1")
	f.Fuzz(func(t *testing.T, info string) {
		if e, err := ParseInfo(info); err == nil && !strings.Contains(e.URL, "://") {
			t.Errorf("%q: %q", info, e.URL)
		}
	})
}

// slow is a node on which a message is executed after some looks, each of which may fail.
type slow struct {
	lotus
	answers []error // nil: not yet
	looks   int
	found   *api.MsgLookup
}

func (s *slow) StateSearchMsg(context.Context, types.TipSetKey, cid.Cid, abi.ChainEpoch, bool) (*api.MsgLookup, error) {
	s.looks++
	if len(s.answers) == 0 {
		return s.found, nil
	}
	err := s.answers[0]
	s.answers = s.answers[1:]
	return nil, err
}

func TestAMessageIsAwaitedThroughTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("connection refused")
		message := cid.MustParse("bafy2bzaceaxm23epjsmh75yvzcecsrbavlmkcxnva66bkdebdcnyw3bjrc74u")
		raised := cid.MustParse("bafy2bzacedswlcz5ddgqnyo3sak3jmhmkxashisnlpq6ujgyhe4mlobzpnhs6")
		s := &slow{answers: []error{nil, down, down, nil, down}, found: &api.MsgLookup{Message: raised, Height: 9, Receipt: types.MessageReceipt{GasUsed: 7, ExitCode: 33}}}
		got, err := (&Node{api: s, every: 1e9}).Await(t.Context(), message)
		if err != nil || got.Message != raised || got.Exit != 33 || got.Height != 9 || got.GasUsed != 7 || got.Hash != common.BytesToHash(raised.Hash()[4:]) {
			t.Errorf("%+v, %v", got, err)
		}
		s = &slow{answers: make([]error, 100)}
		for i := range s.answers {
			s.answers[i] = down
		}
		if _, err := (&Node{api: s, every: 1e9}).Await(t.Context(), message); !errors.Is(err, down) || s.looks != 10 || !strings.Contains(err.Error(), message.String()) {
			t.Errorf("after %d looks: %v", s.looks, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3e9)
		defer cancel()
		if _, err := (&Node{api: &slow{answers: make([]error, 100)}, every: 1e9}).Await(ctx, message); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after the time: %v", err)
		}
	})
}
