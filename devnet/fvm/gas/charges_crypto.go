package gas

import (
	"errors"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
)

// The charges in this file are those of the crypto system calls. Source of each formula: ref-fvm, fvm/src/gas/price_list.rs, the
// method of the same name in snake case.

// ErrUnsupported is wrapped by charges for a hash or signature that has no price, because no actor may use it.
var ErrUnsupported = errors.New("no price: not supported by the machine")

func hashCost(code uint64) (scaling, error) {
	c, ok := hashCosts[code]
	if !ok {
		return scaling{}, fmt.Errorf("hash function with multihash code %#x: %w", code, ErrUnsupported)
	}
	return c, nil
}

// OnHashing is for hashing that many bytes. The error wraps [ErrUnsupported] for an unknown multihash code.
func (p *Prices) OnHashing(hash uint64, dataSize int) (Charge, error) {
	c, err := hashCost(hash)
	if err != nil {
		return Charge{}, err
	}
	return Charge{"OnHashing", c.of(size(dataSize)), 0}, nil
}

// OnVerifySignature is for crypto.verify_signature over that many bytes. The error wraps [ErrUnsupported] for kinds other than secp256k1 and BLS.
func (p *Prices) OnVerifySignature(kind crypto.SigType, dataSize int) (Charge, error) {
	c, ok := signatureCosts[kind]
	if !ok {
		return Charge{}, fmt.Errorf("signature of kind %d: %w", kind, ErrUnsupported)
	}
	return Charge{"OnVerifySignature", c.of(size(dataSize)), 0}, nil
}

// OnVerifyAggregateSignature is for crypto.verify_bls_aggregate: one pairing for each signature and one more, and hashing all messages.
func (p *Prices) OnVerifyAggregateSignature(signatures, dataSize int) Charge {
	g := blsPairing.Mul(saturatingAdd(size(signatures), 1)).Add(blsHashingScale.Mul(size(dataSize)))
	return Charge{"OnVerifyBlsAggregateSignature", g, 0}
}

// OnRecoverSecpPublicKey is for crypto.recover_secp_public_key.
func (p *Prices) OnRecoverSecpPublicKey() Charge {
	return Charge{"OnRecoverSecpPublicKey", secpRecover, 0}
}

// OnComputeUnsealedSectorCID is for crypto.compute_unsealed_sector_cid.
func (p *Prices) OnComputeUnsealedSectorCID() Charge {
	return Charge{"OnComputeUnsealedSectorCid", computeUnsealedSectorCID, 0}
}

// OnVerifySeal is for each seal of crypto.batch_verify_seals, or for crypto.verify_seal.
func (p *Prices) OnVerifySeal() Charge { return Charge{"OnVerifySeal", p.verifySeal, 0} }

// OnVerifyAggregateSeals is for an aggregate of that many seals. Proof types without a price of their own cost as those of 32 GiB sectors.
func (p *Prices) OnVerifyAggregateSeals(proof abi.RegisteredSealProof, seals int) Charge {
	per, ok := p.aggregatePer[proof]
	if !ok {
		per = p.aggregatePer[abi.RegisteredSealProof_StackedDrg32GiBV1_1]
	}
	steps, ok := p.aggregateSteps[proof]
	if !ok {
		steps = p.aggregateSteps[abi.RegisteredSealProof_StackedDrg32GiBV1_1]
	}
	n := size(seals)
	return Charge{"OnVerifyAggregateSeals", per.Mul(n).Add(steps.of(n)), 0}
}

// OnVerifyReplicaUpdate is for crypto.verify_replica_update.
func (p *Prices) OnVerifyReplicaUpdate() Charge {
	return Charge{"OnVerifyReplicaUpdate", verifyReplicaUpdate, 0}
}

// OnVerifyPoSt is for crypto.verify_post over that many challenged sectors; every proof type costs the same.
func (p *Prices) OnVerifyPoSt(challengedSectors int) Charge {
	return Charge{"OnVerifyPost", verifyPostFlat.Add(verifyPostScale.Mul(size(challengedSectors))), 0}
}

// OnVerifyConsensusFault is for crypto.verify_consensus_fault.
func (p *Prices) OnVerifyConsensusFault() Charge {
	return Charge{"OnVerifyConsensusFault", 0, verifyConsensusFault}
}
