package fevm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/devnet"
	"github.com/tidegate/tidegate/executor/job"
)

const (
	dataDAO    = bindings.DataDAO // once there is one, and its implementation before
	daoFactory = bindings.DataDAOFactory
)

// What the proposals of the DAO are about, by their numbers.
const (
	passes = iota + 1
	byMember
	withdrawn
	ignored
	lied
)

const daoBytes = 1 << 20

// dao is a DAO of members with keys of both kinds, from its creation on: proposals that pass,
// fail, are taken back and are refuted, those who come and go, and the money.
func (f *functions) dao() {
	f.founded()
	f.register()
	f.proposed()
	f.sizes()
	f.votes()
	f.pass(120) // the hour of the vote
	f.decided()
	f.ofDAOs()
}

// in is a call of the DAO.
func (f *functions) in(by party, fn string, value *big.Int, want string, args ...any) row {
	return row{by: by, to: dataDAO, fn: fn, args: args, value: value, want: want}
}

func (f *functions) founded() {
	c, implementation := datadaofactory.NewDataDAOFactory(), f.at[dataDAO]
	params := deploy.DaoParams()
	params.Guardian, params.GuardianUntil = f.keeper.as, big.NewInt(f.now()+400*86400)
	bad := params
	bad.VotingPeriod = 1
	founders := []common.Address{f.client.as, f.native.as, f.operator.as}
	create := func(params datadao.DaoParams, want string) row {
		return row{by: f.owner, to: daoFactory, fn: "createDAO", args: with(params, founders, common.Address{}), value: milli(5000), want: want}
	}
	made := event(f.world, f.calls(create(bad, "DataDAO_ParamOutOfRange"), create(params, "")), c.UnpackDaoCreatedEvent).Dao
	f.at[dataDAO], f.abis[made] = made, f.abis[implementation]
	id, err := f.chain.Resolve(f.ctx, filecoinOf(made), nil)
	f.must(err)
	f.byID[id] = made
	f.calls(
		row{by: f.stranger, to: daoFactory, fn: "daoAt", args: with(new(big.Int)), want: made.Hex()},
		row{by: f.stranger, to: daoFactory, fn: "isDAO", args: with(implementation), want: "false"},
		row{by: f.stranger, to: daoFactory, fn: "implementation", want: implementation.Hex()},
		f.in(f.stranger, "initialize", nil, "DataDAO_AlreadyInitialized", params, f.stranger.as, founders, common.Address{}),
	)
	f.constants(daoFactory)
}

func (f *functions) register() {
	f.calls(
		f.in(f.stranger, "invite", nil, "DataDAO_NotMember", f.keeper.as),
		f.in(f.client, "invite", nil, "", f.keeper.as),
		f.in(f.stranger, "join", nil, "DataDAO_NotInvited"),
		f.in(f.keeper, "join", nil, ""),
		f.in(f.stranger, "placeOf", nil, "=3", f.keeper.as),
		f.in(f.keeper, "leave", nil, ""),
		f.in(f.keeper, "leave", nil, "DataDAO_NotMember"),
		f.in(f.stranger, "isMember", nil, "=false", f.keeper.as),
		f.in(f.stranger, "isMember", nil, "=true", f.native.as),
		f.in(f.stranger, "memberOf", nil, "=0 0", f.keeper.as),
		f.in(f.stranger, "placeOf", nil, "!DataDAO_NotMember", f.keeper.as),
		f.in(f.stranger, "membersPage", nil, "["+f.native.as.Hex()+" "+f.operator.as.Hex()+"]", big.NewInt(1), big.NewInt(9)),
		f.in(f.stranger, "memberCount", nil, "=3"),
	)
}

