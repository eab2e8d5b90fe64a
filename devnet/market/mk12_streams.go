package market

import (
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// streamPatience bounds reading a request and writing an answer.
const streamPatience = 10 * time.Second

// streams answer the protocols of MK12: one request, one answer, the end.
func (p *Provider) streams(h host.Host) {
	for id, handle := range map[protocol.ID]func(network.Stream) (cbg.CBORMarshaler, error){
		DealProtocol121: p.handleProposal, DealProtocol120: p.handleProposal, StatusProtocol: p.handleStatus, AskProtocol: p.handleAsk,
		TransportsQuery: p.handleTransports,
	} {
		h.SetStreamHandler(id, func(s network.Stream) {
			if err := p.while(p.market.ctx, Hang); err != nil {
				_ = s.Reset() // the market ends
				return
			}
			_ = s.SetReadDeadline(time.Now().Add(streamPatience)) // never fails on TCP
			response, err := handle(s)
			if err == nil {
				_ = s.SetWriteDeadline(time.Now().Add(streamPatience))
				err = response.MarshalCBOR(s)
			}
			if err != nil {
				p.log.Info("a stream ended early", "protocol", id, "err", err)
				_ = s.Reset() // it is broken already
				return
			}
			_ = s.Close() // the answer is written
		})
	}
}

func (p *Provider) handleProposal(s network.Stream) (cbg.CBORMarshaler, error) {
	var proposal DealParams
	if err := proposal.UnmarshalCBOR(s); err != nil {
		return nil, err
	}
	err := p.checkMK12(p.market.ctx, &proposal)
	if err == nil {
		err = p.takeMK12(&proposal)
	}
	response := &DealResponse{Accepted: err == nil}
	if err != nil {
		response.Message = err.Error()
	}
	p.log.Info("a deal was proposed", "deal", proposal.DealUUID.String(), "accepted", response.Accepted, "reason", response.Message)
	return response, nil
}

// handleStatus answers as Curio does (market/mk12/mk12_utils.go GetDealStatus): to
// anybody, in three words, and with ids of the chain only when the pipeline is done.
func (p *Provider) handleStatus(s network.Stream) (cbg.CBORMarshaler, error) {
	var request StatusRequest
	if err := request.UnmarshalCBOR(s); err != nil {
		return nil, err
	}
	response := &StatusResponse{DealUUID: request.DealUUID}
	p.mu.Lock()
	defer p.mu.Unlock()
	j, ok := p.deals[request.DealUUID.String()]
	if !ok || j.deal.Protocol != MK12 {
		response.Error = "failed to get sealed deal status"
		return response, nil
	}
	response.TransferSize, response.NBytesReceived = 1, 1
	response.DealStatus = &DealStatus{
		Error: j.deal.Error, Status: "Processing", SealingStatus: "Not assigned to sector",
		Proposal: j.proposal.Proposal, SignedProposalCid: j.signedCID,
	}
	if j.deal.State == Complete {
		response.DealStatus.Status, response.DealStatus.SealingStatus = "Sealed", "Sealed and Indexed"
		response.DealStatus.PublishCid, response.DealStatus.ChainDealID = j.deal.PublishCID, uint64(*j.deal.ChainDeal)
	}
	return response, nil
}

func (p *Provider) handleAsk(s network.Stream) (cbg.CBORMarshaler, error) {
	var request AskRequest
	if err := request.UnmarshalCBOR(s); err != nil {
		return nil, err
	}
	response := &AskResponse{}
	var err error
	if request.Miner == p.miner.Address() {
		response.Ask, err = p.signAsk()
	}
	return response, err
}

func (p *Provider) handleTransports(network.Stream) (cbg.CBORMarshaler, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return &Transports{Protocols: []Transport{
		{Name: "libp2p", Addresses: [][]byte{p.p2pAddr.Bytes()}}, {Name: "http", Addresses: [][]byte{p.httpMultiaddr().Bytes()}},
	}}, nil
}
