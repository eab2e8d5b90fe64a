package market

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	filbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	multisig "github.com/filecoin-project/go-state-types/builtin/v18/multisig"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// InvokeEVM is the method by which an actor calls a contract: FRC-42 of its name.
const InvokeEVM abi.MethodNum = 3844450837

// namespaceEVM is the actor (f010) that addresses 0x… as f410….
const namespaceEVM = 10

// Call is a call of a contract.
type Call struct {
	To    common.Address
	Value *big.Int // attoFIL; nil for none
	Data  []byte   // calldata
}

// Message is the call as a Filecoin message from an address: InvokeEVM with the calldata
// as a CBOR byte string. Gas and nonce are not set.
func (c Call) Message(from address.Address) (*types.Message, error) {
	to, err := FromEth(c.To)
	if err != nil {
		return nil, err
	}
	params, err := wrap(c.Data)
	if err != nil {
		return nil, err
	}
	return &types.Message{
		From: from, To: to, Value: amount(c.Value), Method: InvokeEVM, Params: params,
		GasFeeCap: filbig.Zero(), GasPremium: filbig.Zero(),
	}, nil
}

// Proposal is a call to be proposed to a multisig by one of its signers.
type Proposal struct {
	Multisig address.Address
	To       address.Address // the contract, f410…
	Value    *big.Int
	Method   abi.MethodNum
	Params   []byte // of the call: the calldata as a CBOR byte string
	Propose  []byte // of the multisig's Propose (method 2), which has all of the above
}

// Propose makes the proposal of a call.
func (c Call) Propose(msig address.Address) (Proposal, error) {
	m, err := c.Message(msig)
	if err != nil {
		return Proposal{}, err
	}
	var out bytes.Buffer
	params := multisig.ProposeParams{To: m.To, Value: m.Value, Method: m.Method, Params: m.Params}
	if err := params.MarshalCBOR(&out); err != nil {
		return Proposal{}, fmt.Errorf("encoding the proposal: %w", err)
	}
	return Proposal{Multisig: msig, To: m.To, Value: m.Value.Int, Method: m.Method, Params: m.Params, Propose: out.Bytes()}, nil
}

// MethodPropose is the multisig's method that takes Proposal.Propose.
const MethodPropose = uint64(2)

func wrap(data []byte) ([]byte, error) {
	var out bytes.Buffer
	if err := cbg.WriteByteArray(&out, data); err != nil {
		return nil, fmt.Errorf("wrapping the calldata: %w", err)
	}
	return out.Bytes(), nil
}

func amount(n *big.Int) filbig.Int {
	if n == nil {
		return filbig.Zero()
	}
	return filbig.Int{Int: new(big.Int).Set(n)}
}

// SlotPayload is what the notification of a sector's piece carries to the StorageGate:
// the slot's id as a CBOR number.
func SlotPayload(slot uint64) []byte {
	return cbg.CborEncodeMajorType(cbg.MajUnsignedInt, slot)
}

// ---- addresses ----

// ErrAddress is returned for text that is no address which can be used here.
var ErrAddress = errors.New("not an address")

// Parse reads an address of Filecoin, of either network, or of Ethereum.
func Parse(text string) (address.Address, error) {
	if common.IsHexAddress(text) && strings.HasPrefix(text, "0x") {
		return FromEth(common.HexToAddress(text))
	}
	a, err := address.NewFromString(text)
	if err != nil || a.Empty() {
		return address.Undef, fmt.Errorf("%q: %w: give f0…, f1…, f2…, f3…, f410… or 0x…", text, ErrAddress)
	}
	return a, nil
}

// Text spells an address as mainnet does; nodes of every network read it.
func Text(a address.Address) string {
	if a.Empty() {
		return ""
	}
	return "f" + a.String()[1:]
}

// FromEth is an Ethereum address as Filecoin's: the id of one that masks an id, else f410….
func FromEth(a common.Address) (address.Address, error) {
	if id, ok := unmask(a); ok {
		return address.NewIDAddress(id)
	}
	return address.NewDelegatedAddress(namespaceEVM, a[:])
}

// Masked is how contracts see an actor that has no Ethereum address.
func Masked(id uint64) common.Address {
	a := common.Address{0: 0xff}
	binary.BigEndian.PutUint64(a[12:], id)
	return a
}

func unmask(a common.Address) (uint64, bool) {
	id := binary.BigEndian.Uint64(a[12:])
	return id, a == Masked(id)
}

// toEth is the Ethereum address in an f410 address.
func toEth(a address.Address) (common.Address, bool) {
	sub := a.Payload()
	if a.Protocol() != address.Delegated {
		return common.Address{}, false
	}
	namespace, n := binary.Uvarint(sub)
	if n <= 0 || namespace != namespaceEVM || len(sub) != n+common.AddressLength {
		return common.Address{}, false
	}
	return common.BytesToAddress(sub[n:]), true
}

// methodGenerateSectorLocation is the miner's FIP-0112 method.
var methodGenerateSectorLocation = builtin.MustGenerateFRCMethodNum("GenerateSectorLocation")
