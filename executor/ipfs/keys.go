package ipfs

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/ipfs/go-cid"
	mh "github.com/multiformats/go-multihash"
)

// Key spaces of the metadata store. Variable parts that are not last carry their
// length as uvarint.
//
//	b <mh>                     held block: 0x00 data | 0x01 uvarint(size), data in flatfs
//	r len <mh> <pin8>          reference: pin holds block
//	m <pin8> <mh>              manifest, the same fact by pin: uvarint(size)
//	p <ref>                    pin record, JSON
//	o len <owner> len <mh> <ref>   pins by owner and root
//	u len <owner> len <mh>     owner's last unpin of root: its seq, 8 bytes
//	i <seq8>                   intent: block files about to appear or vanish
//	t                          totals, merged: blocks, bytes, pins
//	n                          first pin number not yet reserved
const (
	spaceBlock    = 'b'
	spaceRef      = 'r'
	spaceManifest = 'm'
	spacePin      = 'p'
	spaceOwner    = 'o'
	spaceUnpin    = 'u'
	spaceIntent   = 'i'
)

var (
	keyTotals = []byte{'t'}
	keyPinNum = []byte{'n'}
)

// InlineMax is the largest block kept as a value of the metadata store, bytes.
const InlineMax = 32 << 10

// pinNum is a pin's short name inside the store; never reused.
type pinNum uint64

func keyBlock(h mh.Multihash) []byte {
	return append(append(make([]byte, 0, 1+len(h)), spaceBlock), h...)
}

func keyRefs(h mh.Multihash) []byte {
	k := append(make([]byte, 0, 12+len(h)), spaceRef)
	return append(binary.AppendUvarint(k, uint64(len(h))), h...)
}

func keyRef(h mh.Multihash, n pinNum) []byte {
	return binary.BigEndian.AppendUint64(keyRefs(h), uint64(n))
}

func keyManifests(n pinNum) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 48), spaceManifest), uint64(n))
}

func keyManifest(n pinNum, h mh.Multihash) []byte { return append(keyManifests(n), h...) }

func keyPin(ref string) []byte { return append([]byte{spacePin}, ref...) }

func keyOwners(owner string, root mh.Multihash) []byte { return keyOwned(spaceOwner, owner, root) }

func keyUnpin(owner string, root mh.Multihash) []byte { return keyOwned(spaceUnpin, owner, root) }

func keyOwned(space byte, owner string, root mh.Multihash) []byte {
	k := binary.AppendUvarint([]byte{space}, uint64(len(owner)))
	k = append(k, owner...)
	k = binary.AppendUvarint(k, uint64(len(root)))
	return append(k, root...)
}

func keyOwner(owner string, root mh.Multihash, ref string) []byte {
	return append(keyOwners(owner, root), ref...)
}

func keyIntent(seq uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{spaceIntent}, seq)
}

// prefixRange bounds an iterator to keys that start with p.
func prefixRange(p []byte) *pebble.IterOptions {
	end := append([]byte(nil), p...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return &pebble.IterOptions{LowerBound: p, UpperBound: end[:i+1]}
		}
	}
	return &pebble.IterOptions{LowerBound: p}
}

// splitRef takes a reference key apart.
func splitRef(k []byte) (mh.Multihash, pinNum, error) {
	l, n := binary.Uvarint(k[1:])
	if n <= 0 || uint64(len(k)) != 1+uint64(n)+l+8 {
		return nil, 0, fmt.Errorf("malformed reference key %x", k)
	}
	h := k[1+n : 1+n+int(l)]
	return mh.Multihash(h), pinNum(binary.BigEndian.Uint64(k[len(k)-8:])), nil
}

// encodeHashes and decodeHashes are the value of an intent.
func encodeHashes(hs []mh.Multihash) []byte {
	var out []byte
	for _, h := range hs {
		out = binary.AppendUvarint(out, uint64(len(h)))
		out = append(out, h...)
	}
	return out
}

func decodeHashes(b []byte) ([]mh.Multihash, error) {
	var out []mh.Multihash
	for len(b) > 0 {
		l, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < l {
			return nil, fmt.Errorf("malformed intent, %d bytes left", len(b))
		}
		out = append(out, append(mh.Multihash(nil), b[n:n+int(l)]...))
		b = b[n+int(l):]
	}
	return out, nil
}

// PinState is where a pin record is in its life.
type PinState string

const (
	StatePinning  PinState = "pinning"  // some blocks held, the rest still to come
	StatePinned   PinState = "pinned"   // the whole DAG held
	StateDropping PinState = "dropping" // being let go; New finishes it
)

// pinRecord is the value of a pin key.
type pinRecord struct {
	Num     pinNum    `json:"num"`
	Ref     string    `json:"ref"`
	Owner   string    `json:"owner"`
	Seq     uint64    `json:"seq"`
	Root    []byte    `json:"root"` // CID bytes as asked
	Name    string    `json:"name,omitempty"`
	State   PinState  `json:"state"`
	Blocks  uint64    `json:"blocks"`
	Bytes   uint64    `json:"bytes"`
	Logical uint64    `json:"logical"`
	Time    time.Time `json:"time"` // of the last change of state
}

func (r *pinRecord) root() (cid.Cid, error) {
	if len(r.Root) == 0 {
		return cid.Undef, nil
	}
	c, err := cid.Cast(r.Root)
	if err != nil {
		return cid.Undef, fmt.Errorf("pin record %s: root: %w", r.Ref, err)
	}
	return c, nil
}

func decodePin(v []byte) (*pinRecord, error) {
	r := new(pinRecord)
	if err := json.Unmarshal(v, r); err != nil {
		return nil, fmt.Errorf("decoding pin record: %w", err)
	}
	return r, nil
}

// totals are what the store holds; the value of the totals key, and a delta to
// it in a batch.
type totals struct{ Blocks, Bytes, Pins int64 }

func (t totals) encode() []byte {
	b := make([]byte, 0, 24)
	b = binary.BigEndian.AppendUint64(b, uint64(t.Blocks))
	b = binary.BigEndian.AppendUint64(b, uint64(t.Bytes))
	return binary.BigEndian.AppendUint64(b, uint64(t.Pins))
}

func decodeTotals(b []byte) (totals, error) {
	if len(b) != 24 {
		return totals{}, fmt.Errorf("totals are %d bytes long, not 24", len(b))
	}
	u := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[i:])) }
	return totals{u(0), u(8), u(16)}, nil
}

func (t *totals) add(d totals) {
	t.Blocks += d.Blocks
	t.Bytes += d.Bytes
	t.Pins += d.Pins
}

// sumMerger lets every batch carry its own change of the totals.
var sumMerger = &pebble.Merger{
	Name: "tidegate.sum.v1",
	Merge: func(_, value []byte) (pebble.ValueMerger, error) {
		t, err := decodeTotals(value)
		return &totalsMerge{t}, err
	},
}

type totalsMerge struct{ sum totals }

func (m *totalsMerge) MergeNewer(v []byte) error {
	t, err := decodeTotals(v)
	m.sum.add(t)
	return err
}
func (m *totalsMerge) MergeOlder(v []byte) error { return m.MergeNewer(v) }
func (m *totalsMerge) Finish(bool) ([]byte, io.Closer, error) {
	return m.sum.encode(), nil, nil
}
