package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-bitfield"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/batch"
	"github.com/filecoin-project/go-state-types/builtin"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Epochs of a sector's life.
const (
	// DefaultLifetime is how long sectors live unless told otherwise: 540 days.
	DefaultLifetime = abi.ChainEpoch(540 * builtin.EpochsInDay)
	// challengeDelay is how many epochs pass between pre-commitment and proof with the
	// bundle "testing"; on public networks it is 150.
	challengeDelay = 10
)

// Piece is data in a sector: its commitment, and who is told of it.
type Piece struct {
	CID  cid.Cid             // of kind fil-commitment-unsealed
	Size abi.PaddedPieceSize // padded
	// Deal is an f05 deal of the piece; the market is notified.
	Deal *abi.DealID
	// Allocation is verified data that the piece claims.
	Allocation *Allocation
	// Notify are further actors that are told, each with its bytes, in this order; the
	// same one twice is told twice.
	Notify []Notification
}

// Allocation names an allocation of verified data.
type Allocation struct {
	Client abi.ActorID
	ID     verifreg18.AllocationId
}

// Notification is SectorContentChanged for one actor.
type Notification struct {
	To      address.Address
	Payload []byte
}

// Sector is a sector to be. Without pieces it is committed capacity.
type Sector struct {
	Pieces []Piece
	// Lifetime is from the pre-commitment to the expiration; DefaultLifetime if 0.
	Lifetime abi.ChainEpoch
}

// Demands say what makes a whole proof fail. Without them, sectors that fail are left
// out, and the answers of those who are notified do not matter.
type Demands struct {
	Activation   bool // every sector is activated with all its claims
	Notification bool // everybody who is notified accepts
}

// PreCommit promises sectors and gives their numbers, the next that are free.
func (m *Miner) PreCommit(ctx context.Context, sectors ...Sector) ([]abi.SectorNumber, error) {
	numbers, err := m.freeNumbers(ctx, len(sectors))
	if err != nil {
		return nil, fmt.Errorf("pre-commit sectors of %s: %w", m.id, err)
	}
	head := m.f.chain.Head().Height()
	params := &miner18.PreCommitSectorBatchParams2{}
	for i, s := range sectors {
		info := miner18.SectorPreCommitInfo{
			SealProof: m.seal, SectorNumber: numbers[i], SealRandEpoch: max(head-1, 0), Expiration: head + DefaultLifetime,
		}
		if s.Lifetime != 0 {
			info.Expiration = head + s.Lifetime
		}
		if info.SealedCID, err = m.replica(numbers[i]); err != nil {
			return nil, err
		}
		if info.UnsealedCid, err = m.unsealed(s.Pieces); err != nil {
			return nil, fmt.Errorf("pre-commit sector %d of %s: %w", numbers[i], m.id, err)
		}
		params.Sectors = append(params.Sectors, info)
	}
	if _, err := m.do(ctx, builtin.MethodsMiner.PreCommitSectorBatch2, params); err != nil {
		return nil, fmt.Errorf("pre-commit sectors of %s: %w", m.id, err)
	}
	return numbers, nil
}

// freeNumbers are the lowest sector numbers that were never used.
func (m *Miner) freeNumbers(ctx context.Context, count int) ([]abi.SectorNumber, error) {
	st := new(miner18.State)
	store, err := load(ctx, atHead{m.f.chain}, m.id, st)
	if err != nil {
		return nil, err
	}
	var used bitfield.BitField
	if err := store.Get(ctx, st.AllocatedSectors, &used); err != nil {
		return nil, fmt.Errorf("allocated sectors: %w", err)
	}
	var out []abi.SectorNumber
	for n := uint64(0); len(out) < count; n++ {
		taken, err := used.IsSet(n)
		if err != nil {
			return nil, fmt.Errorf("allocated sectors: %w", err)
		}
		if !taken {
			out = append(out, abi.SectorNumber(n))
		}
	}
	return out, nil
}

// replica is the commitment of a sector's replica: bytes from the seed.
func (m *Miner) replica(number abi.SectorNumber) (cid.Cid, error) {
	digest := m.f.bytesFor(32, "replica", uint64(m.ID()), uint64(number))
	digest[31] &= 0x3f // a field element
	hash, err := mh.Encode(digest, mh.POSEIDON_BLS12_381_A1_FC1)
	if err != nil {
		return cid.Undef, fmt.Errorf("replica of sector %d: %w", number, err)
	}
	return cid.NewCidV1(cid.FilCommitmentSealed, hash), nil
}

// unsealed is the commitment to a sector's data, nil if there is none.
func (m *Miner) unsealed(pieces []Piece) (*cid.Cid, error) {
	if len(pieces) == 0 {
		return nil, nil
	}
	infos := make([]abi.PieceInfo, len(pieces))
	for i, p := range pieces {
		infos[i] = abi.PieceInfo{PieceCID: p.CID, Size: p.Size}
	}
	c, err := sig.UnsealedCID(m.seal, infos)
	return &c, err
}

