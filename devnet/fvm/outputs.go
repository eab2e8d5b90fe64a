package fvm

import (
	mathbig "math/big"

	"github.com/filecoin-project/go-state-types/big"
)

// gasOutputs divides a message's gas money. Gas is in units, fees in attoFIL per unit.
func gasOutputs(used, limit uint64, baseFee, feeCap, premium big.Int) GasOutputs {
	pay := baseFee
	out := GasOutputs{MinerPenalty: big.Zero(), OverEstimationBurn: big.Zero()}
	if baseFee.GreaterThan(feeCap) {
		pay = feeCap
		out.MinerPenalty = big.Mul(big.Sub(baseFee, feeCap), units(used))
	}
	out.BaseFeeBurn = big.Mul(pay, units(used))
	tip := premium
	if big.Add(pay, tip).GreaterThan(feeCap) {
		tip = big.Sub(feeCap, pay)
	}
	out.MinerTip = big.Mul(tip, units(limit))
	refund, burned := overEstimation(used, limit)
	out.GasRefund, out.GasBurned = int64(refund), int64(burned)
	if burned != 0 {
		out.OverEstimationBurn = big.Mul(pay, units(burned))
		out.MinerPenalty = big.Add(out.MinerPenalty, big.Mul(big.Sub(baseFee, pay), units(burned)))
	}
	paid := big.Mul(feeCap, units(limit))
	out.Refund = big.Sub(big.Sub(big.Sub(paid, out.BaseFeeBurn), out.MinerTip), out.OverEstimationBurn)
	return out
}

func units(n uint64) big.Int { return big.NewFromGo(new(mathbig.Int).SetUint64(n)) }

// overEstimation burns part of the gas that was asked for and not used: none up to a tenth
// too much, all of it at more than twice what was needed.
func overEstimation(used, limit uint64) (refund, burned uint64) {
	if used == 0 {
		return 0, limit
	}
	u, l := new(mathbig.Int).SetUint64(used), new(mathbig.Int).SetUint64(limit)
	over := new(mathbig.Int).Mul(u, mathbig.NewInt(11))
	over.Quo(over, mathbig.NewInt(10))
	over.Sub(l, over)
	if over.Sign() < 0 {
		over.SetInt64(0)
	}
	if over.Cmp(u) > 0 {
		over = u
	}
	if used > limit {
		return 0, 0
	}
	left := limit - used
	burn := new(mathbig.Int).Mul(new(mathbig.Int).SetUint64(left), over)
	burn.Quo(burn, u)
	b := burn.Uint64()
	return left - b, b
}
