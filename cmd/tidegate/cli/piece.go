package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/executor/piece"
)

// pieceView is a piece as the command line prints it.
type pieceView struct {
	PieceCID   string `json:"pieceCid"`
	PieceCIDv2 string `json:"pieceCidV2"`
	Payload    uint64 `json:"payloadSize"`
	Padded     uint64 `json:"paddedSize"`
	Root       string `json:"root,omitempty"`
	Blocks     uint64 `json:"blocks,omitempty"`
	File       string `json:"file,omitempty"`
}

func viewOf(c piece.Commitment) (pieceView, error) {
	v2, err := c.CIDv2()
	if err != nil {
		return pieceView{}, err
	}
	return pieceView{PieceCID: c.CID().String(), PieceCIDv2: v2.String(), Payload: c.Payload, Padded: c.Padded}, nil
}

// commitment is what a view names.
func (v pieceView) commitment() (piece.Commitment, error) {
	c, err := piece.Parse(v.PieceCID)
	c.Payload, c.Padded = v.Payload, v.Padded
	return c, err
}

func (v pieceView) print(c *cli.Command, w io.Writer) error {
	if c.Bool("json") {
		return printJSON(w, v)
	}
	blocks := ""
	if v.Blocks > 0 {
		blocks = strconv.FormatUint(v.Blocks, 10)
	}
	return pairs(w, "piece", v.PieceCID, "piece v2", v.PieceCIDv2, "payload", fmt.Sprintf("%d (%s)", v.Payload, bytesText(v.Payload)),
		"padded", fmt.Sprintf("%d (%s)", v.Padded, bytesText(v.Padded)), "root", v.Root, "blocks", blocks, "file", v.File)
}

func pieceCommand() *cli.Command {
	from := &cli.StringSliceFlag{Name: "from", Usage: "where blocks are: a CAR, a directory of CARs, or the `URL` of a daemon's public port", Sources: cli.EnvVars("TIDEGATE_PUBLIC")}
	out := func(usage string) cli.Flag {
		return &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: usage}
	}
	size := func(name, usage string) cli.Flag { return &cli.StringFlag{Name: name, Usage: usage} }
	return &cli.Command{
		Name:  "piece",
		Usage: "Filecoin pieces: commitments, CARs, aggregates with proofs, parts of what is too large",
		Description: "A piece is what a storage deal is about: bytes (here a CAR with your content), padded to a power of two and named\n" +
			"by a piece CID (commP). Sizes may be given as 34359738368 or 32GiB; they are padded sizes.",
		Commands: []*cli.Command{
			{
				Name: "commp", Usage: "piece CID and sizes of any bytes", ArgsUsage: "FILE|-",
				Description: "Computes the commitment on all cores in little memory; - reads standard input.",
				Flags:       []cli.Flag{size("pad-to", "size of a larger piece that the bytes are to fill"), jsonFlag()},
				Action:      pieceCommp,
			},
			{
				Name: "car", Usage: "the CAR of a DAG, with its commitment, in one verified pass", ArgsUsage: "[CID]",
				Description: "Writes every block below CID once, depth first, so that everybody makes the same bytes and the same piece CID.\n" +
					"Without CID: below the first root of the CAR given. Without --output nothing is kept: only the piece CID is told.\n" +
					"  tidegate piece car bafy… --from http://127.0.0.1:4782 -o content.car",
				Flags: []cli.Flag{from, out("`FILE` for the CAR"), &cli.BoolFlag{Name: "index", Usage: "write a CARv2 with an index (the piece is the CARv1 within)"},
					&cli.StringFlag{Name: "token", Usage: "bearer token, if the public port wants one", Sources: cli.EnvVars("TIDEGATE_TOKEN")}, jsonFlag()},
				Action: pieceCAR,
			},
			{
				Name: "aggregate", Usage: "many pieces in one, with a proof of inclusion for each (FRC-0058)", ArgsUsage: "FILE…",
				Description: "Each file becomes a segment; --proofs keeps for each file what a contract or tidegate piece verify --proof can check.\n" +
					"The order decides the piece CID: largest first, unless --keep-order.",
				Flags: []cli.Flag{out("`FILE` for the aggregate's bytes"), &cli.StringFlag{Name: "proofs", Usage: "`FILE` for the proofs, JSON"}, size("size", "padded size of the aggregate; the least that fits if not given"),
					&cli.BoolFlag{Name: "keep-order", Usage: "segments in the order of the files given"}, jsonFlag()},
				Action: pieceAggregate,
			},
			{
				Name: "verify", Usage: "check a file, a proof of inclusion, or the parts of a split", ArgsUsage: "[FILE PIECE-CID]",
				Description: "  tidegate piece verify content.car baga6ea4…     the file's bytes are that piece\n" +
					"  tidegate piece verify --proof proofs.json        every proof leads to its aggregate\n" +
					"  tidegate piece verify --parts out/manifest.json  the parts are whole and together restore the content",
				Flags:  []cli.Flag{&cli.StringFlag{Name: "proof", Usage: "`FILE` that piece aggregate --proofs wrote"}, &cli.StringFlag{Name: "parts", Usage: "manifest `FILE` that piece split wrote"}, jsonFlag()},
				Action: pieceVerify,
			},
			{
				Name: "split", Usage: "cut a DAG that is too large for one piece into several CARs", ArgsUsage: "[CID]",
				Description: "Parts are whole sub-DAGs, and the blocks above them in the last; manifest.json names them. To restore the content,\n" +
					"import all parts (ipfs dag import --pin-roots=false), or: tidegate piece car CID --from DIRECTORY -o content.car",
				Flags: []cli.Flag{from, &cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "`DIRECTORY` for the parts, made if it is not there", Required: true},
					&cli.StringFlag{Name: "max-size", Usage: "padded size that no part's piece exceeds", Value: "32GiB"}, jsonFlag()},
				Action: pieceSplit,
			},
		},
	}
}

