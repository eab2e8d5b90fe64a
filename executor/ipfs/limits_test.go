package ipfs

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/ipld/go-ipld-prime/codec/dagcbor"
	"github.com/ipld/go-ipld-prime/codec/dagjson"
	"github.com/ipld/go-ipld-prime/datamodel"
	"github.com/ipld/go-ipld-prime/fluent"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	mh "github.com/multiformats/go-multihash"

	"github.com/tidegate/tidegate/executor/job"
)

// refused pins root from src with edited limits, wants a final fault, and that
// nothing of it stays.
func refused(t *testing.T, src *Node, root cid.Cid, r job.Reason, words string, edit func(*Config)) {
	t.Helper()
	n := startNode(t, edit)
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: root, Origins: src.Addrs()}, nil)
	if f := wantFault(t, err, r, false); !strings.Contains(f.Error(), words) {
		t.Fatalf("%q does not say %q", f, words)
	}
	if _, ok, err := n.PinByRef(context.Background(), "r"); ok || err != nil {
		t.Fatalf("a record was left: %t, %v", ok, err)
	}
	wantClean(t, n, 0)
}

func bomb(t *testing.T, src *Node, levels int) cid.Cid {
	c := putRaw(t, src, "s", randBytes(77, 1000))
	for i := range levels {
		c = putNode(t, src, "s", fmt.Sprint("level ", i), 2, c)
	}
	return c
}

func TestDAGBombIsRefusedByLogicalSize(t *testing.T) {
	src := startNode(t)
	root := bomb(t, src, 40)
	start := time.Now()
	refused(t, src, root, job.ReasonTooLarge, "when unfolded", func(*Config) {})
	if took := time.Since(start); took > 10*time.Second {
		t.Fatalf("it took %s", took)
	}
	// A small one passes, and is measured exactly: 2^6 leaves of 1000 bytes.
	n := startNode(t)
	small := bomb(t, src, 6)
	st := pinOK(t, n, PinSpec{Ref: "r", Root: small, Origins: src.Addrs()})
	if st.Blocks != 7 || st.LogicalBytes < 64_000 || st.LogicalBytes > 64_000+64*200 {
		t.Fatalf("stat %+v", st)
	}
}

func TestDeclaredSizeOverTheCapIsRefusedAtOnce(t *testing.T) {
	src := startNode(t)
	root := addFile(t, src, "f", randBytes(5, 1<<20))
	refused(t, src, root, job.ReasonTooLarge, "claims", func(c *Config) { c.Limits.MaxLogicalBytes = 1 << 20 })
}

func TestCaps(t *testing.T) {
	src := startNode(t)
	var leaves []cid.Cid
	for i := range 10 {
		leaves = append(leaves, putRaw(t, src, "s", randBytes(uint64(100+i), 1000)))
	}
	wide := putNode(t, src, "s", "wide", 1, leaves...)
	chain := leaves[0]
	for i := range 10 {
		chain = putNode(t, src, "s", fmt.Sprint("chain", i), 1, chain)
	}
	// The short way to the chain comes first: depth is that of the longest path.
	hidden := putNode(t, src, "s", "hidden", 1, chain, putNode(t, src, "s", "detour", 1, chain))
	big := putRaw(t, src, "s", randBytes(9, 5000))
	for _, c := range []struct {
		name, words string
		root        cid.Cid
		reason      job.Reason
		edit        func(*Limits)
	}{
		{"blocks", "more than 10 blocks", wide, job.ReasonTooManyBlocks, func(l *Limits) { l.MaxBlocks = 10 }},
		{"bytes", "more than 9999 bytes", wide, job.ReasonTooLarge, func(l *Limits) { l.MaxBytes = 9999 }},
		{"logical bytes", "unfolded", wide, job.ReasonTooLarge, func(l *Limits) { l.MaxLogicalBytes = 9999 }},
		{"links of a block", "more than 9 links", wide, job.ReasonTooManyBlocks, func(l *Limits) { l.MaxLinks = 9 }},
		{"depth", "more than 9 levels", chain, job.ReasonTooManyBlocks, func(l *Limits) { l.MaxDepth = 9 }},
		{"depth by the longest path", "more than 11 levels", hidden, job.ReasonTooManyBlocks, func(l *Limits) { l.MaxDepth = 11 }},
		{"block size", "4999", big, job.ReasonInvalidContent, func(l *Limits) { l.MaxBlockSize = 4999 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			refused(t, src, c.root, c.reason, c.words, func(cfg *Config) { c.edit(&cfg.Limits) })
		})
	}
	t.Run("each at its cap passes", func(t *testing.T) {
		n := startNode(t, func(c *Config) {
			c.Limits = Limits{MaxBlocks: 11, MaxDepth: 10, MaxLinks: 10, MaxBlockSize: 5000}
		})
		pinOK(t, n, PinSpec{Ref: "w", Root: wide, Origins: src.Addrs()})
		pinOK(t, n, PinSpec{Ref: "c", Root: chain, Origins: src.Addrs()})
		pinOK(t, n, PinSpec{Ref: "b", Root: big, Origins: src.Addrs()})
	})
	t.Run("bytes asked by the request", func(t *testing.T) {
		n := startNode(t)
		_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: wide, Origins: src.Addrs(), MaxBytes: 5000}, nil)
		wantFault(t, err, job.ReasonTooLarge, false)
		wantClean(t, n, 0)
	})
}

