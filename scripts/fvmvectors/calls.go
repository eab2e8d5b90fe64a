package main

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	ethabi "github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/batch"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/power"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/exitcode"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// exchange is what passes between a contract and a precompile when a function of
// test/contracts/fvm/ActorHarness.sol is called, all of it as bytes.
type exchange struct {
	Name       string        `json:"name"`       // the method and its actor
	Precompile uint64        `json:"precompile"` // the last byte of 0xfe00…
	Call       hexutil.Bytes `json:"call"`
	Input      hexutil.Bytes `json:"input"`
	Output     hexutil.Bytes `json:"output"`
	Result     hexutil.Bytes `json:"result"`
}

const (
	f04 = 4
	f05 = 5
	f06 = 6
	f07 = 7
	f99 = 99
)

// script collects exchanges until something cannot be written.
type script struct {
	random *rand.Rand
	list   []exchange
	err    error
}

// sent is what an actor is sent, and what it answers.
type sent struct {
	actor  uint64
	name   string
	writes bool
	params cbg.CBORMarshaler // nil: none
	reply  cbg.CBORMarshaler
}

// asks has a function, with arguments of the types in its signature, make a call that
// an actor answers, and give the results.
func (s *script) asks(function string, args []any, m sent, returns string, results ...any) {
	params, reply := s.cbor(m.params), s.cbor(m.reply)
	flags, codec := uint64(1), uint64(0x51)
	if m.writes {
		flags = 0
	}
	if len(params) == 0 {
		codec = 0
	}
	input := s.abi("uint64,uint256,uint64,uint64,bytes,uint64", uint64(builtin.MustGenerateFRCMethodNum(m.name)), new(big.Int), flags, codec, params, m.actor)
	name := fmt.Sprintf("%s of f0%d", m.name, m.actor)
	if m.actor > f99 {
		name = m.name + " of a miner"
	}
	s.add(name, 5, function, args, input, s.answer(reply), returns, results)
}

func (s *script) add(name string, precompile uint64, function string, args []any, input, output []byte, returns string, results []any) {
	_, types, _ := strings.Cut(function, "(")
	call := slices.Concat(crypto.Keccak256([]byte(function))[:4], s.abi(strings.Trim(types, "()"), args...))
	s.list = append(s.list, exchange{name, precompile, call, input, output, s.abi(returns, results...)})
}

// answer is what a precompile gives where the actor succeeded.
func (s *script) answer(reply []byte) []byte {
	codec := uint64(0x51)
	if len(reply) == 0 {
		codec = 0
	}
	return s.abi("int256,uint64,bytes", new(big.Int), codec, reply)
}

// abi writes values of types that are separated by commas. A struct without dynamic
// members is its members.
func (s *script) abi(types string, values ...any) []byte {
	var arguments ethabi.Arguments
	for _, name := range strings.Split(types, ",") {
		t, err := ethabi.NewType(name, "", nil)
		if err != nil {
			s.fail(err)
			return nil
		}
		arguments = append(arguments, ethabi.Argument{Type: t})
	}
	data, err := arguments.Pack(values...)
	s.fail(err)
	return data
}

func (s *script) cbor(m cbg.CBORMarshaler) []byte {
	if m == nil {
		return nil
	}
	data, err := marshal(m)
	s.fail(err)
	return data
}

func (s *script) fail(err error) {
	if s.err == nil && err != nil {
		s.err = err
	}
}

// id is one that an actor, a deal or a sector can have.
func (s *script) id() uint64 { return s.random.Uint64() >> (1 + s.random.IntN(63)) }

func (s *script) epoch() int64 { return int64(s.random.Uint64() >> (1 + s.random.IntN(63))) }

// account is an Ethereum address and Filecoin's form of it, or a masked id.
func (s *script) account(masked bool) (common.Address, address.Address) {
	if masked {
		id := s.id()
		var eth common.Address
		eth[0] = 0xff
		binary.BigEndian.PutUint64(eth[12:], id)
		return eth, s.address(address.NewIDAddress(id))
	}
	eth := common.BytesToAddress(randomBytes(s.random, 20))
	return eth, s.address(address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, eth[:]))
}

