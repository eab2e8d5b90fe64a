package fevm

import (
	"math/big"

	filabi "github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/devnet/provider"
	"github.com/tidegate/tidegate/executor/piece"
)

// status is asked for a deal of f05 and for sectors, by anyone.
func (f *functions) status() {
	deal, bad := dealstatusoracle.DealRef{DealId: f.published}, dealstatusoracle.DealRef{DealId: 1, Sector: 2}
	sector := dealstatusoracle.DealRef{Miner: f.bls.miner(), Sector: uint64(f.bls.sector), Commitment: f.sealed.digest}
	claim := dealstatusoracle.DealRef{Miner: f.bls.miner(), Sector: f.slotOf(f.verifiedSlot).Sector, Commitment: pieceOf("functions, verified").digest}
	const activeStatus = "2 "
	f.calls(
		row{by: f.keeper, to: status, fn: "refresh", args: with(deal, []byte{})},
		row{by: f.keeper, to: status, fn: "refresh", args: with(bad, []byte{}), want: "DealStatusOracle_BadRef"},
		row{by: f.stranger, to: status, fn: "statusOf", args: with(deal), want: activeStatus},
		row{by: f.stranger, to: status, fn: "termOf", args: with(deal), want: spelled(f.shared.miner())},
		row{by: f.stranger, to: status, fn: "isFresh", args: with(deal, uint64(10)), want: "true"},
		row{by: f.stranger, to: status, fn: "refHashOf", args: with(bad), want: "!DealStatusOracle_BadRef"},
		row{by: f.stranger, to: status, fn: "refHashOf", args: with(deal)},
		row{by: f.keeper, to: status, fn: "proveByDeal", args: with(uint64(999)), want: "DealStatusOracle_ActorRefused[17]"},
		row{by: f.keeper, to: status, fn: "proveByDeal", args: with(f.published)},
		row{by: f.bls.party, to: status, fn: "proveByClaim", args: with(f.bls.miner(), f.allocation+1), want: "DealStatusOracle_ActorRefused"},
		row{by: f.bls.party, to: status, fn: "proveByClaim", args: with(f.bls.miner(), f.allocation)},
		row{by: f.keeper, to: status, fn: "refreshMany", args: with([]dealstatusoracle.DealRef{deal}, [][]byte{}), want: "DealStatusOracle_LengthsDiffer"},
		row{by: f.keeper, to: status, fn: "refreshMany", args: with([]dealstatusoracle.DealRef{deal, claim}, [][]byte{{}, f.location(f.bls.m, filabi.SectorNumber(claim.Sector), filabi.SectorStatusCodeActive)})},
		row{by: f.stranger, to: status, fn: "statusOf", args: with(claim), want: activeStatus},
		row{by: f.stranger, to: status, fn: "statusOf", args: with(sector), want: "=0 0 0"}, // never shown to it
		row{by: f.stranger, to: status, fn: "hint", args: with(deal, uint8(5), uint64(9)), want: "DealStatusOracle_NotAnOperator"},
		row{by: f.operator, to: status, fn: "hint", args: with(deal, uint8(5), uint64(9))},
		row{by: f.operator, to: status, fn: "hint", args: with(deal, uint8(5), uint64(9)), want: "DealStatusOracle_AlreadyVoted"},
		row{by: f.stranger, to: status, fn: "hintOf", args: with(deal), want: "5 9"},
	)
	told := pieceOf("functions, told")
	number := f.seal(f.secp.m, provider.Sector{Pieces: []provider.Piece{{
		CID: told.commP, Size: told.size, Notify: []provider.Notification{{To: filecoinOf(f.at[bindings.DealStatusOracle])}},
	}}})[0]
	sector = dealstatusoracle.DealRef{Miner: f.secp.miner(), Sector: uint64(number), Commitment: told.digest}
	f.calls(row{by: f.stranger, to: status, fn: "statusOf", args: with(sector), want: activeStatus})
	f.byActor(status, "handle_filecoin_method")
	f.must(f.secp.m.Terminate(f.ctx, number))
	f.calls(
		row{by: f.keeper, to: status, fn: "refresh", args: with(sector, f.location(f.secp.m, number, filabi.SectorStatusCodeDead))},
		row{by: f.stranger, to: status, fn: "statusOf", args: with(sector), want: "5 "},
	)
}

