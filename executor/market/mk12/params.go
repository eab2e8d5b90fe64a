package mk12

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// DealParams is an online deal as it is proposed: curio, market/mk12/types.go,
// DealParams (1.2.1) and DealParamsV120.
type DealParams struct {
	UUID      uuid.UUID // the same for the same deal, whenever it is sent
	Proposal  DealProposal
	Signature Signature // empty: the client is a contract
	Root      cid.Cid   // of the DAG in the CAR
	Transfer  Transfer

	DropUnsealed bool // 1.2.1 alone
	SkipAnnounce bool // 1.2.1 alone
}

// Transfer says where the provider fetches the CAR.
type Transfer struct {
	URL     string            // http or https; must serve ranges
	Headers map[string]string // to be sent with the request
	Size    uint64            // bytes of the CAR
}

func (p *DealParams) encode(v121 bool) ([]byte, error) {
	signature := p.Signature
	if len(signature) == 0 {
		signature = contractSignature
	}
	signed := func(w *cbg.CborWriter) error {
		if err := w.WriteMajorTypeHeader(cbg.MajArray, 2); err != nil {
			return err
		}
		if err := p.Proposal.MarshalCBOR(w); err != nil {
			return err
		}
		return signature.MarshalCBOR(w)
	}
	fields := []field{
		{"DealUUID", octets(p.UUID[:])},
		{"Transfer", p.Transfer.write},
		{"IsOffline", boolean(false)},
		{"DealDataRoot", link(p.Root)},
	}
	if v121 {
		fields = append(fields, field{"SkipIPNIAnnounce", boolean(p.SkipAnnounce)})
	}
	fields = append(fields, field{"ClientDealProposal", signed})
	if v121 {
		fields = append(fields, field{"RemoveUnsealedCopy", boolean(p.DropUnsealed)})
	}
	return buffered(func(w io.Writer) error { return writeMap(w, fields...) })
}

func (t *Transfer) write(w *cbg.CborWriter) error {
	if t.URL == "" || t.Size == 0 {
		return fmt.Errorf("a transfer needs a URL and a size")
	}
	params, err := json.Marshal(struct {
		URL     string
		Headers map[string]string
	}{t.URL, t.Headers})
	if err != nil {
		return err
	}
	return writeMap(w,
		field{"Size", unsigned(t.Size)}, field{"Type", text("http")}, field{"Params", octets(params)}, field{"ClientID", text("")})
}

// DealStatusRequest asks for a deal's status. The signature is the client's, over
// the 16 bytes of the UUID; empty: the client is a contract, which has none.
type DealStatusRequest struct {
	UUID      uuid.UUID
	Signature Signature
}

func (q *DealStatusRequest) encode() ([]byte, error) {
	signature := q.Signature
	if len(signature) == 0 {
		signature = contractSignature
	}
	return buffered(func(w io.Writer) error {
		return writeMap(w, field{"DealUUID", octets(q.UUID[:])}, field{"Signature", nested(signature)})
	})
}
