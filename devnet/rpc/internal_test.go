package rpc

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/lotus/api"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// Every method of node is one of lotus/api's, with its parameters and results, but
// for the few that Lotus keeps out of the interface.
func TestNodeIsLotus(t *testing.T) {
	full, ours := reflect.TypeFor[api.FullNode](), reflect.TypeFor[*node]()
	if ours.NumMethod() < 80 {
		t.Fatalf("%d methods", ours.NumMethod())
	}
	for i := range ours.NumMethod() {
		method := ours.Method(i)
		want, ok := full.MethodByName(method.Name)
		if !ok {
			t.Errorf("%s is not in lotus/api", method.Name)
			continue
		}
		in, out := make([]reflect.Type, 0), make([]reflect.Type, 0)
		for j := 1; j < method.Type.NumIn(); j++ {
			in = append(in, method.Type.In(j))
		}
		for j := range method.Type.NumOut() {
			out = append(out, method.Type.Out(j))
		}
		if got := reflect.FuncOf(in, out, method.Type.IsVariadic()); got != want.Type {
			t.Errorf("%s is %s, lotus/api has %s", method.Name, got, want.Type)
		}
	}
}

func TestMethodNames(t *testing.T) {
	for _, c := range [][3]string{
		{"Filecoin", "EthCall", "Filecoin.EthCall"}, {"devnet_", "SetBlockTime", "devnet_setBlockTime"}, {"=eth_sign", "Call", "eth_sign"},
	} {
		if got := methodName(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s is %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestBlockRange(t *testing.T) {
	at := func(s string) *string { return &s }
	for _, c := range []struct {
		from, to         *string
		wantFrom, wantTo abi.ChainEpoch
		err              string
	}{
		{nil, nil, 100, -1, ""},
		{at(""), at("latest"), 100, -1, ""},
		{at("earliest"), at("0x10"), 0, 16, ""},
		{at("0x50"), at("0x60"), 80, 96, ""},
		{at("0x0"), at("0x32"), 0, 50, ""},
		{at("0x0"), at("0x33"), 0, 0, "block range exceeds maximum of 50 (got 51)"},
		{at("0x1"), nil, 0, 0, "block range exceeds maximum of 50 (got 99)"},
		{at("0x6"), at("0x5"), 0, 0, "to block (5) must be after from block (6)"},
		{at("pending"), nil, 0, 0, "FromBlock is not a hex"},
		{at("12"), nil, 0, 0, "FromBlock is not a hex"},
		{nil, at("safe"), 0, 0, "ToBlock is not a hex"},
		{at("0xffffffffffffffff"), nil, 0, 0, "invalid epoch"},
	} {
		from, to, err := blockRange(100, c.from, c.to, 50)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v, want %q", c, err, c.err)
			}
			if tooWide := new(api.ErrBlockRangeExceeded); strings.Contains(c.err, "exceeds") && !errors.As(err, &tooWide) {
				t.Errorf("%v: %T has no code", c, err)
			}
			continue
		}
		if err != nil || from != c.wantFrom || to != c.wantTo {
			t.Errorf("%v: %d to %d, %v", c, from, to, err)
		}
	}
}

func TestMethodInput(t *testing.T) {
	got := hex.EncodeToString(methodInput(2, 0x51, []byte{0xab, 0xcd}))
	word := func(s string) string { return strings.Repeat("0", 64-len(s)) + s }
	want := "868e10c4" + word("2") + word("51") + word("60") + word("2") + "abcd" + strings.Repeat("0", 60)
	if got != want {
		t.Fatalf("%s, want %s", got, want)
	}
}

// The numbers are those of Lotus's burn tests and of its formula by hand.
func TestOverEstimation(t *testing.T) {
	for _, c := range [][4]int64{
		{100, 200, 10, 90}, {100, 150, 30, 20}, {1000, 1300, 240, 60}, {500, 700, 140, 60}, {200, 200, 0, 0},
		{20000, 21000, 1000, 0}, {0, 2000, 0, 2000}, {500, 651, 121, 30}, {500, 5000, 0, 4500},
		{75e8, 75e8*5/2 + 1, 0, 75e8*3/2 + 1},
	} {
		if refund, burn := overEstimation(c[0], c[1]); refund != c[2] || burn != c[3] {
			t.Errorf("used %d of %d: refund %d, burn %d, want %d and %d", c[0], c[1], refund, burn, c[2], c[3])
		}
	}
}

func TestGasSpent(t *testing.T) {
	amount := func(n int64) abi.TokenAmount { return big.NewInt(n) }
	// used 100 of 110 at base fee 10, cap 15, premium 3: 1000 + 3*110.
	if got := gasSpent(100, 110, amount(10), amount(15), amount(3)); !got.Equals(amount(1330)) {
		t.Errorf("spent %s", got)
	}
	// the cap leaves 2 of the premium; 150 of limit burn 20 at 10.
	if got := gasSpent(100, 150, amount(10), amount(12), amount(3)); !got.Equals(amount(1000 + 2*150 + 200)) {
		t.Errorf("spent %s", got)
	}
	// a cap under the base fee pays no more than the cap.
	if got := gasSpent(100, 100, amount(10), amount(7), amount(3)); !got.Equals(amount(700)) {
		t.Errorf("spent %s", got)
	}
}

func TestMedianPremium(t *testing.T) {
	const target = 5_000_000_000
	paid := func(pairs ...int64) (out []paidGas) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, paidGas{big.NewInt(pairs[i]), pairs[i+1]})
		}
		return out
	}
	for i, c := range []struct {
		paid   []paidGas
		blocks int
		want   int64
	}{
		{nil, 1, 0},
		{paid(5, target), 1, 5},
		{paid(5, target, 10, target), 1, 10},
		{paid(10, target/2, 5, target/2), 1, 7},
		{paid(10, target/2, 5, target/2, 20, 2*target), 2, 20},
	} {
		if got := medianPremium(c.paid, c.blocks); !got.Equals(big.NewInt(c.want)) {
			t.Errorf("case %d: %s, want %d", i, got, c.want)
		}
	}
}