// replicas are listed for CIDs: of a piece itself, and of payloads in an aggregate.
func (f *functions) replicas() {
	missed, payload := pieceOf("functions, missed"), pieceOf("functions, payload")
	deal := dealstatusoracle.DealRef{DealId: f.published}
	cids := missed.commP.Bytes()
	f.calls(
		row{by: f.keeper, to: status, fn: "addReplica", args: with(cids, deal)},
		row{by: f.keeper, to: status, fn: "addReplica", args: with(cids, deal), want: "DealStatusOracle_AlreadyListed"},
		row{by: f.keeper, to: status, fn: "addReplica", args: with(payload.cid, deal), want: "DealStatusOracle_PieceNotBound"},
		row{by: f.stranger, to: status, fn: "attestPiece", args: with(payload.cid, cids), want: "DealStatusOracle_NotAnOperator"},
		row{by: f.operator, to: status, fn: "attestPiece", args: with(payload.cid, cids)},
		row{by: f.keeper, to: status, fn: "addReplica", args: with(payload.cid, deal)},
	)
	listed := "{" + spelled(f.published) + " " + spelled(f.shared.miner()) + "}"
	zero, ten := new(big.Int), big.NewInt(10)
	f.calls(
		row{by: f.stranger, to: status, fn: "replicasOf", args: with(cids, uint64(1000)), want: "1 "},
		row{by: f.stranger, to: status, fn: "replicasPage", args: with(cids, zero, ten), want: "{" + spelled(f.published) + " 0 0"},
		row{by: f.stranger, to: status, fn: "getAllDeals", args: with(payload.cid), want: listed},
		row{by: f.stranger, to: status, fn: "getActiveDeals", args: with(payload.cid), want: listed},
		row{by: f.stranger, to: status, fn: "getExpiringDeals", args: with(payload.cid, uint64(10)), want: "[]"},
		row{by: f.stranger, to: status, fn: "getAllDealsPage", args: with(payload.cid, zero, ten), want: listed},
		row{by: f.stranger, to: status, fn: "getActiveDealsPage", args: with(payload.cid, zero, ten), want: listed},
		row{by: f.stranger, to: status, fn: "getExpiringDealsPage", args: with(payload.cid, uint64(1<<40), zero, ten), want: listed},
		row{by: f.stranger, to: status, fn: "cidKeyOf", args: with(cids)},
		row{by: f.stranger, to: status, fn: "operatorSet", want: f.at[bindings.EstuaryProvider].Hex()},
		row{by: f.stranger, to: status, fn: "nextSeq"},
	)
	f.aggregate()
}

// aggregate completes requests by proofs that their pieces lie in a deal's piece.
func (f *functions) aggregate() {
	aggregate, parts, proof := f.aggregated("functions, first segment", "functions, second segment")
	first, second := parts[0], parts[1]
	start := f.chain.Head().Height() + day
	proposal, err := f.shared.m.FromAccount(f.native.key, provider.Proposal{PieceCID: aggregate.commP, PieceSize: aggregate.size, Start: start, End: start + shortTerm})
	f.must(err)
	ids, err := f.shared.m.Publish(f.ctx, proposal)
	f.must(err)
	deal := uint64(ids[0])
	data := func(p storedPiece) dealstatusoracle.InclusionVerifierData {
		return dealstatusoracle.InclusionVerifierData{CommPc: p.commP.Bytes(), SizePc: 256}
	}
	one, two := big.NewInt(1), big.NewInt(2)
	f.calls(
		row{by: f.keeper, to: status, fn: "submit", args: with([]byte{}), want: "Cids_"},
		row{by: f.client, to: status, fn: "submit", args: with(first.cid)},
		row{by: f.client, to: status, fn: "submitRaaS", args: with([]byte{1}, one, one, one), want: "Cids_"},
		row{by: f.client, to: status, fn: "submitRaaS", args: with(second.cid, one, one, one)},
		row{by: f.stranger, to: status, fn: "requestCount", want: "=2"},
		row{by: f.operator, to: status, fn: "attestPiece", args: with(first.cid, first.commP.Bytes())},
		row{by: f.operator, to: status, fn: "attestPiece", args: with(second.cid, second.commP.Bytes())},
		row{by: f.operator, to: status, fn: "complete0", args: with(big.NewInt(9), deal, proof(0), data(first)), want: "DealStatusOracle_UnknownRequest"},
		row{by: f.operator, to: status, fn: "complete0", args: with(one, deal, proof(0), data(first))},
		row{by: f.operator, to: status, fn: "complete", args: with(two, deal, f.bls.miner(), proof(1), data(second)), want: "DealStatusOracle_OtherMiner"},
		row{by: f.operator, to: status, fn: "complete", args: with(two, deal, f.shared.miner(), proof(0), data(second)), want: "Podsi_"},
		row{by: f.operator, to: status, fn: "complete", args: with(two, deal, f.shared.miner(), proof(1), data(second))},
		row{by: f.stranger, to: status, fn: "getAllDeals", args: with(second.cid), want: "{" + spelled(deal) + " " + spelled(f.shared.miner()) + "}"},
	)
}

// aggregated is an aggregate of 2 KiB of pieces of 256 bytes, and the proofs that they lie in it.
func (w *world) aggregated(names ...string) (whole storedPiece, parts []storedPiece, proof func(int) dealstatusoracle.InclusionProof) {
	w.Helper()
	var commitments []piece.Commitment
	for _, name := range names {
		p := pieceOf(name)
		p.size = 256
		parts = append(parts, p)
		commitments = append(commitments, piece.Commitment{Root: p.digest, Payload: 200, Padded: 256})
	}
	a, err := piece.NewAggregate(commitments, 2048)
	w.must(err)
	whole = storedPiece{cid: parts[0].cid, digest: a.Commitment().Root, size: 2048}
	whole.commP, err = cid.Cast(append([]byte{0x01, 0x81, 0xe2, 0x03, 0x92, 0x20, 0x20}, whole.digest[:]...))
	w.must(err)
	return whole, parts, func(i int) dealstatusoracle.InclusionProof {
		p, err := a.Proof(i)
		w.must(err)
		return dealstatusoracle.InclusionProof{ProofSubtree: pathOf(p.Subtree), ProofIndex: pathOf(p.Index)}
	}
}

func pathOf(p piece.MerklePath) dealstatusoracle.ProofData {
	out := dealstatusoracle.ProofData{Index: p.Index}
	for _, node := range p.Path {
		out.Path = append(out.Path, node)
	}
	return out
}
