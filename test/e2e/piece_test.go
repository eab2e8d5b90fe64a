package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/executor/piece"
)

// Actions of IExecutionProvider.
const (
	actionPrepare = 3
	actionServed  = 4
)

const (
	requestSig = "request(uint16,uint64,uint40,bytes,bytes,(uint32,uint40,address))"
	pinTuple   = "f((bytes,address,uint64,uint40,string[],string))"
	servTuple  = "f((bytes,address,string))"
)

// ask makes a request of the provider itself; the wallet is the consumer.
func (n *network) ask(key int, action uint16, tuple, payload string) common.Hash {
	n.t.Helper()
	price := number(n.t, strings.Split(n.call(n.provider(), "quote(uint16,uint64,uint40,uint32)(uint96,uint96)", fmt.Sprint(action), "1048576", "0", "0"), "\n")[0])
	raw := "0x" + output(n.t, nil, cast(n.t), "abi-encode", tuple, payload)[2:]
	head, err := n.client.HeaderByNumber(n.t.Context(), nil)
	if err != nil {
		n.t.Fatal(err)
	}
	options := fmt.Sprintf("(0,%d,%s)", head.Time+3600, n.Keys[key].Address)
	return n.requestID(n.send(key, new(big.Int).Mul(price, big.NewInt(2)), n.provider(), requestSig, fmt.Sprint(action), "1048576", "0", raw, "0x", options))
}

// answered gives the report that answered a request.
func (n *network) answered(d *daemon, id common.Hash) estuaryprovider.Report {
	n.t.Helper()
	n.awaitAnswers(n.t, []common.Hash{id}, 2*time.Minute)
	var tx string
	eventually(n.t, time.Minute, "the daemon sees the answer", func() error {
		for _, r := range decode[[]struct {
			ID      string `json:"id"`
			CloseTx string `json:"closeTx"`
		}](n.t, d.cli(n.t, "requests", "ls", "--json")) {
			if common.HexToHash(r.ID) == id {
				tx = r.CloseTx
			}
		}
		if tx == "" {
			return errNotYet
		}
		return nil
	})
	sent, _, err := n.client.TransactionByHash(n.t.Context(), common.HexToHash(tx))
	if err != nil {
		n.t.Fatal(err)
	}
	contract, err := estuaryprovider.EstuaryProviderMetaData.ParseABI()
	if err != nil {
		n.t.Fatal(err)
	}
	method, err := contract.MethodById(sent.Data())
	if err != nil {
		n.t.Fatal(err)
	}
	values, err := method.Inputs.Unpack(sent.Data()[4:])
	if err != nil {
		n.t.Fatal(err)
	}
	var in struct {
		ConfigDigest [32]byte
		Reports      []estuaryprovider.Report
		Signatures   [][]byte
	}
	if err := method.Inputs.Copy(&in, values); err != nil {
		n.t.Fatal(err)
	}
	for _, r := range in.Reports {
		if n.call(n.provider(), "idOf((uint64,address,uint16,uint32,uint40,uint40,address,uint96,uint96,bytes32,bytes32))(bytes32)", termsText(r.Terms)) == id.Hex() {
			return r
		}
	}
	n.t.Fatalf("request %s is not in its answer's transaction", id)
	return estuaryprovider.Report{}
}

func termsText(t estuaryprovider.Terms) string {
	return fmt.Sprintf("(%d,%s,%d,%d,%d,%d,%s,%d,%d,0x%x,0x%x)", t.Seq, t.Consumer, t.Action, t.CallbackGas, t.Deadline, t.AttemptUntil,
		t.RefundTo, t.Fee, t.AttemptFee, t.PayloadHash, t.ContextHash)
}

