package ipfs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	chunker "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/files"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	ipld "github.com/ipfs/go-ipld-format"
	mh "github.com/multiformats/go-multihash"
)

// OwnerLocal owns what AddFile and AddPath add.
const OwnerLocal = "local"

// AddSpec says for whom files are added and which form of CID they get: that of
// `ipfs add --cid-version=1` (raw leaves), or with CIDv0 that of `ipfs add`.
type AddSpec struct {
	Ref, Owner, Name string
	Seq              uint64
	CIDv0            bool
}

// AddFile adds one file for ref, and returns the CID that Kubo v0.42's
// `ipfs add --cid-version=1` gives. It is durable when AddFile returns. ref must
// hold nothing yet.
func (n *Node) AddFile(ctx context.Context, ref, name string, r io.Reader) (cid.Cid, PinStat, error) {
	return n.Add(ctx, AddSpec{Ref: ref, Owner: OwnerLocal, Name: name}, files.NewReaderFile(r))
}

// AddPath adds a file or a whole directory of the local file system for ref:
// hidden files too, symbolic links as links, as `ipfs add -r --hidden` does.
func (n *Node) AddPath(ctx context.Context, ref, path string) (cid.Cid, PinStat, error) {
	st, err := os.Lstat(path)
	if err != nil {
		return cid.Undef, PinStat{}, fmt.Errorf("adding %s: %w", path, err)
	}
	f, err := files.NewSerialFile(path, true, st)
	if err != nil {
		return cid.Undef, PinStat{}, fmt.Errorf("adding %s: %w", path, err)
	}
	defer f.Close()
	return n.Add(ctx, AddSpec{Ref: ref, Owner: OwnerLocal, Name: filepath.Base(path)}, f)
}

// Add adds a file, directory or symbolic link and pins it for spec.Ref. If it
// fails, nothing stays behind. Caps and disk reserve apply as to Pin.
func (n *Node) Add(ctx context.Context, spec AddSpec, f files.Node) (cid.Cid, PinStat, error) {
	if err := n.begin(); err != nil {
		return cid.Undef, PinStat{}, err
	}
	defer n.end()
	if spec.Ref == "" {
		return cid.Undef, PinStat{}, errors.New("add: the request id is empty")
	}
	ctx, stop := n.bind(ctx)
	defer stop()
	// The root is not known yet, but Release must be able to stop this.
	ctx, done, err := n.claims.take(ctx, spec.Ref, claim{owner: spec.Owner, root: "?", seq: spec.Seq}, nil)
	if err != nil {
		return cid.Undef, PinStat{}, err
	}
	defer done()
	c, st, err := n.add(ctx, spec, f)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return cid.Undef, PinStat{}, fmt.Errorf("adding %s: %w", spec.Name, err)
	}
	return c, st, nil
}

func (n *Node) add(ctx context.Context, spec AddSpec, f files.Node) (cid.Cid, PinStat, error) {
	old, err := n.store.pin(spec.Ref)
	if err != nil {
		return cid.Undef, PinStat{}, err
	}
	if old != nil {
		// A record without a root is an earlier add that was cut short.
		if root, err := old.root(); err != nil || root.Defined() && old.State != StateDropping {
			return cid.Undef, PinStat{}, errors.Join(fmt.Errorf("%w: %s", ErrRefInUse, spec.Ref), err)
		}
		if _, err := n.store.drop(ctx, old); err != nil {
			return cid.Undef, PinStat{}, err
		}
	}
	num, err := n.store.newNum()
	if err != nil {
		return cid.Undef, PinStat{}, err
	}
	rec := &pinRecord{Num: num, Ref: spec.Ref, Owner: spec.Owner, Seq: spec.Seq, Name: spec.Name, State: StatePinning, Time: n.now().UTC()}
	p := n.newPinning(rec, false, n.cfg.Limits, cid.Undef)
	defer p.stop()
	c, err := p.importRoot(ctx, spec, f)
	if err == nil {
		n.announce(c)
		return c, p.stat(), nil
	}
	p.stop()
	if p.stored {
		freed, derr := n.store.drop(context.WithoutCancel(ctx), rec)
		n.metrics.freed(freed)
		err = errors.Join(err, derr)
	}
	return cid.Undef, PinStat{}, err
}

// importRoot builds the DAG, then walks it as a pin does: the caps hold, and what
// the builder made on the way but does not belong to the DAG is let go.
func (p *pinning) importRoot(ctx context.Context, spec AddSpec, f files.Node) (cid.Cid, error) {
	im := &importer{p: p, ctx: ctx, seen: cid.NewSet(), local: p.n.offlineDAG(), raw: !spec.CIDv0, recent: make(map[cid.Cid]ipld.Node)}
	im.prefix = cid.Prefix{Version: 1, Codec: cid.DagProtobuf, MhType: mh.SHA2_256, MhLength: -1}
	if spec.CIDv0 {
		im.prefix.Version = 0
	}
	root, err := im.node(ctx, f)
	if err != nil {
		return cid.Undef, err
	}
	if err := im.Add(ctx, root); err != nil {
		return cid.Undef, err
	}
	if err := im.flush(ctx); err != nil {
		return cid.Undef, err
	}
	w := newWalk(p.n.store, p.w.lim, root.Cid())
	if err := w.run(ctx); err != nil {
		return cid.Undef, err
	}
	if err := p.prune(ctx, w); err != nil {
		return cid.Undef, err
	}
	p.w, p.rec.Root = w, root.Cid().Bytes()
	if err := p.adopt(root.Cid()); err != nil {
		return cid.Undef, err
	}
	return root.Cid(), p.finish(ctx)
}

