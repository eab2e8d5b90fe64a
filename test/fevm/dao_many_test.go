package fevm

import (
	"crypto/ecdsa"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/deploy"
	"github.com/tidegate/tidegate/devnet"
)

const aDay = 24 * time.Hour

// takeoverParams are the usual ones, with a cap that two pins reach.
func takeoverParams() datadao.DaoParams {
	p := deploy.DaoParams()
	p.MaxPerProposal, p.MaxPer30Days = big.NewInt(3e17), big.NewInt(3e17)
	return p
}

// takeover is a member with two accounts that it brought in.
type takeover struct {
	*daoWorld
	member devnet.Account
	own    [2]devnet.Account
}

func (w *takeover) propose(by devnet.Account, i int, budget int64) *big.Int {
	w.t.Helper()
	draft := datadao.Draft{Cid: cidOf(i), Size: 1 << 20, Budget: new(big.Int).Mul(big.NewInt(budget), big.NewInt(1e15))}
	for _, log := range w.send(by.Key(), w.dao, 0, w.c.PackPropose(draft)).Logs {
		if e, err := w.c.UnpackProposalCreatedEvent(log); err == nil {
			return e.ProposalId
		}
	}
	w.t.Fatal("no proposal was made")
	return nil
}

func (w *takeover) untouched(want int64) {
	w.t.Helper()
	if has := daoRead(w.daoWorld, w.c.PackTreasury(), w.c.UnpackTreasury); has.Cmp(new(big.Int).Mul(big.NewInt(want), big.NewInt(1e15))) != 0 {
		w.t.Errorf("the treasury has %s, want %d milliFIL", has, want)
	}
}

// One member invites ten, and they try to drain the treasury within an hour, within a
// day, and by many small proposals: refused each time.
func TestDataDAOTakeoverIsRefused(t *testing.T) {
	world, keys := newDaoWorld(t, 5*time.Minute)
	w := &takeover{world, keys[3], [2]devnet.Account{keys[8], keys[9]}}
	honest := keys[4:8]
	w.create(keys[0].Key(), takeoverParams(), w.member.Address, honest[0].Address, honest[1].Address, honest[2].Address, honest[3].Address)
	for i := range 10 {
		invited := common.Address{0xee, byte(i)}
		if i < 2 {
			invited = w.own[i].Address
		}
		call := w.c.PackInvite(invited)
		if i >= 2 {
			w.refused(w.member.Address, 0, call, "InvitesUsed")
			continue
		}
		w.send(w.member.Key(), w.dao, 0, call)
		w.send(w.own[i].Key(), w.dao, 0, w.c.PackJoin())
		w.refused(w.own[i].Address, 0, w.c.PackInvite(common.Address{0xdd}), "TooYoung")
	}

	// Within an hour: what spends is voted on for a day, and who has just come does not vote.
	id := w.propose(w.member, 1, 300)
	execute, yes := w.c.PackExecuteCIDProposal0(id), w.c.PackVoteCIDProposal(id, true)
	w.refused(w.member.Address, 0, yes, "OwnProposal")
	for _, own := range w.own {
		w.refused(own.Address, 0, yes, "TooYoung")
	}
	w.later(time.Hour)
	w.refused(w.member.Address, 0, execute, "NotReady")

	// Within a day, and with the two of age on the next: they are two votes of the three that are needed.
	w.later(aDay)
	w.refused(w.member.Address, 0, execute, "NotReady")
	id = w.propose(w.own[0], 2, 300)
	execute, yes = w.c.PackExecuteCIDProposal0(id), w.c.PackVoteCIDProposal(id, true)
	w.send(w.member.Key(), w.dao, 0, yes)
	w.send(w.own[1].Key(), w.dao, 0, yes)
	w.later(2 * aDay)
	w.refused(w.member.Address, 0, execute, "NotReady")
	w.untouched(5000)

	w.manySmall(t)
	w.capped(t, honest)
}

// manySmall: without a budget a vote is quick, and the treasury pays nothing.
func (w *takeover) manySmall(t *testing.T) {
	t.Helper()
	var ids []*big.Int
	for i := range 8 {
		id := w.propose(w.own[0], 100+i, 0)
		w.send(w.member.Key(), w.dao, 0, w.c.PackVoteCIDProposal(id, true))
		ids = append(ids, id)
	}
	w.later(time.Hour)
	for _, id := range ids {
		w.refused(w.member.Address, 0, w.c.PackExecuteCIDProposal0(id), "Underpaid")
		w.send(w.member.Key(), w.dao, 500, w.c.PackExecuteCIDProposal0(id))
	}
	w.untouched(5000)
}

