package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/piece"
)

// segmentView is one segment of an aggregate with its proof.
type segmentView struct {
	pieceView
	Offset uint64               `json:"offset"` // padded bytes
	Proof  piece.InclusionProof `json:"proof"`
}

// aggregateView is what piece aggregate prints, and keeps with --proofs.
type aggregateView struct {
	Aggregate pieceView     `json:"aggregate"`
	Segments  []segmentView `json:"segments"`
}

func pieceAggregate(ctx context.Context, c *cli.Command) error {
	files := c.Args().Slice()
	if len(files) == 0 {
		return usage("piece aggregate needs FILEs")
	}
	padded, err := sizeOf(c, "size")
	if err != nil {
		return err
	}
	type member struct {
		file string
		c    piece.Commitment
	}
	var members []member
	for _, path := range files {
		got, err := commitFile(ctx, c, path)
		if err != nil {
			return err
		}
		members = append(members, member{path, got})
	}
	if !c.Bool("keep-order") {
		slices.SortStableFunc(members, func(a, b member) int { return piece.CompareForAggregate(a.c, b.c) })
	}
	var list []piece.Commitment
	for i, m := range members {
		list, files[i] = append(list, m.c), m.file
	}
	a, err := piece.NewAggregate(list, padded)
	if err != nil {
		return err
	}
	if path := c.String("output"); path != "" {
		if err := writeAggregate(ctx, c, a, files, path); err != nil {
			return err
		}
	}
	v, err := aggregateViewOf(a, files)
	if err != nil {
		return err
	}
	v.Aggregate.File = c.String("output")
	if path := c.String("proofs"); path != "" {
		if err := writeJSON(path, v); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, v)
	}
	if err := v.Aggregate.print(c, c.Root().Writer); err != nil {
		return err
	}
	var rows [][]string
	for _, s := range v.Segments {
		rows = append(rows, []string{fmt.Sprint(s.Offset), fmt.Sprint(s.Padded), s.PieceCID, s.File})
	}
	return table(c.Root().Writer, []string{"offset", "padded", "piece", "file"}, rows)
}

func aggregateViewOf(a *piece.Aggregate, files []string) (v aggregateView, err error) {
	if v.Aggregate, err = viewOf(a.Commitment()); err != nil {
		return v, err
	}
	for i, s := range a.Segments {
		one := segmentView{Offset: s.Offset}
		if one.pieceView, err = viewOf(s.Commitment); err != nil {
			return v, err
		}
		if one.Proof, err = a.Proof(i); err != nil {
			return v, err
		}
		one.File = files[i]
		v.Segments = append(v.Segments, one)
	}
	return v, nil
}

func writeAggregate(ctx context.Context, c *cli.Command, a *piece.Aggregate, files []string, path string) error {
	f, err := createNew(path)
	if err != nil {
		return err
	}
	defer f.discard()
	bar := newBar(c, "writing", a.Commitment().Payload)
	defer bar.end()
	err = a.WriteTo(ctx, io.MultiWriter(f, bar), func(_ context.Context, i int) (io.ReadCloser, error) { return os.Open(files[i]) })
	var bad *piece.SegmentError
	if errors.As(err, &bad) {
		return fmt.Errorf("%s changed or cannot be read: %w", files[bad.Segment], err)
	}
	if err != nil {
		return err
	}
	return f.keep()
}

func writeJSON(path string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	f, err := createNew(path)
	if err != nil {
		return err
	}
	defer f.discard()
	if _, err := f.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return f.keep()
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func pieceVerify(ctx context.Context, c *cli.Command) error {
	proof, parts := c.String("proof"), c.String("parts")
	switch {
	case proof != "" && parts == "" && !c.Args().Present():
		return verifyProofs(c, proof)
	case parts != "" && proof == "" && !c.Args().Present():
		return verifyParts(ctx, c, parts)
	case proof != "" || parts != "" || c.Args().Len() != 2:
		return usage("piece verify takes FILE and PIECE-CID, or --proof FILE, or --parts FILE")
	}
	want, err := piece.Parse(c.Args().Get(1))
	if err != nil {
		return usage("%v", err)
	}
	got, err := commitFile(ctx, c, c.Args().First())
	if err != nil {
		return err
	}
	if want.Padded > got.Padded {
		if got, err = got.Pad(want.Padded); err != nil {
			return err
		}
	}
	if got.Root != want.Root || want.Payload != 0 && want.Payload != got.Payload {
		return fmt.Errorf("%s has %d bytes and piece CID %s: %w", c.Args().First(), got.Payload, got.CID(), piece.ErrMismatch)
	}
	return verified(c, "The bytes are that piece: %d, padded %d.", got.Payload, got.Padded)
}

func verified(c *cli.Command, format string, args ...any) error {
	if c.Bool("json") {
		return printJSON(c.Root().Writer, map[string]bool{"ok": true})
	}
	_, err := fmt.Fprintf(c.Root().Writer, format+"\n", args...)
	return err
}

func verifyProofs(c *cli.Command, path string) error {
	var v aggregateView
	if err := readJSON(path, &v); err != nil {
		return err
	}
	whole, err := v.Aggregate.commitment()
	if err != nil {
		return fmt.Errorf("%s: the aggregate: %w", path, err)
	}
	if len(v.Segments) == 0 {
		return fmt.Errorf("%s has no segments", path)
	}
	for i, s := range v.Segments {
		one, err := s.commitment()
		if err == nil {
			err = s.Proof.Verify(one, whole)
		}
		if err != nil {
			return fmt.Errorf("%s: segment %d: %w", path, i, err)
		}
	}
	return verified(c, "%d proofs show that %s holds the pieces.", len(v.Segments), v.Aggregate.PieceCID)
}

// partView is one part of a split; File is beside the manifest.
type partView struct {
	pieceView
	Roots []string `json:"roots"`
	Alone []string `json:"alone,omitempty"`
}

// splitView is the manifest of a split.
type splitView struct {
	Root  string     `json:"root"`
	Whole pieceView  `json:"whole"` // of the one CAR that the parts restore
	Parts []partView `json:"parts"`
}

const manifestName = "manifest.json"

func pieceSplit(ctx context.Context, c *cli.Command) error {
	limit, err := sizeOf(c, "max-size")
	if err != nil {
		return err
	}
	src, root, done, err := openSource(c)
	if err != nil {
		return err
	}
	defer done()
	dir := c.String("output")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("--output: %w", err)
	}
	parts, err := piece.Split(ctx, src, root, piece.MaxPayload(limit))
	if err != nil {
		return err
	}
	v := splitView{Root: root.String()}
	var paths []string
	for i, part := range parts {
		one, err := packPart(ctx, c, src, part, dir, i)
		if err != nil {
			return err
		}
		v.Parts = append(v.Parts, one)
		paths = append(paths, filepath.Join(dir, one.File))
	}
	if v.Whole, err = restored(ctx, paths, root); err != nil {
		return err
	}
	if err := writeJSON(filepath.Join(dir, manifestName), v); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, v)
	}
	var rows [][]string
	for _, p := range v.Parts {
		rows = append(rows, []string{p.File, p.PieceCID, fmt.Sprint(p.Padded), bytesText(p.Payload), fmt.Sprint(p.Blocks)})
	}
	return table(c.Root().Writer, []string{"file", "piece", "padded", "car", "blocks"}, rows)
}

