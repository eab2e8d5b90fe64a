package sig

import (
	"errors"
	"fmt"

	commp "github.com/filecoin-project/go-commp-utils/v2"
	"github.com/filecoin-project/go-commp-utils/v2/zerocomm"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
)

// ErrPieces is wrapped by [UnsealedCID] when the pieces cannot be in such a sector; the machine answers "illegal argument" to it.
var ErrPieces = errors.New("pieces do not fit the sector")

// UnsealedCID is the commitment to a sector's data: its pieces in order, each at a multiple of its size, zeros between them and after
// them. A sector without pieces is all zeros. Sizes are padded (with Fr32 padding), powers of two from 128 bytes to the sector's size.
func UnsealedCID(proof abi.RegisteredSealProof, pieces []abi.PieceInfo) (cid.Cid, error) {
	sector, err := proof.SectorSize()
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: seal proof %d: %w", ErrPieces, proof, err)
	}
	full := abi.PaddedPieceSize(sector)
	if len(pieces) == 0 {
		return zerocomm.ZeroPieceCommitment(full.Unpadded()), nil
	}
	var end abi.PaddedPieceSize
	for i, p := range pieces {
		if !p.PieceCID.Defined() {
			return cid.Undef, fmt.Errorf("%w: piece %d has no CID", ErrPieces, i)
		}
		if err := p.Size.Validate(); err != nil {
			return cid.Undef, fmt.Errorf("%w: piece %d: %w", ErrPieces, i, err)
		}
		if _, err := commcid.CIDToDataCommitmentV1(p.PieceCID); err != nil {
			return cid.Undef, fmt.Errorf("%w: piece %d: %w", ErrPieces, i, err)
		}
		if p.Size > full || end > full-p.Size {
			return cid.Undef, fmt.Errorf("%w: piece %d of %d bytes ends beyond the sector of %d bytes", ErrPieces, i, p.Size, full)
		}
		// A piece begins at the next multiple of its size, a power of two.
		end = (end+p.Size-1)&^(p.Size-1) + p.Size
	}
	if end > full {
		return cid.Undef, fmt.Errorf("%w: together with the gaps between them they take %d bytes of %d", ErrPieces, end, full)
	}
	c, size, err := commp.PieceAggregateCommP(proof, pieces)
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: %w", ErrPieces, err)
	}
	if size == full {
		return c, nil
	}
	padded, err := commp.ZeroPadPieceCommitment(c, size.Unpadded(), full.Unpadded())
	if err != nil {
		return cid.Undef, fmt.Errorf("%w: pad with zeros: %w", ErrPieces, err)
	}
	return padded, nil
}