// capped: even where others are talked into it, the cap of 30 days holds.
func (w *takeover) capped(t *testing.T, honest []devnet.Account) {
	t.Helper()
	var ids []*big.Int
	for i := range 3 {
		id := w.propose(w.own[0], 200+i, 300)
		for _, who := range []devnet.Account{w.member, w.own[1], honest[i]} {
			w.send(who.Key(), w.dao, 0, w.c.PackVoteCIDProposal(id, true))
		}
		ids = append(ids, id)
	}
	w.later(2*aDay + time.Hour)
	w.send(w.member.Key(), w.dao, 0, w.c.PackExecuteCIDProposal0(ids[0]))
	for _, id := range ids[1:] {
		w.refused(w.member.Address, 0, w.c.PackExecuteCIDProposal0(id), "CapReached")
	}
	spent := new(big.Int).Sub(big.NewInt(5e18), daoRead(w.daoWorld, w.c.PackTreasury(), w.c.UnpackTreasury))
	if spent.Sign() <= 0 || spent.Cmp(big.NewInt(3e17)) > 0 {
		t.Errorf("the treasury paid %s", spent)
	}
}

// crowd is 1,000 members and 50 proposals in make soak (TIDEGATE_SOAK=1), and 40 and 8
// in make test.
func crowd() (members, proposals int) {
	if os.Getenv("TIDEGATE_SOAK") != "" {
		return 1000, 50
	}
	return 40, 8
}

// members makes the DAO of the first few and has them invite the others.
func (w *daoWorld) members(t *testing.T, owner devnet.Account, n int) []*ecdsa.PrivateKey {
	t.Helper()
	params := deploy.DaoParams()
	params.VotingPeriod, params.InviteLimit = uint32(3*aDay/time.Second), 255
	keys := make([]*ecdsa.PrivateKey, n)
	var founders []common.Address
	for i := range keys {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[:], uint64(n))
		binary.BigEndian.PutUint64(seed[24:], uint64(i+1))
		key, err := crypto.ToECDSA(crypto.Keccak256(seed[:]))
		if err != nil {
			t.Fatal(err)
		}
		keys[i] = key
		who := crypto.PubkeyToAddress(key.PublicKey)
		if err := w.client.Client().CallContext(w.ctx, nil, "devnet_fund", who, "10000000000000000000"); err != nil {
			t.Fatal(err)
		}
		if i < min(n, 10) {
			founders = append(founders, who)
		}
	}
	w.create(owner.Key(), params, founders...)
	for i := len(founders); i < n; i++ {
		w.send(keys[i%len(founders)], w.dao, 0, w.c.PackInvite(crypto.PubkeyToAddress(keys[i].PublicKey)))
		w.send(keys[i], w.dao, 0, w.c.PackJoin())
	}
	w.later(aDay + time.Minute)
	return keys
}

// tally is an independent count.
type tally struct{ up, down int64 }

// Members vote on many proposals, by transaction and by signature, some on all and some
// on few; every result equals an independent count. And what a vote costs among many
// members is compared with ten.
func TestDataDAOCrowd(t *testing.T) {
	began := time.Now()
	n, count := crowd()
	w, keys := newDaoWorld(t, 40*time.Minute)
	w.gas = 5_000_000_000 // no estimates
	w.members(t, keys[0], 10)
	few := w.firstVote(t, keys[2], 10)
	voters := w.members(t, keys[0], n)
	if got := daoRead(w, w.c.PackMemberCount(), w.c.UnpackMemberCount); got.Int64() != int64(n) {
		t.Fatalf("%s members, want %d", got, n)
	}
	many := w.firstVote(t, keys[2], n)
	t.Logf("%d members after %s\namong 10: %s\namong %d: %s", n, time.Since(began).Round(time.Second), few, n, many)
	sameVote(t, few, many)
	w.vote(t, keys[2], voters, count)
	t.Logf("%d proposals after %s", count, time.Since(began).Round(time.Second))
}

// A node of Filecoin's tree of a contract's slots (32 branches) costs this much to open, read and decode: 187,740
// to open, 14,000 to keep, 28,000 of system calls, and up to 290,000 of the EVM actor's own instructions.
const nodeRead = 520_000

// sameVote compares a vote among few members with one among many. In EVM gas the two differ by less than 3 %
// (Foundry: test_Vote_AmongAThousandMembers). On Filecoin they write the same, and the voter's record lies
// deeper in the tree of the contract's slots: that is all that differs.
func sameVote(t *testing.T, few, many charged) {
	t.Helper()
	const writes, opens = "OnBlockLink", "OnBlockOpenBase"
	if few.times[writes] != many.times[writes] {
		t.Errorf("a vote writes %d blocks among few members and %d among many", few.times[writes], many.times[writes])
	}
	if diff := float64(many.by[writes])/float64(few.by[writes]) - 1; diff > 0.03 || diff < -0.03 {
		t.Errorf("what a vote writes costs %+.1f %%", 100*diff)
	}
	deeper := many.times[opens] - few.times[opens]
	if deeper < 0 || deeper > deepest {
		t.Errorf("a vote reads %d more blocks among many members", deeper)
	}
	rest := float64(many.total-few.total-int64(deeper)*nodeRead) / float64(few.total)
	if rest > 0.03 {
		t.Errorf("a vote costs %+.1f %% beside the %d blocks that it reads more", 100*rest, deeper)
	}
	if diff := float64(many.total)/float64(few.total) - 1; diff > dearer {
		t.Errorf("a vote costs %+.1f %% among many members", 100*diff)
	}
}

