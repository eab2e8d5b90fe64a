package cli

import (
	"context"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/executor/piece"
)

// clientCommands are what the client of a deal does with PerpetualStorage.
func clientCommands() []*cli.Command {
	termFlags := storeFlags()[1:3] // terms, replicas
	return []*cli.Command{
		{
			Name: "order", Usage: "have a CID stored: operators make the piece, and a deal is opened that is the sender's", ArgsUsage: "CID",
			Description: "What is sent along pays the operators; the rest, --value, funds the deal. Content must be pinned by the operators, or be found on IPFS.\n" +
				"A keeper opens the deal once the piece is known; if it never is, the money is the sender's credit at EstuaryPinning.",
			Flags: append(append(chainFlags(senderFlags()...), termFlags...),
				&cli.StringFlag{Name: "pinning", Usage: "`ADDRESS` of EstuaryPinning; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_PINNING", "TIDEGATE_CHAIN_PINNING")},
				&cli.StringFlag{Name: "value", Required: true, Usage: "what the deal begins with, in `FIL`"}),
			Action: dealsOrder,
		},
		{
			Name: "look", Usage: "show a deal as the contract has it: its money, its terms, and the slot on each seat", ArgsUsage: "DEAL",
			Flags: spReadFlags(), Action: dealsLook,
		},
		{Name: "fund", Usage: "add to a deal's money; anyone may", ArgsUsage: "DEAL FIL", Flags: spSendFlags(), Action: onDeal(2, fundCall)},
		{
			Name: "change", Usage: "change what open and future slots of a deal pay, or how long and how often it is stored", ArgsUsage: "DEAL",
			Description: "One change at a time: --bounty with --ramp; --max-bounty with --rate; --replicas; --end-epoch; or --datacap. Slots that are claimed keep what they reserved.",
			Flags: spSendFlags(
				&cli.StringFlag{Name: "bounty", Usage: "base bounty, in `FIL`"},
				&cli.Uint32Flag{Name: "ramp", Value: 28_800, Usage: "`EPOCHS` from the base bounty to the highest"},
				&cli.StringFlag{Name: "max-bounty", Usage: "highest bounty, in `FIL`"},
				&cli.Uint64Flag{Name: "rate", Usage: "attoFIL for each epoch that is proven"},
				&cli.Uint8Flag{Name: "replicas", Usage: "copies, each by another provider"},
				&cli.Uint32Flag{Name: "end-epoch", Usage: "`EPOCH` from which no slot is opened, 0 for none"},
				&cli.BoolFlag{Name: "datacap", Usage: "whether slots are sealed with DataCap; --datacap=false: without"}),
			Action: onDeal(1, changeCall),
		},
		{Name: "suspend", Usage: "stop claims and renewals of a deal; running slots go on", ArgsUsage: "DEAL", Flags: spSendFlags(), Action: onDeal(1, plainCall("suspends", (*perpetualstorage.PerpetualStorage).PackSuspend))},
		{Name: "resume", Usage: "go on with a deal that was suspended", ArgsUsage: "DEAL", Flags: spSendFlags(), Action: onDeal(1, plainCall("resumes", (*perpetualstorage.PerpetualStorage).PackResume))},
		{
			Name: "cancel", Usage: "stop claims and renewals for good, and take back what is not reserved; running slots go on", ArgsUsage: "DEAL",
			Flags: spSendFlags(), Action: onDeal(1, plainCall("cancels", (*perpetualstorage.PerpetualStorage).PackCancel)),
		},
		{
			Name: "vouch", Usage: "ask operators whether a deal's piece can be fetched; its slots can be claimed for a week then; anyone may", ArgsUsage: "DEAL",
			Flags: spSendFlags(), Action: onDeal(1, vouchCall),
		},
		{
			Name: "surplus", Usage: "turn what no slot of a deal has reserved into credit; pay it out with: tidegate deals withdraw", ArgsUsage: "DEAL FIL",
			Flags: spSendFlags(), Action: onDeal(2, surplusCall),
		},
		{
			Name: "withdraw", Usage: "pay out the sender's credit: surplus, and what came back of deals",
			Flags:  spSendFlags(&cli.StringFlag{Name: "to", Usage: "`ADDRESS` that is paid, of any kind (default: the sender)"}),
			Action: spWithdraw,
		},
	}
}

