package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"

	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// method is a name and the number by which it is called.
type method struct {
	Name   string `json:"name"`
	Number uint64 `json:"number"`
}

// methods has every method that our contracts call or answer to.
func methods() (list []method) {
	for _, name := range []string{
		"AuthenticateMessage", "MarketNotifyDeal", "SectorContentChanged", "Receive",
		"GetDealDataCommitment", "GetDealClient", "GetDealProvider", "GetDealLabel", "GetDealTerm", "GetDealTotalPrice",
		"GetDealClientCollateral", "GetDealProviderCollateral", "GetDealVerified", "GetDealActivation", "GetDealSector",
		"GetOwner", "IsControllingAddress", "ValidateSectorStatus", "GetNominalSectorExpiration",
		"MinerPower", "GetClaims", "ExtendClaimTerms",
		"Transfer", "Balance", "IncreaseAllowance", "DecreaseAllowance", "Allowance",
	} {
		list = append(list, method{name, uint64(builtin.MustGenerateFRCMethodNum(name))})
	}
	return list
}

// coded is what cbor-gen makes.
type coded interface {
	cbg.CBORMarshaler
	cbg.CBORUnmarshaler
}

// verdicts has bytes of each kind, whole and spoilt, and whether the Go decoder
// takes them. A text that is no UTF-8 is left out: Go refuses it, contracts do
// not look.
func verdicts(random *rand.Rand, of codec) (list []verdict, err error) {
	var whole []verdict
	add := func(kind string, m cbg.CBORMarshaler) {
		data, e := marshal(m)
		if e != nil && err == nil {
			err = e
		}
		whole = append(whole, verdict{Kind: kind, Data: data})
	}
	kept := map[string]int{"u64": 99, "i64": 99, "bool": 2, "amount": 99, "proposal": 8, "sectors": 5}
	for _, v := range of.Values {
		if kept[v.Kind] > 0 && (v.Kind != "amount" || len(v.Data) > 30) {
			kept[v.Kind]--
			whole = append(whole, verdict{Kind: v.Kind, Data: v.Data})
		}
	}
	for i := range 4 {
		c, _ := randomPiece(random)
		add("commitment", &market.GetDealDataCommitmentReturn{Data: c, Size: 128 << (i * 9)})
		add("epochs", &market.GetDealTermReturn{Start: abi.ChainEpoch(random.Int64()), Duration: -1})
		owner := miner.GetOwnerReturn{Owner: randomAddress(random, 0)}
		if i > 1 {
			proposed := randomAddress(random, i)
			owner.Proposed = &proposed
		}
		add("owner", &owner)
	}
	if err != nil {
		return nil, err
	}
	for _, w := range whole {
		spoilt := [][]byte{w.Data, append(bytes.Clone(w.Data), 0)}
		for cut := 1; cut < len(w.Data); cut += 1 + len(w.Data)/6 {
			spoilt = append(spoilt, w.Data[:cut])
		}
		for range 6 {
			spoilt = append(spoilt, mutate(random, w.Data))
		}
		for _, data := range spoilt {
			accepted, e := judge(w.Kind, data)
			if e == nil {
				list = append(list, verdict{w.Kind, data, accepted})
			}
		}
	}
	return list, nil
}

// judge says whether bytes are the one canonical form of a value of the kind
// that contracts take. It fails where the two languages are known to differ.
func judge(kind string, data []byte) (accepted bool, err error) {
	into, check := target(kind)
	r := bytes.NewReader(data)
	if err := into.UnmarshalCBOR(r); err != nil {
		if bytes.Contains([]byte(err.Error()), []byte("utf8")) {
			return false, err
		}
		return false, nil
	}
	again, err := marshal(into)
	if err != nil {
		return false, nil // read, and yet not a value that may be written
	}
	return r.Len() == 0 && bytes.Equal(again, data) && check(), nil
}

// target is a place for a value of the kind, and what contracts ask of it
// beyond its form.
func target(kind string) (coded, func() bool) {
	anything := func() bool { return true }
	switch kind {
	case "u64":
		return new(anyUint), anything
	case "i64":
		return new(cbg.CborInt), anything
	case "bool":
		return new(cbg.CborBool), anything
	case "amount":
		n := new(stbig.Int)
		return n, func() bool { return isAmount(*n) }
	case "commitment":
		c := new(market.GetDealDataCommitmentReturn)
		return c, func() bool { return isPiece(c.Data) }
	case "epochs":
		return new(market.GetDealTermReturn), anything
	case "owner":
		o := new(miner.GetOwnerReturn)
		return o, func() bool { return o.Owner.Protocol() == address.ID }
	case "sectors":
		s := new(miner.SectorContentChangedParams)
		return s, func() bool {
			for _, sector := range *s {
				for _, piece := range sector.Added {
					if !isPiece(piece.Data) {
						return false
					}
				}
			}
			return true
		}
	case "proposal":
		p := new(market.DealProposal)
		return p, func() bool {
			return isPiece(p.PieceCID) && takes(p.Client) && takes(p.Provider) && isAmount(p.StoragePricePerEpoch) &&
				isAmount(p.ProviderCollateral) && isAmount(p.ClientCollateral)
		}
	}
	panic(fmt.Sprintf("no decoder for %q", kind))
}

func isAmount(n stbig.Int) bool { return n.Sign() >= 0 && n.BitLen() <= 256 }

// isPiece says whether a CID is a piece CID v1 of a root that there can be.
func isPiece(c cid.Cid) bool {
	root, err := commcid.CIDToDataCommitmentV1(c)
	return err == nil && root[31]&0xc0 == 0
}

// anyUint reads a bare number.
type anyUint uint64

func (n *anyUint) MarshalCBOR(w io.Writer) error {
	return cborUint(*n).MarshalCBOR(w)
}

func (n *anyUint) UnmarshalCBOR(r io.Reader) error {
	major, value, err := cbg.CborReadHeader(r)
	if err == nil && major != cbg.MajUnsignedInt {
		err = fmt.Errorf("major type %d where a number was expected", major)
	}
	*n = anyUint(value)
	return err
}

// mutate spoils bytes in one of the ways in which things go wrong: a bit, a
// byte, one too few, one too many, a longer form of a head.
func mutate(random *rand.Rand, data []byte) []byte {
	out := bytes.Clone(data)
	at := random.IntN(len(out))
	switch random.IntN(6) {
	case 0:
		out[at] ^= 1 << random.IntN(8)
	case 1:
		out[at] = byte(random.Uint32())
	case 2:
		out = append(out[:at], out[at+1:]...)
	case 3:
		out = append(out[:at], append([]byte{byte(random.Uint32())}, out[at:]...)...)
	case 4: // a head of a small number, written as one byte more
		if out[at]&31 < 24 {
			out = append(out[:at], append([]byte{out[at]&0xe0 | 24, out[at] & 31}, out[at+1:]...)...)
		}
	default:
		out[at]++
	}
	return out
}