func (s *script) address(a address.Address, err error) address.Address {
	s.fail(err)
	return a
}

// callVectors has every call that contracts make of actors.
func callVectors() (any, error) {
	s := &script{random: rand.New(rand.NewPCG(0x63616c6c73, 1))}
	for i := range 3 {
		s.deals(i)
		s.miners(i)
		s.claims()
		s.tokens(i)
		s.addresses(i)
	}
	return map[string]any{"calls": s.list}, s.err
}

func (s *script) deals(i int) {
	get := func(method, function, returns string, reply cbg.CBORMarshaler, results ...any) {
		id := s.id()
		params := cbg.CborInt(id)
		s.asks(function, []any{id}, sent{actor: f05, name: method, params: &params, reply: reply},
			"int256,"+returns, slices.Concat([]any{new(big.Int)}, results)...)
	}
	piece, root := randomPiece(s.random)
	get("GetDealDataCommitment", "dealPiece(uint64)", "bytes32,uint64",
		&market.GetDealDataCommitmentReturn{Data: piece, Size: 128 << (9 * i)}, root, uint64(128)<<(9*i))
	client, provider, sector := s.id(), s.id(), s.id()
	clientID, providerID := cbg.CborInt(client), cbg.CborInt(provider)
	get("GetDealClient", "dealClient(uint64)", "uint64", &clientID, client)
	get("GetDealProvider", "dealProvider(uint64)", "uint64", &providerID, provider)
	get("GetDealSector", "dealSector(uint64)", "uint64", cborUint(sector), sector)
	raw := []byte("a label")
	label, err := market.NewLabelFromString(string(raw))
	if i == 1 {
		raw = randomBytes(s.random, 256)
		label, err = market.NewLabelFromBytes(raw)
	}
	s.fail(err)
	get("GetDealLabel", "dealLabel(uint64)", "bytes,bool", &label, raw, i != 1)
	start, duration := s.epoch(), s.epoch()
	get("GetDealTerm", "dealTerm(uint64)", "int64,int64",
		&market.GetDealTermReturn{Start: abi.ChainEpoch(start), Duration: abi.ChainEpoch(duration)}, start, duration)
	activated := int64(-1)
	if i != 0 {
		activated = s.epoch()
	}
	get("GetDealActivation", "dealActivation(uint64)", "int64,int64",
		&market.GetDealActivationReturn{Activated: abi.ChainEpoch(activated), Terminated: -1}, activated, int64(-1))
	verified := cbg.CborBool(i == 1)
	get("GetDealVerified", "dealVerified(uint64)", "bool", &verified, bool(verified))
	price, ofClient, ofProvider := randomAmount(s.random, 120*i), randomAmount(s.random, 90*i), randomAmount(s.random, 90)
	get("GetDealTotalPrice", "dealTotalPrice(uint64)", "uint256", &price, price.Int)
	get("GetDealClientCollateral", "dealClientCollateral(uint64)", "uint256", &ofClient, ofClient.Int)
	get("GetDealProviderCollateral", "dealProviderCollateral(uint64)", "uint256", &ofProvider, ofProvider.Int)
}