// dealState is a deal as the contract has it.
type dealState struct {
	Deal        uint64   `json:"dealId"`
	Client      string   `json:"client"`
	Status      string   `json:"status"`
	Suspended   bool     `json:"suspended,omitempty"`
	CID         string   `json:"cid,omitempty"`
	Free        string   `json:"free"` // attoFIL, neither reserved nor paid
	ServedUntil uint32   `json:"servedUntil,omitempty"`
	Replicas    uint8    `json:"replicas"`
	Verified    bool     `json:"verified"`
	Term        uint32   `json:"term"`
	EndEpoch    uint32   `json:"endEpoch,omitempty"`
	BaseBounty  string   `json:"baseBounty"`
	MaxBounty   string   `json:"maxBounty"`
	Rate        uint64   `json:"rate"`
	Slots       []uint64 `json:"slots,omitempty"` // on each seat, `next` after `current`
}

// dealStatuses are IPerpetualStorage.DealStatus.
var dealStatuses = []string{"none", "preparing", "open", "cancelled"}

func stateOf(id uint64, d perpetualstorage.DealView) *dealState {
	s := &dealState{
		Deal: id, Client: d.Client.Hex(), Status: fmt.Sprint(d.Status), Suspended: d.Suspended, Free: d.Free.String(), ServedUntil: d.ServedUntil,
		Replicas: d.Terms.Replicas, Verified: d.Terms.Verified, Term: d.Terms.Term, EndEpoch: d.Terms.EndEpoch,
		BaseBounty: d.Terms.BaseBounty.String(), MaxBounty: d.Terms.MaxBounty.String(), Rate: d.Terms.Rate,
	}
	if int(d.Status) < len(dealStatuses) {
		s.Status = dealStatuses[d.Status]
	}
	if c, err := cid.Cast(d.Cid); err == nil {
		s.CID = c.String()
	}
	return s
}

func (d *dealState) words() string {
	suspended := ""
	if d.Suspended {
		suspended = ", suspended"
	}
	return fmt.Sprintf("Deal %d is %s%s, for %d copies, and has %s that no slot has reserved.", d.Deal, d.Status, suspended, d.Replicas, filOf(d.Free))
}

func dealsLook(ctx context.Context, c *cli.Command) error {
	id, err := dealArg(c, 1, "the number of a deal of PerpetualStorage")
	if err != nil {
		return err
	}
	client, chain, err := dialRPC(ctx, c)
	if err != nil {
		return err
	}
	defer client.Close()
	storage, err := storageAt(c, client, chain)
	if err != nil {
		return err
	}
	height, err := storage.Head(ctx)
	if err != nil {
		return err
	}
	d, err := storage.Deal(ctx, height, id)
	if err != nil {
		return err
	}
	v, abi := stateOf(id, d), perpetualstorage.NewPerpetualStorage()
	var rows [][]string
	for i := range d.Terms.Replicas {
		seat, err := view(ctx, client, storage.Address(), abi.PackSeatOf(id, i), abi.UnpackSeatOf)
		if err != nil {
			return err
		}
		for _, slot := range []uint64{seat.Current, seat.Next} {
			if slot == 0 {
				continue
			}
			v.Slots = append(v.Slots, slot)
			s, err := storage.Slot(ctx, height, slot)
			if err != nil {
				return err
			}
			sp, earned, of := numberText(minerOf(s.Miner)), filText(s.Earned), filText(s.Obligation)
			if s.State == market.SlotOpen { // what is left of a claim that came to nothing
				sp, earned, of = "", "", ""
			}
			rows = append(rows, []string{fmt.Sprint(i), fmt.Sprint(slot), s.State.String(), sp, earned, of, epochText(uint64(s.End))})
		}
	}
	out := c.Root().Writer
	if c.Bool("json") {
		return printJSON(out, v)
	}
	if err := pairs(out, "deal", fmt.Sprint(id), "client", v.Client, "status", v.Status, "suspended", fmt.Sprint(v.Suspended), "cid", v.CID, "free", filOf(v.Free), "copies", fmt.Sprint(v.Replicas),
		"term", days(v.Term), "bounty", filOf(v.BaseBounty)+" to "+filOf(v.MaxBounty), "a term costs", costText(d.Terms), "datacap", fmt.Sprint(v.Verified), "endpoint", d.Terms.Endpoint,
		"vouched for by", vouchedText(id, d, height), "ends", epochText(uint64(v.EndEpoch))); err != nil {
		return err
	}
	fmt.Fprintln(out)
	return table(out, []string{"seat", "slot", "state", "sp", "earned", "of", "end"}, rows)
}

