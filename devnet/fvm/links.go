package fvm

import (
	"encoding/binary"
	"math"

	"github.com/ipfs/go-cid"
)

// scanCost is told of every CBOR field and every CID that a scan for links meets. Nil
// charges nothing.
type scanCost interface {
	field() error
	link() error
}

// scanLinks returns the blocks that a block of the given codec links to, in the order met.
// Sector commitments are no blocks and are left out; inline (identity) CIDs are looked
// into. Links that no block can satisfy are refused.
func scanLinks(codec uint64, data []byte, cost scanCost) ([]cid.Cid, error) {
	s := linkScan{cost: cost}
	err := s.block(codec, data)
	return s.links, err
}

// Links returns the blocks that a DAG-CBOR block of state links to, in the order met;
// commitments to sectors are not among them.
func Links(data []byte) ([]cid.Cid, error) { return scanLinks(codecDagCBOR, data, nil) }

type linkScan struct {
	cost  scanCost
	links []cid.Cid
}

func (s *linkScan) block(codec uint64, data []byte) error {
	switch codec {
	case codecDagCBOR:
		return s.cbor(data)
	case codecRaw, codecCBOR:
		return nil
	}
	return refuse(ErrIllegalCodec, "codec %#x is not allowed", codec)
}

// visit records a link, or looks into it when it is inline.
func (s *linkScan) visit(c cid.Cid) error {
	p := c.Prefix()
	switch p.Codec {
	case codecUnsealed, codecSealed:
		return nil
	case codecRaw, codecCBOR, codecDagCBOR:
	default:
		return refuse(ErrNotFound, "block links to a CID with the forbidden codec %#x", p.Codec)
	}
	digest, err := digestOf(c)
	if err != nil {
		return err
	}
	if p.MhType == hashIdentity {
		return s.block(p.Codec, digest)
	}
	if p.MhType != hashBlake2b256 || len(digest) != 32 {
		return refuse(ErrNotFound, "block links to a CID with the forbidden hash %#x of %d bytes", p.MhType, len(digest))
	}
	s.links = append(s.links, c)
	return nil
}

// cborHead reads one CBOR head and returns its major type, its argument and the rest.
func cborHead(b []byte) (major byte, arg uint64, rest []byte, err error) {
	bad := refuse(ErrSerialization, "invalid cbor header")
	if len(b) == 0 {
		return 0, 0, nil, bad
	}
	major, low := b[0]>>5, b[0]&0x1f
	b = b[1:]
	if low < 24 {
		return major, uint64(low), b, nil
	}
	if low > 27 {
		return 0, 0, nil, bad
	}
	n := 1 << (low - 24)
	if len(b) < n {
		return 0, 0, nil, bad
	}
	switch n {
	case 1:
		arg = uint64(b[0])
	case 2:
		arg = uint64(binary.BigEndian.Uint16(b))
	case 4:
		arg = uint64(binary.BigEndian.Uint32(b))
	default:
		arg = binary.BigEndian.Uint64(b)
	}
	return major, arg, b[n:], nil
}

// cbor walks a DAG-CBOR block without decoding it.
func (s *linkScan) cbor(b []byte) error {
	for remaining := uint64(1); remaining > 0; {
		remaining--
		if s.cost != nil {
			if err := s.cost.field(); err != nil {
				return err
			}
		}
		major, arg, rest, err := cborHead(b)
		if err != nil {
			return err
		}
		b = rest
		var more uint64
		switch major {
		case 2, 3:
			if arg > uint64(len(b)) {
				return refuse(ErrSerialization, "unexpected end of cbor stream")
			}
			b = b[arg:]
		case 4:
			more = arg
		case 5:
			if arg > math.MaxUint64/2 {
				return refuse(ErrSerialization, "cbor field count overflow")
			}
			more = 2 * arg
		case 6:
			if arg != 42 {
				more = 1
				break
			}
			if b, err = s.tagged(b); err != nil {
				return err
			}
		}
		if remaining+more < remaining {
			return refuse(ErrSerialization, "cbor field count overflow")
		}
		remaining += more
	}
	if len(b) != 0 {
		return refuse(ErrSerialization, "%d trailing bytes in a CBOR block", len(b))
	}
	return nil
}

// tagged reads the CID behind tag 42 and returns what follows it.
func (s *linkScan) tagged(b []byte) ([]byte, error) {
	if s.cost != nil {
		if err := s.cost.link(); err != nil {
			return nil, err
		}
	}
	major, n, b, err := cborHead(b)
	if err != nil {
		return nil, err
	}
	if major != 2 {
		return nil, refuse(ErrSerialization, "a CID must be a byte string")
	}
	if n > uint64(len(b)) {
		return nil, refuse(ErrSerialization, "unexpected end of cbor stream")
	}
	if n < 1 || b[0] != 0 {
		return nil, refuse(ErrSerialization, "a CID must start with a zero byte")
	}
	used, c, err := parseCID(b[1:n])
	if err != nil {
		return nil, refuse(ErrSerialization, "invalid cid: %v", err)
	}
	if used != int(n)-1 {
		return nil, refuse(ErrSerialization, "a CID has %d trailing bytes", int(n)-1-used)
	}
	return b[n:], s.visit(c)
}
