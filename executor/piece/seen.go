package piece

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// cidKey stands for a CID: 128 bits of its digest, mixed with all that is not
// digest. To have a block left out of a CAR somebody would need a second preimage
// of these bits, not a collision.
type cidKey [16]byte

// seenSet is a set of CIDs for walks over many millions of blocks: 16 bytes each,
// in tables at most three quarters full, so 21 to 43 bytes a block. The tables
// grow one by one: there is never a second copy of all.
type seenSet struct {
	shards [256]shard
	n      uint64
}

// shard is an open-addressed table; the zero key marks an empty slot.
type shard struct {
	slots []cidKey
	n     int
}

func keyOf(c cid.Cid) cidKey {
	p := c.Prefix()
	var k cidKey
	dec, err := mh.Decode(c.Hash())
	if err != nil || len(dec.Digest) < len(k) || dec.Code == mh.IDENTITY {
		sum := sha256.Sum256(c.Bytes())
		copy(k[:], sum[:])
	} else {
		copy(k[:], dec.Digest)
		mix := (p.Codec<<16 ^ p.MhType<<1 ^ p.Version) * 0x9e3779b97f4a7c15
		binary.LittleEndian.PutUint64(k[8:], binary.LittleEndian.Uint64(k[8:])^mix)
	}
	if k == (cidKey{}) {
		k[0] = 1
	}
	return k
}

func (s *seenSet) has(k cidKey) bool {
	t := &s.shards[k[0]]
	return len(t.slots) > 0 && t.slots[t.find(k)] == k
}

// add tells whether k is new.
func (s *seenSet) add(k cidKey) bool {
	t := &s.shards[k[0]]
	if (t.n+1)*4 > len(t.slots)*3 {
		t.grow()
	}
	i := t.find(k)
	if t.slots[i] == k {
		return false
	}
	t.slots[i] = k
	t.n++
	s.n++
	return true
}

// merge adds all of other.
func (s *seenSet) merge(other *seenSet) {
	for i := range other.shards {
		for _, k := range other.shards[i].slots {
			if k != (cidKey{}) {
				s.add(k)
			}
		}
	}
}

// find is the slot that holds k, or the empty one where it belongs.
func (t *shard) find(k cidKey) uint64 {
	mask := uint64(len(t.slots) - 1)
	for i := binary.LittleEndian.Uint64(k[1:]) & mask; ; i = (i + 1) & mask {
		if t.slots[i] == k || t.slots[i] == (cidKey{}) {
			return i
		}
	}
}

func (t *shard) grow() {
	old := t.slots
	t.slots = make([]cidKey, max(4, 2*len(old)))
	for _, k := range old {
		if k != (cidKey{}) {
			t.slots[t.find(k)] = k
		}
	}
}
