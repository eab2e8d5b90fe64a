package fvm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// maxDigest is the longest digest that a CID may have inside the FVM, in bytes.
const maxDigest = 64

var errBadCID = errors.New("malformed CID")

// parseCID reads the CID at the start of b and returns how many bytes it took. As in the
// FVM a CID is a version 0 or version 1 CID with any codec and hash and a digest of at most
// 64 bytes; varints must be minimal.
func parseCID(b []byte) (int, cid.Cid, error) {
	if len(b) >= 34 && b[0] == 0x12 && b[1] == 0x20 {
		n, c, err := cid.CidFromBytes(b[:34])
		return n, c, err
	}
	off := 0
	var v [4]uint64
	for i := range v {
		x, n, err := varint(b[off:])
		if err != nil {
			return 0, cid.Undef, err
		}
		if i == 0 && x != 1 {
			return 0, cid.Undef, fmt.Errorf("%w: version %d", errBadCID, x)
		}
		v[i] = x
		off += n
	}
	if v[3] > maxDigest || uint64(len(b)-off) < v[3] {
		return 0, cid.Undef, fmt.Errorf("%w: digest of %d bytes", errBadCID, v[3])
	}
	end := off + int(v[3])
	c, err := cid.Cast(b[:end])
	if err != nil {
		// go-cid wants known lengths for known hashes; the bytes are a CID all the same.
		enc, encErr := mh.Encode(b[off:end], v[2])
		if encErr != nil {
			return 0, cid.Undef, fmt.Errorf("%w: %w", errBadCID, err)
		}
		c = cid.NewCidV1(v[1], enc)
	}
	return end, c, nil
}

// varint reads a minimal unsigned varint of at most 64 bits.
func varint(b []byte) (uint64, int, error) {
	x, n := binary.Uvarint(b)
	if n <= 0 || (n > 1 && b[n-1] == 0) {
		return 0, 0, fmt.Errorf("%w: varint", errBadCID)
	}
	return x, n, nil
}

// digestOf returns the digest inside a CID.
func digestOf(c cid.Cid) ([]byte, error) {
	d, err := mh.Decode(c.Hash())
	if err != nil {
		return nil, refuse(ErrNotFound, "CID %s has a hash that cannot be read: %v", c, err)
	}
	return d.Digest, nil
}