// dealArg reads the first of so many arguments, the number of a deal.
func dealArg(c *cli.Command, n int, words string) (uint64, error) {
	if c.Args().Len() != n {
		return 0, usage("%s needs %s", c.Name, words)
	}
	return number(c.Args().First(), "deal", 1)
}

// termCost is what one term of so many copies costs at a bounty, in attoFIL.
func termCost(t perpetualstorage.DealTerms, bounty *big.Int, copies uint8) *big.Int {
	one := new(big.Int).Mul(new(big.Int).SetUint64(t.Rate), big.NewInt(int64(t.Term)))
	return one.Mul(one.Add(one, bounty), big.NewInt(int64(copies)))
}

// costText tells what one term of all copies costs, from the base bounty to the highest.
func costText(t perpetualstorage.DealTerms) string {
	return fmt.Sprintf("%s to %s for all copies", filText(termCost(t, t.BaseBounty, t.Replicas)), filText(termCost(t, t.MaxBounty, t.Replicas)))
}

// vouchedText tells until when the deal's slots can be claimed, or what keeps them from it.
func vouchedText(id uint64, d perpetualstorage.DealView, height uint64) string {
	switch {
	case d.Status != 2: // open
		return ""
	case uint64(d.ServedUntil) <= height:
		return fmt.Sprintf("nobody vouches that the piece can be fetched, and till then no slot can be claimed: tidegate deals vouch %d", id)
	}
	return fmt.Sprintf("operators, until epoch %d", d.ServedUntil)
}

func minerOf(id uint64) *uint64 {
	if id == 0 {
		return nil
	}
	return &id
}

// dealCall fills the call of a command on a deal.
type dealCall func(ctx context.Context, s *spAt, deal uint64, d perpetualstorage.DealView, step *spStep) error

// onDeal makes a command's action of its call, with so many arguments of which the deal
// is the first, and tells what the deal is like afterwards.
func onDeal(args int, build dealCall) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		id, err := dealArg(c, args, map[int]string{1: "a deal of PerpetualStorage", 2: "a deal of PerpetualStorage and an amount of FIL"}[args])
		if err != nil {
			return err
		}
		s, err := openSp(ctx, c)
		if err != nil {
			return err
		}
		defer s.close()
		d, err := s.storage.Deal(ctx, s.height, id)
		if err != nil {
			return err
		}
		var step spStep
		if err := build(ctx, s, id, d, &step); err != nil {
			return err
		}
		step.after = func(ctx context.Context, height uint64, _ []*types.Log, done *spDone) error {
			now, err := s.storage.Deal(ctx, height, id)
			if err != nil {
				return err
			}
			done.Deal = stateOf(id, now)
			if err := s.tell(ctx, height, done, s.seen); err != nil {
				return err
			}
			done.words = done.Deal.words()
			if done.Credit != "0" {
				done.words += fmt.Sprintf(" The sender can withdraw %s.", filOf(done.Credit))
			}
			return nil
		}
		return s.perform(ctx, step)
	}
}

