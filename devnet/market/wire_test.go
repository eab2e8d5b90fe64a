package market

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	"github.com/oklog/ulid/v2"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// golden reads a file of names and values; its comments name the source and version.
func golden(t testing.TB, name string) map[string]string {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(data)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			out[name] = value
		}
	}
	return out
}

const (
	someUUID  = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
	someULID  = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
	somePiece = "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq"
	someRoot  = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi"
	someF1    = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
)

// curioValues are the values of testdata/mk12.txt in our types.
func curioValues(t testing.TB) map[string]cbg.CBORMarshaler {
	t.Helper()
	id, piece, root := uuid.MustParse(someUUID), cid.MustParse(somePiece), cid.MustParse(someRoot)
	client, err := address.NewFromString(someF1)
	if err != nil {
		t.Fatal(err)
	}
	miner, _ := address.NewIDAddress(1001)
	label, err := market18.NewLabelFromString("16777216/ipfs/" + someRoot)
	if err != nil {
		t.Fatal(err)
	}
	p := market18.DealProposal{
		PieceCID: piece, PieceSize: 1 << 20, Client: client, Provider: miner, Label: label, StartEpoch: 5760, EndEpoch: 5760 + 518400,
		StoragePricePerEpoch: big.NewInt(300), ProviderCollateral: big.NewInt(1_000_000), ClientCollateral: big.Zero(),
	}
	signed := market18.ClientDealProposal{Proposal: p, ClientSignature: crypto.Signature{Type: crypto.SigTypeSecp256k1, Data: []byte{0xde, 0xad}}}
	transfer := Transfer{
		Type: "http", ClientID: "tidegate", Size: 700_000,
		Params: []byte(`{"URL":"http://127.0.0.1:4782/car/x","Headers":{"Authorization":"Bearer t"}}`),
	}
	status := DealStatus{Status: "Sealed", SealingStatus: "Sealed and Indexed", Proposal: p, SignedProposalCid: root, PublishCid: &piece, ChainDealID: 7}
	working := status
	working.PublishCid, working.Error, working.Status = nil, "transfer: cut", "Processing"
	ask := &StorageAsk{
		Price: big.NewInt(50_000_000), VerifiedPrice: big.Zero(), MinPieceSize: 256, MaxPieceSize: 512 << 20, Miner: miner, Timestamp: 10, Expiry: 10512010, SeqNo: 3,
	}
	return map[string]cbg.CBORMarshaler{
		"DealParams": &DealParams{
			DealUUID: id, ClientDealProposal: signed, DealDataRoot: root, Transfer: transfer, RemoveUnsealedCopy: true, SkipIPNIAnnounce: true,
		},
		"DealResponse":                  &DealResponse{Message: "failed validation: invalid signature"},
		"DealStatusRequest":             &StatusRequest{DealUUID: id, Signature: signed.ClientSignature},
		"DealStatusResponse.Error":      &StatusResponse{DealUUID: id, Error: "no"},
		"DealStatusResponse":            &StatusResponse{DealUUID: id, DealStatus: &status, TransferSize: 700_000, NBytesReceived: 1},
		"DealStatusResponse.Processing": &StatusResponse{DealUUID: id, DealStatus: &working, IsOffline: true},
		"AskRequest":                    &AskRequest{Miner: miner},
		"AskResponse.Null":              &AskResponse{},
		"AskResponse":                   &AskResponse{Ask: &SignedAsk{Ask: ask, Signature: &signed.ClientSignature}},
		"StorageAsk":                    ask,
		"QueryResponse": &Transports{Protocols: []Transport{
			{Name: "libp2p", Addresses: [][]byte{{4, 127, 0, 0, 1, 6, 0x12, 0x34}}}, {Name: "http"},
		}},
	}
}

// Every message of MK12 is byte for byte what curio's market/mk12/types_cbor_gen.go
// makes of it (e0294b0f), and is read from these bytes.
func TestMK12IsByteForByteCurios(t *testing.T) {
	want, ours := golden(t, "mk12.txt"), curioValues(t)
	for name, value := range ours {
		var encoded bytes.Buffer
		if err := value.MarshalCBOR(&encoded); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := hex.EncodeToString(encoded.Bytes()); got != want[name] {
			t.Errorf("%s is\n%s, Curio writes\n%s", name, got, want[name])
			continue
		}
		read, ok := value.(cbg.CBORUnmarshaler)
		if !ok {
			continue // only ever sent inside another
		}
		fresh := reflect.New(reflect.TypeOf(read).Elem()).Interface().(cbg.CBORUnmarshaler)
		if err := fresh.UnmarshalCBOR(&encoded); err != nil {
			t.Errorf("%s is not read: %v", name, err)
		}
		var again bytes.Buffer
		if err := fresh.(cbg.CBORMarshaler).MarshalCBOR(&again); err != nil || hex.EncodeToString(again.Bytes()) != want[name] {
			t.Errorf("%s, read and written again: %x, %v", name, again.Bytes(), err)
		}
	}
	if len(ours)+1 != len(want) {
		t.Errorf("%d of %d values are compared", len(ours)+1, len(want))
	}
}

