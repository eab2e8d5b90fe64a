package gas

import (
	"fmt"
	"math"
	"math/bits"
)

// Precision is the number of milligas in one unit of gas (ref-fvm: fvm/src/gas/mod.rs, MILLIGAS_PRECISION).
const Precision = 1000

// Gas is an amount of gas in milligas, a thousandth of the gas that receipts and gas limits count. Its methods saturate at the
// largest value and at zero, as those of ref-fvm do (fvm/src/gas/mod.rs): an overflow can only ever mean "too expensive".
type Gas uint64

// New is n units of gas, the unit of receipts and limits.
func New(n uint64) Gas { return Gas(saturatingMul(n, Precision)) }

// FromMilligas is n thousandths of a unit of gas.
func FromMilligas(n uint64) Gas { return Gas(n) }

// Milligas is the amount in thousandths.
func (g Gas) Milligas() uint64 { return uint64(g) }

// Add is g + o, at most the largest Gas.
func (g Gas) Add(o Gas) Gas {
	sum, carry := bits.Add64(uint64(g), uint64(o), 0)
	if carry != 0 {
		return math.MaxUint64
	}
	return Gas(sum)
}

// Sub is g - o, at least zero.
func (g Gas) Sub(o Gas) Gas {
	if o >= g {
		return 0
	}
	return g - o
}

// Mul is g · n, at most the largest Gas.
func (g Gas) Mul(n uint64) Gas { return Gas(saturatingMul(uint64(g), n)) }

// RoundUp is the amount in whole units of gas; a fraction counts as a unit. Receipts show gas used so.
func (g Gas) RoundUp() uint64 {
	n := uint64(g) / Precision
	if uint64(g)%Precision != 0 {
		n++
	}
	return n
}

// RoundDown is the amount in whole units of gas without the fraction. The gas.available system call answers so.
func (g Gas) RoundDown() uint64 { return uint64(g) / Precision }

// String shows gas with its fraction: "14000" or "0.400".
func (g Gas) String() string {
	if uint64(g)%Precision == 0 {
		return fmt.Sprintf("%d", uint64(g)/Precision)
	}
	return fmt.Sprintf("%d.%03d", uint64(g)/Precision, uint64(g)%Precision)
}

// Charge is one entry of an execution trace: what was charged for, and how much (ref-fvm: fvm/src/gas/charge.rs).
type Charge struct {
	// Name is ref-fvm's name of the charge, such as "OnBlockOpen".
	Name string
	// Compute is gas for work done at once.
	Compute Gas
	// Other is gas for storage, memory that stays in use, work done later (flushing blocks) and what the chain's node does.
	Other Gas
}

// Total is all of the charge.
func (c Charge) Total() Gas { return c.Compute.Add(c.Other) }

func saturatingMul(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	if hi != 0 {
		return math.MaxUint64
	}
	return lo
}

func saturatingAdd(a, b uint64) uint64 { return uint64(Gas(a).Add(Gas(b))) }
