package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/boxo/files"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings/daodata"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/job"
)

var (
	daoABI     = datadao.NewDataDAO()
	factoryABI = datadaofactory.NewDataDAOFactory()
)

// States of IDataDAO and EstuaryPinning that the story comes to.
const (
	proposalExecuted = 6
	pinned           = 2
	daoNoteSize      = 50_000
)

// daoStory is a DAO of Alice, Bob and a third.
type daoStory struct {
	*show
	addr common.Address
	at   *bind.BoundContract
}

// daoVotes lets a DAO accept content, which is then pinned for it and stored by two
// providers out of its treasury.
func (s *show) daoVotes(ctx context.Context) error {
	s.title("A DAO votes to pin and to store what a stranger proposes")
	if err := s.hurry(quickEpoch); err != nil {
		return err
	}
	d, err := s.newDao(ctx)
	if err != nil {
		return err
	}
	note := files.NewBytesFile(random(s.Seed+2, daoNoteSize))
	root, stat, err := s.daemon.Node().Add(ctx, ipfs.AddSpec{Ref: "local:demo-dao", Name: "proposal.bin"}, note)
	if err != nil {
		return fmt.Errorf("adding what is proposed: %w", err)
	}
	id, data, err := d.propose(ctx, root, stat.Bytes)
	if err != nil {
		return err
	}
	if err := d.attest(ctx, id, root); err != nil {
		return err
	}
	// A day in which members vote, and one before what spends is executed.
	if err := s.reach(ctx, s.headEpoch()+2*day+10); err != nil {
		return err
	}
	if err := d.execute(ctx, id, root, data); err != nil {
		return err
	}
	if err := d.stored(ctx, root); err != nil {
		return err
	}
	return s.hurry(s.BlockTime)
}

// newDao makes the DAO, with a treasury of 10 FIL.
func (s *show) newDao(ctx context.Context) (*daoStory, error) {
	founders := []common.Address{s.user(userAlice).Address, s.user(userBob).Address, s.user(userFree).Address}
	factory := factoryABI.Instance(s.client, s.factoryAddr)
	r, err := s.transact(ctx, userAlice, factory, new(big.Int).Mul(big.NewInt(10), big.NewInt(1e18)),
		factoryABI.PackCreateDAO(datadaofactory.DaoParams(deploy.DaoParams()), founders, common.Address{}))
	if err != nil {
		return nil, err
	}
	for _, l := range r.Logs {
		if e, err := factoryABI.UnpackDaoCreatedEvent(l); err == nil && l.Address == s.factoryAddr {
			s.say("wallet   made DAO %s of three members, with 10 FIL", e.Dao)
			return &daoStory{show: s, addr: e.Dao, at: daoABI.Instance(s.client, e.Dao)}, nil
		}
	}
	return nil, fmt.Errorf("transaction %s made no DAO", r.TxHash)
}

func askDao[T any](ctx context.Context, d *daoStory, call []byte, unpack func([]byte) (T, error)) (T, error) {
	v, err := bind.Call(d.at, &bind.CallOpts{Context: ctx}, call, unpack)
	if err != nil {
		return v, fmt.Errorf("asking the DAO: %w", err)
	}
	return v, nil
}

// propose is a stranger's proposal and the members' votes for it.
func (d *daoStory) propose(ctx context.Context, root cid.Cid, size uint64) (id *big.Int, data []byte, err error) {
	milli := func(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e15)) }
	terms := perpetualstorage.DealTerms(d.terms())
	terms.Rate, terms.BaseBounty, terms.MaxBounty = 1e11, milli(10), milli(20)
	store, err := daodata.Store{Amount: milli(300), Terms: terms}.Pack() // a term of each copy
	if err == nil {
		data, err = daodata.Add{Store: store}.Pack()
	}
	if err != nil {
		return nil, nil, err
	}
	// Who is no member posts a deposit, which comes back when the proposal is executed.
	r, err := d.transact(ctx, keyDeployer, d.at, deploy.DaoParams().Deposit, daoABI.PackPropose(datadao.Draft{Cid: root.Bytes(), Size: size, Budget: milli(900), Data: data}))
	if err != nil {
		return nil, nil, err
	}
	for _, l := range r.Logs {
		if e, err := daoABI.UnpackProposalCreatedEvent(l); err == nil && l.Address == d.addr {
			id = e.ProposalId
		}
	}
	if id == nil {
		return nil, nil, fmt.Errorf("transaction %s made no proposal", r.TxHash)
	}
	d.say("wallet   a stranger proposes %s as proposal %s: to pin it, and %d copies, for at most %s of the treasury", root, id, replicas, fil(milli(900)))
	for _, user := range []int{userAlice, userBob, userFree} { // so many must vote on what spends
		place, err := askDao(ctx, d, daoABI.PackPlaceOf(d.user(user).Address), daoABI.UnpackPlaceOf)
		if err != nil {
			return nil, nil, err
		}
		if _, err := d.transact(ctx, user, d.at, nil, daoABI.PackVoteCIDProposalAt(id, true, place)); err != nil {
			return nil, nil, err
		}
	}
	d.say("wallet   the three members vote yes")
	return id, data, nil
}

