package cli

import (
	"context"
	"fmt"
	"math/big"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/bindings/datadao"
)

// Names of the enumerations of IDataDAO.
var (
	daoStates  = []string{"none", "active", "defeated", "queued", "ready", "expired", "executed", "cancelled", "refuted"}
	daoActions = []string{"add", "remove", "renew", "store", "renew-storage", "change-bounty", "change-replicas"}
)

func daoWord(words []string, n uint8) string {
	if int(n) < len(words) {
		return words[n]
	}
	return strconv.Itoa(int(n))
}

// proposalView is what `dao ls` and `dao show` say. Amounts are attoFIL.
type proposalView struct {
	ID       uint64         `json:"id"`
	Action   string         `json:"action"`
	CID      string         `json:"cid"`
	Size     uint64         `json:"size"`
	State    string         `json:"state"`
	Up       string         `json:"up"`
	Down     string         `json:"down"`
	Quorum   string         `json:"quorum"`
	Proposer common.Address `json:"proposer"`
	Proposed time.Time      `json:"proposedAt"`
	Deadline time.Time      `json:"deadline"`
	ReadyAt  time.Time      `json:"readyAt"`
	Until    time.Time      `json:"executableUntil"`
	Budget   string         `json:"budget"`
	Tip      string         `json:"tip,omitempty"` // in dao show: most that whoever executes it is given, out of the budget
	Attested uint64         `json:"attestedSize,omitempty"`
	Held     *heldView      `json:"held,omitempty"` // in dao ls, of what was executed
	raw      []byte         // the CID
}

func readProposal(ctx context.Context, d *daoAt, id *big.Int) (proposalView, error) {
	p, err := readDao(ctx, d, d.c.PackProposals(id), d.c.UnpackProposals)
	if err != nil {
		return proposalView{}, err
	}
	rules, err := readDao(ctx, d, d.c.PackRulesOf(id), d.c.UnpackRulesOf)
	if err != nil {
		return proposalView{}, err
	}
	state, err := readDao(ctx, d, d.c.PackStateOf(id), d.c.UnpackStateOf)
	if err != nil {
		return proposalView{}, err
	}
	attested, err := readDao(ctx, d, d.c.PackAttestedOf(id), d.c.UnpackAttestedOf)
	if err != nil {
		return proposalView{}, err
	}
	text := "0x" + common.Bytes2Hex(p.Cidraw)
	if c, err := cid.Cast(p.Cidraw); err == nil {
		text = c.String()
	}
	return proposalView{
		ID: id.Uint64(), Action: daoWord(daoActions, rules.Action), CID: text, Size: p.Size.Uint64(), State: daoWord(daoStates, state),
		Up: p.UpVoteCount.String(), Down: p.DownVoteCount.String(), Quorum: rules.Quorum.String(), Proposer: p.StorageProvider,
		Proposed: moment(p.ProposedAt), Deadline: moment(p.ProposalExpireAt), ReadyAt: moment(rules.ReadyAt), Until: moment(rules.Until),
		Budget: rules.Budget.String(), Attested: attested.Size, raw: p.Cidraw,
	}, nil
}

func moment(seconds *big.Int) time.Time { return time.Unix(seconds.Int64(), 0).UTC() }

func daoList(ctx context.Context, c *cli.Command, d *daoAt) error {
	count, err := readDao(ctx, d, d.c.PackProposalCount(), d.c.UnpackProposalCount)
	if err != nil {
		return err
	}
	views := []proposalView{}
	for id := count.Int64(); id > 0 && len(views) < c.Int("limit"); id-- {
		v, err := readProposal(ctx, d, big.NewInt(id))
		if err != nil {
			return err
		}
		if v.State == "executed" {
			if v.Held, err = readHeld(ctx, d, v.raw); err != nil {
				return err
			}
		}
		views = append(views, v)
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, views)
	}
	var rows [][]string
	for _, v := range views {
		rows = append(rows, []string{strconv.FormatUint(v.ID, 10), v.State, v.Action, v.CID, bytesText(v.Size), v.Up + ":" + v.Down, v.Quorum, v.Deadline.Format(time.RFC3339), v.Held.pinText(), v.Held.storedText()})
	}
	return table(c.Root().Writer, []string{"id", "state", "action", "cid", "size", "votes", "quorum", "deadline", "pin", "stored"}, rows)
}

// proposalID reads the argument after the DAO.
func proposalID(c *cli.Command) (*big.Int, error) {
	n, err := strconv.ParseUint(c.Args().Get(1), 10, 48)
	if err != nil || n == 0 {
		return nil, usage("%q is not the number of a proposal (tidegate dao ls)", c.Args().Get(1))
	}
	return new(big.Int).SetUint64(n), nil
}

