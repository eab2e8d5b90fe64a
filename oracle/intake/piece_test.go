package intake

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

func packServed(t *testing.T, p servedPayload) []byte {
	t.Helper()
	b, err := servedArgs.Pack(p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func asked(action uint16, payload []byte) chain.Request {
	return chain.Request{ID: common.Hash{7}, Chain: 1, Provider: common.Address{8}, Consumer: consumer, Action: action, Seq: 3, Payload: payload}
}

func TestAPrepareCarriesWhatAPinDoes(t *testing.T) {
	payload, err := pinArgs.Pack(pinPayload{Cid: []byte("cid"), Requester: wallet, MaxBytes: 9, Expiry: big.NewInt(77), Origins: []string{"/o"}, Name: "n"})
	if err != nil {
		t.Fatal(err)
	}
	n, who, ok := jobOf(asked(actionPrepare, payload))
	if !ok || who != wallet || n.Kind != job.KindPrepare || n.Lane != job.LaneSoft || n.Requester != hex(wallet) {
		t.Fatalf("%+v for %s, %v", n, who, ok)
	}
	p, err := job.Decode[job.Prepare](n.Payload)
	if err != nil || string(p.CID) != "cid" || p.MaxBytes != 9 || p.Until != 77 || len(p.Origins) != 1 || p.Owner != owner(consumer, wallet) {
		t.Errorf("%+v %v", p, err)
	}
}

func TestAServedNamesPieceAndEndpoint(t *testing.T) {
	n, who, ok := jobOf(asked(actionServed, packServed(t, servedPayload{PieceCid: []byte("piece"), Requester: wallet, Endpoint: "https://sp/"})))
	if !ok || who != wallet || n.Kind != job.KindServed || n.Lane != job.LaneFinal {
		t.Fatalf("%+v for %s, %v", n, who, ok)
	}
	p, err := job.Decode[job.Served](n.Payload)
	if err != nil || !bytes.Equal(p.Piece, []byte("piece")) || p.Endpoint != "https://sp/" {
		t.Errorf("%+v %v", p, err)
	}
}

// What cannot be read was paid all the same: it gets a job, which ends as invalid
// content.
func TestMalformedPiecePayloadsGetAJob(t *testing.T) {
	good := packServed(t, servedPayload{PieceCid: []byte("piece"), Endpoint: "https://sp/"})
	for _, action := range []uint16{actionPrepare, actionServed} {
		for name, payload := range map[string][]byte{"empty": nil, "words": []byte("baga…"), "cut": good[:len(good)-64], "huge offset": bytes.Repeat([]byte{0xff}, 96)} {
			n, who, ok := jobOf(asked(action, payload))
			if !ok || who != consumer || len(n.Payload) == 0 {
				t.Errorf("action %d, %s: %+v for %s, %v", action, name, n, who, ok)
			}
		}
	}
}

func FuzzPiecePayloads(f *testing.F) {
	f.Add([]byte{}, true)
	f.Add(bytes.Repeat([]byte{0}, 160), false)
	f.Fuzz(func(t *testing.T, payload []byte, prepare bool) {
		action := actionServed
		if prepare {
			action = actionPrepare
		}
		n, _, ok := jobOf(asked(action, payload))
		if !ok || n.Requester == "" {
			t.Fatalf("%+v", n)
		}
	})
}

func TestAStatusNamesADealOrASector(t *testing.T) {
	payload, err := statusArgs.Pack(statusPayload{DealId: 0, Miner: 1004, Sector: 7, Commitment: [32]byte{9}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		payload []byte
		want    job.Status
	}{
		"a sector":  {payload, job.Status{Miner: 1004, Sector: 7, Commitment: [32]byte{9}}},
		"cut":       {payload[:96], job.Status{Malformed: true}},
		"empty":     {nil, job.Status{Malformed: true}},
		"no uint64": {bytes.Repeat([]byte{0xff}, 128), job.Status{Malformed: true}},
	} {
		n, who, ok := jobOf(asked(actionStatus, c.payload))
		p, err := job.Decode[job.Status](n.Payload)
		if !ok || who != consumer || n.Kind != job.KindStatus || n.Lane != job.LaneFinal || err != nil || p != c.want {
			t.Errorf("%s: %+v of %+v, %v", name, p, n, err)
		}
	}
}
