package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

// Roles in a DAO, by key; alice and bob are members too.
const (
	keySP = iota + 5
	keyCarol
	keyStranger
	keyNewcomer
)

// daoStory is a DataDAO on a devnet of its own, with storage providers.
type daoStory struct {
	*network
	d   *daemon
	dao string
}

// refused sends what the DAO has to refuse with an error of that name.
func (s *daoStory) refused(key int, errorSig, sig string, args ...string) {
	s.t.Helper()
	s.network.refuses(key, nil, errorSig, s.dao, sig, args...)
}

// cli runs `tidegate dao …` as a key.
func (s *daoStory) cli(key int, command string, args ...string) string {
	s.t.Helper()
	return output(s.t, []string{"DAO_KEY=" + s.Keys[key].PrivateKey}, tidegate(s.t),
		append([]string{"dao", command, "--rpc", s.RPC, "--key-env", "DAO_KEY"}, args...)...)
}

func (s *daoStory) rpc(method, params string, into any) {
	s.t.Helper()
	out := output(s.t, nil, cast(s.t), "rpc", "--rpc-url", s.RPC, method, params)
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(out), into); err != nil {
		s.t.Fatalf("%s: %v\n%s", method, err, out)
	}
}

// later lets time pass. What is read is of the newest block but one, so that two more are made.
func (s *daoStory) later(d string) {
	s.t.Helper()
	s.rpc("devnet_advanceTime", d, nil)
	s.rpc("devnet_mine", "2", nil)
}

func (s *daoStory) stateIs(id, want int64) {
	s.t.Helper()
	if got := number(s.t, s.call(s.dao, "stateOf(uint256)(uint8)", fmt.Sprint(id))).Int64(); got != want {
		s.t.Errorf("proposal %d is in state %d, want %d", id, got, want)
	}
}

const fil = 1_000_000_000_000_000_000

func attoFIL(milli int64) *big.Int { return new(big.Int).Mul(big.NewInt(milli), big.NewInt(fil/1000)) }

func newDaoStory(t *testing.T) (*daoStory, string) {
	t.Helper()
	p := start(t, "devnet", true, nil, tidegate(t), append(devnetArgs(t, "0"), "--epoch", "10s", "--miners", "2")...)
	s := &daoStory{network: devnetLine(t, p).dial(t, p)}
	s.plain = "its days pass as thousands of null rounds in a row, which are asked for one by one: with a public endpoint's pauses that takes minutes"
	public := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	s.d = newDaemon(t, s.network, "--public-listen", public, "--piece-min-size", "1 KiB", "--bucket-size", "1 KiB", "--public-requests-per-second", "1000")
	s.d.start(t)
	founders := []string{s.Keys[keyAlice].Address, s.Keys[keyBob].Address, s.Keys[keyCarol].Address}
	out := output(t, []string{"DAO_KEY=" + s.Keys[keyDeployer].PrivateKey}, tidegate(t), "dao", "create", "--rpc", s.RPC, "--key-env", "DAO_KEY", "--json",
		"--founders", strings.Join(founders, ","), "--value", "10", s.Contracts["DataDAOFactory"])
	s.dao = decode[struct {
		DAO string `json:"dao"`
	}](t, out).DAO
	return s, public
}

// The proposal's own story, by cast: a storage provider proposes with a deposit, members
// vote, the vote ends, it is executed, pinned, and stored by two providers that prove it.
// And every refusal on the way.
func TestDataDAOStoresWhatItAccepts(t *testing.T) {
	t.Parallel()
	s, public := newDaoStory(t)
	const size = 700
	root := s.d.add(t, "story", content(701, size))
	raw := cidHex(t, root)
	s.proposals(t, root, public)
	s.refusals(t)
	s.wrongSize(t)
	s.ends(t)

	// The operators say which piece the CID is; a day of voting and a day's delay pass.
	s.cli(keyStranger, "attest", s.dao, "1")
	s.attested(t, 1, size)
	s.later("23h30m")
	s.refused(keyStranger, "DataDAO_NotReady(uint256,uint8)", "executeCIDProposal(uint256)", "1")
	s.later("25h")
	s.stateIs(1, 4)
	s.cli(keyStranger, "execute", s.dao, "1") // finds the terms by itself
	s.refused(keyStranger, "DataDAO_NotReady(uint256,uint8)", "executeCIDProposal(uint256)", "1")
	if got := s.call(s.dao, "cidSet(bytes)(bool)", raw); got != "true" {
		t.Errorf("accepted and set: %s", got)
	}
	eventually(t, time.Minute, "pinned for the DAO", func() error {
		if got := s.call(s.pinning(), "statusOf(bytes,address)(uint8,uint40,uint8)", raw, s.dao); !strings.HasPrefix(got, fmt.Sprint(pinPinned)) {
			return fmt.Errorf("status %s", got)
		}
		return nil
	})
	s.stored(t, raw)
	s.d.stop(t)
}

