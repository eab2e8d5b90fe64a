package fvm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/fvm/gas"
)

// Externs is what a machine asks the chain it runs on. Epochs are those the actor asked
// for; in a null round the answer is that of the tipset before. An error is shown to the
// actor as an illegal argument by the two randomness functions and is fatal in TipsetCID.
type Externs interface {
	// ChainRandomness returns the digest of the ticket at an epoch.
	ChainRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	// BeaconRandomness returns the digest of the beacon entry at an epoch.
	BeaconRandomness(ctx context.Context, epoch abi.ChainEpoch) ([32]byte, error)
	// TipsetCID returns the CID of the tipset key at an epoch before the current one.
	TipsetCID(ctx context.Context, epoch abi.ChainEpoch) (cid.Cid, error)
}

// ConsensusFault is what [FaultVerifier] found.
type ConsensusFault struct {
	Target abi.ActorID    // the miner
	Epoch  abi.ChainEpoch // of the fault
	Type   uint32         // 1 double fork, 2 parent grinding, 3 time offset
}

// FaultVerifier may be implemented by [Externs] to judge reported consensus faults. Without
// it every report is found to be no fault.
type FaultVerifier interface {
	// VerifyConsensusFault judges serialized block headers; nil is "no fault", an error is
	// shown to the actor as an illegal argument.
	VerifyConsensusFault(ctx context.Context, h1, h2, extra []byte) (*ConsensusFault, error)
}

// MachineConfig describes the state and the epoch that messages run in.
type MachineConfig struct {
	Store Blockstore
	// Root is the state root CID as in block headers.
	Root cid.Cid
	// Epoch is the epoch that the messages execute in, Timestamp its time in Unix seconds.
	Epoch     abi.ChainEpoch
	Timestamp uint64
	// BaseFee is in attoFIL per unit of gas, CircSupply in attoFIL.
	BaseFee, CircSupply big.Int
	// ChainID is what the EVM's CHAINID returns, for example 31415926.
	ChainID        uint64
	NetworkVersion network.Version
	Externs        Externs
	// AcceptProofs decides whether a proof of storage counts as valid; kind is "seal",
	// "aggregate", "replica" or "post". Nil accepts every proof.
	AcceptProofs func(kind string) bool
	// Debug lets actors log; their lines appear in traces and in Log. It changes gas.
	Debug bool
	// Trace records an execution trace in every [Result].
	Trace bool
	// Log gets what actors log and what fails fatally; nil means the engine's.
	Log *slog.Logger
}

// Machine applies messages to one state. It is not safe for concurrent use. Simulations run
// on a machine of their own that is dropped afterwards: nothing reaches the store before
// Flush.
type Machine struct {
	engine *Engine
	cfg    MachineConfig
	log    *slog.Logger
	tree   *StateTree
	buf    *buffer
	prices *gas.Prices
	// reachability: actors may open only what they can reach.
	reachability bool
}

// ApplyKind says how a message came to be.
type ApplyKind int

const (
	// Explicit messages are on chain: they are validated, have their nonce and pay gas.
	Explicit ApplyKind = iota
	// Implicit messages come from the system itself (cron, rewards) or are simulated: no
	// validation, no nonce, no payment.
	Implicit
)

// GasOutputs says where the gas money of an explicit message went. Amounts are attoFIL.
type GasOutputs struct {
	BaseFeeBurn        abi.TokenAmount
	OverEstimationBurn abi.TokenAmount
	MinerPenalty       abi.TokenAmount
	MinerTip           abi.TokenAmount
	Refund             abi.TokenAmount
	// GasRefund and GasBurned are units of gas.
	GasRefund int64
	GasBurned int64
}

// Result is the outcome of a message.
type Result struct {
	// Receipt is what the chain records: exit code, return value, gas used, events root.
	Receipt types.MessageReceipt
	// ReturnCodec is the codec of the return value, 0 when there is none.
	ReturnCodec uint64
	// Penalty is what the miner who included the message pays for it, MinerTip what the
	// reward actor got for that miner.
	Penalty, MinerTip abi.TokenAmount
	Costs             GasOutputs
	// Events are those whose AMT root the receipt has, in order.
	Events []types.Event
	// Trace is set when [MachineConfig].Trace is.
	Trace *types.ExecutionTrace
	// Error says in words why the message failed: actors from the outermost to the one
	// that failed, and the syscall that caused it. Empty on success.
	Error string
}