func (s *script) miners(i int) {
	id, owner, sector, until := 100+s.id()>>1, s.id(), s.id(), s.epoch()
	params := cbg.CborInt(id)
	s.asks("isMiner(uint64)", []any{id}, sent{actor: f04, name: "MinerPower", params: &params, reply: &power.MinerPowerReturn{
		RawBytePower: randomAmount(s.random, 60*i), QualityAdjPower: randomAmount(s.random, 63*i),
	}}, "bool", true)
	of := func(method string, params, reply cbg.CBORMarshaler) sent {
		return sent{actor: id, name: method, params: params, reply: reply}
	}
	owned := miner.GetOwnerReturn{Owner: s.address(address.NewIDAddress(owner))}
	if i > 0 {
		next := s.address(address.NewIDAddress(s.id()))
		owned.Proposed = &next
	}
	s.asks("owner(uint64)", []any{id}, of("GetOwner", nil, &owned), "int256,uint64", new(big.Int), owner)
	eth, controller := s.account(i == 1)
	holds := cbg.CborBool(i > 0)
	s.asks("isControlling(uint64,address)", []any{id, eth}, of("IsControllingAddress", &controller, &holds),
		"int256,bool", new(big.Int), bool(holds))
	location := slices.Concat([]byte{0x82}, s.cbor(cborUint(s.random.Uint64N(48))), s.cbor(cborUint(s.random.Uint64N(9))))
	s.asks("hasStatus(uint64,uint64,uint8,bytes)", []any{id, sector, uint8(i), location},
		of("ValidateSectorStatus", &miner.ValidateSectorStatusParams{
			SectorNumber: abi.SectorNumber(sector), Status: abi.SectorStatusCode(i), AuxData: location,
		}, &holds), "int256,bool", new(big.Int), bool(holds))
	expiration := cbg.CborInt(until)
	s.asks("sectorExpiration(uint64,uint64)", []any{id, sector},
		of("GetNominalSectorExpiration", cborUint(sector), &expiration), "int256,int64", new(big.Int), until)
}

func (s *script) claims() {
	provider, id, sector := s.id(), s.id(), s.id()
	piece, root := randomPiece(s.random)
	c := verifreg.Claim{
		Provider: abi.ActorID(provider), Client: abi.ActorID(s.id()), Data: piece, Size: 1 << 30,
		TermMin: abi.ChainEpoch(s.epoch()), TermMax: abi.ChainEpoch(s.epoch()), TermStart: abi.ChainEpoch(s.epoch()), Sector: abi.SectorNumber(sector),
	}
	const fields = "int256,uint64,uint64,bytes32,uint64,int64,int64,int64,uint64"
	get := func(reply *verifreg.GetClaimsReturn, results ...any) {
		s.asks("claim(uint64,uint64)", []any{provider, id}, sent{actor: f06, name: "GetClaims", reply: reply,
			params: &verifreg.GetClaimsParams{Provider: abi.ActorID(provider), ClaimIds: []verifreg.ClaimId{verifreg.ClaimId(id)}},
		}, fields, results...)
	}
	get(&verifreg.GetClaimsReturn{BatchInfo: batch.BatchReturn{SuccessCount: 1}, Claims: []verifreg.Claim{c}},
		new(big.Int), provider, uint64(c.Client), root, uint64(c.Size), int64(c.TermMin), int64(c.TermMax), int64(c.TermStart), sector)
	failed := batch.BatchReturn{FailCodes: []batch.FailCode{{Code: exitcode.ErrNotFound}}}
	get(&verifreg.GetClaimsReturn{BatchInfo: failed}, big.NewInt(17), uint64(0), uint64(0), [32]byte{}, uint64(0), int64(0), int64(0), int64(0), uint64(0))
	for code, result := range []batch.BatchReturn{{SuccessCount: 1}, failed} {
		s.asks("extendClaim(uint64,uint64,int64)", []any{provider, id, int64(c.TermMax)}, sent{
			actor: f06, name: "ExtendClaimTerms", writes: true, reply: &result,
			params: &verifreg.ExtendClaimTermsParams{Terms: []verifreg.ClaimTerm{{Provider: c.Provider, ClaimId: verifreg.ClaimId(id), TermMax: c.TermMax}}},
		}, "int256", big.NewInt(17*int64(code)))
	}
}