func TestWhoMayCall(t *testing.T) {
	config := Config{}.withDefaults()
	for origin, want := range map[string]bool{
		"http://localhost:3000": true, "https://localhost": true, "http://[::1]:99": true, "HTTP://LOCALHOST:1": true,
		"http://localhost.evil.example": false, "https://app.example": false, "null": false,
	} {
		if originAllowed(config.AllowedOrigins, origin) != want {
			t.Errorf("origin %s allowed: %v", origin, !want)
		}
	}
	for host, want := range map[string]bool{
		"localhost:8545": true, "127.0.0.1:1": true, "[::1]:80": true, "[::1]": true, "192.168.0.7": true, "evil.example": false, "localhost.evil.example:80": false,
	} {
		if hostAllowed(config.AllowedHosts, host) != want {
			t.Errorf("host %s allowed: %v", host, !want)
		}
	}
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "localhost": true, "0.0.0.0": false, "192.168.0.7": false} {
		if (Config{Host: host}).loopback() != want {
			t.Errorf("host %s is loopback: %v", host, !want)
		}
	}
}

func TestFilterStore(t *testing.T) {
	now := time.Unix(1000, 0)
	store := newFilterStore(2, func() time.Time { return now })
	first, err := store.install(&filter{tipsets: true, most: 2})
	if err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Minute)
	second, err := store.install(&filter{tipsets: true, most: 2})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.install(&filter{}); !errors.Is(err, errTooManyFilters) {
		t.Fatalf("a third filter: %v", err)
	}
	now = now.Add(time.Minute)
	store.collect(90 * time.Second)
	if _, err := store.get(first); !errors.Is(err, errFilterNotFound) {
		t.Fatalf("an old filter: %v", err)
	}
	if _, err := store.get(second); err != nil {
		t.Fatal(err)
	}
	bounded := addBounded(addBounded(addBounded([]int(nil), 1, 2), 2, 2), 3, 2)
	if !reflect.DeepEqual(bounded, []int{2, 3}) {
		t.Fatalf("bounded %v", bounded)
	}
}

func FuzzParams(f *testing.F) {
	for _, seed := range []string{`[]`, `["0x5",true]`, `[5,"1s"]`, `{"a":1}`, `[null,null,null]`, `[1e300]`, `["0x00000000000000000000000000000000000a11ce","0xff"]`, `["f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za","7"]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if !json.Valid(raw) {
			return // go-jsonrpc does not hand on what is no JSON
		}
		params := jsonrpc.RawParams(raw)
		var q quantity
		var s span
		var a amount
		var addr anyAddress
		for _, target := range []any{&q, &s, &a, &addr} {
			if err := optional(params, 1, target); err != nil {
				if coded := new(codedError); !errors.As(err, &coded) || coded.code != codeInvalidParams {
					t.Fatalf("%v has not the code of bad parameters", err)
				}
			}
		}
		if s < 0 {
			t.Fatalf("a negative time %d", s)
		}
		if n, err := q.count(math.MaxInt32); err == nil && (n < 0 || n > math.MaxInt32) {
			t.Fatalf("count %d", n)
		}
		var spec ethtypes.EthFilterSpec
		if json.Unmarshal(raw, &spec) == nil {
			query := &eventQuery{}
			if err := query.narrow(spec.Address, spec.Topics); err == nil && len(query.keys) > 4 {
				t.Fatalf("%d topics", len(query.keys))
			}
			if from, to, err := blockRange(100, spec.FromBlock, spec.ToBlock, 50); err == nil && (to >= 0 && to-from > 50 || from < 0) {
				t.Fatalf("range %d to %d", from, to)
			}
		}
	})
}
