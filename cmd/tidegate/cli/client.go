package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/tidegate/tidegate/cmd/tidegate/config"
)

// client talks to a running daemon's local API.
type client struct {
	base string
	key  string
	http *http.Client
}

func newHTTP(timeout time.Duration) *http.Client { return &http.Client{Timeout: timeout} }

func clientFlags(more ...cli.Flag) []cli.Flag {
	d := config.Default()
	return append([]cli.Flag{
		&cli.StringFlag{Name: "api", Usage: "`URL` of the daemon's local API", Value: "http://" + d.HTTP.Listen, Sources: cli.EnvVars("TIDEGATE_API")},
		&cli.StringFlag{Name: "data-dir", Usage: "the daemon's data directory, where its API key is", Value: d.DataDir, Sources: cli.EnvVars("TIDEGATE_DATA_DIR")},
		jsonFlag(),
	}, more...)
}

func newClient(c *cli.Command) (*client, error) {
	loaded, err := config.Load(config.Layers{Base: config.Default(), Flags: map[string]string{"data-dir": c.String("data-dir")}})
	if err != nil {
		return nil, err
	}
	cl := &client{base: strings.TrimRight(c.String("api"), "/") + "/api/v1", http: &http.Client{}}
	key, err := os.ReadFile(filepath.Join(loaded.DataDir, "api.key"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("reading the API key: %w", err)
	}
	cl.key = strings.TrimSpace(string(key))
	return cl, nil
}

// problem is RFC 9457's error body.
type problem struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Status int    `json:"status"`
}

// do sends one request and decodes the answer into out, when that is not nil.
func (c *client) do(ctx context.Context, method, path string, body io.Reader, contentType string, out any) error {
	resp, err := c.open(ctx, method, path, body, contentType)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<20)).Decode(out); err != nil {
		return fmt.Errorf("%s %s answered something that is not JSON: %w", method, path, err)
	}
	return nil
}

// open sends one request and gives the response if its status is a success.
func (c *client) open(ctx context.Context, method, path string, body io.Reader, contentType string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, fmt.Errorf("--api %q: %w", c.base, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return nil, fmt.Errorf("no daemon answers at %s: start one (tidegate daemon), or name it with --api", c.base)
	}
	if err != nil {
		return nil, fmt.Errorf("asking the daemon: %w", err)
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var p problem
	if json.Unmarshal(raw, &p) == nil && p.Title != "" {
		if resp.StatusCode == http.StatusUnauthorized {
			return nil, fmt.Errorf("the daemon refused the API key: give --data-dir of the daemon that listens at %s", c.base)
		}
		return nil, fmt.Errorf("the daemon says: %s", strings.TrimSuffix(p.Title+": "+p.Detail, ": "))
	}
	return nil, fmt.Errorf("the daemon answered %s: %s", resp.Status, strings.TrimSpace(string(raw)))
}

func (c *client) get(ctx context.Context, path string, query url.Values, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return c.do(ctx, http.MethodGet, path, nil, "", out)
}

func (c *client) send(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
		body = bytes.NewReader(b)
	}
	return c.do(ctx, method, path, body, "application/json", out)
}

func splitList(s string) []string { return strings.Split(s, ",") }