// proposals makes four: one that stores, one that will be lost, one that nobody votes on,
// one that lies about its size.
func (s *daoStory) proposals(t *testing.T, root, public string) {
	t.Helper()
	terms := writeFile(t, t.TempDir(), "terms.json", []byte(fmt.Sprintf(`{"endpoint":"http://%s/piece/","baseBounty":10000000000000000,"maxBounty":20000000000000000,"rate":10000000000}`, public)))
	s.cli(keySP, "propose", "--size", "700", "--store", "0.1", "--terms", terms, "--budget", "0.9", s.dao, root)
	create := "createCIDProposal(bytes,uint256)"
	s.refused(keySP, "DataDAO_DepositMismatch(uint256,uint256)", create, cidHex(t, root), "700")
	for i := range uint64(3) {
		other := s.d.add(t, "other", content(702+i, 500))
		said := "500"
		if i == 2 {
			said = "1"
		}
		s.send(keySP, attoFIL(500), s.dao, create, cidHex(t, other), said)
	}
	if has := number(t, s.call(s.dao, "treasury()(uint256)")); has.Cmp(attoFIL(10_000)) != 0 {
		t.Errorf("deposits are in the treasury: %s", has)
	}
}

// refusals votes on the first two, with everything that is refused.
func (s *daoStory) refusals(t *testing.T) {
	t.Helper()
	vote := "voteCIDProposal(uint256,bool)"
	s.refused(keySP, "DataDAO_OwnProposal(uint256)", vote, "1", "true")
	s.refused(keyStranger, "DataDAO_NotMember(address)", vote, "1", "true")
	s.send(keyAlice, nil, s.dao, "invite(address)", s.Keys[keyNewcomer].Address)
	s.send(keyNewcomer, nil, s.dao, "join()")
	s.refused(keyNewcomer, "DataDAO_TooYoung(address,uint40)", vote, "1", "true")
	s.send(keyAlice, nil, s.dao, "voteCIDProposalAt(uint256,bool,uint256)", "1", "true", s.place(t, keyAlice))
	s.refused(keyAlice, "DataDAO_AlreadyVoted(uint256,address)", vote, "1", "true")
	ballot := s.ballot(t, keyBob, 1, true)
	by := "voteBySignature((uint256,bool,address,uint256,uint256,bytes)[])"
	s.send(keyStranger, nil, s.dao, by, ballot)
	s.refused(keyStranger, "DataDAO_AlreadyVoted(uint256,address)", by, ballot)
	s.cli(keyCarol, "vote", s.dao, "1", "no")
	for _, key := range []int{keyAlice, keyBob} {
		s.send(key, nil, s.dao, vote, "2", "false")
	}
	s.refused(keyStranger, "DataDAO_NotReady(uint256,uint8)", "executeCIDProposal(uint256)", "2")
}

// place is a member's in the register.
func (s *daoStory) place(t *testing.T, key int) string {
	t.Helper()
	return number(t, s.call(s.dao, "placeOf(address)(uint256)", s.Keys[key].Address)).String()
}

// ballot is a vote signed with cast, by EIP-712; the place is named beside it.
func (s *daoStory) ballot(t *testing.T, key int, id int64, support bool) string {
	t.Helper()
	const deadline = 1 << 40
	typed := fmt.Sprintf(`{"primaryType":"Ballot","types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],
		"Ballot":[{"name":"proposalId","type":"uint256"},{"name":"support","type":"bool"},{"name":"voter","type":"address"},{"name":"deadline","type":"uint256"}]},
		"domain":{"name":"Tidegate DataDAO","version":"1","chainId":%d,"verifyingContract":"%s"},
		"message":{"proposalId":%d,"support":%t,"voter":"%s","deadline":%d}}`, s.ChainID, s.dao, id, support, s.Keys[key].Address, deadline)
	signature := output(t, nil, cast(t), "wallet", "sign", "--private-key", s.Keys[key].PrivateKey, "--data", typed)
	return fmt.Sprintf("[(%d,%t,%s,%d,%s,%s)]", id, support, s.Keys[key].Address, deadline, s.place(t, key), signature)
}

