package deals

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Provider is who may be asked to store something.
type Provider struct {
	Miner  uint64
	Market string   // MK20 base URL; "" for none
	Addrs  []string // MK12 multiaddrs, ending in /p2p/…; none for none
	// Retrieval is where pieces are given by HTTP: their CID is appended. "" for the market.
	Retrieval string
	MinPiece  uint64 // padded bytes; 0 for no bound
	MaxPiece  uint64
	MinRate   uint64 // attoFIL an epoch for a GiB

	Owner        uint64 // actor; 0: not known
	Organisation uint64 // attested; 0: none
}

// ParseProvider reads "1004 https://sp.example /ip4/…/p2p/…": a miner, and where it
// is, in any order.
func ParseProvider(text string) (p Provider, err error) {
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			id := strings.TrimPrefix(strings.TrimPrefix(word, "f0"), "t0")
			if p.Miner, err = strconv.ParseUint(id, 10, 63); err != nil || p.Miner == 0 {
				return Provider{}, fmt.Errorf("%q is no miner's id, like f01004", word)
			}
		case strings.HasPrefix(word, "/") && strings.Contains(word, "/p2p/"):
			p.Addrs = append(p.Addrs, word)
		case (strings.HasPrefix(word, "https://") || strings.HasPrefix(word, "http://")) && p.Market == "":
			p.Market = word
		default:
			return Provider{}, fmt.Errorf("%q is neither a URL nor a multiaddr that ends in /p2p/…", word)
		}
	}
	if p.Market == "" && len(p.Addrs) == 0 {
		return Provider{}, fmt.Errorf("%q names nowhere to reach the miner", text)
	}
	return p, nil
}

// known are the providers as they were listed; nil before that.
func (m *Maker) known() map[uint64]Provider {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.providers
}

const (
	listEvery     = 10 * time.Minute
	mostProviders = 1024
	pageProviders = 256
)

// list reads ProviderRegistry from time to time. What the operator configured
// stands over what a provider registered of itself.
func (m *Maker) list(ctx context.Context, epoch uint64) error {
	if m.known() != nil && m.d.Now().Sub(m.listed) < listEvery {
		return nil
	}
	found := map[uint64]Provider{}
	for from := int64(0); from < mostProviders; from += pageProviders {
		miners, err := m.c.registered(ctx, epoch, from, pageProviders)
		if err != nil {
			return err
		}
		for _, id := range miners {
			e, err := m.c.entry(ctx, epoch, id)
			if err != nil {
				return err
			}
			found[id] = Provider{Miner: id, Market: e.Market, Retrieval: e.Retrieval, MinPiece: e.MinPieceSize, MaxPiece: e.MaxPieceSize, MinRate: e.MinRate}
		}
		if len(miners) < pageProviders {
			break
		}
	}
	for _, p := range m.cfg.Providers {
		e := found[p.Miner]
		e.Miner, e.Addrs = p.Miner, p.Addrs
		if p.Market != "" {
			e.Market = p.Market
		}
		found[p.Miner] = e
	}
	for id, p := range found {
		var err error
		if p.Owner, p.Organisation, err = m.c.whose(ctx, epoch, id); err != nil {
			return err
		}
		found[id] = p
		if len(p.Addrs) > 0 || m.d.Node == nil {
			continue
		}
		if p.Addrs, err = m.d.Node.Addrs(ctx, id); err != nil {
			m.d.Log.Debug("no addresses", "miner", id, "error", err)
		}
		found[id] = p
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.providers, m.listed = found, m.d.Now()
	return nil
}
