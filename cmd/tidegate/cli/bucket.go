package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"
)

// bucketView is a bucket as the API gives it.
type bucketView struct {
	ID        int64  `json:"id"`
	Format    string `json:"format"`
	State     string `json:"state"`
	Why       string `json:"why,omitempty"`
	Items     int    `json:"items"`
	Bytes     uint64 `json:"bytes"`
	Manifest  string `json:"manifest,omitempty"`
	Piece     string `json:"pieceCid,omitempty"`
	Padded    uint64 `json:"paddedSize,omitempty"`
	Size      uint64 `json:"size,omitempty"`
	CreatedAt string `json:"createdAt,omitempty"`
	UpdatedAt string `json:"updatedAt,omitempty"`
}

// itemView is a prepared DAG as the API gives it.
type itemView struct {
	CID     string `json:"cid"`
	Piece   string `json:"pieceCid"`
	Padded  uint64 `json:"paddedSize"`
	CARSize uint64 `json:"carSize"`
	State   string `json:"state"`
	Error   string `json:"error,omitempty"`
}

// slotView is a row of a manifest as the API gives it.
type slotView struct {
	Position int    `json:"position"`
	Offset   uint64 `json:"offset"`
	CID      string `json:"cid"`
	Piece    string `json:"pieceCid"`
	Padded   uint64 `json:"paddedSize"`
	CARSize  uint64 `json:"carSize"`
}

type bucketDetail struct {
	bucketView
	Contents []itemView `json:"contents"`
	Slots    []slotView `json:"slots"`
}

func bucketCommand() *cli.Command {
	return &cli.Command{
		Name: "bucket", Usage: "pieces on offer, and small items on their way into one",
		Commands: []*cli.Command{
			{
				Name: "ls", Usage: "list buckets, newest first",
				Flags: clientFlags(
					&cli.StringFlag{Name: "state", Usage: "only this state (open, sealing, ready, cleaned, void)"},
					&cli.IntFlag{Name: "limit", Value: 50, Usage: "most rows"},
				),
				Action: bucketList,
			},
			{Name: "show", Usage: "show a bucket's items and its manifest; 0 shows the bad items", ArgsUsage: "ID", Flags: clientFlags(), Action: bucketShow},
			{Name: "flush", Usage: "make a piece of an open bucket now, or of all", ArgsUsage: "[ID]", Flags: clientFlags(), Action: bucketFlush},
			{Name: "clean", Usage: "take a piece off offer and give back what it holds", ArgsUsage: "ID", Flags: clientFlags(), Action: bucketClean},
			{
				Name: "add", Usage: "prepare CIDs: fetch them, make their pieces, put them on offer", ArgsUsage: "CID…",
				Flags:  clientFlags(&cli.StringFlag{Name: "origins", Usage: "multiaddrs ending in /p2p/…, comma-separated"}),
				Action: bucketAdd,
			},
		},
	}
}

func bucketList(ctx context.Context, c *cli.Command) error {
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	query := url.Values{"limit": {strconv.Itoa(c.Int("limit"))}}
	if v := c.String("state"); v != "" {
		query.Set("state", v)
	}
	var got page[bucketView]
	if err := cl.get(ctx, "/buckets", query, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, append([]bucketView{}, got.Items...))
	}
	var rows [][]string
	for _, b := range got.Items {
		size := bytesText(b.Bytes)
		if b.Padded > 0 {
			size = bytesText(b.Padded)
		}
		rows = append(rows, []string{strconv.FormatInt(b.ID, 10), b.Format, b.State, b.Why, strconv.Itoa(b.Items), size, age(b.CreatedAt), b.Piece})
	}
	return table(c.Root().Writer, []string{"id", "format", "state", "sealed by", "items", "size", "age", "piece"}, rows)
}

func bucketShow(ctx context.Context, c *cli.Command) error {
	id, err := bucketID(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var b bucketDetail
	if err := cl.get(ctx, "/buckets/"+id, nil, &b); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, b)
	}
	out := c.Root().Writer
	if b.ID != 0 {
		err := pairs(out, "id", id, "format", b.Format, "state", b.State, "sealed by", b.Why, "items", strconv.Itoa(b.Items), "manifest", b.Manifest,
			"piece", b.Piece, "padded size", sized(b.Padded), "size", sized(b.Size), "created", b.CreatedAt, "updated", b.UpdatedAt)
		if err != nil {
			return err
		}
	}
	var rows [][]string
	for _, s := range b.Slots {
		rows = append(rows, []string{strconv.Itoa(s.Position), strconv.FormatUint(s.Offset, 10), bytesText(s.CARSize), s.CID, s.Piece})
	}
	if len(rows) > 0 {
		return table(out, []string{"position", "offset", "CAR", "cid", "piece"}, rows)
	}
	for _, i := range b.Contents {
		rows = append(rows, []string{i.State, bytesText(i.CARSize), i.CID, i.Piece, i.Error})
	}
	return table(out, []string{"state", "CAR", "cid", "piece", "error"}, rows)
}

func sized(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d (%s)", n, bytesText(n))
}

func bucketFlush(ctx context.Context, c *cli.Command) error {
	path := "/buckets/flush"
	if c.Args().Present() {
		id, err := bucketID(c)
		if err != nil {
			return err
		}
		path = "/buckets/" + id + "/flush"
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var got struct {
		Sealed []int64 `json:"sealed"`
	}
	if err := cl.send(ctx, http.MethodPost, path, nil, &got); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, got)
	}
	if len(got.Sealed) == 0 {
		_, err = fmt.Fprintln(c.Root().Writer, "No open bucket holds anything.")
		return err
	}
	_, err = fmt.Fprintf(c.Root().Writer, "Sealed %s; tidegate bucket ls shows the pieces.\n", strings.Trim(fmt.Sprint(got.Sealed), "[]"))
	return err
}

func bucketClean(ctx context.Context, c *cli.Command) error {
	id, err := bucketID(c)
	if err != nil {
		return err
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var b bucketDetail
	if err := cl.send(ctx, http.MethodDelete, "/buckets/"+id, nil, &b); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, b.bucketView)
	}
	_, err = fmt.Fprintf(c.Root().Writer, "Piece %s is off offer.\n", b.Piece)
	return err
}

func bucketAdd(ctx context.Context, c *cli.Command) error {
	if !c.Args().Present() {
		return usage("bucket add needs at least one CID")
	}
	cl, err := newClient(c)
	if err != nil {
		return err
	}
	var origins []string
	if text := c.String("origins"); text != "" {
		origins = splitList(text)
	}
	made := []jobView{}
	for _, text := range c.Args().Slice() {
		var j jobView
		if err := cl.send(ctx, http.MethodPost, "/pieces", map[string]any{"cid": text, "origins": origins}, &j); err != nil {
			return err
		}
		made = append(made, j)
		if !c.Bool("json") {
			if _, err := fmt.Fprintf(c.Root().Writer, "Job %d prepares %s; tidegate jobs show %d tells how far it is.\n", j.ID, text, j.ID); err != nil {
				return err
			}
		}
	}
	if c.Bool("json") {
		return printJSON(c.Root().Writer, made)
	}
	return nil
}

func bucketID(c *cli.Command) (string, error) {
	if c.Args().Len() != 1 {
		return "", usage("bucket %s needs one bucket id (tidegate bucket ls)", c.Name)
	}
	id := c.Args().First()
	if n, err := strconv.ParseInt(id, 10, 64); err != nil || n < 0 {
		return "", usage("%q is not a bucket id (tidegate bucket ls)", id)
	}
	return id, nil
}