// A wallet asks for a piece, reads the answer, and fetches the CAR from the public
// port; then it asks whether the piece is served there, and elsewhere.
func TestPrepareAndServedOnDevnet(t *testing.T) {
	n := sharedDevnet(t)
	public := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d := newDaemon(t, n, "--public-listen", public, "--piece-min-size", "1 KiB", "--bucket-size", "1 KiB", "--public-requests-per-second", "1000")
	d.start(t)
	data := content(900, 700_000)
	root := strings.Fields(d.cli(t, "pin", "add", "--file", writeFile(t, t.TempDir(), "x", data), "--quiet"))[0]

	id := n.ask(keyAlice, actionPrepare, pinTuple, fmt.Sprintf("(%s,%s,1048576,0,[],\"\")", cidHex(t, root), n.Keys[keyAlice].Address))
	r := n.answered(d, id)
	if r.Outcome != 1 {
		t.Fatalf("answered %d, reason %d", r.Outcome, r.Reason)
	}
	got := strings.Split(output(t, nil, cast(t), "decode-abi", "f()(bytes,uint64,uint64)", "0x"+hex.EncodeToString(r.Result)), "\n")
	pieceID := cidOf(t, got[0])
	padded, car := number(t, got[1]).Uint64(), number(t, got[2]).Uint64()
	all := fetch(t, "http://"+public+"/piece/"+pieceID.String(), "")
	w := piece.NewWriter()
	if _, err := w.Write(all); err != nil {
		t.Fatal(err)
	}
	c, err := w.Sum()
	if err != nil || !c.CID().Equals(pieceID) || c.Padded != padded || c.Payload != car {
		t.Fatalf("the public port's bytes are %+v (%v), the answer says %s, %d, %d", c, err, pieceID, padded, car)
	}
	rangesMakeTheWhole(t, "http://"+public+"/car/"+root, all)

	yes := n.ask(keyBob, actionServed, servTuple, fmt.Sprintf("(0x%x,%s,\"http://%s/piece/\")", pieceID.Bytes(), n.Keys[keyBob].Address, public))
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(all[:len(all)-1]) }))
	t.Cleanup(evil.Close)
	no := n.ask(keyBob, actionServed, servTuple, fmt.Sprintf("(0x%x,%s,\"%s/x\")", pieceID.Bytes(), n.Keys[keyBob].Address, evil.URL))
	if r := n.answered(d, yes); r.Outcome != 1 || len(r.Result) != 0 {
		t.Errorf("served here: outcome %d, reason %d, result %x", r.Outcome, r.Reason, r.Result)
	}
	if r := n.answered(d, no); r.Outcome != 2 || r.Reason != 1 {
		t.Errorf("served by a liar: outcome %d, reason %d", r.Outcome, r.Reason)
	}
	d.stop(t)
}

