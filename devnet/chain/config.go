package chain

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/network"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// Values that a Config with zeros stands for.
const (
	DefaultChainID       = 31415926 // the chain id of Filecoin's development networks
	DefaultFinalityDepth = 20       // tipsets; public networks need about as many under F3 or EC's calculator
	DefaultEpoch         = 30 * time.Second
	DefaultNetworkName   = "tidegate-devnet"
	DefaultBundle        = "testing"
)

// MaxFinalityDepth is the hard finality of Filecoin's expected consensus.
const MaxFinalityDepth = 900

// DefaultGenesisTime is the time of the first tipset when none is given: fixed, so
// that two runs agree about every CID.
var DefaultGenesisTime = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// Config is what a chain starts with. The zero value is a complete devnet that
// makes epochs on demand.
type Config struct {
	// Seed decides tickets, beacon entries, keys and the producer's signatures.
	Seed [32]byte

	ChainID     uint64 // EIP-155 number; DefaultChainID
	NetworkName string // recorded in the init actor; DefaultNetworkName

	// GenesisTime is the timestamp of epoch 0, in whole seconds; DefaultGenesisTime.
	GenesisTime time.Time
	// Epoch is how much chain time one epoch is, in whole seconds; DefaultEpoch.
	Epoch time.Duration

	// BlockTime is the real time between epochs in Run; 0 makes none by itself.
	BlockTime time.Duration
	// AutoMine makes two epochs for every accepted message: one that carries it
	// and one that executes it.
	AutoMine bool
	// Settle is how many further epochs AutoMine makes; FinalityDepth of them make the
	// message final.
	Settle int

	// FinalityDepth is how many tipsets behind the head the finalized one is.
	FinalityDepth int

	// Secp256k1Accounts and BLSAccounts are how many funded f1 and f3 accounts are
	// made from the seed; 3 of each. The ten Ethereum accounts are always there.
	Secp256k1Accounts, BLSAccounts int

	// Bundle and the versions choose the actors; "testing", 18 and 28.
	Bundle         string
	ActorsVersion  actorstypes.Version
	NetworkVersion network.Version

	// CacheDir keeps compiled modules between runs; "" is tidegate-fvm in the user's cache.
	CacheDir string
	// Unmetered runs actors without counting their instructions: faster, and gas
	// used is then only what messages, system calls and storage cost.
	Unmetered bool
	// EveryEpoch runs cron's actors in every null round, even where they have nothing to
	// do. The result is the same; it only takes longer.
	EveryEpoch bool
	// AcceptProofs says whether a proof of this kind passes; nil accepts all.
	AcceptProofs func(kind string) bool
	// Engine, if set, is used instead of a new one and is not closed by Close. Bundle,
	// ActorsVersion, CacheDir and Unmetered then say nothing.
	Engine *fvm.Engine

	// Log gets what an operator may want to know.
	Log *slog.Logger // default: discards
}

// withDefaults fills zeros and refuses what cannot work.
func (c Config) withDefaults() (Config, error) {
	setDefault(&c.ChainID, DefaultChainID)
	setDefault(&c.NetworkName, DefaultNetworkName)
	setDefault(&c.Epoch, DefaultEpoch)
	setDefault(&c.FinalityDepth, DefaultFinalityDepth)
	setDefault(&c.Secp256k1Accounts, 3)
	setDefault(&c.BLSAccounts, 3)
	setDefault(&c.Bundle, DefaultBundle)
	setDefault(&c.ActorsVersion, actorstypes.Version18)
	setDefault(&c.NetworkVersion, network.Version28)
	if c.GenesisTime.IsZero() {
		c.GenesisTime = DefaultGenesisTime
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, c.check()
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	switch {
	case c.Epoch < time.Second || c.Epoch%time.Second != 0:
		return fmt.Errorf("an epoch of %s: headers count whole seconds, give at least 1s", c.Epoch)
	case c.GenesisTime.Unix() < 0:
		return fmt.Errorf("genesis time %s: give one after 1970", c.GenesisTime)
	case c.BlockTime < 0:
		return fmt.Errorf("block time %s: give 0 for on demand, or more", c.BlockTime)
	case c.Settle < 0 || c.Settle > MaxFinalityDepth:
		return fmt.Errorf("%d epochs to settle a message: give 0 to %d", c.Settle, MaxFinalityDepth)
	case c.FinalityDepth < 1 || c.FinalityDepth > MaxFinalityDepth:
		return fmt.Errorf("finality depth %d: give 1 to %d", c.FinalityDepth, MaxFinalityDepth)
	case c.Secp256k1Accounts < 1 || c.Secp256k1Accounts > 100 || c.BLSAccounts < 1 || c.BLSAccounts > 100:
		return errors.New("give 1 to 100 accounts of each kind")
	}
	return nil
}
