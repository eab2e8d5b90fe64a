package provider

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/builtin"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Creation says what a new miner is like. The zero value is an f1 owner of its own, 2
// KiB sectors and 200 FIL.
type Creation struct {
	// Owner is whose the miner is: an f1, f3 or id address, or a multisig. If unset it is
	// the signer.
	Owner address.Address
	// Signer signs for the owner: its own account, or one that may act alone in the
	// multisig. If its key is unset it is a new f1 account.
	Signer chain.Account
	// PeerID and Multiaddrs are where the miner says it can be reached, as libp2p encodes
	// them.
	PeerID     []byte
	Multiaddrs [][]byte
	// SectorSize is 2 KiB, 8 MiB, 512 MiB, 32 GiB or 64 GiB; 2 KiB if 0.
	SectorSize abi.SectorSize
	// Funds is what the miner gets beside the deposit of its creation, for collateral;
	// 100 FIL if unset. Its worker gets 100 FIL for messages.
	Funds abi.TokenAmount
}

// Miner is a storage provider of the fleet. Its worker is a BLS account that signs what
// the miner does every day; the owner signs only what concerns money.
type Miner struct {
	f      *Fleet
	id     address.Address
	robust address.Address
	owner  address.Address
	signer chain.Account
	worker chain.Account
	seal   abi.RegisteredSealProof
	post   abi.RegisteredPoStProof
	size   abi.SectorSize

	// Guarded by Fleet.mu.
	stopped bool
	skipped map[abi.SectorNumber]bool
	tried   attempt
}

// proofsOf are the kinds of seal proofs by the size of sectors.
var proofsOf = map[abi.SectorSize]abi.RegisteredSealProof{
	2 << 10:   abi.RegisteredSealProof_StackedDrg2KiBV1_1,
	8 << 20:   abi.RegisteredSealProof_StackedDrg8MiBV1_1,
	512 << 20: abi.RegisteredSealProof_StackedDrg512MiBV1_1,
	32 << 30:  abi.RegisteredSealProof_StackedDrg32GiBV1_1,
	64 << 30:  abi.RegisteredSealProof_StackedDrg64GiBV1_1,
}

// deposit is sent along with the creation of a miner, and is more than it may cost.
const deposit = 100

// Create makes a miner with a new BLS worker through the power actor.
func (f *Fleet) Create(ctx context.Context, c Creation) (*Miner, error) {
	m, err := f.create(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("create a miner: %w", err)
	}
	return m, nil
}

func (f *Fleet) create(ctx context.Context, c Creation) (*Miner, error) {
	if c.SectorSize == 0 {
		c.SectorSize = 2 << 10
	}
	if c.Funds.Int == nil {
		c.Funds = Fil(100)
	}
	m := &Miner{f: f, signer: c.Signer, size: c.SectorSize, skipped: map[abi.SectorNumber]bool{}}
	err := m.setProofs()
	if err != nil {
		return nil, err
	}
	if m.signer.Key == nil {
		if !c.Owner.Empty() {
			return nil, fmt.Errorf("who signs for the owner %s is not said", c.Owner)
		}
		if m.signer, err = f.Account(ctx, chain.Secp256k1, Fil(100)); err != nil {
			return nil, err
		}
	}
	if m.owner = c.Owner; m.owner.Empty() {
		m.owner = m.signer.Address
	}
	if m.worker, err = f.Account(ctx, chain.BLS, Fil(100)); err != nil {
		return nil, err
	}
	if err := f.construct(ctx, m, c); err != nil {
		return nil, err
	}
	if _, err := f.Send(ctx, f.bank, Call{To: m.id, Value: c.Funds}); err != nil {
		return nil, err
	}
	f.mu.Lock()
	f.miners = append(f.miners, m)
	f.mu.Unlock()
	return m, nil
}

// setProofs chooses the kinds of proofs by the sectors' size.
func (m *Miner) setProofs() (err error) {
	var ok bool
	if m.seal, ok = proofsOf[m.size]; !ok {
		return fmt.Errorf("sectors of %d bytes: give 2 KiB, 8 MiB, 512 MiB, 32 GiB or 64 GiB", m.size)
	}
	if m.post, err = m.seal.RegisteredWindowPoStProof(); err != nil {
		return err
	}
	m.post, err = m.post.ToV1_1PostProof()
	return err
}

func (f *Fleet) construct(ctx context.Context, m *Miner, c Creation) error {
	params := &power18.CreateMinerParams{
		Owner: m.owner, Worker: m.worker.Address, WindowPoStProofType: m.post, Peer: c.PeerID, Multiaddrs: multiaddrs(c.Multiaddrs),
	}
	returned, err := f.Send(ctx, f.bank, Call{
		To: builtin.StoragePowerActorAddr, Value: Fil(deposit), Method: builtin.MethodsPower.CreateMiner, Params: params,
	})
	if err != nil {
		return err
	}
	var created power18.CreateMinerReturn
	if err := decode(returned, &created); err != nil {
		return err
	}
	m.id, m.robust = created.IDAddress, created.RobustAddress
	return nil
}

