package fvm

import (
	"encoding/binary"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
)

// actorSyscalls are those of the module "actor".
var actorSyscalls = []syscall{
	{"actor", "resolve_address", "ii", 8, sysResolveAddress},
	{"actor", "lookup_delegated_address", "lii", 4, sysLookupDelegated},
	{"actor", "get_actor_code_cid", "lii", 4, sysActorCode},
	{"actor", "next_actor_address", "ii", 4, sysNextAddress},
	{"actor", "create_actor", "liii", 0, sysCreateActor},
	{"actor", "get_builtin_actor_type", "i", 4, sysBuiltinType},
	{"actor", "get_code_cid_for_type", "iii", 4, sysCodeForType},
	{"actor", "balance_of", "l", 16, sysBalanceOf},
}

func sysResolveAddress(k *kernel, mem memory, a args, ret []byte) error {
	addr, err := mem.address(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnResolveAddress()); err != nil {
		return err
	}
	id, ok, err := k.cm.resolve(addr)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrNotFound, "actor not found: %s", addr)
	}
	binary.LittleEndian.PutUint64(ret, uint64(id))
	return nil
}

func sysLookupDelegated(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(1), a.u32(2)); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnLookupDelegatedAddress()); err != nil {
		return err
	}
	act, ok, err := k.cm.actor(abi.ActorID(a.u64(0)))
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrNotFound, "actor not found")
	}
	var addr []byte
	if act.DelegatedAddress != nil {
		addr = act.DelegatedAddress.Bytes()
	}
	return mem.write(ret, addr, a.u32(1), a.u32(2))
}

func sysActorCode(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(1), a.u32(2)); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnGetActorCodeCID()); err != nil {
		return err
	}
	act, ok, err := k.cm.actor(abi.ActorID(a.u64(0)))
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrNotFound, "actor not found")
	}
	return mem.write(ret, act.Code.Bytes(), a.u32(1), a.u32(2))
}

func sysNextAddress(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(0), a.u32(1)); err != nil {
		return err
	}
	if a.u32(1) < address.PayloadHashLength+1 {
		return refuse(ErrBufferTooSmall, "output buffer must have a minimum capacity of 21 bytes")
	}
	addr, err := k.cm.nextAddress()
	if err != nil {
		return fmt.Errorf("next actor address: %w", err)
	}
	return mem.write(ret, addr.Bytes(), a.u32(0), a.u32(1))
}

func sysCreateActor(k *kernel, mem memory, a args, _ []byte) error {
	code, err := mem.cid(a.u32(1))
	if err != nil {
		return err
	}
	var delegated *address.Address
	if a.u32(3) > 0 {
		addr, err := mem.address(a.u32(2), a.u32(3))
		if err != nil {
			return err
		}
		delegated = &addr
	}
	if k.self != initActor {
		return refuse(ErrForbidden, "create_actor is restricted to InitActor. Called by %d", k.self)
	}
	if k.readOnly {
		return refuse(ErrReadOnly, "create_actor cannot be called while read-only")
	}
	return k.cm.createActor(code, abi.ActorID(a.u64(0)), delegated)
}

func sysBuiltinType(k *kernel, mem memory, a args, ret []byte) error {
	code, err := mem.cid(a.u32(0))
	if err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnGetBuiltinActorType()); err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(ret, k.cm.m.engine.bundle.typeOf(code))
	return nil
}

func sysCodeForType(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(1), a.u32(2)); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnGetCodeCIDForType()); err != nil {
		return err
	}
	code, ok := k.cm.m.engine.bundle.codeOf(a.u32(0))
	if !ok {
		return refuse(ErrIllegalArgument, "tried to resolve CID of unrecognized actor type")
	}
	return mem.write(ret, code.Bytes(), a.u32(1), a.u32(2))
}

func sysBalanceOf(k *kernel, _ memory, a args, ret []byte) error {
	if err := k.charge(k.cm.prices.OnBalanceOf()); err != nil {
		return err
	}
	act, ok, err := k.cm.actor(abi.ActorID(a.u64(0)))
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrNotFound, "actor not found")
	}
	return putTokens(ret, act.Balance)
}
