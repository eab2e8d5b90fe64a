package txmgr

import (
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"pgregory.net/rapid"
)

func TestBumpSatisfiesEveryPool(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amount := rapid.Int64Range(0, 1<<60)
		old := Fee{Tip: big.NewInt(amount.Draw(t, "tip"))}
		old.Cap = new(big.Int).Add(old.Tip, big.NewInt(amount.Draw(t, "cap over tip")))
		now := market(big.NewInt(amount.Draw(t, "base")), big.NewInt(amount.Draw(t, "market tip")))
		var maxTip, maxCap *big.Int
		if rapid.Bool().Draw(t, "limited") {
			maxTip, maxCap = big.NewInt(amount.Draw(t, "max tip")), big.NewInt(amount.Draw(t, "max cap"))
		}
		got, err := bump(old, now, maxTip, maxCap)
		if err != nil {
			if maxTip == nil || !errors.Is(err, ErrFeeLimit) {
				t.Fatal(err)
			}
			return
		}
		for _, p := range []struct{ old, new *big.Int }{{old.Tip, got.Tip}, {old.Cap, got.Cap}} {
			if less(p.new, p.old) || p.new.Cmp(p.old) <= 0 {
				t.Fatalf("%s is not a quarter above %s", p.new, p.old)
			}
		}
		if got.Cap.Cmp(got.Tip) < 0 {
			t.Fatalf("the cap %s is below the tip %s", got.Cap, got.Tip)
		}
		if maxTip != nil && (got.Tip.Cmp(maxTip) > 0 || got.Cap.Cmp(maxCap) > 0) {
			t.Fatalf("%s/%s is above the limits %s/%s", got.Tip, got.Cap, maxTip, maxCap)
		}
	})
}

func TestQuarterMoreRoundsUp(t *testing.T) {
	for in, want := range map[int64]int64{0: 1, 1: 3, 2: 4, 3: 5, 4: 6, 100: 126, 101: 128} {
		if got := quarterMore(big.NewInt(in)); got.Int64() != want {
			t.Errorf("quarterMore(%d) = %s, want %d", in, got, want)
		}
	}
}

func TestLimitKeepsFeesThatCanBeIncluded(t *testing.T) {
	n := big.NewInt
	got, err := limit(market(n(100), n(30)), n(100), n(20), n(150))
	if err != nil || got.Tip.Int64() != 20 || got.Cap.Int64() != 150 {
		t.Errorf("%v %v, %v", got.Tip, got.Cap, err)
	}
	if got, err = limit(market(n(100), n(30)), n(100), nil, nil); err != nil || got.Cap.Int64() != 230 || got.Tip.Int64() != 30 {
		t.Errorf("%v, %v", got, err)
	}
	if _, err = limit(market(n(100), n(30)), n(100), nil, n(99)); !errors.Is(err, ErrFeeLimit) {
		t.Errorf("a cap below the base fee: %v", err)
	}
}

func TestRepliesProveWhatTheyProve(t *testing.T) {
	for text, want := range map[string]reply{
		"already known": {class: accepted},
		"message from f410f with nonce 3 already in mpool: message with nonce already exists": {class: accepted},
		"known transaction: 0xabc": {class: accepted},
		"message from f410f with nonce 3 already in mpool, increase GasPremium to 5 from 4 to trigger replace by fee": {class: unknown, why: whyUnderpriced},
		"replacement transaction underpriced":                         {class: unknown, why: whyUnderpriced},
		"transaction underpriced: gas tip cap 0, minimum needed 1":    {class: unknown, why: whyUnderpriced},
		"max fee per gas less than block base fee":                    {class: unknown, why: whyUnderpriced},
		"nonce too low: next nonce 7, tx nonce 6":                     {class: unknown, why: whyNonceTooLow},
		"message nonce too low":                                       {class: unknown, why: whyNonceTooLow},
		"unfulfilled nonce gap":                                       {class: unknown, why: whyNonceTooHigh},
		"insufficient funds for gas * price + value: balance 0":       {class: refused, why: whyFunds},
		"not enough funds to execute transaction":                     {class: refused, why: whyFunds},
		"resolution lookup failed (f410f): actor not found":           {class: refused, why: whyFunds},
		"intrinsic gas too low":                                       {class: refused, why: whyOther},
		"exceeds block gas limit":                                     {class: refused, why: whyOther},
		"tx fee (2.00 ether) exceeds the configured cap (1.00 ether)": {class: refused, why: whyOther},
		"message too big":                                             {class: refused, why: whyOther},
		"503 Service Unavailable":                                     {class: unknown, why: whyNoAnswer},
		"context deadline exceeded":                                   {class: unknown, why: whyNoAnswer},
		"invalid character '<' looking":                               {class: unknown, why: whyNoAnswer},
	} {
		got := classify(errors.New(text))
		if got.class != want.class || got.why != want.why {
			t.Errorf("%q is class %d why %d, want %d and %d", text, got.class, got.why, want.class, want.why)
		}
	}
	if classify(nil).class != accepted {
		t.Error("no error is not accepted")
	}
}

