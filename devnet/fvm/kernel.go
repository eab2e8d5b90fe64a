package fvm

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/exitcode"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	"github.com/tetratelabs/wazero/api"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// errActorAssertion is the fatal error that an actor can cause by breaking the machine's
// rules. Unlike other fatal errors it has a receipt: exit code 10 and all gas used.
var errActorAssertion = errors.New("an actor broke the machine's rules")

// abort ends the running actor. It is what a host function panics with.
type abort struct {
	code  exitcode.ExitCode
	msg   string
	block uint32
	err   error // out of gas, or fatal
}

// Error implements error.
func (a *abort) Error() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprintf("exit with code %d (%s)", a.code, a.msg)
}

// Unwrap gives what ended the actor, nil for an exit of its own.
func (a *abort) Unwrap() error { return a.err }

// kernel is what one running actor may see and do.
type kernel struct {
	cm       *callManager
	caller   abi.ActorID
	self     abi.ActorID
	method   abi.MethodNum
	value    big.Int
	readOnly bool
	blocks   *registry

	// lastError is the syscall that failed last, "" if the last one did not.
	lastError string

	counter api.MutableGlobal // nil when instructions are not counted
	filled  int64             // what counter was last set to
}

// returned looks up a block that the actor ended with.
func (k *kernel) returned(id uint32) (*block, error) {
	if id == noBlock {
		return nil, nil
	}
	return k.blocks.get(id)
}

// refill shows the actor how much gas is left, before it goes on.
func (k *kernel) refill() {
	if k.counter != nil {
		k.filled = k.cm.gas.Counter()
		k.counter.Set(uint64(k.filled))
	}
}

// chargeExec takes the gas of the instructions executed since refill.
func (k *kernel) chargeExec() error {
	if k.counter == nil {
		return nil
	}
	return k.cm.gas.ChargeExec(k.filled, int64(k.counter.Get()))
}

func (k *kernel) charge(c gas.Charge) error { return k.cm.gas.Apply(c) }

// scanGas pays for a scan as it goes, up to what is left.
type scanGas struct {
	prices     *gas.Prices
	left, used gas.Gas
}

func (s *scanGas) take(g gas.Gas) error {
	if s.left < g {
		s.used = s.used.Add(s.left)
		s.left = 0
		return gas.ErrOutOfGas
	}
	s.left = s.left.Sub(g)
	s.used = s.used.Add(g)
	return nil
}

func (s *scanGas) field() error { return s.take(s.prices.ScanPerField()) }

func (s *scanGas) link() error { return s.take(s.prices.ScanPerCID()) }

// scan finds the links of a block and charges for that.
func (k *kernel) scan(codec uint64, data []byte) ([]cid.Cid, error) {
	if k.blocks.open {
		return nil, nil // before links were tracked, nobody looked for them
	}
	s := &scanGas{prices: k.cm.prices, left: k.cm.gas.Available()}
	links, err := scanLinks(codec, data, s)
	if chargeErr := k.cm.gas.Charge("OnScanIpldLinks", s.used); chargeErr != nil {
		return nil, chargeErr
	}
	return links, err
}

// blockOpen reads a block of state that the actor can reach.
func (k *kernel) blockOpen(c cid.Cid) (uint32, *block, error) {
	if err := k.charge(k.cm.prices.OnBlockOpenBase()); err != nil {
		return 0, nil, err
	}
	if !k.blocks.canReach(c) {
		return 0, nil, refuse(ErrNotFound, "block not reachable: %s", c)
	}
	data, err := k.load(c)
	if err != nil {
		return 0, nil, fmt.Errorf("open block %s for actor f0%d: %w", c, k.self, err)
	}
	k.cm.trace.ipld(types.IpldOpGet, c, len(data))
	codec := c.Prefix().Codec
	links, err := k.scan(codec, data)
	if err != nil {
		return 0, nil, err
	}
	if err := k.charge(k.cm.prices.OnBlockOpen(len(data), len(links))); err != nil {
		return 0, nil, err
	}
	b := &block{codec: codec, data: data, links: links}
	id, err := k.blocks.put(b)
	return id, b, err
}

// load reads a block; inline ones carry their data in the CID, which counts only before
// reachability ruled them out.
func (k *kernel) load(c cid.Cid) ([]byte, error) {
	if k.blocks.open && c.Prefix().MhType == hashIdentity {
		return digestOf(c)
	}
	return k.cm.m.buf.Get(k.cm.ctx, c)
}

// blockCreate makes a block out of the actor's memory.
func (k *kernel) blockCreate(codec uint64, data []byte) (uint32, error) {
	if len(data) > maxBlockSize {
		return 0, refuse(ErrLimitExceeded, "blocks may not be larger than 1MiB")
	}
	switch codec {
	case codecRaw, codecCBOR, codecDagCBOR:
	default:
		return 0, refuse(ErrIllegalCodec, "codec %d not allowed", codec)
	}
	links, err := k.scan(codec, data)
	if err != nil {
		return 0, err
	}
	if err := k.charge(k.cm.prices.OnBlockCreate(len(data), len(links))); err != nil {
		return 0, err
	}
	return k.blocks.putNew(&block{codec: codec, data: append([]byte(nil), data...), links: links})
}

// blockLink stores a block and returns its CID.
func (k *kernel) blockLink(id uint32, hash uint64, size uint32) (cid.Cid, error) {
	if hash != hashBlake2b256 || size != 32 {
		return cid.Undef, refuse(ErrIllegalCID, "cids must be 32-byte blake2b")
	}
	b, err := k.blocks.get(id)
	if err != nil {
		return cid.Undef, err
	}
	price, err := k.cm.prices.OnBlockLink(hash, len(b.data))
	if err != nil {
		return cid.Undef, refuse(ErrIllegalCID, "invalid CID codec: %v", err)
	}
	if err := k.charge(price); err != nil {
		return cid.Undef, err
	}
	c, err := PutBlock(k.cm.ctx, k.cm.m.buf, b.codec, b.data)
	if err != nil {
		return cid.Undef, err
	}
	k.blocks.mark(c)
	k.cm.trace.ipld(types.IpldOpPut, c, len(b.data))
	return c, nil
}

// send calls another actor on behalf of this one.
func (k *kernel) send(s sendArgs) (outcome, uint32, error) {
	readOnly := k.readOnly || s.readOnly
	if readOnly && s.value.Sign() != 0 {
		return outcome{}, 0, refuse(ErrReadOnly, "cannot transfer value when read-only")
	}
	params, err := k.returned(s.params)
	if err != nil {
		return outcome{}, 0, err
	}
	if k.blocks.full() {
		return outcome{}, 0, refuse(ErrLimitExceeded, "cannot store return block")
	}
	out, err := k.cm.transaction(func() (outcome, error) {
		return k.cm.call(k.self, s.to, entry{method: s.method}, params, s.value, s.limit, readOnly)
	})
	if err != nil || out.value == nil {
		return out, noBlock, err
	}
	id, err := k.blocks.put(out.value)
	return out, id, err
}

// log takes a line that the actor logs.
func (k *kernel) log(line string) {
	k.cm.trace.log(line)
	k.cm.m.log.Debug("actor log", slog.Uint64("actor", uint64(k.self)), slog.String("line", line))
}