// exec makes an actor through the init actor and gives its id address.
func (f *Fleet) exec(ctx context.Context, from chain.Account, name string, params cbg.CBORMarshaler, value abi.TokenAmount) (address.Address, error) {
	encoded, err := encode(params)
	if err != nil {
		return address.Undef, err
	}
	returned, err := f.Send(ctx, from, Call{
		To: builtin.InitActorAddr, Value: value, Method: builtin.MethodsInit.Exec,
		Params: &init18.ExecParams{CodeCID: f.chain.Engine().Code(name), ConstructorParams: encoded},
	})
	if err != nil {
		return address.Undef, fmt.Errorf("create a %s: %w", name, err)
	}
	var made init18.ExecReturn
	if err := decode(returned, &made); err != nil {
		return address.Undef, err
	}
	return made.IDAddress, nil
}

func multiaddrs(in [][]byte) []abi.Multiaddrs {
	out := make([]abi.Multiaddrs, len(in))
	copy(out, in)
	return out
}

// Address is the miner's id address, f01001 for example.
func (m *Miner) Address() address.Address { return m.id }

// Robust is the miner's f2 address, which no reorg changes.
func (m *Miner) Robust() address.Address { return m.robust }

// ID is the number of the id address.
func (m *Miner) ID() abi.ActorID {
	id, err := address.IDFromAddress(m.id)
	if err != nil {
		panic(fmt.Sprintf("provider: %s is no id address", m.id))
	}
	return abi.ActorID(id)
}

// Owner is the owner as it was given, Worker the BLS account.
func (m *Miner) Owner() address.Address { return m.owner }

// Worker is the BLS account that signs what the miner does.
func (m *Miner) Worker() chain.Account { return m.worker }

// Signer is who signs for the owner.
func (m *Miner) Signer() chain.Account { return m.signer }

// SectorSize is the size of the miner's sectors in bytes.
func (m *Miner) SectorSize() abi.SectorSize { return m.size }

// State is the miner actor's state after the head, Info its constant part.
func (m *Miner) State(ctx context.Context) (*miner18.State, error) {
	st := new(miner18.State)
	_, err := load(ctx, atHead{m.f.chain}, m.id, st)
	return st, err
}

// Info is who the miner belongs to and where it can be reached.
func (m *Miner) Info(ctx context.Context) (*miner18.MinerInfo, error) {
	st := new(miner18.State)
	store, err := load(ctx, atHead{m.f.chain}, m.id, st)
	if err != nil {
		return nil, err
	}
	return st.GetInfo(store)
}

// do sends a call to the miner by its worker.
func (m *Miner) do(ctx context.Context, method abi.MethodNum, params cbg.CBORMarshaler) ([]byte, error) {
	return m.f.Send(ctx, m.worker, Call{To: m.id, Method: method, Params: params})
}

// SetPeer says where the miner can be reached: a libp2p peer id and multiaddrs, in
// bytes.
func (m *Miner) SetPeer(ctx context.Context, peer []byte, addrs ...[]byte) error {
	if _, err := m.do(ctx, builtin.MethodsMiner.ChangePeerID, &miner18.ChangePeerIDParams{NewID: peer}); err != nil {
		return fmt.Errorf("set the peer id of %s: %w", m.id, err)
	}
	if _, err := m.do(ctx, builtin.MethodsMiner.ChangeMultiaddrs, &miner18.ChangeMultiaddrsParams{NewMultiaddrs: multiaddrs(addrs)}); err != nil {
		return fmt.Errorf("set the addresses of %s: %w", m.id, err)
	}
	return nil
}

// Withdraw moves what is not locked from the miner to its owner, and tells how much it
// was.
func (m *Miner) Withdraw(ctx context.Context, amount abi.TokenAmount) (abi.TokenAmount, error) {
	var got abi.TokenAmount
	returned, err := m.f.onBehalf(ctx, m.owner, m.signer, Call{
		To: m.id, Method: builtin.MethodsMiner.WithdrawBalance, Params: &miner18.WithdrawBalanceParams{AmountRequested: amount},
	})
	if err == nil {
		err = decode(returned, &got)
	}
	if err != nil {
		return got, fmt.Errorf("withdraw from %s: %w", m.id, err)
	}
	return got, nil
}

// Fund sends the miner money for collateral.
func (m *Miner) Fund(ctx context.Context, amount abi.TokenAmount) error {
	if amount.Sign() <= 0 {
		return errors.New("fund a miner with more than nothing")
	}
	_, err := m.f.Send(ctx, m.f.bank, Call{To: m.id, Value: amount})
	return err
}