func pieceCommp(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("piece commp needs one FILE, or - for standard input")
	}
	target, err := sizeOf(c, "pad-to")
	if err != nil {
		return err
	}
	got, err := commitFile(ctx, c, c.Args().First())
	if err != nil {
		return err
	}
	if target > 0 {
		if got, err = got.Pad(target); err != nil {
			return err
		}
	}
	v, err := viewOf(got)
	if err != nil {
		return err
	}
	return v.print(c, c.Root().Writer)
}

// commitFile computes a file's commitment, with a bar.
func commitFile(ctx context.Context, c *cli.Command, path string) (piece.Commitment, error) {
	in, size := io.ReadCloser(io.NopCloser(c.Root().Reader)), uint64(0)
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return piece.Commitment{}, err
		}
		st, err := f.Stat()
		if err != nil || st.IsDir() {
			return piece.Commitment{}, errors.Join(err, f.Close(), fmt.Errorf("%s is not a file", path))
		}
		in, size = f, uint64(st.Size())
	}
	defer in.Close()
	w := piece.NewWriter()
	defer w.Reset()
	bar := newBar(c, filepath.Base(path), size)
	defer bar.end()
	buf := make([]byte, 1<<20)
	for {
		n, rerr := in.Read(buf)
		if _, err := w.Write(buf[:n]); err != nil {
			return piece.Commitment{}, err
		}
		bar.at(w.Size())
		if errors.Is(rerr, io.EOF) {
			break
		}
		if err := errors.Join(rerr, context.Cause(ctx)); err != nil {
			return piece.Commitment{}, fmt.Errorf("reading %s: %w", path, err)
		}
	}
	got, err := w.Sum()
	if err != nil {
		return got, fmt.Errorf("%s: %w", path, err)
	}
	return got, nil
}

func pieceCAR(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() > 1 {
		return usage("piece car takes one CID")
	}
	if base := c.StringSlice("from"); len(base) == 1 && isURL(base[0]) {
		return pieceCARFrom(ctx, c, base[0])
	}
	src, root, done, err := openSource(c)
	if err != nil {
		return err
	}
	defer done()
	var out io.WriteSeeker
	if path := c.String("output"); path != "" {
		f, err := createNew(path)
		if err != nil {
			return err
		}
		defer f.discard()
		if err := packFile(ctx, c, src, root, f.File); err != nil {
			return err
		}
		return f.keep()
	}
	if c.Bool("index") {
		return usage("--index needs --output")
	}
	return packFile(ctx, c, src, root, out)
}

