package market

import (
	"fmt"
	"io"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/google/uuid"
	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Protocols of MK12, as Curio (market/libp2p/libp2p.go) and Boost
// (storagemarket/lp2pimpl/net.go) name them.
const (
	DealProtocol121 protocol.ID = "/fil/storage/mk/1.2.1"
	DealProtocol120 protocol.ID = "/fil/storage/mk/1.2.0" // without DealParams' last two fields
	StatusProtocol  protocol.ID = "/fil/storage/status/1.2.0"
	AskProtocol     protocol.ID = "/fil/storage/ask/1.1.0"
	TransportsQuery protocol.ID = "/fil/retrieval/transports/1.0.0"
)

// DealParams is a deal as a client proposes it, by 1.2.1; 1.2.0 lacks the last two.
// Source of all types here: curio market/mk12/types.go and legacytypes.go, which are
// boost's storagemarket/types/types.go and legacytypes/network/types.go.
type DealParams struct {
	DealUUID           uuid.UUID
	IsOffline          bool
	ClientDealProposal market18.ClientDealProposal
	DealDataRoot       cid.Cid
	Transfer           Transfer // zero for an offline deal
	RemoveUnsealedCopy bool
	SkipIPNIAnnounce   bool
}

func (d *DealParams) fields() []field {
	return []field{
		digest("DealUUID", d.DealUUID[:]), yesNo("IsOffline", &d.IsOffline), value("ClientDealProposal", &d.ClientDealProposal),
		link("DealDataRoot", &d.DealDataRoot), nested("Transfer", &d.Transfer),
		yesNo("RemoveUnsealedCopy", &d.RemoveUnsealedCopy), yesNo("SkipIPNIAnnounce", &d.SkipIPNIAnnounce),
	}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (d *DealParams) MarshalCBOR(w io.Writer) error { return write(w, d) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler; it reads both versions.
func (d *DealParams) UnmarshalCBOR(r io.Reader) error { *d = DealParams{}; return read(r, d) }

// Transfer says how the data comes. Params is JSON {"URL", "Headers": {name: value}} for
// the type http; Size is in bytes.
type Transfer struct {
	Type     string
	ClientID string
	Params   []byte
	Size     uint64
}

func (t *Transfer) fields() []field {
	return []field{text("Type", &t.Type), text("ClientID", &t.ClientID), byteString("Params", &t.Params), number("Size", &t.Size)}
}

// DealResponse answers a proposal; Message is why not.
type DealResponse struct {
	Accepted bool
	Message  string
}

func (d *DealResponse) fields() []field {
	return []field{yesNo("Accepted", &d.Accepted), text("Message", &d.Message)}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (d *DealResponse) MarshalCBOR(w io.Writer) error { return write(w, d) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (d *DealResponse) UnmarshalCBOR(r io.Reader) error { *d = DealResponse{}; return read(r, d) }

// StatusRequest asks how a deal is; the signature is the client's over the UUID's bytes.
type StatusRequest struct {
	DealUUID  uuid.UUID
	Signature crypto.Signature
}

func (s *StatusRequest) fields() []field {
	return []field{digest("DealUUID", s.DealUUID[:]), value("Signature", &s.Signature)}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (s *StatusRequest) MarshalCBOR(w io.Writer) error { return write(w, s) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (s *StatusRequest) UnmarshalCBOR(r io.Reader) error { *s = StatusRequest{}; return read(r, s) }

// StatusResponse says how a deal is; Error is why it does not.
type StatusResponse struct {
	DealUUID       uuid.UUID
	Error          string
	DealStatus     *DealStatus
	IsOffline      bool
	TransferSize   uint64
	NBytesReceived uint64
}

func (s *StatusResponse) fields() []field {
	return []field{
		digest("DealUUID", s.DealUUID[:]), text("Error", &s.Error),
		optional("DealStatus", &s.DealStatus, func(name string, d *DealStatus) field { return nested(name, d) }),
		yesNo("IsOffline", &s.IsOffline), number("TransferSize", &s.TransferSize), number("NBytesReceived", &s.NBytesReceived),
	}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (s *StatusResponse) MarshalCBOR(w io.Writer) error { return write(w, s) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (s *StatusResponse) UnmarshalCBOR(r io.Reader) error { *s = StatusResponse{}; return read(r, s) }

// DealStatus is a deal's state in words, and on chain as far as it got.
type DealStatus struct {
	Error             string
	Status            string
	SealingStatus     string
	Proposal          market18.DealProposal
	SignedProposalCid cid.Cid
	PublishCid        *cid.Cid
	ChainDealID       uint64
}

func (d *DealStatus) fields() []field {
	return []field{
		text("Error", &d.Error), text("Status", &d.Status), text("SealingStatus", &d.SealingStatus), value("Proposal", &d.Proposal),
		link("SignedProposalCid", &d.SignedProposalCid), optional("PublishCid", &d.PublishCid, link), number("ChainDealID", &d.ChainDealID),
	}
}

// AskRequest asks for a miner's ask.
type AskRequest struct{ Miner address.Address }

func (a *AskRequest) fields() []field { return []field{value("Miner", &a.Miner)} }

// MarshalCBOR implements cbg.CBORMarshaler.
func (a *AskRequest) MarshalCBOR(w io.Writer) error { return write(w, a) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (a *AskRequest) UnmarshalCBOR(r io.Reader) error { *a = AskRequest{}; return read(r, a) }

// AskResponse is the ask, or null for a miner that is not this provider's.
type AskResponse struct{ Ask *SignedAsk }

func (a *AskResponse) fields() []field {
	return []field{optional("Ask", &a.Ask, func(name string, s *SignedAsk) field { return nested(name, s) })}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (a *AskResponse) MarshalCBOR(w io.Writer) error { return write(w, a) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (a *AskResponse) UnmarshalCBOR(r io.Reader) error { *a = AskResponse{}; return read(r, a) }

// SignedAsk is an ask with the signature of the miner's worker over its CBOR.
type SignedAsk struct {
	Ask       *StorageAsk
	Signature *crypto.Signature
}

func (s *SignedAsk) fields() []field {
	return []field{
		optional("Ask", &s.Ask, func(name string, a *StorageAsk) field { return nested(name, a) }),
		optional("Signature", &s.Signature, func(name string, sig *crypto.Signature) field { return value(name, sig) }),
	}
}

// StorageAsk is what a miner wants: attoFIL for a GiB and epoch, padded sizes, epochs.
type StorageAsk struct {
	Price, VerifiedPrice       abi.TokenAmount
	MinPieceSize, MaxPieceSize abi.PaddedPieceSize
	Miner                      address.Address
	Timestamp, Expiry          abi.ChainEpoch
	SeqNo                      uint64
}

func (s *StorageAsk) fields() []field {
	return []field{
		value("Price", &s.Price), value("VerifiedPrice", &s.VerifiedPrice),
		number("MinPieceSize", (*uint64)(&s.MinPieceSize)), number("MaxPieceSize", (*uint64)(&s.MaxPieceSize)), value("Miner", &s.Miner),
		epoch("Timestamp", &s.Timestamp), epoch("Expiry", &s.Expiry), number("SeqNo", &s.SeqNo),
	}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (s *StorageAsk) MarshalCBOR(w io.Writer) error { return write(w, s) }

// Transports say where a provider's data can be had.
type Transports struct{ Protocols []Transport }

func (t *Transports) fields() []field {
	return []field{list("Protocols", &t.Protocols, func(p *Transport) field { return nested("", p) })}
}

// MarshalCBOR implements cbg.CBORMarshaler.
func (t *Transports) MarshalCBOR(w io.Writer) error { return write(w, t) }

// UnmarshalCBOR implements cbg.CBORUnmarshaler.
func (t *Transports) UnmarshalCBOR(r io.Reader) error { *t = Transports{}; return read(r, t) }

// Transport is one way, with multiaddrs in bytes.
type Transport struct {
	Name      string
	Addresses [][]byte
}

func (t *Transport) fields() []field {
	return []field{text("Name", &t.Name), list("Addresses", &t.Addresses, func(b *[]byte) field { return byteString("", b) })}
}

func write(w io.Writer, r record) error {
	if err := encodeRecord(w, r); err != nil {
		return fmt.Errorf("encode %T: %w", r, err)
	}
	return nil
}

func read(from io.Reader, r record) error {
	if err := decodeRecord(from, r); err != nil {
		return fmt.Errorf("decode %T: %w", r, err)
	}
	return nil
}
