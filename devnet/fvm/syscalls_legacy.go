package fvm

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// legacySyscalls are those whose form was another one for actors v10 and v11: events as one
// CBOR object, randomness drawn by the host, self-destruction with a beneficiary.
var legacySyscalls = []syscall{
	{"event", "emit_event", "ii", 0, sysEmitEventLegacy},
	{"rand", "get_chain_randomness", "llii", 32, sysChainRandomnessLegacy},
	{"rand", "get_beacon_randomness", "llii", 32, sysBeaconRandomnessLegacy},
	{"self", "self_destruct", "ii", 0, sysSelfDestructLegacy},
}

// Limits of one event before network version 21.
const (
	maxLegacyEntries = 256
	maxLegacyKey     = 32
	maxLegacyValue   = 1024
)

func sysEmitEventLegacy(k *kernel, mem memory, a args, _ []byte) error {
	raw, err := mem.slice(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	if k.readOnly {
		return refuse(ErrReadOnly, "cannot emit events while read-only")
	}
	if err := k.charge(k.cm.prices.OnActorEventValidate(len(raw))); err != nil {
		return err
	}
	ev := types.Event{Emitter: k.self}
	if err := readLegacyEntries(raw, &ev); err != nil {
		return refuse(ErrIllegalArgument, "failed to deserialize the event: %v", err)
	}
	if err := k.charge(k.cm.prices.OnActorEventAccept(len(raw))); err != nil {
		return err
	}
	k.cm.events.events = append(k.cm.events.events, ev)
	return nil
}

func readLegacyEntries(raw []byte, ev *types.Event) error {
	r := bytes.NewReader(raw)
	cr := cbg.NewCborReader(r)
	major, n, err := cr.ReadHeader()
	if err != nil {
		return err
	}
	if major != cbg.MajArray || n > maxLegacyEntries {
		return fmt.Errorf("an event is an array of at most %d entries", maxLegacyEntries)
	}
	for range n {
		var e types.EventEntry
		if err := e.UnmarshalCBOR(cr); err != nil {
			return err
		}
		if e.Flags&^eventFlags != 0 || len(e.Key) > maxLegacyKey || len(e.Value) > maxLegacyValue || e.Codec != codecRaw {
			return errors.New("an entry breaks the limits of events")
		}
		ev.Entries = append(ev.Entries, e)
	}
	if _, err := r.ReadByte(); err != io.EOF {
		return errors.New("trailing bytes")
	}
	return nil
}

func sysChainRandomnessLegacy(k *kernel, mem memory, a args, ret []byte) error {
	return k.drawn(k.cm.m.cfg.Externs.ChainRandomness, mem, a, ret)
}

func sysBeaconRandomnessLegacy(k *kernel, mem memory, a args, ret []byte) error {
	return k.drawn(k.cm.m.cfg.Externs.BeaconRandomness, mem, a, ret)
}

// drawn mixes the digest at an epoch with a domain and entropy, which later actors do
// themselves.
func (k *kernel) drawn(source func(context.Context, abi.ChainEpoch) ([32]byte, error), mem memory, a args, ret []byte) error {
	entropy, err := mem.slice(a.u32(2), a.u32(3))
	if err != nil {
		return err
	}
	var digest [32]byte
	if err := k.randomness(source, a.i64(1), len(entropy), digest[:]); err != nil {
		return err
	}
	seed := binary.BigEndian.AppendUint64(nil, a.u64(0))
	seed = append(seed, digest[:]...)
	seed = binary.BigEndian.AppendUint64(seed, a.u64(1))
	seed = append(seed, entropy...)
	h, err := sig.Hash(sig.Blake2b256, seed)
	if err != nil {
		return fmt.Errorf("draw randomness: %w", err)
	}
	copy(ret, h)
	return nil
}

func sysSelfDestructLegacy(k *kernel, mem memory, a args, _ []byte) error {
	beneficiary, err := mem.address(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	if k.readOnly {
		return refuse(ErrReadOnly, "cannot self-destruct when read-only")
	}
	if err := k.charge(k.cm.prices.OnDeleteActor()); err != nil {
		return err
	}
	b, err := k.balance()
	if err != nil {
		return err
	}
	if b.Sign() != 0 {
		to, ok, err := k.cm.resolve(beneficiary)
		if err != nil {
			return err
		}
		if !ok {
			return refuse(ErrNotFound, "beneficiary %s does not exist", beneficiary)
		}
		if to == k.self {
			return refuse(ErrForbidden, "benefactor cannot be beneficiary")
		}
		if err := k.cm.transfer(k.self, to, b); err != nil {
			return err
		}
	}
	return k.cm.deleteActor(k.self)
}
