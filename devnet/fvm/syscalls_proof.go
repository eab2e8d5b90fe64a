package fvm

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/proof"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// proofSyscalls are those of the module "crypto" that concern storage.
var proofSyscalls = []syscall{
	{"crypto", "compute_unsealed_sector_cid", "liiii", 4, sysUnsealedCID},
	{"crypto", "verify_post", "ii", 4, sysVerifyPoSt},
	{"crypto", "verify_consensus_fault", "iiiiii", 20, sysConsensusFault},
	{"crypto", "verify_aggregate_seals", "ii", 4, sysVerifyAggregateSeals},
	{"crypto", "verify_replica_update", "ii", 4, sysVerifyReplicaUpdate},
	{"crypto", "batch_verify_seals", "iii", 0, sysBatchVerifySeals},
}

// maxBatch bounds lists that actors pass; the actors' own limits are far lower.
const maxBatch = 1 << 16

// decode reads one CBOR object that fills its part of the memory.
func decode(mem memory, off, n uint32, out cbg.CBORUnmarshaler) error {
	b, err := mem.slice(off, n)
	if err != nil {
		return err
	}
	r := bytes.NewReader(b)
	if err := out.UnmarshalCBOR(r); err != nil {
		return refuse(ErrIllegalArgument, "decode a %T: %v", out, err)
	}
	if r.Len() != 0 {
		return refuse(ErrIllegalArgument, "decode a %T: %d trailing bytes", out, r.Len())
	}
	return nil
}

// list is a CBOR array of objects.
type list[T any, P interface {
	*T
	cbg.CBORUnmarshaler
}] struct{ items []T }

// UnmarshalCBOR implements [cbg.CBORUnmarshaler].
func (l *list[T, P]) UnmarshalCBOR(r io.Reader) error {
	cr := cbg.NewCborReader(r)
	major, n, err := cr.ReadHeader()
	if err != nil {
		return err
	}
	if major != cbg.MajArray || n > maxBatch {
		return fmt.Errorf("not an array of at most %d items", maxBatch)
	}
	for range n {
		var item T
		if err := P(&item).UnmarshalCBOR(cr); err != nil {
			return err
		}
		l.items = append(l.items, item)
	}
	return nil
}

func sysUnsealedCID(k *kernel, mem memory, a args, ret []byte) error {
	kind := abi.RegisteredSealProof(a.i64(0))
	if _, err := kind.SectorSize(); err != nil {
		return refuse(ErrIllegalArgument, "invalid proof type %d", a.i64(0))
	}
	var pieces list[abi.PieceInfo, *abi.PieceInfo]
	if err := decode(mem, a.u32(1), a.u32(2), &pieces); err != nil {
		return err
	}
	if _, err := mem.slice(a.u32(3), a.u32(4)); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnComputeUnsealedSectorCID()); err != nil {
		return err
	}
	c, err := sig.UnsealedCID(kind, pieces.items)
	if err != nil {
		return refuse(ErrIllegalArgument, "compute unsealed sector CID: %v", err)
	}
	return mem.write(ret, c.Bytes(), a.u32(3), a.u32(4))
}

func sysVerifyPoSt(k *kernel, mem memory, a args, ret []byte) error {
	var info proof.WindowPoStVerifyInfo
	if err := decode(mem, a.u32(0), a.u32(1), &info); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnVerifyPoSt(len(info.ChallengedSectors))); err != nil {
		return err
	}
	if len(info.Proofs) == 0 {
		return refuse(ErrIllegalArgument, "no window post proofs")
	}
	for _, p := range info.Proofs {
		if p.PoStProof != info.Proofs[0].PoStProof {
			return refuse(ErrIllegalArgument, "all proof types must be the same (found both %d and %d)", info.Proofs[0].PoStProof, p.PoStProof)
		}
	}
	putStatus(ret, k.cm.m.acceptProof("post"))
	return nil
}

func sysVerifyAggregateSeals(k *kernel, mem memory, a args, ret []byte) error {
	var info proof.AggregateSealVerifyProofAndInfos
	if err := decode(mem, a.u32(0), a.u32(1), &info); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnVerifyAggregateSeals(info.SealProof, len(info.Infos))); err != nil {
		return err
	}
	if len(info.Infos) == 0 {
		return refuse(ErrIllegalArgument, "no seal verify infos")
	}
	putStatus(ret, k.cm.m.acceptProof("aggregate"))
	return nil
}

func sysVerifyReplicaUpdate(k *kernel, mem memory, a args, ret []byte) error {
	var info replicaUpdate
	if err := decode(mem, a.u32(0), a.u32(1), &info); err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnVerifyReplicaUpdate()); err != nil {
		return err
	}
	putStatus(ret, k.cm.m.acceptProof("replica"))
	return nil
}

// replicaUpdate checks the form of a replica update's proof. Actors write the proof's bytes
// as an array of numbers, which the Go types of the same name do not read.
type replicaUpdate struct{}

// UnmarshalCBOR implements [cbg.CBORUnmarshaler].
func (*replicaUpdate) UnmarshalCBOR(r io.Reader) error {
	cr := cbg.NewCborReader(r)
	if err := wantArray(cr, 5); err != nil {
		return err
	}
	var kind cbg.CborInt
	if err := kind.UnmarshalCBOR(cr); err != nil {
		return err
	}
	for range 3 {
		if _, err := cbg.ReadCid(cr); err != nil {
			return err
		}
	}
	major, n, err := cr.ReadHeader()
	if err != nil {
		return err
	}
	if major != cbg.MajArray || n > maxBatch {
		return errors.New("the proof is not an array of numbers")
	}
	for range n {
		if major, v, err := cr.ReadHeader(); err != nil || major != cbg.MajUnsignedInt || v > 255 {
			return fmt.Errorf("the proof is not an array of bytes (%w)", err)
		}
	}
	return nil
}

func sysBatchVerifySeals(k *kernel, mem memory, a args, _ []byte) error {
	var batch list[proof.SealVerifyInfo, *proof.SealVerifyInfo]
	if err := decode(mem, a.u32(0), a.u32(1), &batch); err != nil {
		return err
	}
	out, err := mem.slice(a.u32(2), uint32(len(batch.items)))
	if err != nil {
		return err
	}
	for range batch.items {
		if err := k.charge(k.cm.prices.OnVerifySeal()); err != nil {
			return err
		}
	}
	for i := range out {
		out[i] = 0
		if k.cm.m.acceptProof("seal") {
			out[i] = 1
		}
	}
	return nil
}

func sysConsensusFault(k *kernel, mem memory, a args, ret []byte) error {
	var headers [3][]byte
	for i := range headers {
		b, err := mem.slice(a.u32(2*i), a.u32(2*i+1))
		if err != nil {
			return err
		}
		headers[i] = bytes.Clone(b)
	}
	if err := k.charge(k.cm.prices.OnVerifyConsensusFault()); err != nil {
		return err
	}
	v, ok := k.cm.m.cfg.Externs.(FaultVerifier)
	if !ok {
		return nil // all zero: no fault
	}
	fault, err := v.VerifyConsensusFault(k.cm.ctx, headers[0], headers[1], headers[2])
	if err != nil {
		return refuse(ErrIllegalArgument, "verify consensus fault: %v", err)
	}
	if fault != nil {
		binary.LittleEndian.PutUint64(ret, uint64(fault.Epoch))
		binary.LittleEndian.PutUint64(ret[8:], uint64(fault.Target))
		binary.LittleEndian.PutUint32(ret[16:], fault.Type)
	}
	return nil
}
