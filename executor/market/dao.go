package market

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
)

// ErrReverted is what Chain.Call wraps where the contract itself refused.
var ErrReverted = errors.New("the call reverts")

// States of a proposal, as IDataDAO.ProposalState numbers them.
const (
	daoDefeated uint8 = iota + 2
	daoQueued
	daoReady
	daoExpired
	daoExecuted
	daoCancelled
	daoRefuted
)

// daoExecute is the call that may be tipped.
const daoExecute = "executeCIDProposal"

// DAOSizeSlack is how many times the proposed size operators look at most: what is larger
// is a lie beyond doubt.
const DAOSizeSlack = 2

// DAO reads a DataDAO, and says what is due in it.
type DAO struct {
	chain  Chain
	at     common.Address
	abi    *datadao.DataDAO
	pins   *estuarypinning.EstuaryPinning
	drafts *Drafts
	over   map[uint64]bool // proposals in which nothing will be due
	tip    *big.Int        // of who executes, attoFIL; nil: not read yet
}

// NewDAO is the DataDAO at an address.
func NewDAO(chain Chain, logs Logs, at common.Address) *DAO {
	return &DAO{
		chain: chain, at: at, abi: datadao.NewDataDAO(), pins: estuarypinning.NewEstuaryPinning(),
		drafts: NewDrafts(logs, at), over: map[uint64]bool{},
	}
}

// ask calls a view of a contract at a height.
func ask[T any](ctx context.Context, d *DAO, to common.Address, height uint64, call []byte, unpack func([]byte) (T, error)) (T, error) {
	var none T
	out, err := d.chain.Call(ctx, to, call, height)
	if err != nil {
		return none, fmt.Errorf("DAO %s: reading %s: %w", d.at, to, err)
	}
	if len(out) == 0 {
		return none, fmt.Errorf("DAO %s: there is no contract at %s", d.at, to)
	}
	v, err := unpack(out)
	if err != nil {
		return none, fmt.Errorf("DAO %s: is %s the right contract? %w", d.at, to, err)
	}
	return v, nil
}

// DAOProposal is one at a height, as far as its execution asks.
type DAOProposal struct {
	ID       uint64
	State    uint8
	Action   uint8
	CID      []byte
	Size     uint64
	Budget   *big.Int // attoFIL
	Attested uint64   // bytes; 0: not attested
	Proposed time.Time
	Deadline time.Time
}

// Proposal reads one.
func (d *DAO) Proposal(ctx context.Context, height, id uint64) (DAOProposal, error) {
	n := new(big.Int).SetUint64(id)
	state, err := ask(ctx, d, d.at, height, d.abi.PackStateOf(n), d.abi.UnpackStateOf)
	if err != nil {
		return DAOProposal{}, err
	}
	p, err := ask(ctx, d, d.at, height, d.abi.PackProposals(n), d.abi.UnpackProposals)
	if err != nil {
		return DAOProposal{}, err
	}
	rules, err := ask(ctx, d, d.at, height, d.abi.PackRulesOf(n), d.abi.UnpackRulesOf)
	if err != nil {
		return DAOProposal{}, err
	}
	attested, err := ask(ctx, d, d.at, height, d.abi.PackAttestedOf(n), d.abi.UnpackAttestedOf)
	if err != nil {
		return DAOProposal{}, err
	}
	return DAOProposal{
		ID: id, State: state, Action: rules.Action, CID: p.Cidraw, Size: p.Size.Uint64(), Budget: rules.Budget, Attested: attested.Size,
		Proposed: time.Unix(p.ProposedAt.Int64(), 0), Deadline: time.Unix(p.ProposalExpireAt.Int64(), 0),
	}, nil
}

// Value is what must be sent with the execution of a proposal with this data at the time
// of a block: nothing where the treasury has a budget for it, else its price. Whatever is
// not needed is the sender's credit.
func (d *DAO) Value(ctx context.Context, height uint64, p DAOProposal, data []byte) (*big.Int, error) {
	if p.Budget.Sign() > 0 {
		return new(big.Int), nil
	}
	return d.price(ctx, height, p, data)
}

// price is what the execution of a proposal with this data pays at the time of a block:
// what a deal is given, and the fee of the pin or unpin.
func (d *DAO) price(ctx context.Context, height uint64, p DAOProposal, data []byte) (*big.Int, error) {
	has := readData(p.Action, data)
	var fee *big.Int
	var err error
	switch {
	case p.Action == DAOAdd && !isPiece(p.CID), p.Action == DAORenew:
		fee, err = d.quote(ctx, height, d.pins.PackQuotePin0(p.Size, has.expiry), func(raw []byte) (*big.Int, error) {
			q, err := d.pins.UnpackQuotePin0(raw)
			return q.Fee, err
		})
	case p.Action == DAORemove && !isPiece(p.CID):
		fee, err = d.quote(ctx, height, d.pins.PackQuoteUnpin(), func(raw []byte) (*big.Int, error) {
			q, err := d.pins.UnpackQuoteUnpin(raw)
			return q.Fee, err
		})
	default:
		return has.amount, nil
	}
	if err != nil {
		return nil, err
	}
	return new(big.Int).Add(fee, has.amount), nil
}

func (d *DAO) quote(ctx context.Context, height uint64, call []byte, unpack func([]byte) (*big.Int, error)) (*big.Int, error) {
	at, err := ask(ctx, d, d.at, height, d.abi.PackPinning(), d.abi.UnpackPinning)
	if err != nil {
		return nil, err
	}
	return ask(ctx, d, at, height, call, unpack)
}

