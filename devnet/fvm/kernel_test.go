package fvm

import (
	"bytes"
	"context"
	"encoding/binary"
	"testing"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

func find(tb testing.TB, v abiVersion, module, name string) *syscall {
	tb.Helper()
	for _, s := range syscallsOf(v) {
		if s.module == module && s.name == name {
			return &s
		}
	}
	tb.Fatalf("no syscall %s.%s", module, name)
	return nil
}

// out is a place in memory for results.
const out = 1024

// syscallErrors are calls with arguments that are wrong in one way, and a few good ones.
var syscallErrors = []struct {
	module, name string
	readOnly     bool
	self         abi.ActorID
	args         []uint64
	want         Errno
}{
	{"ipld", "block_open", false, 101, []uint64{out, 0}, 0},
	{"ipld", "block_open", false, 101, []uint64{4095, 0}, ErrIllegalArgument},   // no space for the result
	{"ipld", "block_open", false, 101, []uint64{out, 5000}, ErrIllegalArgument}, // outside of memory
	{"ipld", "block_open", false, 101, []uint64{out, 2048}, ErrIllegalArgument}, // no CID
	{"ipld", "block_create", false, 101, []uint64{out, codecRaw, 0, 4097}, ErrIllegalArgument},
	{"ipld", "block_create", false, 101, []uint64{out, 0x70, 0, 4}, ErrIllegalCodec},
	{"ipld", "block_create", false, 101, []uint64{out, codecDagCBOR, 0, 4}, ErrSerialization},
	{"ipld", "block_create", false, 101, []uint64{out, codecRaw, 0, 4}, 0},
	{"ipld", "block_read", false, 101, []uint64{out, 9, 0, 0, 4}, ErrInvalidHandle},
	{"ipld", "block_read", false, 101, []uint64{out, 0, 0, 0, 4}, ErrInvalidHandle},
	{"ipld", "block_read", false, 101, []uint64{out, 1, 1<<31 - 1, 0, 4}, ErrIllegalArgument},
	{"ipld", "block_stat", false, 101, []uint64{out, 7}, ErrInvalidHandle},
	{"ipld", "block_link", false, 101, []uint64{out, 1, hashBlake2b256, 32, 0, 37}, ErrBufferTooSmall},
	{"ipld", "block_link", false, 101, []uint64{out, 1, hashBlake2b256, 31, 0, 64}, ErrIllegalCID},
	{"ipld", "block_link", false, 101, []uint64{out, 1, 0x12, 32, 0, 64}, ErrIllegalCID},
	{"ipld", "block_link", false, 101, []uint64{out, 5, hashBlake2b256, 32, 0, 64}, ErrInvalidHandle},
	{"self", "root", false, 101, []uint64{out, 0, 10}, ErrBufferTooSmall},
	{"self", "set_root", true, 101, []uint64{0}, ErrReadOnly},
	{"self", "set_root", false, 101, []uint64{0}, 0},
	{"self", "self_destruct", true, 101, []uint64{1}, ErrReadOnly},
	{"self", "self_destruct", false, 101, []uint64{0}, ErrIllegalOperation},
	{"self", "self_destruct", false, 101, []uint64{1}, 0},
	{"actor", "resolve_address", false, 101, []uint64{out, 64, 0}, ErrIllegalArgument},
	{"actor", "resolve_address", false, 101, []uint64{out, 64, 2}, 0},
	{"actor", "balance_of", false, 101, []uint64{out, 12345}, ErrNotFound},
	{"actor", "balance_of", false, 101, []uint64{out, 1<<64 - 1}, ErrNotFound},
	{"actor", "get_actor_code_cid", false, 101, []uint64{out, 12345, 0, 64}, ErrNotFound},
	{"actor", "lookup_delegated_address", false, 101, []uint64{out, 100, 0, 0}, 0},
	{"actor", "next_actor_address", false, 101, []uint64{out, 0, 20}, ErrBufferTooSmall},
	{"actor", "get_code_cid_for_type", false, 101, []uint64{out, 0, 0, 64}, ErrIllegalArgument},
	{"actor", "get_code_cid_for_type", false, 101, []uint64{out, 16, 0, 64}, 0},
	{"actor", "create_actor", false, 101, []uint64{500, 0, 0, 0}, ErrForbidden},
	{"actor", "create_actor", true, initActor, []uint64{500, 0, 0, 0}, ErrReadOnly},
	{"actor", "create_actor", false, initActor, []uint64{100, 0, 0, 0}, ErrForbidden},
	{"actor", "create_actor", false, initActor, []uint64{500, 0, 0, 0}, 0},
	{"send", "send", false, 101, []uint64{out, 64, 2, 0, 0, 0, 1 << 63, 1<<64 - 1, 0}, ErrInsufficientFunds},
	{"send", "send", true, 101, []uint64{out, 64, 2, 0, 0, 0, 1, 1<<64 - 1, 0}, ErrReadOnly},
	{"send", "send", false, 101, []uint64{out, 64, 2, 0, 0, 0, 1, 1<<64 - 1, 2}, ErrIllegalArgument},
	{"send", "send", false, 101, []uint64{out, 64, 2, 0, 9, 0, 1, 1<<64 - 1, 0}, ErrInvalidHandle},
	{"send", "send", false, 101, []uint64{out, 64, 2, 0, 0, 0, 1, 1<<64 - 1, 0}, 0},
	{"crypto", "hash", false, 101, []uint64{out, 0x11, 0, 4, 0, 32}, ErrIllegalArgument},
	{"crypto", "hash", false, 101, []uint64{out, 0x12, 0, 4, 4090, 32}, ErrIllegalArgument},
	{"crypto", "verify_signature", false, 101, []uint64{out, 3, 0, 65, 64, 2, 0, 4}, ErrIllegalArgument},
	{"crypto", "verify_signature", false, 101, []uint64{out, 1, 0, 65, 64, 2, 0, 4}, ErrIllegalArgument}, // an id address
	{"crypto", "recover_secp_public_key", false, 101, []uint64{out, 0, 2048}, ErrIllegalArgument},
	{"crypto", "verify_post", false, 101, []uint64{out, 0, 4}, ErrIllegalArgument},
	{"crypto", "batch_verify_seals", false, 101, []uint64{0, 4, 0}, ErrIllegalArgument},
	{"crypto", "compute_unsealed_sector_cid", false, 101, []uint64{out, 1 << 40, 0, 4, 0, 64}, ErrIllegalArgument},
	{"network", "tipset_cid", false, 101, []uint64{out, 1000, 0, 64}, ErrIllegalArgument},
	{"network", "tipset_cid", false, 101, []uint64{out, 1<<64 - 1, 0, 64}, ErrIllegalArgument},
	{"network", "tipset_cid", false, 101, []uint64{out, 999, 0, 64}, 0},
	{"rand", "get_chain_randomness", false, 101, []uint64{out, 999}, 0},
	{"rand", "get_beacon_randomness", false, 101, []uint64{out, 999}, ErrIllegalArgument},
	{"event", "emit_event", true, 101, []uint64{256, 1, 128, 3, 0, 4}, ErrReadOnly},
	{"event", "emit_event", false, 101, []uint64{256, 1, 128, 3, 0, 4}, 0},
	{"event", "emit_event", false, 101, []uint64{256, 1, 128, 4, 0, 4}, ErrIllegalArgument},
	{"event", "emit_event", false, 101, []uint64{256, 1, 128, 3, 0, 5}, ErrIllegalArgument},
	{"event", "emit_event", false, 101, []uint64{256, 1 << 31, 128, 3, 0, 4}, ErrIllegalArgument},
	{"event", "emit_event", false, 101, []uint64{256, 1, 2048, 40, 0, 4}, ErrIllegalArgument},
	{"debug", "log", false, 101, []uint64{4000, 200}, ErrIllegalArgument},
}

func TestSyscallErrors(t *testing.T) {
	for _, tc := range syscallErrors {
		k := stubKernel(t, tc.self, tc.readOnly)
		no, ab := find(t, abiV4, tc.module, tc.name).call(k, stubMemory(nil), tc.args)
		if ab != nil || no != tc.want {
			t.Errorf("%s.%s%v: %v (%v, %s) instead of %v", tc.module, tc.name, tc.args, no, ab, k.lastError, tc.want)
		}
	}
}

// A block can be opened only when something reachable links to it.
func TestReachability(t *testing.T) {
	ctx := context.Background()
	k := stubKernel(t, 101, false)
	leaf, err := PutBlock(ctx, k.cm.m.buf, codecDagCBOR, []byte{0x18, 0x2a})
	if err != nil {
		t.Fatal(err)
	}
	parentData := append([]byte{0xd8, 0x2a, 0x58, byte(len(leaf.Bytes()) + 1), 0}, leaf.Bytes()...)
	parent, err := PutBlock(ctx, k.cm.m.buf, codecDagCBOR, parentData)
	if err != nil {
		t.Fatal(err)
	}
	open := func(c cid.Cid) Errno {
		mem := stubMemory(nil)
		copy(mem, c.Bytes())
		no, ab := find(t, abiV4, "ipld", "block_open").call(k, mem, []uint64{1024, 0})
		if ab != nil {
			t.Fatal(ab)
		}
		return no
	}
	if no := open(leaf); no != ErrNotFound {
		t.Fatalf("unreachable block: %v", no)
	}
	mem := stubMemory(parentData)
	if no, ab := find(t, abiV4, "ipld", "block_create").call(k, mem, []uint64{1024, codecDagCBOR, 512, uint64(len(parentData))}); ab != nil || no != ErrNotFound {
		t.Fatalf("block with an unreachable link: %v, %v", no, ab)
	}
	copy(mem, parent.Bytes())
	if no, ab := find(t, abiV4, "self", "set_root").call(k, mem, []uint64{0}); ab != nil || no != ErrNotFound {
		t.Fatalf("unreachable root: %v, %v", no, ab)
	}
	k.blocks.mark(parent)
	if no := open(parent); no != 0 {
		t.Fatalf("reachable block: %v", no)
	}
	if no := open(leaf); no != 0 {
		t.Fatalf("block linked from an open one: %v", no)
	}
	if _, err := k.blocks.get(3); err != nil {
		t.Fatal(err)
	}
}

func TestBlockLimits(t *testing.T) {
	k := stubKernel(t, 101, false)
	if _, err := k.blockCreate(codecRaw, make([]byte, maxBlockSize)); err != nil {
		t.Fatal(err)
	}
	_, err := k.blockCreate(codecRaw, make([]byte, maxBlockSize+1))
	if s, ok := asSyscall(err); !ok || s.no != ErrLimitExceeded {
		t.Fatalf("a block of more than 1 MiB: %v", err)
	}
}

func TestEventLimits(t *testing.T) {
	header := func(flags, codec uint64, key, val uint32) []byte {
		b := binary.LittleEndian.AppendUint64(nil, flags)
		b = binary.LittleEndian.AppendUint64(b, codec)
		b = binary.LittleEndian.AppendUint32(b, key)
		return binary.LittleEndian.AppendUint32(b, val)
	}
	long := bytes.Repeat([]byte("k"), 32)
	for name, tc := range map[string]struct {
		headers, keys, values []byte
		want                  Errno
	}{
		"good":        {header(3, codecRaw, 1, 2), []byte("a"), []byte("xy"), 0},
		"flags":       {header(4, codecRaw, 1, 2), []byte("a"), []byte("xy"), ErrIllegalArgument},
		"codec":       {header(3, codecDagCBOR, 1, 2), []byte("a"), []byte("xy"), ErrIllegalCodec},
		"long key":    {header(3, codecRaw, 32, 0), long, nil, ErrLimitExceeded},
		"split rune":  {header(3, codecRaw, 1, 0), []byte("é"), nil, ErrIllegalArgument},
		"not UTF-8":   {header(3, codecRaw, 1, 0), []byte{0xff}, nil, ErrIllegalArgument},
		"short value": {header(3, codecRaw, 1, 3), []byte("a"), []byte("xy"), ErrIllegalArgument},
		"left over":   {header(3, codecRaw, 1, 1), []byte("a"), []byte("xy"), ErrIllegalArgument},
	} {
		_, err := eventEntries(tc.headers, tc.keys, tc.values)
		var got Errno
		if s, ok := asSyscall(err); ok {
			got = s.no
		} else if err != nil {
			t.Fatal(err)
		}
		if got != tc.want {
			t.Errorf("%s: %v instead of %v", name, got, tc.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	mem := stubMemory([]byte("why"))
	for _, tc := range []struct {
		code, want uint32
		msg        string
	}{{16, 16, "why"}, {33, 33, "why"}, {0, 0, "why"}, {7, 9, "actor aborted with code 7"}, {15, 9, "actor aborted with code 15"}} {
		k := stubKernel(t, 101, false)
		_, ab := find(t, abiV4, "vm", "exit").call(k, mem, []uint64{uint64(tc.code), 1, 512, 3})
		if ab == nil || uint32(ab.code) != tc.want || ab.msg != tc.msg || ab.block != 1 {
			t.Errorf("exit %d: %+v", tc.code, ab)
		}
	}
}

func TestCallDepth(t *testing.T) {
	k := stubKernel(t, 101, false)
	k.cm.depth = maxCallDepth
	mem := stubMemory(nil)
	no, ab := find(t, abiV4, "send", "send").call(k, mem, []uint64{1024, 64, 2, 0, 0, 0, 0, 1<<64 - 1, 0})
	if ab != nil || no != ErrLimitExceeded {
		t.Fatalf("%v, %v", no, ab)
	}
	k.cm.depth--
	if no, ab = find(t, abiV4, "send", "send").call(k, mem, []uint64{1024, 64, 2, 0, 0, 0, 0, 1<<64 - 1, 0}); ab != nil || no != 0 {
		t.Fatalf("%v, %v", no, ab)
	}
}

func TestOutOfGasInSyscallAborts(t *testing.T) {
	k := stubKernel(t, 101, false)
	k.cm.gas = gas.NewTracker(gas.New(20_000), 0, false)
	_, ab := find(t, abiV4, "ipld", "block_open").call(k, stubMemory(nil), []uint64{1024, 0})
	if ab == nil || !isOutOfGas(ab.err) {
		t.Fatalf("%+v", ab)
	}
}

func TestGasOutputs(t *testing.T) {
	for _, tc := range []struct {
		used, limit, refund, burned uint64
	}{{100, 200, 10, 90}, {100, 150, 30, 20}, {1000, 1300, 240, 60}, {200, 200, 0, 0}, {20000, 21000, 1000, 0}, {0, 2000, 0, 2000},
		{500, 651, 121, 30}, {500, 5000, 0, 4500}, {7_499_000_000, 7_500_000_000, 1_000_000, 0}, {1, 7_500_000_000, 0, 7_499_999_999}} {
		if r, b := overEstimation(tc.used, tc.limit); r != tc.refund || b != tc.burned {
			t.Errorf("used %d of %d: refund %d, burned %d; want %d, %d", tc.used, tc.limit, r, b, tc.refund, tc.burned)
		}
	}
	o := gasOutputs(100, 130, big.NewInt(10), big.NewInt(11), big.NewInt(1))
	if !o.BaseFeeBurn.Equals(big.NewInt(1000)) || !o.OverEstimationBurn.Equals(big.NewInt(60)) || !o.MinerTip.Equals(big.NewInt(130)) || !o.Refund.Equals(big.NewInt(240)) {
		t.Errorf("%+v", o)
	}
	o = gasOutputs(100, 110, big.NewInt(10), big.NewInt(6), big.NewInt(1))
	if !o.BaseFeeBurn.Equals(big.NewInt(600)) || !o.MinerPenalty.Equals(big.NewInt(400)) || o.MinerTip.Sign() != 0 || !o.Refund.Equals(big.NewInt(60)) {
		t.Errorf("%+v", o)
	}
}

func TestParseCID(t *testing.T) {
	good := emptyArrayCID.Bytes()
	n, c, err := parseCID(append(bytes.Clone(good), 1, 2, 3))
	if err != nil || n != len(good) || c != emptyArrayCID {
		t.Fatalf("%d, %s, %v", n, c, err)
	}
	for name, b := range map[string][]byte{"empty": nil, "cut": good[:20], "version 2": {2, 0x71, 0, 0}, "long varint": {1, 0xf1, 0x80, 0x00, 0, 0}, "long digest": {1, 0x71, 0, 65}} {
		if _, _, err := parseCID(b); err == nil {
			t.Errorf("%s: parsed", name)
		}
	}
}

func TestFlushForgetsWhatIsUnreachable(t *testing.T) {
	ctx := context.Background()
	below := NewMemory()
	b := newBuffer(below)
	leaf, err := PutBlock(ctx, b, codecDagCBOR, []byte{0x01})
	if err != nil {
		t.Fatal(err)
	}
	root, err := PutBlock(ctx, b, codecDagCBOR, append([]byte{0xd8, 0x2a, 0x58, byte(len(leaf.Bytes()) + 1), 0}, leaf.Bytes()...))
	if err != nil {
		t.Fatal(err)
	}
	junk, err := PutBlock(ctx, b, codecDagCBOR, []byte{0x02})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.flush(ctx, root); err != nil {
		t.Fatal(err)
	}
	for c, want := range map[cid.Cid]bool{leaf: true, root: true, junk: false} {
		if _, err := below.Get(ctx, c); (err == nil) != want {
			t.Errorf("%s stored: %v", c, err == nil)
		}
	}
}