// Prove proves pre-committed sectors, given with the pieces they were pre-committed
// with, and notifies. It first lets the challenge delay pass. The result says which
// sectors failed.
func (m *Miner) Prove(ctx context.Context, numbers []abi.SectorNumber, sectors []Sector, demand Demands) (batch.BatchReturn, error) {
	var out batch.BatchReturn
	params, err := m.proof(numbers, sectors, demand)
	if err == nil {
		err = m.awaitChallenge(ctx, numbers)
	}
	if err != nil {
		return out, fmt.Errorf("prove sectors of %s: %w", m.id, err)
	}
	returned, err := m.do(ctx, builtin.MethodsMiner.ProveCommitSectors3, params)
	if err == nil {
		err = decode(returned, &out)
	}
	if err != nil {
		return out, fmt.Errorf("prove sectors of %s: %w", m.id, err)
	}
	return out, nil
}

func (m *Miner) proof(numbers []abi.SectorNumber, sectors []Sector, demand Demands) (*miner18.ProveCommitSectors3Params, error) {
	if len(numbers) != len(sectors) {
		return nil, fmt.Errorf("%d numbers for %d sectors", len(numbers), len(sectors))
	}
	size, err := m.seal.ProofSize()
	if err != nil {
		return nil, err
	}
	params := &miner18.ProveCommitSectors3Params{
		RequireActivationSuccess: demand.Activation, RequireNotificationSuccess: demand.Notification,
	}
	for i, s := range sectors {
		manifest := miner18.SectorActivationManifest{SectorNumber: numbers[i]}
		for _, p := range s.Pieces {
			piece, err := p.manifest()
			if err != nil {
				return nil, err
			}
			manifest.Pieces = append(manifest.Pieces, piece)
		}
		params.SectorActivations = append(params.SectorActivations, manifest)
		params.SectorProofs = append(params.SectorProofs, m.f.bytesFor(int(size), "seal", uint64(m.ID()), uint64(numbers[i])))
	}
	return params, nil
}

func (p Piece) manifest() (miner18.PieceActivationManifest, error) {
	out := miner18.PieceActivationManifest{CID: p.CID, Size: p.Size}
	if p.Allocation != nil {
		out.VerifiedAllocationKey = &miner18.VerifiedAllocationKey{Client: p.Allocation.Client, ID: p.Allocation.ID}
	}
	if p.Deal != nil {
		id := cbg.CborInt(*p.Deal)
		payload, err := encode(&id)
		if err != nil {
			return out, err
		}
		out.Notify = append(out.Notify, miner18.DataActivationNotification{Address: builtin.StorageMarketActorAddr, Payload: payload})
	}
	for _, n := range p.Notify {
		out.Notify = append(out.Notify, miner18.DataActivationNotification{Address: n.To, Payload: n.Payload})
	}
	return out, nil
}

// awaitChallenge lets time pass until the sectors' challenges can be drawn, in the
// head's epoch already, in which gas is tried.
func (m *Miner) awaitChallenge(ctx context.Context, numbers []abi.SectorNumber) error {
	st := new(miner18.State)
	store, err := load(ctx, atHead{m.f.chain}, m.id, st)
	if err != nil {
		return err
	}
	var ready abi.ChainEpoch
	for _, n := range numbers {
		info, ok, err := st.GetPrecommittedSector(store, n)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("sector %d is not pre-committed", n)
		}
		ready = max(ready, info.PreCommitEpoch+challengeDelay+1)
	}
	return m.f.Reach(ctx, ready)
}

// maxBatch is how many sectors one message carries: the actor takes 256, and a proof
// of so many would leave a block no gas.
const maxBatch = 50

// ErrSectorFailed means that a sector of a batch was left out.
var ErrSectorFailed = errors.New("a sector was not activated")

// Seal pre-commits and proves sectors, all or, with an error, not all. Errors:
// ErrSectorFailed, *ExitError.
func (m *Miner) Seal(ctx context.Context, sectors ...Sector) ([]abi.SectorNumber, error) {
	var all []abi.SectorNumber
	for len(sectors) > 0 {
		now := sectors[:min(len(sectors), maxBatch)]
		sectors = sectors[len(now):]
		numbers, err := m.PreCommit(ctx, now...)
		if err != nil {
			return all, err
		}
		result, err := m.Prove(ctx, numbers, now, Demands{})
		if err != nil {
			return all, err
		}
		for i, code := range result.Codes() {
			if code.IsError() {
				return all, fmt.Errorf("sector %d of %s: exit code %d: %w", numbers[i], m.id, code, ErrSectorFailed)
			}
			all = append(all, numbers[i])
		}
	}
	return all, nil
}