func (s *script) tokens(i int) {
	eth, holder := s.account(i == 1)
	f05Addr, units := builtin.StorageMarketActorAddr, randomAmount(s.random, 100*i)
	give := func(function string, args []any, method string, writes bool, params cbg.CBORMarshaler) {
		s.asks(function, args, sent{actor: f07, name: method, writes: writes, params: params, reply: &units},
			"int256,uint256", new(big.Int), units.Int)
	}
	change := randomAmount(s.random, 80)
	give("balance(address)", []any{eth}, "Balance", false, &holder)
	give("marketAllowance(address)", []any{eth}, "Allowance", false, &datacap.GetAllowanceParams{Owner: holder, Operator: f05Addr})
	give("increaseMarketAllowance(uint256)", []any{change.Int}, "IncreaseAllowance", true, &datacap.IncreaseAllowanceParams{Operator: f05Addr, Increase: change})
	give("decreaseMarketAllowance(uint256)", []any{change.Int}, "DecreaseAllowance", true, &datacap.DecreaseAllowanceParams{Operator: f05Addr, Decrease: change})

	piece, root := randomPiece(s.random)
	r := verifreg.AllocationRequest{
		Provider: abi.ActorID(s.id()), Data: piece, Size: 128 << (10 * i),
		TermMin: abi.ChainEpoch(s.epoch()), TermMax: abi.ChainEpoch(s.epoch()), Expiration: abi.ChainEpoch(s.epoch()),
	}
	made, claim := s.id(), s.id()
	transfer := func(requests verifreg.AllocationRequests, answer verifreg.AllocationsResponse) sent {
		return sent{actor: f07, name: "Transfer", writes: true,
			params: &datacap.TransferParams{To: builtin.VerifiedRegistryActorAddr, Amount: stbig.Mul(stbig.NewInt(int64(r.Size)), stbig.NewInt(1e18)), OperatorData: s.cbor(&requests)},
			reply:  &datacap.TransferReturn{FromBalance: units, ToBalance: change, RecipientData: s.cbor(&answer)},
		}
	}
	one := batch.BatchReturn{SuccessCount: 1}
	s.asks("allocate((uint64,bytes32,uint64,int64,int64,int64))",
		[]any{uint64(r.Provider), root, uint64(r.Size), int64(r.TermMin), int64(r.TermMax), int64(r.Expiration)},
		transfer(verifreg.AllocationRequests{Allocations: []verifreg.AllocationRequest{r}},
			verifreg.AllocationsResponse{AllocationResults: one, NewAllocations: []verifreg.AllocationId{verifreg.AllocationId(made)}}),
		"int256,uint64", new(big.Int), made)
	longer := verifreg.ClaimExtensionRequest{Provider: r.Provider, Claim: verifreg.ClaimId(claim), TermMax: r.TermMax}
	s.asks("extend(uint64,uint64,uint64,int64)", []any{uint64(r.Provider), claim, uint64(r.Size), int64(r.TermMax)},
		transfer(verifreg.AllocationRequests{Extensions: []verifreg.ClaimExtensionRequest{longer}},
			verifreg.AllocationsResponse{ExtensionResults: one}), "int256", new(big.Int))
}

// addresses has the precompiles that look up actors, and transfers, which run no code.
func (s *script) addresses(i int) {
	value, id := randomAmount(s.random, 90).Int, s.id()
	pay := "uint64,uint256,uint64,uint64,bytes,"
	s.add("a transfer to f099", 5, "burn(uint256)", []any{value},
		s.abi(pay+"uint64", uint64(0), value, uint64(0), uint64(0), []byte{}, uint64(f99)), s.answer(nil), "int256", []any{new(big.Int)})
	to := randomAddress(s.random, i).Bytes()
	s.add("a transfer to an address", 3, "sendTo(bytes,uint256)", []any{to, value},
		s.abi(pay+"bytes", uint64(0), value, uint64(0), uint64(0), []byte{}, to), s.answer(nil), "int256", []any{new(big.Int)})
	s.add("resolve_address", 1, "resolve(bytes)", []any{to}, to, s.abi("uint64", id), "bool,uint64", []any{true, id})
	eth, delegated := s.account(false)
	s.add("lookup_delegated_address", 2, "ethOf(uint64)", []any{id}, s.abi("uint64", id), delegated.Bytes(), "bool,address", []any{true, eth})
}
