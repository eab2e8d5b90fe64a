package cli

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/executor/market"
)

func daoCreate(ctx context.Context, c *cli.Command, d *daoAt) error {
	value, err := fil(c.String("value"))
	if err != nil {
		return err
	}
	var founders []common.Address
	for _, text := range append(c.StringSlice("founders"), c.String("token"), c.String("guardian")) {
		if text != "" && !common.IsHexAddress(text) {
			return usage("%q is not an address", text)
		}
	}
	for _, text := range c.StringSlice("founders") {
		founders = append(founders, common.HexToAddress(text))
	}
	params := datadaofactory.DaoParams(deploy.DaoParams())
	if params.Tip, err = fil(c.String("tip")); err != nil {
		return err
	}
	if params.Tip.Cmp(params.MaxPerProposal) > 0 {
		return usage("--tip is at most what one proposal may take, %s", filText(params.MaxPerProposal))
	}
	if c.String("guardian") != "" {
		params.Guardian = common.HexToAddress(c.String("guardian"))
		params.GuardianUntil = big.NewInt(time.Now().AddDate(1, 0, 0).Unix())
	}
	f := datadaofactory.NewDataDAOFactory()
	done, err := d.send(ctx, c, value, f.PackCreateDAO(params, founders, common.HexToAddress(c.String("token"))))
	if err != nil {
		return err
	}
	for _, log := range done.receipt.Logs {
		if e, err := f.UnpackDaoCreatedEvent(log); err == nil {
			done.DAO = &e.Dao
		}
	}
	if done.DAO == nil {
		return fmt.Errorf("transaction %s made no DAO: is %s a DataDAOFactory?", done.Transaction, d.addr)
	}
	return sayDao(c, done, "The DAO is "+done.DAO.Hex())
}

func daoPropose(ctx context.Context, c *cli.Command, d *daoAt) error {
	draft, err := draftOf(c)
	if err != nil {
		return err
	}
	data := d.c.PackPropose(draft)
	value, err := d.deposit(ctx, c, data)
	if err != nil {
		return err
	}
	done, err := d.send(ctx, c, value, data)
	if err != nil {
		return err
	}
	if e := eventIn(done.receipt.Logs, d.addr, d.c.UnpackProposalCreatedEvent); e != nil {
		done.Proposal = e.ProposalId.Uint64()
	}
	return sayDao(c, done, fmt.Sprintf("Proposal %d is voted on; deposit %s", done.Proposal, filText(value)))
}

func draftOf(c *cli.Command) (datadao.Draft, error) {
	var none datadao.Draft
	action := slices.Index(daoActions, c.String("action"))
	if action < 0 {
		return none, usage("--action is one of %s", strings.Join(daoActions, ", "))
	}
	root, err := cid.Decode(c.Args().Get(1))
	if err != nil {
		return none, usage("%q is not a CID: %v", c.Args().Get(1), err)
	}
	budget, err := fil(c.String("budget"))
	if err != nil {
		return none, err
	}
	data, err := draftData(daoActions[action], c)
	if err != nil {
		return none, err
	}
	return datadao.Draft{Action: uint8(action), Cid: root.Bytes(), Size: c.Uint64("size"), Budget: budget, Data: data}, nil
}

// deposit finds out whether the sender owes one: the DAO is asked, without
// sending anything, to take the proposal for nothing.
func (d *daoAt) deposit(ctx context.Context, c *cli.Command, data []byte) (*big.Int, error) {
	key, err := d.key(ctx, c)
	if err != nil {
		return nil, err
	}
	_, err = d.client.CallContract(ctx, ethereum.CallMsg{From: key.Address(), To: &d.addr, Data: data}, nil)
	if err == nil {
		return new(big.Int), nil
	}
	if raw, ok := revertData(err); ok {
		if said, unknown := d.c.UnpackError(raw); unknown == nil {
			if mismatch, is := said.(*datadao.DataDAODataDAODepositMismatch); is {
				return mismatch.Needed, nil
			}
		}
	}
	return nil, said(err)
}

func daoVote(ctx context.Context, c *cli.Command, d *daoAt) error {
	id, err := proposalID(c)
	if err != nil {
		return err
	}
	word := c.Args().Get(2)
	if word != "yes" && word != "no" {
		return usage("a vote is yes or no, not %q", word)
	}
	data, err := d.ballot(ctx, c, id, word == "yes")
	if err != nil {
		return err
	}
	done, err := d.send(ctx, c, new(big.Int), data)
	if err != nil {
		return err
	}
	done.Proposal = id.Uint64()
	return sayDao(c, done, fmt.Sprintf("Voted %s on proposal %s", word, id))
}

// ballot is the call of a vote. A member's names its place, so that it costs the same
// however many members there are; who is none, and a token's holder, has no place.
func (d *daoAt) ballot(ctx context.Context, c *cli.Command, id *big.Int, yes bool) ([]byte, error) {
	key, err := d.key(ctx, c)
	if err != nil {
		return nil, err
	}
	raw, err := d.client.CallContract(ctx, ethereum.CallMsg{To: &d.addr, Data: d.c.PackPlaceOf(key.Address())}, nil)
	if _, reverted := revertData(err); reverted {
		return d.c.PackVoteCIDProposal(id, yes), nil
	}
	if err != nil {
		return nil, fmt.Errorf("asking for the place in the register: %w", err)
	}
	place, err := d.c.UnpackPlaceOf(raw)
	if err != nil {
		return nil, fmt.Errorf("is %s a DataDAO? %w", d.addr, err)
	}
	return d.c.PackVoteCIDProposalAt(id, yes, place), nil
}

func daoExecute(ctx context.Context, c *cli.Command, d *daoAt) error {
	id, err := proposalID(c)
	if err != nil {
		return err
	}
	height, err := d.client.BlockNumber(ctx)
	if err != nil {
		return fmt.Errorf("asking for the head: %w", err)
	}
	dao := market.NewDAO(contractsOf{d.client}, d.client, d.addr)
	p, err := dao.Proposal(ctx, height, id.Uint64())
	if err != nil {
		return said(err)
	}
	data := common.FromHex(c.String("data"))
	if !c.IsSet("data") {
		if data, err = dao.Data(ctx, height, p); err != nil {
			return fmt.Errorf("%w: give --data, as it has been since", err)
		}
	}
	value, err := fil(c.String("value"))
	if c.String("value") == "" {
		value, err = dao.Value(ctx, height, p, data)
	}
	if err != nil {
		return err
	}
	done, err := d.send(ctx, c, value, d.c.PackExecuteCIDProposal(id, data))
	if err != nil {
		return err
	}
	done.Proposal = id.Uint64()
	return sayDao(c, done, fmt.Sprintf("Proposal %s is executed", id))
}

func sayDao(c *cli.Command, done sent, words string) error {
	if c.Bool("json") {
		return printJSON(c.Root().Writer, done)
	}
	_, err := fmt.Fprintf(c.Root().Writer, "%s (transaction %s, block %d, %d gas).\n", words, done.Transaction, done.Block, done.GasUsed)
	return err
}