// packFile writes one CAR, or none if out is nil, and prints its piece.
func packFile(ctx context.Context, c *cli.Command, src piece.Blocks, root cid.Cid, out io.WriteSeeker) error {
	bar := newBar(c, "packing", 0)
	o := piece.PackOptions{Progress: func(p piece.Progress) { bar.at(p.Bytes) }}
	what := piece.Contents{Roots: []cid.Cid{root}}
	var p piece.Packed
	var err error
	switch {
	case out == nil:
		p, err = piece.Pack(ctx, src, what, nil, o)
	case c.Bool("index"):
		o.TempDir = filepath.Dir(c.String("output"))
		p, err = piece.PackV2(ctx, src, what, out, o)
	default:
		p, err = piece.Pack(ctx, src, what, out, o)
	}
	bar.end()
	if errors.Is(err, piece.ErrTooLarge) {
		return fmt.Errorf("%w: tidegate piece split makes parts of it", err)
	}
	if err != nil {
		return err
	}
	v, err := viewOf(p.Commitment)
	if err != nil {
		return err
	}
	v.Root, v.Blocks, v.File = root.String(), p.Blocks, c.String("output")
	return v.print(c, c.Root().Writer)
}

// pieceCARFrom fetches a CAR from a public port and checks all of it: the bytes are
// kept only if they are what packing its own blocks gives.
func pieceCARFrom(ctx context.Context, c *cli.Command, base string) error {
	path := c.String("output")
	if c.Args().Len() != 1 || path == "" || c.Bool("index") {
		return usage("piece car --from URL needs a CID and --output, and gives a CARv1")
	}
	root, err := cid.Decode(c.Args().First())
	if err != nil {
		return usage("not a CID: %q", c.Args().First())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(base, "/")+"/car/"+url.PathEscape(root.String()), nil)
	if err != nil {
		return usage("--from %q: %v", base, err)
	}
	if token := c.String("token"); token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("fetching the CAR: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10))
		return fmt.Errorf("%s answered %s: %s", base, resp.Status, strings.TrimSpace(string(why)))
	}
	f, err := createNew(path)
	if err != nil {
		return err
	}
	defer f.discard()
	bar := newBar(c, "fetching", uint64(max(resp.ContentLength, 0)))
	n, err := io.Copy(f, io.TeeReader(resp.Body, bar))
	bar.end()
	if err != nil {
		return fmt.Errorf("fetching the CAR: %w", err)
	}
	car, err := piece.OpenCAR(f, n)
	if err != nil {
		return fmt.Errorf("what %s sent: %w", base, err)
	}
	got, err := piece.Pack(ctx, car, piece.Contents{Roots: []cid.Cid{root}}, nil, piece.PackOptions{})
	if err != nil {
		return fmt.Errorf("what %s sent: %w", base, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	w := piece.NewWriter()
	defer w.Reset()
	if _, err := io.Copy(w, f); err != nil {
		return fmt.Errorf("reading %s: %w", path, err)
	}
	if whole, err := w.Sum(); err != nil || whole != got.Commitment {
		return errors.Join(err, fmt.Errorf("what %s sent holds the content, but is not its CAR: %w", base, piece.ErrMismatch))
	}
	if err := f.keep(); err != nil {
		return err
	}
	v, err := viewOf(got.Commitment)
	if err != nil {
		return err
	}
	v.Root, v.Blocks, v.File = root.String(), got.Blocks, path
	return v.print(c, c.Root().Writer)
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// openSource opens the CARs of --from, and says which root is meant.
func openSource(c *cli.Command) (src piece.Blocks, root cid.Cid, done func(), err error) {
	if c.Args().Len() > 1 {
		return nil, cid.Undef, nil, usage("one CID at most")
	}
	var paths []string
	for _, from := range c.StringSlice("from") {
		if isURL(from) {
			return nil, cid.Undef, nil, usage("--from takes one URL and nothing else, and only for piece car")
		}
		st, err := os.Stat(from)
		switch {
		case err != nil:
			return nil, cid.Undef, nil, fmt.Errorf("--from: %w", err)
		case !st.IsDir():
			paths = append(paths, from)
		default:
			found, err := filepath.Glob(filepath.Join(from, "*.car"))
			if err != nil || len(found) == 0 {
				return nil, cid.Undef, nil, errors.Join(err, fmt.Errorf("--from: no *.car in %s", from))
			}
			paths = append(paths, found...)
		}
	}
	if len(paths) == 0 {
		return nil, cid.Undef, nil, usage("--from is needed: a CAR, a directory of CARs, or the URL of a daemon's public port")
	}
	src, roots, done, err := openCARs(paths)
	if err != nil {
		return nil, cid.Undef, nil, err
	}
	if c.Args().Present() {
		if root, err = cid.Decode(c.Args().First()); err != nil {
			done()
			return nil, cid.Undef, nil, usage("not a CID: %q", c.Args().First())
		}
		return src, root, done, nil
	}
	return src, roots[0], done, nil
}

// openCARs makes one source of several files. Errors close them all.
func openCARs(paths []string) (src piece.Blocks, roots []cid.Cid, done func(), err error) {
	var files []*os.File
	done = func() {
		for _, f := range files {
			_ = f.Close() // opened for reading
		}
	}
	var sources []piece.Blocks
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			done()
			return nil, nil, nil, err
		}
		files = append(files, f)
		st, err := f.Stat()
		if err != nil {
			done()
			return nil, nil, nil, err
		}
		car, err := piece.OpenCAR(f, st.Size())
		if err != nil {
			done()
			return nil, nil, nil, fmt.Errorf("%s: %w", path, err)
		}
		sources, roots = append(sources, car), append(roots, car.Roots...)
	}
	if len(sources) == 1 {
		return sources[0], roots, done, nil
	}
	return piece.Join(sources...), roots, done, nil
}

// newFile is written beside its name and gets it when it is whole.
type newFile struct {
	*os.File
	name string
}

func createNew(name string) (*newFile, error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return nil, fmt.Errorf("--output: %w", err)
	}
	return &newFile{f, name}, nil
}

