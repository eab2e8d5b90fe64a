package chain

import (
	"context"
	"encoding/binary"
	"fmt"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"golang.org/x/crypto/blake2b"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// maxBeaconEntries bounds the entries of one header: beyond that many null rounds
// in a row the oldest rounds are not listed. Draws do not need the list.
const maxBeaconEntries = 1024

// entropy expands the seed for one purpose.
func entropy(seed [32]byte, size int, purpose string, parts ...[]byte) []byte {
	xof, err := blake2b.NewXOF(uint32(size), seed[:])
	if err != nil {
		panic(fmt.Sprintf("chain: blake2b with a key of 32 bytes: %v", err))
	}
	write := func(b []byte) {
		var length [8]byte
		binary.BigEndian.PutUint64(length[:], uint64(len(b)))
		_, _ = xof.Write(length[:]) // the hash never fails to write
		_, _ = xof.Write(b)
	}
	write([]byte(purpose))
	for _, part := range parts {
		write(part)
	}
	out := make([]byte, size)
	_, _ = xof.Read(out) // nor to read what was asked for
	return out
}

func bytesOf(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// ticket is the ticket of a block on a parent. fork tells the branches of a reorg
// apart that would otherwise be the same.
func ticket(seed [32]byte, parent *types.Ticket, height abi.ChainEpoch, fork uint64) *types.Ticket {
	return &types.Ticket{VRFProof: entropy(seed, 96, "ticket", parent.VRFProof, bytesOf(uint64(height)), bytesOf(fork))}
}

// beaconEntry is the beacon's word for an epoch: the same on every branch, as
// drand's is. There is one round an epoch.
func beaconEntry(seed [32]byte, epoch abi.ChainEpoch) types.BeaconEntry {
	return types.NewBeaconEntry(uint64(epoch), entropy(seed, 48, "beacon", bytesOf(uint64(epoch))))
}

// beaconEntries are those of a block: one for each epoch after its parent.
func beaconEntries(seed [32]byte, parent, height abi.ChainEpoch) []types.BeaconEntry {
	first := max(parent+1, height-maxBeaconEntries+1)
	entries := make([]types.BeaconEntry, 0, height-first+1)
	for epoch := first; epoch <= height; epoch++ {
		entries = append(entries, beaconEntry(seed, epoch))
	}
	return entries
}

// externs is what a machine asks the chain for, seen from one tipset.
type externs struct {
	seed [32]byte
	at   *node
}

var _ fvm.Externs = externs{}

// ChainRandomness is the digest of the ticket at an epoch; at a null round, of the
// tipset after it.
func (x externs) ChainRandomness(_ context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	if epoch > x.at.height() {
		return [32]byte{}, fmt.Errorf("cannot draw randomness from the future: epoch %d, the tipset is at %d", epoch, x.at.height())
	}
	n := x.at.ancestor(max(epoch, 0), false)
	return blake2b.Sum256(n.ts.MinTicketBlock().Ticket.VRFProof), nil
}

// BeaconRandomness is the digest of the beacon's entry for an epoch.
func (x externs) BeaconRandomness(_ context.Context, epoch abi.ChainEpoch) ([32]byte, error) {
	if epoch > x.at.height() {
		return [32]byte{}, fmt.Errorf("cannot draw randomness from the future: epoch %d, the tipset is at %d", epoch, x.at.height())
	}
	return blake2b.Sum256(beaconEntry(x.seed, max(epoch, 0)).Data), nil
}

// TipsetCID is the CID of the key of the tipset at an epoch; at a null round, of
// the one before it.
func (x externs) TipsetCID(_ context.Context, epoch abi.ChainEpoch) (cid.Cid, error) {
	if epoch < 0 || epoch > x.at.height() {
		return cid.Undef, fmt.Errorf("no tipset at epoch %d: the tipset is at %d", epoch, x.at.height())
	}
	key, err := x.at.ancestor(epoch, true).ts.Key().Cid()
	if err != nil {
		return cid.Undef, fmt.Errorf("tipset key at epoch %d: %w", epoch, err)
	}
	return key, nil
}
