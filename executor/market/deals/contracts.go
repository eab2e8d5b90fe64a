package deals

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/storagegate"
)

// States of a slot, as IPerpetualStorage.SlotState numbers them.
const (
	slotOpen = iota
	slotClaimed
	slotPublished
	slotActive
	slotEnded
	slotLost
	slotTerminated
)

// States of an f05 deal, as IFilecoinFacts.DealState numbers them: what the exit
// codes 0, 32 and 33 of the market actor come to.
const (
	factUnknown = iota
	factPublished
	factActive
	factGone
)

// Routes of IPerpetualStorage: shown by an f05 deal, by a claim of verified data, or by the
// sector of the slot before it, which lasts long enough.
const (
	routeMarket    = 1
	routeClaim     = 3
	routeExtension = 4
)

// contracts reads the storage contracts at one height.
type contracts struct {
	chain    Chain
	at       common.Address // PerpetualStorage
	storage  *perpetualstorage.PerpetualStorage
	gateABI  *storagegate.StorageGate
	factsABI *filecoinfacts.FilecoinFacts
	regABI   *providerregistry.ProviderRegistry

	gate, facts, registry common.Address // once they were asked for
}

func newContracts(chain Chain, at common.Address) *contracts {
	return &contracts{
		chain: chain, at: at, storage: perpetualstorage.NewPerpetualStorage(), gateABI: storagegate.NewStorageGate(),
		factsABI: filecoinfacts.NewFilecoinFacts(), regABI: providerregistry.NewProviderRegistry(),
	}
}

// view calls a view and unpacks what it gives.
func view[T any](ctx context.Context, c *contracts, to common.Address, epoch uint64, what string, call []byte, unpack func([]byte) (T, error)) (out T, err error) {
	b, err := c.chain.Call(ctx, to, call, epoch)
	if err == nil && len(b) == 0 {
		err = fmt.Errorf("there is no such contract at %s", to)
	}
	if err == nil {
		out, err = unpack(b)
	}
	if err != nil {
		return out, fmt.Errorf("reading %s at epoch %d: %w", what, epoch, err)
	}
	return out, nil
}

// open learns the addresses that never change.
func (c *contracts) open(ctx context.Context, epoch uint64) (err error) {
	if c.gate != (common.Address{}) {
		return nil
	}
	facts, err := view(ctx, c, c.at, epoch, "facts", c.storage.PackFacts(), c.storage.UnpackFacts)
	if err != nil {
		return err
	}
	registry, err := view(ctx, c, c.at, epoch, "registry", c.storage.PackRegistry(), c.storage.UnpackRegistry)
	if err != nil {
		return err
	}
	gate, err := view(ctx, c, c.at, epoch, "gate", c.storage.PackGate(), c.storage.UnpackGate)
	if err != nil {
		return err
	}
	c.facts, c.registry, c.gate = facts, registry, gate
	return nil
}

func (c *contracts) openSlots(ctx context.Context, epoch, cursor uint64, deals int64) (perpetualstorage.OpenSlotsOutput, error) {
	return view(ctx, c, c.at, epoch, "openSlots", c.storage.PackOpenSlots(cursor, big.NewInt(deals)), c.storage.UnpackOpenSlots)
}

func (c *contracts) slot(ctx context.Context, epoch, slot uint64) (perpetualstorage.SlotView, error) {
	return view(ctx, c, c.at, epoch, "slotOf", c.storage.PackSlotOf(slot), c.storage.UnpackSlotOf)
}

func (c *contracts) deal(ctx context.Context, epoch, deal uint64) (perpetualstorage.DealView, error) {
	return view(ctx, c, c.at, epoch, "dealOf", c.storage.PackDealOf(deal), c.storage.UnpackDealOf)
}

func (c *contracts) seat(ctx context.Context, epoch, slot uint64) (perpetualstorage.SeatOfOutput, error) {
	return view(ctx, c, c.at, epoch, "seatOf", c.storage.PackSeatOf(slot>>24, uint8(slot>>16)), c.storage.UnpackSeatOf)
}

