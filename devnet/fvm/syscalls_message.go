package fvm

import (
	"encoding/binary"
	"fmt"
	"math"
	mathbig "math/big"
	"unicode/utf8"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// messageSyscalls are those of the modules "vm", "network", "send", "gas" and "debug" that
// all versions share.
var messageSyscalls = []syscall{
	{"vm", "exit", "iiii", 0, sysExit},
	{"vm", "message_context", "", 80, sysMessageContext},
	{"network", "context", "", 44, sysNetworkContext},
	{"network", "tipset_cid", "lii", 4, sysTipsetCID},
	{"network", "total_fil_circ_supply", "", 16, sysCircSupply},
	{"send", "send", "iilillll", 20, sysSend},
	{"gas", "available", "", 8, sysGasAvailable},
	{"gas", "charge", "iil", 0, sysGasCharge},
	{"debug", "enabled", "", 4, sysDebugEnabled},
	{"debug", "log", "ii", 0, sysDebugLog},
	{"debug", "store_artifact", "iiii", 0, sysStoreArtifact},
}

// maxExitMessage is the number of bytes of an exit's message that are kept.
const maxExitMessage = 1024

func sysExit(_ *kernel, mem memory, a args, _ []byte) error {
	code, blk := exitcode.ExitCode(a.u32(0)), a.u32(1)
	if code != exitcode.Ok && a.u32(0) < uint32(exitcode.FirstActorErrorCode) {
		return &abort{code: exitcode.SysErrIllegalExitCode, msg: fmt.Sprintf("actor aborted with code %d", code), block: blk}
	}
	msg := "actor aborted"
	if n := a.u32(3); n != 0 {
		b, err := mem.slice(a.u32(2), n)
		switch {
		case err != nil:
			msg = fmt.Sprintf("failed to extract error message: %v", err)
		case len(b) > maxExitMessage:
			half := maxExitMessage / 2
			msg = fmt.Sprintf("%s ... (skipped %d bytes) ... %s", toValid(b[:half]), len(b)-maxExitMessage, toValid(b[len(b)-half:]))
		default:
			msg = toValid(b)
		}
	}
	return &abort{code: code, msg: msg, block: blk}
}

func toValid(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return string([]rune(string(b)))
}

func sysMessageContext(k *kernel, _ memory, _ args, ret []byte) error {
	if err := k.charge(k.cm.prices.OnMessageContext()); err != nil {
		return err
	}
	for i, v := range []uint64{uint64(k.cm.origin), k.cm.nonce, uint64(k.caller), uint64(k.self), uint64(k.method)} {
		binary.LittleEndian.PutUint64(ret[8*i:], v)
	}
	if err := putTokens(ret[40:56], k.value); err != nil {
		return err
	}
	if err := putTokens(ret[56:72], k.cm.premium); err != nil {
		return err
	}
	if k.readOnly {
		ret[72] = 1
	}
	return nil
}

func sysNetworkContext(k *kernel, _ memory, _ args, ret []byte) error {
	if err := k.charge(k.cm.prices.OnNetworkContext()); err != nil {
		return err
	}
	cfg := &k.cm.m.cfg
	binary.LittleEndian.PutUint64(ret, uint64(cfg.Epoch))
	binary.LittleEndian.PutUint64(ret[8:], cfg.Timestamp)
	if err := putTokens(ret[16:32], cfg.BaseFee); err != nil {
		return err
	}
	binary.LittleEndian.PutUint64(ret[32:], cfg.ChainID)
	binary.LittleEndian.PutUint32(ret[40:], uint32(cfg.NetworkVersion))
	return nil
}

func sysTipsetCID(k *kernel, mem memory, a args, ret []byte) error {
	if _, err := mem.slice(a.u32(1), a.u32(2)); err != nil {
		return err
	}
	epoch, now := abi.ChainEpoch(a.i64(0)), k.cm.m.cfg.Epoch
	switch {
	case epoch < 0:
		return refuse(ErrIllegalArgument, "epoch is negative")
	case epoch > now:
		return refuse(ErrIllegalArgument, "epoch %d is in the future", epoch)
	case epoch == now:
		return refuse(ErrIllegalArgument, "cannot lookup the tipset cid for the current epoch")
	}
	if err := k.charge(k.cm.prices.OnTipsetCID(int64(now - epoch))); err != nil {
		return err
	}
	c, err := k.cm.m.cfg.Externs.TipsetCID(k.cm.ctx, epoch)
	if err != nil {
		return fmt.Errorf("look up the tipset at epoch %d: %w", epoch, err)
	}
	return mem.write(ret, c.Bytes(), a.u32(1), a.u32(2))
}

func sysCircSupply(k *kernel, _ memory, _ args, ret []byte) error {
	return putTokens(ret, k.cm.m.cfg.CircSupply)
}

// sendArgs are the arguments of a call between actors.
type sendArgs struct {
	to       address.Address
	method   abi.MethodNum
	params   uint32
	value    big.Int
	limit    *gas.Gas // nil: all there is
	readOnly bool
}

const sendReadOnly = 1

func sysSend(k *kernel, mem memory, a args, ret []byte) error {
	to, err := mem.address(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	value := new(mathbig.Int).Lsh(new(mathbig.Int).SetUint64(a.u64(4)), 64)
	value.Or(value, new(mathbig.Int).SetUint64(a.u64(5)))
	s := sendArgs{to: to, method: abi.MethodNum(a.u64(2)), params: a.u32(3), value: big.NewFromGo(value)}
	if limit := a.u64(6); limit < math.MaxUint64 {
		g := gas.New(limit)
		s.limit = &g
	}
	flags := a.u64(7)
	if flags&^sendReadOnly != 0 {
		return refuse(ErrIllegalArgument, "invalid send flags: %d", flags)
	}
	s.readOnly = flags&sendReadOnly != 0
	out, id, err := k.send(s)
	if err != nil {
		return err
	}
	binary.LittleEndian.PutUint32(ret, uint32(out.code))
	binary.LittleEndian.PutUint32(ret[4:], id)
	if out.value != nil {
		binary.LittleEndian.PutUint64(ret[8:], out.value.codec)
		binary.LittleEndian.PutUint32(ret[16:], uint32(len(out.value.data)))
	}
	return nil
}

func sysGasAvailable(k *kernel, _ memory, _ args, ret []byte) error {
	binary.LittleEndian.PutUint64(ret, k.cm.gas.Available().RoundDown())
	return nil
}

func sysGasCharge(k *kernel, mem memory, a args, _ []byte) error {
	name, err := mem.slice(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	if !utf8.Valid(name) {
		return refuse(ErrIllegalArgument, "the name of a gas charge is not UTF-8")
	}
	return k.cm.gas.Charge(string(name), gas.New(a.u64(2)))
}

func sysDebugEnabled(k *kernel, _ memory, _ args, ret []byte) error {
	putStatus(ret, k.cm.m.cfg.Debug)
	return nil
}

func sysDebugLog(k *kernel, mem memory, a args, _ []byte) error {
	if !k.cm.m.cfg.Debug {
		return nil
	}
	b, err := mem.slice(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return refuse(ErrIllegalArgument, "a log line is not UTF-8")
	}
	k.log(string(b))
	return nil
}

// sysStoreArtifact checks its arguments and keeps nothing: this machine writes no files
// for actors.
func sysStoreArtifact(k *kernel, mem memory, a args, _ []byte) error {
	if !k.cm.m.cfg.Debug {
		return nil
	}
	if _, err := mem.slice(a.u32(2), a.u32(3)); err != nil {
		return err
	}
	name, err := mem.slice(a.u32(0), a.u32(1))
	if err != nil {
		return err
	}
	const maxName = 256
	if len(name) == 0 || len(name) > maxName || name[0] == '.' || !utf8.Valid(name) {
		return refuse(ErrIllegalArgument, "debug artifact names have 1 to %d bytes of UTF-8 and do not start with '.'", maxName)
	}
	for _, b := range name {
		if b == '/' {
			return refuse(ErrIllegalArgument, "debug artifact name should not include any path separators")
		}
	}
	return nil
}
