package deals

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/piece"
)

// Door sends a request to a stranger's server, under the rules for whom to dial.
// sent is false where nobody can have got it.
type Door interface {
	Ask(ctx context.Context, req *http.Request) (res *http.Response, sent bool, err error)
}

const (
	sampleTimeout = 2 * time.Minute // of one range, 1 MiB
	mostAtOnce    = 4               // samples of one pass
	mostSampled   = 1000            // samples that are looked at for who was asked
)

// sampling asks providers for ranges until ctx ends.
func (m *Maker) sampling(ctx context.Context) {
	for ctx.Err() == nil {
		if err := m.SamplePass(ctx); err != nil && ctx.Err() == nil {
			m.d.Log.Warn("deals: sampling again later", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(m.cfg.Poll):
		}
	}
}

// SamplePass asks each provider with active deals, that was not asked for the time of
// SampleEvery, for a random range of one of their pieces: a few providers at most, one
// after another. What came of it is in the ledger; nothing is where all of them were
// silent and we are cut off ourselves: they are asked again then.
func (m *Maker) SamplePass(ctx context.Context) error {
	now := m.d.Now()
	active, err := m.d.Ledger.Offers(ctx, job.OfferFilter{State: job.OfferActive, Brief: true})
	if err != nil {
		return err
	}
	asked, err := m.d.Ledger.Samples(ctx, job.SampleFilter{Since: now.Add(-m.cfg.SampleEvery), Limit: mostSampled})
	if err != nil {
		return err
	}
	recent := map[uint64]bool{}
	for _, s := range asked {
		recent[s.Miner] = true
	}
	known := m.known()
	of := map[uint64][]job.Offer{}
	for _, o := range active {
		if !recent[o.Miner] && known[o.Miner].pieces() != "" {
			of[o.Miner] = append(of[o.Miner], o)
		}
	}
	var errs []error
	var round []sampled
	for miner, offers := range of {
		if len(round) == mostAtOnce || ctx.Err() != nil {
			break
		}
		s, err := m.sample(ctx, known[miner], offers[m.pick(uint64(len(offers)))])
		if errs = append(errs, err); s != nil {
			round = append(round, *s)
		}
	}
	return errors.Join(append(errs, m.keep(ctx, round))...)
}

// sampled is a sample, and whether nothing at all came for it.
type sampled struct {
	job.Sample
	silent bool
}

// keep writes a round of samples down.
func (m *Maker) keep(ctx context.Context, round []sampled) error {
	silent := 0
	for _, s := range round {
		silent += flag(s.silent)
	}
	if silent > 0 && silent == len(round) && !m.online(ctx) {
		m.d.Log.Warn("no provider that was asked for a range answers, nor does the chain: this counts for nobody", "asked", silent)
		return nil
	}
	var errs []error
	for _, s := range round {
		if !s.Good {
			m.d.Log.Warn("a provider did not serve what it stores", "miner", s.Miner, "slot", s.Slot, "url", s.URL, "error", s.Words)
		}
		errs = append(errs, m.d.Ledger.AddSample(ctx, s.Sample, m.d.Now().Add(-history)))
	}
	return errors.Join(errs...)
}

// online tells whether others than providers are within reach.
func (m *Maker) online(ctx context.Context) bool { return m.d.Online == nil || m.d.Online(ctx) }

// pieces is where a provider gives pieces, by HTTP; "" where that is not known. Curio
// has them beside its market.
func (p Provider) pieces() string {
	switch {
	case p.Retrieval != "":
		return p.Retrieval
	case p.Market != "":
		return strings.TrimSuffix(p.Market, "/") + "/piece/"
	}
	return ""
}

// pick is a random number below n.
func (m *Maker) pick(n uint64) uint64 {
	var b [8]byte
	_, _ = io.ReadFull(m.random(), b[:]) // it never fails
	return binary.LittleEndian.Uint64(b[:]) % n
}

// sample asks for one range. Nil where nobody was asked, or is to blame.
func (m *Maker) sample(ctx context.Context, p Provider, o job.Offer) (*sampled, error) {
	commitment, layer, err := m.layer(ctx, o)
	if errors.Is(err, job.ErrNotFound) {
		return nil, nil // the piece is no more here, and was never sampled
	}
	if err != nil {
		return nil, fmt.Errorf("the tree of piece %s: %w", o.Piece, err)
	}
	i := m.pick(layer.Ranges())
	s := &sampled{Sample: job.Sample{Miner: o.Miner, Slot: o.Slot, Piece: o.Piece, URL: p.pieces() + o.Piece, At: m.d.Now()}}
	s.Offset, s.Length = layer.Range(i)
	data, err := m.fetch(ctx, s)
	if err == nil {
		err = piece.CheckRange(commitment, i, data, layer.Path(i))
	}
	if ctx.Err() != nil {
		return nil, nil // nobody's fault
	}
	if s.Good = err == nil; !s.Good {
		s.Words = fmt.Sprintf("%.300s", err.Error())
	}
	return s, nil
}

// fetch gets the range of a sample, and how long it took.
func (m *Maker) fetch(ctx context.Context, s *sampled) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, sampleTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Range", fmt.Sprintf("bytes=%d-%d", s.Offset, s.Offset+s.Length-1))
	began := time.Now()
	defer func() { s.Took = time.Since(began) }()
	res, _, err := m.d.Door.Ask(ctx, req)
	if err != nil {
		s.silent = true
		return nil, err
	}
	defer res.Body.Close()
	// A server without ranges sends all: the first is what was asked for.
	if res.StatusCode != http.StatusPartialContent && (res.StatusCode != http.StatusOK || s.Offset != 0) {
		return nil, fmt.Errorf("%s answered %s to a request for a range", req.URL.Host, res.Status)
	}
	data := make([]byte, s.Length)
	n, err := io.ReadAtLeast(res.Body, data, 1)
	s.FirstByte = time.Since(began)
	if err == nil {
		_, err = io.ReadFull(res.Body, data[n:])
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("less than the %d bytes that were asked for: %w", s.Length, piece.ErrMismatch)
	}
	return data, err
}

