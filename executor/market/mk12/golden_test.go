package mk12

import (
	"bytes"
	"encoding/json"
	"io"
	"sort"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin/v9/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// The golden bytes are made of go-state-types' own ClientDealProposal (v0.19.0-rc1,
// builtin/v9/market), inside maps as curio, market/mk12/types_cbor_gen.go (commit
// 113d9533) writes them: `cbor-gen-for --map-encoding`, whose keys are sorted by
// length, then by the alphabet. Boost's storagemarket/types/types_cbor_gen.go
// (v2.5.2) writes the same.

var (
	testUUID  = uuid.MustParse("6f9619ff-8b86-d011-b42d-00c04fc964ff")
	testPiece = cid.MustParse("baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq")
	testRoot  = cid.MustParse("bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi")
)

func theirProposal(t *testing.T) market.ClientDealProposal {
	t.Helper()
	label, err := market.NewLabelFromString("16777216/ipfs/" + testRoot.String())
	if err != nil {
		t.Fatal(err)
	}
	return market.ClientDealProposal{
		Proposal: market.DealProposal{
			PieceCID: testPiece, PieceSize: 1 << 35, VerifiedDeal: true, Client: delegated(t), Provider: id(t, 1004), Label: label,
			StartEpoch: 1_000_000, EndEpoch: 1_518_400, StoragePricePerEpoch: big.Zero(),
			ProviderCollateral: big.MustFromString("123456789012345678901234567890"), ClientCollateral: big.Zero(),
		},
		ClientSignature: crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{0xde, 0xad}},
	}
}

func ourProposal(t *testing.T) DealProposal {
	p := theirProposal(t).Proposal
	return DealProposal{
		PieceCID: p.PieceCID, PaddedSize: uint64(p.PieceSize), Verified: p.VerifiedDeal, Client: p.Client, Provider: p.Provider,
		Label: []byte("16777216/ipfs/" + testRoot.String()), Start: int64(p.StartEpoch), End: int64(p.EndEpoch),
		PricePerEpoch: p.StoragePricePerEpoch, ProviderCollateral: p.ProviderCollateral, ClientCollateral: p.ClientCollateral,
	}
}

