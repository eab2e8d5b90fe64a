package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/filecoin-project/go-data-segment/datasegment"
	"github.com/filecoin-project/go-data-segment/fr32"
	"github.com/filecoin-project/go-data-segment/merkletree"
	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/filecoin-project/go-state-types/abi"
)

// inclusion is an inclusion proof with what it is of. Sizes and offsets are
// padded bytes; the index of a path counts nodes of its level.
type inclusion struct {
	Name         string          `json:"name"`
	CommPc       hexutil.Bytes   `json:"commPc"`
	SizePc       uint64          `json:"sizePc"`
	CommPa       hexutil.Bytes   `json:"commPa"`
	SizePa       uint64          `json:"sizePa"`
	Offset       uint64          `json:"offset"`
	SubtreeIndex uint64          `json:"subtreeIndex"`
	SubtreePath  []hexutil.Bytes `json:"subtreePath"`
	IndexIndex   uint64          `json:"indexIndex"`
	IndexPath    []hexutil.Bytes `json:"indexPath"`
}

// podsi is the file: proofs that hold, and proofs that are whole as trees but
// that the reference refuses.
type podsi struct {
	Cases   []inclusion `json:"cases"`
	Refused []inclusion `json:"refused"`
}

const (
	kib = 1 << 10
	mib = 1 << 20
	gib = 1 << 30
)

// bucket is an aggregate to make, and which of its pieces to prove.
type bucket struct {
	name   string
	size   uint64
	pieces []uint64
	prove  []int
}

func podsiVectors() (any, error) {
	random := rand.New(rand.NewPCG(0x706f647369, 1))
	many := make([]uint64, 200)
	for i := range many {
		many[i] = 128 << random.IntN(18)
	}
	var full []uint64
	for range 1 << 9 {
		full = append(full, 64*kib)
	}
	out := podsi{}
	for _, b := range []bucket{
		{"one piece of 128 bytes in 512", 512, []uint64{128}, []int{0}},
		{"two unequal pieces in 1 KiB", kib, []uint64{128, 256}, []int{0, 1}},
		{"four pieces of mixed sizes in 1 MiB", mib, []uint64{4 * kib, 128, 256 * kib, 32 * kib}, []int{0, 1, 2, 3}},
		{"as many pieces as the index holds in 64 MiB", 64 * mib, full, []int{0, 255, 511}},
		{"two hundred pieces in 32 GiB", 32 * gib, many, []int{0, 7, 99, 199}},
		{"a large piece in 64 GiB", 64 * gib, []uint64{32 * gib, 128}, []int{0, 1}},
	} {
		proofs, err := prove(random, b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", b.name, err)
		}
		out.Cases = append(out.Cases, proofs...)
	}
	for _, make := range []func(*rand.Rand) (inclusion, error){entryBeforeIndex, entryOfOtherSize, entryOfOtherPlace} {
		refused, err := make(random)
		if err != nil {
			return nil, err
		}
		out.Refused = append(out.Refused, refused)
	}
	return out, nil
}

// commitment is a random node: its two top bits are clear.
func commitment(random *rand.Rand) (node merkletree.Node) {
	for i := range node {
		node[i] = byte(random.Uint32())
	}
	node[31] &= 0x3f
	return node
}

// prove builds the aggregate and has the reference check each proof.
func prove(random *rand.Rand, b bucket) ([]inclusion, error) {
	var pieces []abi.PieceInfo
	for _, size := range b.pieces {
		node := commitment(random)
		c, err := commcid.DataCommitmentV1ToCID(node[:])
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, abi.PieceInfo{Size: abi.PaddedPieceSize(size), PieceCID: c})
	}
	aggregate, err := datasegment.NewAggregate(abi.PaddedPieceSize(b.size), pieces)
	if err != nil {
		return nil, err
	}
	root := aggregate.Tree.Root()
	var made []inclusion
	for _, i := range b.prove {
		proof, err := aggregate.ProofForPieceInfo(pieces[i])
		if err != nil {
			return nil, err
		}
		aux, err := proof.ComputeExpectedAuxData(datasegment.VerifierDataForPieceInfo(pieces[i]))
		if err != nil {
			return nil, fmt.Errorf("the reference refuses its own proof: %w", err)
		}
		commPa, err := commcid.CIDToDataCommitmentV1(aux.CommPa)
		if err != nil {
			return nil, err
		}
		if root != merkletree.Node(commPa) || uint64(aux.SizePa) != b.size {
			return nil, fmt.Errorf("proof of piece %d is of another aggregate", i)
		}
		node, err := commcid.CIDToDataCommitmentV1(pieces[i].PieceCID)
		if err != nil {
			return nil, err
		}
		made = append(made, describe(fmt.Sprintf("%s: piece %d", b.name, i),
			merkletree.Node(node), b.pieces[i], root, b.size, *proof))
	}
	return made, nil
}

