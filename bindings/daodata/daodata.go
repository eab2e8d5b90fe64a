// Package daodata encodes what a DataDAO takes as bytes with a proposal: IDataDAO says
// what each action wants, and none of it is in the ABI. It sends nothing and checks
// nothing; the DAO does.
//
// Map: daodata.go is all of it.
package daodata

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

var (
	addArgs    = arguments(tuple("", "origins", "string[]", "expiry", "uint40", "store", "bytes"))
	storeArgs  = arguments(storeTuple())
	renewArgs  = arguments(plain("uint96"), plain("uint32")) // amount, end epoch
	bountyArgs = arguments(plain("uint80"), plain("uint32")) // base bounty, ramp
)

// Add is what adding a CID may come with. Fields may be empty.
type Add struct {
	Origins []string
	Expiry  *big.Int // unix seconds
	Store   []byte   // of a Store
}

// Store is how a CID is stored, and with how many attoFIL of the treasury.
type Store struct {
	Amount *big.Int
	Terms  perpetualstorage.DealTerms
}

// Pack encodes it.
func (a Add) Pack() ([]byte, error) {
	if a.Origins == nil {
		a.Origins = []string{}
	}
	if a.Store == nil {
		a.Store = []byte{}
	}
	if a.Expiry == nil {
		a.Expiry = new(big.Int)
	}
	return pack(addArgs, a)
}

// Pack encodes it.
func (s Store) Pack() ([]byte, error) { return pack(storeArgs, s) }

// UnpackAdd is the contrary of Add.Pack.
func UnpackAdd(data []byte) (Add, error) {
	v, err := unpack(addArgs, data)
	if err != nil {
		return Add{}, err
	}
	return *abi.ConvertType(v[0], new(Add)).(*Add), nil
}

// UnpackStore is the contrary of Store.Pack.
func UnpackStore(data []byte) (Store, error) {
	v, err := unpack(storeArgs, data)
	if err != nil {
		return Store{}, err
	}
	return *abi.ConvertType(v[0], new(Store)).(*Store), nil
}

// PackRenewStorage encodes what is added to a deal, in attoFIL, and its end epoch, 0 for none.
func PackRenewStorage(amount *big.Int, endEpoch uint32) ([]byte, error) {
	return pack(renewArgs, amount, endEpoch)
}

// UnpackRenewStorage is the contrary of PackRenewStorage.
func UnpackRenewStorage(data []byte) (amount *big.Int, endEpoch uint32, err error) {
	v, err := unpack(renewArgs, data)
	if err != nil {
		return nil, 0, err
	}
	amount, ok := v[0].(*big.Int)
	endEpoch, too := v[1].(uint32)
	if !ok || !too {
		return nil, 0, errors.New("decoding details: not an amount and an epoch")
	}
	return amount, endEpoch, nil
}

// PackChangeBounty encodes a base bounty, in attoFIL, and the epochs to the highest one.
func PackChangeBounty(bounty *big.Int, ramp uint32) ([]byte, error) {
	return pack(bountyArgs, bounty, ramp)
}

func plain(kind string) abi.ArgumentMarshaling { return abi.ArgumentMarshaling{Type: kind} }

// tuple takes names and types in turn.
func tuple(name string, fields ...string) abi.ArgumentMarshaling {
	t := abi.ArgumentMarshaling{Name: name, Type: "tuple"}
	for i := 0; i < len(fields); i += 2 {
		t.Components = append(t.Components, abi.ArgumentMarshaling{Name: fields[i], Type: fields[i+1]})
	}
	return t
}

func storeTuple() abi.ArgumentMarshaling {
	t := tuple("", "amount", "uint96")
	t.Components = append(t.Components, tuple("terms", "replicas", "uint8", "verified", "bool", "term", "uint32", "sealWindow", "uint32",
		"renewWindow", "uint32", "ramp", "uint32", "endEpoch", "uint32", "baseBounty", "uint80", "maxBounty", "uint80", "rate", "uint64",
		"bondFloor", "uint80", "minCollateral", "uint80", "endpoint", "string"))
	return t
}

func arguments(of ...abi.ArgumentMarshaling) abi.Arguments {
	var out abi.Arguments
	for _, a := range of {
		t, err := abi.NewType(a.Type, "", a.Components)
		if err != nil {
			panic(err) // the types are above
		}
		out = append(out, abi.Argument{Type: t})
	}
	return out
}

func pack(what abi.Arguments, values ...any) ([]byte, error) {
	raw, err := what.Pack(values...)
	if err != nil {
		return nil, fmt.Errorf("encoding details: %w", err)
	}
	return raw, nil
}

func unpack(what abi.Arguments, data []byte) ([]any, error) {
	v, err := what.Unpack(data)
	if err != nil {
		return nil, fmt.Errorf("decoding details: %w", err)
	}
	return v, nil
}
