package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/filecoin-project/go-address"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	stbig "github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/builtin/v18/miner"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// value is a value of a kind as the ABI of its Solidity type has it, and its
// CBOR. The kinds are those of test/contracts/fvm/Harness.sol.
type value struct {
	Kind string        `json:"kind"`
	ABI  hexutil.Bytes `json:"solidity"`
	Data hexutil.Bytes `json:"data"`
}

// reply is what a SectorContentChanged of so many pieces in each sector is
// answered with when the pieces at even places are taken.
type reply struct {
	Pieces []uint64      `json:"pieces"`
	Data   hexutil.Bytes `json:"data"`
}

// filAddress is an address in Filecoin's bytes, or bytes that are none.
type filAddress struct {
	Data  hexutil.Bytes `json:"data"`
	Valid bool          `json:"valid"`
	IsID  bool          `json:"isId"`
	ID    uint64        `json:"id"`
}

// verdict is what a Go decoder makes of bytes; see verdicts.go.
type verdict struct {
	Kind     string        `json:"kind"`
	Data     hexutil.Bytes `json:"data"`
	Accepted bool          `json:"accepted"`
}

// codec is the file. Methods are the numbers that FRC-0042 gives to names.
type codec struct {
	Methods   []method     `json:"methods"`
	Values    []value      `json:"values"`
	Replies   []reply      `json:"replies"`
	Addresses []filAddress `json:"addresses"`
	Verdicts  []verdict    `json:"verdicts"`
}

func codecVectors() (any, error) {
	random := rand.New(rand.NewPCG(0x63626f72, 1))
	out := codec{Methods: methods()}
	var err error
	if out.Values, err = scalars(random); err != nil {
		return nil, err
	}
	for i := range 24 {
		p, err := makeProposal(random, i)
		if err != nil {
			return nil, fmt.Errorf("proposal %d: %w", i, err)
		}
		out.Values = append(out.Values, p)
	}
	for i := range 12 {
		changes, r, err := makeNotification(random, i)
		if err != nil {
			return nil, fmt.Errorf("notification %d: %w", i, err)
		}
		out.Values = append(out.Values, changes)
		out.Replies = append(out.Replies, r)
	}
	for i := range 6 {
		hooks, err := makeHooks(random, i)
		if err != nil {
			return nil, fmt.Errorf("hooks %d: %w", i, err)
		}
		out.Values = append(out.Values, hooks...)
	}
	out.Addresses = addresses(random)
	out.Verdicts, err = verdicts(random, out)
	return out, err
}

// edges are numbers at which the length of their CBOR changes.
var edges = []uint64{
	0, 1, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxInt64, math.MaxInt64 + 1, math.MaxUint64,
}

func scalars(random *rand.Rand) (list []value, err error) {
	add := func(kind string, of any, m cbg.CBORMarshaler) {
		v, e := newValue(kind, of, m)
		if e != nil && err == nil {
			err = e
		}
		list = append(list, v)
	}
	for _, n := range edges {
		add("u64", n, cborUint(n))
		if n <= math.MaxInt64 {
			for _, v := range []int64{int64(n), -1 - int64(n)} {
				i := cbg.CborInt(v)
				add("i64", v, &i)
			}
		}
	}
	for _, v := range []cbg.CborBool{false, true} {
		add("bool", bool(v), &v)
	}
	for bits := range 257 {
		n := new(big.Int).Lsh(big.NewInt(1), uint(bits))
		n.Sub(n, big.NewInt(int64(random.IntN(2))+1))
		if n.Sign() >= 0 {
			add("amount", n, &stbig.Int{Int: n})
		}
	}
	for _, size := range []int{0, 1, 23, 24, 255, 256, 300} {
		data := abi.CborBytes(randomBytes(random, size))
		add("bytes", []byte(data), &data)
		text := abi.CborString(hexutil.Encode(data))
		add("text", []byte(text), &text)
	}
	for range 4 {
		c, commitment := randomPiece(random)
		add("piece", commitment, cbg.CborCid(c))
	}
	return list, err
}

// cborUint is a bare number, which cbor-gen has no type for.
type cborUint uint64

func (n cborUint) MarshalCBOR(w io.Writer) error {
	return cbg.WriteMajorTypeHeader(w, cbg.MajUnsignedInt, uint64(n))
}

