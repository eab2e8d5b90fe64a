package cli

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/urfave/cli/v3"
)

// pinView is what the node holds for one request, as the API gives it.
type pinView struct {
	Ref    string `json:"ref"`
	Owner  string `json:"owner"`
	CID    string `json:"cid"`
	Name   string `json:"name"`
	State  string `json:"state"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
}

// addedView is a file that was added.
type addedView struct {
	CID    string `json:"cid"`
	Ref    string `json:"ref"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
}

// verification is a recount of the node's references.
type verification struct {
	OK       bool     `json:"ok"`
	Pins     int      `json:"pins"`
	Blocks   uint64   `json:"blocks"`
	Problems []string `json:"problems"`
}

func pinCommand() *cli.Command {
	return &cli.Command{
		Name:  "pin",
		Usage: "what the node holds: add, list, read, drop, verify",
		Commands: []*cli.Command{
			{
				Name: "add", Usage: "hold a CID, or add a file or directory", ArgsUsage: "[CID]",
				Flags: clientFlags(
					&cli.StringFlag{Name: "file", Usage: "file or directory to add; gets the CID that ipfs add --cid-version=1 gives"},
					&cli.StringSliceFlag{Name: "origin", Usage: "multiaddr of a peer that has the CID, ending in /p2p/…"},
					&cli.StringFlag{Name: "name", Usage: "a name for people"},
					&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print the CID only"},
					&cli.BoolFlag{Name: "no-wait", Usage: "do not wait until a CID is held"},
				),
				Action: pinAdd,
			},
			{Name: "ls", Usage: "list what is held, by request", Flags: clientFlags(), Action: pinList},
			{Name: "rm", Usage: "drop a local pin", ArgsUsage: "REF", Flags: clientFlags(), Action: pinRemove},
			{Name: "cat", Usage: "print a held file", ArgsUsage: "CID[/PATH]", Flags: clientFlags(), Action: pinCat},
			{Name: "verify", Usage: "recount all references from scratch", Flags: clientFlags(), Action: pinVerify},
		},
	}
}

func pinAdd(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	path := c.String("file")
	switch {
	case path != "" && c.Args().Present(), path == "" && c.Args().Len() != 1:
		return usage("pin add takes one CID, or --file")
	case path != "":
		return pinAddFile(ctx, c, cl, path)
	}
	in := map[string]any{"cid": c.Args().First(), "origins": c.StringSlice("origin"), "name": c.String("name")}
	var j jobView
	if err := cl.send(ctx, http.MethodPost, "/pins", in, &j); err != nil {
		return err
	}
	if !c.Bool("no-wait") {
		if j, err = awaitJob(ctx, c, cl, j.ID); err != nil {
			return err
		}
	}
	switch {
	case c.Bool("json"):
		return printJSON(c.Root().Writer, j)
	case c.Bool("quiet"):
		_, err = fmt.Fprintln(c.Root().Writer, c.Args().First())
	case c.Bool("no-wait"):
		_, err = fmt.Fprintf(c.Root().Writer, "Job %d is on its way: tidegate jobs show %d\n", j.ID, j.ID)
	default:
		_, err = fmt.Fprintf(c.Root().Writer, "Held: %s\n", j.Progress)
	}
	return err
}

// awaitJob follows a job until it ends, with its progress on standard error.
func awaitJob(ctx context.Context, c *cli.Command, cl *client, id int64) (jobView, error) {
	tick := time.NewTicker(300 * time.Millisecond)
	defer tick.Stop()
	last := ""
	for {
		var j jobView
		if err := cl.get(ctx, "/jobs/"+strconv.FormatInt(id, 10), nil, &j); err != nil {
			return j, err
		}
		if text := j.Progress.String(); text != last && !c.Bool("quiet") {
			fmt.Fprintln(c.Root().ErrWriter, text)
			last = text
		}
		switch {
		case j.Outcome == "succeeded":
			return j, nil
		case j.Outcome == "failed":
			return j, fmt.Errorf("not held: %s: %s", j.Reason, j.LastError)
		case j.State == "dead", j.State == "cancelled":
			return j, fmt.Errorf("job %d is %s: %s", id, j.State, j.LastError)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return j, fmt.Errorf("job %d goes on in the daemon: %w", id, ctx.Err())
		}
	}
}

