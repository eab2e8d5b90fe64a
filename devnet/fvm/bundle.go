package fvm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/lotus/build"
	"github.com/ipfs/go-cid"
	"github.com/ipld/go-car"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// bundle is one release of the built-in actors.
type bundle struct {
	manifest cid.Cid // of the list of names and codes
	names    []string
	codes    []cid.Cid // in the manifest's order; an actor's type is its place, from 1
	types    map[cid.Cid]uint32
	blocks   map[cid.Cid][]byte
	order    []cid.Cid // of blocks
}

// loadBundle reads a bundle out of the lotus module.
func loadBundle(ctx context.Context, version actorstypes.Version, name string) (*bundle, error) {
	raw, ok := build.GetEmbeddedBuiltinActorsBundle(version, name)
	if !ok {
		return nil, fmt.Errorf("lotus carries no bundle %q of actors v%d: use a name such as testing, devnet, calibrationnet or mainnet", name, version)
	}
	r, err := car.NewCarReader(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("read bundle %q of actors v%d: %w", name, version, err)
	}
	b := &bundle{types: make(map[cid.Cid]uint32), blocks: make(map[cid.Cid][]byte)}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		blk, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read bundle %q of actors v%d: %w", name, version, err)
		}
		b.blocks[blk.Cid()] = blk.RawData()
		b.order = append(b.order, blk.Cid())
	}
	if len(r.Header.Roots) != 1 {
		return nil, fmt.Errorf("bundle %q of actors v%d has %d roots instead of one", name, version, len(r.Header.Roots))
	}
	if err := b.readManifest(r.Header.Roots[0]); err != nil {
		return nil, fmt.Errorf("bundle %q of actors v%d: manifest: %w", name, version, err)
	}
	return b, nil
}

// readManifest reads [version, CID] at the root and the [[name, CID], …] it points to.
func (b *bundle) readManifest(root cid.Cid) error {
	cr := cbg.NewCborReader(bytes.NewReader(b.blocks[root]))
	if err := wantArray(cr, 2); err != nil {
		return err
	}
	if major, v, err := cr.ReadHeader(); err != nil || major != cbg.MajUnsignedInt || v != 1 {
		return fmt.Errorf("version 1 expected, got %d (%w)", v, err)
	}
	var err error
	if b.manifest, err = cbg.ReadCid(cr); err != nil {
		return err
	}
	cr = cbg.NewCborReader(bytes.NewReader(b.blocks[b.manifest]))
	major, n, err := cr.ReadHeader()
	if err != nil || major != cbg.MajArray {
		return fmt.Errorf("not a list (%w)", err)
	}
	for i := range n {
		if err := wantArray(cr, 2); err != nil {
			return err
		}
		name, err := cbg.ReadString(cr)
		if err != nil {
			return err
		}
		code, err := cbg.ReadCid(cr)
		if err != nil {
			return err
		}
		b.names, b.codes = append(b.names, name), append(b.codes, code)
		b.types[code] = uint32(i + 1)
	}
	return nil
}

func wantArray(cr *cbg.CborReader, n uint64) error {
	major, got, err := cr.ReadHeader()
	if err != nil {
		return err
	}
	if major != cbg.MajArray || got != n {
		return fmt.Errorf("an array of %d expected", n)
	}
	return nil
}

// typeOf is the number of an actor's type, 0 for code that is not in the bundle.
func (b *bundle) typeOf(code cid.Cid) uint32 { return b.types[code] }

// codeOf is the code of the actor with a type.
func (b *bundle) codeOf(typ uint32) (cid.Cid, bool) {
	if typ == 0 || uint64(typ) > uint64(len(b.codes)) {
		return cid.Undef, false
	}
	return b.codes[typ-1], true
}

// byName is the code of the actor with a name.
func (b *bundle) byName(name string) cid.Cid {
	for i, n := range b.names {
		if n == name {
			return b.codes[i]
		}
	}
	return cid.Undef
}