func daoShow(ctx context.Context, c *cli.Command, d *daoAt) error {
	id, err := proposalID(c)
	if err != nil {
		return err
	}
	v, err := readProposal(ctx, d, id)
	if err != nil {
		return err
	}
	if v.Held, err = readHeld(ctx, d, v.raw); err != nil {
		return err
	}
	params, err := readDao(ctx, d, d.c.PackParams(), d.c.UnpackParams)
	if err != nil {
		return err
	}
	budget, _ := new(big.Int).SetString(v.Budget, 10)
	tip := params.Tip
	if tip.Cmp(budget) > 0 {
		tip = budget
	}
	v.Tip = tip.String()
	if c.Bool("json") {
		return printJSON(c.Root().Writer, v)
	}
	attested := "not attested"
	if v.Attested != 0 {
		attested = strconv.FormatUint(v.Attested, 10) + " bytes attested"
	}
	return pairs(c.Root().Writer, "proposal", fmt.Sprint(v.ID), "state", v.State, "action", v.Action, "cid", v.CID,
		"size", fmt.Sprintf("%d bytes proposed, %s", v.Size, attested), "votes", v.Up+" for, "+v.Down+" against, quorum "+v.Quorum,
		"proposer", v.Proposer.Hex(), "proposed", v.Proposed.Format(time.RFC3339), "voting ends", v.Deadline.Format(time.RFC3339),
		"executable", v.ReadyAt.Format(time.RFC3339)+" to "+v.Until.Format(time.RFC3339), "budget", filText(budget), "tip", filText(tip)+" at most, of the budget, to whoever executes it",
		"pinned", v.Held.pinText(), "stored", v.Held.storageText())
}

// memberView is a line of `dao members`.
type memberView struct {
	Address   common.Address `json:"address"`
	Joined    time.Time      `json:"joinedAt"`
	VotesFrom time.Time      `json:"votesFrom"`
}

// memberPage is how many members are asked for at once.
const memberPage = 200

func daoMembers(ctx context.Context, c *cli.Command, d *daoAt) error {
	views := []memberView{}
	for from := int64(0); ; from += memberPage {
		page, err := readDao(ctx, d, d.c.PackMembersPage(big.NewInt(from), big.NewInt(memberPage)), d.c.UnpackMembersPage)
		if err != nil {
			return err
		}
		for _, who := range page {
			m, err := readDao(ctx, d, d.c.PackMemberOf(who), d.c.UnpackMemberOf)
			if err != nil {
				return err
			}
			views = append(views, memberView{who, moment(m.JoinedAt), moment(m.VotesFrom)})
		}
		if len(page) < memberPage {
			break
		}
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, views)
	}
	var rows [][]string
	for _, v := range views {
		rows = append(rows, []string{v.Address.Hex(), v.Joined.Format(time.RFC3339), v.VotesFrom.Format(time.RFC3339)})
	}
	return table(c.Root().Writer, []string{"member", "joined", "votes on what is proposed from"}, rows)
}

// treasuryView is what `dao treasury` says, in attoFIL.
type treasuryView struct {
	Treasury       string `json:"treasury"`
	Spendable      string `json:"spendableNow"`
	MaxPerProposal string `json:"maxPerProposal"`
	MaxPer30Days   string `json:"maxPer30Days"`
	Deposit        string `json:"deposit"`
	Tip            string `json:"tip"`
}

func daoTreasury(ctx context.Context, c *cli.Command, d *daoAt) error {
	has, err := readDao(ctx, d, d.c.PackTreasury(), d.c.UnpackTreasury)
	if err != nil {
		return err
	}
	may, err := readDao(ctx, d, d.c.PackSpendable(), d.c.UnpackSpendable)
	if err != nil {
		return err
	}
	var p datadao.DaoParams
	if p, err = readDao(ctx, d, d.c.PackParams(), d.c.UnpackParams); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, treasuryView{has.String(), may.String(), p.MaxPerProposal.String(), p.MaxPer30Days.String(), p.Deposit.String(), p.Tip.String()})
	}
	return pairs(c.Root().Writer, "treasury", filText(has), "left of 30 days' cap", filText(may), "most per proposal", filText(p.MaxPerProposal),
		"most in 30 days", filText(p.MaxPer30Days), "deposit of who is no member", filText(p.Deposit), "tip of who executes", filText(p.Tip))
}
