package fvm

import (
	"encoding/binary"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/crypto"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// cryptoSyscalls are those of the module "crypto" that concern hashes and signatures.
var cryptoSyscalls = []syscall{
	{"crypto", "hash", "liiii", 4, sysHash},
	{"crypto", "verify_signature", "iiiiiii", 4, sysVerifySignature},
	{"crypto", "verify_bls_aggregate", "iiiii", 4, sysVerifyAggregate},
	{"crypto", "recover_secp_public_key", "ii", 65, sysRecoverSecp},
}

func sysHash(k *kernel, mem memory, a args, ret []byte) error {
	out, err := mem.slice(a.u32(3), a.u32(4))
	if err != nil {
		return err
	}
	data, err := mem.slice(a.u32(1), a.u32(2))
	if err != nil {
		return err
	}
	price, err := k.cm.prices.OnHashing(a.u64(0), len(data))
	if err != nil {
		return refuse(ErrIllegalArgument, "unsupported hash code %d", a.u64(0))
	}
	if err := k.charge(price); err != nil {
		return err
	}
	digest, err := sig.Hash(a.u64(0), data)
	if err != nil {
		return refuse(ErrIllegalArgument, "hash: %v", err)
	}
	binary.LittleEndian.PutUint32(ret, uint32(copy(out, digest)))
	return nil
}

func sysVerifySignature(k *kernel, mem memory, a args, ret []byte) error {
	kind := crypto.SigType(a.u32(0))
	if a.u32(0) != uint32(crypto.SigTypeSecp256k1) && a.u32(0) != uint32(crypto.SigTypeBLS) {
		return refuse(ErrIllegalArgument, "unknown signature type %d", a.u32(0))
	}
	signature, err := mem.slice(a.u32(1), a.u32(2))
	if err != nil {
		return err
	}
	signer, err := mem.address(a.u32(3), a.u32(4))
	if err != nil {
		return err
	}
	plain, err := mem.slice(a.u32(5), a.u32(6))
	if err != nil {
		return err
	}
	price, err := k.cm.prices.OnVerifySignature(kind, len(plain))
	if err != nil {
		return refuse(ErrIllegalArgument, "signature type %d: %v", a.u32(0), err)
	}
	if err := k.charge(price); err != nil {
		return err
	}
	if p := signer.Protocol(); p != address.BLS && p != address.SECP256K1 {
		return refuse(ErrIllegalArgument, "address protocol %d not supported", p)
	}
	putStatus(ret, sig.VerifyKind(kind, signature, signer, plain) == nil)
	return nil
}

func sysVerifyAggregate(k *kernel, mem memory, a args, ret []byte) error {
	n := uint64(a.u32(0))
	if n*sig.BLSPublicKeySize > 1<<32-1 {
		return refuse(ErrIllegalArgument, "number of signatures aggregated (%d) exceeds limit", n)
	}
	signature, err := mem.slice(a.u32(1), sig.BLSSignatureSize)
	if err != nil {
		return err
	}
	keys, err := mem.slice(a.u32(2), uint32(n*sig.BLSPublicKeySize))
	if err != nil {
		return err
	}
	lens, err := mem.slice(a.u32(4), uint32(n*4))
	if err != nil {
		return err
	}
	var publicKeys [][]byte
	var sizes []uint32
	total := uint64(0)
	for i := range int(n) {
		publicKeys = append(publicKeys, keys[i*sig.BLSPublicKeySize:(i+1)*sig.BLSPublicKeySize])
		sizes = append(sizes, binary.LittleEndian.Uint32(lens[4*i:]))
		total += uint64(sizes[i])
	}
	if total > 1<<32-1 {
		return refuse(ErrIllegalArgument, "bls signature plaintext out of bounds")
	}
	plain, err := mem.slice(a.u32(3), uint32(total))
	if err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnVerifyAggregateSignature(int(n), len(plain))); err != nil {
		return err
	}
	var texts [][]byte
	for _, size := range sizes {
		texts = append(texts, plain[:size])
		plain = plain[size:]
	}
	putStatus(ret, sig.VerifyBLSAggregate(signature, publicKeys, texts) == nil)
	return nil
}

func sysRecoverSecp(k *kernel, mem memory, a args, ret []byte) error {
	hash, err := mem.slice(a.u32(0), sig.SecpHashSize)
	if err != nil {
		return err
	}
	signature, err := mem.slice(a.u32(1), sig.SecpSignatureSize)
	if err != nil {
		return err
	}
	if err := k.charge(k.cm.prices.OnRecoverSecpPublicKey()); err != nil {
		return err
	}
	pub, err := sig.RecoverSecp(hash, signature)
	if err != nil {
		return refuse(ErrIllegalArgument, "public key recovery failed: %v", err)
	}
	copy(ret, pub)
	return nil
}
