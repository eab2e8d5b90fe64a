package fvm

import (
	"context"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/lotus/chain/types"
)

// currentSyscalls are those whose form is that of actors v12 and later.
var currentSyscalls = []syscall{
	{"event", "emit_event", "iiiiii", 0, sysEmitEvent},
	{"rand", "get_chain_randomness", "l", 32, sysChainRandomness},
	{"rand", "get_beacon_randomness", "l", 32, sysBeaconRandomness},
	{"self", "self_destruct", "i", 0, sysSelfDestruct},
}

// Limits of one event.
const (
	maxEventEntries = 255
	maxEventKey     = 31      // bytes
	maxEventValues  = 8 << 10 // bytes of all values
	eventHeaderSize = 24      // flags, codec, length of key and of value
)

// eventFlags are the flags that an entry may have.
const eventFlags = types.EventFlagIndexedKey | types.EventFlagIndexedValue

func sysEmitEvent(k *kernel, mem memory, a args, _ []byte) error {
	size := uint64(a.u32(1)) * eventHeaderSize
	if size > 1<<32-1 {
		return refuse(ErrIllegalArgument, "events index out of bounds")
	}
	headers, err := mem.slice(a.u32(0), uint32(size))
	if err != nil {
		return err
	}
	keys, err := mem.slice(a.u32(2), a.u32(3))
	if err != nil {
		return err
	}
	values, err := mem.slice(a.u32(4), a.u32(5))
	if err != nil {
		return err
	}
	if k.readOnly {
		return refuse(ErrReadOnly, "cannot emit events while read-only")
	}
	n := int(a.u32(1))
	if err := k.charge(k.cm.prices.OnActorEvent(n, len(keys), len(values))); err != nil {
		return err
	}
	if n > maxEventEntries {
		return refuse(ErrLimitExceeded, "event exceeded max entries: %d > %d", n, maxEventEntries)
	}
	if len(values) > maxEventValues {
		return refuse(ErrLimitExceeded, "total event value lengths exceeded the max size: %d > %d", len(values), maxEventValues)
	}
	entries, err := eventEntries(headers, keys, values)
	if err != nil {
		return err
	}
	k.cm.events.events = append(k.cm.events.events, types.Event{Emitter: k.self, Entries: entries})
	return nil
}

// eventEntries takes an event apart.
func eventEntries(headers, keys, values []byte) ([]types.EventEntry, error) {
	if !utf8.Valid(keys) {
		return nil, refuse(ErrIllegalArgument, "invalid event key: not UTF-8")
	}
	entries := make([]types.EventEntry, 0, len(headers)/eventHeaderSize)
	for h := headers; len(h) > 0; h = h[eventHeaderSize:] {
		flags, codec := binary.LittleEndian.Uint64(h), binary.LittleEndian.Uint64(h[8:])
		keyLen, valLen := binary.LittleEndian.Uint32(h[16:]), binary.LittleEndian.Uint32(h[20:])
		switch {
		case flags&^eventFlags != 0:
			return nil, refuse(ErrIllegalArgument, "event flags are invalid: %d", flags)
		case keyLen > maxEventKey:
			return nil, refuse(ErrLimitExceeded, "event key exceeded max size: %d > %d", keyLen, maxEventKey)
		case valLen > maxEventValues:
			return nil, refuse(ErrIllegalArgument, "event entry value out of range")
		case int(keyLen) > len(keys) || !utf8.Valid(keys[:keyLen]):
			return nil, refuse(ErrIllegalArgument, "event entry key out of range")
		case int(valLen) > len(values):
			return nil, refuse(ErrIllegalArgument, "event entry value out of range")
		case codec != codecRaw && codec != codecCBOR:
			return nil, refuse(ErrIllegalCodec, "event codec must be IPLD_RAW or CBOR, was: %d", codec)
		}
		entries = append(entries, types.EventEntry{Flags: uint8(flags), Key: string(keys[:keyLen]), Codec: codec,
			Value: append([]byte{}, values[:valLen]...)})
		keys, values = keys[keyLen:], values[valLen:]
	}
	if len(keys) != 0 {
		return nil, refuse(ErrIllegalArgument, "event key buffer length is too large: %d bytes left", len(keys))
	}
	if len(values) != 0 {
		return nil, refuse(ErrIllegalArgument, "event value buffer length is too large: %d bytes left", len(values))
	}
	return entries, nil
}

func sysChainRandomness(k *kernel, _ memory, a args, ret []byte) error {
	return k.randomness(k.cm.m.cfg.Externs.ChainRandomness, a.i64(0), 0, ret)
}

func sysBeaconRandomness(k *kernel, _ memory, a args, ret []byte) error {
	return k.randomness(k.cm.m.cfg.Externs.BeaconRandomness, a.i64(0), 0, ret)
}

// randomness asks the chain for the digest at an epoch.
func (k *kernel) randomness(source func(context.Context, abi.ChainEpoch) ([32]byte, error), epoch int64, entropy int, ret []byte) error {
	now := int64(k.cm.m.cfg.Epoch)
	back := now - epoch
	if (epoch < 0) != (now < 0) && (back < 0) != (now < 0) { // overflow
		return refuse(ErrIllegalArgument, "randomness epoch %d is out of range", epoch)
	}
	if err := k.charge(k.cm.prices.OnGetRandomness(back, entropy)); err != nil {
		return err
	}
	if back < 0 {
		return refuse(ErrIllegalArgument, "randomness epoch %d is in the future", epoch)
	}
	r, err := source(k.cm.ctx, abi.ChainEpoch(epoch))
	if err != nil {
		if k.cm.ctx.Err() != nil {
			return err
		}
		return refuse(ErrIllegalArgument, "randomness at epoch %d: %v", epoch, err)
	}
	copy(ret, r[:])
	return nil
}

// fatalRefusal makes an error number fatal: what failed cannot fail.
func (k *kernel) fatalRefusal(err error) error {
	if s, ok := asSyscall(err); ok {
		return fmt.Errorf("%w: %s", errActorAssertion, s.Error())
	}
	return err
}
