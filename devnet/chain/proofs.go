package chain

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// Kinds of proofs, as the machine names them.
const (
	SealProof      = "seal"      // of one sector
	AggregateProof = "aggregate" // of several sectors' seals
	ReplicaProof   = "replica"   // of a sector's new data
	PoStProof      = "post"      // of storage: of recovered sectors, and in disputes
)

// proofSwitch decides about proofs, which nobody computes here.
type proofSwitch struct {
	mu      sync.RWMutex
	refused map[string]bool
}

// RefuseProofs makes the network find proofs of these kinds invalid from now on, and
// all others valid (as far as Config.AcceptProofs does). Window PoSts are taken on
// trust when they arrive, as on Filecoin; a refused kind "post" shows when sectors
// recover and when somebody disputes.
func (c *Chain) RefuseProofs(kinds ...string) error {
	refused := map[string]bool{}
	for _, kind := range kinds {
		switch kind {
		case SealProof, AggregateProof, ReplicaProof, PoStProof:
			refused[kind] = true
		default:
			return fmt.Errorf("no proofs are of kind %q: give %s, %s, %s or %s", kind, SealProof, AggregateProof, ReplicaProof, PoStProof)
		}
	}
	c.proofs.mu.Lock()
	defer c.proofs.mu.Unlock()
	c.proofs.refused = refused
	return nil
}

// RefusedProofs are the kinds that are found invalid, in order.
func (c *Chain) RefusedProofs() []string {
	c.proofs.mu.RLock()
	defer c.proofs.mu.RUnlock()
	return slices.Sorted(maps.Keys(c.proofs.refused))
}

func (c *Chain) acceptProof(kind string) bool {
	c.proofs.mu.RLock()
	refused := c.proofs.refused[kind]
	c.proofs.mu.RUnlock()
	return !refused && (c.config.AcceptProofs == nil || c.config.AcceptProofs(kind))
}