func (f *functions) proposed() {
	size := big.NewInt(daoBytes)
	f.calls(
		f.in(f.stranger, "createCIDProposal", nil, "DataDAO_DepositMismatch", cidOf(7000+passes), size),
		f.in(f.stranger, "createCIDProposal", milli(500), "", cidOf(7000+passes), size),
		f.in(f.client, "propose", nil, "DataDAO_ZeroSize", datadao.Draft{Cid: cidOf(7000 + byMember), Budget: new(big.Int)}),
		f.in(f.client, "propose", nil, "", datadao.Draft{Cid: cidOf(7000 + byMember), Size: daoBytes, Budget: new(big.Int)}),
	)
	for _, i := range []int{withdrawn, ignored, lied} {
		f.calls(f.in(f.stranger, "createCIDProposal", milli(500), "", cidOf(7000+i), size))
	}
	f.calls(
		f.in(f.client, "cancelProposal", nil, "DataDAO_NotCanceller", big.NewInt(withdrawn)),
		f.in(f.stranger, "cancelProposal", nil, "", big.NewInt(withdrawn)),
		f.in(f.stranger, "closeProposal", nil, "DataDAO_NotClosable", big.NewInt(ignored)),
		f.in(f.stranger, "proposalCount", nil, "=5"),
		f.in(f.stranger, "proposals", nil, f.stranger.as.Hex(), big.NewInt(passes)),
		f.in(f.stranger, "proposals", nil, "!DataDAO_UnknownProposal", big.NewInt(9)),
		f.in(f.stranger, "rulesOf", nil, "0 1 0 ", big.NewInt(passes)),
		f.in(f.stranger, "powerOf", nil, "=1", big.NewInt(passes), f.native.as),
		f.in(f.stranger, "powerOf", nil, "=0", big.NewInt(byMember), f.client.as), // its own
		f.in(f.stranger, "votingIsExpired", nil, "=false", big.NewInt(passes)),
		f.in(f.stranger, "votingIsExpired", nil, "!DataDAO_UnknownProposal", big.NewInt(9)),
	)
}

// sizes: operators are asked about one that said too much, and it is refuted.
func (f *functions) sizes() {
	c := datadao.NewDataDAO()
	fee := read(f.world, f.at[dataDAO], c.PackQuoteSize(daoBytes), c.UnpackQuoteSize)
	out := f.calls(
		f.in(f.keeper, "requestSize", fee, "DataDAO_UnknownProposal", big.NewInt(9), uint64(daoBytes)),
		f.in(f.keeper, "requestSize", fee, "", big.NewInt(lied), uint64(daoBytes)),
		f.in(f.keeper, "reportSize", nil, "DataDAO_NotAttested", big.NewInt(lied)),
	)
	if event(f.world, out, c.UnpackSizeRequestedEvent).ProposalId.Int64() != lied {
		f.Fatal("of another proposal")
	}
	f.answer(out, job.Succeeded, f.attested(pieceOf("a DAO's").commP.Bytes(), 4096, 3000, 2000))
	f.byActor(dataDAO, "onOracleResult") // that is, by the provider
	f.calls(
		f.in(f.stranger, "onOracleResult", nil, "Oracle_NotProvider", [32]byte{1}, []byte{}, uint8(1), uint8(0), []byte{}),
		f.in(f.stranger, "attestedOf", nil, "{2000 3000 4096", big.NewInt(lied)),
		f.in(f.keeper, "reportSize", nil, "", big.NewInt(lied)),
		f.in(f.stranger, "stateOf", nil, "=8", big.NewInt(lied)), // refuted
	)
}

// attested is an answer to `prepare`.
func (f *functions) attested(piece []byte, padded, car, size uint64) []byte {
	f.Helper()
	var args abi.Arguments
	for _, name := range []string{"bytes", "uint64", "uint64", "uint64"} {
		typ, err := abi.NewType(name, "", nil)
		f.must(err)
		args = append(args, abi.Argument{Type: typ})
	}
	out, err := args.Pack(piece, padded, car, size)
	f.must(err)
	return out
}

