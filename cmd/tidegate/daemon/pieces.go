package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/executor/bucket"
	"github.com/tidegate/tidegate/executor/handler/prepare"
	"github.com/tidegate/tidegate/executor/handler/release"
	"github.com/tidegate/tidegate/executor/handler/served"
	"github.com/tidegate/tidegate/executor/handler/status"
	"github.com/tidegate/tidegate/executor/httpapi"
	"github.com/tidegate/tidegate/executor/ipfs"
	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/outbound"
	"github.com/tidegate/tidegate/executor/piece"
)

// shelfKey binds a shared ledger to the one node that makes pieces.
const shelfKey = "shelf/node"

func (d *Daemon) openPieces(ctx context.Context) (err error) {
	p, b := d.cfg.Piece, d.cfg.Bucket
	if !d.cfg.Works(string(job.KindPrepare)) {
		return nil
	}
	if d.shared() {
		err := d.ledger.SetMetaOnce(ctx, shelfKey, d.nodeID())
		if errors.Is(err, job.ErrConflict) {
			d.log.Info("pieces are made by another daemon's node; this one makes none", "why", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	d.shelf, err = bucket.New(ctx, bucket.Config{
		Dir: filepath.Join(d.cfg.DataDir, "pieces"), MaxPiece: uint64(p.MaxSize), MinPiece: uint64(p.MinSize),
		Format: job.BucketFormat(b.Format), BucketSize: uint64(b.Size), MaxItems: b.MaxItems, MaxAge: b.MaxAge.D(), Keep: p.Keep.D(),
		KeepFiles: p.KeepFiles, Workers: p.Workers, MaxMemory: uint64(p.MaxMemory), DiskReserve: uint64(d.cfg.IPFS.DiskReserve),
	}, bucket.Deps{Node: shelfNode{d.node}, Back: shelfNode{d.node}, Ledger: d.ledger, Free: d.freeDisk, Log: d.log})
	return err
}

func (d *Daemon) freeDisk() (uint64, error) {
	s, err := d.node.Stats()
	return s.FreeDisk, err
}

func (d *Daemon) openPublic(context.Context) (err error) {
	c := d.cfg.Public
	if c.Listen == "" {
		return nil
	}
	if d.shelf == nil {
		return errors.New("public.listen is set, but this daemon makes no pieces: give the role execute and the kind prepare to one daemon, and public.listen to that")
	}
	d.public, err = httpapi.NewPublic(httpapi.PublicConfig{
		Listen: c.Listen, RequireToken: c.RequireToken, PerSecond: float64(c.RequestsPerSecond), Burst: 5 * c.RequestsPerSecond,
		BytesPerSecond: uint64(c.BytesPerSecond), MaxStreams: c.MaxStreams,
	}, httpapi.PublicDeps{Pieces: offers{d.shelf}, Slots: d.slots(), Log: d.log})
	return err
}

// preparing makes the handler of prepare jobs.
func (d *Daemon) preparing() (*prepare.Handler, error) {
	return prepare.New(prepare.Config{MaxPiece: uint64(d.cfg.Piece.MaxSize)}, prepare.Deps{Node: preparingNode{d.node}, Maker: maker{d.shelf}})
}

// serving makes the handler of served jobs.
func (d *Daemon) serving() (*served.Handler, error) {
	client, err := outbound.New(outbound.Config{AllowPrivate: d.cfg.IPFS.AllowPrivatePeers, StallTimeout: d.cfg.Served.StallTimeout.D()},
		outbound.Deps{Check: ipfs.CheckIP, Log: d.log})
	if err != nil {
		return nil, err
	}
	return served.New(served.Deps{Fetcher: fetcher{client}, Verifier: verifier{bucket.Verifier{MaxPiece: uint64(d.cfg.Piece.MaxSize)}}})
}

// asking makes the handler of status jobs, which ask the Filecoin node.
func (d *Daemon) asking(ctx context.Context) (*status.Handler, error) {
	node, err := d.filecoin(ctx)
	if err != nil {
		return nil, err
	}
	return status.New(node)
}

// shelfNode is the node as the shelf sees it.
type shelfNode struct{ *ipfs.Node }

// shelfOwner owns what the shelf holds; no unpin names it.
const shelfOwner = "shelf"

// Hold implements bucket.Node.
func (n shelfNode) Hold(ctx context.Context, ref string, root cid.Cid) error {
	_, err := n.Pin(ctx, ipfs.PinSpec{Ref: ref, Owner: shelfOwner, Root: root}, nil)
	if errors.Is(err, ipfs.ErrDiskFull) {
		err = fmt.Errorf("%w: %w", bucket.ErrNoRoom, err)
	}
	return err
}

// Restore implements bucket.Restorer.
func (n shelfNode) Restore(ctx context.Context, ref string, root cid.Cid, from piece.Blocks) error {
	_, err := n.Node.Restore(ctx, ipfs.PinSpec{Ref: ref, Owner: shelfOwner, Root: root}, from)
	if errors.Is(err, ipfs.ErrDiskFull) {
		err = fmt.Errorf("%w: %w", bucket.ErrNoRoom, err)
	}
	return err
}

// Release implements bucket.Node.
func (n shelfNode) Release(ctx context.Context, ref string) error {
	_, err := n.Node.Release(ctx, ref)
	return err
}

// Refs implements bucket.Node.
func (n shelfNode) Refs(ctx context.Context, prefix string) ([]string, error) {
	pins, err := n.ListPins(ctx)
	var out []string
	for _, p := range pins {
		if strings.HasPrefix(p.Ref, prefix) {
			out = append(out, p.Ref)
		}
	}
	return out, err
}

// preparingNode is the node as the prepare handler sees it.
type preparingNode struct{ *ipfs.Node }

// Fetch implements prepare.Node. Its owner is not that of pins: an unpin ends pins.
func (n preparingNode) Fetch(ctx context.Context, s prepare.Spec, progress func(job.Progress)) (uint64, error) {
	got, err := n.Pin(ctx, ipfs.PinSpec{Ref: s.Ref, Owner: "prepare:" + s.Owner, Root: s.Root, Origins: s.Origins, MaxBytes: s.MaxBytes}, progress)
	switch {
	case errors.Is(err, ipfs.ErrReleased):
		err = &job.Fault{Reason: job.ReasonRefused, Err: err}
	case errors.Is(err, ipfs.ErrDiskFull):
		err = fmt.Errorf("%w: %w", prepare.ErrNoRoom, err)
	}
	return got.Bytes, err
}

// Release implements prepare.Node.
func (n preparingNode) Release(ctx context.Context, ref string) error {
	_, err := n.Node.Release(ctx, ref)
	return err
}

// maker is the shelf as the prepare handler sees it.
type maker struct{ shelf *bucket.Shelf }

// Make implements prepare.Maker.
func (m maker) Make(ctx context.Context, o prepare.Order, progress func(job.Progress)) (prepare.Made, error) {
	it, err := m.shelf.Make(ctx, bucket.Order{Ref: o.Ref, Root: o.Root, Bytes: o.Bytes, Until: o.Until}, func(p piece.Progress) {
		progress(job.Progress{Blocks: p.Blocks, Bytes: p.Bytes, Phase: "computing"})
	})
	switch {
	case errors.Is(err, piece.ErrTooLarge):
		return prepare.Made{}, fmt.Errorf("%w: %w", prepare.ErrTooLarge, err)
	case errors.Is(err, bucket.ErrNoRoom):
		return prepare.Made{}, fmt.Errorf("%w: %w", prepare.ErrNoRoom, err)
	case err != nil:
		return prepare.Made{}, err
	}
	c, err := piece.Parse(it.Piece)
	if err != nil {
		return prepare.Made{}, err
	}
	v2, err := bucket.CIDv2(it)
	return prepare.Made{Piece: c.CID(), PieceV2: v2, Padded: it.Padded, CARSize: it.CARSize, Blocks: it.Blocks, Bucket: it.Bucket}, err
}

// Drop implements prepare.Maker.
func (m maker) Drop(ctx context.Context, ref string) error { return m.shelf.Drop(ctx, ref) }

// releasing drops what a request holds, on the shelf and in the node.
type releasing struct {
	droppingNode
	shelf *bucket.Shelf
}

// Release implements release.Node.
func (r releasing) Release(ctx context.Context, ref string) (release.Stat, error) {
	if r.shelf != nil {
		if err := r.shelf.Drop(ctx, ref); err != nil {
			return release.Stat{}, err
		}
	}
	return r.droppingNode.Release(ctx, ref)
}

// fetcher gets what strangers' URLs name.
type fetcher struct{ client *outbound.Client }

// Fetch implements served.Fetcher.
func (f fetcher) Fetch(ctx context.Context, url string) (io.ReadCloser, error) {
	res, err := f.client.Get(ctx, url)
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}

// verifier compares for the served handler.
type verifier struct{ bucket.Verifier }

// Verify implements served.Verifier.
func (v verifier) Verify(ctx context.Context, c cid.Cid, r io.Reader, progress func(uint64)) (uint64, error) {
	n, err := v.Verifier.Verify(ctx, c, r, progress)
	if errors.Is(err, piece.ErrMismatch) {
		err = fmt.Errorf("%w: %w", served.ErrMismatch, err)
	}
	return n, err
}

// errNoShelf is what a daemon says that makes no pieces.
var errNoShelf = fmt.Errorf("this daemon makes no pieces, ask the one that does: %w", job.ErrConflict)

// apiShelf is the shelf as the local API sees it.
type apiShelf struct{ d *Daemon }

// Buckets implements httpapi.Shelf.
func (a apiShelf) Buckets(ctx context.Context, f job.BucketFilter) ([]job.Bucket, error) {
	return a.d.ledger.Buckets(ctx, f)
}

// Bucket implements httpapi.Shelf.
func (a apiShelf) Bucket(ctx context.Context, id int64) (b job.Bucket, items []job.Item, slots []job.Slot, err error) {
	if id != 0 {
		if b, err = a.d.ledger.Bucket(ctx, id); err != nil {
			return b, nil, nil, err
		}
	}
	if items, err = a.d.ledger.BucketItems(ctx, id); err != nil {
		return b, nil, nil, err
	}
	slots, err = a.d.ledger.BucketSlots(ctx, id)
	return b, items, slots, err
}

// Flush implements httpapi.Shelf.
func (a apiShelf) Flush(ctx context.Context, id int64) ([]int64, error) {
	if a.d.shelf == nil {
		return nil, errNoShelf
	}
	return a.d.shelf.Flush(ctx, id)
}

// Clean implements httpapi.Shelf.
func (a apiShelf) Clean(ctx context.Context, id int64) error {
	if a.d.shelf == nil {
		return errNoShelf
	}
	return a.d.shelf.Clean(ctx, id)
}

// Item implements httpapi.Shelf. Piece CIDs v2 are looked up as v1.
func (a apiShelf) Item(ctx context.Context, id string) (job.Item, error) {
	if c, err := piece.Parse(id); err == nil {
		id = c.CID().String()
	}
	return a.d.ledger.Item(ctx, id)
}

// provenView is a proof of inclusion as JSON.
type provenView struct {
	CID     string               `json:"cid"`
	Piece   string               `json:"pieceCid"`
	Padded  uint64               `json:"paddedSize"`
	CARSize uint64               `json:"carSize"`
	Offset  uint64               `json:"offset"` // padded, in the aggregate
	Of      string               `json:"aggregatePieceCid"`
	OfSize  uint64               `json:"aggregatePaddedSize"`
	Proof   piece.InclusionProof `json:"proof"`
}

// Prove implements httpapi.Proofs.
func (a apiShelf) Prove(ctx context.Context, id string) (any, error) {
	if a.d.shelf == nil {
		return nil, errNoShelf
	}
	it, err := a.Item(ctx, id)
	if err != nil {
		return nil, err
	}
	p, err := a.d.shelf.Prove(ctx, it.Piece)
	return provenView{p.Item.Root, p.Item.Piece, p.Item.Padded, p.Item.CARSize, p.Item.Offset, p.Piece, p.Padded, p.Inclusion}, err
}

// MintToken implements httpapi.Proofs.
func (a apiShelf) MintToken(ctx context.Context, id, deal string, ttl time.Duration) (string, time.Time, error) {
	if a.d.shelf == nil {
		return "", time.Time{}, errNoShelf
	}
	return a.d.shelf.MintToken(ctx, id, deal, ttl)
}

// offers is the shelf as the public port sees it.
type offers struct{ shelf *bucket.Shelf }

// OpenPiece implements httpapi.Pieces.
func (o offers) OpenPiece(ctx context.Context, id string) (httpapi.Content, error) {
	return opened(o.shelf.OpenPiece(ctx, id))
}

// OpenCAR implements httpapi.Pieces.
func (o offers) OpenCAR(ctx context.Context, root string) (httpapi.Content, error) {
	return opened(o.shelf.OpenCAR(ctx, root))
}

func opened(c *bucket.Content, err error) (httpapi.Content, error) {
	if err != nil {
		return httpapi.Content{}, err
	}
	return httpapi.Content{ReadSeekCloser: c.ReadSeekCloser, Piece: c.Piece, CAR: c.CAR}, nil
}

// Offers implements httpapi.Pieces.
func (o offers) Offers(ctx context.Context, before int64, limit int) ([]httpapi.Offer, error) {
	rows, err := o.shelf.Offers(ctx, before, limit)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Offer, 0, len(rows))
	for _, b := range rows {
		v2, err := bucket.CIDv2(job.Item{Piece: b.Piece, CARSize: b.Size, Padded: b.Padded})
		if err != nil {
			return nil, err
		}
		at := b.CreatedAt.UTC()
		out = append(out, httpapi.Offer{
			Bucket: b.ID, Piece: b.Piece, PieceV2: v2, Padded: b.Padded, Size: b.Size, Format: string(b.Format), Items: b.Items,
			Manifest: b.Manifest, URL: "/piece/" + b.Piece, CreatedAt: &at,
		})
	}
	return out, nil
}

// CheckToken implements httpapi.Pieces.
func (o offers) CheckToken(ctx context.Context, token, piece string) (bool, error) {
	return o.shelf.CheckToken(ctx, token, piece)
}
