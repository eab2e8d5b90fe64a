package market

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	commcid "github.com/filecoin-project/go-fil-commcid"
	"github.com/ipfs/go-cid"
	carv2 "github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"
	_ "github.com/ipld/go-codec-dagpb"              // blocks of files and folders
	_ "github.com/ipld/go-ipld-prime/codec/dagcbor" // other blocks that may be in a CAR
	_ "github.com/ipld/go-ipld-prime/codec/dagjson"
	_ "github.com/ipld/go-ipld-prime/codec/raw"
	cidlink "github.com/ipld/go-ipld-prime/linking/cid"
	"github.com/ipld/go-ipld-prime/multicodec"
	"github.com/ipld/go-ipld-prime/node/basicnode"
	"github.com/ipld/go-ipld-prime/traversal"
)

// Media types of trustless answers.
const (
	rawBlock = "application/vnd.ipld.raw"
	carFile  = "application/vnd.ipld.car"
)

// unchanging is when all content was last modified, as with Curio.
var unchanging = time.UnixMilli(1)

// piece is data that can be had.
type piece struct {
	file   *os.File
	size   int64
	blocks storage.ReadableCar // nil if it is not indexed
}

func (d *piece) close() error { return d.file.Close() }

// store makes a deal's data available, and its blocks if the deal wants that and it is a
// CAR. A piece that another deal brought already is kept.
func (p *Provider) store(j *job, path string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.pieces[j.deal.PieceCID]
	if known != nil && (known.blocks != nil || !j.index) {
		return nil
	}
	place := p.pathOf(j.deal.PieceCID)
	if err := os.Rename(path, place); err != nil {
		return err
	}
	file, err := os.Open(place)
	if err != nil {
		return err
	}
	made := &piece{file: file, size: int64(j.deal.Size)}
	if j.index {
		if made.blocks, err = storage.OpenReadable(file); err != nil {
			p.log.Info("the data cannot be indexed", "deal", j.deal.ID, "err", err)
			made.blocks = nil
		}
	}
	if known != nil {
		err = known.close()
	}
	p.pieces[j.deal.PieceCID] = made
	return err
}

// retrieval adds the routes of content.
func (p *Provider) retrieval(mux *http.ServeMux) {
	mux.HandleFunc("GET /piece/{cid}", p.lying(p.getPiece))
	mux.HandleFunc("GET /ipfs/{cid}", p.lying(p.getBlocks))
}

// lying answers with a web page while that is the conduct.
func (p *Provider) lying(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p.behaves(Garbage) {
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = io.WriteString(w, "<!doctype html><title>Welcome</title><p>This provider is under construction.") // nobody wants it
			return
		}
		next(w, r)
	}
}

// getPiece serves a piece's data, without its padding, with ranges.
func (p *Provider) getPiece(w http.ResponseWriter, r *http.Request) {
	asked, err := cid.Decode(r.PathValue("cid"))
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	v1 := asked
	if asked.Prefix().Codec == cid.Raw {
		if v1, _, err = commcid.PieceCidV1FromV2(asked); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
	}
	p.mu.Lock()
	found := p.pieces[v1]
	p.mu.Unlock()
	if found == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	var data io.ReaderAt = found.file
	if p.behaves(Corrupt) {
		data = corrupted{data}
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "public, max-age=29030400, immutable")
	w.Header().Set("ETag", `"`+asked.String()+`"`)
	http.ServeContent(w, r, "", unchanging, io.NewSectionReader(data, 0, found.size))
}

// corrupted changes one byte in 127, the first and so on.
type corrupted struct{ io.ReaderAt }

func (c corrupted) ReadAt(to []byte, offset int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(to, offset)
	for i := range n {
		if (offset+int64(i))%127 == 0 {
			to[i] ^= 0xff
		}
	}
	return n, err
}