// votes are cast in every way, by members with keys of both kinds.
func (f *functions) votes() {
	signer := &daoWorld{t: f.TB, ctx: f.ctx, client: f.world.eth, c: datadao.NewDataDAO(), dao: f.at[dataDAO]}
	ballots := []datadao.Ballot{signer.ballot(devnet.Accounts()[2].Key(), passes, 0, true)} // the client's
	first, both := big.NewInt(passes), []*big.Int{big.NewInt(passes), big.NewInt(byMember)}
	f.calls(
		f.in(f.stranger, "voteCIDProposal", nil, "DataDAO_OwnProposal", first, true),
		f.in(f.native, "voteCIDProposal", nil, "", first, true),
		f.in(f.keeper, "voteCIDProposalAt", nil, "DataDAO_NotMember", first, true, big.NewInt(2)),
		f.in(f.operator, "voteCIDProposalAt", nil, "", first, false, big.NewInt(2)),
		f.in(f.keeper, "voteBySignature", nil, "", ballots),
		f.in(f.keeper, "voteBySignature", nil, "DataDAO_AlreadyVoted", ballots),
		f.in(f.native, "voteCIDProposals", nil, "DataDAO_LengthMismatch", both, []bool{true}),
		f.in(f.native, "voteCIDProposals", nil, "", both[1:], []bool{true}),
		f.in(f.stranger, "hasVotedForProposal", nil, "=true", f.client.as, first),
		f.in(f.keeper, "executeCIDProposal0", milli(2000), "DataDAO_NotReady", first),
	)
}

// decided: what passed is executed, with its pins asked for; what was lost is closed; and all
// take their money.
func (f *functions) decided() {
	first, second := big.NewInt(passes), big.NewInt(byMember)
	out := f.calls(
		f.in(f.stranger, "stateOf", nil, "=4", first), // ready
		f.in(f.keeper, "executeCIDProposal", milli(2000), "DataDAO_BadData", second, []byte{1}),
		f.in(f.keeper, "executeCIDProposal", milli(2000), "", second, []byte{}),
		f.in(f.keeper, "executeCIDProposal0", milli(2000), "", first),
	)
	asked := f.asked(out)
	c := datadao.NewDataDAO()
	credit := read(f.world, f.at[dataDAO], c.PackCreditOf(f.keeper.as), c.UnpackCreditOf)
	f.calls(
		f.in(f.keeper, "closeProposal", nil, "", big.NewInt(ignored)),
		f.in(f.stranger, "acceptedBy", nil, "=1", cidOf(7000+passes)),
		f.in(f.stranger, "cidSet", nil, "=false", cidOf(7000+ignored)),
		f.in(f.stranger, "cidSizes", nil, "=1048576", cidOf(7000+passes)),
		f.in(f.stranger, "storageOf", nil, "=0", cidOf(7000+passes)),
		f.in(f.stranger, "cidProviders", nil, "=false", cidOf(7000+passes), f.bls.m.Address().Bytes()),
		f.in(f.stranger, "creditOf", nil, "=500000000000000000", f.stranger.as), // what passed gives its deposit back
		f.in(f.stranger, "withdraw", nil, "DataDAO_TransferFailed", common.Address{}),
		f.in(f.stranger, "withdraw", nil, "", f.stranger.as),
		f.in(f.stranger, "withdraw", nil, "DataDAO_NothingToWithdraw", f.stranger.as),
		f.in(f.client, "resignGuardian", nil, "DataDAO_NotCanceller"),
		f.in(f.keeper, "resignGuardian", nil, ""),
		f.in(f.stranger, "collectRefunds", nil, "EstuaryProvider_NothingToWithdraw"),
	)
	if rest := milli(4000); credit.Sign() <= 0 || credit.Cmp(rest) >= 0 {
		f.Errorf("the executor has a credit of %s, of %s that was sent with two pins", credit, rest)
	}
	f.pass(130) // more than an hour, in which nobody pinned
	f.calls(
		row{by: f.keeper, to: pinning, fn: "settleRequest", args: with(estuarypinning.Terms(asked.Terms), asked.Context)},
		f.in(f.stranger, "collectRefunds", nil, ""),
		f.in(f.stranger, "collectRefunds", nil, "EstuaryProvider_NothingToWithdraw"),
	)
}

func (f *functions) ofDAOs() {
	c := datadao.NewDataDAO()
	f.constants(dataDAO)
	// With the deposits of three proposals that found no quorum, or were untrue, and the refund of a pin.
	if has := read(f.world, f.at[dataDAO], c.PackTreasury(), c.UnpackTreasury); has.Cmp(milli(6500)) <= 0 {
		f.Errorf("the treasury has %s", has)
	}
}
