package cli

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/executor/market"
)

// firstSlot is the lowest number that is a slot's and no deal's.
const firstSlot = 1 << 24

// anySeat claims whichever seat of a deal is open.
const anySeat = 255

func spClaim(ctx context.Context, c *cli.Command) error {
	id, err := slotArg(c, 1, "a slot, as `sp slots` lists them, or a deal of which any slot will do")
	if err != nil {
		return err
	}
	miner, err := minerID(c.String("miner"))
	if err != nil {
		return err
	}
	s, err := openSp(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	slot, seat, preview, err := s.claimable(ctx, id, miner)
	if err != nil {
		return err
	}
	bond := preview.Bond
	if text := c.String("bond"); text != "" {
		if bond, err = fil(text); err != nil {
			return err
		}
		if bond.Cmp(preview.Bond) < 0 {
			return fmt.Errorf("the bond must be %s", filText(preview.Bond))
		}
	}
	deal, err := s.storage.Deal(ctx, s.height, slot>>24)
	if err != nil {
		return err
	}
	return s.perform(ctx, spStep{
		data: perpetualstorage.NewPerpetualStorage().PackClaimDeal(slot>>24, seat, miner), value: bond,
		before: []string{
			"claims", fmt.Sprintf("slot %d of deal %d for f0%d", slot, slot>>24, miner),
			"pays", fmt.Sprintf("%s over %s", filText(preview.Obligation), days(deal.Terms.Term)),
			"bond", filText(preview.Bond) + ", of which a fifth stays until the term ends; burnt if the piece is not sealed",
			"to be sealed by", s.at(uint32(s.height) + deal.Terms.SealWindow),
		},
		after: func(ctx context.Context, height uint64, logs []*types.Log, done *spDone) error {
			return s.claimed(ctx, height, logs, miner, done)
		},
	})
}

// claimable finds the slot to claim, its seat or any, and what a claim does now.
func (s *spAt) claimable(ctx context.Context, id, miner uint64) (slot uint64, seat uint8, p market.Preview, err error) {
	if id >= firstSlot {
		p, err = s.storage.Preview(ctx, s.height, id, miner, s.seen)
		if err == nil && p.Reason != "" {
			err = fmt.Errorf("slot %d cannot be claimed for f0%d: %s", id, miner, market.Why(p.Reason))
		}
		_, index, _ := market.SplitSlot(id)
		return id, index, p, err
	}
	if _, err := s.storage.Deal(ctx, s.height, id); err != nil {
		return 0, 0, p, err
	}
	open, _, err := s.storage.Open(ctx, s.height, id, 1)
	if err != nil {
		return 0, 0, p, err
	}
	var why []string
	for _, o := range open {
		if p, err = s.storage.Preview(ctx, s.height, o.ID, miner, s.seen); err != nil {
			return 0, 0, p, err
		}
		if p.Reason == "" {
			return o.ID, anySeat, p, nil
		}
		why = append(why, fmt.Sprintf("slot %d: %s", o.ID, market.Why(p.Reason)))
	}
	if len(why) > 0 {
		return 0, 0, p, fmt.Errorf("deal %d has no slot for f0%d: %s", id, miner, strings.Join(why, "; "))
	}
	next, err := s.storage.NextOpening(ctx, s.height, id)
	switch {
	case err != nil:
		return 0, 0, p, err
	case uint64(next) > s.height:
		return 0, 0, p, fmt.Errorf("deal %d: %w; the next slot opens at %s", id, errNothingOpen, s.at(next))
	}
	return 0, 0, p, fmt.Errorf("deal %d: %w, and it is not foreseen when", id, errNothingOpen)
}

// claimed tells what a claim became: another may have been first, and then the contract
// keeps the bond as credit instead of reverting.
func (s *spAt) claimed(ctx context.Context, height uint64, logs []*types.Log, miner uint64, done *spDone) error {
	abi := perpetualstorage.NewPerpetualStorage()
	for _, log := range logs {
		if log.Address != s.storage.Address() {
			continue
		}
		if e, err := abi.UnpackNothingOpenEvent(log); err == nil && e.MinerId == miner {
			next := "it is not foreseen when the next opens"
			if e.NextEpoch != 0 {
				next = "the next opens at " + s.at(e.NextEpoch)
			}
			return fmt.Errorf("deal %d: %w any more, somebody was first; %s. What was sent is your credit, %s: tidegate sp withdraw",
				e.DealId, errNothingOpen, next, filText(e.Credited))
		}
		e, err := abi.UnpackSlotClaimedEvent(log)
		if err != nil || e.MinerId != miner {
			continue
		}
		if err := s.tell(ctx, height, done, s.seen, e.SlotId); err != nil {
			return err
		}
		done.words = fmt.Sprintf("Slot %d is claimed for f0%d, bond %s. Seal the piece by %s.\nAs direct data: notify %s with the payload %x. As an f05 deal: the label begins with %d/.",
			e.SlotId, miner, filText(e.Bond), s.at(e.SealDeadline), s.gateText(ctx, height), market.SlotPayload(e.SlotId), e.SlotId)
		return nil
	}
	return fmt.Errorf("transaction %s says neither that the slot is claimed nor that nothing is open: is %s a PerpetualStorage?", done.Transaction, s.storage.Address())
}

// gateText is the gate that sealing notifies, as an f410 address.
func (s *spAt) gateText(ctx context.Context, height uint64) string {
	gate, err := s.storage.Gate(ctx, height)
	if err != nil {
		return "the StorageGate"
	}
	a, err := market.FromEth(gate)
	if err != nil {
		return gate.Hex()
	}
	return fmt.Sprintf("the gate %s (%s)", market.Text(a), gate)
}

func spDataCap(ctx context.Context, s *spAt, slot uint64, d market.Detail) (spStep, error) {
	deal, err := s.storage.Deal(ctx, s.height, slot>>24)
	if err != nil {
		return spStep{}, err
	}
	switch {
	case !deal.Terms.Verified:
		return spStep{}, fmt.Errorf("deal %d is stored without DataCap", slot>>24)
	case d.State != market.SlotClaimed:
		return spStep{}, fmt.Errorf("slot %d is %s, and DataCap is for who has claimed it", slot, d.State)
	}
	gate, err := s.storage.Gate(ctx, s.height)
	if err != nil {
		return spStep{}, err
	}
	abi := storagegate.NewStorageGate()
	step := spStep{to: gate, data: abi.PackAllocateDataCap(slot), before: []string{"allocates", fmt.Sprintf("%d bytes of DataCap for slot %d, to f0%d", deal.PaddedSize, slot, d.Miner)}}
	if s.c.Bool("f05") {
		step.data, step.before[0] = abi.PackGrantDataCap(slot), "lets f05 draw"
	}
	step.after = func(ctx context.Context, height uint64, logs []*types.Log, done *spDone) error {
		e := eventIn(logs, gate, abi.UnpackDataCapSpentEvent)
		if e == nil {
			return fmt.Errorf("transaction %s does not say that DataCap was set aside: is %s a StorageGate?", done.Transaction, gate)
		}
		done.Allocation = e.AllocationId
		done.words = fmt.Sprintf("Allocation %d is for slot %d: claim it with a sector by %s, and notify the gate in the same manifest.", e.AllocationId, slot, s.at(d.SealDeadline))
		if e.AllocationId == 0 {
			done.words = fmt.Sprintf("The market actor may draw %s bytes for slot %d: publish its f05 deal, to the letter as the gate's getDealProposal has it, before %s.", e.Bytes, slot, s.at(d.SealDeadline))
		}
		return s.tell(ctx, height, done, s.seen, slot)
	}
	return step, nil
}

func spPublish(ctx context.Context, c *cli.Command) error {
	byClaim, n, words := c.String("claim"), 2, "a slot and the id of its f05 deal; or a slot and --claim"
	if byClaim != "" {
		n = 1
	}
	slot, err := slotArg(c, n, words)
	if err != nil {
		return err
	}
	text, what, least := c.Args().Get(1), "deal", uint64(0) // f05 counts deals from 0, f06 claims from 1
	if byClaim != "" {
		text, what, least = byClaim, "claim", 1
	}
	evidence, err := number(text, what, least)
	if err != nil {
		return err
	}
	s, err := openSp(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	if _, err := s.storage.Slot(ctx, s.height, slot); err != nil {
		return err
	}
	abi := perpetualstorage.NewPerpetualStorage()
	step := spStep{data: abi.PackPublishDeal(slot, evidence), before: []string{"shows", fmt.Sprintf("f05 deal %d for slot %d", evidence, slot)}}
	if byClaim != "" {
		step.data, step.before[1] = abi.PackActivateByClaim(slot, evidence), fmt.Sprintf("claim %d of verified data for slot %d", evidence, slot)
	}
	step.after = func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
		if err := s.tell(ctx, height, done, s.seen, slot); err != nil {
			return err
		}
		now := done.Slots[0]
		done.words = fmt.Sprintf("Slot %d is %s; it is paid from %s to %s.", slot, now.State, s.at(now.Start), s.at(now.End))
		return nil
	}
	return s.perform(ctx, step)
}

func spProve(ctx context.Context, c *cli.Command) error {
	ids, err := slotArgs(c)
	if err != nil {
		return err
	}
	s, err := openSp(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	step, payee, err := s.proof(ctx, ids)
	if err != nil {
		return err
	}
	step.after = func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
		if err := s.tell(ctx, height, done, payee, ids...); err != nil {
			return err
		}
		for _, now := range done.Slots {
			done.words += fmt.Sprintf("Slot %s is %s and has earned %s of %s.\n", now.ID, now.State, filOf(now.Earned), filOf(now.Obligation))
		}
		credits, err := creditsText(done.Slots, func(payee common.Address) (*big.Int, error) { return s.storage.Credit(ctx, height, payee) })
		done.words += credits
		return err
	}
	return s.perform(ctx, step)
}

// creditsText tells what each payee of slots can withdraw.
func creditsText(slots []slotState, credit func(common.Address) (*big.Int, error)) (string, error) {
	var lines, told []string
	for _, s := range slots {
		if slices.Contains(told, s.Payee) {
			continue
		}
		told = append(told, s.Payee)
		sum, err := credit(common.HexToAddress(s.Payee))
		if err != nil {
			return "", err
		}
		lines = append(lines, fmt.Sprintf("The payee %s can withdraw %s.", s.Payee, filText(sum)))
	}
	return strings.Join(lines, "\n"), nil
}

// proof gathers where the sectors of slots are now, as their miners say.
func (s *spAt) proof(ctx context.Context, ids []uint64) (spStep, common.Address, error) {
	var payee common.Address
	var places [][]byte
	var step spStep
	for _, id := range ids {
		d, err := s.storage.Slot(ctx, s.height, id)
		if err != nil {
			return step, payee, err
		}
		payee = d.Payee
		switch d.State {
		case market.SlotPublished: // its f05 deal says all
			places = append(places, nil)
			step.before = append(step.before, "activates", fmt.Sprintf("slot %d by f05 deal %d", id, d.Evidence))
			continue
		case market.SlotActive:
		default:
			return step, payee, fmt.Errorf("slot %d is %s: only published and active slots are proven", id, d.State)
		}
		at, err := s.node.Locate(ctx, d.Miner, d.Sector)
		if err != nil {
			return step, payee, err
		}
		if at.Status != market.SectorActive {
			return step, payee, fmt.Errorf("slot %d cannot be proven: f0%d says that its sector %d is %s", id, d.Miner, d.Sector, market.SectorWords(at.Status))
		}
		places = append(places, at.Aux)
		step.before = append(step.before, "proves", fmt.Sprintf("slot %d: sector %d of f0%d is active; last proven at epoch %d", id, d.Sector, d.Miner, d.LastProof))
	}
	step.data = perpetualstorage.NewPerpetualStorage().PackProveActive(ids, places)
	return step, payee, nil
}

func spRelease(_ context.Context, s *spAt, slot uint64, d market.Detail) (spStep, error) {
	return spStep{
		data: perpetualstorage.NewPerpetualStorage().PackReleaseClaim(slot),
		before: []string{
			"gives back", fmt.Sprintf("the claim of slot %d by f0%d", slot, d.Miner),
			"returns", "the bond of " + filText(d.Bond) + ", less 0.01 FIL that is burnt, to the payee " + d.Payee.Hex(),
		},
		after: func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
			if err := s.tell(ctx, height, done, d.Payee, slot); err != nil {
				return err
			}
			done.words = fmt.Sprintf("The claim of slot %d is given back. The payee %s can withdraw %s.", slot, d.Payee, filOf(done.Credit))
			return nil
		},
	}, nil
}