// Recorded of three voters each: 16,669,716 among 10, 17,137,047 to 17,195,379 among 100, 17,405,823 to
// 17,661,586 among 1,000.
const (
	dearer  = 0.065
	deepest = 2
)

// firstVote gives what a member's first vote costs, on a proposal that others have voted
// on already.
func (w *daoWorld) firstVote(t *testing.T, sp devnet.Account, n int) charged {
	t.Helper()
	w.send(sp.Key(), w.dao, 500, w.c.PackCreateCIDProposal(cidOf(-1), big.NewInt(4096)))
	var last common.Hash
	for i := range 3 {
		var seed [32]byte
		binary.BigEndian.PutUint64(seed[:], uint64(n))
		binary.BigEndian.PutUint64(seed[24:], uint64(i+1))
		key, err := crypto.ToECDSA(crypto.Keccak256(seed[:]))
		if err != nil {
			t.Fatal(err)
		}
		last = w.send(key, w.dao, 0, w.c.PackVoteCIDProposal(big.NewInt(1), true)).TxHash
	}
	return w.charges(last)
}

// vote has the voters decide on so many proposals, the odd ones by one transaction each,
// the others by signatures that somebody brings fifty at a time.
func (w *daoWorld) vote(t *testing.T, sp devnet.Account, voters []*ecdsa.PrivateKey, count int) {
	t.Helper()
	random := rand.New(rand.NewPCG(7, 50))
	want := make([]tally, count)
	turnout := make([]float64, count)
	for i := range count {
		w.send(sp.Key(), w.dao, 500, w.c.PackCreateCIDProposal(cidOf(i), big.NewInt(4096)))
		turnout[i] = random.Float64() * random.Float64() // some miss their quorum of a tenth
	}
	var ballots []datadao.Ballot
	flush := func(least int) {
		for len(ballots) > 0 && len(ballots) >= least {
			take := min(50, len(ballots))
			w.send(sp.Key(), w.dao, 0, w.c.PackVoteBySignature(ballots[:take]))
			ballots = ballots[take:]
		}
	}
	for v, key := range voters {
		var ids []*big.Int
		var support []bool
		for i := range count {
			if random.Float64() > turnout[i] {
				continue
			}
			yes := random.IntN(2) == 0
			ids, support = append(ids, big.NewInt(int64(i+2))), append(support, yes) // after that of firstVote
			if yes {
				want[i].up++
			} else {
				want[i].down++
			}
		}
		if v%2 == 1 && len(ids) > 0 {
			w.send(key, w.dao, 0, w.c.PackVoteCIDProposals(ids, support))
			continue
		}
		for nonce, id := range ids {
			ballots = append(ballots, w.ballot(key, id.Int64(), int64(nonce), support[nonce]))
		}
		flush(50)
	}
	flush(1)
	w.later(3*aDay + time.Hour)
	w.results(t, want, len(voters))
}

func (w *daoWorld) results(t *testing.T, want []tally, members int) {
	t.Helper()
	const defeated, ready = 2, 4
	votes, passed := int64(0), 0
	for i, c := range want {
		id := big.NewInt(int64(i + 2))
		p := daoRead(w, w.c.PackProposals(id), w.c.UnpackProposals)
		if p.UpVoteCount.Int64() != c.up || p.DownVoteCount.Int64() != c.down {
			t.Errorf("proposal %s has %s:%s, counted were %d:%d", id, p.UpVoteCount, p.DownVoteCount, c.up, c.down)
		}
		state := uint8(defeated)
		if c.up > c.down && (c.up+c.down)*10 >= int64(members) {
			state = ready
			passed++
		}
		if got := daoRead(w, w.c.PackStateOf(id), w.c.UnpackStateOf); got != state {
			t.Errorf("proposal %s with %d:%d of %d is in state %d, want %d", id, c.up, c.down, members, got, state)
		}
		votes += c.up + c.down
	}
	if passed == 0 || passed == len(want) {
		t.Errorf("%d of %d passed: the draw shows nothing", passed, len(want))
	}
	t.Logf("%d votes of %d members on %d proposals, %d of which passed", votes, members, len(want), passed)
}
