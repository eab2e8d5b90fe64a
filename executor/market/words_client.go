package market

import (
	"fmt"
	"math/big"
	"time"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// ranges are those of contracts/storage/Rules.sol, by the field that a contract names.
var ranges = map[string]string{
	"replicas":    "a deal has 1 to 16 copies",
	"term":        "a term is 518400 to 3680640 epochs (180 to 1278 days)",
	"sealWindow":  "the time to seal is 2880 to 172800 epochs (1 to 60 days)",
	"renewWindow": "the renewal window is shorter than the term",
	"ramp":        "the bounty rises for 3680640 epochs (1278 days) at most",
	"baseBounty":  "the base bounty is at most the highest one: raise that first (--max-bounty), or lower this",
	"maxBounty":   "the highest bounty is at least the base one, and it and the bond are below 1200000 FIL together",
	"bondFloor":   "the bond is 0.1 FIL at least",
	"endpoint":    "the endpoint is a URL of 256 bytes at most",
	"maxBytes":    "more bytes are asked about than operators look at",
	"origins":     "there are too many origins, or one is too long",
}

// outOfRange says in words which term a contract does not take.
func outOfRange(field [32]byte) string {
	name := word(field)
	if text, ok := ranges[name]; ok {
		return text
	}
	return "the terms are out of range: " + name
}

// statusNames are IPerpetualStorage.DealStatus.
var statusNames = []string{"not there", "being prepared", "open", "cancelled"}

// clientRefusal says in words what PerpetualStorage reverted with on a client's call.
func clientRefusal(said any) (string, bool) {
	switch e := said.(type) {
	case *perpetualstorage.PerpetualStoragePerpetualStorageNotClient:
		return fmt.Sprintf("only the deal's client may do that, and %s is not (tidegate deals look shows who is)", e.Caller), true
	case *perpetualstorage.PerpetualStoragePerpetualStorageTermsOutOfRange:
		return outOfRange(e.Field), true
	case *perpetualstorage.PerpetualStoragePerpetualStorageAmountTooLarge:
		return fmt.Sprintf("%s are too much: there are %s at most", FIL(e.Amount), FIL(e.Most)), true
	case *perpetualstorage.PerpetualStoragePerpetualStorageZeroAmount:
		return "the amount is 0", true
	case *perpetualstorage.PerpetualStoragePerpetualStorageWrongStatus:
		if int(e.Status) < len(statusNames) {
			return fmt.Sprintf("deal %d is %s", e.DealId, statusNames[e.Status]), true
		}
	}
	return "", false
}

// otherwise says in words what no other contract of ours reverts with.
func otherwise(said any) string {
	for _, words := range []func(any) (string, bool){clientRefusal, daoRefusal} {
		if text, ok := words(said); ok {
			return text
		}
	}
	return plain(said)
}

// proposalStates are IDataDAO.ProposalState, and what may be done then.
var proposalStates = []string{
	"is not there", "is still voted on", "was defeated", "passed, and its delay runs", "passed, and can be executed", "passed, and was not executed in time",
	"is executed already", "was cancelled", "was refuted: its size was wrong",
}

func proposalState(id *big.Int, state uint8) string {
	if int(state) >= len(proposalStates) {
		return fmt.Sprintf("proposal %s is in state %d", id, state)
	}
	return fmt.Sprintf("proposal %s %s", id, proposalStates[state])
}

func clock(seconds *big.Int) string {
	return time.Unix(seconds.Int64(), 0).UTC().Format(time.RFC3339)
}

// daoRefusal says in words what a DataDAO reverted with on a vote, or on a member's call.
func daoRefusal(said any) (string, bool) {
	switch e := said.(type) {
	case *datadao.DataDAODataDAOAlreadyVoted:
		return fmt.Sprintf("%s has voted on proposal %s already: nobody votes twice", e.Voter, e.ProposalId), true
	case *datadao.DataDAODataDAOOwnProposal:
		return fmt.Sprintf("proposal %s is the sender's own: its proposer does not vote on it", e.ProposalId), true
	case *datadao.DataDAODataDAOVotingExpired:
		return fmt.Sprintf("the vote on proposal %s ended at %s", e.ProposalId, clock(e.Deadline)), true
	case *datadao.DataDAODataDAONotMember:
		return fmt.Sprintf("%s is no member (tidegate dao members): a member invites, and the invited joins", e.Account), true
	case *datadao.DataDAODataDAOTooYoung:
		return fmt.Sprintf("%s votes only on what is proposed from %s on", e.Account, clock(e.VotesFrom)), true
	case *datadao.DataDAODataDAONoPower:
		return fmt.Sprintf("%s had no votes when proposal %s was made", e.Voter, e.ProposalId), true
	case *datadao.DataDAODataDAOBadSignature:
		return fmt.Sprintf("the ballot is not what %s signed, for this DAO on this chain", e.Voter), true
	case *datadao.DataDAODataDAOBallotExpired:
		return "the ballot was good until " + clock(e.Deadline), true
	case *datadao.DataDAODataDAONotInvited:
		return fmt.Sprintf("%s is not invited, or joined already", e.Account), true
	case *datadao.DataDAODataDAOAlreadyMember:
		return fmt.Sprintf("%s is a member already", e.Account), true
	case *datadao.DataDAODataDAOInvitesUsed:
		return fmt.Sprintf("%s has used its invitations, until %s", e.Account, clock(e.Until)), true
	case *datadao.DataDAODataDAOUnknownProposal:
		return fmt.Sprintf("there is no proposal %s (tidegate dao ls)", e.ProposalId), true
	case *datadao.DataDAODataDAONotReady:
		return proposalState(e.ProposalId, e.State), true
	case *datadao.DataDAODataDAONotClosable:
		return proposalState(e.ProposalId, e.State) + ", or was closed already", true
	}
	return daoMoneyRefusal(said)
}

// daoMoneyRefusal does so for what is proposed and paid.
func daoMoneyRefusal(said any) (string, bool) {
	switch e := said.(type) {
	case *datadao.DataDAODataDAOAlreadyProposed:
		return fmt.Sprintf("proposal %s says the same and is under way", e.ProposalId), true
	case *datadao.DataDAODataDAOCidAlreadySet:
		return "the DAO has accepted that CID already", true
	case *datadao.DataDAODataDAOCidNotSet:
		return "the DAO has not accepted that CID: propose to add it first", true
	case *datadao.DataDAODataDAONotStored:
		return "the DAO has no deal for that CID: propose to store it first", true
	case *datadao.DataDAODataDAOAlreadyStored:
		return fmt.Sprintf("the CID is stored by deal %d already", e.DealId), true
	case *datadao.DataDAODataDAODepositMismatch:
		return fmt.Sprintf("%s were sent with the proposal, and %s are needed: who is no member of age posts the deposit, a member nothing", FIL(e.Sent), FIL(e.Needed)), true
	case *datadao.DataDAODataDAOBudgetTooHigh:
		return fmt.Sprintf("the budget is %s, and a proposal may take %s from the treasury at most", FIL(e.Budget), FIL(e.Most)), true
	case *datadao.DataDAODataDAOBudgetExceeded:
		return fmt.Sprintf("%s are needed, and the budget is %s: propose with a larger --budget", FIL(e.Needed), FIL(e.Budget)), true
	case *datadao.DataDAODataDAOCapReached:
		return fmt.Sprintf("%s are needed, and of what may be spent in 30 days %s are left: execute it later", FIL(e.Needed), FIL(e.Left)), true
	case *datadao.DataDAODataDAOTreasuryTooSmall:
		return fmt.Sprintf("%s are needed, and the treasury has %s: anyone may send it more", FIL(e.Needed), FIL(e.Available)), true
	case *datadao.DataDAODataDAOUnderpaid:
		return fmt.Sprintf("%s were sent, and %s are needed: where there is no budget, whoever executes pays", FIL(e.Sent), FIL(e.Needed)), true
	case *datadao.DataDAODataDAONotAttested:
		return fmt.Sprintf("operators have not said yet which piece, and how large, the CID of proposal %s is (tidegate dao attest)", e.ProposalId), true
	case *datadao.DataDAODataDAOAlreadyAttested:
		return fmt.Sprintf("operators have said already how large the CID of proposal %s is", e.ProposalId), true
	case *datadao.DataDAODataDAOWrongSize:
		return fmt.Sprintf("the CID has %d bytes, and %d were proposed", e.Is, e.Size), true
	case *datadao.DataDAODataDAOZeroSize:
		return "the size is 0: say how many bytes the unique blocks have (--size)", true
	case *datadao.DataDAODataDAOTermsOutOfRange:
		return outOfRange(e.Field), true
	case *datadao.DataDAODataDAONothingToWithdraw:
		return fmt.Sprintf("%s has no credit with the DAO", e.Account), true
	}
	return "", false
}
