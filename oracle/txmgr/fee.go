package txmgr

import (
	"errors"
	"fmt"
	"math/big"
)

// Fee is the two prices of an EIP-1559 transaction, in attoFIL per unit of gas.
type Fee struct {
	Tip *big.Int
	Cap *big.Int
}

// ErrFeeLimit is returned when the network asks more than the configured limits.
var ErrFeeLimit = errors.New("the fee limit is reached")

// market is the price for a transaction made now: twice the base fee leaves room
// for six full blocks in a row, which is more than a replacement waits.
func market(base, tip *big.Int) Fee {
	c := new(big.Int).Add(new(big.Int).Lsh(base, 1), tip)
	return Fee{Tip: new(big.Int).Set(tip), Cap: c}
}

// limit holds a fee under the limits; a limit that is nil does not. It refuses a
// fee that could not enter the next block.
func limit(f Fee, base, maxTip, maxCap *big.Int) (Fee, error) {
	out := Fee{Tip: lower(f.Tip, maxTip), Cap: lower(f.Cap, maxCap)}
	if out.Cap.Cmp(base) < 0 {
		return Fee{}, fmt.Errorf("%w: the base fee is %s, the configured maximum %s: raise it, or wait", ErrFeeLimit, base, maxCap)
	}
	out.Tip = lower(out.Tip, out.Cap)
	return out, nil
}

// bump is the fee of a replacement: the market's, and at least a quarter and one
// above old in both prices. Lotus refuses a premium below 1.25 times the old one,
// go-ethereum below 1.1 times either price.
func bump(old, now Fee, maxTip, maxCap *big.Int) (Fee, error) {
	needTip, needCap := quarterMore(old.Tip), quarterMore(old.Cap)
	if needCap.Cmp(needTip) < 0 {
		needCap = needTip
	}
	if (maxTip != nil && needTip.Cmp(maxTip) > 0) || (maxCap != nil && needCap.Cmp(maxCap) > 0) {
		return Fee{}, fmt.Errorf("%w: a replacement needs a tip of %s and a cap of %s, the configured maximums are %s and %s: raise them, or wait", ErrFeeLimit, needTip, needCap, orNone(maxTip), orNone(maxCap))
	}
	f := Fee{Tip: higher(needTip, lower(now.Tip, maxTip)), Cap: higher(needCap, lower(now.Cap, maxCap))}
	f.Cap = higher(f.Cap, f.Tip)
	if maxCap != nil && f.Cap.Cmp(maxCap) > 0 {
		f.Cap, f.Tip = maxCap, maxCap
	}
	return Fee{Tip: new(big.Int).Set(f.Tip), Cap: new(big.Int).Set(f.Cap)}, nil
}

// quarterMore is ⌈1.25 x⌉ + 1.
func quarterMore(x *big.Int) *big.Int {
	y := new(big.Int).Mul(x, big.NewInt(125))
	y.Add(y, big.NewInt(99))
	y.Div(y, big.NewInt(100))
	return y.Add(y, big.NewInt(1))
}

func lower(a, max *big.Int) *big.Int {
	if max == nil || a.Cmp(max) <= 0 {
		return a
	}
	return max
}

func higher(a, b *big.Int) *big.Int {
	if a.Cmp(b) >= 0 {
		return a
	}
	return b
}

func orNone(x *big.Int) string {
	if x == nil {
		return "none"
	}
	return x.String()
}

// cost is the most that a transaction can take from the balance.
func cost(gas uint64, feeCap, value *big.Int) *big.Int {
	c := new(big.Int).Mul(new(big.Int).SetUint64(gas), feeCap)
	if value != nil {
		c.Add(c, value)
	}
	return c
}
