package conformance

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// call is one, with its answer.
type call struct {
	Stage      string        `json:"stage"`
	Name       string        `json:"name"`
	Precompile uint8         `json:"precompile"` // the last byte of 0xfe00…
	Opcode     uint8         `json:"opcode"`     // 0 DELEGATECALL, 1 CALL, 2 STATICCALL
	Input      hexutil.Bytes `json:"input"`
	OK         bool          `json:"ok"`
	Output     hexutil.Bytes `json:"output"`
}

const (
	resolveAddress = 1
	lookupAddress  = 2
	callByAddress  = 3
	callByID       = 5

	readOnly = 1
	cbor     = 0x51
)

// parts of a call of an actor.
type parts struct {
	method, flags, codec, value uint64
	params                      []byte
}

// toActor is the input of the precompile that calls by id.
func (p parts) toActor(id uint64) []byte {
	return append(p.head(192), append(word(id), tail(p.params)...)...)
}

// toAddress is the input of the precompile that calls by address.
func (p parts) toAddress(addr []byte) []byte {
	first := tail(p.params)
	return append(append(p.head(192), append(word(192+uint64(len(first))), first...)...), tail(addr)...)
}

func (p parts) head(params uint64) (out []byte) {
	for _, w := range []uint64{p.method, p.value, p.flags, p.codec, params} {
		out = append(out, word(w)...)
	}
	return out
}

func tail(data []byte) []byte {
	out := append(word(uint64(len(data))), data...)
	return append(out, make([]byte, (32-len(data)%32)%32)...)
}

func frc(name string) uint64 { return uint64(builtin.MustGenerateFRCMethodNum(name)) }

func number(n uint64) []byte { return cbg.CborEncodeMajorType(cbg.MajUnsignedInt, n) }

func bytesOf(data []byte) []byte {
	return append(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(data))), data...)
}

// ask is a read of an actor as ActorCall.read makes it.
func ask(name string, actor uint64, method string, params []byte) call {
	p := parts{method: frc(method), flags: readOnly, codec: cbor, params: params}
	if len(params) == 0 {
		p.codec = 0
	}
	return call{Name: name, Precompile: callByID, Input: p.toActor(actor)}
}

// do is the same as one that may write.
func do(name string, actor uint64, method string, params []byte) call {
	return call{Name: name, Precompile: callByID, Input: parts{method: frc(method), codec: cbor, params: params}.toActor(actor)}
}

// getters ask all that f05 says of a deal.
func getters(deal string, id uint64) (list []call) {
	for _, method := range []string{
		"GetDealDataCommitment", "GetDealClient", "GetDealProvider", "GetDealLabel", "GetDealTerm", "GetDealTotalPrice",
		"GetDealClientCollateral", "GetDealProviderCollateral", "GetDealVerified", "GetDealActivation", "GetDealSector",
	} {
		list = append(list, ask(method+" of "+deal, 5, method, number(id)))
	}
	return list
}

// status asks whether a sector has each of the statuses, by FIP-0112.
func status(n *net, name string, of uint64, sector uint64, location []byte) (list []call) {
	for s, word := range []string{"dead", "active", "faulty"} {
		params := encode(n, &miner.ValidateSectorStatusParams{
			SectorNumber: abi.SectorNumber(sector), Status: abi.SectorStatusCode(s), AuxData: location,
		})
		list = append(list, ask(fmt.Sprintf("%s: %s?", name, word), of, "ValidateSectorStatus", params))
	}
	return list
}

// nowhere is the location of a sector that is not there.
var nowhere = []byte{0x82, 0x20, 0x20}

// machinery is what does not depend on deals and sectors.
func machinery(n *net, f facts) (list []call) {
	power := parts{method: frc("MinerPower"), flags: readOnly, codec: cbor, params: number(f.Miner)}
	raw := func(name string, opcode uint8, p parts, to uint64) {
		list = append(list, call{Name: name, Precompile: callByID, Opcode: opcode, Input: p.toActor(to)})
	}
	raw("by DELEGATECALL", 0, power, 4)
	raw("by CALL", 1, power, 4)
	raw("by STATICCALL", 2, power, 4)
	with := func(change func(*parts)) parts { p := power; change(&p); return p }
	raw("flag 2", 0, with(func(p *parts) { p.flags = 2 }), 4)
	raw("flags 3", 0, with(func(p *parts) { p.flags = 3 }), 4)
	raw("codec dag-cbor", 0, with(func(p *parts) { p.codec = 0x71 }), 4)
	raw("codec raw", 0, with(func(p *parts) { p.codec = 0x55 }), 4)
	raw("no codec, but parameters", 0, with(func(p *parts) { p.codec = 0 }), 4)
	raw("method 1", 0, with(func(p *parts) { p.method = 1 }), 4)
	raw("method 1023", 0, with(func(p *parts) { p.method = 1023 }), 4)
	raw("method 1024", 0, with(func(p *parts) { p.method = 1024 }), 4)
	raw("a method of another actor", 0, with(func(p *parts) { p.method = frc("GetDealTerm") }), 4)
	raw("an actor that is not there", 0, power, 999_999)
	raw("a value that the payer has not", 0, parts{value: 1}, f.Owner)
	raw("nothing, to an account", 0, parts{}, f.Owner)
	raw("nothing, to be burnt", 0, parts{}, 99)
	raw("nothing, to an actor that is not there", 0, parts{}, 999_999)
	raw("a method of an account", 0, parts{method: frc("MinerPower"), codec: cbor, params: number(1)}, f.Owner)
	raw("a value without the right to write", 0, parts{value: 1, flags: readOnly}, f.Owner)
	list = append(list,
		call{Name: "nothing, to a key", Precompile: callByAddress, Input: parts{}.toAddress(f.OwnerKey)},
		call{Name: "nothing, to a contract", Precompile: callByAddress, Input: parts{}.toAddress(f.Contract)},
		call{Name: "a value that the payer has not, to a key", Precompile: callByAddress, Input: parts{value: 1}.toAddress(f.OwnerKey)},
		call{Name: "to what is no address", Precompile: callByAddress, Input: parts{}.toAddress([]byte{1, 2})},
		call{Name: "by address, by CALL", Precompile: callByAddress, Opcode: 1, Input: parts{}.toAddress(f.OwnerKey)},
	)
	return append(list, addresses(f)...)
}

