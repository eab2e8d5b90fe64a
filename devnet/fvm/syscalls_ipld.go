package fvm

import (
	"encoding/binary"
	"math"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
)

// ipldSyscalls are those of the module "ipld".
var ipldSyscalls = []syscall{
	{"ipld", "block_open", "i", 16, sysBlockOpen},
	{"ipld", "block_create", "lii", 4, sysBlockCreate},
	{"ipld", "block_read", "iiii", 4, sysBlockRead},
	{"ipld", "block_stat", "i", 12, sysBlockStat},
	{"ipld", "block_link", "iliii", 4, sysBlockLink},
}

func sysBlockOpen(k *kernel, mem memory, a args, ret []byte) error {
	c, err := mem.cid(a.u32(0))
	if err != nil {
		return err
	}
	id, b, err := k.blockOpen(c)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(ret, b.codec)
	binary.LittleEndian.PutUint32(ret[8:], id)
	binary.LittleEndian.PutUint32(ret[12:], uint32(len(b.data)))
	return nil
}

func sysBlockCreate(k *kernel, mem memory, a args, ret []byte) error {
	data, err := mem.slice(a.u32(1), a.u32(2))
	if err != nil {
		return err
	}
	id, err := k.blockCreate(a.u64(0), data)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(ret, id)
	return nil
}

// sysBlockRead answers how far the block's end is from the end of what was asked for.
func sysBlockRead(k *kernel, mem memory, a args, ret []byte) error {
	buf, err := mem.slice(a.u32(2), a.u32(3))
	if err != nil {
		return err
	}
	end := uint64(a.u32(1)) + uint64(len(buf))
	if end > math.MaxInt32 {
		return refuse(ErrIllegalArgument, "offset plus buffer length did not fit into an i32")
	}
	b, err := k.blocks.get(a.u32(0))
	if err != nil {
		return err
	}
	var part []byte
	if off := uint64(a.u32(1)); off < uint64(len(b.data)) {
		part = b.data[off:min(end, uint64(len(b.data)))]
	}
	if err := k.charge(k.cm.prices.OnBlockRead(len(part))); err != nil {
		return err
	}
	copy(buf, part)
	binary.LittleEndian.PutUint32(ret, uint32(int32(len(b.data))-int32(end)))
	return nil
}

func sysBlockStat(k *kernel, _ memory, a args, ret []byte) error {
	if err := k.charge(k.cm.prices.OnBlockStat()); err != nil {
		return err
	}
	b, err := k.blocks.get(a.u32(0))
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(ret, b.codec)
	binary.LittleEndian.PutUint32(ret[8:], uint32(len(b.data)))
	return nil
}

func sysBlockLink(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(3), a.u32(4)); err != nil {
		return err
	}
	c, err := k.blockLink(a.u32(0), a.u64(1), a.u32(2))
	if err != nil {
		return err
	}
	return mem.write(ret, c.Bytes(), a.u32(3), a.u32(4))
}

// selfSyscalls are those of the module "self" that all versions share.
var selfSyscalls = []syscall{
	{"self", "root", "ii", 4, sysRoot},
	{"self", "set_root", "i", 0, sysSetRoot},
	{"self", "current_balance", "", 16, sysCurrentBalance},
}

func sysRoot(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(0), a.u32(1)); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnGetRoot()); err != nil {
		return err
	}
	act, ok, err := k.cm.actor(k.self)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrIllegalOperation, "state root requested after actor deletion")
	}
	k.blocks.mark(act.Head)
	return mem.write(ret, act.Head.Bytes(), a.u32(0), a.u32(1))
}

func sysSetRoot(k *kernel, mem memory, a args, _ []byte) error {
	c, err := mem.cid(a.u32(0))
	if err != nil {
		return err
	}
	if k.readOnly {
		return refuse(ErrReadOnly, "cannot update the state-root while read-only")
	}
	if err := k.charge(k.cm.prices.OnSetRoot()); err != nil {
		return err
	}
	if !k.blocks.canReach(c) {
		return refuse(ErrNotFound, "new root cid not reachable: %s", c)
	}
	act, ok, err := k.cm.actor(k.self)
	if err != nil {
		return err
	}
	if !ok {
		return refuse(ErrIllegalOperation, "actor deleted")
	}
	act.Head = c
	return k.cm.setActor(k.self, act)
}

// balance is the actor's own, zero once it is deleted.
func (k *kernel) balance() (big.Int, error) {
	if err := k.charge(k.cm.prices.OnSelfBalance()); err != nil {
		return big.Zero(), err
	}
	act, ok, err := k.cm.actor(k.self)
	if err != nil || !ok {
		return big.Zero(), err
	}
	return act.Balance, nil
}

func sysCurrentBalance(k *kernel, _ memory, _ args, ret []byte) error {
	b, err := k.balance()
	if err != nil {
		return err
	}
	return putTokens(ret, b)
}

// burntFundsActor receives what is burnt.
const burntFundsActor abi.ActorID = 99

func sysSelfDestruct(k *kernel, _ memory, a args, _ []byte) error {
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
		if a.u32(0) == 0 {
			return refuse(ErrIllegalOperation, "self-destruct with unspent funds")
		}
		if err := k.fatalRefusal(k.cm.transfer(k.self, burntFundsActor, b)); err != nil {
			return err
		}
	}
	return k.cm.deleteActor(k.self)
}
