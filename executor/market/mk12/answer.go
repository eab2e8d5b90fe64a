package mk12

import (
	"fmt"
	"io"

	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/executor/market/words"
)

// DealResponse says whether a provider takes a proposal for now.
type DealResponse struct {
	Accepted bool
	Message  string // why not, in the provider's words
}

func (d *DealResponse) decode(from io.Reader) error {
	*d = DealResponse{}
	said := false
	err := readMap(cbg.NewCborReader(from), func(key string, r *cbg.CborReader) (known bool, err error) {
		switch key {
		case "Accepted":
			said = true
			d.Accepted, err = readBool(r)
		case "Message":
			d.Message, err = readText(r)
			d.Message = words.Short(d.Message)
		default:
			return false, nil
		}
		return true, err
	})
	if err == nil && !said {
		err = fmt.Errorf("%w: it does not say whether the deal is accepted", errMalformed)
	}
	return err
}

// DealStatusResponse is what a provider says of a deal.
type DealStatusResponse struct {
	UUID     uuid.UUID
	Error    string      // why it says nothing
	Status   *DealStatus // nil: nothing
	Offline  bool
	Size     uint64 // bytes of the transfer
	Received uint64 // of these
}

// DealStatus is where a deal is. Statuses of Boost: Accepted, Transferred,
// Published, PublishConfirmed, AddedPiece, IndexedAndAnnounced, Complete; Curio has
// words of its own.
type DealStatus struct {
	Error             string // why it failed; empty: it has not
	Status            string
	Sealing           string
	Proposal          DealProposal
	SignedProposalCID cid.Cid
	PublishCID        cid.Cid // undefined until it is published
	ChainDealID       uint64  // means nothing before that
}

func (d *DealStatusResponse) decode(from io.Reader) error {
	*d = DealStatusResponse{}
	return readMap(cbg.NewCborReader(from), func(key string, r *cbg.CborReader) (known bool, err error) {
		switch key {
		case "DealUUID":
			var b []byte
			if b, err = readBytes(r, 16); err == nil {
				d.UUID, err = uuid.FromBytes(b)
			}
		case "Error":
			d.Error, err = readText(r)
			d.Error = words.Short(d.Error)
		case "IsOffline":
			d.Offline, err = readBool(r)
		case "TransferSize":
			d.Size, err = header(r, cbg.MajUnsignedInt)
		case "NBytesReceived":
			d.Received, err = header(r, cbg.MajUnsignedInt)
		case "DealStatus":
			err = readNullable(r, func() error {
				d.Status = new(DealStatus)
				return d.Status.decode(r)
			})
		default:
			return false, nil
		}
		return true, err
	})
}

func (d *DealStatus) decode(r *cbg.CborReader) error {
	return readMap(r, func(key string, r *cbg.CborReader) (known bool, err error) {
		switch key {
		case "Error":
			d.Error, err = readText(r)
			d.Error = words.Short(d.Error)
		case "Status":
			d.Status, err = readText(r)
			d.Status = words.Short(d.Status)
		case "SealingStatus":
			d.Sealing, err = readText(r)
			d.Sealing = words.Short(d.Sealing)
		case "Proposal":
			err = d.Proposal.UnmarshalCBOR(r)
		case "SignedProposalCid":
			d.SignedProposalCID, err = cbg.ReadCid(r)
		case "PublishCid":
			err = readNullable(r, func() error {
				d.PublishCID, err = cbg.ReadCid(r)
				return err
			})
		case "ChainDealID":
			d.ChainDealID, err = header(r, cbg.MajUnsignedInt)
		default:
			return false, nil
		}
		return true, err
	})
}