func addresses(f facts) (list []call) {
	resolve := func(name string, addr []byte) {
		list = append(list, call{Name: "resolve " + name, Precompile: resolveAddress, Opcode: 2, Input: addr})
	}
	stranger := append([]byte{4, 10}, make([]byte, 20)...)
	stranger[21] = 0x77
	resolve("a contract", f.Contract)
	resolve("a key", f.OwnerKey)
	resolve("an Ethereum address that nobody used", stranger)
	resolve("a key that nobody used", append([]byte{1}, make([]byte, 20)...))
	resolve("an id", binary.AppendUvarint([]byte{0}, f.Miner))
	resolve("an id that is not there", binary.AppendUvarint([]byte{0}, 999_999))
	resolve("nothing", nil)
	resolve("one byte", []byte{0})
	resolve("a key too short", []byte{1, 2})
	resolve("an id in a longer form", []byte{0, 0x80, 0})
	resolve("an address of no kind", []byte{9, 1})
	for _, who := range []struct {
		name string
		id   uint64
	}{{"a contract", f.ContractID}, {"a miner", f.Miner}, {"an account", f.Owner}, {"nobody", 999_999}} {
		list = append(list, call{Name: "look up " + who.name, Precompile: lookupAddress, Opcode: 2, Input: word(who.id)})
	}
	return list
}

// ofMiner asks a miner of itself.
func ofMiner(f facts) []call {
	control := func(name string, addr []byte) call {
		return ask("controlled by "+name, f.Miner, "IsControllingAddress", bytesOf(addr))
	}
	return []call{
		ask("its owner", f.Miner, "GetOwner", nil),
		control("its owner's id", binary.AppendUvarint([]byte{0}, f.Owner)),
		control("its owner's key", f.OwnerKey),
		control("its worker's id", binary.AppendUvarint([]byte{0}, f.Worker)),
		control("a contract", f.Contract),
		control("a contract's id", binary.AppendUvarint([]byte{0}, f.ContractID)),
		control("a key that nobody used", append([]byte{1}, make([]byte, 20)...)),
		control("what is no address", []byte{1, 2}),
		ask("controlled by a number", f.Miner, "IsControllingAddress", number(1)),
		ask("power of the miner", 4, "MinerPower", number(f.Miner)),
		ask("power of an account", 4, "MinerPower", number(f.Owner)),
		ask("power of a contract", 4, "MinerPower", number(f.ContractID)),
		ask("power of nobody", 4, "MinerPower", number(999_999)),
		ask("power of the greatest id", 4, "MinerPower", number(math.MaxUint64)),
		ask("power, with a byte more", 4, "MinerPower", append(number(f.Miner), 0)),
		ask("power of a text", 4, "MinerPower", []byte{0x61, 0x61}),
	}
}

// ofDataCap asks f06 and f07, as a contract that has no DataCap.
func ofDataCap(n *net, f facts) []call {
	self, verifier := n.id(abi.ActorID(f.ContractID)), builtin.VerifiedRegistryActorAddr
	f05 := builtin.StorageMarketActorAddr
	allowance := encode(n, &datacap.GetAllowanceParams{Owner: self, Operator: f05})
	up := encode(n, &datacap.IncreaseAllowanceParams{Operator: f05, Increase: big.NewInt(1e18)})
	down := encode(n, &datacap.DecreaseAllowanceParams{Operator: f05, Decrease: big.NewInt(1e18)})
	transfer := func(to *datacap.TransferParams) []byte { return encode(n, to) }
	claims := encode(n, &verifreg.GetClaimsParams{Provider: abi.ActorID(f.Miner), ClaimIds: []verifreg.ClaimId{1}})
	longer := encode(n, &verifreg.ExtendClaimTermsParams{Terms: []verifreg.ClaimTerm{{
		Provider: abi.ActorID(f.Miner), ClaimId: 1, TermMax: 600_000,
	}}})
	return []call{
		ask("DataCap of a contract", 7, "Balance", bytesOf(f.Contract)),
		ask("DataCap of its id", 7, "Balance", bytesOf(self.Bytes())),
		ask("the market's allowance", 7, "Allowance", allowance),
		do("more allowance", 7, "IncreaseAllowance", up),
		do("less allowance", 7, "DecreaseAllowance", down),
		do("DataCap that it has not", 7, "Transfer", transfer(&datacap.TransferParams{To: verifier, Amount: big.NewInt(1e18)})),
		do("DataCap in parts of a byte", 7, "Transfer", transfer(&datacap.TransferParams{To: verifier, Amount: big.NewInt(1)})),
		do("DataCap to another", 7, "Transfer", transfer(&datacap.TransferParams{To: n.id(abi.ActorID(f.Owner)), Amount: big.NewInt(1e18)})),
		ask("a claim that is not there", 6, "GetClaims", claims),
		do("a longer term of it", 6, "ExtendClaimTerms", longer),
	}
}