// bounty is what an open slot pays beside its rate at present, in attoFIL.
func (c *contracts) bounty(ctx context.Context, epoch, slot uint64) (*big.Int, error) {
	return view(ctx, c, c.at, epoch, "quoteBounty", c.storage.PackQuoteBounty(slot), c.storage.UnpackQuoteBounty)
}

// whyNot asks whether an f05 deal would be taken for a slot: "" where it would.
func (c *contracts) whyNot(ctx context.Context, epoch, slot uint64, d perpetualstorage.PublishedDeal) (string, error) {
	word, err := view(ctx, c, c.at, epoch, "whyNot", c.storage.PackWhyNot(slot, d), c.storage.UnpackWhyNot)
	return string(trimZeros(word[:])), err
}

func trimZeros(b []byte) []byte {
	for len(b) > 0 && b[len(b)-1] == 0 {
		b = b[:len(b)-1]
	}
	return b
}

func (c *contracts) proposal(ctx context.Context, epoch, slot uint64) ([]byte, error) {
	return view(ctx, c, c.gate, epoch, "getDealProposal", c.gateABI.PackGetDealProposal(slotWord(slot)), c.gateABI.UnpackGetDealProposal)
}

func (c *contracts) verifies(ctx context.Context, epoch uint64, v storagegate.ICurioDealViewCurioDealView) (bool, error) {
	return view(ctx, c, c.gate, epoch, "verifyDeal", c.gateABI.PackVerifyDeal(v), c.gateABI.UnpackVerifyDeal)
}

func slotWord(slot uint64) (w [32]byte) {
	binary.BigEndian.PutUint64(w[24:], slot)
	return w
}

func (c *contracts) dealFacts(ctx context.Context, epoch, f05 uint64) (filecoinfacts.DealFacts, error) {
	return view(ctx, c, c.facts, epoch, "dealFacts", c.factsABI.PackDealFacts(f05), c.factsABI.UnpackDealFacts)
}

func (c *contracts) claimFacts(ctx context.Context, epoch, miner, claim uint64) (filecoinfacts.ClaimFacts, error) {
	return view(ctx, c, c.facts, epoch, "claimFacts", c.factsABI.PackClaimFacts(miner, claim), c.factsABI.UnpackClaimFacts)
}

// dataCap is what the gate has for a deal and has not set aside, in bytes.
func (c *contracts) dataCap(ctx context.Context, epoch, deal uint64) (*big.Int, error) {
	return view(ctx, c, c.gate, epoch, "dataCapOf", c.gateABI.PackDataCapOf(deal), c.gateABI.UnpackDataCapOf)
}

// registered lists up to limit miners from a place of the registry on.
func (c *contracts) registered(ctx context.Context, epoch uint64, from, limit int64) ([]uint64, error) {
	return view(ctx, c, c.registry, epoch, "providersPage", c.regABI.PackProvidersPage(big.NewInt(from), big.NewInt(limit)), c.regABI.UnpackProvidersPage)
}

// whose gives the owner and the attested organisation of a miner; 0 for unknown.
func (c *contracts) whose(ctx context.Context, epoch, miner uint64) (owner, organisation uint64, err error) {
	f, err := view(ctx, c, c.facts, epoch, "minerFacts", c.factsABI.PackMinerFacts(miner, common.Address{}), c.factsABI.UnpackMinerFacts)
	if err != nil {
		return 0, 0, err
	}
	o, err := view(ctx, c, c.registry, epoch, "organisationOf", c.regABI.PackOrganisationOf(miner), c.regABI.UnpackOrganisationOf)
	if err != nil {
		return 0, 0, err
	}
	return f.OwnerId, o.Uint64(), nil
}

func (c *contracts) entry(ctx context.Context, epoch, miner uint64) (providerregistry.ProviderEntry, error) {
	return view(ctx, c, c.registry, epoch, "entryOf", c.regABI.PackEntryOf(miner), c.regABI.UnpackEntryOf)
}