func id(t *testing.T, n uint64) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func delegated(t *testing.T) address.Address {
	t.Helper()
	a, err := address.NewDelegatedAddress(10, bytes.Repeat([]byte{7}, 20))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func marshalled(t *testing.T, m interface{ MarshalCBOR(io.Writer) error }) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := m.MarshalCBOR(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// golden writes a map as cbor-gen does, of values that are CBOR already.
func golden(t *testing.T, m map[string][]byte) []byte {
	t.Helper()
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	sort.Slice(keys, func(i, j int) bool {
		return len(keys[i]) < len(keys[j]) || len(keys[i]) == len(keys[j]) && keys[i] < keys[j]
	})
	b := cbg.CborEncodeMajorType(cbg.MajMap, uint64(len(keys)))
	for _, k := range keys {
		b = append(append(append(b, cbg.CborEncodeMajorType(cbg.MajTextString, uint64(len(k)))...), k...), m[k]...)
	}
	return b
}

func str(s string) []byte {
	return append(cbg.CborEncodeMajorType(cbg.MajTextString, uint64(len(s))), s...)
}
func byt(b []byte) []byte {
	return append(cbg.CborEncodeMajorType(cbg.MajByteString, uint64(len(b))), b...)
}
func num(n uint64) []byte { return cbg.CborEncodeMajorType(cbg.MajUnsignedInt, n) }

func lnk(t *testing.T, c cid.Cid) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := cbg.WriteCid(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestProposalIsThatOfStateTypes(t *testing.T) {
	ours, theirs := ourProposal(t), theirProposal(t).Proposal
	want := marshalled(t, &theirs)
	if got := marshalled(t, &ours); !bytes.Equal(got, want) {
		t.Fatalf("got  %x\nwant %x", got, want)
	}
	back, err := ParseDealProposal(want)
	if err != nil || !bytes.Equal(marshalled(t, &back), want) {
		t.Fatalf("read back as %+v, %v", back, err)
	}
	label, err := market.NewLabelFromBytes([]byte{0, 1, 0xff})
	if err != nil {
		t.Fatal(err)
	}
	theirs.Label, theirs.StartEpoch = label, abi.ChainEpoch(-1)
	ours.Label, ours.LabelIsBytes, ours.Start = []byte{0, 1, 0xff}, true, -1
	want = marshalled(t, &theirs)
	if got := marshalled(t, &ours); !bytes.Equal(got, want) {
		t.Fatalf("with a label of bytes: got %x, want %x", got, want)
	}
	if back, err = ParseDealProposal(want); err != nil || back.Start != -1 || !back.LabelIsBytes {
		t.Fatalf("with a label of bytes: read back as %+v, %v", back, err)
	}
	if _, err := ParseDealProposal(append(want, 0)); err == nil {
		t.Fatal("a byte too much was not seen")
	}
}

func TestParamsAreThoseOfCurio(t *testing.T) {
	signed := theirProposal(t)
	params, err := json.Marshal(struct {
		URL     string
		Headers map[string]string
	}{"https://tide.example/piece/x", map[string]string{"Authorization": "Bearer y"}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{
		"DealUUID": byt(testUUID[:]), "IsOffline": cbg.CborBoolFalse, "ClientDealProposal": marshalled(t, &signed), "DealDataRoot": lnk(t, testRoot),
		"Transfer":           golden(t, map[string][]byte{"Type": str("http"), "ClientID": str(""), "Params": byt(params), "Size": num(77)}),
		"RemoveUnsealedCopy": cbg.CborBoolFalse, "SkipIPNIAnnounce": cbg.CborBoolTrue,
	}
	ours := DealParams{
		UUID: testUUID, Proposal: ourProposal(t), Root: testRoot, SkipAnnounce: true,
		Transfer: Transfer{URL: "https://tide.example/piece/x", Headers: map[string]string{"Authorization": "Bearer y"}, Size: 77},
	}
	got, err := ours.encode(true)
	if err != nil || !bytes.Equal(got, golden(t, want)) {
		t.Fatalf("1.2.1: %v\ngot  %x\nwant %x", err, got, golden(t, want))
	}
	delete(want, "RemoveUnsealedCopy")
	delete(want, "SkipIPNIAnnounce")
	if got, err = ours.encode(false); err != nil || !bytes.Equal(got, golden(t, want)) {
		t.Fatalf("1.2.0: %v\ngot  %x\nwant %x", err, got, golden(t, want))
	}
}

func TestStatusRequestIsThatOfCurio(t *testing.T) {
	sig := crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: bytes.Repeat([]byte{9}, 65)}
	want := golden(t, map[string][]byte{"DealUUID": byt(testUUID[:]), "Signature": marshalled(t, &sig)})
	q := DealStatusRequest{UUID: testUUID, Signature: append(Signature{byte(sig.Type)}, sig.Data...)}
	if got, err := q.encode(); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%v: got %x, want %x", err, got, want)
	}
	dead := crypto.Signature{Type: crypto.SigTypeBLS, Data: []byte{0xde, 0xad}} // what a contract's proposal carries
	want = golden(t, map[string][]byte{"DealUUID": byt(testUUID[:]), "Signature": marshalled(t, &dead)})
	if got, err := (&DealStatusRequest{UUID: testUUID}).encode(); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("of a contract's deal, %v: got %x, want %x", err, got, want)
	}
}

func statusAnswer(t *testing.T, publish []byte) []byte {
	proposal := theirProposal(t).Proposal
	return golden(t, map[string][]byte{
		"DealUUID": byt(testUUID[:]), "Error": str(""), "IsOffline": cbg.CborBoolFalse, "TransferSize": num(100), "NBytesReceived": num(40),
		"DealStatus": golden(t, map[string][]byte{
			"Error": str(""), "Status": str("Publish\x1bed"), "SealingStatus": str("PC1"), "Proposal": marshalled(t, &proposal),
			"SignedProposalCid": lnk(t, testRoot), "PublishCid": publish, "ChainDealID": num(12),
		}),
	})
}

func TestAnswersAreRead(t *testing.T) {
	var s DealStatusResponse
	if err := s.decode(bytes.NewReader(statusAnswer(t, lnk(t, testRoot)))); err != nil {
		t.Fatal(err)
	}
	if s.UUID != testUUID || s.Size != 100 || s.Received != 40 || s.Status == nil || s.Status.Status != "Publish ed" || s.Status.PublishCID != testRoot || s.Status.ChainDealID != 12 {
		t.Fatalf("read as %+v, %+v", s, s.Status)
	}
	if err := s.decode(bytes.NewReader(statusAnswer(t, cbg.CborNull))); err != nil || s.Status.PublishCID.Defined() {
		t.Fatalf("an unpublished deal: %v, %+v", err, s.Status)
	}
	none := golden(t, map[string][]byte{"DealUUID": byt(testUUID[:]), "Error": str("no such deal"), "DealStatus": cbg.CborNull, "New": golden(t, nil)})
	if err := s.decode(bytes.NewReader(none)); err != nil || s.Status != nil || s.Error != "no such deal" {
		t.Fatalf("no status: %v, %+v", err, s)
	}
	var d DealResponse
	if err := d.decode(bytes.NewReader(golden(t, map[string][]byte{"Accepted": cbg.CborBoolFalse, "Message": str("price\ntoo low")}))); err != nil || d.Accepted || d.Message != "price too low" {
		t.Fatalf("%v, %+v", err, d)
	}
	if err := d.decode(bytes.NewReader(golden(t, map[string][]byte{"Message": str("")}))); err == nil {
		t.Fatal("an answer that says neither yes nor no was taken")
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte{0xa1, 0x68, 'A', 'c', 'c', 'e', 'p', 't', 'e', 'd', 0xf5})
	f.Add([]byte{0xbf, 0xff})
	f.Add([]byte{0xa1, 0x6a, 'D', 'e', 'a', 'l', 'S', 't', 'a', 't', 'u', 's', 0xf6})
	f.Fuzz(func(t *testing.T, b []byte) {
		var d DealResponse
		_ = d.decode(bytes.NewReader(b)) // must neither panic nor take much memory
		var s DealStatusResponse
		_ = s.decode(bytes.NewReader(b))
		p, err := ParseDealProposal(b)
		if err != nil {
			return
		}
		again, err := ParseDealProposal(marshalled(t, &p))
		if err != nil || !bytes.Equal(marshalled(t, &again), marshalled(t, &p)) {
			t.Fatalf("%+v was not read back: %v", p, err)
		}
	})
}
