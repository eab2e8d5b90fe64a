package market_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	commp "github.com/filecoin-project/go-fil-commp-hashhash"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/ipfs/go-cid"
	carv2 "github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/datamodel"
	"github.com/ipld/go-ipld-prime/fluent/qp"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	mh "github.com/multiformats/go-multihash"
	"github.com/oklog/ulid/v2"
	cbg "github.com/whyrusleeping/cbor-gen"
	"go.uber.org/goleak"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
	"github.com/tidegate/tidegate/devnet/fvm/easm"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
)

// engine is shared by all tests: compiled once.
var engine = sync.OnceValues(func() (*fvm.Engine, error) { return fvm.NewEngine(context.Background(), fvm.EngineConfig{}) })

// TestMain fails when a test leaves a goroutine behind.
func TestMain(m *testing.M) {
	if _, err := engine(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.IgnoreCurrent())
}

const day = abi.ChainEpoch(builtin.EpochsInDay)

// net is a chain on demand with providers that answer.
type net struct {
	testing.TB
	ctx context.Context
	*chain.Chain
	fleet  *provider.Fleet
	market *market.Market
}

// start makes a chain with so many providers.
func start(tb testing.TB, providers int, change ...func(*market.Config)) *net {
	tb.Helper()
	e, err := engine()
	if err != nil {
		tb.Fatal(err)
	}
	n := &net{TB: tb}
	var cancel context.CancelFunc
	n.ctx, cancel = context.WithTimeout(context.Background(), 5*time.Minute)
	tb.Cleanup(cancel)
	n.Chain, err = chain.New(n.ctx, chain.Config{Engine: e, FinalityDepth: 5})
	n.must(err)
	tb.Cleanup(func() { n.must(n.Chain.Close()) })
	n.fleet, err = provider.New(n.ctx, n.Chain, provider.Config{})
	n.must(err)
	config := market.Config{RetryPause: time.Millisecond}
	for _, f := range change {
		f(&config)
	}
	n.market, err = market.New(n.Chain, n.fleet, config)
	n.must(err)
	tb.Cleanup(func() { n.must(n.market.Close()) })
	for range providers {
		_, err := n.market.Create(n.ctx, provider.Creation{})
		n.must(err)
	}
	return n
}

func (n *net) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *net) of(kind chain.AccountKind, i int) chain.Account {
	n.Helper()
	for _, a := range n.Accounts() {
		if a.Kind == kind {
			if i == 0 {
				return a
			}
			i--
		}
	}
	n.Fatalf("too few %s accounts", kind)
	return chain.Account{}
}

func (n *net) client() chain.Account { return n.of(chain.Secp256k1, 0) }

// content is a CAR of some blocks, and where it can be had.
type content struct {
	car    []byte
	root   cid.Cid
	blocks map[cid.Cid][]byte
	v1, v2 cid.Cid
	padded abi.PaddedPieceSize
	url    string
	asked  atomic.Int32 // requests so far
	cutAt  int          // the first answer ends after so many bytes; 0 is never
}

// content makes one of about so many bytes and serves it until the test ends.
func (n *net) content(size int, cutAt int) *content {
	n.Helper()
	c := &content{blocks: map[cid.Cid][]byte{}, cutAt: cutAt}
	random := rand.New(rand.NewPCG(uint64(size), uint64(cutAt)))
	var leaves []cid.Cid
	for left := size; left > 0; left -= 4096 {
		data := make([]byte, min(left, 4096))
		for i := range data {
			data[i] = byte(random.Uint32())
		}
		leaves = append(leaves, c.put(n, cid.Raw, data))
	}
	node, err := qp.BuildList(basicnode.Prototype.Any, int64(len(leaves)), func(la datamodel.ListAssembler) {
		for _, l := range leaves {
			qp.ListEntry(la, qp.Link(cidlink.Link{Cid: l}))
		}
	})
	n.must(err)
	var encoded bytes.Buffer
	n.must(dagcbor.Encode(node, &encoded))
	c.root = c.put(n, cid.DagCBOR, encoded.Bytes())
	var out bytes.Buffer
	w, err := storage.NewWritable(&out, []cid.Cid{c.root}, carv2.WriteAsCarV1(true))
	n.must(err)
	for _, id := range append([]cid.Cid{c.root}, leaves...) {
		n.must(w.Put(n.ctx, id.KeyString(), c.blocks[id]))
	}
	n.must(w.Finalize())
	c.car = out.Bytes()
	sum := new(commp.Calc)
	_, err = sum.Write(c.car)
	n.must(err)
	root, padded, err := sum.Digest()
	n.must(err)
	c.padded = abi.PaddedPieceSize(padded)
	c.v1, err = commcid.DataCommitmentV1ToCID(root)
	n.must(err)
	c.v2, err = commcid.PieceCidV2FromV1(c.v1, uint64(len(c.car)))
	n.must(err)
	server := httptest.NewServer(http.HandlerFunc(c.serve))
	n.Cleanup(server.Close)
	c.url = server.URL + "/car"
	return c
}

