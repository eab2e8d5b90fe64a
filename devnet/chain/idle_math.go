package chain

import (
	"math/big"

	"github.com/filecoin-project/go-state-types/abi"
	stbig "github.com/filecoin-project/go-state-types/big"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	"github.com/filecoin-project/go-state-types/builtin/v18/util/smoothing"
)

// The arithmetic of an epoch's end is fixed point with 128 bits of fraction (Q.128)
// and rounds down. Its constants are the network's, from the specification
// (spec.filecoin.io, "Block reward minting" and "Alpha beta filter").
const precision = 128

func constant(text string) *big.Int {
	n, ok := new(big.Int).SetString(text, 10)
	if !ok {
		panic("chain: a constant is no number: " + text)
	}
	return n
}

var (
	filterAlpha = constant("314760000000000000000000000000000000") // 9.25e-4
	filterBeta  = constant("96640100000000000000000000000000")     // 2.84e-7
	// growth is how much the baseline grows in an epoch: twofold in a year.
	growth = constant("340282591298641078465964189926313473653")
	// lambda is ln 2 over six years of epochs; expLambda is e^lambda − 1.
	lambda    = constant("37396271439864487274534522888786")
	expLambda = constant("37396273494747879394193016954629")
	one       = new(big.Int).Lsh(big.NewInt(1), precision)

	// expNum over expDen approximates e^−x; the highest power is first.
	expNum = constants(
		"-648770010757830093818553637600", "67469480939593786226847644286976", "-3197587544499098424029388939001856",
		"89244641121992890118377641805348864", "-1579656163641440567800982336819953664", "17685496037279256458459817590917169152",
		"-115682590513835356866803355398940131328", "340282366920938463463374607431768211456")
	expDen = constants(
		"1225524182432722209606361", "114095592300906098243859450", "5665570424063336070530214243", "194450132448609991765137938448",
		"5068267641632683791026134915072", "104716890604972796896895427629056", "1748338658439454459487681798864896",
		"23704654329841312470660182937960448", "259380097567996910282699886670381056", "2250336698853390384720606936038375424",
		"14978272436876548034486263159246028800", "72144088983913131323343765784380833792", "224599776407103106596571252037123047424",
		"340282366920938463463374607431768211456")
)

func constants(texts ...string) []*big.Int {
	out := make([]*big.Int, len(texts))
	for i, text := range texts {
		out[i] = constant(text)
	}
	return out
}

func mulQ(a, b *big.Int) *big.Int {
	out := new(big.Int).Mul(a, b)
	return out.Rsh(out, precision)
}

func polynomial(coefficients []*big.Int, x *big.Int) *big.Int {
	sum := new(big.Int).Set(coefficients[0])
	for _, c := range coefficients[1:] {
		sum.Mul(sum, x)
		sum.Rsh(sum, precision)
		sum.Add(sum, c)
	}
	return sum
}

// expNeg is e^−x.
func expNeg(x *big.Int) *big.Int {
	num := polynomial(expNum, x)
	num.Lsh(num, precision)
	return num.Div(num, polynomial(expDen, x))
}

// nextEstimate is the filter's estimate after one more observation, an epoch later.
func nextEstimate(e smoothing.FilterEstimate, observed *big.Int) smoothing.FilterEstimate {
	position := new(big.Int).Add(e.PositionEstimate.Int, e.VelocityEstimate.Int)
	residual := new(big.Int).Lsh(observed, precision)
	residual.Sub(residual, position)
	position.Add(position, mulQ(filterAlpha, residual))
	velocity := mulQ(filterBeta, residual) // over a time of one, in Q.128
	velocity.Add(velocity, e.VelocityEstimate.Int)
	return smoothing.FilterEstimate{
		PositionEstimate: stbig.Int{Int: position}, VelocityEstimate: stbig.Int{Int: velocity},
	}
}

// theta is the effective network time with its fraction.
func theta(s *reward18.State) *big.Int {
	if s.EffectiveNetworkTime == 0 {
		return new(big.Int)
	}
	out := new(big.Int).Lsh(big.NewInt(int64(s.EffectiveNetworkTime)), precision)
	missing := new(big.Int).Sub(s.CumsumBaseline.Int, s.CumsumRealized.Int)
	missing.Lsh(missing, precision)
	return out.Sub(out, missing.Div(missing, s.EffectiveBaselinePower.Int))
}

// baselineSupply is how much of the baseline's total is minted at a theta, in Q.128.
func baselineSupply(theta, total *big.Int) *big.Int {
	out := expNeg(mulQ(theta, lambda))
	out.Sub(one, out)
	return out.Mul(out, total)
}

// nextReward moves the reward actor's state to the next epoch, with this much power.
func nextReward(s *reward18.State, realized *big.Int) {
	before := theta(s)
	s.Epoch++
	s.ThisEpochBaselinePower = stbig.Int{Int: mulQ(s.ThisEpochBaselinePower.Int, growth)}
	counted := realized
	if s.ThisEpochBaselinePower.Cmp(counted) < 0 {
		counted = s.ThisEpochBaselinePower.Int
	}
	s.CumsumRealized = stbig.Int{Int: new(big.Int).Add(s.CumsumRealized.Int, counted)}
	for s.CumsumRealized.Cmp(s.CumsumBaseline.Int) > 0 {
		s.EffectiveNetworkTime++
		s.EffectiveBaselinePower = stbig.Int{Int: mulQ(s.EffectiveBaselinePower.Int, growth)}
		s.CumsumBaseline = stbig.Add(s.CumsumBaseline, s.EffectiveBaselinePower)
	}
	simple := new(big.Int).Mul(s.SimpleTotal.Int, expLambda)
	simple.Mul(simple, expNeg(new(big.Int).Mul(lambda, big.NewInt(int64(s.Epoch)))))
	simple.Rsh(simple, precision)
	simple.Add(simple, baselineSupply(theta(s), s.BaselineTotal.Int))
	simple.Sub(simple, baselineSupply(before, s.BaselineTotal.Int))
	s.ThisEpochReward = stbig.Int{Int: simple.Rsh(simple, precision)}
	s.ThisEpochRewardSmoothed = nextEstimate(s.ThisEpochRewardSmoothed, s.ThisEpochReward.Int)
}

// tick is cron at an epoch in which it has nothing to do.
func (s *idle) tick(epoch abi.ChainEpoch) {
	p := &s.power
	p.FirstCronEpoch = epoch + 1
	p.ThisEpochPledgeCollateral = p.TotalPledgeCollateral
	p.ThisEpochRawBytePower, p.ThisEpochQualityAdjPower = p.TotalBytesCommitted, p.TotalQABytesCommitted
	if p.MinerAboveMinPowerCount >= power18.ConsensusMinerMinMiners {
		p.ThisEpochRawBytePower, p.ThisEpochQualityAdjPower = p.TotalRawBytePower, p.TotalQualityAdjPower
	}
	p.ThisEpochQAPowerSmoothed = nextEstimate(p.ThisEpochQAPowerSmoothed, p.ThisEpochQualityAdjPower.Int)
	nextReward(&s.reward, p.ThisEpochRawBytePower.Int)
	s.market.LastCron = epoch
}