// attest has operators say how large the content is and which piece.
func (d *daoStory) attest(ctx context.Context, id *big.Int, root cid.Cid) error {
	const most = 1 << 20
	fee, err := askDao(ctx, d, daoABI.PackQuoteSize(most), daoABI.UnpackQuoteSize)
	if err != nil {
		return err
	}
	asked := time.Now()
	e, err := d.ask(ctx, userBob, d.at, fee, daoABI.PackRequestSize(id, most))
	if err != nil {
		return err
	}
	got, err := d.follow(ctx, e.RequestId, root.String(), "prepare", asked)
	if err != nil {
		return err
	}
	is, err := askDao(ctx, d, daoABI.PackAttestedOf(id), daoABI.UnpackAttestedOf)
	if err != nil {
		return err
	}
	if got.Outcome != job.Succeeded.String() || is.Size == 0 {
		return fmt.Errorf("operators did not say which piece it is: %s %s", got.Outcome, got.Reason)
	}
	d.say("operator the content has %d bytes, its piece %d", is.Size, is.PaddedSize)
	return nil
}

// execute is anybody's: what passed is pinned for the DAO, and its deal made.
func (d *daoStory) execute(ctx context.Context, id *big.Int, root cid.Cid, data []byte) error {
	asked := time.Now()
	d.say("wallet   the stranger executes proposal %s", id)
	e, err := d.ask(ctx, keyDeployer, d.at, nil, daoABI.PackExecuteCIDProposal(id, data))
	if err != nil {
		return err
	}
	got, err := d.follow(ctx, e.RequestId, root.String(), "pin", asked)
	if err != nil {
		return err
	}
	state, err := askDao(ctx, d, daoABI.PackStateOf(id), daoABI.UnpackStateOf)
	if err != nil {
		return err
	}
	pin, err := bind.Call(d.pinning(), &bind.CallOpts{Context: ctx}, pinningABI.PackStatusOf0(root.Bytes(), d.addr), pinningABI.UnpackStatusOf0)
	if err != nil {
		return fmt.Errorf("asking for the DAO's pin: %w", err)
	}
	if got.Outcome != job.Succeeded.String() || state != proposalExecuted || pin.Status != pinned {
		return fmt.Errorf("the DAO's pin %s %s: its proposal is in state %d, its pin in state %d", got.Outcome, got.Reason, state, pin.Status)
	}
	d.say("state    pinned for the DAO")
	return nil
}

// stored follows the DAO's deal until both copies are active.
func (d *daoStory) stored(ctx context.Context, root cid.Cid) error {
	deal, err := askDao(ctx, d, daoABI.PackStorageOf(root.Bytes()), daoABI.UnpackStorageOf)
	if err != nil {
		return err
	}
	if deal == 0 {
		return errors.New("the DAO has no deal")
	}
	v, err := view(ctx, d.show, storageABI.PackDealOf(deal), storageABI.UnpackDealOf)
	if err != nil {
		return err
	}
	if v.Client != d.addr || !bytes.Equal(v.Cid, root.Bytes()) {
		return fmt.Errorf("deal %d is %s's, of another content than the DAO's", deal, v.Client)
	}
	d.say("state    deal %d is the DAO's", deal)
	if err := d.askServed(ctx, deal, root); err != nil {
		return err
	}
	_, err = d.storedCopies(ctx, deal, 0)
	return err
}

func (s *show) headEpoch() uint64 { return uint64(s.net.Chain().Head().Height()) }