func pinAddFile(ctx context.Context, c *cli.Command, cl *client, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	name := c.String("name")
	if name == "" {
		name = filepath.Base(path)
	}
	body, contentType := io.ReadCloser(nil), "application/octet-stream"
	if info.IsDir() {
		contentType = "application/x-tar"
		r, w := io.Pipe()
		go func() { w.CloseWithError(tarTree(w, path)) }()
		body = r
	} else if body, err = os.Open(path); err != nil {
		return fmt.Errorf("--file: %w", err)
	}
	defer body.Close()
	var added addedView
	if err := cl.do(ctx, http.MethodPost, "/files?name="+url.QueryEscape(name), body, contentType, &added); err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return printJSON(c.Root().Writer, added)
	case c.Bool("quiet"):
		_, err = fmt.Fprintln(c.Root().Writer, added.CID)
	default:
		_, err = fmt.Fprintf(c.Root().Writer, "%s  %d blocks, %s, as %s\n", added.CID, added.Blocks, bytesText(added.Bytes), added.Ref)
	}
	return err
}

// tarTree writes a directory as a tar stream, in a fixed order.
func tarTree(w io.Writer, root string) error {
	t := tar.NewWriter(w)
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		return tarEntry(t, root, path, d)
	})
	return errors.Join(err, t.Close())
}

func tarEntry(t *tar.Writer, root, path string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	name, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	link := ""
	if info.Mode()&fs.ModeSymlink != 0 {
		if link, err = os.Readlink(path); err != nil {
			return err
		}
	}
	h, err := tar.FileInfoHeader(info, link)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	h.Name = filepath.ToSlash(name)
	if err := t.WriteHeader(h); err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(t, f)
	return err
}

func pinList(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got page[pinView]
	if err := cl.get(ctx, "/pins", nil, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]pinView{}, got.Items...))
	}
	var rows [][]string
	for _, p := range got.Items {
		rows = append(rows, []string{p.CID, p.State, strconv.FormatUint(p.Blocks, 10), bytesText(p.Bytes), p.Name, p.Ref})
	}
	return table(c.Root().Writer, []string{"cid", "state", "blocks", "size", "name", "ref"}, rows)
}

func pinRemove(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("pin rm needs one REF (tidegate pin ls)")
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got struct {
		Ref         string `json:"ref"`
		BlocksFreed uint64 `json:"blocksFreed"`
	}
	if err := cl.send(ctx, http.MethodDelete, "/pins/"+url.PathEscape(c.Args().First()), nil, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, got)
	}
	_, err = fmt.Fprintf(c.Root().Writer, "Dropped; %d blocks freed.\n", got.BlocksFreed)
	return err
}

func pinCat(ctx context.Context, c *cli.Command) error {
	if c.Args().Len() != 1 {
		return usage("pin cat needs one CID, or CID/PATH")
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	u := url.URL{Path: c.Args().First()}
	resp, err := cl.open(ctx, http.MethodGet, "/content/"+u.EscapedPath(), nil, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(c.Root().Writer, resp.Body); err != nil {
		return fmt.Errorf("reading the file: %w", err)
	}
	return nil
}

func pinVerify(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var v verification
	if err := cl.send(ctx, http.MethodPost, "/pins/verify", nil, &v); err != nil {
		return err
	}
	if c.Bool("json") {
		if err := printJSON(c.Root().Writer, v); err != nil {
			return err
		}
	} else if v.OK {
		fmt.Fprintf(c.Root().Writer, "Sound: %d pins, %d blocks; references equal a recount.\n", v.Pins, v.Blocks)
	}
	if !v.OK {
		return fmt.Errorf("the references are not sound: %v", v.Problems)
	}
	return nil
}
