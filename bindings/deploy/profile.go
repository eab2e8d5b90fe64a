package deploy

import (
	"math/big"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
)

// Profile is the parameters of one kind of network. Times are seconds, prices
// attoFIL, gas in the chain's own unit.
type Profile struct {
	Name        string
	Provider    estuaryprovider.ProviderConfig
	GasPriceCap uint64
	Pin, Unpin  estuaryprovider.Price
	// Prepare and Served are for content that becomes pieces.
	Prepare, Served estuaryprovider.Price
	Status          estuaryprovider.Price // of asking what became of a deal
	Pinning         estuarypinning.PinningConfig
	SampleGas       uint32 // promised to a sample's callback
	StorageGas      uint32 // promised to PerpetualStorage's callback
	SizeGas         uint32 // promised to a DAO's callback that keeps a size
}

const (
	minute = 60
	hour   = 60 * minute
	day    = 24 * hour

	nanoFIL  = 1_000_000_000
	milliFIL = 1_000_000 * nanoFIL
)

// Devnet is quick: a failure may be answered after seconds. It is for a Filecoin on
// one machine (`tidegate devnet`), whose gas and prices it has.
func Devnet() Profile {
	p, quick := Filecoin(), Anvil()
	p.Name = "devnet"
	c := &p.Provider
	c.MinDeadline, c.MaxDeadline, c.CancelDelay = quick.Provider.MinDeadline, quick.Provider.MaxDeadline, quick.Provider.CancelDelay
	c.MinAttempt, c.ActivationDelay, c.DrainWindow = quick.Provider.MinAttempt, quick.Provider.ActivationDelay, quick.Provider.DrainWindow
	p.Pinning.RequestTerm = quick.Pinning.RequestTerm
	return p
}

// Anvil is Devnet in Ethereum's gas, for development chains that count so (anvil).
func Anvil() Profile {
	return Profile{
		Name: "anvil",
		Provider: estuaryprovider.ProviderConfig{
			MinDeadline: big.NewInt(minute), MaxDeadline: big.NewInt(30 * day), CancelDelay: big.NewInt(minute),
			MinAttempt: big.NewInt(3), ActivationDelay: big.NewInt(minute), DrainWindow: big.NewInt(hour),
			MaxCallbackGas: 2_000_000, CallOverhead: 10_000, ReportGas: 80_000, BaseGas: 35_000, ByteGas: 12,
		},
		GasPriceCap: 100 * nanoFIL,
		Pin:         estuaryprovider.Price{Base: big.NewInt(20 * milliFIL), PerMiB: 1_000 * nanoFIL, PerMiBMonth: 1_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Unpin:       estuaryprovider.Price{Base: big.NewInt(10 * milliFIL), AttemptBps: 1000, Offered: true},
		Prepare:     estuaryprovider.Price{Base: big.NewInt(20 * milliFIL), PerMiB: 1_000 * nanoFIL, PerMiBMonth: 1_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Served:      estuaryprovider.Price{Base: big.NewInt(10 * milliFIL), PerMiB: 1_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Status:      estuaryprovider.Price{Base: big.NewInt(10 * milliFIL), AttemptBps: 1000, Offered: true},
		Pinning:     pinning(80_000, hour),
		SampleGas:   200_000,
		StorageGas:  300_000,
		SizeGas:     150_000,
	}
}

// Filecoin suits mainnet and calibration: finality may fall 900 epochs of 30 s
// behind, and gas counts a hundred times and more what an EVM counts.
func Filecoin() Profile {
	return Profile{
		Name: "filecoin",
		Provider: estuaryprovider.ProviderConfig{
			MinDeadline: big.NewInt(8 * hour), MaxDeadline: big.NewInt(30 * day), CancelDelay: big.NewInt(hour),
			MinAttempt: big.NewInt(30 * minute), ActivationDelay: big.NewInt(2 * day), DrainWindow: big.NewInt(day),
			MaxCallbackGas: 1_000_000_000, CallOverhead: 20_000_000, ReportGas: 40_000_000, BaseGas: 10_000_000, ByteGas: 1_300,
		},
		GasPriceCap: 2 * nanoFIL,
		Pin:         estuaryprovider.Price{Base: big.NewInt(100 * milliFIL), PerMiB: 1_000 * nanoFIL, PerMiBMonth: 10_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Unpin:       estuaryprovider.Price{Base: big.NewInt(50 * milliFIL), AttemptBps: 1000, Offered: true},
		Prepare:     estuaryprovider.Price{Base: big.NewInt(100 * milliFIL), PerMiB: 2_000 * nanoFIL, PerMiBMonth: 10_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Served:      estuaryprovider.Price{Base: big.NewInt(50 * milliFIL), PerMiB: 1_000 * nanoFIL, AttemptBps: 1000, Offered: true},
		Status:      estuaryprovider.Price{Base: big.NewInt(50 * milliFIL), AttemptBps: 1000, Offered: true},
		Pinning:     pinning(40_000_000, 2*day),
		SampleGas:   60_000_000,
		StorageGas:  150_000_000,
		SizeGas:     100_000_000,
	}
}

func pinning(callbackGas uint32, requestTerm int64) estuarypinning.PinningConfig {
	return estuarypinning.PinningConfig{
		DefaultMaxBytes: 1 << 30, MostMaxBytes: 64 << 30, DefaultTerm: big.NewInt(365 * day), MinTerm: big.NewInt(hour),
		MaxTerm: big.NewInt(5 * 365 * day), RequestTerm: big.NewInt(requestTerm), CallbackGas: callbackGas,
	}
}

// Profiles lists every profile.
func Profiles() []Profile { return []Profile{Devnet(), Anvil(), Filecoin()} }

// DaoParams is what a DAO is made with where its founders choose nothing else: an
// hour to vote on a CID, a day on what spends and another until it is spent.
func DaoParams() datadao.DaoParams {
	return datadao.DaoParams{
		VotingPeriod: hour, WeightyPeriod: day, ExecutionDelay: day, ExecutionWindow: 7 * day,
		MembershipAge: day, InvitePeriod: 7 * day, InviteLimit: 2, QuorumBps: 1000, WeightyQuorumBps: 2000,
		Deposit: big.NewInt(500 * milliFIL), MaxPerProposal: big.NewInt(1000 * milliFIL), MaxPer30Days: big.NewInt(3000 * milliFIL),
		Tip: new(big.Int), GuardianUntil: new(big.Int),
	}
}