func (c *content) put(n *net, codec uint64, data []byte) cid.Cid {
	n.Helper()
	id, err := cid.V1Builder{Codec: codec, MhType: mh.SHA2_256}.Sum(data)
	n.must(err)
	c.blocks[id] = data
	return id
}

func (c *content) serve(w http.ResponseWriter, r *http.Request) {
	if c.asked.Add(1) == 1 && c.cutAt > 0 {
		w.Header().Set("Content-Length", fmt.Sprint(len(c.car)))
		_, _ = w.Write(c.car[:c.cutAt]) // and no more
		panic(http.ErrAbortHandler)
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(c.car))
}

// mk20 is a deal that a provider should take.
func (n *net) mk20(p *market.Provider, c *content, client address.Address) *market.MK20Deal {
	return &market.MK20Deal{
		Identifier: ulid.Make(), Client: client.String(),
		Data: &market.DataSource{
			PieceCID: c.v2, Format: market.DataFormat{Car: &struct{}{}}, SourceHTTP: &market.HTTPSource{URLs: []market.HTTPURL{{URL: c.url}}},
		},
		Products: market.MK20Products{
			DDOV1: &market.DDOV1{Provider: p.Miner().Address(), Duration: 180 * day}, RetrievalV1: &market.RetrievalV1{Indexing: true},
		},
	}
}

// signer makes the value of Authorization for a request.
type signer func(method, path string) string

func curioAuth(account chain.Account, at time.Time) signer {
	return func(method, path string) string {
		who := account.Address.Bytes()
		message := market.AuthMessage(who, method, path, at)
		signature, err := account.Key.Sign(message[:])
		if err != nil {
			panic(err)
		}
		raw, err := signature.MarshalBinary()
		if err != nil {
			panic(err)
		}
		kind := map[crypto.SigType]string{crypto.SigTypeSecp256k1: "secp256k1", crypto.SigTypeBLS: "bls", crypto.SigTypeDelegated: "delegated"}[signature.Type]
		return "CurioAuth " + kind + ":" + base64.StdEncoding.EncodeToString(who) + ":" + base64.StdEncoding.EncodeToString(raw)
	}
}

// call makes a signed request and gives its code and body.
func (n *net) call(p *market.Provider, sign signer, method, path string, body any) (int, string) {
	n.Helper()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		n.must(err)
		in = bytes.NewReader(raw)
	}
	request, err := http.NewRequestWithContext(n.ctx, method, p.Endpoints().URL+path, in)
	n.must(err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if sign != nil {
		request.Header.Set("Authorization", sign(method, request.URL.EscapedPath()))
	}
	code, out, _ := n.do(request)
	return code, out
}

func (n *net) do(request *http.Request) (int, string, http.Header) {
	n.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	n.must(err)
	defer func() { _ = response.Body.Close() }()
	out, err := io.ReadAll(response.Body)
	n.must(err)
	return response.StatusCode, strings.TrimSpace(string(out)), response.Header
}

// get fetches something that needs no signature.
func (n *net) get(p *market.Provider, path string, header ...string) (int, string) {
	n.Helper()
	request, err := http.NewRequestWithContext(n.ctx, http.MethodGet, p.Endpoints().URL+path, nil)
	n.must(err)
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	code, out, _ := n.rawDo(request)
	return code, out
}

// rawDo is do without trimming.
func (n *net) rawDo(request *http.Request) (int, string, http.Header) {
	n.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	n.must(err)
	defer func() { _ = response.Body.Close() }()
	out, err := io.ReadAll(response.Body)
	n.must(err)
	return response.StatusCode, string(out), response.Header
}

// propose sends an MK20 deal of an account.
func (n *net) propose(p *market.Provider, from chain.Account, d *market.MK20Deal) (int, string) {
	n.Helper()
	return n.call(p, curioAuth(from, time.Now()), http.MethodPost, market.MK20Path+"/deal", d)
}

// take sends an MK20 deal that must be taken and waits for a state.
func (n *net) take(p *market.Provider, from chain.Account, d *market.MK20Deal, until market.State) market.Deal {
	n.Helper()
	if code, reason := n.propose(p, from, d); code != http.StatusOK {
		n.Fatalf("the deal is refused: %d %s", code, reason)
	}
	return n.await(p, d.Identifier.String(), until)
}

func (n *net) await(p *market.Provider, id string, until market.State) market.Deal {
	n.Helper()
	deal, err := p.Await(n.ctx, id, until)
	n.must(err)
	if deal.State == market.Failed && until != market.Failed {
		n.Fatalf("the deal failed: %s", deal.Error)
	}
	return deal
}