func plainCall(what string, pack func(*perpetualstorage.PerpetualStorage, uint64) []byte) dealCall {
	return func(_ context.Context, _ *spAt, deal uint64, d perpetualstorage.DealView, step *spStep) error {
		step.data = pack(perpetualstorage.NewPerpetualStorage(), deal)
		step.before = []string{what, fmt.Sprintf("deal %d, of which %s is not reserved", deal, filText(d.Free))}
		return nil
	}
}

func fundCall(_ context.Context, s *spAt, deal uint64, d perpetualstorage.DealView, step *spStep) (err error) {
	step.data, step.before = perpetualstorage.NewPerpetualStorage().PackFund(deal), []string{"funds", fmt.Sprintf("deal %d of %s", deal, d.Client)}
	step.value, err = fil(s.c.Args().Get(1))
	return err
}

func surplusCall(_ context.Context, s *spAt, deal uint64, d perpetualstorage.DealView, step *spStep) error {
	amount, err := fil(s.c.Args().Get(1))
	if err != nil {
		return err
	}
	step.data = perpetualstorage.NewPerpetualStorage().PackWithdrawSurplus(deal, amount)
	step.before = []string{"takes back", fmt.Sprintf("%s of the %s that no slot of deal %d has reserved", filText(amount), filText(d.Free), deal)}
	return nil
}

func vouchCall(ctx context.Context, s *spAt, deal uint64, _ perpetualstorage.DealView, step *spStep) (err error) {
	abi := perpetualstorage.NewPerpetualStorage()
	step.data, step.before = abi.PackRequestServed(deal), []string{"asks", fmt.Sprintf("operators whether the piece of deal %d can be fetched", deal)}
	step.value, err = view(ctx, s.client, s.storage.Address(), abi.PackQuoteServed(deal), abi.UnpackQuoteServed)
	return err
}

func changeCall(_ context.Context, s *spAt, deal uint64, d perpetualstorage.DealView, step *spStep) error {
	abi, c := perpetualstorage.NewPerpetualStorage(), s.c
	var set []string
	for _, group := range [][]string{{"bounty"}, {"max-bounty", "rate"}, {"replicas"}, {"end-epoch"}, {"datacap"}} {
		for _, name := range group {
			if c.IsSet(name) {
				set = append(set, group[0])
				break
			}
		}
	}
	if len(set) != 1 || c.IsSet("ramp") && set[0] != "bounty" {
		return usage("deals change makes one change: --bounty with --ramp; --max-bounty with --rate; --replicas; --end-epoch; or --datacap")
	}
	switch set[0] {
	case "bounty":
		bounty, err := fil(c.String("bounty"))
		if err != nil {
			return err
		}
		ramp := d.Terms.Ramp
		if c.IsSet("ramp") {
			ramp = c.Uint32("ramp")
		}
		step.data, step.before = abi.PackChangeBounty(deal, bounty, ramp), []string{"bounty", filText(bounty) + " at first, rising for " + days(ramp)}
	case "max-bounty":
		most, rate := d.Terms.MaxBounty, d.Terms.Rate
		if c.IsSet("rate") {
			rate = c.Uint64("rate")
		}
		if c.IsSet("max-bounty") {
			var err error
			if most, err = fil(c.String("max-bounty")); err != nil {
				return err
			}
		}
		step.data = abi.PackChangeMaxPrice(deal, most, rate)
		step.before = []string{"pays at most", fmt.Sprintf("%s, and %s a day", filText(most), filText(new(big.Int).Mul(big.NewInt(2880), new(big.Int).SetUint64(rate))))}
	case "replicas":
		step.data, step.before = abi.PackChangeReplicas(deal, c.Uint8("replicas")), []string{"copies", fmt.Sprint(c.Uint8("replicas"))}
	case "end-epoch":
		end := c.Uint32("end-epoch")
		words := fmt.Sprintf("no slot is opened from epoch %d on", end)
		switch {
		case end == 0:
			words = "never, while there is money"
		case uint64(end) <= s.height:
			words = fmt.Sprintf("at once: epoch %d is past (it is %d), so no slot is opened any more", end, s.height)
		}
		step.data, step.before = abi.PackChangeEndEpoch(deal, end), []string{"ends", words}
	default:
		step.data, step.before = abi.PackChangeDataCap(deal, c.Bool("datacap")), []string{"datacap", fmt.Sprint(c.Bool("datacap"))}
	}
	step.before = append([]string{"changes", fmt.Sprintf("deal %d", deal)}, step.before...)
	return nil
}

