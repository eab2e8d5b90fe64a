package mk12

import (
	"bytes"
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// MaxLabel is the most bytes of a label (builtin-actors, market policy).
const MaxLabel = 256

// DealProposal is a deal of the storage market actor, f05: epochs and attoFIL.
// As CBOR a tuple of 11 (builtin-actors, actors/market/src/deal.rs).
type DealProposal struct {
	PieceCID     cid.Cid // v1
	PaddedSize   uint64
	Verified     bool
	Client       address.Address
	Provider     address.Address
	Label        []byte
	LabelIsBytes bool // rather than text
	Start        int64
	End          int64

	PricePerEpoch      big.Int
	ProviderCollateral big.Int
	ClientCollateral   big.Int
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (p *DealProposal) MarshalCBOR(w io.Writer) error {
	cw := cbg.NewCborWriter(w)
	if len(p.Label) > MaxLabel {
		return fmt.Errorf("a label of %d bytes, at most %d", len(p.Label), MaxLabel)
	}
	label := text(string(p.Label))
	if p.LabelIsBytes {
		label = octets(p.Label)
	}
	if err := cw.WriteMajorTypeHeader(cbg.MajArray, 11); err != nil {
		return err
	}
	for i, write := range []func(*cbg.CborWriter) error{
		link(p.PieceCID), unsigned(p.PaddedSize), boolean(p.Verified), nested(&p.Client), nested(&p.Provider), label,
		epoch(p.Start), epoch(p.End), nested(&p.PricePerEpoch), nested(&p.ProviderCollateral), nested(&p.ClientCollateral),
	} {
		if err := write(cw); err != nil {
			return fmt.Errorf("element %d of the proposal: %w", i, err)
		}
	}
	return nil
}

func epoch(e int64) func(*cbg.CborWriter) error {
	if e < 0 {
		return func(w *cbg.CborWriter) error { return w.WriteMajorTypeHeader(cbg.MajNegativeInt, uint64(-e-1)) }
	}
	return unsigned(uint64(e))
}

// ParseDealProposal reads the CBOR of one proposal, and nothing behind it.
func ParseDealProposal(b []byte) (DealProposal, error) {
	var p DealProposal
	r := bytes.NewReader(b)
	if err := p.UnmarshalCBOR(r); err != nil {
		return DealProposal{}, fmt.Errorf("reading a deal proposal: %w", err)
	}
	if r.Len() > 0 {
		return DealProposal{}, fmt.Errorf("reading a deal proposal: %w: %d bytes follow it", errMalformed, r.Len())
	}
	return p, nil
}

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (p *DealProposal) UnmarshalCBOR(from io.Reader) (err error) {
	*p = DealProposal{}
	r := cbg.NewCborReader(from)
	n, err := header(r, cbg.MajArray)
	if err != nil {
		return err
	}
	if n != 11 {
		return fmt.Errorf("%w: a tuple of %d, not of 11", errMalformed, n)
	}
	for i, read := range []func() error{
		func() error { p.PieceCID, err = cbg.ReadCid(r); return err },
		func() error { p.PaddedSize, err = header(r, cbg.MajUnsignedInt); return err },
		func() error { p.Verified, err = readBool(r); return err },
		func() error { p.Client, err = readAddress(r); return err },
		func() error { p.Provider, err = readAddress(r); return err },
		func() error { return p.readLabel(r) },
		func() error { p.Start, err = readEpoch(r); return err },
		func() error { p.End, err = readEpoch(r); return err },
		func() error { return p.PricePerEpoch.UnmarshalCBOR(r) },
		func() error { return p.ProviderCollateral.UnmarshalCBOR(r) },
		func() error { return p.ClientCollateral.UnmarshalCBOR(r) },
	} {
		if err := read(); err != nil {
			return fmt.Errorf("element %d of the proposal: %w", i, noEOF(err))
		}
	}
	return nil
}

func readAddress(r *cbg.CborReader) (address.Address, error) {
	b, err := readBytes(r, address.MaxAddressStringLength)
	if err != nil {
		return address.Undef, err
	}
	return address.NewFromBytes(b)
}

func (p *DealProposal) readLabel(r *cbg.CborReader) error {
	maj, n, err := r.ReadHeader()
	if err != nil {
		return err
	}
	if maj != cbg.MajTextString && maj != cbg.MajByteString {
		return fmt.Errorf("%w: a label of major type %d", errMalformed, maj)
	}
	p.LabelIsBytes = maj == cbg.MajByteString
	p.Label, err = take(r, n, MaxLabel)
	return err
}

// Signature is a Filecoin signature: its type's byte, then its data.
type Signature []byte

// MarshalCBOR implements cbg.CBORMarshaler.
func (s Signature) MarshalCBOR(w io.Writer) error { return octets(s)(cbg.NewCborWriter(w)) }

// contractSignature is what goes where a wallet would have signed: the market asks
// the client, which is a contract, and the contract looks at the proposal alone.
// Boost sends the same (boost, storagemarket/contract_deal_monitor.go).
var contractSignature = Signature{2, 0xde, 0xad} // 2: BLS