// keep gives the file its name; discard then does nothing.
func (f *newFile) keep() error {
	if err := errors.Join(f.Chmod(0o644), f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", f.name, err)
	}
	return os.Rename(f.File.Name(), f.name)
}

func (f *newFile) discard() {
	if f.Close() == nil { // not kept
		_ = os.Remove(f.File.Name())
	}
}

// sizeOf reads a padded size, 0 if the flag is not given.
func sizeOf(c *cli.Command, flag string) (uint64, error) {
	text := strings.TrimSpace(c.String(flag))
	if text == "" {
		return 0, nil
	}
	number, shift := text, 0
	for suffix, by := range map[string]int{"KiB": 10, "MiB": 20, "GiB": 30} {
		if cut, ok := strings.CutSuffix(text, suffix); ok {
			number, shift = strings.TrimSpace(cut), by
		}
	}
	n, err := strconv.ParseUint(number, 10, 63-shift)
	if err == nil {
		n <<= shift
		err = piece.CheckPadded(n)
	}
	if err != nil {
		return 0, usage("--%s %q: %v", flag, text, err)
	}
	return n, nil
}

// bar is a line of progress on standard error, if that is a terminal.
type bar struct {
	out   io.Writer // nil: nobody looks
	what  string
	total uint64 // 0 if unknown
	now   uint64
	began time.Time
	drawn time.Time
}

func newBar(c *cli.Command, what string, total uint64) *bar {
	b := &bar{what: what, total: total, began: time.Now()}
	if f, ok := c.Root().ErrWriter.(*os.File); ok && !c.Bool("json") {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			b.out = f
		}
	}
	return b
}

// Write counts what passes by.
func (b *bar) Write(p []byte) (int, error) {
	b.at(b.now + uint64(len(p)))
	return len(p), nil
}

func (b *bar) at(n uint64) {
	b.now = n
	if b.out == nil || time.Since(b.drawn) < 200*time.Millisecond {
		return
	}
	b.drawn = time.Now()
	rate := uint64(float64(n) / max(time.Since(b.began).Seconds(), 0.001))
	const width = 24
	if b.total > 0 {
		full := int(min(n, b.total) * width / b.total)
		fmt.Fprintf(b.out, "\r%s [%s%s] %s of %s, %s/s \x1b[K", b.what, strings.Repeat("#", full), strings.Repeat(".", width-full), bytesText(n), bytesText(b.total), bytesText(rate))
		return
	}
	fmt.Fprintf(b.out, "\r%s %s, %s/s \x1b[K", b.what, bytesText(n), bytesText(rate))
}

// end clears the line.
func (b *bar) end() {
	if b.out != nil && !b.drawn.IsZero() {
		fmt.Fprint(b.out, "\r\x1b[K")
	}
}
