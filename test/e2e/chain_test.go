package e2e

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"

	"github.com/tidegate/tidegate/devnet/fault"
)

// network is a chain with the contracts deployed on it.
type network struct {
	t         testing.TB
	RPC       string            `json:"rpc"`
	WS        string            `json:"ws"`
	ChainID   uint64            `json:"chainId"`
	Start     uint64            `json:"startBlock"`
	Contracts map[string]string `json:"contracts"`
	Keys      []account         `json:"keys"`
	Miners    []string          `json:"miners"`
	client    *ethclient.Client
	proc      *proc
	gas       uint64 // limit of a transaction that a test signs itself
	plain     string // why daemons read the endpoint itself; "": through realistic faults
}

type account struct {
	Address    string `json:"address"`
	PrivateKey string `json:"privateKey"`
}

// Roles of the funded keys: the deployer also owns the contracts.
const (
	keyDeployer = iota
	keySender
	keyReport
	keyAlice
	keyBob
)

// devnetGas is the limit of a transaction that a test signs itself.
const devnetGas = 150_000_000

// startDevnet runs `tidegate devnet --json`, with an epoch every second.
func startDevnet(t testing.TB) *network {
	t.Helper()
	p := start(t, "devnet", true, nil, tidegate(t), devnetArgs(t, "1s")...)
	return devnetLine(t, p).dial(t, p)
}

func devnetArgs(t testing.TB, blockTime string) []string {
	return []string{"devnet", "--json", "--port", fmt.Sprint(freePort(t)), "--block-time", blockTime}
}

// devnetLine waits for the line that says what the devnet is.
func devnetLine(t testing.TB, p *proc) *network {
	t.Helper()
	n := decode[network](t, p.line(t, 5*time.Minute, func(l string) bool { return strings.HasPrefix(l, "{") }))
	n.gas = devnetGas
	return &n
}

// shared is the chain of tests that use one as strangers do; it ends with the last.
var shared struct {
	once sync.Once
	proc *proc
	made *network
}

// sharedDevnet gives a chain that other tests used before: it makes epochs when a
// message comes, until that is final, and each test sees it from where it stands.
// A test that steers a chain, or needs it to move by itself, starts its own, and is parallel
// to others unless it measures how long something takes.
func sharedDevnet(t testing.TB) *network {
	t.Helper()
	shared.once.Do(func() {
		p, err := launch("devnet", true, nil, tidegate(t), devnetArgs(t, "0")...)
		if err != nil {
			t.Fatal(err)
		}
		shared.proc = p
		shared.made = devnetLine(t, p)
	})
	if shared.made == nil {
		t.Fatal("the shared devnet did not start")
	}
	t.Cleanup(func() { shared.proc.logOf(t) })
	n := *shared.made
	n.Keys = slices.Clone(n.Keys)
	n.dial(t, shared.proc)
	head, err := n.client.BlockNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n.Start = head + 1
	return &n
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.proc != nil {
		shared.proc.kill()
	}
	os.Exit(code)
}

// startAnvil runs anvil and deploys with `tidegate contracts deploy`.
func startAnvil(t testing.TB, args ...string) *network {
	t.Helper()
	port := freePort(t)
	args = append([]string{"--port", fmt.Sprint(port), "--slots-in-an-epoch", "4", "--silent"}, args...)
	p := start(t, "anvil", false, nil, tool(t, "bin/anvil"), args...)
	rpc := fmt.Sprintf("http://127.0.0.1:%d", port)
	eventually(t, 30*time.Second, "anvil answers", func() error {
		_, err := tryOutput(nil, cast(t), "chain-id", "--rpc-url", rpc)
		return err
	})
	keys := devKeys()
	out := output(t, []string{"DEPLOYER_KEY=" + keys[keyDeployer].PrivateKey}, tidegate(t), "contracts", "deploy", "--json",
		"--rpc", rpc, "--key-env", "DEPLOYER_KEY", "--profile", "anvil", "--samples", "--operators", keys[keyReport].Address)
	n := decode[network](t, out)
	n.RPC, n.Keys, n.gas = rpc, keys, 1_000_000
	return n.dial(t, p)
}

