package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/devnet"
)

const daoCID = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e"

// daoShell runs `tidegate dao` against a devnet with the suite.
type daoShell struct {
	t       *testing.T
	url     string
	keys    []devnet.Account
	factory common.Address
	dao     string
}

func newDaoShell(t *testing.T) *daoShell {
	t.Helper()
	net := devnet.Start(t)
	client, err := ethclient.DialContext(t.Context(), net.HTTPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	keys := net.Accounts()
	made, err := deploy.OnDevnet(t.Context(), client, keys[0].Key(), keys[1].Address)
	if err != nil {
		t.Fatal(err)
	}
	return &daoShell{t: t, url: net.HTTPURL(), keys: keys, factory: made.Contracts[bindings.DataDAOFactory]}
}

// run runs a command as a key; a negative key is for commands that only read.
func (s *daoShell) run(key int, args ...string) (code int, out, errOut string) {
	s.t.Helper()
	full := append([]string{"dao", args[0], "--rpc", s.url}, args[1:]...)
	if key >= 0 {
		s.t.Setenv("DAO_TEST_KEY", s.keys[key].PrivateKey)
		full = append([]string{"dao", args[0], "--rpc", s.url, "--key-env", "DAO_TEST_KEY"}, args[1:]...)
	}
	return tide(s.t, full...)
}

func (s *daoShell) ok(key int, args ...string) string {
	s.t.Helper()
	code, out, errOut := s.run(key, args...)
	if code != 0 {
		s.t.Fatalf("dao %v: code %d\n%s%s", args, code, out, errOut)
	}
	return out
}

func (s *daoShell) refused(key int, says string, args ...string) {
	s.t.Helper()
	if code, out, errOut := s.run(key, args...); code == 0 || !strings.Contains(errOut, says) {
		s.t.Errorf("dao %v: code %d, want %q\n%s%s", args, code, says, out, errOut)
	}
}

func (s *daoShell) later(seconds int) {
	s.t.Helper()
	client, err := rpc.DialContext(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	for _, call := range []struct {
		method string
		arg    int
	}{{"evm_increaseTime", seconds}, {"devnet_mine", 2}} {
		if err := client.CallContext(s.t.Context(), nil, call.method, call.arg); err != nil {
			s.t.Fatal(err)
		}
	}
}

func as[T any](t *testing.T, text string) (v T) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return v
}

// A DAO lives by its commands: made, proposed to, voted on, looked at, executed.
func TestDaoCommands(t *testing.T) {
	s := newDaoShell(t)
	made := as[sent](t, s.ok(0, "create", "--json", "--value", "5", "--tip", "0.1", "--founders", strings.Join([]string{
		s.keys[3].Address.Hex(), s.keys[4].Address.Hex(), s.keys[5].Address.Hex()}, ","), s.factory.Hex()))
	if made.DAO == nil {
		t.Fatal("no DAO")
	}
	s.dao = made.DAO.Hex()
	// A stranger pays the deposit without asking for it; data of a proposal is found again.
	if out := s.ok(6, "propose", "--size", "11", "--until", "2031-01-01T00:00:00Z", s.dao, daoCID); !strings.Contains(out, "deposit 0.5 FIL") {
		t.Errorf("proposed: %s", out)
	}
	s.ok(3, "vote", s.dao, "1", "yes")
	s.refused(3, "nobody votes twice", "vote", s.dao, "1", "no")
	s.refused(6, "the sender's own", "vote", s.dao, "1", "yes")
	s.refused(6, "still voted on", "execute", s.dao, "1")
	s.later(3700)
	s.ok(6, "execute", s.dao, "1")

	v := as[proposalView](t, s.ok(-1, "show", "--json", s.dao, "1"))
	if v.State != "executed" || v.CID != daoCID || v.Up != "1" || v.Held == nil || !v.Held.Accepted || v.Held.Pin != "requested" || v.Held.Deal != nil || v.Tip != "0" {
		t.Errorf("show: %+v %+v", v, v.Held)
	}
	if out := s.ok(-1, "show", s.dao, "1"); !strings.Contains(out, "requested") || !strings.Contains(out, "stored") {
		t.Errorf("show: %s", out)
	}
	if all := as[[]proposalView](t, s.ok(-1, "ls", "--json", s.dao)); len(all) != 1 || all[0].ID != 1 || all[0].Held == nil || all[0].Held.Pin != "requested" {
		t.Errorf("ls: %+v", all)
	}
	if out := s.ok(-1, "ls", s.dao); !strings.Contains(out, daoCID) || !strings.Contains(out, "executed") || !strings.Contains(out, "requested") {
		t.Errorf("ls: %s", out)
	}
	if got := as[[]memberView](t, s.ok(-1, "members", "--json", s.dao)); len(got) != 3 || got[0].Address != s.keys[3].Address {
		t.Errorf("members: %+v", got)
	}
	if got := as[treasuryView](t, s.ok(-1, "treasury", "--json", s.dao)); got.Treasury != "5000000000000000000" || got.Deposit != "500000000000000000" || got.Tip != "100000000000000000" {
		t.Errorf("treasury: %+v", got)
	}
	s.ok(4, "propose", "--action", "store", "--size", "11", "--store", "0.25", "--budget", "0.5", s.dao, daoCID)
	if v := as[proposalView](t, s.ok(-1, "show", "--json", s.dao, "2")); v.Action != "store" || v.Budget != "500000000000000000" || v.Tip != "100000000000000000" {
		t.Errorf("show: %+v", v)
	}
	if out := s.ok(-1, "show", s.dao, "2"); !strings.Contains(out, "0.1 FIL at most, of the budget") {
		t.Errorf("show: %s", out)
	}
	s.refused(0, "at most what one proposal may take, 1 FIL", "create", "--tip", "1.1", "--founders", s.keys[3].Address.Hex(), s.factory.Hex())
	if out := s.ok(4, "attest", s.dao, "2"); !strings.Contains(out, "Operators are asked") {
		t.Errorf("attest: %s", out)
	}
	s.refused(-1, "is it a DataDAO", "show", s.keys[0].Address.Hex(), "1")
	s.refused(-1, "not the number of a proposal", "show", s.dao, "x")
}

// What a proposal carries is refused before anything is sent, or says what was meant.
func TestDaoProposalsSayWhatTheyMean(t *testing.T) {
	const dao = "0x00000000000000000000000000000000000000aa"
	net := devnet.Start(t).HTTPURL()
	for _, c := range []struct {
		args string
		says string
	}{
		{"--action sell", "--action is one of"},
		{"--action renew", "needs --until"},
		{"--action remove --origin /ip4/1.2.3.4/tcp/1/p2p/x", "--origin is for add"},
		{"--action store", "--store"},
		{"--action remove --store 1", "--store is for"},
		{"--action change-bounty", "--bounty"},
		{"--action change-replicas", "--replicas"},
		{"--bounty 1", "--bounty"},
		{"--action store --store x", "not an amount of FIL"},
		{"--store 1 --terms /nowhere", "--terms"},
		{"--budget -1", "not an amount of FIL"},
	} {
		args := append([]string{"dao", "propose", "--rpc", net, "--size", "1"}, strings.Fields(c.args)...)
		if code, _, errOut := tide(t, append(args, dao, daoCID)...); code == 0 || !strings.Contains(errOut, c.says) {
			t.Errorf("%s: code %d, want %q\n%s", c.args, code, c.says, errOut)
		}
	}
}

// Terms in a file change the usual ones.
func TestTermsOfAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "terms.json")
	if err := os.WriteFile(path, []byte(`{"replicas":5,"bondFloor":7,"endpoint":"http://x/"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	terms := usualTerms()
	raw, _ := os.ReadFile(path)
	if err := json.Unmarshal(raw, &terms); err != nil || terms.Replicas != 5 || terms.BondFloor.Int64() != 7 || terms.Endpoint != "http://x/" || terms.Term != 518_400 {
		t.Errorf("terms %+v (%v)", terms, err)
	}
}
