package cli

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/executor/market"
)

func spCommand() *cli.Command {
	return &cli.Command{
		Name: "sp", Usage: "for storage providers: find, claim and prove slots of perpetual storage",
		Description: "A slot is one copy of a piece, paid for a term. Find one (slots), claim it with a bond, seal the piece, prove it, withdraw.\n" +
			"Every sending command tries the call first, shows what it costs and what is bonded, and asks.",
		Commands: append([]*cli.Command{
			{
				Name: "slots", Usage: "list the slots that can be claimed now",
				Description: "From a daemon's public port (--url), or from the contract itself (--rpc, --storage). The money is a deal's, whose client may take back what no\n" +
					"slot has reserved, or a pool's, whose members may.",
				Flags: spReadFlags(
					&cli.StringFlag{Name: "url", Usage: "public port of a daemon, `http://host:4782`", Sources: cli.EnvVars("TIDEGATE_SLOTS_URL")},
					poolsFlag(),
					&cli.StringFlag{Name: "miner", Usage: "leave out those that only another `MINER` may claim"},
					&cli.BoolFlag{Name: "verified", Usage: "only those with DataCap"},
					&cli.IntFlag{Name: "limit", Value: 100, Usage: "most rows; 0 for all"}),
				Action: spSlots,
			},
			{
				Name: "rank", Usage: "list storage providers as the daemon scores them, best first",
				Description: "Of the daemon on this machine (http.listen), for its operator. Rates are from 0 to 1; who is unknown has 0.8, and what is old counts less; - is what nobody knows yet.",
				Flags:       clientFlags(), Action: spRank,
			},
			{
				Name: "show", Usage: "show one storage provider: what its score is made of, sampled retrievals, and every choice in which it was", ArgsUsage: "SP",
				Description: "Of the daemon on this machine (http.listen), for its operator. Each input counts by its weight, which halves in 30 days; a rate is\n" +
					"(good + 4) / (of + 5), but that a lost copy and a range that was not served weigh 8 times. The score of a choice is as it stood then.",
				Flags: clientFlags(), Action: spShow,
			},
			{
				Name: "claim", Usage: "claim a slot for a miner, with a bond", ArgsUsage: "SLOT|DEAL",
				Description: "The sender must be one of the miner's controlling addresses (owner, worker, control) and becomes the payee. The bond comes back\n" +
					"when the piece is sealed, but for a fifth that stays until the term ends; it is burnt if it is not sealed in time.",
				Flags: spSendFlags(
					&cli.StringFlag{Name: "miner", Required: true, Usage: "the `MINER`, f01234"},
					&cli.StringFlag{Name: "bond", Usage: "what to send, in `FIL`; what is above the bond becomes credit (default: the bond)"}),
				Action: spClaim,
			},
			{
				Name: "datacap", Usage: "take a deal's DataCap for a slot that was claimed", ArgsUsage: "SLOT",
				Description: "For a slot with DataCap, once a claim, before it is sealed: makes the allocation that the sector is to claim (direct data, MK20);\n" +
					"with --f05, lets the market actor draw it for the f05 deal that the contract spells out (MK12). A daemon that makes deals then offers\n" +
					"the slot that way.",
				Flags: spSendFlags(&cli.BoolFlag{Name: "f05", Usage: "for an f05 deal, in place of direct data"}), Action: onSlot("the slot that was claimed", spDataCap),
			},
			{
				Name: "publish", Usage: "show the f05 deal, or the claim of verified data, that stores a slot's piece", ArgsUsage: "SLOT [F05DEAL]",
				Description: "Needed only where the market's or the miner's notification did not reach the contract. See: tidegate sp prove",
				Flags:       spSendFlags(&cli.StringFlag{Name: "claim", Usage: "`ID` of the claim of verified data, in place of a deal"}),
				Action:      spPublish,
			},
			{
				Name: "prove", Usage: "prove that slots are stored, and credit what that earns", ArgsUsage: "SLOT…",
				Description: "Asks the miner where the sectors are, and shows the contract that they are active. A proof counts for the time since the one\n" +
					"before, at most 30 days: prove at least every 30 days. Anyone may send it; the payees are credited.",
				Flags: spSendFlags(), Action: spProve,
			},
			spRegisterCommand(),
			{
				Name: "withdraw", Usage: "pay out what the sender has earned and what came back of bonds",
				Flags:  spSendFlags(&cli.StringFlag{Name: "to", Usage: "`ADDRESS` that is paid, of any kind (default: the sender)"}),
				Action: spWithdraw,
			},
		}, slotCommands()...),
	}
}

