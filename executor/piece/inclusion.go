package piece

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"strings"
)

// ErrNotIncluded is returned by Verify when a proof shows nothing.
var ErrNotIncluded = errors.New("the proof does not show that the aggregate holds the piece")

// Node is a node of a Merkle tree, 0x… in JSON.
type Node [32]byte

// MarshalText gives 0x and 64 digits.
func (n Node) MarshalText() ([]byte, error) { return []byte("0x" + hex.EncodeToString(n[:])), nil }

// UnmarshalText reads what MarshalText gives.
func (n *Node) UnmarshalText(b []byte) error {
	digits, ok := strings.CutPrefix(string(b), "0x")
	raw, err := hex.DecodeString(digits)
	if !ok || err != nil || len(raw) != len(n) {
		return fmt.Errorf("%.80q: want 0x and 64 hexadecimal digits", b)
	}
	copy(n[:], raw)
	return nil
}

// MerklePath leads from a node to a root: the siblings from below, and the index
// among the nodes of its level.
type MerklePath struct {
	Index uint64 `json:"index"`
	Path  []Node `json:"path"`
}

// root is where the path leads from n.
func (p MerklePath) root(n [32]byte) ([32]byte, error) {
	if len(p.Path) > maxHeight || bits.Len64(p.Index) > len(p.Path) {
		return n, fmt.Errorf("a path of %d nodes from index %d: %w", len(p.Path), p.Index, ErrNotIncluded)
	}
	at := p.Index
	for _, sibling := range p.Path {
		s := [32]byte(sibling)
		if at&1 == 1 {
			n = hashPair(&s, &n)
		} else {
			n = hashPair(&n, &s)
		}
		at >>= 1
	}
	return n, nil
}

// InclusionProof is FRC-0058's proof of data segment inclusion (PoDSI), with the
// fields that contracts take.
type InclusionProof struct {
	Subtree MerklePath `json:"proofSubtree"` // of the segment in the aggregate
	Index   MerklePath `json:"proofIndex"`   // of its entry, in the aggregate's index
}

// Proof shows that segment i is in the aggregate and in its index.
func (a *Aggregate) Proof(i int) (InclusionProof, error) {
	if i < 0 || i >= len(a.Segments) {
		return InclusionProof{}, fmt.Errorf("proof of segment %d: the aggregate has %d", i, len(a.Segments))
	}
	s := a.Segments[i]
	return InclusionProof{
		Subtree: a.path(height(s.Padded), s.Offset/s.Padded),
		Index:   a.path(1, indexStart(a.padded)/entrySize+uint64(i)),
	}, nil
}

func (a *Aggregate) path(level int, at uint64) MerklePath {
	p := MerklePath{Index: at, Path: []Node{}}
	for ; level < height(a.padded); level++ {
		p.Path = append(p.Path, a.node(level, at^1))
		at /= 2
	}
	return p
}

// Verify tells whether the proof shows that the aggregate holds the piece, at a
// place that its index names. Of both the root and the padded size count. The
// error wraps ErrNotIncluded.
func (p InclusionProof) Verify(piece, aggregate Commitment) error {
	if err := errors.Join(CheckPadded(piece.Padded), CheckPadded(aggregate.Padded)); err != nil {
		return fmt.Errorf("%w: %w", ErrNotIncluded, err)
	}
	no := func(why string) error { return fmt.Errorf("%w: %s", ErrNotIncluded, why) }
	if len(p.Subtree.Path) != height(aggregate.Padded)-height(piece.Padded) {
		return no("the path of the piece has another length than the sizes say")
	}
	if len(p.Index.Path) != height(aggregate.Padded)-1 {
		return no("the path of the index entry has another length than the size says")
	}
	root, err := p.Subtree.root(piece.Root)
	if err != nil {
		return err
	}
	if root != aggregate.Root {
		return no("the path of the piece leads to another root")
	}
	e := entryOf(Segment{Commitment: piece, Offset: p.Subtree.Index * piece.Padded})
	entry := sha256.Sum256(e[:])
	entry[31] &= 0x3f
	if root, err = p.Index.root(entry); err != nil {
		return err
	}
	if root != aggregate.Root {
		return no("the path of the index entry leads to another root")
	}
	if p.Index.Index*entrySize < indexStart(aggregate.Padded) {
		return no("the index entry is not in the index")
	}
	return nil
}
