package cli

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"

	"github.com/ethereum/go-ethereum/common"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// storeFlags are those of `dao propose` about storage.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "store", Usage: "what storing it begins with, in `FIL`, out of the budget; with add too; renew-storage adds it"},
		&cli.StringFlag{Name: "terms", Usage: "JSON `FILE` with terms of storage that differ from the usual: term, sealWindow, renewWindow, ramp, endEpoch in epochs; baseBounty, maxBounty, rate, bondFloor, minCollateral in attoFIL; verified; endpoint"},
		&cli.UintFlag{Name: "replicas", DefaultText: "2", Usage: "copies, each by another provider"},
		&cli.StringFlag{Name: "bounty", Usage: "base bounty, in `FIL`; for change-bounty"},
		&cli.UintFlag{Name: "ramp", Value: 28_800, Usage: "`EPOCHS` from the base bounty to the highest; for change-bounty"},
		&cli.UintFlag{Name: "end-epoch", DefaultText: "0", Usage: "`EPOCH` from which no slot is opened, 0 for none; for renew-storage"},
	}
}

// usualTerms are those of a deal that its proposer says nothing about: half a year,
// sealed within two days, renewed from a month before its end.
func usualTerms() perpetualstorage.DealTerms {
	milli := func(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }
	return perpetualstorage.DealTerms{
		Replicas: 2, Term: 518_400, SealWindow: 5760, RenewWindow: 86_400, Ramp: 28_800,
		BaseBounty: milli(50), MaxBounty: milli(200), Rate: 100_000_000_000, BondFloor: milli(100), MinCollateral: new(big.Int),
	}
}

// termsOf reads --terms over the usual ones, and --replicas over both.
func termsOf(c *cli.Command) (perpetualstorage.DealTerms, error) {
	terms := usualTerms()
	if path := c.String("terms"); path != "" {
		raw, err := os.ReadFile(path)
		if err != nil {
			return terms, fmt.Errorf("--terms: %w", err)
		}
		// encoding/json compares names without regard to case.
		if err := json.Unmarshal(raw, &terms); err != nil {
			return terms, usage("--terms: %s: %v", path, err)
		}
	}
	if n := c.Uint("replicas"); n > 0 {
		terms.Replicas = uint8(min(n, 255)) // PerpetualStorage refuses more than 16
	}
	return terms, nil
}

// draftData encodes what an action needs besides the CID.
func draftData(action string, c *cli.Command) ([]byte, error) {
	origins, until := c.StringSlice("origin"), c.Timestamp("until")
	expiry := new(big.Int)
	if !until.IsZero() {
		expiry.SetInt64(until.Unix())
	}
	amount, err := fil(c.String("store"))
	if c.String("store") == "" {
		amount, err = new(big.Int), nil
	}
	if err != nil {
		return nil, err
	}
	if err := misplaced(action, c, len(origins) > 0, !until.IsZero()); err != nil {
		return nil, err
	}
	switch action {
	case "renew":
		return common.LeftPadBytes(expiry.Bytes(), 32), nil
	case "store":
		return storeOf(c, amount)
	case "renew-storage":
		return daodata.PackRenewStorage(amount, uint32(min(c.Uint("end-epoch"), 1<<32-1)))
	case "change-bounty":
		bounty, err := fil(c.String("bounty"))
		if err != nil {
			return nil, err
		}
		return daodata.PackChangeBounty(bounty, uint32(min(c.Uint("ramp"), 1<<32-1)))
	case "change-replicas":
		return common.LeftPadBytes([]byte{uint8(min(c.Uint("replicas"), 255))}, 32), nil
	case "remove":
		return nil, nil
	}
	return addOf(c, origins, expiry, amount)
}

func storeOf(c *cli.Command, amount *big.Int) ([]byte, error) {
	terms, err := termsOf(c)
	if err != nil {
		return nil, err
	}
	return daodata.Store{Amount: amount, Terms: terms}.Pack()
}

func addOf(c *cli.Command, origins []string, expiry, amount *big.Int) (data []byte, err error) {
	add := daodata.Add{Origins: origins, Expiry: expiry}
	if amount.Sign() > 0 {
		if add.Store, err = storeOf(c, amount); err != nil {
			return nil, err
		}
	}
	if len(origins) == 0 && expiry.Sign() == 0 && len(add.Store) == 0 {
		return nil, nil
	}
	return add.Pack()
}

// misplaced refuses flags that an action would ignore, and asks for those that it needs.
func misplaced(action string, c *cli.Command, origins, until bool) error {
	switch {
	case origins && action != "add", until && action != "add" && action != "renew":
		return usage("--origin is for add, --until for add and renew")
	case action == "renew" && !until:
		return usage("renew needs --until")
	case c.IsSet("store") != (action == "store") && action != "add" && action != "renew-storage":
		return usage("--store is for add and renew-storage, and store needs it")
	case action == "change-bounty" != c.IsSet("bounty"):
		return usage("change-bounty needs --bounty, and it alone")
	case action == "change-replicas" && !c.IsSet("replicas"):
		return usage("change-replicas needs --replicas")
	}
	return nil
}
