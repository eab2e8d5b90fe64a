package piece

import (
	"errors"
	"fmt"

	"encoding/binary"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

const (
	codecCommitment = 0xf101 // fil-commitment-unsealed
	hashCommitment  = 0x1012 // sha2-256-trunc254-padded
	hashTree        = 0x1011 // fr32-sha2-256-trunc254-padded-binary-tree
)

// ErrNotPiece is returned for a CID that names no piece.
var ErrNotPiece = errors.New("not a piece CID (baga… or bafkz…)")

// CID is the piece CID of version 1 (baga…), which contracts and providers use. It
// says nothing of sizes.
func (c Commitment) CID() cid.Cid {
	b := make([]byte, 0, 2+nodeSize)
	b = binary.AppendUvarint(b, hashCommitment)
	b = append(append(b, nodeSize), c.Root[:]...)
	return cid.NewCidV1(codecCommitment, b)
}

// CIDv2 is the piece CID of version 2 (FRC-0069, bafkz…), which carries both sizes.
// Of a piece larger than its payload needs the zeros count as payload: that
// version has no other way to say it. Both sizes must be known.
func (c Commitment) CIDv2() (cid.Cid, error) {
	if err := CheckPadded(c.Padded); err != nil {
		return cid.Undef, err
	}
	full := MaxPayload(c.Padded)
	if c.Payload == 0 || c.Payload > full {
		return cid.Undef, fmt.Errorf("piece CID v2: payload of %d bytes in a piece of %d", c.Payload, c.Padded)
	}
	padding := uint64(0)
	if PaddedSize(c.Payload) == c.Padded {
		padding = full - c.Payload
	}
	digest := binary.AppendUvarint(nil, padding)
	digest = append(append(digest, byte(height(c.Padded))), c.Root[:]...)
	b := binary.AppendUvarint(nil, hashTree)
	b = binary.AppendUvarint(b, uint64(len(digest)))
	return cid.NewCidV1(cid.Raw, append(b, digest...)), nil
}

// FromCID reads a piece CID of either version. Version 1 leaves the sizes 0.
func FromCID(c cid.Cid) (Commitment, error) {
	if !c.Defined() {
		return Commitment{}, fmt.Errorf("undefined: %w", ErrNotPiece)
	}
	dec, err := mh.Decode(c.Hash())
	if err != nil {
		return Commitment{}, fmt.Errorf("%s: %w", c, ErrNotPiece)
	}
	switch {
	case c.Version() == 1 && c.Type() == codecCommitment && dec.Code == hashCommitment && len(dec.Digest) == nodeSize:
		out := Commitment{Root: [32]byte(dec.Digest)}
		return out, checkRoot(c, out.Root)
	case c.Version() == 1 && c.Type() == cid.Raw && dec.Code == hashTree:
		return fromTreeHash(c, dec.Digest)
	}
	return Commitment{}, fmt.Errorf("%s: %w", c, ErrNotPiece)
}

func fromTreeHash(c cid.Cid, digest []byte) (Commitment, error) {
	bad := func(why string) (Commitment, error) {
		return Commitment{}, fmt.Errorf("%s: %s: %w", c, why, ErrNotPiece)
	}
	padding, n := binary.Uvarint(digest)
	if n <= 0 || len(digest) != n+1+nodeSize || len(binary.AppendUvarint(nil, padding)) != n {
		return bad("its digest is not padding, height and root")
	}
	h := digest[n]
	if h < 2 || h > maxHeight {
		return bad(fmt.Sprintf("tree height %d", h))
	}
	out := Commitment{Root: [32]byte(digest[n+1:]), Padded: nodeSize << h}
	full := MaxPayload(out.Padded)
	if padding >= full || PaddedSize(full-padding) != out.Padded {
		return bad(fmt.Sprintf("%d bytes of padding in a tree of height %d", padding, h))
	}
	out.Payload = full - padding
	return out, checkRoot(c, out.Root)
}

func checkRoot(c cid.Cid, root [32]byte) error {
	if root[31]&0xc0 != 0 {
		return fmt.Errorf("%s: its root has more than 254 bits: %w", c, ErrNotPiece)
	}
	return nil
}

// Parse reads a piece CID of either version from text.
func Parse(text string) (Commitment, error) {
	c, err := cid.Decode(text)
	if err != nil {
		return Commitment{}, fmt.Errorf("piece CID %q: %w", text, err)
	}
	return FromCID(c)
}
