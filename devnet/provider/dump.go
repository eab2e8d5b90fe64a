package provider

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// dumped is a fleet in a dump: what the chain does not know of it.
type dumped struct {
	Seed    []byte        `json:"seed"`
	LastKey uint64        `json:"lastKey"`
	Miners  []dumpedMiner `json:"miners"`
}

type dumpedMiner struct {
	ID, Robust, Owner address.Address
	Signer, Worker    dumpedKey
	SectorSize        abi.SectorSize
	Stopped           bool
	Skipped           []abi.SectorNumber
}

type dumpedKey struct {
	Kind    chain.AccountKind
	ID      abi.ActorID
	Balance abi.TokenAmount
	Key     types.KeyInfo
}

func dumpKey(a chain.Account) dumpedKey {
	return dumpedKey{a.Kind, a.ID, a.Balance, a.Key.KeyInfo()}
}

func (d dumpedKey) account() (chain.Account, error) {
	key, err := sig.FromKeyInfo(d.Key)
	if err != nil {
		return chain.Account{}, err
	}
	return chain.Account{Kind: d.Kind, Address: key.Address(), ID: d.ID, Balance: d.Balance, Key: key}, nil
}

// Dump is the fleet as [Load] takes it: its miners' keys and what they were told. What
// they have on chain is in the chain's own dump.
func (f *Fleet) Dump() ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := dumped{Seed: f.seed[:], LastKey: f.lastKey, Miners: []dumpedMiner{}}
	for _, m := range f.miners {
		one := dumpedMiner{
			ID: m.id, Robust: m.robust, Owner: m.owner, Signer: dumpKey(m.signer), Worker: dumpKey(m.worker), SectorSize: m.size, Stopped: m.stopped,
		}
		for n := range m.skipped {
			one.Skipped = append(one.Skipped, n)
		}
		out.Miners = append(out.Miners, one)
	}
	return json.Marshal(out)
}

// Load makes a fleet of a dump, on the chain that was loaded with it. Config's seed says
// nothing.
func Load(ctx context.Context, c *chain.Chain, config Config, dump []byte) (*Fleet, error) {
	var in dumped
	if err := json.Unmarshal(dump, &in); err != nil {
		return nil, fmt.Errorf("load storage providers: %w", err)
	}
	if len(in.Seed) != len(config.Seed) {
		return nil, fmt.Errorf("load storage providers: a seed of %d bytes", len(in.Seed))
	}
	copy(config.Seed[:], in.Seed)
	f := newFleet(c, config)
	f.lastKey = in.LastKey
	for _, d := range in.Miners {
		m := &Miner{f: f, id: d.ID, robust: d.Robust, owner: d.Owner, size: d.SectorSize, stopped: d.Stopped, skipped: map[abi.SectorNumber]bool{}}
		var err error
		if m.signer, err = d.Signer.account(); err != nil {
			return nil, fmt.Errorf("load miner %s: %w", d.ID, err)
		}
		if m.worker, err = d.Worker.account(); err != nil {
			return nil, fmt.Errorf("load miner %s: %w", d.ID, err)
		}
		if err := m.setProofs(); err != nil {
			return nil, fmt.Errorf("load miner %s: %w", d.ID, err)
		}
		m.Skip(d.Skipped...)
		f.miners = append(f.miners, m)
	}
	return f, f.join(ctx)
}