func cidOf(t *testing.T, codec, hash uint64, data []byte) cid.Cid {
	t.Helper()
	c, err := cid.Prefix{Version: 1, Codec: codec, MhType: hash, MhLength: -1}.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheckCID(t *testing.T) {
	data := []byte("data")
	for _, h := range []uint64{mh.SHA2_256, mh.SHA2_512, mh.BLAKE2B_MIN + 31, mh.BLAKE3} {
		for _, codec := range []uint64{cid.Raw, cid.DagProtobuf, cid.DagCBOR, cid.DagJSON} {
			if err := CheckCID(cidOf(t, codec, h, data)); err != nil {
				t.Errorf("codec %x hash %x: %v", codec, h, err)
			}
		}
	}
	short, err := cid.Prefix{Version: 1, Codec: cid.Raw, MhType: mh.SHA2_256, MhLength: 20}.Sum(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]cid.Cid{
		"undefined":        cid.Undef,
		"libp2p-key":       cidOf(t, cid.Libp2pKey, mh.SHA2_256, data),
		"git":              cidOf(t, cid.GitRaw, mh.SHA2_256, data),
		"sha1":             cidOf(t, cid.Raw, mh.SHA1, data),
		"keccak":           cidOf(t, cid.Raw, mh.KECCAK_256, data),
		"truncated digest": short,
		"long identity":    cidOf(t, cid.Raw, mh.IDENTITY, make([]byte, MaxIdentity+1)),
	} {
		wantFault(t, CheckCID(c), job.ReasonInvalidContent, false)
		_ = name
	}
	if err := CheckCID(cidOf(t, cid.Raw, mh.IDENTITY, make([]byte, MaxIdentity))); err != nil {
		t.Errorf("identity at the cap: %v", err)
	}
}

func encode(t *testing.T, n datamodel.Node, cbor bool) []byte {
	t.Helper()
	var b bytes.Buffer
	enc := dagjson.Encode
	if cbor {
		enc = dagcbor.Encode
	}
	if err := enc(n, &b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func listOf(t *testing.T, cs ...cid.Cid) datamodel.Node {
	t.Helper()
	n, err := fluent.BuildMap(basicnode.Prototype.Any, 1, func(m fluent.MapAssembler) {
		m.AssembleEntry("kids").CreateList(int64(len(cs)), func(l fluent.ListAssembler) {
			for _, c := range cs {
				l.AssembleValue().AssignLink(cidlink.Link{Cid: c})
			}
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEveryCodecAndHashIsFollowed(t *testing.T) {
	src, n := startNode(t), startNode(t)
	var kids []cid.Cid
	for i, h := range []uint64{mh.SHA2_256, mh.SHA2_512, mh.BLAKE2B_MIN + 31, mh.BLAKE3} {
		data := randBytes(uint64(200+i), 50<<10)
		c := rawCID(t, data, h)
		put(t, src, "s", c, data)
		kids = append(kids, c)
	}
	kids = append(kids, cidOf(t, cid.Raw, mh.IDENTITY, []byte("inline")))
	pb := putNode(t, src, "s", "pb", 1, kids...)
	jd := encode(t, listOf(t, pb, kids[0]), false)
	j := cidOf(t, cid.DagJSON, mh.SHA2_256, jd)
	put(t, src, "s", j, jd)
	cd := encode(t, listOf(t, j, kids[1], kids[1]), true)
	root := cidOf(t, cid.DagCBOR, mh.BLAKE3, cd)
	put(t, src, "s", root, cd)
	st := pinOK(t, n, PinSpec{Ref: "r", Root: root, Origins: src.Addrs()})
	if st.Blocks != 7 {
		t.Fatalf("pinned %d blocks, want 7 (the identity block is not one)", st.Blocks)
	}
	wantClean(t, n, 7)
	inline := cidOf(t, cid.Raw, mh.IDENTITY, []byte("only inline"))
	if st := pinOK(t, n, PinSpec{Ref: "i", Root: inline}); st.Blocks != 0 || st.LogicalBytes != 11 {
		t.Fatalf("identity root: %+v", st)
	}
	wantClean(t, n, 7)
	if u, err := n.Release(context.Background(), "i"); err != nil || u.Refs != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
}

func TestOneBlockUnderTwoCodecsIsOneBlock(t *testing.T) {
	src, n := startNode(t), startNode(t)
	leaf := putRaw(t, src, "s", randBytes(42, 100))
	pb := putNode(t, src, "s", "pb", 1, leaf)
	// As raw bytes the same block has no links.
	root := putNode(t, src, "s", "root", 1, cid.NewCidV1(cid.Raw, pb.Hash()), pb)
	if st := pinOK(t, n, PinSpec{Ref: "r", Root: root, Origins: src.Addrs()}); st.Blocks != 3 {
		t.Fatalf("stat %+v, want three blocks", st)
	}
	wantClean(t, n, 3)
}

func TestContentThatIsNotAllowedIsRefused(t *testing.T) {
	src := startNode(t)
	any := func(*Config) {}
	sha1 := rawCID(t, []byte("x"), mh.SHA1)
	put(t, src, "s", sha1, []byte("x"))
	n := startNode(t)
	_, err := n.Pin(context.Background(), PinSpec{Ref: "r", Root: sha1, Origins: src.Addrs()}, nil)
	wantFault(t, err, job.ReasonInvalidContent, false)

	t.Run("child with another hash", func(t *testing.T) {
		refused(t, src, putNode(t, src, "s", "a", 1, sha1), job.ReasonInvalidContent, sha1.String(), any)
	})
	t.Run("child with another codec", func(t *testing.T) {
		key := cidOf(t, cid.Libp2pKey, mh.IDENTITY, []byte("k"))
		refused(t, src, putNode(t, src, "s", "b", 1, key), job.ReasonInvalidContent, "codec 0x72", any)
	})
	t.Run("child that is a long identity", func(t *testing.T) {
		long := cidOf(t, cid.Raw, mh.IDENTITY, make([]byte, 129))
		refused(t, src, putNode(t, src, "s", "c", 1, long), job.ReasonInvalidContent, "identity", any)
	})
	for name, codec := range map[string]uint64{"dag-pb": cid.DagProtobuf, "dag-cbor": cid.DagCBOR, "dag-json": cid.DagJSON} {
		t.Run("undecodable "+name, func(t *testing.T) {
			data := []byte{0xff, 0x01, 0x02}
			c := cidOf(t, codec, mh.SHA2_256, data)
			put(t, src, "s", c, data)
			refused(t, src, c, job.ReasonInvalidContent, "not valid "+name, any)
			deep := bytes.Repeat([]byte{0x81}, 100_000) // CBOR lists in lists
			if codec == cid.DagJSON {
				deep = bytes.Repeat([]byte("["), 100_000)
			}
			c = cidOf(t, codec, mh.SHA2_256, deep)
			put(t, src, "s", c, deep)
			refused(t, src, c, job.ReasonInvalidContent, "not valid "+name, any)
		})
	}
}

func FuzzDecodeLinks(f *testing.F) {
	f.Add(uint8(0), []byte{0x0a, 0x00})
	f.Add(uint8(2), []byte{0x81, 0xd8, 0x2a, 0x40})
	f.Add(uint8(3), []byte(`{"/":"bafkqaaa"}`))
	f.Fuzz(func(t *testing.T, codec uint8, data []byte) {
		c, err := cid.Prefix{Version: 1, Codec: codecOrder[int(codec)%len(codecOrder)], MhType: mh.SHA2_256, MhLength: -1}.Sum(data)
		if err != nil {
			t.Skip()
		}
		l, err := decodeLinks(c, data, 100)
		if err != nil {
			if _, ok := err.(*job.Fault); !ok {
				t.Fatalf("%v is not a fault", err)
			}
			return
		}
		var n uint64
		for _, k := range l.list {
			n += k.n
			if CheckCID(k.c) != nil {
				t.Fatalf("child %s is not allowed", k.c)
			}
		}
		if n != uint64(l.all) || n > 100 {
			t.Fatalf("%d links in the list, %d counted", n, l.all)
		}
	})
}