// devKeys are the accounts that anvil and the devnet fund.
func devKeys() []account {
	return []account{
		{"0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"},
		{"0x70997970C51812dc3A010C7d01b50e0d17dc79C8", "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"},
		{"0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"},
		{"0x90F79bf6EB2c4f870365E785982E1f101E93b906", "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"},
		{"0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65", "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"},
	}
}

func (n *network) dial(t testing.TB, p *proc) *network {
	t.Helper()
	n.t, n.proc = t, p
	client, err := ethclient.Dial(n.RPC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	n.client = client
	return n
}

func (n *network) pinning() string  { return n.Contracts["EstuaryPinning"] }
func (n *network) provider() string { return n.Contracts["EstuaryProvider"] }

// call reads a contract with cast.
func (n *network) call(to, sig string, args ...string) string {
	n.t.Helper()
	return output(n.t, nil, cast(n.t), append([]string{"call", "--rpc-url", n.RPC, to, sig}, args...)...)
}

// send signs and sends with cast and waits for the receipt.
func (n *network) send(key int, value *big.Int, to, sig string, args ...string) receipt {
	n.t.Helper()
	full := []string{"send", "--rpc-url", n.RPC, "--private-key", n.Keys[key].PrivateKey, "--json"}
	if value != nil && value.Sign() > 0 {
		full = append(full, "--value", value.String())
	}
	r := decode[receipt](n.t, output(n.t, nil, cast(n.t), append(append(full, to, sig), args...)...))
	if r.Status != "0x1" {
		n.t.Fatalf("%s reverted in %s", sig, r.TransactionHash)
	}
	return r
}

// refuses sends with cast what a contract has to refuse with an error of that name.
func (n *network) refuses(key int, value *big.Int, errorSig, to, sig string, args ...string) {
	n.t.Helper()
	full := []string{"send", "--rpc-url", n.RPC, "--private-key", n.Keys[key].PrivateKey}
	if value != nil {
		full = append(full, "--value", value.String())
	}
	_, err := tryOutput(nil, cast(n.t), append(append(full, to, sig), args...)...)
	if want := common.Bytes2Hex(crypto.Keccak256([]byte(errorSig))[:4]); err == nil || !strings.Contains(err.Error(), "0x"+want) {
		n.t.Errorf("%s %v: want %s, got %v", sig, args, errorSig, err)
	}
}

type receipt struct {
	Status          string `json:"status"`
	TransactionHash string `json:"transactionHash"`
	BlockNumber     string `json:"blockNumber"`
	BlockHash       string `json:"blockHash"`
	GasUsed         string `json:"gasUsed"`
	Logs            []struct {
		Address string        `json:"address"`
		Topics  []common.Hash `json:"topics"`
	} `json:"logs"`
}

// requestID is topic 1 of the provider's event.
func (n *network) requestID(r receipt) common.Hash {
	n.t.Helper()
	for _, l := range r.Logs {
		if strings.EqualFold(l.Address, n.provider()) && len(l.Topics) == 4 {
			return l.Topics[1]
		}
	}
	n.t.Fatalf("no OracleRequested in %s", r.TransactionHash)
	return common.Hash{}
}

// number reads a decimal out of cast's decoded output ("123 [1.2e2]").
func number(t testing.TB, text string) *big.Int {
	t.Helper()
	v, ok := new(big.Int).SetString(strings.Fields(text)[0], 10)
	if !ok {
		t.Fatalf("not a number: %q", text)
	}
	return v
}

func (n *network) quotePin() *big.Int {
	n.t.Helper()
	return number(n.t, strings.Split(n.call(n.pinning(), "quotePin()(uint96,uint96)"), "\n")[0])
}

func (n *network) quoteUnpin() *big.Int {
	n.t.Helper()
	return number(n.t, strings.Split(n.call(n.pinning(), "quoteUnpin()(uint96,uint96)"), "\n")[0])
}

// Pin states as IEstuaryPinning numbers them.
const (
	pinNone = iota
	pinRequested
	pinPinned
	pinFailed
	pinExpired
)

func (n *network) status(cid string) int64 {
	n.t.Helper()
	return number(n.t, n.call(n.pinning(), "statusOf(string)(uint8)", cid)).Int64()
}

// pin is what a wallet does: pinToEstuary(string) at the quoted price.
func (n *network) pin(key int, cid string) common.Hash {
	n.t.Helper()
	return n.requestID(n.send(key, n.quotePin(), n.pinning(), "pinToEstuary(string)", cid))
}

func (n *network) awaitStatus(cid string, want int64, within time.Duration) {
	n.t.Helper()
	eventually(n.t, within, fmt.Sprintf("statusOf(%s) = %d", cid, want), func() error {
		if got := n.status(cid); got != want {
			return fmt.Errorf("it is %d", got)
		}
		return nil
	})
}

// daemon is a running `tidegate daemon`.
type daemon struct {
	*proc
	n    *network
	dir  string
	api  string
	p2p  int
	args []string
	env  []string
}

// newDaemon configures a daemon for the network; start runs it. It reads the chain as one
// reads a public endpoint, through the realistic faults, or those of TIDEGATE_FAULTS
// (switches as for tidegate faults, or none), unless the network says why not.
func newDaemon(t testing.TB, n *network, flags ...string) *daemon {
	t.Helper()
	d := &daemon{n: n, dir: filepath.Join(t.TempDir(), "tidegate"), p2p: freePort(t)}
	d.api = fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d.args = append([]string{
		"daemon", "--devnet", "--data-dir", d.dir, "--chain-rpc", n.RPC, "--chain-id", fmt.Sprint(n.ChainID),
		"--chain-provider", n.provider(), "--chain-pinning", n.pinning(), "--chain-start", fmt.Sprint(n.Start),
		"--keys-sender-env", "SENDER_KEY", "--keys-report-env", "REPORT_KEY",
		"--http-listen", d.api, "--http-admin", fmt.Sprintf("127.0.0.1:%d", freePort(t)),
		"--ipfs-listen", fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", d.p2p),
	}, flags...)
	if on := cmp.Or(os.Getenv("TIDEGATE_FAULTS"), "realistic"); on != "none" && n.plain == "" {
		rates, err := fault.Parse(on)
		if err != nil {
			t.Fatal(err)
		}
		_, url := faulty(t, n, fault.Config{Seed: 1, Rates: rates, Lag: 2})
		d.through(url)
	}
	d.env = []string{"SENDER_KEY=" + n.Keys[keySender].PrivateKey, "REPORT_KEY=" + n.Keys[keyReport].PrivateKey}
	return d
}

func (d *daemon) start(t testing.TB) {
	t.Helper()
	d.proc = start(t, "daemon", false, d.env, tidegate(t), d.args...)
	d.awaitReady(t)
}

func (d *daemon) awaitReady(t testing.TB) {
	t.Helper()
	eventually(t, time.Minute, "the daemon is ready", func() error {
		select {
		case <-d.done:
			return fmt.Errorf("it ended: %v\n%s", d.err, d.tail(3000))
		default:
		}
		return d.ask(http.MethodGet, "/jobs?limit=1", nil, nil)
	})
}

// ask calls the daemon's API. It stands in for the command line where a test
// would start hundreds of processes.
func (d *daemon) ask(method, path string, body io.Reader, into any) error {
	key, err := os.ReadFile(filepath.Join(d.dir, "api.key"))
	if err != nil {
		return err
	}
	req, err := http.NewRequest(method, "http://"+d.api+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(key)))
	req.Header.Set("Content-Type", "application/octet-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = errors.New(res.Status)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w: %s", method, path, err, text)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

// add holds bytes as a file and gives its CID.
func (d *daemon) add(t testing.TB, name string, data []byte) string {
	t.Helper()
	var added struct {
		CID string `json:"cid"`
	}
	if err := d.ask(http.MethodPost, "/files?name="+name, bytes.NewReader(data), &added); err != nil || added.CID == "" {
		t.Fatalf("adding %s: %q %v", name, added.CID, err)
	}
	return added.CID
}

// cli runs a command of the binary against this daemon.
func (d *daemon) cli(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, nil, tidegate(t), append(args, "--api", "http://"+d.api, "--data-dir", d.dir)...)
}

func writeFile(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func readFile(t testing.TB, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