// firstReachability is the network version from which blocks must be reachable.
const firstReachability = network.Version21

// NewMachine opens a state.
func (e *Engine) NewMachine(ctx context.Context, cfg MachineConfig) (*Machine, error) {
	if cfg.Store == nil || cfg.Externs == nil || !cfg.Root.Defined() {
		return nil, errors.New("new machine: Store, Root and Externs must be given")
	}
	if cfg.Epoch < 0 {
		return nil, fmt.Errorf("new machine: epoch %d is negative", cfg.Epoch)
	}
	for _, amount := range []*big.Int{&cfg.BaseFee, &cfg.CircSupply} {
		if amount.Nil() {
			*amount = big.Zero()
		}
		if amount.Sign() < 0 || amount.BitLen() > 128 {
			return nil, fmt.Errorf("new machine: base fee %s or circulating supply %s is outside of 0 to 2^128-1", cfg.BaseFee, cfg.CircSupply)
		}
	}
	if cfg.NetworkVersion == 0 {
		cfg.NetworkVersion = e.newestNetwork()
	}
	m := &Machine{engine: e, cfg: cfg, log: cfg.Log, buf: newBuffer(cfg.Store),
		prices: gas.PricesFor(cfg.NetworkVersion), reachability: cfg.NetworkVersion >= firstReachability}
	if m.log == nil {
		m.log = e.cfg.Log
	}
	var err error
	if m.tree, err = LoadStateTree(ctx, m.buf, cfg.Root); err != nil {
		return nil, fmt.Errorf("new machine: %w", err)
	}
	return m, m.putEmpty(ctx)
}

// newestNetwork is the last network version that ran the engine's actors.
func (e *Engine) newestNetwork() network.Version {
	newest := network.Version18
	for nv := network.Version18; ; nv++ {
		v, err := actorstypes.VersionForNetwork(nv)
		if err != nil {
			return newest // there are no later ones
		}
		if v == e.cfg.ActorsVersion {
			newest = nv
		}
	}
}

// putEmpty provides the state of actors that have none yet.
func (m *Machine) putEmpty(ctx context.Context) error {
	return m.buf.Put(ctx, emptyArrayCID, emptyArray)
}

// Flush writes the state and returns its root. The machine can go on afterwards.
func (m *Machine) Flush(ctx context.Context) (cid.Cid, error) {
	root, err := m.tree.Flush(ctx)
	if err == nil {
		err = m.buf.flush(ctx, root)
	}
	if err == nil {
		err = m.putEmpty(ctx)
	}
	if err != nil {
		return cid.Undef, fmt.Errorf("flush the machine: %w", err)
	}
	return root, nil
}

// Actor returns the actor behind any kind of address at this machine's state.
func (m *Machine) Actor(ctx context.Context, addr address.Address) (*types.Actor, bool, error) {
	id, ok, err := m.tree.Resolve(ctx, addr)
	if err != nil || !ok {
		return nil, false, err
	}
	return m.tree.Actor(ctx, id)
}

// Resolve returns the id behind an address at this machine's state. An id address is its
// own answer, whether or not there is such an actor.
func (m *Machine) Resolve(ctx context.Context, addr address.Address) (abi.ActorID, bool, error) {
	return m.tree.Resolve(ctx, addr)
}

// State returns the machine's state tree, for reading and for changes between messages.
func (m *Machine) State() *StateTree { return m.tree }

// Store returns the machine's view of the blocks: those of its store and those written
// since the last flush.
func (m *Machine) Store() Blockstore { return m.buf }

func (m *Machine) acceptProof(kind string) bool {
	return m.cfg.AcceptProofs == nil || m.cfg.AcceptProofs(kind)
}
