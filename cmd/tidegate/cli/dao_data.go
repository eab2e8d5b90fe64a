package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// storeFlags are those of `dao propose` about storage.
func storeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "store", Usage: "what storing it begins with, in `FIL`, out of the budget; with add too; renew-storage adds it"},
		&cli.StringFlag{Name: "terms", Usage: "JSON `FILE` with terms of storage that differ from the usual: term, sealWindow, renewWindow, ramp, endEpoch in epochs; baseBounty, maxBounty, rate, bondFloor, minCollateral in attoFIL; verified; endpoint"},
		&cli.UintFlag{Name: "replicas", Usage: "copies, each by another provider (default: 2)"},
		&cli.StringFlag{Name: "bounty", Usage: "base bounty, in `FIL`; for change-bounty"},
		&cli.UintFlag{Name: "ramp", Value: 28_800, Usage: "`EPOCHS` from the base bounty to the highest; for change-bounty"},
		&cli.UintFlag{Name: "end-epoch", Usage: "`EPOCH` from which no slot is opened, 0 for none; for renew-storage"},
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

// amountIn is what a proposal's data gives to a deal. Data that says nothing gives nothing.
func amountIn(action string, data []byte) *big.Int {
	switch action {
	case "renew-storage":
		if amount, _, err := daodata.UnpackRenewStorage(data); err == nil {
			return amount
		}
	case "add", "store":
		if action == "add" && len(data) > 0 {
			add, err := daodata.UnpackAdd(data)
			if err != nil {
				return new(big.Int)
			}
			data = add.Store
		}
		if store, err := daodata.UnpackStore(data); err == nil {
			return store.Amount
		}
	}
	return new(big.Int)
}

// searched bounds one question for logs: Lotus takes 2,880 epochs at most.
const searched = 2880

// dataOf finds the data of a proposal in the event that made it, going back from the head
// to the time at which it was made.
func (d *daoAt) dataOf(ctx context.Context, id *big.Int) ([]byte, error) {
	p, err := readDao(ctx, d, d.c.PackProposals(id), d.c.UnpackProposals)
	if err != nil {
		return nil, err
	}
	head, err := d.client.HeaderByNumber(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("asking for the head: %w", err)
	}
	created := crypto.Keccak256Hash([]byte("ProposalCreated(uint256,bytes32,address,uint64,(uint40,uint256,uint256,uint256),(uint8,bytes,uint64,uint96,bytes))"))
	for to := head.Number.Int64(); ; to -= searched {
		from := max(to-searched+1, 0)
		logs, err := d.client.FilterLogs(ctx, ethereum.FilterQuery{
			FromBlock: big.NewInt(from), ToBlock: big.NewInt(to), Addresses: []common.Address{d.addr},
			Topics: [][]common.Hash{{created}, {common.BigToHash(id)}},
		})
		if err != nil {
			return nil, fmt.Errorf("looking for the event that made proposal %s (or give --data): %w", id, err)
		}
		for i := range logs {
			if e, err := d.c.UnpackProposalCreatedEvent(&logs[i]); err == nil {
				return e.Draft.Data, nil
			}
		}
		// A block of before the proposal was made ends the search. Epochs may be null, so the time is asked for generously.
		if from == 0 || d.before(ctx, from, moment(p.ProposedAt)) {
			return nil, fmt.Errorf("this endpoint has no event that made proposal %s: give --data, as it has been since", id)
		}
	}
}

// before reports whether a height is surely older than a moment. Where the endpoint
// does not say (null rounds), it is not sure.
func (d *daoAt) before(ctx context.Context, height int64, t time.Time) bool {
	h, err := d.client.HeaderByNumber(ctx, big.NewInt(height))
	return err == nil && time.Unix(int64(h.Time), 0).Before(t)
}