// layer gives the tree by which ranges of an offer's piece are checked: kept in a file
// after the first time, for which the piece is read once. A file is believed as far as its
// root goes.
func (m *Maker) layer(ctx context.Context, o job.Offer) (c piece.Commitment, l *piece.Layer, err error) {
	epoch, err := m.d.Chain.Final(ctx)
	if err != nil {
		return c, nil, err
	}
	d, err := m.c.deal(ctx, epoch, o.Slot>>24)
	if err != nil {
		return c, nil, err
	}
	c = piece.Commitment{Root: d.CommP, Padded: d.PaddedSize, Payload: d.CarSize}
	path := filepath.Join(m.cfg.Trees, o.Piece)
	if raw, err := os.ReadFile(path); err == nil {
		if l, err = piece.ParseLayer(raw, c); err == nil {
			return c, l, nil
		}
		m.d.Log.Warn("the tree of a piece is damaged, and made again", "piece", o.Piece, "error", err)
	}
	r, err := m.d.Open(ctx, o.Piece)
	if err != nil {
		return c, nil, err
	}
	defer r.Close()
	if l, err = piece.ReadLayer(r, c); err != nil {
		return c, nil, err
	}
	return c, l, keepFile(m.cfg.Trees, path, l.Bytes())
}

// keepFile writes a file that is there whole or not at all.
func keepFile(dir, path string, b []byte) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	tmp, err := os.CreateTemp(dir, "tree-")
	if err != nil {
		return err
	}
	_, err = io.Copy(tmp, bytes.NewReader(b))
	if err = errors.Join(err, tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// forgetTrees removes the trees of pieces that nobody stores any more, and what a crash
// left.
func (m *Maker) forgetTrees(ctx context.Context) error {
	entries, err := os.ReadDir(m.cfg.Trees)
	if err != nil || len(entries) == 0 {
		if errors.Is(err, os.ErrNotExist) {
			err = nil
		}
		return err
	}
	live, err := m.d.Ledger.Offers(ctx, job.OfferFilter{Live: true, Brief: true})
	if err != nil {
		return err
	}
	needed := map[string]bool{}
	for _, o := range live {
		needed[o.Piece] = true
	}
	var errs []error
	for _, e := range entries {
		if !needed[e.Name()] {
			errs = append(errs, os.Remove(filepath.Join(m.cfg.Trees, e.Name())))
		}
	}
	return errors.Join(errs...)
}
