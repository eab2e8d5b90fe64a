package market

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Conduct is a way to misbehave.
type Conduct string

// The ways to misbehave. A provider may have several at a time.
const (
	// Refuse: no deal is taken, with Curio's words for a client who is not allowed.
	Refuse Conduct = "refuse"
	// Hang: connections are taken and nothing is answered, by HTTP or libp2p.
	Hang Conduct = "hang"
	// Stall: deals are taken; transfers stop in the middle and go on when this ends.
	Stall Conduct = "stall"
	// NeverSeal: deals are taken, fetched and published, and never sealed.
	NeverSeal Conduct = "never-seal"
	// Fault: no sector is proven any more. What became faulty stays so until it is
	// recovered (provider.Miner.Recover, devnet_recoverSectors).
	Fault Conduct = "fault"
	// Terminate: sectors with deals are terminated, now and as they become active.
	Terminate Conduct = "terminate"
	// Offline: nothing listens. Sectors are still proven.
	Offline Conduct = "offline"
	// Corrupt: pieces are served in their size, with bytes changed in every 127.
	Corrupt Conduct = "corrupt"
	// Garbage: every retrieval is answered with a web page and code 200.
	Garbage Conduct = "garbage"
	// LiePrice: MK12 deals are refused below ten times what the ask says. MK20 has no price, its
	// contract pays what it says: such deals are refused as paying too little, in MK12's words.
	LiePrice Conduct = "lie-price"
)

// Conducts are all of them.
func Conducts() []Conduct {
	return []Conduct{Refuse, Hang, Stall, NeverSeal, Fault, Terminate, Offline, Corrupt, Garbage, LiePrice}
}

// ErrConduct is returned for a way to misbehave that there is not.
var ErrConduct = errors.New("unknown conduct")

// ParseConduct reads a conduct by its name. Errors: ErrConduct, with all names.
func ParseConduct(name string) (Conduct, error) {
	if c := Conduct(name); slices.Contains(Conducts(), c) {
		return c, nil
	}
	return "", fmt.Errorf("%w %q: give one of %v", ErrConduct, name, Conducts())
}

// Behave makes the provider misbehave in these ways from now on, and in no others:
// without any it is honest. Terminating and coming back may need the chain; the error
// is then of the chain, or of the port that is taken.
func (p *Provider) Behave(ctx context.Context, conduct ...Conduct) error {
	next := map[Conduct]bool{}
	for _, c := range conduct {
		if _, err := ParseConduct(string(c)); err != nil {
			return err
		}
		next[c] = true
	}
	p.mu.Lock()
	before := p.conduct
	p.conduct = next
	p.notify()
	p.mu.Unlock()
	p.log.Info("conduct", "now", p.Conduct())
	var errs []error
	switch {
	case next[Offline] && !before[Offline]:
		errs = append(errs, p.disappear())
	case before[Offline] && !next[Offline]:
		errs = append(errs, p.appear())
	}
	switch {
	case next[Fault]:
		p.miner.StopProving()
	case before[Fault]:
		p.miner.ResumeProving()
	}
	if next[Terminate] {
		errs = append(errs, p.terminate(ctx))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("conduct of %s: %w", p.miner.Address(), err)
	}
	return nil
}

// Conduct is how the provider misbehaves.
func (p *Provider) Conduct() []Conduct {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Sorted(maps.Keys(p.conduct))
}

func (p *Provider) behaves(c Conduct) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conduct[c]
}

// while waits as long as the provider misbehaves in that way. Errors: those of ctx and
// chain.ErrClosed.
func (p *Provider) while(ctx context.Context, c Conduct) error {
	return p.await(ctx, func() bool { return !p.conduct[c] })
}

// await waits for a condition on what mu guards.
func (p *Provider) await(ctx context.Context, done func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := done(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		case <-p.market.ctx.Done():
			return chain.ErrClosed
		}
	}
}

// notify wakes those who wait; mu is held.
func (p *Provider) notify() {
	close(p.changed)
	p.changed = make(chan struct{})
}

// terminate gives up the sectors with deals that are not given up yet.
func (p *Provider) terminate(ctx context.Context) error {
	p.sealing.Lock()
	defer p.sealing.Unlock()
	var sectors []abi.SectorNumber
	p.mu.Lock()
	for _, id := range p.order {
		if d := p.deals[id].deal; d.Sector != nil && !p.terminated[*d.Sector] {
			sectors = append(sectors, *d.Sector)
		}
	}
	p.mu.Unlock()
	if len(sectors) == 0 {
		return nil
	}
	if err := p.miner.Terminate(ctx, sectors...); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range sectors {
		p.terminated[n] = true
	}
	return nil
}