func cidOf(t *testing.T, text string) cid.Cid {
	t.Helper()
	raw, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(text), "0x"))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cid.Cast(raw)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func fetch(t *testing.T, url, bytesRange string) []byte {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytesRange != "" {
		req.Header.Set("Range", bytesRange)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode >= 300 {
		t.Fatalf("%s: %s %v %s", url, res.Status, err, b[:min(len(b), 300)])
	}
	return b
}

func rangesMakeTheWhole(t *testing.T, url string, want []byte) {
	t.Helper()
	const cut = 37_003
	got := make([]byte, len(want))
	for _, i := range rand.New(rand.NewPCG(4, 2)).Perm((len(want) + cut - 1) / cut) {
		from, to := i*cut, min((i+1)*cut, len(want))
		copy(got[from:to], fetch(t, url, fmt.Sprintf("bytes=%d-%d", from, to-1)))
	}
	if !bytes.Equal(got, want) {
		t.Error("the ranges do not make the whole")
	}
}

// killNumbers are 1,000 items and 50 kills in make soak (TIDEGATE_SOAK=1), and
// fewer in make test.
func killNumbers() (items, kills int) {
	if os.Getenv("TIDEGATE_SOAK") != "" {
		return 1000, 50
	}
	return 100, 5
}

// The daemon is killed while it prepares small items: each ends in exactly one
// piece, and nothing is on disk that no row knows.
func TestKillNineWhilePreparing(t *testing.T) {
	items, kills := killNumbers()
	n := sharedDevnet(t)
	d := newDaemon(t, n, "--bucket-max-items", "40", "--piece-keep-files", "true", "--bucket-max-age", "1h")
	d.start(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d, %d items, %d kills", seed, items, kills)
	random := rand.New(rand.NewPCG(seed, 5))
	var roots []string
	for i := range items {
		roots = append(roots, d.add(t, fmt.Sprint(i), content(5000+uint64(i), 200+random.IntN(3000))))
	}
	d.cli(t, append([]string{"bucket", "add", "--json"}, roots...)...)
	for range kills {
		pause := time.NewTimer(time.Duration(10+random.IntN(700)) * time.Millisecond)
		<-pause.C
		d.kill()
		d.start(t)
	}
	eventually(t, 4*time.Minute, "every item is prepared", func() error {
		left := 0
		for _, j := range decode[[]struct {
			State string `json:"state"`
		}](t, d.cli(t, "jobs", "ls", "--json", "--kind", "prepare", "--limit", "1000")) {
			if j.State != "done" {
				left++
			}
		}
		if left > 0 {
			return fmt.Errorf("%d are not", left)
		}
		return nil
	})
	d.cli(t, "bucket", "flush")
	var ready []bucketRow
	eventually(t, time.Minute, "every bucket is a piece", func() error {
		ready = decode[[]bucketRow](t, d.cli(t, "bucket", "ls", "--json", "--limit", "1000"))
		for _, b := range ready {
			if b.State != "ready" {
				return fmt.Errorf("bucket %d is %s", b.ID, b.State)
			}
		}
		return nil
	})
	d.checkPieces(t, ready, roots)
	d.verify(t)
	d.stop(t)
}

type bucketRow struct {
	ID    int64  `json:"id"`
	State string `json:"state"`
	Piece string `json:"pieceCid"`
}

// checkPieces counts in how many pieces each item is, and what is on disk.
func (d *daemon) checkPieces(t *testing.T, ready []bucketRow, roots []string) {
	t.Helper()
	in, files := map[string]int{}, map[string]bool{}
	for _, b := range ready {
		detail := decode[struct {
			Slots []struct {
				CID string `json:"cid"`
			} `json:"slots"`
		}](t, d.cli(t, "bucket", "show", "--json", fmt.Sprint(b.ID)))
		for _, s := range detail.Slots {
			in[s.CID]++
			files[s.CID+".car"] = true
		}
		files[fmt.Sprintf("bucket-%d.car", b.ID)] = true
	}
	for _, root := range roots {
		if in[root] != 1 {
			t.Errorf("%s is in %d pieces", root, in[root])
		}
	}
	if len(in) != len(roots) {
		t.Errorf("%d items are in pieces, %d were asked for", len(in), len(roots))
	}
	entries, err := os.ReadDir(filepath.Join(d.dir, "pieces"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !files[e.Name()] {
			t.Errorf("%s is on disk, and belongs to nothing", e.Name())
		}
		delete(files, e.Name())
	}
	if len(files) > 0 {
		t.Errorf("%d files are missing", len(files))
	}
	held := 0
	for _, p := range d.pins(t, "") {
		if strings.HasPrefix(p.Ref, "item:") {
			held++
		}
	}
	if held != len(roots) {
		t.Errorf("%d items are held, %d were asked for", held, len(roots))
	}
}

// A token opens its piece; of it the hash alone is in the ledger.
func TestTokensAreNotInTheLedger(t *testing.T) {
	n := sharedDevnet(t)
	public := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	d := newDaemon(t, n, "--public-listen", public, "--public-require-token", "true", "--piece-min-size", "1 KiB", "--bucket-size", "1 KiB")
	d.start(t)
	root := strings.Fields(d.cli(t, "pin", "add", "--file", writeFile(t, t.TempDir(), "x", content(901, 5000)), "--quiet"))[0]
	d.cli(t, "bucket", "add", root)
	var offers struct {
		Items []struct {
			Piece string `json:"pieceCid"`
		} `json:"items"`
	}
	eventually(t, time.Minute, "a piece is on offer", func() error {
		offers.Items = nil
		if err := json.Unmarshal(fetch(t, "http://"+public+"/buckets", ""), &offers); err != nil || len(offers.Items) != 1 {
			return fmt.Errorf("%d offers (%v)", len(offers.Items), err)
		}
		return nil
	})
	at := "http://" + public + "/piece/" + offers.Items[0].Piece
	if res, err := http.Get(at); err != nil || res.StatusCode != http.StatusUnauthorized {
		t.Fatalf("without a token: %v %v", res, err)
	} else {
		_ = res.Body.Close()
	}
	var made struct {
		Token string `json:"token"`
	}
	if err := d.ask(http.MethodPost, "/pieces/"+offers.Items[0].Piece+"/tokens", strings.NewReader(`{"deal":"7"}`), &made); err != nil || made.Token == "" {
		t.Fatal("no token", err)
	}
	if b := fetch(t, at+"?token="+made.Token, ""); len(b) < 5000 {
		t.Errorf("%d bytes", len(b))
	}
	d.stop(t)
	for _, name := range []string{"ledger.db", "ledger.db-wal"} {
		raw, err := os.ReadFile(filepath.Join(d.dir, name))
		if err == nil && bytes.Contains(raw, []byte(made.Token)) {
			t.Errorf("the token is in %s", name)
		}
		if name == "ledger.db" && err != nil {
			t.Error(err)
		}
		sum := sha256.Sum256([]byte(made.Token))
		if name == "ledger.db" && !bytes.Contains(raw, []byte(hex.EncodeToString(sum[:]))) {
			t.Error("its hash is not in the ledger")
		}
	}
}
