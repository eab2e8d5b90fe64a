package gas

// The charges in this file are those of blocks and state roots. Source of each formula: ref-fvm, fvm/src/gas/price_list.rs, the method of
// the same name in snake case.

// OnBlockOpenBase is for opening a block, before it is read, and for checking that it is reachable.
func (p *Prices) OnBlockOpenBase() Charge {
	return Charge{"OnBlockOpenBase", p.linkChecked, blockOpenFlat}
}

// OnBlockOpen is for a block that was read: its size, and its links, which are reachable from here on. Small numbers of links are paid
// by the minimum for keeping the block in memory.
func (p *Prices) OnBlockOpen(blockSize, links int) Charge {
	n := size(blockSize)
	compute := p.linkTracked.Mul(size(links))
	mem := blockAllocateScale.Mul(n).Add(blockMemcpyScale.Mul(n))
	surcharge := blockRetentionScale.Mul(n).Sub(compute.Add(mem))
	return Charge{"OnBlockOpen", compute, mem.Add(surcharge)}
}

// OnBlockRead is for copying that many bytes of an open block into the actor's memory.
func (p *Prices) OnBlockRead(bytes int) Charge {
	return Charge{"OnBlockRead", blockMemcpyScale.Mul(size(bytes)), 0}
}

// OnBlockCreate is for a new block and for checking that its links are reachable.
func (p *Prices) OnBlockCreate(blockSize, links int) Charge {
	n := size(blockSize)
	compute := blockMemcpyScale.Mul(n).Add(blockAllocateScale.Mul(n)).Add(p.linkChecked.Mul(size(links)))
	return Charge{"OnBlockCreate", compute, blockRetentionScale.Mul(n).Sub(compute)}
}

// OnBlockLink is for hashing a block and storing it with the state. The error wraps [ErrUnsupported] when the hash has no price.
func (p *Prices) OnBlockLink(hash uint64, blockSize int) (Charge, error) {
	hashing, err := hashCost(hash)
	if err != nil {
		return Charge{}, err
	}
	n := size(blockSize)
	compute := blockMemcpyScale.Mul(n).Add(blockAllocateScale.Mul(n)).Add(hashing.of(n)).Add(p.linkTracked)
	storage := blockPersistStorageFlat.Add(blockPersistStorageScale.Mul(n))
	return Charge{"OnBlockLink", compute, blockPersistCompute.Add(storage)}, nil
}

// OnBlockStat is free.
func (p *Prices) OnBlockStat() Charge { return Charge{Name: "OnBlockStat"} }

// OnScanLinks is for finding the links of a block of dag-cbor: fields is the number of CBOR headers met, tags other than 42 included, CIDs
// the number of links, in inlined (identity-hashed) blocks too (fvm/src/ipld/cbor.rs). Versions 18 to 20 did not scan.
func (p *Prices) OnScanLinks(fields, cids int) Charge {
	return Charge{"OnScanIpldLinks", p.cborScanPerField.Mul(size(fields)).Add(p.cborScanPerCID.Mul(size(cids))), 0}
}

// ScanPerField is what one CBOR header costs in [Prices.OnScanLinks], for a scanner that stops when gas runs out.
func (p *Prices) ScanPerField() Gas { return p.cborScanPerField }

// ScanPerCID is what one link costs in [Prices.OnScanLinks].
func (p *Prices) ScanPerCID() Gas { return p.cborScanPerCID }

// OnGetRoot is for self.root.
func (p *Prices) OnGetRoot() Charge { return Charge{"OnActorGetRoot", p.linkTracked, 0} }

// OnSetRoot is for self.set_root.
func (p *Prices) OnSetRoot() Charge { return Charge{"OnActorSetRoot", p.linkChecked, 0} }