// adopt files the record under its root, now that it is known.
func (p *pinning) adopt(root cid.Cid) error {
	b := p.n.store.db.NewBatch()
	defer b.Close()
	b.Set(keyOwner(p.rec.Owner, root.Hash(), p.rec.Ref), nil, nil)
	if err := setPin(b, p.rec); err != nil {
		return err
	}
	return p.n.store.commit(b, totals{}, false)
}

// prune drops references to blocks that the walk did not meet.
func (p *pinning) prune(ctx context.Context, w *walk) error {
	var after mh.Multihash
	for {
		hs, err := p.n.store.manifest(p.rec.Num, after, dropChunk)
		if err != nil {
			return err
		}
		var extra []mh.Multihash
		for _, h := range hs {
			if !w.holds(h) {
				extra = append(extra, h)
			}
		}
		if len(extra) > 0 {
			freed, err := p.n.store.dropBlocks(ctx, p.rec, extra, false)
			p.n.metrics.freed(freed)
			if err != nil {
				return err
			}
		}
		if len(hs) < dropChunk {
			return nil
		}
		after = hs[len(hs)-1]
	}
}

// importer is the DAGService that boxo's builders write to.
type importer struct {
	p      *pinning
	ctx    context.Context
	seen   *cid.Set
	local  ipld.DAGService
	prefix cid.Prefix
	raw    bool
	recent map[cid.Cid]ipld.Node // directory nodes that may not be in the store yet
}

// recentMax and recentSize bound importer.recent: entries, bytes of one.
const (
	recentMax  = 1024
	recentSize = 32 << 10
)

func (im *importer) node(ctx context.Context, f files.Node) (ipld.Node, error) {
	switch f := f.(type) {
	case *files.Symlink:
		d, err := unixfs.SymlinkData(f.Target)
		if err != nil {
			return nil, err
		}
		nd := merkledag.NodeWithData(d)
		return nd, nd.SetCidBuilder(im.prefix)
	case files.Directory:
		return im.dir(ctx, f)
	case files.File:
		return im.file(ctx, f)
	default:
		return nil, fmt.Errorf("a %T can be neither file nor directory", f)
	}
}

// file lays a file out as Kubo does: 256 KiB chunks, 174 links a node.
func (im *importer) file(ctx context.Context, f files.File) (ipld.Node, error) {
	params := helpers.DagBuilderParams{
		Dagserv:    im,
		Maxlinks:   uio.UnixFS_v0_2015.FileDAGWidth,
		RawLeaves:  im.raw,
		CidBuilder: im.prefix,
	}
	b, err := params.New(chunker.NewSizeSplitter(ctxReader{ctx, f}, uio.UnixFS_v0_2015.ChunkSize))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(b)
}

// dir adds the entries, then the directory; a large one becomes a HAMT.
func (im *importer) dir(ctx context.Context, d files.Directory) (ipld.Node, error) {
	dir, err := uio.NewDirectory(im, uio.WithCidBuilder(im.prefix))
	if err != nil {
		return nil, err
	}
	it := d.Entries()
	for it.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		nd, err := im.node(ctx, it.Node())
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Name(), err)
		}
		if err := im.Add(ctx, nd); err != nil {
			return nil, err
		}
		if err := dir.AddChild(ctx, it.Name(), nd); err != nil {
			return nil, fmt.Errorf("%s: %w", it.Name(), err)
		}
		if c, ok := it.Node().(io.Closer); ok {
			c.Close()
		}
	}
	if err := it.Err(); err != nil {
		return nil, err
	}
	return dir.GetNode()
}

// flush waits until all blocks added so far are in the store.
func (im *importer) flush(ctx context.Context) error {
	if len(im.p.items) > 0 {
		if err := im.p.flush(ctx); err != nil {
			return err
		}
	}
	clear(im.recent)
	return im.p.settle()
}

func (im *importer) Add(ctx context.Context, nd ipld.Node) error {
	if !im.seen.Visit(nd.Cid()) {
		return nil
	}
	if _, ok := identityData(nd.Cid()); ok {
		return nil
	}
	if err := im.p.sink(im.ctx, newItem(nd.Cid(), nd.RawData())); err != nil {
		return err
	}
	if _, ok := nd.(*merkledag.ProtoNode); ok && len(nd.RawData()) <= recentSize {
		if len(im.recent) >= recentMax {
			if err := im.flush(ctx); err != nil {
				return err
			}
		}
		im.recent[nd.Cid()] = nd.Copy()
	}
	return nil
}

func (im *importer) AddMany(ctx context.Context, nds []ipld.Node) error {
	for _, nd := range nds {
		if err := im.Add(ctx, nd); err != nil {
			return err
		}
	}
	return nil
}

// Get reads back what was added; builders of large directories need it.
func (im *importer) Get(ctx context.Context, c cid.Cid) (ipld.Node, error) {
	if nd, ok := im.recent[c]; ok {
		return nd.Copy(), nil
	}
	if err := im.flush(im.ctx); err != nil {
		return nil, err
	}
	return im.local.Get(ctx, c)
}

func (im *importer) GetMany(ctx context.Context, cs []cid.Cid) <-chan *ipld.NodeOption {
	if err := im.flush(im.ctx); err != nil {
		out := make(chan *ipld.NodeOption, 1)
		out <- &ipld.NodeOption{Err: err}
		close(out)
		return out
	}
	return im.local.GetMany(ctx, cs)
}

// Remove does nothing: prune lets go of what the builder no longer wants.
func (im *importer) Remove(context.Context, cid.Cid) error       { return nil }
func (im *importer) RemoveMany(context.Context, []cid.Cid) error { return nil }

// ctxReader makes a long read end with its context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (r ctxReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, context.Cause(r.ctx)
	}
	return r.r.Read(p)
}
