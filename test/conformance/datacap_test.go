package conformance

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	"github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	"github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
)

// spend transfers DataCap for so many bytes to the registry, with requests.
func spend(n *net, name string, bytes int64, requests verifreg.AllocationRequests) call {
	return transfer(n, name, bytes, encode(n, &requests))
}

func transfer(n *net, name string, bytes int64, requests []byte) call {
	return do(name, 7, "Transfer", encode(n, &datacap.TransferParams{
		To: builtin.VerifiedRegistryActorAddr, Amount: big.Mul(big.NewInt(bytes), big.NewInt(1e18)), OperatorData: requests,
	}))
}

// allocations are ways to ask for one, of which the first is granted.
func allocations(n *net, f facts, piece cid.Cid, epoch int64) []call {
	good := verifreg.AllocationRequest{
		Provider: abi.ActorID(f.Miner), Data: piece, Size: 2048, TermMin: 518_400, TermMax: 1_600_000, Expiration: abi.ChainEpoch(epoch + 10_000),
	}
	ask1 := func(name string, bytes int64, change func(*verifreg.AllocationRequest)) call {
		r := good
		change(&r)
		return spend(n, name, bytes, verifreg.AllocationRequests{Allocations: []verifreg.AllocationRequest{r}})
	}
	whole := encode(n, &verifreg.AllocationRequests{Allocations: []verifreg.AllocationRequest{good}})
	return []call{
		ask1("allocate", 2048, func(*verifreg.AllocationRequest) {}),
		ask1("allocate for too short", 2048, func(r *verifreg.AllocationRequest) { r.TermMin = 518_399 }),
		ask1("allocate for too long", 2048, func(r *verifreg.AllocationRequest) { r.TermMax = 5_259_486 }),
		ask1("allocate with the terms reversed", 2048, func(r *verifreg.AllocationRequest) { r.TermMin = 1_600_001 }),
		ask1("allocate till yesterday", 2048, func(r *verifreg.AllocationRequest) { r.Expiration = abi.ChainEpoch(epoch - 1) }),
		ask1("allocate till too late", 2048, func(r *verifreg.AllocationRequest) { r.Expiration = abi.ChainEpoch(epoch + 180_000) }),
		ask1("allocate too little", 128, func(r *verifreg.AllocationRequest) { r.Size = 128 }),
		ask1("allocate to one who is not there", 2048, func(r *verifreg.AllocationRequest) { r.Provider = 999_999 }),
		ask1("allocate for another amount", 4096, func(*verifreg.AllocationRequest) {}),
		ask1("allocate beyond the balance", 1<<20, func(r *verifreg.AllocationRequest) { r.Size = 1 << 20 }),
		transfer(n, "requests and a byte", 2048, append(whole, 0)),
		transfer(n, "no requests", 2048, nil),
		ask("DataCap of the contract", 7, "Balance", bytesOf(f.Contract)),
	}
}

// ofClaims are questions about the claim, and ways to make it longer.
func ofClaims(n *net, f facts) []call {
	get := func(name string, provider uint64, ids ...verifreg.ClaimId) call {
		return ask(name, 6, "GetClaims", encode(n, &verifreg.GetClaimsParams{Provider: abi.ActorID(provider), ClaimIds: ids}))
	}
	extend := func(name string, id verifreg.ClaimId, termMax abi.ChainEpoch) call {
		return do(name, 6, "ExtendClaimTerms", encode(n, &verifreg.ExtendClaimTermsParams{Terms: []verifreg.ClaimTerm{{
			Provider: abi.ActorID(f.Miner), ClaimId: id, TermMax: termMax,
		}}}))
	}
	buy := func(name string, bytes int64, id verifreg.ClaimId, termMax abi.ChainEpoch) call {
		return spend(n, name, bytes, verifreg.AllocationRequests{Extensions: []verifreg.ClaimExtensionRequest{{
			Provider: abi.ActorID(f.Miner), Claim: id, TermMax: termMax,
		}}})
	}
	return []call{
		get("the claim", f.Miner, 1),
		get("the claim and another", f.Miner, 1, 2),
		get("the claim of another miner", f.Owner, 1),
		extend("a longer term", 1, 1_700_000),
		extend("a shorter term", 1, 1_599_999),
		extend("too long a term", 1, 5_259_486),
		extend("a term of no claim", 2, 1_700_000),
		buy("a longer term for DataCap", 2048, 1, 1_700_000),
		buy("a shorter term for DataCap", 2048, 1, 1_599_999),
		buy("too long a term for DataCap", 2048, 1, 5_400_000),
		buy("a longer term for too little", 1024, 1, 1_700_000),
		buy("a term of no claim for DataCap", 2048, 2, 1_700_000),
		ask("DataCap of the contract", 7, "Balance", bytesOf(f.Contract)),
	}
}
