package ipfs

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/ipfs/go-cid"
	dagpb "github.com/ipld/go-codec-dagpb"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/codec/dagjson"
	"github.com/ipld/go-ipld-prime/datamodel"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	"github.com/ipld/go-ipld-prime/traversal"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

// MaxIdentity is the largest identity multihash digest accepted, bytes.
const MaxIdentity = 128

// The allow-list. A DAG with any other codec or hash is invalid content.
var (
	allowedCodecs = map[uint64]string{cid.Raw: "raw", cid.DagProtobuf: "dag-pb", cid.DagCBOR: "dag-cbor", cid.DagJSON: "dag-json"}
	// digest lengths, so that a truncated digest is refused
	allowedHashes = map[uint64]int{mh.SHA2_256: 32, mh.SHA2_512: 64, mh.BLAKE2B_MIN + 31: 32, mh.BLAKE3: 32}
)

// CheckCID tells whether the node would hold a block of this CID: allow-listed
// codec and hash, full digest, identity at most MaxIdentity bytes. The error is
// a *job.Fault with ReasonInvalidContent.
func CheckCID(c cid.Cid) error {
	if !c.Defined() {
		return fault(job.ReasonInvalidContent, false, "the CID is undefined")
	}
	p := c.Prefix()
	if _, ok := allowedCodecs[p.Codec]; !ok {
		return fault(job.ReasonInvalidContent, false, "%s has codec 0x%x; allowed are raw, dag-pb, dag-cbor and dag-json", c, p.Codec)
	}
	dec, err := mh.Decode(c.Hash())
	if err != nil {
		return fault(job.ReasonInvalidContent, false, "%s: multihash: %w", c, err)
	}
	if dec.Code == mh.IDENTITY {
		if dec.Length > MaxIdentity {
			return fault(job.ReasonInvalidContent, false, "identity CID of %d bytes; at most %d are allowed", dec.Length, MaxIdentity)
		}
		return nil
	}
	want, ok := allowedHashes[dec.Code]
	if !ok {
		return fault(job.ReasonInvalidContent, false, "%s has hash 0x%x; allowed are sha2-256, sha2-512, blake2b-256, blake3 and identity", c, dec.Code)
	}
	if dec.Length != want {
		return fault(job.ReasonInvalidContent, false, "%s has a digest of %d bytes; hash 0x%x has %d", c, dec.Length, dec.Code, want)
	}
	return nil
}

// identityData is the content an identity CID carries; false for any other CID.
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

// link is one child of a block, with the number of links that name it.
type link struct {
	c cid.Cid
	n uint64
}

// links are the distinct children of a block in the order of their first link.
type links struct {
	list []link
	all  int // links, duplicates included
	// declared is what a dag-pb block claims its children weigh, saturating.
	declared uint64
}

// decodeLinks reads a block and checks its children against the allow-list. Its
// errors are *job.Fault.
func decodeLinks(c cid.Cid, data []byte, maxLinks int) (links, error) {
	var out links
	at := make(map[cid.Cid]int)
	add := func(l datamodel.Link) error {
		cl, ok := l.(cidlink.Link)
		if !ok {
			return fault(job.ReasonInvalidContent, false, "%s links to something that is not a CID", c)
		}
		if out.all++; out.all > maxLinks {
			return fault(job.ReasonTooManyBlocks, false, "%s has more than %d links", c, maxLinks)
		}
		if i, ok := at[cl.Cid]; ok {
			out.list[i].n++
			return nil
		}
		if err := CheckCID(cl.Cid); err != nil {
			return fault(job.ReasonInvalidContent, false, "child of %s: %w", c, errors.Unwrap(err))
		}
		at[cl.Cid] = len(out.list)
		out.list = append(out.list, link{cl.Cid, 1})
		return nil
	}
	bad := func(err error) error {
		return fault(job.ReasonInvalidContent, false, "%s is not valid %s: %w", c, allowedCodecs[c.Prefix().Codec], err)
	}
	switch c.Prefix().Codec {
	case cid.Raw:
		return out, nil
	case cid.DagProtobuf:
		b := dagpb.Type.PBNode.NewBuilder()
		if err := dagpb.DecodeBytes(b, data); err != nil {
			return links{}, bad(err)
		}
		pb := b.Build().(dagpb.PBNode)
		for it := pb.Links.Iterator(); !it.Done(); {
			_, l := it.Next()
			if err := add(l.Hash.Link()); err != nil {
				return links{}, err
			}
			if l.Tsize.Exists() && l.Tsize.Must().Int() > 0 {
				out.declared = satAdd(out.declared, uint64(l.Tsize.Must().Int()))
			}
		}
		return out, nil
	case cid.DagCBOR:
		b := basicnode.Prototype.Any.NewBuilder()
		if err := (dagcbor.DecodeOptions{AllowLinks: true}).Decode(b, bytes.NewReader(data)); err != nil {
			return links{}, bad(err)
		}
		return out, eachLink(b.Build(), add)
	case cid.DagJSON:
		b := basicnode.Prototype.Any.NewBuilder()
		if err := (dagjson.DecodeOptions{ParseLinks: true, ParseBytes: true}).Decode(b, bytes.NewReader(data)); err != nil {
			return links{}, bad(err)
		}
		return out, eachLink(b.Build(), add)
	default:
		return links{}, CheckCID(c)
	}
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

// fault makes the error of a failure that is the content's.
func fault(r job.Reason, retry bool, format string, a ...any) error {
	return &job.Fault{Reason: r, Retry: retry, Err: fmt.Errorf(format, a...)}
}

// satAdd and satMul stay at the largest number instead of wrapping.
func satAdd(a, b uint64) uint64 {
	if a > math.MaxUint64-b {
		return math.MaxUint64
	}
	return a + b
}

func satMul(a, b uint64) uint64 {
	if a != 0 && b > math.MaxUint64/a {
		return math.MaxUint64
	}
	return a * b
}