// payTo is who is paid: --to, of any kind, or the sender.
func (s *spAt) payTo(ctx context.Context) (common.Address, string, error) {
	text := s.c.String("to")
	if text == "" {
		return s.seen, s.words, nil
	}
	a, err := market.Parse(text)
	if err != nil {
		return common.Address{}, "", usage("--to %v", err)
	}
	to, err := s.node.Seen(ctx, a)
	return to, market.Text(a), err
}

func spWithdraw(ctx context.Context, c *cli.Command) error {
	if c.Args().Present() {
		return usage(paysAll, "sp")
	}
	s, err := openSp(ctx, c)
	if err != nil {
		return err
	}
	defer s.close()
	abi := perpetualstorage.NewPerpetualStorage()
	return s.payOut(ctx, "earnings go to a slot's payee; have they been proven (tidegate sp prove)?", credited{
		s.storage.Address(), abi.PackCreditOf(s.seen), abi.UnpackCreditOf, abi.PackWithdrawEarned,
		amountIn(abi.UnpackWithdrawnEvent, func(e *perpetualstorage.PerpetualStorageWithdrawn) *big.Int { return e.Amount }),
	})
}

// credited is where the sender may have a credit: how it is asked for, and paid out to an address.
type credited struct {
	at     common.Address
	ask    []byte
	answer func([]byte) (*big.Int, error)
	pay    func(to common.Address) []byte
	paid   func(logs []*types.Log, by common.Address) *big.Int // as its event says; nil for none
}

