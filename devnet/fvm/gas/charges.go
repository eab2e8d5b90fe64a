package gas

// The charges in this file are those of messages, calls, actors and the chain. Sizes are in bytes; a negative size counts as zero.
// Source of each formula: ref-fvm, fvm/src/gas/price_list.rs, the method of the same name in snake case.

func size(n int) uint64 { return uint64(max(n, 0)) }

// OnChainMessage is for a message of that size as it is stored in the chain, and the sender's nonce and balance. It is also what
// a block producer burns for a message that may not be in the block.
func (p *Prices) OnChainMessage(messageSize int) Charge {
	storage := onChainMessageStorageFlat.Add(onChainMessageStorageScale.Mul(size(messageSize)))
	return Charge{"OnChainMessage", onChainMessageCompute, actorUpdate.Add(storage)}
}

// OnValueTransfer is for moving funds; nothing is charged for a value of zero.
func (p *Prices) OnValueTransfer() Charge { return Charge{"OnValueTransfer", sendTransferFunds, 0} }

// OnMethodInvocation is for running an actor's code, not for a bare send (method 0). links is the number of links in the parameters.
func (p *Prices) OnMethodInvocation(paramSize, links int) Charge {
	return Charge{"OnMethodInvocation", sendInvokeMethod.Add(p.linkTracked.Mul(size(links))), 0}
}

// OnMethodReturn is for a return value: at call depth 1, that of the message itself, for storing it on chain, deeper for its links.
func (p *Prices) OnMethodReturn(callDepth uint32, returnSize, links int) Charge {
	if callDepth == 1 {
		return Charge{"OnChainReturnValue", 0, onChainReturnStorageScale.Mul(size(returnSize))}
	}
	return Charge{"OnReturnValue", p.linkTracked.Mul(size(links)), 0}
}

// OnSyscall is due at each system call, after the gas of executed instructions (fvm/src/syscalls/mod.rs, charge_syscall_gas).
func (p *Prices) OnSyscall() Charge { return Charge{"OnSyscall", syscall, 0} }

// OnCreateActor is for a new actor; newAddress tells that it gets an entry in the init actor's map as well.
func (p *Prices) OnCreateActor(newAddress bool) Charge {
	g := actorCreateStorage
	if newAddress {
		g = g.Add(addressAssignment).Add(addressLookup)
	}
	return Charge{"OnCreateActor", 0, g}
}

// OnDeleteActor is free.
func (p *Prices) OnDeleteActor() Charge { return Charge{Name: "OnDeleteActor"} }

// OnActorLookup is for reading an actor from the state tree, once for each actor and message.
func (p *Prices) OnActorLookup() Charge { return Charge{"OnActorLookup", 0, actorLookup} }

// OnActorUpdate is for writing an actor to the state tree, once for each actor and message; its lookup is charged for besides.
func (p *Prices) OnActorUpdate() Charge { return Charge{"OnActorUpdate", 0, actorUpdate} }

// OnActorCreate is for adding an actor to the state tree without address assignment.
func (p *Prices) OnActorCreate() Charge { return Charge{"OnActorCreate", 0, actorCreateStorage} }

// OnSelfBalance is free, the actor was looked up.
func (p *Prices) OnSelfBalance() Charge { return Charge{Name: "OnSelfBalance"} }

// OnBalanceOf is free besides the lookup.
func (p *Prices) OnBalanceOf() Charge { return Charge{Name: "OnBalanceOf"} }

// OnResolveAddress is free; only actors read from the state tree cost.
func (p *Prices) OnResolveAddress() Charge { return Charge{Name: "OnResolveAddress"} }

// OnLookupDelegatedAddress is free besides the lookup of the actor.
func (p *Prices) OnLookupDelegatedAddress() Charge { return Charge{Name: "OnLookupAddress"} }

// OnGetActorCodeCID is free besides the lookup of the actor.
func (p *Prices) OnGetActorCodeCID() Charge { return Charge{Name: "OnGetActorCodeCid"} }

// OnGetBuiltinActorType is free (builtin_actor_manifest_lookup is zero).
func (p *Prices) OnGetBuiltinActorType() Charge { return Charge{Name: "OnGetBuiltinActorType"} }

// OnGetCodeCIDForType is free (builtin_actor_manifest_lookup is zero).
func (p *Prices) OnGetCodeCIDForType() Charge { return Charge{Name: "OnGetCodeCidForType"} }

// OnNetworkContext is free.
func (p *Prices) OnNetworkContext() Charge { return Charge{Name: "OnNetworkContext"} }