// A proposal of 1.2.0 has two fields less, which are then false.
func TestProposalOfTheOlderVersion(t *testing.T) {
	raw, err := hex.DecodeString(golden(t, "mk12.txt")["DealParamsV120"])
	if err != nil {
		t.Fatal(err)
	}
	var got DealParams
	if err := got.UnmarshalCBOR(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	want := *curioValues(t)["DealParams"].(*DealParams)
	want.RemoveUnsealedCopy, want.SkipIPNIAnnounce = false, false
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read as %+v, want %+v", got, want)
	}
}

// Unknown fields are skipped, whatever they hold; what is none of the types is an error.
func TestRecordsOfOthers(t *testing.T) {
	more := append([]byte{0xa3}, "\x67Message\x61x\x68Accepted\xf5\x65Other\xa1\x61a\x82\x01\xf6"...)
	var got DealResponse
	if err := got.UnmarshalCBOR(bytes.NewReader(more)); err != nil || got != (DealResponse{true, "x"}) {
		t.Errorf("with an unknown field: %+v, %v", got, err)
	}
	for name, bad := range map[string]string{
		"an array": "\x80", "a number for text": "\xa1\x67Message\x01", "text for a bool": "\xa1\x68Accepted\x61x", "half": "\xa1\x67Mess", "a huge map": "\xbb\x00\x00\x00\x01\x00\x00\x00\x00",
	} {
		if err := got.UnmarshalCBOR(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was read as %+v", name, got)
		}
	}
	short := "\xa1\x68DealUUID\x42ab"
	if err := new(StatusRequest).UnmarshalCBOR(strings.NewReader(short)); err == nil {
		t.Error("a UUID of two bytes was read")
	}
}

// Bodies of MK20 are what curio's market/mk20 types marshal to (e0294b0f, OpenAPI 1.0.0).
func TestMK20IsCurios(t *testing.T) {
	want := golden(t, "mk20.txt")
	miner, _ := address.NewIDAddress(1001)
	gate, err := address.NewDelegatedAddress(10, []byte{0xde, 0xad, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
	if err != nil {
		t.Fatal(err)
	}
	slot, start, allocation := uint64(16777216), abi.ChainEpoch(7000), verifreg18.AllocationId(9)
	deal := MK20Deal{
		Identifier: ulid.MustParse(someULID), Client: someF1,
		Data: &DataSource{
			PieceCID: cid.MustParse("bafkzcibfxx3meais3xzh6qn56y6hiasmrufhegoweu3o5ccofs74nfdfr4yn76pqz4pq"), Format: DataFormat{Car: &struct{}{}},
			SourceHTTP: &HTTPSource{URLs: []HTTPURL{
				{URL: "http://127.0.0.1:4782/car/x", Headers: http.Header{"Authorization": {"Bearer t"}}},
				{URL: "https://b.example/x", Priority: 1, Fallback: true},
			}},
		},
		Products: MK20Products{
			DDOV1: &DDOV1{
				Provider: miner, StartEpoch: &start, Duration: 518400, MarketAddress: "0xDead030405060708090a0B0C0D0E0F1011121314", MarketDealID: &slot,
				NotificationAddress: gate, NotificationPayload: []byte{0x1a, 1, 0, 0, 0},
			},
			RetrievalV1: &RetrievalV1{Indexing: true, AnnouncePayload: true},
		},
	}
	least := deal
	least.Data = &DataSource{PieceCID: deal.Data.PieceCID, Format: DataFormat{Raw: &struct{}{}}, SourceHTTP: deal.Data.SourceHTTP}
	least.Products = MK20Products{DDOV1: &DDOV1{Provider: miner, Duration: 518400, AllocationID: &allocation}, RetrievalV1: &RetrievalV1{}}
	for name, value := range map[string]any{
		"Deal": &deal, "Deal.Least": &least, "Status": &MK20Status{DDOV1: &ProductStatus{State: Sealing.mk20()}},
		"Contracts": &map[string][]string{"contracts": {"0xDead030405060708090a0B0C0D0E0F1011121314"}},
	} {
		got, err := json.Marshal(value)
		if err != nil || string(got) != want[name] {
			t.Errorf("%s is %v\n%s, Curio's is\n%s", name, err, got, want[name])
		}
		fresh := reflect.New(reflect.TypeOf(value).Elem()).Interface()
		if err := json.Unmarshal([]byte(want[name]), fresh); err != nil || !reflect.DeepEqual(fresh, value) {
			t.Errorf("%s is read as %+v, %v", name, fresh, err)
		}
	}
}

// FuzzDealParams: whatever a client sends is read or refused, and what is read is written
// as it was meant.
func FuzzDealParams(f *testing.F) {
	for _, name := range []string{"DealParams", "DealParamsV120"} {
		raw, err := hex.DecodeString(golden(f, "mk12.txt")[name])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var first, second DealParams
		if first.UnmarshalCBOR(bytes.NewReader(raw)) != nil || !first.DealDataRoot.Defined() || !first.ClientDealProposal.Proposal.PieceCID.Defined() {
			return
		}
		var written bytes.Buffer
		if err := first.MarshalCBOR(&written); err != nil {
			return // an address that is no address
		}
		if err := second.UnmarshalCBOR(&written); err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("read %+v, written and read again %+v, %v", first, second, err)
		}
	})
}