func amountIn[T any](unpack func(*types.Log) (*T, error), amount func(*T) *big.Int) func([]*types.Log, common.Address) *big.Int {
	return func(logs []*types.Log, by common.Address) *big.Int {
		if e := eventIn(logs, by, unpack); e != nil {
			return amount(e)
		}
		return nil
	}
}

const paysAll = "%s withdraw takes no arguments: it pays out all of the sender's credit"

// payOut pays all of the sender's credit; none says whence it would come.
func (s *spAt) payOut(ctx context.Context, none string, of credited) error {
	to, words, err := s.payTo(ctx)
	if err != nil {
		return err
	}
	credit, err := view(ctx, s.client, of.at, of.ask, of.answer)
	if err != nil {
		return err
	}
	if credit.Sign() == 0 {
		return fmt.Errorf("%s has no credit at %s: %s", s.words, of.at, none)
	}
	return s.perform(ctx, spStep{
		to: of.at, data: of.pay(to), before: []string{"pays", filText(credit), "to", words},
		after: func(ctx context.Context, _ uint64, logs []*types.Log, done *spDone) error {
			paid := of.paid(logs, of.at) // it may have become more since it was asked for
			if paid == nil {
				return fmt.Errorf("transaction %s does not say what was paid: is %s the right contract?", done.Transaction, of.at)
			}
			left, err := view(ctx, s.client, of.at, of.ask, of.answer)
			if err == nil {
				done.Credit, done.words = left.String(), fmt.Sprintf("%s were paid to %s.", filText(paid), words)
			}
			return err
		},
	})
}