// Due lists what is due at a height: passed proposals to execute, with, before it, the
// question to operators which piece is to be stored; proposals whose size was shown to be
// wrong; and ends of lost ones that hold a deposit. A proposal that cannot be read is
// passed over and told of in the error.
func (d *DAO) Due(ctx context.Context, height uint64) ([]Due, error) {
	count, err := ask(ctx, d, d.at, height, d.abi.PackProposalCount(), d.abi.UnpackProposalCount)
	if err != nil {
		return nil, err
	}
	var all []Due
	var failed []error
	for id := uint64(1); id <= count.Uint64(); id++ {
		if d.over[id] {
			continue
		}
		due, err := d.dueOf(ctx, height, id)
		all, failed = append(all, due...), append(failed, err)
		if ctx.Err() != nil {
			return all, ctx.Err()
		}
	}
	return all, errors.Join(failed...)
}

// dueOf is what is due of one proposal.
func (d *DAO) dueOf(ctx context.Context, height, id uint64) ([]Due, error) {
	state, err := ask(ctx, d, d.at, height, d.abi.PackStateOf(new(big.Int).SetUint64(id)), d.abi.UnpackStateOf)
	if err != nil {
		return nil, err
	}
	switch state {
	case daoExecuted, daoCancelled, daoRefuted:
		d.over[id] = true
		return nil, nil
	case daoDefeated, daoQueued, daoReady, daoExpired:
	default:
		return nil, nil // it is voted on
	}
	p, err := d.Proposal(ctx, height, id)
	if err != nil {
		return nil, err
	}
	if state == daoDefeated || state == daoExpired {
		return d.closing(ctx, height, p)
	}
	if p.Attested != 0 && p.Attested != p.Size {
		return []Due{d.due("reportSize", p, d.abi.PackReportSize(new(big.Int).SetUint64(id)))}, nil
	}
	made, err := d.drafts.Find(ctx, id, height, p.Proposed)
	if err != nil {
		return nil, err
	}
	if readData(p.Action, made.Draft.Data).stores {
		if due, waits, err := d.attesting(ctx, height, p); err != nil || waits {
			return due, err
		}
	}
	if state != daoReady {
		return nil, nil
	}
	due := d.due(daoExecute, p, d.abi.PackExecuteCIDProposal(new(big.Int).SetUint64(id), made.Draft.Data))
	if due.Tip, err = d.tipOf(ctx, height, p, made.Draft.Data); err != nil {
		return nil, err
	}
	due.Value, err = d.Value(ctx, height, p, made.Draft.Data)
	return []Due{due}, err
}

func (d *DAO) due(fn string, p DAOProposal, call []byte) Due {
	return Due{Fn: fn, Subject: fmt.Sprint(p.ID), At: "0", Tip: new(big.Int), Call: Call{To: d.at, Data: call}}
}

// closing: a lost proposal's deposit is settled when its end is recorded.
func (d *DAO) closing(ctx context.Context, height uint64, p DAOProposal) ([]Due, error) {
	made, err := d.drafts.Find(ctx, p.ID, height, p.Proposed)
	if err != nil {
		return nil, err
	}
	if made.Rules.Deposit.Sign() == 0 {
		d.over[p.ID] = true
		return nil, nil
	}
	call := d.abi.PackCloseProposal(new(big.Int).SetUint64(p.ID))
	switch _, err := d.chain.Call(ctx, d.at, call, height); {
	case errors.Is(err, ErrReverted): // its end is recorded
		d.over[p.ID] = true
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("DAO %s: %w", d.at, err)
	}
	return []Due{d.due("closeProposal", p, call)}, nil
}

// attesting reports whether a proposal that stores waits for operators to say which piece
// its CID is, and has them asked: again after each term in which they did not answer.
func (d *DAO) attesting(ctx context.Context, height uint64, p DAOProposal) (due []Due, waits bool, err error) {
	by := new(big.Int).SetUint64(p.ID)
	if p.Action != DAOAdd { // the attestation is that of the proposal by which the CID was accepted
		if by, err = ask(ctx, d, d.at, height, d.abi.PackAcceptedBy(p.CID), d.abi.UnpackAcceptedBy); err != nil || by.Sign() == 0 {
			return nil, true, err // removed since: it waits until it expires
		}
	}
	is, err := ask(ctx, d, d.at, height, d.abi.PackAttestedOf(by), d.abi.UnpackAttestedOf)
	if err != nil || is.Size != 0 {
		return nil, err != nil, err
	}
	term, err := ask(ctx, d, d.at, height, d.abi.PackSizeTerm(), d.abi.UnpackSizeTerm)
	if err != nil {
		return nil, true, err
	}
	fee, err := ask(ctx, d, d.at, height, d.abi.PackQuoteSize(DAOSizeSlack*p.Size), d.abi.UnpackQuoteSize)
	if err != nil {
		return nil, true, err
	}
	now, err := d.drafts.logs.HeaderByNumber(ctx, new(big.Int).SetUint64(height))
	if err != nil {
		return nil, true, fmt.Errorf("asking for the time of block %d: %w", height, err)
	}
	due = []Due{d.due("requestSize", p, d.abi.PackRequestSize(by, DAOSizeSlack*p.Size))}
	due[0].Value, due[0].At = fee, fmt.Sprint((int64(now.Time)-p.Deadline.Unix())/term.Int64())
	return due, true, nil
}

// Data finds what a proposal's execution must be given.
func (d *DAO) Data(ctx context.Context, height uint64, p DAOProposal) ([]byte, error) {
	made, err := d.drafts.Find(ctx, p.ID, height, p.Proposed)
	if err != nil {
		return nil, err
	}
	return made.Draft.Data, nil
}