// wrongSize refutes the fourth proposal, whose size is a lie.
func (s *daoStory) wrongSize(t *testing.T) {
	t.Helper()
	// Operators are let look at as much as it takes to see it.
	fee := number(t, s.call(s.dao, "quoteSize(uint64)(uint96)", "1000000"))
	s.send(keyAlice, fee, s.dao, "requestSize(uint256,uint64)", "4", "1000000")
	s.attested(t, 4, 500)
	s.send(keyAlice, nil, s.dao, "reportSize(uint256)", "4")
	s.stateIs(4, 8)
	s.refused(keyStranger, "DataDAO_NotReady(uint256,uint8)", "executeCIDProposal(uint256)", "4")
}

func (s *daoStory) attested(t *testing.T, id, size int64) {
	t.Helper()
	eventually(t, time.Minute, "operators say the size", func() error {
		if got := s.call(s.dao, "attestedOf(uint256)((uint64,uint64,uint64,bytes32))", fmt.Sprint(id)); !strings.HasPrefix(got, fmt.Sprintf("(%d, ", size)) {
			return fmt.Errorf("attested %s", got)
		}
		return nil
	})
}

// ends lets an hour pass: the second proposal is lost, the third lacks its quorum.
func (s *daoStory) ends(t *testing.T) {
	t.Helper()
	s.later("1h1m")
	s.refused(keyCarol, "DataDAO_VotingExpired(uint256,uint40)", "voteCIDProposal(uint256,bool)", "2", "true")
	for _, id := range []int64{2, 3} {
		s.stateIs(id, 2)
		s.refused(keyStranger, "DataDAO_NotReady(uint256,uint8)", "executeCIDProposal(uint256)", fmt.Sprint(id))
		s.send(keyStranger, nil, s.dao, "closeProposal(uint256)", fmt.Sprint(id))
	}
	// Lost in the vote, its deposit comes back; below quorum, or a lie, it is the treasury's.
	if credit := number(t, s.call(s.dao, "creditOf(address)(uint256)", s.Keys[keySP].Address)); credit.Cmp(attoFIL(500)) != 0 {
		t.Errorf("credit of the provider %s", credit)
	}
	if has := number(t, s.call(s.dao, "treasury()(uint256)")); has.Cmp(attoFIL(11_000)) != 0 {
		t.Errorf("treasury %s", has)
	}
}

