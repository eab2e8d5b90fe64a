package gas

import (
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/go-state-types/network"
)

// Multihash codes of the hash functions that the crypto.hash system call and block links know.
const (
	HashSHA256     uint64 = 0x12
	HashKeccak256  uint64 = 0x1b
	HashRipemd160  uint64 = 0x1053
	HashBlake2b256 uint64 = 0xb220
	HashBlake2b512 uint64 = 0xb240
)

// scaling is a price that grows with a size: flat + scale · size (ref-fvm: fvm/src/gas/price_list.rs, ScalingCost).
type scaling struct{ flat, scale Gas }

func (s scaling) of(n uint64) Gas { return s.flat.Add(s.scale.Mul(n)) }

// step is a price that holds from a number of proofs on (ref-fvm: fvm/src/gas/price_list.rs, Step).
type step struct {
	start uint64
	cost  Gas
}

// stepCost is a staircase of prices, rising in start (ref-fvm: fvm/src/gas/price_list.rs, StepCost).
type stepCost []step

func (s stepCost) of(n uint64) Gas {
	for i := len(s) - 1; i >= 0; i-- {
		if s[i].start <= n {
			return s[i].cost
		}
	}
	return 0
}

// Prices is one price list. The lists are made by [PricesFor] and never change; the methods are safe for concurrent use.
//
// Numbers without a note hold from network version 18 to the newest. Source of all of them: ref-fvm, fvm/src/gas/price_list.rs;
// HYGGE_PRICES (releases fvm 3.x) for 18 to 20, WATERMELON_PRICES for 21 to 24 and TEEP_PRICES (fvm 4.x) from 25 on.
type Prices struct {
	name string
	// legacy tells the list of versions 18 to 20, whose randomness, tipset and event charges have another form.
	legacy bool

	aggregatePer   map[abi.RegisteredSealProof]Gas
	aggregateSteps map[abi.RegisteredSealProof]stepCost
	verifySeal     Gas

	// What follows is zero in the list of versions 18 to 20.
	cborScanPerCID, cborScanPerField, linkTracked, linkChecked Gas
	eventPerEntry, utf8                                        scaling
}

// Prices that all lists share, each named as the field of ref-fvm's PriceList (fvm/src/gas/price_list.rs).
const (
	onChainMessageCompute      = Gas(38_863_000)     // on_chain_message_compute
	onChainMessageStorageFlat  = Gas(36 * 1_300_000) // on_chain_message_storage.flat: the message's place in the chain
	onChainMessageStorageScale = Gas(1_300_000)      // on_chain_message_storage.scale, for each byte
	onChainReturnStorageScale  = Gas(1_300_000)      // on_chain_return_storage.scale, for each byte
	sendTransferFunds          = Gas(6_000_000)      // send_transfer_funds
	sendInvokeMethod           = Gas(75_000_000)     // send_invoke_method
	actorLookup                = Gas(500_000_000)    // actor_lookup
	actorUpdate                = Gas(475_000_000)    // actor_update
	actorCreateStorage         = Gas(650_000_000)    // actor_create_storage
	addressLookup              = Gas(1_050_000_000)  // address_lookup
	addressAssignment          = Gas(1_000_000_000)  // address_assignment
	secpRecover                = Gas(1_637_292_000)  // secp256k1_recover_cost
	blsPairing                 = Gas(8_299_302_000)  // bls_pairing_cost
	blsHashingScale            = Gas(7_000)          // bls_hashing_cost.scale, for each byte
	computeUnsealedSectorCID   = Gas(98_647_000)     // compute_unsealed_sector_cid_base
	verifyConsensusFault       = Gas(516_422_000)    // verify_consensus_fault
	verifyReplicaUpdate        = Gas(36_316_136_000) // verify_replica_update
	verifyPostFlat             = Gas(117_680_921_000)
	verifyPostScale            = Gas(43_780_000)  // verify_post_lookup, the same for every proof type, for each sector challenged
	blockAllocateScale         = Gas(2_000)       // block_allocate.scale, for each byte
	blockMemcpyScale           = Gas(400)         // block_memcpy.scale, for each byte
	blockRetentionScale        = Gas(10_000)      // block_memory_retention_minimum.scale, for each byte
	blockOpenFlat              = Gas(187_440_000) // block_open.flat
	blockPersistStorageFlat    = Gas(334_000_000) // block_persist_storage.flat
	blockPersistStorageScale   = Gas(3_340_000)   // block_persist_storage.scale, for each byte
	blockPersistCompute        = Gas(172_000_000) // block_persist_compute
	syscall                    = Gas(14_000_000)  // syscall_cost (hygge), wasm_rules.host_call_cost (later lists)
	memoryFillScale            = Gas(400)         // wasm_rules.memory_fill_per_byte_cost
	memoryCopyScale            = Gas(400)         // wasm_rules.memory_copy_per_byte_cost
	instructionDefault         = Gas(4_000)       // wasm_rules.instruction_default, math_default and jump_*
	tableElementSize           = 8                // TABLE_ELEMENT_SIZE: bytes for each element of a table
	wasmPageSize               = 65_536
)

// Prices of versions 21 and later (ref-fvm: fvm/src/gas/price_list.rs, WATERMELON_PRICES).
const (
	lookbackFlat  = Gas((5800*19 + 15000 + 21000) * Precision) // lookback_cost.flat
	lookbackScale = Gas(75_000)                                // lookback_cost.scale, for each epoch walked back
	eventOverhead = 12                                         // EVENT_OVERHEAD: CBOR bytes around an event
	entryOverhead = 9                                          // EVENT_ENTRY_OVERHEAD: CBOR bytes around an entry
)

