package sig

import (
	"crypto/sha256"
	"errors"
	"math/rand/v2"
	"testing"

	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
)

const (
	proof2KiB  = abi.RegisteredSealProof_StackedDrg2KiBV1_1
	proof8MiB  = abi.RegisteredSealProof_StackedDrg8MiBV1_1
	proof32GiB = abi.RegisteredSealProof_StackedDrg32GiBV1_1
)

func TestEmptySectors(t *testing.T) {
	// The commitments of zeros that miners know.
	for proof, want := range map[abi.RegisteredSealProof]string{
		proof2KiB:  "baga6ea4seaqpy7usqklokfx2vxuynmupslkeutzexe2uqurdg5vhtebhxqmpqmy",
		proof32GiB: "baga6ea4seaqao7s73y24kcutaosvacpdjgfe5pw76ooefnyqw4ynr3d2y6x2mpq",
	} {
		if c, err := UnsealedCID(proof, nil); err != nil || c.String() != want {
			t.Errorf("proof %d: %s, error %v, want %s", proof, c, err, want)
		}
	}
}

// node is a commitment as the definition has it: the hash of two halves, cut to 254 bits.
func node(l, r [32]byte) [32]byte {
	h := sha256.Sum256(append(l[:], r[:]...))
	h[31] &= 0x3f
	return h
}

// zeros is the commitment of that many bytes of zeros; a leaf has 32.
func zeros(size uint64) [32]byte {
	if size == 32 {
		return [32]byte{}
	}
	half := zeros(size / 2)
	return node(half, half)
}

type placed struct {
	at, size uint64
	comm     [32]byte
}

// naive is the commitment of a range of the sector by recursion over halves.
func naive(at, size uint64, pieces []placed) [32]byte {
	inside := 0
	for _, p := range pieces {
		if p.at == at && p.size == size {
			return p.comm
		}
		if p.at >= at && p.at < at+size {
			inside++
		}
	}
	if inside == 0 {
		return zeros(size)
	}
	return node(naive(at, size/2, pieces), naive(at+size/2, size/2, pieces))
}

func TestUnsealedEqualsDefinition(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	const sector = 2048
	fits := 0
	for range 300 {
		var infos []abi.PieceInfo
		var all []placed
		var end uint64
		for range 1 + rng.IntN(6) {
			p := placed{size: 128 << rng.IntN(5)}
			for i := range p.comm {
				p.comm[i] = byte(rng.Uint32())
			}
			p.comm[31] &= 0x3f
			p.at = (end + p.size - 1) / p.size * p.size
			end = p.at + p.size
			c, err := commcid.DataCommitmentV1ToCID(p.comm[:])
			if err != nil {
				t.Fatal(err)
			}
			infos, all = append(infos, abi.PieceInfo{Size: abi.PaddedPieceSize(p.size), PieceCID: c}), append(all, p)
		}
		got, err := UnsealedCID(proof2KiB, infos)
		if end > sector {
			if !errors.Is(err, ErrPieces) {
				t.Fatalf("%v end at %d: error %v, want ErrPieces", infos, end, err)
			}
			continue
		}
		fits++
		sum := naive(0, sector, all)
		want, err2 := commcid.DataCommitmentV1ToCID(sum[:])
		if err != nil || err2 != nil || got != want {
			t.Fatalf("%v: %s (%v), want %s (%v)", infos, got, err, want, err2)
		}
	}
	if fits < 50 {
		t.Errorf("only %d lists fit a sector; the test says little", fits)
	}
}

func TestPieceInALargeSector(t *testing.T) {
	comm := [32]byte{1}
	c, err := commcid.DataCommitmentV1ToCID(comm[:])
	if err != nil {
		t.Fatal(err)
	}
	got, err := UnsealedCID(proof8MiB, []abi.PieceInfo{{Size: 2048, PieceCID: c}})
	sum := naive(0, 8<<20, []placed{{size: 2048, comm: comm}})
	want, err2 := commcid.DataCommitmentV1ToCID(sum[:])
	if err != nil || err2 != nil || got != want {
		t.Errorf("%s (%v), want %s (%v)", got, err, want, err2)
	}
}

func TestUnsealedRefuses(t *testing.T) {
	good, err := UnsealedCID(proof2KiB, nil)
	if err != nil {
		t.Fatal(err)
	}
	piece := func(size uint64, c cid.Cid) []abi.PieceInfo {
		return []abi.PieceInfo{{Size: abi.PaddedPieceSize(size), PieceCID: c}}
	}
	other := cid.MustParse("bafy2bzaceaxm23epjsmh75yvzcecsrbavlmkcxnva66bkdebdcnyw3bjrc74u")
	many := append(append(piece(1024, good), piece(2048, good)...), piece(128, good)...)
	for name, c := range map[string]struct {
		proof  abi.RegisteredSealProof
		pieces []abi.PieceInfo
	}{
		"unknown proof": {99, nil}, "too large": {proof2KiB, piece(4096, good)}, "no power of two": {proof2KiB, piece(300, good)},
		"too small": {proof2KiB, piece(64, good)}, "zero": {proof2KiB, piece(0, good)}, "huge": {proof2KiB, piece(1<<63, good)},
		"other CID": {proof2KiB, piece(2048, other)}, "no CID": {proof2KiB, piece(2048, cid.Undef)}, "too many": {proof2KiB, many},
	} {
		if _, err := UnsealedCID(c.proof, c.pieces); !errors.Is(err, ErrPieces) {
			t.Errorf("%s: error %v, want ErrPieces", name, err)
		}
	}
}
