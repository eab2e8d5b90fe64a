package ipfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	blocks "github.com/ipfs/go-block-format"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
)

// blockstore shows the store to boxo, for reading only: blocks come in through
// pins and leave through releases.
type blockstore struct{ st *store }

var errReadOnly = errors.New("the blockstore is read-only: blocks come in by Pin or Add and leave by Release")

func (b *blockstore) Get(ctx context.Context, c cid.Cid) (blocks.Block, error) {
	d, ok := identityData(c)
	if !ok {
		var err error
		if d, err = b.st.data(ctx, c.Hash()); err != nil {
			return nil, notFound(c, err)
		}
	}
	return blocks.NewBlockWithCid(d, c)
}

func (b *blockstore) Has(_ context.Context, c cid.Cid) (bool, error) {
	if _, ok := identityData(c); ok {
		return true, nil
	}
	return b.st.has(c.Hash())
}

func (b *blockstore) GetSize(_ context.Context, c cid.Cid) (int, error) {
	if d, ok := identityData(c); ok {
		return len(d), nil
	}
	n, err := b.st.size(c.Hash())
	if err != nil {
		return -1, notFound(c, err)
	}
	return int(n), nil
}

func notFound(c cid.Cid, err error) error {
	if errors.Is(err, errNotHeld) {
		return ipld.ErrNotFound{Cid: c}
	}
	return err
}

func (b *blockstore) Put(context.Context, blocks.Block) error       { return errReadOnly }
func (b *blockstore) PutMany(context.Context, []blocks.Block) error { return errReadOnly }
func (b *blockstore) DeleteBlock(context.Context, cid.Cid) error    { return errReadOnly }

// AllKeysChan lists every held block as a raw CIDv1.
func (b *blockstore) AllKeysChan(ctx context.Context) (<-chan cid.Cid, error) {
	out := make(chan cid.Cid)
	go func() {
		defer close(out)
		err := b.st.scan([]byte{spaceBlock}, func(k, _ []byte) error {
			select {
			case out <- cid.NewCidV1(cid.Raw, append([]byte(nil), k[1:]...)):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
		if err != nil && ctx.Err() == nil {
			b.st.log.Error("listing blocks", "error", err)
		}
	}()
	return out, nil
}

// Get reads one held block, and never asks the network. It fits the source of
// blocks that CARs are made from.
func (n *Node) Get(ctx context.Context, c cid.Cid) ([]byte, error) {
	if err := n.begin(); err != nil {
		return nil, err
	}
	defer n.end()
	b, err := (&blockstore{n.store}).Get(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("reading a block: %w", err)
	}
	return b.RawData(), nil
}

// offlineDAG reads what is held and never asks the network.
func (n *Node) offlineDAG() ipld.DAGService {
	bs := &blockstore{n.store}
	return merkledag.NewDAGService(blockservice.New(bs, offline.Exchange(bs)))
}

// Open reads a UnixFS file that is held, at path below root ("" for root itself),
// from the local store only. The error wraps fs.ErrNotExist for a name that is
// not in its directory, and names a block that is not held. The file must be
// closed; it may fail while being read if the content is released meanwhile.
func (n *Node) Open(ctx context.Context, root cid.Cid, path string) (io.ReadSeekCloser, error) {
	if err := n.begin(); err != nil {
		return nil, err
	}
	defer n.end()
	dag := n.offlineDAG()
	nd, err := dag.Get(ctx, root)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", root, err)
	}
	walked := root.String()
	for _, name := range strings.Split(path, "/") {
		if name == "" {
			continue
		}
		dir, err := uio.NewDirectoryFromNode(dag, nd)
		if err != nil {
			return nil, fmt.Errorf("opening %s: not a directory: %w", walked, err)
		}
		walked += "/" + name
		nd, err = dir.Find(ctx, name)
		if errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("opening %s: %w", walked, err)
		}
		if err != nil {
			return nil, fmt.Errorf("opening %s: %w", walked, err)
		}
	}
	// The reader outlives the call that opened it.
	r, err := uio.NewDagReader(context.WithoutCancel(ctx), nd, dag)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", walked, err)
	}
	return r, nil
}

// HasAll walks the DAG under root locally and tells whether every block of it is
// held. It costs the blocks of that DAG. A DAG over the node's caps, or with
// content it refuses, is a *job.Fault as from Pin.
func (n *Node) HasAll(ctx context.Context, root cid.Cid) (bool, error) {
	if err := n.begin(); err != nil {
		return false, err
	}
	defer n.end()
	err := newWalk(n.store, n.cfg.Limits, root).run(ctx)
	var missing *missingError
	if errors.As(err, &missing) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", root, err)
	}
	return true, nil
}