func makeProposal(random *rand.Rand, i int) (value, error) {
	p, fields, err := randomProposal(random, i)
	if err != nil {
		return value{}, err
	}
	return newValue("proposal", fields, &p)
}

// randomProposal gives a proposal and the same as its Solidity type.
func randomProposal(random *rand.Rand, i int) (market.DealProposal, dealProposal, error) {
	c, commitment := randomPiece(random)
	raw := []byte(fmt.Sprintf("label %d", i))
	label, err := market.NewLabelFromString(string(raw))
	if i%3 == 1 {
		raw = randomBytes(random, 1+i*10)
		label, err = market.NewLabelFromBytes(raw)
	}
	p := market.DealProposal{
		PieceCID:             c,
		PieceSize:            128 << (i % 30),
		VerifiedDeal:         i%2 == 0,
		Client:               randomAddress(random, i),
		Provider:             randomAddress(random, i/5),
		Label:                label,
		StartEpoch:           abi.ChainEpoch(random.Uint64N(1 << (1 + 2*i))),
		EndEpoch:             abi.ChainEpoch(random.Int64() >> (2 * i)),
		StoragePricePerEpoch: randomAmount(random, 11*i),
		ProviderCollateral:   randomAmount(random, 256-11*i),
		ClientCollateral:     randomAmount(random, i%2*90),
	}
	if i%7 == 3 {
		p.StartEpoch = -p.StartEpoch
	}
	return p, dealProposal{
		Commitment: commitment, PieceSize: uint64(p.PieceSize), Verified: p.VerifiedDeal,
		Client: p.Client.Bytes(), Provider: p.Provider.Bytes(), Label: raw, LabelIsText: i%3 != 1,
		StartEpoch: int64(p.StartEpoch), EndEpoch: int64(p.EndEpoch), PricePerEpoch: p.StoragePricePerEpoch.Int,
		ProviderCollateral: p.ProviderCollateral.Int, ClientCollateral: p.ClientCollateral.Int,
	}, err
}

func makeNotification(random *rand.Rand, sectors int) (value, reply, error) {
	var params miner.SectorContentChangedParams
	fields := []sectorChange{}
	answer := reply{Pieces: []uint64{}, Data: cbg.CborEncodeMajorType(cbg.MajArray, uint64(sectors))}
	for s := range sectors {
		pieces := random.IntN(5)
		if s == 3 {
			pieces = 30
		}
		changes := miner.SectorChanges{
			Sector:                 abi.SectorNumber(edges[random.IntN(len(edges))]),
			MinimumCommitmentEpoch: abi.ChainEpoch(random.Int64() >> random.IntN(60)),
		}
		field := sectorChange{Sector: uint64(changes.Sector), MinimumCommitmentEpoch: int64(changes.MinimumCommitmentEpoch)}
		answer.Pieces = append(answer.Pieces, uint64(pieces))
		answer.Data = append(answer.Data, cbg.CborEncodeMajorType(cbg.MajArray, uint64(pieces))...)
		for i := range pieces {
			c, commitment := randomPiece(random)
			piece := miner.PieceChange{
				Data: c, Size: 128 << random.IntN(29), Payload: randomBytes(random, random.IntN(40)),
			}
			changes.Added = append(changes.Added, piece)
			field.Added = append(field.Added, pieceChange{commitment, uint64(piece.Size), piece.Payload})
			accepted := cbg.CborBoolFalse
			if i%2 == 0 {
				accepted = cbg.CborBoolTrue
			}
			answer.Data = append(answer.Data, accepted...)
		}
		params = append(params, changes)
		fields = append(fields, field)
	}
	v, err := newValue("sectors", fields, &params)
	return v, answer, err
}

