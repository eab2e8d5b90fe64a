package piece

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	dagpb "github.com/ipld/go-codec-dagpb"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/codec/dagjson"
	"github.com/ipld/go-ipld-prime/datamodel"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	"github.com/ipld/go-ipld-prime/traversal"
	mh "github.com/multiformats/go-multihash"
)

// ErrBadBlock is returned when a block's bytes are not those that its CID names,
// or are not what its codec says.
var ErrBadBlock = errors.New("bad block")

// verify compares a block with its CID.
func verify(c cid.Cid, data []byte) error {
	p := c.Prefix()
	if p.MhType == mh.SHA2_256 && p.MhLength == sha256.Size {
		sum := sha256.Sum256(data)
		if h := c.Hash(); string(h[len(h)-sha256.Size:]) != string(sum[:]) {
			return fmt.Errorf("%w: the bytes of %s have another hash", ErrBadBlock, c)
		}
		return nil
	}
	sum, err := mh.Sum(data, p.MhType, p.MhLength)
	if err != nil {
		return fmt.Errorf("%w: hashing %s: %w", ErrBadBlock, c, err)
	}
	if !bytes.Equal(sum, c.Hash()) {
		return fmt.Errorf("%w: the bytes of %s have another hash", ErrBadBlock, c)
	}
	return nil
}

// identityData is the content that an identity CID carries; false for any other.
func identityData(c cid.Cid) ([]byte, bool) {
	if c.Prefix().MhType != mh.IDENTITY {
		return nil, false
	}
	dec, err := mh.Decode(c.Hash())
	if err != nil {
		return nil, false
	}
	return dec.Digest, true
}

// linksOf are the distinct links of a block in the order of the data model.
func linksOf(c cid.Cid, data []byte) ([]cid.Cid, error) {
	var out []cid.Cid
	var met map[cid.Cid]bool
	add := func(l datamodel.Link) error {
		cl, ok := l.(cidlink.Link)
		if !ok {
			return fmt.Errorf("a link that is no CID: %v", l)
		}
		if met == nil {
			met = make(map[cid.Cid]bool)
		}
		if !met[cl.Cid] {
			met[cl.Cid] = true
			out = append(out, cl.Cid)
		}
		return nil
	}
	var err error
	switch c.Prefix().Codec {
	case cid.Raw:
		return nil, nil
	case cid.DagProtobuf:
		b := dagpb.Type.PBNode.NewBuilder()
		if err = dagpb.DecodeBytes(b, data); err != nil {
			break
		}
		for it := b.Build().(dagpb.PBNode).Links.Iterator(); !it.Done(); {
			_, l := it.Next()
			if err = add(l.Hash.Link()); err != nil {
				break
			}
		}
	case cid.DagCBOR:
		b := basicnode.Prototype.Any.NewBuilder()
		if err = (dagcbor.DecodeOptions{AllowLinks: true}).Decode(b, bytes.NewReader(data)); err == nil {
			err = eachLink(b.Build(), add)
		}
	case cid.DagJSON:
		b := basicnode.Prototype.Any.NewBuilder()
		if err = (dagjson.DecodeOptions{ParseLinks: true, ParseBytes: true}).Decode(b, bytes.NewReader(data)); err == nil {
			err = eachLink(b.Build(), add)
		}
	default:
		return nil, fmt.Errorf("%w: %s has codec 0x%x; known are raw, dag-pb, dag-cbor and dag-json", ErrBadBlock, c, c.Prefix().Codec)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: decoding %s: %w", ErrBadBlock, c, err)
	}
	return out, nil
}

// eachLink gives f the links of a decoded node in order. The decoders bound its depth.
func eachLink(n datamodel.Node, f func(datamodel.Link) error) error {
	links, err := traversal.SelectLinks(n)
	if err != nil {
		return err
	}
	for _, l := range links {
		if err := f(l); err != nil {
			return err
		}
	}
	return nil
}
