package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// What Solidity wrote (test_WritesWhatGoReads in Codec.t.sol) is read by the Go
// decoders as the same values, and written by them as the same bytes.
func TestGoReadsWhatSolidityWrote(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join("../..", vectorsDir, "solidity.json"))
	if err != nil {
		t.Fatal(err)
	}
	var rows []value
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for i, row := range rows {
		seen[row.Kind]++
		of, again := read(t, row)
		got, err := packed(row.Kind, of)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, row.ABI) {
			t.Errorf("row %d: %s %s is read as %x, Solidity wrote %s", i, row.Kind, row.Data, got, row.ABI)
		}
		if !bytes.Equal(again, row.Data) {
			t.Errorf("row %d: %s %s is written as %x", i, row.Kind, row.Data, again)
		}
	}
	for _, kind := range []string{"u64", "i64", "amount", "bytes", "text", "piece", "proposal"} {
		if seen[kind] < 10 {
			t.Errorf("%d rows of %s", seen[kind], kind)
		}
	}
}

// read gives a value as its Solidity type, and its CBOR as Go writes it.
func read(t *testing.T, row value) (of any, again []byte) {
	t.Helper()
	into := map[string]coded{
		"u64": new(anyUint), "i64": new(cbg.CborInt), "amount": new(stbig.Int), "bytes": new(abi.CborBytes),
		"text": new(abi.CborString), "piece": new(cbg.CborCid), "proposal": new(market.DealProposal),
	}[row.Kind]
	r := bytes.NewReader(row.Data)
	if err := into.UnmarshalCBOR(r); err != nil {
		t.Fatalf("%s %s: %v", row.Kind, row.Data, err)
	}
	if r.Len() != 0 {
		t.Errorf("%s %s: %d bytes too many", row.Kind, row.Data, r.Len())
	}
	again, err := marshal(into)
	if err != nil {
		t.Fatal(err)
	}
	switch v := into.(type) {
	case *anyUint:
		return uint64(*v), again
	case *cbg.CborInt:
		return int64(*v), again
	case *stbig.Int:
		return v.Int, again
	case *abi.CborBytes:
		return []byte(*v), again
	case *abi.CborString:
		return []byte(*v), again
	case *cbg.CborCid:
		root, err := commcid.CIDToDataCommitmentV1(cid.Cid(*v))
		if err != nil {
			t.Fatal(err)
		}
		return [32]byte(root), again
	case *market.DealProposal:
		return fieldsOf(t, *v), again
	}
	t.Fatalf("no kind %q", row.Kind)
	return nil, nil
}

func fieldsOf(t *testing.T, p market.DealProposal) dealProposal {
	t.Helper()
	root, err := commcid.CIDToDataCommitmentV1(p.PieceCID)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []address.Address{p.Client, p.Provider} {
		if !takes(a) {
			t.Errorf("address %x", a.Bytes())
		}
	}
	label, err := p.Label.ToBytes()
	if p.Label.IsString() {
		var text string
		text, err = p.Label.ToString()
		label = []byte(text)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dealProposal{
		Commitment: [32]byte(root), PieceSize: uint64(p.PieceSize), Verified: p.VerifiedDeal,
		Client: p.Client.Bytes(), Provider: p.Provider.Bytes(), Label: label, LabelIsText: p.Label.IsString(),
		StartEpoch: int64(p.StartEpoch), EndEpoch: int64(p.EndEpoch), PricePerEpoch: p.StoragePricePerEpoch.Int,
		ProviderCollateral: p.ProviderCollateral.Int, ClientCollateral: p.ClientCollateral.Int,
	}
}

// The type of token of a hook is FRC-0042's number of its standard's name.
func TestTypeOfToken(t *testing.T) {
	if got := builtin.MustGenerateFRCMethodNum("FRC46"); got != frc46 {
		t.Errorf("FRC46 is %d, not %d", got, frc46)
	}
}