// tryTerms has PerpetualStorage look at CID and terms before money is sent: an order does not, and
// would be paid back only after operators have done their work.
func tryTerms(ctx context.Context, s *spAt, at common.Address, root cid.Cid, terms perpetualstorage.DealTerms) error {
	p, abi := estuarypinning.NewEstuaryPinning(), perpetualstorage.NewPerpetualStorage()
	storage, err := view(ctx, s.client, at, p.PackPerpetualStorage(), p.UnpackPerpetualStorage)
	if err != nil {
		return err
	}
	some := piece.Commitment{Root: [32]byte{1}, Padded: 2048, Payload: 2000}
	_, err = s.client.CallContract(ctx, ethereum.CallMsg{
		To: &storage, Data: abi.PackCreateDealFor(at, root.Bytes(), some.CID().Bytes(), some.Padded, some.Payload, terms),
	}, nil)
	raw, reverted := revertData(err)
	if !reverted {
		return nil // that it cannot be asked is seen when the call is tried
	}
	said, _ := abi.UnpackError(raw)
	switch said.(type) {
	case *perpetualstorage.PerpetualStoragePerpetualStorageTermsOutOfRange, *perpetualstorage.PerpetualStoragePerpetualStorageUnsupportedCid:
		return fmt.Errorf("no deal could be opened so: %s", market.Reverted(raw))
	}
	return nil
}

func dealsOrder(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("deals order needs a CID")
	}
	root, err := cid.Decode(c.Args().First())
	if err != nil {
		return usage("%q is not a CID: %v", c.Args().First(), err)
	}
	funds, err := fil(c.String("value"))
	if err != nil {
		return err
	}
	terms, err := termsOf(c)
	if err != nil {
		return err
	}
	var at common.Address
	s, err := openCaller(ctx, c, func(s *spAt) (err error) {
		at, err = contractAt(c, s.chain, "pinning", bindings.EstuaryPinning)
		return err
	})
	if err != nil {
		return err
	}
	defer s.close()
	if least := termCost(terms, terms.BaseBounty, 1); funds.Cmp(least) < 0 {
		return fmt.Errorf("%s buys no term of any copy: one costs %s at least, a term %s; give more by --value", filText(funds), filText(least), costText(terms))
	}
	p := estuarypinning.NewEstuaryPinning()
	if err := tryTerms(ctx, s, at, root, terms); err != nil {
		return err
	}
	fee, err := view(ctx, s.client, at, p.PackQuoteDeals(), p.UnpackQuoteDeals)
	if err != nil {
		return err
	}
	return s.perform(ctx, spStep{
		to: at, value: new(big.Int).Add(fee, funds), data: p.PackMakeDealsForCid(root.Bytes(), estuarypinning.DealTerms(terms)),
		before: []string{"orders", fmt.Sprintf("%d copies of %s for %s, renewed while there is money", terms.Replicas, root, days(terms.Term)), "a term costs", costText(terms), "funds", filText(funds), "operators", filText(fee)},
		after: func(_ context.Context, _ uint64, logs []*types.Log, done *spDone) error {
			e := eventIn(logs, at, p.UnpackDealsRequestedEvent)
			if e == nil {
				return fmt.Errorf("transaction %s ordered nothing: is %s an EstuaryPinning?", done.Transaction, at)
			}
			done.Request = common.Hash(e.RequestId).Hex()
			done.words = fmt.Sprintf("Ordered, as request %s. Once operators have made the piece, a keeper opens the deal.", done.Request)
			return nil
		},
	})
}
