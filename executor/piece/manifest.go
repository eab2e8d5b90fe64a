package piece

import (
	"errors"

	"github.com/ipfs/go-cid"
)

// Format is how a bucket becomes one piece.
type Format string

const (
	FormatPoDSI Format = "podsi" // FRC-0058: each item's CAR is a segment
	FormatCAR   Format = "car"   // one CAR with all items as roots
)

// Manifest is the identity of a bucket's piece: who has the same manifest and the
// same blocks makes the same piece. Its canonical encoding is deterministic
// dag-cbor without links.
type Manifest struct {
	Format Format
	Padded uint64 // of the piece
	Items  []ManifestItem
}

// ManifestItem is one item, in order. Piece is zero with FormatCAR.
type ManifestItem struct {
	Root  cid.Cid    // of the content
	Piece Commitment // of the item's own CAR
}

// Encode is the canonical encoding.
func (m Manifest) Encode() ([]byte, error) { return nil, errors.New("being built") }

// DecodeManifest reads what Encode gives and refuses any other form of the same.
func DecodeManifest(b []byte) (Manifest, error) { return Manifest{}, errors.New("being built") }

// CID names the manifest: CIDv1, dag-cbor, sha2-256 of the canonical encoding.
func (m Manifest) CID() (cid.Cid, error) { return cid.Undef, errors.New("being built") }
