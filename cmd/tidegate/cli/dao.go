package cli

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/executor/market"
	"github.com/tidegate/tidegate/oracle/signer"
)

func daoCommand() *cli.Command {
	return &cli.Command{
		Name: "dao", Usage: "take part in a DataDAO: members vote on CIDs, and what they accept is pinned",
		Description: "Anyone may propose a CID; who is no member of age posts the DAO's deposit, which is lost if too few vote. After the vote\n" +
			"anyone may execute what passed. What the treasury pays for (--budget), and removing and renewing, is voted on for a day\n" +
			"or longer and executed a day later.",
		Commands: []*cli.Command{
			{
				Name: "create", Usage: "make a DAO with the usual rules", ArgsUsage: "FACTORY",
				Flags: daoSendFlags(
					&cli.StringSliceFlag{Name: "founders", Usage: "addresses of its first members"},
					&cli.StringFlag{Name: "token", Usage: "`ADDRESS` of a token (IVotes) whose holders vote, in place of members"},
					&cli.StringFlag{Name: "guardian", Usage: "`ADDRESS` that may cancel proposals for a year"},
					&cli.StringFlag{Name: "tip", Value: "0", Usage: "what the treasury gives, in `FIL`, to whoever executes a proposal that has a budget, out of it; keepers execute where it pays for their gas"},
					&cli.StringFlag{Name: "value", Value: "0", Usage: "first treasury, in `FIL`"}),
				Action: onDao(1, "the address of a DataDAOFactory", daoCreate),
			},
			{
				Name: "propose", Usage: "propose what is to be done with a CID", ArgsUsage: "DAO CID",
				Description: "Storage needs the piece that operators attest: tidegate dao attest, before the proposal is executed.",
				Flags: daoSendFlags(append(storeFlags(),
					&cli.Uint64Flag{Name: "size", Required: true, Usage: "`BYTES` of the DAG's unique blocks; of a piece, its padded size"},
					&cli.StringFlag{Name: "action", Value: "add", Usage: strings.Join(daoActions, ", ")},
					&cli.StringFlag{Name: "budget", Value: "0", Usage: "most that the treasury pays, in `FIL`; 0: whoever executes pays"},
					&cli.StringSliceFlag{Name: "origin", Usage: "`MULTIADDR`, ending in /p2p/…, of a peer that has the content"},
					&cli.TimestampFlag{Name: "until", Usage: "`TIME` until which it is to be pinned; needed to renew", Config: cli.TimestampConfig{Layouts: []string{time.RFC3339}}})...),
				Action: onDao(2, "the address of a DAO and a CID", daoPropose),
			},
			{
				Name: "vote", Usage: "vote on a proposal", ArgsUsage: "DAO PROPOSAL yes|no",
				Flags: daoSendFlags(), Action: onDao(3, "the address of a DAO, a proposal, and yes or no", daoVote),
			},
			{
				Name: "attest", Usage: "have operators say how large a proposal's CID is, and which piece", ArgsUsage: "DAO PROPOSAL",
				Description: "Of a CID that is larger than --max-bytes operators say nothing, though they are paid. Once they have said another size than was proposed,\n" +
					"anyone may end the proposal (reportSize).",
				Flags: daoSendFlags(&cli.Uint64Flag{Name: "max-bytes", DefaultText: "twice what was proposed", Usage: "`BYTES` above which operators give up"}), Action: onDao(2, "the address of a DAO and a proposal", daoAttest),
			},
			{
				Name: "execute", Usage: "execute a proposal that passed", ArgsUsage: "DAO PROPOSAL",
				Flags: daoSendFlags(
					&cli.StringFlag{Name: "data", Usage: "`HEX` of the proposal's data (default: looked up in its ProposalCreated event)"},
					&cli.StringFlag{Name: "value", Usage: "what is sent to pay the fee, in `FIL`; what is too much becomes your credit (default: what is needed, where there is no budget)"}),
				Action: onDao(2, "the address of a DAO and a proposal", daoExecute),
			},
			{
				Name: "ls", Usage: "list proposals, the latest first, with the pin and the storage of what was executed", ArgsUsage: "DAO",
				Flags: daoReadFlags(&cli.IntFlag{Name: "limit", Value: 20, Usage: "how many"}), Action: onDao(1, "the address of a DAO", daoList),
			},
			{Name: "show", Usage: "show one proposal, its rules, and what became of its CID", ArgsUsage: "DAO PROPOSAL", Flags: daoReadFlags(), Action: onDao(2, "the address of a DAO and a proposal", daoShow)},
			{Name: "members", Usage: "list members", ArgsUsage: "DAO", Flags: daoReadFlags(), Action: onDao(1, "the address of a DAO", daoMembers)},
			{Name: "treasury", Usage: "show what a DAO has and may spend", ArgsUsage: "DAO", Flags: daoReadFlags(), Action: onDao(1, "the address of a DAO", daoTreasury)},
		},
	}
}

func daoReadFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{&cli.StringFlag{Name: "rpc", Required: true, Usage: "JSON-RPC `URL`", Sources: cli.EnvVars("TIDEGATE_RPC")}, jsonFlag()}, more...)
}

