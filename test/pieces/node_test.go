package pieces

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/go-cid"
	format "github.com/ipfs/go-ipld-format"
	mh "github.com/multiformats/go-multihash"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a content node in memory: blocks, and who refers to which DAG.
type node struct {
	mu     sync.Mutex
	blocks map[cid.Cid][]byte
	kids   map[cid.Cid][]cid.Cid
	refs   map[string]cid.Cid
	// crash, if not nil, is asked before each change; its error ends the caller as a
	// kill would.
	crash func(what string) error
}

func newNode() *node {
	return &node{blocks: map[cid.Cid][]byte{}, kids: map[cid.Cid][]cid.Cid{}, refs: map[string]cid.Cid{}}
}

var errKilled = errors.New("killed here")

// leaf adds a raw block.
func (n *node) leaf(data []byte) cid.Cid {
	h, err := mh.Sum(data, mh.SHA2_256, -1)
	if err != nil {
		panic(err)
	}
	c := cid.NewCidV1(cid.Raw, h)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocks[c] = data
	return c
}

// tree adds a dag-pb node above leaves of the given bytes.
func (n *node) tree(parts ...[]byte) cid.Cid {
	var nd merkledag.ProtoNode
	nd.SetCidBuilder(cid.V1Builder{Codec: cid.DagProtobuf, MhType: mh.SHA2_256})
	var kids []cid.Cid
	for _, p := range parts {
		c := n.leaf(p)
		if err := nd.AddRawLink("", &format.Link{Cid: c, Size: uint64(len(p))}); err != nil {
			panic(err)
		}
		kids = append(kids, c)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocks[nd.Cid()], n.kids[nd.Cid()] = nd.RawData(), kids
	return nd.Cid()
}

func bytesOf(seed uint64, size int) []byte {
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), 0x51})
	b := make([]byte, size)
	_, _ = r.Read(b)
	return b
}

func (n *node) may(what string) error {
	if n.crash == nil {
		return nil
	}
	return n.crash(what)
}

func (n *node) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if b, ok := n.blocks[c]; ok {
		return b, ctx.Err()
	}
	return nil, fmt.Errorf("block %s is not here", c)
}

func (n *node) Hold(_ context.Context, ref string, root cid.Cid) error {
	if err := n.may("hold"); err != nil {
		return err
	}
	n.mu.Lock()
	n.refs[ref] = root
	n.mu.Unlock()
	return n.may("held")
}

func (n *node) Release(_ context.Context, ref string) error {
	if err := n.may("release"); err != nil {
		return err
	}
	n.mu.Lock()
	delete(n.refs, ref)
	n.mu.Unlock()
	return n.may("released")
}

func (n *node) HasAll(_ context.Context, root cid.Cid) (bool, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range append([]cid.Cid{root}, n.kids[root]...) {
		if _, ok := n.blocks[c]; !ok {
			return false, nil
		}
	}
	return true, nil
}

func (n *node) Refs(_ context.Context, prefix string) ([]string, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	var out []string
	for ref := range n.refs {
		if strings.HasPrefix(ref, prefix) {
			out = append(out, ref)
		}
	}
	slices.Sort(out)
	return out, nil
}

func (n *node) lose(c cid.Cid) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.blocks, c)
}
