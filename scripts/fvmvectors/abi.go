package main

import (
	"fmt"
	"math/big"

	ethabi "github.com/ethereum/go-ethereum/accounts/abi"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// dealProposal and those below are the structs of contracts/fvm/Hooks.sol, field
// by field.
type dealProposal struct {
	Commitment         [32]byte
	PieceSize          uint64
	Verified           bool
	Client             []byte
	Provider           []byte
	Label              []byte
	LabelIsText        bool
	StartEpoch         int64
	EndEpoch           int64
	PricePerEpoch      *big.Int
	ProviderCollateral *big.Int
	ClientCollateral   *big.Int
}

type pieceChange struct {
	Commitment [32]byte
	Size       uint64
	Payload    []byte
}

type sectorChange struct {
	Sector                 uint64
	MinimumCommitmentEpoch int64
	Added                  []pieceChange
}

type tokensReceived struct {
	From         uint64
	To           uint64
	Operator     uint64
	Amount       *big.Int
	OperatorData []byte
	TokenData    []byte
}

var proposalType = ethabi.ArgumentMarshaling{Type: "tuple", Components: []ethabi.ArgumentMarshaling{
	{Name: "commitment", Type: "bytes32"}, {Name: "pieceSize", Type: "uint64"}, {Name: "verified", Type: "bool"},
	{Name: "client", Type: "bytes"}, {Name: "provider", Type: "bytes"}, {Name: "label", Type: "bytes"},
	{Name: "labelIsText", Type: "bool"}, {Name: "startEpoch", Type: "int64"}, {Name: "endEpoch", Type: "int64"},
	{Name: "pricePerEpoch", Type: "uint256"}, {Name: "providerCollateral", Type: "uint256"},
	{Name: "clientCollateral", Type: "uint256"},
}}

// solidityTypes are the types that the kinds have in Solidity.
var solidityTypes = map[string][]ethabi.ArgumentMarshaling{
	"u64":          {{Type: "uint64"}},
	"i64":          {{Type: "int64"}},
	"bool":         {{Type: "bool"}},
	"amount":       {{Type: "uint256"}},
	"bytes":        {{Type: "bytes"}},
	"text":         {{Type: "bytes"}},
	"piece":        {{Type: "bytes32"}},
	"proposal":     {proposalType},
	"authenticate": {{Type: "bytes"}, proposalType},
	"notify":       {proposalType, {Type: "uint64"}},
	"sectors": {{Type: "tuple[]", Components: []ethabi.ArgumentMarshaling{
		{Name: "sector", Type: "uint64"}, {Name: "minimumCommitmentEpoch", Type: "int64"},
		{Name: "added", Type: "tuple[]", Components: []ethabi.ArgumentMarshaling{
			{Name: "commitment", Type: "bytes32"}, {Name: "size", Type: "uint64"}, {Name: "payload", Type: "bytes"},
		}},
	}}},
	"tokens": {{Type: "tuple", Components: []ethabi.ArgumentMarshaling{
		{Name: "from", Type: "uint64"}, {Name: "to", Type: "uint64"}, {Name: "operator", Type: "uint64"},
		{Name: "amount", Type: "uint256"}, {Name: "operatorData", Type: "bytes"}, {Name: "tokenData", Type: "bytes"},
	}}},
}

// packed is abi.encode of what a kind consists of.
func packed(kind string, of ...any) ([]byte, error) {
	var arguments ethabi.Arguments
	for _, m := range solidityTypes[kind] {
		t, err := ethabi.NewType(m.Type, "", m.Components)
		if err != nil {
			return nil, fmt.Errorf("type of %s: %w", kind, err)
		}
		arguments = append(arguments, ethabi.Argument{Type: t})
	}
	data, err := arguments.Pack(of...)
	if err != nil {
		return nil, fmt.Errorf("packing %s: %w", kind, err)
	}
	return data, nil
}

func newValue(kind string, of any, m cbg.CBORMarshaler) (v value, err error) {
	v.Kind = kind
	if v.ABI, err = packed(kind, of); err != nil {
		return v, err
	}
	if v.Data, err = marshal(m); err != nil {
		return v, fmt.Errorf("CBOR of %s: %w", kind, err)
	}
	return v, nil
}