func daoSendFlags(more ...cli.Flag) []cli.Flag {
	return append(daoReadFlags(
		&cli.StringFlag{Name: "keystore", Usage: "encrypted keystore `FILE` of the sender"},
		&cli.StringFlag{Name: "password-file", Usage: "`FILE` with its password"},
		&cli.StringFlag{Name: "key-env", Usage: "`NAME` of a variable with the sender's key; devnets only"}), more...)
}

// daoAt is a DAO on a chain.
type daoAt struct {
	c      *datadao.DataDAO
	client *ethclient.Client
	chain  *big.Int
	addr   common.Address
	at     *bind.BoundContract
}

// onDao makes an action of what is done with a DAO: it takes the first argument as its
// address, wants so many arguments, worded so, and connects to the chain.
func onDao(n int, words string, do func(context.Context, *cli.Command, *daoAt) error) cli.ActionFunc {
	return func(ctx context.Context, c *cli.Command) error {
		if c.Args().Len() != n || !common.IsHexAddress(c.Args().First()) {
			return usage("%s needs %s", c.Name, words)
		}
		client, id, err := dialChain(ctx, c.String("rpc"))
		if err != nil {
			return err
		}
		defer client.Close()
		d := &daoAt{c: datadao.NewDataDAO(), client: client, chain: id, addr: common.HexToAddress(c.Args().First())}
		d.at = d.c.Instance(client, d.addr)
		return do(ctx, c, d)
	}
}

// readDao calls a view.
func readDao[T any](ctx context.Context, d *daoAt, call []byte, unpack func([]byte) (T, error)) (T, error) {
	v, err := bind.Call(d.at, &bind.CallOpts{Context: ctx}, call, unpack)
	if _, reverted := revertData(err); reverted {
		return v, said(err)
	}
	if err != nil {
		return v, fmt.Errorf("%s: %w (is it a DataDAO on chain %s?)", d.addr, err, d.chain)
	}
	return v, nil
}

// revertData gives the bytes that a contract reverted with.
func revertData(err error) ([]byte, bool) {
	var data rpc.DataError
	if !errors.As(err, &data) {
		return nil, false
	}
	text, ok := data.ErrorData().(string)
	raw := common.FromHex(text)
	return raw, ok && len(raw) >= 4
}

// sent is what a transaction became.
type sent struct {
	Transaction common.Hash     `json:"transaction"`
	Block       uint64          `json:"block"`
	GasUsed     uint64          `json:"gasUsed"`
	Proposal    uint64          `json:"proposal,omitempty"`
	DAO         *common.Address `json:"dao,omitempty"`
	Paid        string          `json:"value"`
	receipt     *types.Receipt
}

// send tries a call, sends it, and waits until it is mined.
func (d *daoAt) send(ctx context.Context, c *cli.Command, value *big.Int, data []byte) (sent, error) {
	key, err := d.key(ctx, c)
	if err != nil {
		return sent{}, err
	}
	if _, err := d.client.CallContract(ctx, ethereum.CallMsg{From: key.Address(), To: &d.addr, Value: value, Data: data}, nil); err != nil {
		return sent{}, said(err)
	}
	opts := transactor(func(_ common.Address, tx *types.Transaction) (*types.Transaction, error) {
		return key.SignTx(ctx, tx, d.chain)
	}, key.Address())
	opts.Context, opts.Value = ctx, value
	tx, err := bind.Transact(d.at, opts, data)
	if err != nil {
		return sent{}, fmt.Errorf("sending: %w", said(err))
	}
	receipt, err := bind.WaitMined(ctx, d.client, tx.Hash())
	if err != nil {
		return sent{}, fmt.Errorf("waiting for transaction %s: %w", tx.Hash(), err)
	}
	if receipt.Status != types.ReceiptStatusSuccessful {
		return sent{}, fmt.Errorf("transaction %s reverted in block %s", tx.Hash(), receipt.BlockNumber)
	}
	return sent{Transaction: tx.Hash(), Block: receipt.BlockNumber.Uint64(), GasUsed: receipt.GasUsed, Paid: value.String(), receipt: receipt}, nil
}

func (d *daoAt) key(ctx context.Context, c *cli.Command) (signer.TxSigner, error) {
	key, err := signer.FromSpec(ctx, signer.Spec{
		Keystore: c.String("keystore"), PasswordFile: c.String("password-file"), Env: c.String("key-env"),
	}, d.chain.Uint64())
	if err != nil {
		return nil, fmt.Errorf("the sender's key: %w", err)
	}
	return key, nil
}

// fil reads an amount of FIL with up to 18 decimals, as attoFIL.
func fil(text string) (*big.Int, error) {
	whole, rest, _ := strings.Cut(text, ".")
	if len(rest) > 18 || whole+rest == "" {
		return nil, usage("%q is not an amount of FIL", text)
	}
	amount, ok := new(big.Int).SetString(whole+rest+strings.Repeat("0", 18-len(rest)), 10)
	if !ok || amount.Sign() < 0 {
		return nil, usage("%q is not an amount of FIL", text)
	}
	return amount, nil
}

// filText is the contrary of fil.
func filText(atto *big.Int) string { return market.FIL(atto) }