func describe(name string, piece merkletree.Node, sizePc uint64, root merkletree.Node, sizePa uint64, p datasegment.InclusionProof) inclusion {
	return inclusion{
		Name: name, CommPc: piece[:], SizePc: sizePc, CommPa: root[:], SizePa: sizePa,
		Offset:       p.ProofSubtree.Index * sizePc,
		SubtreeIndex: p.ProofSubtree.Index, SubtreePath: nodes(p.ProofSubtree.Path),
		IndexIndex: p.ProofIndex.Index, IndexPath: nodes(p.ProofIndex.Path),
	}
}

func nodes(path []merkletree.Node) []hexutil.Bytes {
	out := []hexutil.Bytes{}
	for _, node := range path {
		out = append(out, append(hexutil.Bytes{}, node[:]...))
	}
	return out
}

// The three below make trees that no aggregator should make: 1 MiB with one
// piece of 4 KiB at 64 KiB, whose entry is out of place or says another thing.
const (
	crookedSize  = mib
	crookedPiece = 4 * kib
	crookedAt    = 64 * kib
	crookedIndex = crookedSize - 8*datasegment.EntrySize
)

func entryBeforeIndex(random *rand.Rand) (inclusion, error) {
	return crooked(random, "the entry lies before the index", crookedAt, crookedPiece, crookedIndex-datasegment.EntrySize)
}

func entryOfOtherSize(random *rand.Rand) (inclusion, error) {
	return crooked(random, "the entry says another size", crookedAt, 2*crookedPiece, crookedIndex)
}

func entryOfOtherPlace(random *rand.Rand) (inclusion, error) {
	return crooked(random, "the entry says another place", crookedAt+crookedPiece, crookedPiece, crookedIndex)
}

func crooked(random *rand.Rand, name string, offset, size, entryAt uint64) (inclusion, error) {
	piece := commitment(random)
	tree, err := merkletree.NewHybrid(15) // 2^15 leaves
	if err != nil {
		return inclusion{}, err
	}
	if err := tree.SetNode(7, crookedAt/crookedPiece, &piece); err != nil {
		return inclusion{}, err
	}
	entry, err := datasegment.MakeDataSegmentIndexEntry((*fr32.Fr32)(&piece), offset, size)
	if err != nil {
		return inclusion{}, err
	}
	for i, node := range entry.IntoNodes() {
		if err := tree.SetNode(0, entryAt/merkletree.NodeSize+uint64(i), &node); err != nil {
			return inclusion{}, err
		}
	}
	subtree, err := tree.CollectProof(7, crookedAt/crookedPiece)
	if err != nil {
		return inclusion{}, err
	}
	index, err := tree.CollectProof(1, entryAt/datasegment.EntrySize)
	if err != nil {
		return inclusion{}, err
	}
	proof := datasegment.InclusionProof{ProofSubtree: subtree, ProofIndex: index}
	c, err := commcid.DataCommitmentV1ToCID(piece[:])
	if err != nil {
		return inclusion{}, err
	}
	if _, err := proof.ComputeExpectedAuxData(datasegment.InclusionVerifierData{CommPc: c, SizePc: crookedPiece}); err == nil {
		return inclusion{}, fmt.Errorf("%s: the reference takes it", name)
	}
	return describe(name, piece, crookedPiece, tree.Root(), crookedSize, proof), nil
}
