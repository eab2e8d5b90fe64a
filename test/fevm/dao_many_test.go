package fevm

import (
	"crypto/ecdsa"
	"encoding/binary"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
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

// memberKey is the i-th member's of a DAO of n.
func memberKey(t *testing.T, n, i int) *ecdsa.PrivateKey {
	t.Helper()
	var seed [32]byte
	binary.BigEndian.PutUint64(seed[:], uint64(n))
	binary.BigEndian.PutUint64(seed[24:], uint64(i+1))
	key, err := crypto.ToECDSA(crypto.Keccak256(seed[:]))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// members makes the DAO of the first few and has them invite the others.
func (w *daoWorld) members(t *testing.T, owner devnet.Account, n int) []*ecdsa.PrivateKey {
	t.Helper()
	params := deploy.DaoParams()
	params.VotingPeriod, params.InviteLimit = uint32(3*aDay/time.Second), 255
	keys := make([]*ecdsa.PrivateKey, n)
	var founders []common.Address
	for i := range keys {
		keys[i] = memberKey(t, n, i)
		who := crypto.PubkeyToAddress(keys[i].PublicKey)
		if err := w.client.Client().CallContext(w.ctx, nil, "devnet_fund", who, "10000000000000000000"); err != nil {
			t.Fatal(err)
		}
		if i < min(n, 10) {
			founders = append(founders, who)
		}
	}
	t.Logf("createDAO of %d: %d gas", len(founders), w.create(owner.Key(), params, founders...).GasUsed)
	for i := len(founders); i < n; i++ {
		invited := w.send(keys[i%len(founders)], w.dao, 0, w.c.PackInvite(crypto.PubkeyToAddress(keys[i].PublicKey)))
		joined := w.send(keys[i], w.dao, 0, w.c.PackJoin())
		if i == len(founders) || i == n-1 {
			t.Logf("member %d: %d gas to invite, %d to join", i, invited.GasUsed, joined.GasUsed)
		}
	}
	w.later(aDay + time.Minute)
	return keys
}

// tally is an independent count.
type tally struct{ up, down int64 }

// within is by how much a vote may cost more among many members than among ten.
const within = 0.03

// way is how votes are cast, of so many proposals at once, by members at these places among
// many.
type way struct {
	name   string
	places []int
	ids    int
	cast   casting
}

// casting is the call by which a member votes for proposals, and whose transaction it is.
type casting func(member *ecdsa.PrivateKey, ids []*big.Int, place int) (*ecdsa.PrivateKey, []byte)

// ways are all in which a register's members vote. Those who name no place are looked for by
// their addresses, and so lie anywhere: in make soak 12 more of them vote.
func (w *daoWorld) ways(n int, sp devnet.Account) []way {
	// All over the register: in each word of the votes, and at both of its ends.
	among := []int{2, n/4 + 1, n / 3, n / 2, 2 * n / 3, 3*n/4 + 2, n - 1}
	signed, anywhere, batches := among[:3], among[:3], among[3:5]
	if n >= 1000 {
		signed, anywhere, batches = among, among, among
		random := rand.New(rand.NewPCG(3, 29))
		for range 12 {
			anywhere = append(anywhere[:len(anywhere):len(anywhere)], 2+random.IntN(n-2))
		}
	}
	batch := func(key *ecdsa.PrivateKey, ids []*big.Int, _ int) (*ecdsa.PrivateKey, []byte) {
		return key, w.c.PackVoteCIDProposals(ids, slices.Repeat([]bool{true}, len(ids)))
	}
	return []way{
		{"plain", anywhere, 1, func(key *ecdsa.PrivateKey, ids []*big.Int, _ int) (*ecdsa.PrivateKey, []byte) {
			return key, w.c.PackVoteCIDProposal(ids[0], true)
		}},
		{"batch of one", batches, 1, batch},
		{"batch of five", batches[:2], 5, batch},
		{"named", among, 1, func(key *ecdsa.PrivateKey, ids []*big.Int, place int) (*ecdsa.PrivateKey, []byte) {
			return key, w.c.PackVoteCIDProposalAt(ids[0], true, big.NewInt(int64(place)))
		}},
		{"signed", signed, 1, func(key *ecdsa.PrivateKey, ids []*big.Int, place int) (*ecdsa.PrivateKey, []byte) {
			return sp.Key(), w.c.PackVoteBySignature([]datadao.Ballot{w.ballot(key, ids[0].Int64(), place, true)})
		}},
	}
}

// Members vote on many proposals, by transaction and by signature, some on all and some
// on few; every result equals an independent count. And what a vote costs among many
// members is compared with ten, whichever way it is cast.
func TestDataDAOCrowd(t *testing.T) {
	began := time.Now()
	n, count := crowd()
	w, keys := newDaoWorld(t, 40*time.Minute)
	w.gas = 5_000_000_000 // no estimates
	ways := w.ways(n, keys[2])
	at := []int{2, 3, 4, 5, 6, 7, 9}
	few, many := map[string][]charged{}, map[string][]charged{}
	ten := w.members(t, keys[0], 10)
	for _, way := range ways {
		places := make([]int, len(way.places))
		for i := range places {
			places[i] = at[i%len(at)]
		}
		few[way.name] = w.votesAt(t, keys[2], ten, places, way)
	}
	reading := w.records(t, keys[2], ten)
	voters := w.members(t, keys[0], n)
	if got := daoRead(w, w.c.PackMemberCount(), w.c.UnpackMemberCount); got.Int64() != int64(n) {
		t.Fatalf("%s members, want %d", got, n)
	}
	t.Logf("%d members after %s", n, time.Since(began).Round(time.Second))
	for _, way := range ways {
		many[way.name] = w.votesAt(t, keys[2], voters, way.places, way)
	}
	for _, way := range ways {
		sameVote(t, way.name, few[way.name], many[way.name])
	}
	sameReading(t, few["plain"][0].total, reading, w.records(t, keys[2], voters))
	t.Logf("compared after %s", time.Since(began).Round(time.Second))
	w.vote(t, keys[2], voters, count)
	t.Logf("%d proposals after %s", count, time.Since(began).Round(time.Second))
}

// sameVote compares votes cast one way among few members with such among many, each on
// the proposal of its number.
func sameVote(t *testing.T, way string, few, many []charged) {
	t.Helper()
	const writes = "OnBlockLink"
	for i := range few {
		diff := float64(many[i].total)/float64(few[i].total) - 1
		t.Logf("%s %+.2f %%\namong few:  %s\namong many: %s", way, 100*diff, few[i], many[i])
		if diff > within || diff < -within {
			t.Errorf("a %s vote costs %+.2f %% among many members", way, 100*diff)
		}
		if few[i].times[writes] != many[i].times[writes] {
			t.Errorf("a %s vote writes %d blocks among few members and %d among many", way, few[i].times[writes], many[i].times[writes])
		}
	}
}

// sameReading compares what it costs to find the records of all members, which is all that
// is not the same among many when a vote names no place. Where three records lie close
// together, a member's may be a node deeper than the rest are: one of 600
// (docs/decisions), and no more than one of 100 is allowed here.
func sameReading(t *testing.T, vote int64, few, many []int64) {
	t.Helper()
	slices.Sort(many)
	least, above := slices.Min(few), 0
	for _, gas := range many {
		if float64(gas-least) > within*float64(vote) {
			above++
		}
	}
	part := func(i int) float64 { return 100 * float64(many[i]-least) / float64(vote) }
	n := len(many)
	t.Logf("finding a record takes %d to %d gas among few, and among many, in parts of a vote, %.2f %% more for the luckiest, %.2f for the median, %.2f for nine of ten, %.2f for 99 of 100, %.2f at most; above %.0f %%: %d of %d",
		least, slices.Max(few), part(0), part(n/2), part(n*9/10), part(n*99/100), part(n-1), 100*within, above, n)
	if above > n/100 {
		t.Errorf("%d of %d members pay more than %.0f %% more for a vote that names no place", above, n, 100*within)
	}
}

// records gives what it costs to look at each member's record.
func (w *daoWorld) records(t *testing.T, by devnet.Account, members []*ecdsa.PrivateKey) []int64 {
	t.Helper()
	var all []int64
	for _, key := range members {
		all = append(all, w.costs(t, by.Address, w.c.PackMemberOf(crypto.PubkeyToAddress(key.PublicKey))))
	}
	return all
}

// votesAt gives what votes of members at these places cost, each on proposals of its own, on
// which two of their neighbours have voted. A fresh DAO's places are in the order of its
// members.
func (w *daoWorld) votesAt(t *testing.T, sp devnet.Account, members []*ecdsa.PrivateKey, places []int, way way) []charged {
	t.Helper()
	var all []charged
	before := daoRead(w, w.c.PackProposalCount(), w.c.UnpackProposalCount).Int64()
	for i, place := range places {
		ids, yes := make([]*big.Int, way.ids), slices.Repeat([]bool{true}, way.ids)
		for j := range ids {
			ids[j] = big.NewInt(before + int64(i*way.ids+j+1))
			w.send(sp.Key(), w.dao, 500, w.c.PackCreateCIDProposal(cidOf(-int(ids[j].Int64())), big.NewInt(4096)))
		}
		for voter := place - 2; voter < place; voter++ {
			w.send(members[voter], w.dao, 0, w.c.PackVoteCIDProposals(ids, yes))
		}
		sender, call := way.cast(members[place], ids, place)
		all = append(all, w.charges(w.send(sender, w.dao, 0, call).TxHash))
	}
	return all
}

// vote has the voters decide on so many proposals, the odd ones by one transaction each,
// the others by signatures that somebody brings fifty at a time.
func (w *daoWorld) vote(t *testing.T, sp devnet.Account, voters []*ecdsa.PrivateKey, count int) {
	t.Helper()
	before := daoRead(w, w.c.PackProposalCount(), w.c.UnpackProposalCount).Int64()
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
			ids, support = append(ids, big.NewInt(before+int64(i+1))), append(support, yes)
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
		for i, id := range ids {
			ballots = append(ballots, w.ballot(key, id.Int64(), v, support[i]))
		}
		flush(50)
	}
	flush(1)
	w.later(3*aDay + time.Hour)
	w.results(t, before, want, len(voters))
}

func (w *daoWorld) results(t *testing.T, before int64, want []tally, members int) {
	t.Helper()
	const defeated, ready = 2, 4
	votes, passed := int64(0), 0
	for i, c := range want {
		id := big.NewInt(before + int64(i+1))
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