// stored has both replicas sealed and proven, by f05 deals that StorageGate lets through.
func (s *daoStory) stored(t *testing.T, raw string) {
	t.Helper()
	store, gate := s.Contracts["PerpetualStorage"], s.Contracts["StorageGate"]
	deal := number(t, s.call(s.dao, "storageOf(bytes)(uint64)", raw)).Uint64()
	if deal == 0 {
		t.Fatal("no deal")
	}
	fee := number(t, s.call(store, "quoteServed(uint64)(uint96)", fmt.Sprint(deal)))
	s.send(keyStranger, fee, store, "requestServed(uint64)", fmt.Sprint(deal))
	first := deal << 24
	eventually(t, time.Minute, "the slots are listed", func() error {
		if out := s.call(store, "openSlots(uint64,uint256)((uint64,uint64,bytes32,uint64,uint64,bool,uint32,uint96,uint96,uint96)[],uint64)", "0", "10"); strings.Count(out, ", 518400") != 2 {
			return fmt.Errorf("open: %s", out)
		}
		return nil
	})
	attested := strings.Split(strings.Trim(s.call(s.dao, "attestedOf(uint256)((uint64,uint64,uint64,bytes32))", "1"), "()"), ", ")
	padded, piece := attested[2], cidOf(t, "0x0181e203922020"+strings.TrimPrefix(attested[3], "0x"))
	head, err := s.client.BlockNumber(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	begins := head + 3000
	for i, miner := range s.Miners {
		slot := first | uint64(i)<<16
		s.rpc("devnet_addEscrow", fmt.Sprintf(`{"for":%q,"amount":"1000000000000000000"}`, miner), nil)
		publish := func(piece, size string) string {
			return fmt.Sprintf(`{"miner":%q,"client":%q,"pieceCid":{"/":%q},"pieceSize":%s,"label":"%d/ipfs/x","start":%d,"end":%d,"providerCollateral":"100000000000000000"}`,
				miner, gate, piece, size, slot, begins, begins+518_400)
		}
		if i == 0 { // a piece that no accepted CID is bound to is not let through
			other := "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
			if out, err := tryOutput(nil, cast(t), "rpc", "--rpc-url", s.RPC, "devnet_publishDeal", publish(other, padded)); err == nil {
				t.Errorf("an unbound piece was published: %s", out)
			}
		}
		var published json.RawMessage
		s.rpc("devnet_publishDeal", publish(piece.String(), padded), &published)
		id := strings.Trim(string(published), "[]{}\"dealIs: ")
		t.Logf("replica %d: f05 deal %s of %s", i, id, miner)
		s.rpc("devnet_sealSectors", fmt.Sprintf(`{"miner":%q,"requireActivation":true,"sectors":[{"pieces":[{"cid":{"/":%q},"size":%s,"deal":%s}]}]}`, miner, piece, padded, id), nil)
		s.send(keyStranger, nil, store, "proveActive(uint64[],bytes[])", fmt.Sprintf("[%d]", slot), "[0x]")
	}
	s.provenLater(t, raw, store, first)
}

// provenLater lets the term begin and a day of it pass; then the sectors are proven.
func (s *daoStory) provenLater(t *testing.T, raw, store string, first uint64) {
	t.Helper()
	s.rpc("devnet_advance", "5900", nil)
	for i, miner := range s.Miners {
		var sectors []struct {
			Aux string `json:"aux"`
		}
		s.rpc("devnet_sectors", fmt.Sprintf(`{"miner":%q,"sectors":[0]}`, miner), &sectors)
		s.send(keyStranger, nil, store, "proveActive(uint64[],bytes[])", fmt.Sprintf("[%d]", first|uint64(i)<<16), "["+sectors[0].Aux+"]")
		var id uint64
		if _, err := fmt.Sscanf(miner, "f0%d", &id); err != nil {
			t.Fatal(err)
		}
		address := binary.AppendUvarint([]byte{0}, id)
		if got := s.call(s.dao, "cidProviders(bytes,bytes)(bool)", raw, fmt.Sprintf("0x%x", address)); got != "true" {
			t.Errorf("%s is no provider of the CID: %s", miner, got)
		}
	}
	shown := decode[struct {
		State string `json:"state"`
		Held  struct {
			Accepted bool   `json:"accepted"`
			Pin      string `json:"pin"`
			Deal     struct {
				Status   string `json:"status"`
				Replicas []struct {
					Slot  uint64 `json:"slot"`
					State string `json:"state"`
				} `json:"replicas"`
			} `json:"deal"`
		} `json:"held"`
	}](t, output(t, nil, tidegate(t), "dao", "show", "--rpc", s.RPC, "--json", s.dao, "1"))
	if shown.State != "executed" || !shown.Held.Accepted || shown.Held.Pin != "pinned" || shown.Held.Deal.Status != "open" || len(shown.Held.Deal.Replicas) != 2 {
		t.Errorf("dao show: %+v", shown)
	}
	for _, r := range shown.Held.Deal.Replicas {
		out := s.call(store, "slotOf(uint64)((uint8,uint8,bool,uint64,uint64,uint24,address,uint80,uint96,uint96,uint32,uint32,uint32,uint32,uint32,uint32,uint64,uint64))", fmt.Sprint(r.Slot))
		fields := strings.Split(strings.Trim(out, "()"), ", ")
		if r.State != "active" || number(t, fields[9]).Sign() <= 0 || number(t, fields[10]).Sign() <= 0 {
			t.Errorf("slot %d is %s, earned %s, proven %s epochs", r.Slot, r.State, fields[9], fields[10])
		}
		t.Logf("slot %d: earned %s attoFIL for %s epochs", r.Slot, fields[9], fields[10])
	}
}