// getBlocks serves a block, or a CAR of what is below it, by the trustless gateway's
// rules; dag-scope may be block or all.
func (p *Provider) getBlocks(w http.ResponseWriter, r *http.Request) {
	root, err := cid.Decode(r.PathValue("cid"))
	if err != nil {
		http.Error(w, "invalid CID: "+err.Error(), http.StatusBadRequest)
		return
	}
	data, err := p.block(r.Context(), root)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	scope := r.URL.Query().Get("dag-scope")
	if !slices.Contains([]string{"", "all", "block"}, scope) {
		http.Error(w, "dag-scope may be block or all", http.StatusNotImplemented)
		return
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "public, max-age=29030400, immutable")
	switch format(r) {
	case rawBlock:
		w.Header().Set("Content-Type", rawBlock)
		_, _ = w.Write(p.shown(data)) // the client sees if it is short
	case carFile:
		w.Header().Set("Content-Type", carFile+"; version=1; order=dfs; dups=n")
		if err := p.writeCAR(r.Context(), w, root, scope != "block"); err != nil {
			p.log.Info("a CAR was cut", "cid", root.String(), "err", err)
			panic(http.ErrAbortHandler) // so that it does not look whole
		}
	default:
		http.Error(w, "ask for "+rawBlock+" or "+carFile, http.StatusBadRequest)
	}
}

// format is the media type that is asked for, by query or header.
func format(r *http.Request) string {
	switch r.URL.Query().Get("format") {
	case "raw":
		return rawBlock
	case "car":
		return carFile
	}
	for _, kind := range []string{carFile, rawBlock} {
		if strings.Contains(r.Header.Get("Accept"), kind) {
			return kind
		}
	}
	return ""
}

var errNoBlock = errors.New("no indexed deal has this block")

// block finds a block in any indexed piece.
func (p *Provider) block(ctx context.Context, c cid.Cid) ([]byte, error) {
	p.mu.Lock()
	var cars []storage.ReadableCar
	for _, one := range p.pieces {
		if one.blocks != nil {
			cars = append(cars, one.blocks)
		}
	}
	p.mu.Unlock()
	for _, car := range cars {
		has, err := car.Has(ctx, c.KeyString())
		if err != nil || !has {
			continue
		}
		return car.Get(ctx, c.KeyString())
	}
	return nil, fmt.Errorf("%s: %w", c, errNoBlock)
}

// shown is a block as it is served: with a byte changed if that is the conduct.
func (p *Provider) shown(data []byte) []byte {
	if len(data) == 0 || !p.behaves(Corrupt) {
		return data
	}
	data = slices.Clone(data)
	data[len(data)/2] ^= 0xff
	return data
}

// writeCAR writes a block, and those below it, each once, parents first.
func (p *Provider) writeCAR(ctx context.Context, w io.Writer, root cid.Cid, deep bool) error {
	out, err := storage.NewWritable(w, []cid.Cid{root}, carv2.WriteAsCarV1(true))
	if err != nil {
		return err
	}
	seen := map[cid.Cid]bool{}
	for todo := []cid.Cid{root}; len(todo) > 0; {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[c] {
			continue
		}
		seen[c] = true
		data, err := p.block(ctx, c)
		if err != nil {
			return err
		}
		if err := out.Put(ctx, c.KeyString(), p.shown(data)); err != nil {
			return err
		}
		if !deep {
			break
		}
		links, err := linksOf(c, data)
		if err != nil {
			return err
		}
		slices.Reverse(links) // the first is next
		todo = append(todo, links...)
	}
	return out.Finalize()
}

// linksOf are the links of a block, in its order.
func linksOf(c cid.Cid, data []byte) ([]cid.Cid, error) {
	decode, err := multicodec.LookupDecoder(c.Prefix().Codec)
	if err != nil {
		return nil, err
	}
	node := basicnode.Prototype.Any.NewBuilder()
	if err := decode(node, bytes.NewReader(data)); err != nil {
		return nil, fmt.Errorf("decode %s: %w", c, err)
	}
	links, err := traversal.SelectLinks(node.Build())
	if err != nil {
		return nil, fmt.Errorf("links of %s: %w", c, err)
	}
	var out []cid.Cid
	for _, l := range links {
		if target, ok := l.(cidlink.Link); ok {
			out = append(out, target.Cid)
		}
	}
	return out, nil
}
