package piece

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// Format is how a bucket becomes one piece.
type Format string

const (
	FormatPoDSI Format = "podsi" // FRC-0058: each item's CAR is a segment
	FormatCAR   Format = "car"   // one CAR with all items as roots
)

// Manifest is the identity of a bucket's piece: who has the same manifest and the
// same blocks makes the same piece. Its canonical encoding is deterministic
// dag-cbor without links:
//
//	[1, format, padded size, [[root CID, piece root, payload, padded size], …]]
//
// with CIDs and roots as byte strings; a format that has no pieces of items leaves
// the root empty and the sizes 0.
type Manifest struct {
	Format Format
	Padded uint64 // of the bucket's piece
	Items  []ManifestItem
}

// ManifestItem is one item, in order. Piece is zero with FormatCAR.
type ManifestItem struct {
	Root  cid.Cid    // of the content
	Piece Commitment // of the item's own CAR
}

// ErrBadManifest is returned for what is not the canonical encoding of a manifest.
var ErrBadManifest = errors.New("not a manifest in canonical form")

const manifestVersion = 1

// Encode is the canonical encoding.
func (m Manifest) Encode() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	b := appendCBORHead(nil, 4, 4)
	b = appendCBORHead(b, 0, manifestVersion)
	b = append(appendCBORHead(b, 3, uint64(len(m.Format))), m.Format...)
	b = appendCBORHead(b, 0, m.Padded)
	b = appendCBORHead(b, 4, uint64(len(m.Items)))
	for _, it := range m.Items {
		b = appendCBORHead(b, 4, 4)
		b = append(appendCBORHead(b, 2, uint64(it.Root.ByteLen())), it.Root.Bytes()...)
		root := it.Piece.Root[:]
		if m.Format == FormatCAR {
			root = nil
		}
		b = append(appendCBORHead(b, 2, uint64(len(root))), root...)
		b = appendCBORHead(b, 0, it.Piece.Payload)
		b = appendCBORHead(b, 0, it.Piece.Padded)
	}
	return b, nil
}

func (m Manifest) check() error {
	if m.Format != FormatPoDSI && m.Format != FormatCAR {
		return fmt.Errorf("manifest: format %q: want %q or %q", m.Format, FormatPoDSI, FormatCAR)
	}
	if err := CheckPadded(m.Padded); err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	if len(m.Items) == 0 {
		return errors.New("manifest: no items")
	}
	for i, it := range m.Items {
		switch {
		case !it.Root.Defined():
			return fmt.Errorf("manifest: item %d has no root", i)
		case m.Format == FormatCAR && it.Piece != (Commitment{}):
			return fmt.Errorf("manifest: item %d of one CAR has a piece of its own", i)
		case m.Format == FormatPoDSI:
			if err := CheckPadded(it.Piece.Padded); err != nil {
				return fmt.Errorf("manifest: item %d: %w", i, err)
			}
		}
	}
	return nil
}

// wireManifest is the encoding's shape.
type wireManifest struct {
	_       struct{} `cbor:",toarray"`
	Version uint64
	Format  string
	Padded  uint64
	Items   []wireItem
}

type wireItem struct {
	_       struct{} `cbor:",toarray"`
	Root    []byte
	Piece   []byte
	Payload uint64
	Padded  uint64
}

// DecodeManifest reads what Encode gives and refuses any other form of the same.
func DecodeManifest(b []byte) (Manifest, error) {
	var w wireManifest
	if err := headerMode.Unmarshal(b, &w); err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrBadManifest, err)
	}
	if w.Version != manifestVersion {
		return Manifest{}, fmt.Errorf("%w: version %d", ErrBadManifest, w.Version)
	}
	m := Manifest{Format: Format(w.Format), Padded: w.Padded, Items: make([]ManifestItem, len(w.Items))}
	for i, it := range w.Items {
		c, err := cid.Cast(it.Root)
		if err != nil {
			return Manifest{}, fmt.Errorf("%w: item %d: %w", ErrBadManifest, i, err)
		}
		p := Commitment{Payload: it.Payload, Padded: it.Padded}
		copy(p.Root[:], it.Piece)
		m.Items[i] = ManifestItem{c, p}
	}
	again, err := m.Encode()
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: %w", ErrBadManifest, err)
	}
	if !bytes.Equal(again, b) {
		return Manifest{}, ErrBadManifest
	}
	return m, nil
}

// CID names the manifest: CIDv1, dag-cbor, sha2-256 of the canonical encoding.
func (m Manifest) CID() (cid.Cid, error) {
	b, err := m.Encode()
	if err != nil {
		return cid.Undef, err
	}
	h, err := mh.Sum(b, mh.SHA2_256, -1)
	if err != nil {
		return cid.Undef, fmt.Errorf("hashing a manifest: %w", err)
	}
	return cid.NewCidV1(cid.DagCBOR, h), nil
}

// Aggregate builds the FRC-0058 aggregate that a manifest of FormatPoDSI names.
func (m Manifest) Aggregate() (*Aggregate, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	if m.Format != FormatPoDSI {
		return nil, fmt.Errorf("manifest of format %q: only %q is an aggregate", m.Format, FormatPoDSI)
	}
	pieces := make([]Commitment, len(m.Items))
	for i, it := range m.Items {
		pieces[i] = it.Piece
	}
	return NewAggregate(pieces, m.Padded)
}

// Contents is the one CAR that a manifest of FormatCAR names.
func (m Manifest) Contents() (Contents, error) {
	if m.Format != FormatCAR {
		return Contents{}, fmt.Errorf("manifest of format %q: only %q is one CAR", m.Format, FormatCAR)
	}
	var what Contents
	for _, it := range m.Items {
		what.Roots = append(what.Roots, it.Root)
	}
	return what, nil
}