// makeHooks has what f05 and f07 send to contracts. go-state-types has no types for
// it, since no client of a node ever writes it.
func makeHooks(random *rand.Rand, i int) ([]value, error) {
	p, fields, err := randomProposal(random, i)
	if err != nil {
		return nil, err
	}
	message, err := marshal(&p)
	if err != nil {
		return nil, err
	}
	signature, id := randomBytes(random, 1+i*20), edges[random.IntN(len(edges))]
	authenticate := slices.Concat([]byte{0x82}, cborBytes(signature), cborBytes(message))
	notify := slices.Concat([]byte{0x82}, cborBytes(message), cbg.CborEncodeMajorType(cbg.MajUnsignedInt, id))

	tokens := tokensReceived{
		From: 7, To: random.Uint64() >> 10, Operator: 6, Amount: randomAmount(random, 40*i).Int,
		OperatorData: randomBytes(random, 9*i), TokenData: randomBytes(random, i%2),
	}
	amount, err := marshal(&stbig.Int{Int: tokens.Amount})
	if err != nil {
		return nil, err
	}
	head := func(n uint64) []byte { return cbg.CborEncodeMajorType(cbg.MajUnsignedInt, n) }
	payload := slices.Concat([]byte{0x86}, head(tokens.From), head(tokens.To), head(tokens.Operator), amount,
		cborBytes(tokens.OperatorData), cborBytes(tokens.TokenData))
	received, err := newValue("tokens", tokens, &verifreg.UniversalReceiverParams{Type_: frc46, Payload: payload})
	if err != nil {
		return nil, err
	}
	first, err := packed("authenticate", signature, fields)
	if err != nil {
		return nil, err
	}
	second, err := packed("notify", fields, id)
	if err != nil {
		return nil, err
	}
	return []value{{"authenticate", first, authenticate}, {"notify", second, notify}, received}, nil
}

// frc46 is the type of token that DataCap is (FRC-0046).
const frc46 = 0x85223bdf

func cborBytes(data []byte) []byte {
	return append(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(data))), data...)
}

func addresses(random *rand.Rand) (list []filAddress) {
	for i := range 30 {
		list = append(list, judgeAddress(randomAddress(random, i).Bytes()))
	}
	for _, n := range edges {
		list = append(list, judgeAddress(append([]byte{0}, binary.AppendUvarint(nil, n)...)))
	}
	for i := range 60 {
		list = append(list, judgeAddress(mutate(random, randomAddress(random, i).Bytes())))
	}
	list = append(list, judgeAddress(nil), judgeAddress([]byte{0}), judgeAddress([]byte{0, 0x80, 0}))
	return list
}

func judgeAddress(data []byte) filAddress {
	a, err := address.NewFromBytes(data)
	out := filAddress{Data: data, Valid: err == nil && takes(a)}
	if id, err := address.IDFromAddress(a); out.Valid && err == nil {
		out.IsID, out.ID = true, id
	}
	return out
}

// takes says which of the addresses that Go reads our contracts take: namespaces
// of f4 of two bytes and more are used by nobody.
func takes(a address.Address) bool {
	raw := a.Bytes()
	return len(raw) > 1 && (raw[0] != address.Delegated || raw[1] < 0x80)
}

func marshal(m cbg.CBORMarshaler) ([]byte, error) {
	var b bytes.Buffer
	err := m.MarshalCBOR(&b)
	return b.Bytes(), err
}

func randomBytes(random *rand.Rand, size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	return data
}

func randomPiece(random *rand.Rand) (cid.Cid, [32]byte) {
	node := commitment(random)
	c, err := commcid.DataCommitmentV1ToCID(node[:])
	if err != nil {
		panic(err) // a commitment has the one length that it takes
	}
	return c, node
}

func randomAmount(random *rand.Rand, bits int) abi.TokenAmount {
	n := new(big.Int).SetBytes(randomBytes(random, 32))
	return stbig.Int{Int: n.Rsh(n, uint(256-min(bits, 256)))}
}

// randomAddress is of the kind i modulo 5.
func randomAddress(random *rand.Rand, i int) (a address.Address) {
	var err error
	switch i % 5 {
	case 0:
		a, err = address.NewIDAddress(random.Uint64() >> (1 + random.IntN(63)))
	case 1:
		a, err = address.NewSecp256k1Address(randomBytes(random, 65))
	case 2:
		a, err = address.NewActorAddress(randomBytes(random, 20))
	case 3:
		a, err = address.NewBLSAddress(randomBytes(random, 48))
	default:
		a, err = address.NewDelegatedAddress(10, randomBytes(random, 20))
	}
	if err != nil {
		panic(err) // all have the lengths that their kinds take
	}
	return a
}