// slotCommands end or prolong what a claim began.
func slotCommands() []*cli.Command {
	return []*cli.Command{
		{
			Name: "renew", Usage: "renew a slot by its sector, without sealing anew", ArgsUsage: "SLOT",
			Description: "For direct data and claims of verified data, in the slot's renewal window, once the sector is committed until the new end: extend it\n" +
				"first with the miner's own tools. The next slot is then active at once, and is paid from the end of this one. A fifth of a claim's\n" +
				"bond is sent along and comes back when that term ends.",
			Flags: spSendFlags(), Action: onSlot("the active slot that its sector is to renew", spRenew),
		},
		{
			Name: "release", Usage: "give a claim back, within a day of claiming, for 0.01 FIL", ArgsUsage: "SLOT",
			Flags: spSendFlags(), Action: onSlot("the slot whose claim is given back", spRelease),
		},
		{
			Name: "terminate", Usage: "give an active slot up: what is proven stays earned, the rest of its bond is burnt", ArgsUsage: "SLOT",
			Description: "The sector may go then. There is no way back, but another provider may store the copy anew.",
			Flags:       spSendFlags(), Action: onSlot("the active slot that is given up", spTerminate),
		},
		{
			Name: "payee", Usage: "name who is paid for slots from now on", ArgsUsage: "SLOT…",
			Description: "Only the miner's owner may. What the contract has credited already, stays with the payee before.",
			Flags:       spSendFlags(&cli.StringFlag{Name: "to", Required: true, Usage: "`ADDRESS` of the payee, of any kind; it must exist on chain"}),
			Action:      spPayee,
		},
	}
}

// chainFlags are those of what reads contracts.
func chainFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{&cli.StringFlag{Name: "rpc", Usage: "JSON-RPC `URL`", Sources: cli.EnvVars("TIDEGATE_RPC")}, jsonFlag()}, more...)
}

func spReadFlags(more ...cli.Flag) []cli.Flag {
	return chainFlags(append([]cli.Flag{
		&cli.StringFlag{Name: "storage", Usage: "`ADDRESS` of PerpetualStorage; needed where no public deployment is known", Sources: cli.EnvVars("TIDEGATE_STORAGE", "TIDEGATE_CHAIN_STORAGE")},
	}, more...)...)
}

// contractsOf is a chain as market reads contracts.
type contractsOf struct{ *ethclient.Client }

// Head implements market.Chain.
func (c contractsOf) Head(ctx context.Context) (uint64, error) { return c.BlockNumber(ctx) }

// Call implements market.Chain.
func (c contractsOf) Call(ctx context.Context, to common.Address, data []byte, height uint64) ([]byte, error) {
	out, err := c.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, new(big.Int).SetUint64(height))
	if _, ok := revertData(err); ok {
		err = fmt.Errorf("%w: %w", market.ErrReverted, err)
	}
	return out, err
}

// storageAt is the PerpetualStorage that the flags name, or the public one of the chain.
func storageAt(c *cli.Command, client *ethclient.Client, chain *big.Int) (*market.Storage, error) {
	at, err := contractAt(c, chain, "storage", bindings.PerpetualStorage)
	return market.NewStorage(contractsOf{client}, at), err
}

// contractAt is the contract that a flag names, or the public one of the chain.
func contractAt(c *cli.Command, chain *big.Int, flag, name string) (common.Address, error) {
	if text := c.String(flag); text != "" {
		if !common.IsHexAddress(text) {
			return common.Address{}, usage("--%s %q is not an address", flag, text)
		}
		return common.HexToAddress(text), nil
	}
	known, err := bindings.On(chain.Uint64())
	if err != nil {
		return common.Address{}, usage("--%s is needed: %v", flag, err)
	}
	at, err := known.Address(name)
	if err != nil {
		return at, usage("--%s is needed: %v", flag, err)
	}
	return at, nil
}

// view asks a contract as it is at the head.
func view[T any](ctx context.Context, client *ethclient.Client, at common.Address, call []byte, unpack func([]byte) (T, error)) (T, error) {
	var none T
	raw, err := client.CallContract(ctx, ethereum.CallMsg{To: &at, Data: call}, nil)
	if err != nil {
		return none, fmt.Errorf("asking %s: %w", at, said(err))
	}
	v, err := unpack(raw)
	if err != nil {
		return none, fmt.Errorf("%s is not the contract that is meant: %w", at, err)
	}
	return v, nil
}

// minerID reads f01000, t01000 or 1000.
func minerID(text string) (uint64, error) {
	digits := text
	if len(text) > 2 && (strings.HasPrefix(text, "f0") || strings.HasPrefix(text, "t0")) {
		digits = text[2:]
	}
	id, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || id == 0 {
		return 0, usage("%q is not a miner: give its id address, f01234", text)
	}
	return id, nil
}

// days puts epochs of 30 s into words.
func days(epochs uint32) string { return fmt.Sprintf("%.4gd", float64(epochs)/2880) }
