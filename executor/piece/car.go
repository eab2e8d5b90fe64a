package piece

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
)

const (
	maxHeader  = 32 << 20 // of a CARv1, bytes
	maxSection = 8 << 20
	// CARv2Offset is where the CARv1 within our CARv2 files begins.
	CARv2Offset = int64(len(carV2Pragma) + carV2Header)

	carV2Pragma = "\x0a\xa1gversion\x02"
	carV2Header = 40
)

// carHeader is a CARv1 header with its length before it.
func carHeader(roots []cid.Cid) ([]byte, error) {
	if len(roots) == 0 {
		return nil, errors.New("a CAR needs a root")
	}
	b := append([]byte{0xa2, 0x65}, "roots"...)
	b = appendCBORHead(b, 4, uint64(len(roots)))
	for _, c := range roots {
		if !c.Defined() {
			return nil, errors.New("a root of the CAR is undefined")
		}
		b = append(b, 0xd8, 42)
		b = appendCBORHead(b, 2, uint64(c.ByteLen())+1)
		b = append(append(b, 0), c.Bytes()...)
	}
	b = append(append(b, 0x67), "version"...)
	b = append(b, 1)
	if len(b) > maxHeader {
		return nil, fmt.Errorf("%d roots make a CAR header of %d bytes; readers take at most %d", len(roots), len(b), maxHeader)
	}
	return append(binary.AppendUvarint(nil, uint64(len(b))), b...), nil
}

// appendCBORHead writes a major type with its number, in the shortest form.
func appendCBORHead(b []byte, major byte, n uint64) []byte {
	switch major <<= 5; {
	case n < 24:
		return append(b, major|byte(n))
	case n < 1<<8:
		return append(b, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	default:
		return binary.BigEndian.AppendUint64(append(b, major|27), n)
	}
}

// appendSectionHead is what stands before a block in a CAR.
func appendSectionHead(b []byte, c cid.Cid, size uint64) []byte {
	b = binary.AppendUvarint(b, uint64(c.ByteLen())+size)
	return append(b, c.KeyString()...)
}

// sectionSize is that of a block in a CAR, its head included, bytes.
func sectionSize(c cid.Cid, size uint64) uint64 {
	n := uint64(c.ByteLen()) + size
	return uvarintSize(n) + n
}

func uvarintSize(n uint64) uint64 {
	k := uint64(1)
	for ; n >= 0x80; n >>= 7 {
		k++
	}
	return k
}
