package chain

import (
	"cmp"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
)

// nextBaseFee is the base fee after a tipset with these messages of one block. From
// network version 28 it follows the premium that the block's last fifth of gas
// pays; before, how full the block was.
func nextBaseFee(version network.Version, current abi.TokenAmount, messages []*types.Message) abi.TokenAmount {
	if version >= network.Version28 {
		return baseFeeFromPremium(current, percentilePremium(current, messages))
	}
	var used int64
	for _, m := range messages {
		used += m.GasLimit
	}
	return baseFeeFromUse(current, used)
}

// baseFeeFromUse moves the fee by at most an eighth towards blocks that are half full.
func baseFeeFromUse(current abi.TokenAmount, used int64) abi.TokenAmount {
	target := buildconstants.BlockGasTarget
	delta := min(max(used-target, -target), target)
	change := big.Div(big.Mul(current, big.NewInt(delta)), big.NewInt(target))
	change = big.Div(change, big.NewInt(buildconstants.BaseFeeMaxChangeDenom))
	return big.Max(big.Add(current, change), big.NewInt(buildconstants.MinimumBaseFee))
}

// baseFeeFromPremium is max(minimum, fee + min(a, premium − a)) with a = ⌈fee/8⌉.
func baseFeeFromPremium(current, premium abi.TokenAmount) abi.TokenAmount {
	denom := big.NewInt(buildconstants.BaseFeeMaxChangeDenom)
	most := big.Div(big.Add(current, big.Sub(denom, big.NewInt(1))), denom)
	change := big.Min(most, big.Sub(premium, most))
	return big.Max(big.Add(current, change), big.NewInt(buildconstants.MinimumBaseFee))
}

// percentilePremium orders the messages by what they pay above the base fee, the
// dearest first, and gives the premium of the unit of gas at four fifths of a
// block's limit: zero if the block is emptier than that.
func percentilePremium(baseFee abi.TokenAmount, messages []*types.Message) abi.TokenAmount {
	type paid struct {
		premium abi.TokenAmount
		limit   int64
	}
	all := make([]paid, len(messages))
	for i, m := range messages {
		all[i] = paid{m.EffectiveGasPremium(baseFee), m.GasLimit}
	}
	slices.SortStableFunc(all, func(a, b paid) int {
		return cmp.Compare(0, big.Cmp(a.premium, b.premium))
	})
	index := buildconstants.BlockGasTargetIndex
	for _, p := range all {
		if index < p.limit {
			return p.premium
		}
		index -= p.limit
	}
	return big.Zero()
}