// Prices of versions 18 to 20 (ref-fvm 3.x: fvm/src/gas/price_list.rs, HYGGE_PRICES).
const (
	tipsetLatest         = Gas(50_000_000)  // tipset_cid_latest
	tipsetHistorical     = Gas(215_000_000) // tipset_cid_historical
	randomnessSeed       = Gas(21_000_000)  // get_randomness_seed
	randomnessHashBytes  = 8 + 32 + 8       // RAND_INITIAL_HASH: tag, digest and round, hashed with the entropy
	eventValidationFlat  = Gas(1_750_000)   // event_validation_cost.flat
	eventValidationScale = Gas(25_000)      // event_validation_cost.scale, for each byte
	stampedEventOverhead = 12               // STAMP_EXTRA_SIZE: emitter and framing of a stored event
)

// signatureCosts is sig_cost. A delegated signature is never verified by an actor, so it has no price.
var signatureCosts = map[crypto.SigType]scaling{
	crypto.SigTypeSecp256k1: {flat: New(1_637_292), scale: New(10)},
	crypto.SigTypeBLS:       {flat: New(16_598_605), scale: New(26)},
}

// hashCosts is hashing_cost.
var hashCosts = map[uint64]scaling{
	HashSHA256:     {scale: New(7)},
	HashBlake2b256: {scale: New(10)},
	HashBlake2b512: {scale: New(10)},
	HashKeccak256:  {scale: New(33)},
	HashRipemd160:  {scale: New(35)},
}

var (
	steps32GiB = stepCost{
		{4, New(103_994_170)}, {7, New(112_356_810)}, {13, New(122_912_610)}, {26, New(137_559_930)},
		{52, New(162_039_100)}, {103, New(210_960_780)}, {205, New(318_351_180)}, {410, New(528_274_980)},
	}
	steps64GiB = stepCost{
		{4, New(102_581_240)}, {7, New(110_803_030)}, {13, New(120_803_700)}, {26, New(134_642_130)},
		{52, New(157_357_890)}, {103, New(203_017_690)}, {205, New(304_253_590)}, {410, New(509_880_640)},
	}
	stepsNI32GiB = stepCost{
		{1, New(112_356_810)}, {2, New(122_912_610)}, {3, New(137_559_930)}, {5, New(162_039_100)},
		{9, New(210_960_780)}, {17, New(318_351_180)}, {33, New(528_274_980)},
	}
	stepsNI64GiB = stepCost{
		{1, New(110_803_030)}, {2, New(120_803_700)}, {3, New(134_642_130)}, {5, New(157_357_890)},
		{9, New(203_017_690)}, {17, New(304_253_590)}, {33, New(509_880_640)},
	}
)

var hygge = Prices{
	name: "hygge", legacy: true, verifySeal: New(2000),
	aggregatePer: map[abi.RegisteredSealProof]Gas{
		abi.RegisteredSealProof_StackedDrg32GiBV1_1: New(449_900),
		abi.RegisteredSealProof_StackedDrg64GiBV1_1: New(359_272),
	},
	aggregateSteps: map[abi.RegisteredSealProof]stepCost{
		abi.RegisteredSealProof_StackedDrg32GiBV1_1: steps32GiB,
		abi.RegisteredSealProof_StackedDrg64GiBV1_1: steps64GiB,
	},
}

var watermelon = later("watermelon", hygge)

var teep = func() Prices {
	p := watermelon
	p.name, p.verifySeal = "teep", New(42_000_000)
	p.aggregatePer = map[abi.RegisteredSealProof]Gas{
		abi.RegisteredSealProof_StackedDrg32GiBV1_1:              New(449_900),
		abi.RegisteredSealProof_StackedDrg64GiBV1_1:              New(359_272),
		abi.RegisteredSealProof_StackedDrg32GiBV1_2_Feat_NiPoRep: New(44_990 * 126),
		abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep: New(35_928 * 126),
	}
	p.aggregateSteps = map[abi.RegisteredSealProof]stepCost{
		abi.RegisteredSealProof_StackedDrg32GiBV1_1:              steps32GiB,
		abi.RegisteredSealProof_StackedDrg64GiBV1_1:              steps64GiB,
		abi.RegisteredSealProof_StackedDrg32GiBV1_2_Feat_NiPoRep: stepsNI32GiB,
		abi.RegisteredSealProof_StackedDrg64GiBV1_2_Feat_NiPoRep: stepsNI64GiB,
	}
	return p
}()

// later adds to the hygge list what fvm 4.x charges for: links in blocks, CBOR scanned, events by their entries.
func later(name string, p Prices) Prices {
	p.name, p.legacy = name, false
	p.cborScanPerCID, p.cborScanPerField = New(400), New(35)
	p.linkTracked, p.linkChecked = New(300), New(300)
	p.eventPerEntry = scaling{flat: New(2000), scale: New(1400)}
	p.utf8 = scaling{flat: New(500), scale: New(16)}
	return p
}

// PricesFor is the price list in force at a network version: 18 to 20, 21 to 24, or 25 and later. Versions before 18 had another machine;
// they get the list of version 18.
func PricesFor(nv network.Version) *Prices {
	switch {
	case nv < network.Version21:
		return &hygge
	case nv < network.Version25:
		return &watermelon
	default:
		return &teep
	}
}

// Name is ref-fvm's name of the list, in small letters: "hygge", "watermelon" or "teep".
func (p *Prices) Name() string { return p.name }

// Preloaded tells whether reading and updating an actor is free, as for the singletons of FIP-0055 (preloaded_actors).
func (p *Prices) Preloaded(id abi.ActorID) bool {
	return id <= 7 || id == 10 || id == 99
}