func TestOneAcceptedIsAcceptedAndOneUnknownLeavesAllUnknown(t *testing.T) {
	yes, no, maybe := reply{class: accepted}, reply{class: refused, why: whyOther, words: "no"}, reply{class: unknown, why: whyNoAnswer, words: "?"}
	for _, c := range []struct {
		in   []reply
		want class
	}{
		{[]reply{no, yes, maybe}, accepted},
		{[]reply{no, maybe, no}, unknown},
		{[]reply{no, no}, refused},
	} {
		if got := sum(c.in); got.class != c.want {
			t.Errorf("sum(%v) = %v", c.in, got)
		}
	}
	if got := sum([]reply{no, maybe}).String(); got != "unknown: no; ?" {
		t.Error(got)
	}
}

// rpcError is an error with a code and data, as JSON-RPC clients give it.
type rpcError struct {
	code int
	msg  string
	data any
}

func (e *rpcError) Error() string  { return e.msg }
func (e *rpcError) ErrorCode() int { return e.code }
func (e *rpcError) ErrorData() any { return e.data }

const testErrors = `[{"type":"error","name":"Provider_GasTooLow","inputs":[{"name":"left","type":"uint256"},{"name":"id","type":"bytes32"}]}]`

func TestRevertsAreVerdictsWithWords(t *testing.T) {
	contract, err := abi.JSON(strings.NewReader(testErrors))
	if err != nil {
		t.Fatal(err)
	}
	custom, err := contract.Errors["Provider_GasTooLow"].Inputs.Pack(big.NewInt(7), [32]byte{31: 9})
	if err != nil {
		t.Fatal(err)
	}
	id := contract.Errors["Provider_GasTooLow"].ID
	custom = append(id[:4:4], custom...)
	decode := ABIDecoder(contract)
	reason := "0x08c379a0" + strings.Repeat("0", 62) + "20" + strings.Repeat("0", 63) + "3" + "6e6f70" + strings.Repeat("0", 58)
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"custom error":        {&rpcError{3, "execution reverted", hexutil.Encode(custom)}, "Provider_GasTooLow(left 7, id 0x" + strings.Repeat("0", 63) + "9)"},
		"reason":              {&rpcError{3, "execution reverted: nop", reason}, "nop"},
		"lotus":               {&rpcError{1, "message execution failed (exit=[33], revert reason=[" + reason + "], vm error=[nop])", nil}, "nop"},
		"unknown selector":    {&rpcError{3, "execution reverted", "0x12345678aabb"}, "custom error 0x12345678 with 2 bytes"},
		"without data":        {&rpcError{-32000, "execution reverted", nil}, "execution reverted"},
		"gas above allowance": {&rpcError{-32000, "gas required exceeds allowance (30000000)", nil}, "gas required exceeds allowance"},
	} {
		got := asVerdict(c.err)
		var r *Revert
		if !errors.As(got, &r) || !isVerdict(got) {
			t.Errorf("%s: %v is no revert", name, got)
			continue
		}
		if words := describe(r, decode); !strings.Contains(words, c.want) {
			t.Errorf("%s: %q, want %q", name, words, c.want)
		}
	}
	if err := asVerdict(&rpcError{-32000, "insufficient funds for transfer", nil}); !errors.Is(err, ErrFunds) || !isVerdict(err) {
		t.Error(err)
	}
	if err := asVerdict(&rpcError{-32005, "rate limit exceeded", nil}); isVerdict(err) {
		t.Error("trouble of an endpoint is taken for a verdict")
	}
}

func FuzzRevertsNeverPanic(f *testing.F) {
	f.Add([]byte{0x08, 0xc3, 0x79, 0xa0}, "execution reverted")
	f.Add([]byte{0x4e, 0x48, 0x7b, 0x71, 1}, "revert reason=[0x1234567]")
	contract, err := abi.JSON(strings.NewReader(testErrors))
	if err != nil {
		f.Fatal(err)
	}
	decode := ABIDecoder(contract)
	f.Fuzz(func(t *testing.T, data []byte, words string) {
		err := asVerdict(&rpcError{3, words, hexutil.Encode(data)})
		var r *Revert
		if errors.As(err, &r) && len(describe(r, decode)) > 2100 {
			t.Error("too many words")
		}
	})
}