// isActive tells whether the chain finds a deal's sector active.
func (n *net) sectorStatus(p *market.Provider, d market.Deal) abi.SectorStatusCode {
	n.Helper()
	if d.Sector == nil {
		n.Fatalf("the deal has no sector: %+v", d)
	}
	status, _, err := p.Miner().Status(n.ctx, *d.Sector)
	n.must(err)
	return status
}

// gate is a contract of the tests: a client of f05 that agrees to every deal unless its
// word 3 is set, a view for Curio whose answer is its word 2 (2 is DealNotFound), and a
// notifee that answers SectorContentChanged with what words 0 (length) and 1 (bytes) say.
// Other calls set a word: its number, its value.
const gateCode = `0 CALLDATALOAD 224 SHR
	DUP1 0x868e10c4 EQ @hook JUMPI
	DUP1 0x54fd4d50 EQ @version JUMPI
	0x2e9b812d EQ @verify JUMPI
	32 CALLDATALOAD 0 CALLDATALOAD SSTORE STOP
	version: 4 SLOAD 1 ADD 0 MSTORE 32 0 RETURN
	verify: 2 SLOAD DUP1 2 EQ @missing JUMPI 0 MSTORE 32 0 RETURN
	missing: 0xcb58af1f 224 SHL 0 MSTORE 7 4 MSTORE 36 0 REVERT
	hook: 4 CALLDATALOAD DUP1 2643134072 EQ @agree JUMPI
	100 CALLDATALOAD 132 0 CALLDATACOPY
	DUP1 100 CALLDATALOAD 0 LOG1
	2034386435 EQ @changed JUMPI
	nothing: 0 0 MSTORE 0 32 MSTORE 0x60 64 MSTORE 0 96 MSTORE 128 0 RETURN
	changed: 0 SLOAD DUP1 ISZERO @nothing JUMPI
	0 0 MSTORE 0x51 32 MSTORE 0x60 64 MSTORE 96 MSTORE 1 SLOAD 128 MSTORE 160 0 RETURN
	agree: 3 SLOAD @no JUMPI 0x51 32 MSTORE 0x60 64 MSTORE 1 96 MSTORE 0xf5 248 SHL 128 MSTORE 160 0 RETURN
	no: 0 0 REVERT`

// gate is a deployed one.
type gate struct {
	n    *net
	id   abi.ActorID
	addr address.Address // f410
	eth  common.Address
}

func (n *net) gate() gate {
	n.Helper()
	code, err := easm.Assemble(gateCode)
	n.must(err)
	init := abi.CborBytes(easm.InitCode(code))
	returned, err := n.fleet.Send(n.ctx, n.client(), provider.Call{
		To: builtin.EthereumAddressManagerActorAddr, Method: builtin.MethodsEAM.CreateExternal, Params: &init,
	})
	n.must(err)
	r := cbg.NewCborReader(bytes.NewReader(returned))
	_, _, err = r.ReadHeader() // an array: id, robust address, Ethereum address
	n.must(err)
	_, id, err := r.ReadHeader()
	n.must(err)
	addr, err := address.NewIDAddress(id)
	n.must(err)
	actor, err := n.Actor(n.ctx, addr, nil)
	n.must(err)
	g := gate{n, abi.ActorID(id), *actor.DelegatedAddress, common.BytesToAddress(actor.DelegatedAddress.Payload()[1:])}
	g.set(0, 3)
	g.set(1, 0x81, 0x81, 0xf5) // one sector, one piece: accepted
	return g
}

// set changes a word: to a small number, or to bytes from the left.
func (g gate) set(word uint64, value ...byte) {
	g.n.Helper()
	data := make([]byte, 64)
	binary.BigEndian.PutUint64(data[24:], word)
	if len(value) == 1 {
		data[63] = value[0]
	} else {
		copy(data[32:], value)
	}
	params := abi.CborBytes(data)
	_, err := g.n.fleet.Send(g.n.ctx, g.n.client(), provider.Call{To: g.addr, Method: builtin.MethodsEVM.InvokeContract, Params: &params})
	g.n.must(err)
}

// heard are the parameters of a method that the contract logged.
func (g gate) heard(method abi.MethodNum) [][]byte {
	g.n.Helper()
	var out [][]byte
	topic := make([]byte, 32)
	binary.BigEndian.PutUint64(topic[24:], uint64(method))
	for ts := g.n.Head(); ts.Height() > 0; {
		execution, err := g.n.Execution(ts)
		g.n.must(err)
		for _, r := range execution.Results {
			for _, e := range r.Events {
				values := map[string][]byte{}
				for _, entry := range e.Entries {
					values[entry.Key] = entry.Value
				}
				if e.Emitter == g.id && bytes.Equal(values["t1"], topic) {
					out = append(out, values["d"])
				}
			}
		}
		ts, err = g.n.TipSet(ts.Parents())
		g.n.must(err)
	}
	return out
}