// OnMessageContext is free.
func (p *Prices) OnMessageContext() Charge { return Charge{Name: "OnMessageContext"} }

// OnInstallActor is free (install_wasm_per_byte_cost is zero); no network lets users install actors.
func (p *Prices) OnInstallActor(wasmSize int) Charge { return Charge{Name: "OnInstallActor"} }

// OnTipsetCID is for a tipset's CID, lookback epochs before the current one.
func (p *Prices) OnTipsetCID(lookback int64) Charge {
	g := lookbackFlat.Add(lookbackScale.Mul(epochs(lookback)))
	if p.legacy {
		if g = tipsetLatest; lookback > 1 {
			g = tipsetHistorical
		}
	}
	return Charge{"OnTipsetCid", 0, g}
}

// OnGetRandomness is for randomness lookback epochs before the current one. entropySize counts for versions 18 to 20 only, where the
// node drew the randomness with the entropy.
func (p *Prices) OnGetRandomness(lookback int64, entropySize int) Charge {
	g := lookbackFlat.Add(lookbackScale.Mul(epochs(lookback)))
	if p.legacy {
		hashed := saturatingAdd(size(entropySize), randomnessHashBytes)
		g = randomnessSeed.Add(hashCosts[HashBlake2b256].of(hashed))
	}
	return Charge{"OnGetRandomness", 0, g}
}

// epochs is a number of epochs as ref-fvm casts it: a negative one is huge, and saturates the price.
func epochs(n int64) uint64 { return uint64(n) }

// OnActorEvent is for an event with that many entries, bytes of keys and bytes of values. For versions 18 to 20 see
// [Prices.OnActorEventValidate] and [Prices.OnActorEventAccept].
func (p *Prices) OnActorEvent(entries, keySize, valueSize int) Charge {
	n := saturatingAdd(eventOverhead, saturatingMul(entryOverhead, size(entries)))
	n = saturatingAdd(saturatingAdd(n, size(keySize)), size(valueSize))
	mem := blockMemcpyScale.Mul(n).Add(blockAllocateScale.Mul(n))
	validate := p.eventPerEntry.of(size(entries)).Add(p.utf8.of(size(keySize)))
	return Charge{"OnActorEvent", mem.Mul(2).Add(validate), hashCosts[HashBlake2b256].of(n).Add(mem)}
}

// OnActorEventValidate is for checking an event of that many bytes of CBOR, in versions 18 to 20, before it is parsed.
func (p *Prices) OnActorEventValidate(eventSize int) Charge {
	n := size(eventSize)
	validate := eventValidationFlat.Add(eventValidationScale.Mul(n))
	return Charge{"OnActorEventValidate", blockMemcpyScale.Mul(n).Add(blockAllocateScale.Mul(n)).Add(validate), 0}
}

// OnActorEventAccept is for keeping an event of that many bytes of CBOR, in versions 18 to 20, after it was parsed.
func (p *Prices) OnActorEventAccept(eventSize int) Charge {
	n := saturatingAdd(size(eventSize), stampedEventOverhead)
	memcpy, alloc := blockMemcpyScale.Mul(n), blockAllocateScale.Mul(n)
	other := memcpy.Mul(2).Add(alloc).Add(hashCosts[HashBlake2b256].of(n))
	return Charge{"OnActorEventAccept", memcpy.Add(alloc), other}
}

// OnUTF8Validation is for text checked by the machine; it is part of OnActorEvent.
func (p *Prices) OnUTF8Validation(textSize int) Charge {
	return Charge{"OnUtf8Validation", p.utf8.of(size(textSize)), 0}
}

// OnInitMemory is for the memory that a module has from the start (fvm/src/syscalls/mod.rs, charge_for_init).
func (p *Prices) OnInitMemory(bytes uint64) Charge {
	return Charge{"wasm_memory_init", memoryFillScale.Mul(bytes), 0}
}

// OnInitTable is for the table that a module exports as "table" (fvm/src/syscalls/mod.rs, charge_for_init).
func (p *Prices) OnInitTable(elements uint64) Charge {
	return Charge{"wasm_table_init", memoryFillScale.Mul(elements).Mul(tableElementSize), 0}
}

// OnInit is all that instantiating a module costs, from what [Inspect] tells of it, in ref-fvm's order.
func (p *Prices) OnInit(m ModuleInfo) []Charge {
	if m.TableExported {
		return []Charge{p.OnInitTable(m.TableElements), p.OnInitMemory(m.MemoryBytes)}
	}
	return []Charge{p.OnInitMemory(m.MemoryBytes)}
}