func packPart(ctx context.Context, c *cli.Command, src piece.Blocks, part piece.Part, dir string, i int) (partView, error) {
	name := fmt.Sprintf("part-%04d.car", i)
	f, err := createNew(filepath.Join(dir, name))
	if err != nil {
		return partView{}, err
	}
	defer f.discard()
	bar := newBar(c, name, part.Size)
	p, err := piece.Pack(ctx, src, part.Contents, f, piece.PackOptions{Progress: func(p piece.Progress) { bar.at(p.Bytes) }})
	bar.end()
	if err != nil {
		return partView{}, fmt.Errorf("%s: %w", name, err)
	}
	if err := f.keep(); err != nil {
		return partView{}, err
	}
	v := partView{Roots: texts(part.Roots), Alone: texts(part.Alone)}
	if v.pieceView, err = viewOf(p.Commitment); err != nil {
		return partView{}, err
	}
	v.File, v.Blocks = name, p.Blocks
	return v, nil
}

func texts(cids []cid.Cid) []string {
	out := make([]string, len(cids))
	for i, c := range cids {
		out[i] = c.String()
	}
	return out
}

// restored packs the whole from the parts alone.
func restored(ctx context.Context, paths []string, root cid.Cid) (pieceView, error) {
	src, _, done, err := openCARs(paths)
	if err != nil {
		return pieceView{}, err
	}
	defer done()
	what := piece.Contents{Roots: []cid.Cid{root}}
	p, err := piece.Pack(ctx, src, what, nil, piece.PackOptions{})
	if errors.Is(err, piece.ErrTooLarge) { // more than any piece holds: its blocks are what counts
		m, err := piece.Measure(ctx, verifying{src}, what, 0)
		return pieceView{Root: root.String(), Payload: m.Size, Blocks: m.Blocks}, err
	}
	if err != nil {
		return pieceView{}, fmt.Errorf("the parts do not restore %s: %w", root, err)
	}
	v, err := viewOf(p.Commitment)
	v.Root, v.Blocks = root.String(), p.Blocks
	return v, err
}

// verifying hides the sizes of a source, so that all blocks are read and hashed.
type verifying struct{ piece.Blocks }

func verifyParts(ctx context.Context, c *cli.Command, path string) error {
	var v splitView
	if err := readJSON(path, &v); err != nil {
		return err
	}
	root, err := cid.Decode(v.Root)
	if err != nil {
		return fmt.Errorf("%s: its root: %w", path, err)
	}
	var paths []string
	for _, p := range v.Parts {
		file := filepath.Join(filepath.Dir(path), filepath.Base(p.File))
		got, err := commitFile(ctx, c, file)
		if err != nil {
			return err
		}
		if want, err := p.commitment(); err != nil || got != want {
			return errors.Join(err, fmt.Errorf("%s has %d bytes and piece CID %s, not %s: %w", p.File, got.Payload, got.CID(), p.PieceCID, piece.ErrMismatch))
		}
		paths = append(paths, file)
	}
	if len(paths) == 0 {
		return fmt.Errorf("%s has no parts", path)
	}
	whole, err := restored(ctx, paths, root)
	if err != nil {
		return err
	}
	if whole != v.Whole {
		return fmt.Errorf("the parts restore %s of %d bytes, not %s: %w", whole.PieceCID, whole.Payload, v.Whole.PieceCID, piece.ErrMismatch)
	}
	return verified(c, "%d parts are whole and restore %s.", len(paths), root)
}
