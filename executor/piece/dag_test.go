package piece

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/ipfs/boxo/ipld/merkledag"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/codec/dagjson"
	"github.com/ipld/go-ipld-prime/datamodel"
	"github.com/ipld/go-ipld-prime/fluent/qp"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	mh "github.com/multiformats/go-multihash"
)

// memory is Blocks, a Sizer and what go-car reads from, with counts.
type memory struct {
	mu     sync.Mutex
	blocks map[string][]byte // by multihash
	gets   map[cid.Cid]int
	sizes  int
}

func newMemory() *memory {
	return &memory{blocks: make(map[string][]byte), gets: make(map[cid.Cid]int)}
}

func (m *memory) put(c cid.Cid, b []byte) cid.Cid {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blocks[string(c.Hash())] = b
	return c
}

func (m *memory) drop(c cid.Cid) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.blocks, string(c.Hash()))
}

func (m *memory) Get(_ context.Context, c cid.Cid) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gets[c]++
	b, ok := m.blocks[string(c.Hash())]
	if !ok {
		return nil, fmt.Errorf("%s: %w", c, ErrNoBlock)
	}
	return b, nil
}

func (m *memory) Size(_ context.Context, c cid.Cid) (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sizes++
	b, ok := m.blocks[string(c.Hash())]
	if !ok {
		return 0, fmt.Errorf("%s: %w", c, ErrNoBlock)
	}
	return uint64(len(b)), nil
}

// nodes shows memory to go-car.
type nodes struct{ m *memory }

func (n nodes) Get(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	b, err := n.m.Get(ctx, c)
	if err != nil {
		return nil, err
	}
	blk, err := blocks.NewBlockWithCid(b, c)
	if err != nil {
		return nil, err
	}
	if c.Type() == cid.DagProtobuf {
		return merkledag.DecodeProtobufBlock(blk)
	}
	return merkledag.DecodeRawBlock(blk)
}

func (n nodes) GetMany(context.Context, []cid.Cid) <-chan *ipld.NodeOption { panic("not asked for") }

func (m *memory) raw(b []byte) cid.Cid {
	n := merkledag.NewRawNode(b)
	return m.put(n.Cid(), b)
}

// node is a dag-pb block over links, CIDv1; with data so that no two are the same.
func (m *memory) node(t testing.TB, data string, links ...cid.Cid) cid.Cid {
	t.Helper()
	n := merkledag.NodeWithData([]byte(data))
	if err := n.SetCidBuilder(cid.V1Builder{Codec: cid.DagProtobuf, MhType: mh.SHA2_256}); err != nil {
		t.Fatal(err)
	}
	for i, l := range links {
		if err := n.AddRawLink(fmt.Sprintf("%06d", i), &ipld.Link{Cid: l, Size: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return m.put(n.Cid(), n.RawData())
}

// file is a tree with the given number of leaves, up to width a block.
func (m *memory) file(t testing.TB, seed uint64, leaves, size, width int) cid.Cid {
	t.Helper()
	level := make([]cid.Cid, leaves)
	for i := range level {
		level[i] = m.raw(random(seed<<16+uint64(i), size))
	}
	for n := 0; len(level) > 1 || n == 0; n++ {
		var up []cid.Cid
		for i := 0; i < len(level); i += width {
			up = append(up, m.node(t, fmt.Sprintf("%d/%d/%d", seed, n, i), level[i:min(len(level), i+width)]...))
		}
		level = up
	}
	return level[0]
}

func links(cids []cid.Cid) func(datamodel.ListAssembler) {
	return func(la datamodel.ListAssembler) {
		for _, c := range cids {
			qp.ListEntry(la, qp.Link(cidlink.Link{Cid: c}))
		}
	}
}

// cbor is a dag-cbor block with its links at two depths; json the same in dag-json.
func (m *memory) cbor(t testing.TB, cids ...cid.Cid) cid.Cid {
	return m.data(t, cid.DagCBOR, cids)
}

func (m *memory) json(t testing.TB, cids ...cid.Cid) cid.Cid {
	return m.data(t, cid.DagJSON, cids)
}

func (m *memory) data(t testing.TB, codec uint64, cids []cid.Cid) cid.Cid {
	t.Helper()
	n, err := qp.BuildMap(basicnode.Prototype.Any, 2, func(ma datamodel.MapAssembler) {
		qp.MapEntry(ma, "all", qp.List(int64(len(cids)), links(cids)))
		qp.MapEntry(ma, "last", qp.Link(cidlink.Link{Cid: cids[len(cids)-1]}))
	})
	if err != nil {
		t.Fatal(err)
	}
	encode := dagcbor.Encode
	if codec == cid.DagJSON {
		encode = dagjson.Encode
	}
	var b writeBuffer
	if err := encode(n, &b); err != nil {
		t.Fatal(err)
	}
	c, err := cid.V1Builder{Codec: codec, MhType: mh.BLAKE2B_MIN + 31}.Sum(b)
	if err != nil {
		t.Fatal(err)
	}
	return m.put(c, b)
}

type writeBuffer []byte

func (b *writeBuffer) Write(p []byte) (int, error) {
	*b = append(*b, p...)
	return len(p), nil
}

// zoo is a DAG with all codecs, several hashes, shared blocks, an identity CID with
// a link below, both CIDs of one dag-pb block, and one block under two codecs.
func (m *memory) zoo(t testing.TB) cid.Cid {
	t.Helper()
	shared := m.file(t, 77, 5, 3000, 3)
	under := m.raw([]byte("only below an identity CID"))
	inner := merkledag.NodeWithData(nil)
	if err := inner.AddRawLink("x", &ipld.Link{Cid: under}); err != nil {
		t.Fatal(err)
	}
	idHash, err := mh.Sum(inner.RawData(), mh.IDENTITY, -1)
	if err != nil {
		t.Fatal(err)
	}
	identity := cid.NewCidV1(cid.DagProtobuf, idHash)
	leaf, err := mh.Sum([]byte("blake3 leaf"), mh.BLAKE3, 32)
	if err != nil {
		t.Fatal(err)
	}
	blake := m.put(cid.NewCidV1(cid.Raw, leaf), []byte("blake3 leaf"))
	pb := m.node(t, "both", blake)
	v0 := cid.NewCidV0(pb.Hash())
	asRaw := cid.NewCidV1(cid.Raw, pb.Hash())
	return m.node(t, "zoo", shared, m.cbor(t, blake, shared, m.raw([]byte("c"))), m.json(t, shared, m.raw([]byte("j"))),
		identity, pb, v0, asRaw, shared, m.raw(nil), m.file(t, 78, 40, 500, 4))
}
