package chain

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	cron18 "github.com/filecoin-project/go-state-types/builtin/v18/cron"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	system18 "github.com/filecoin-project/go-state-types/builtin/v18/system"
	"github.com/filecoin-project/lotus/build/buildconstants"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/fvm"
)

// genesisParent is what every Filecoin network names as the parent of its first
// block: the block of the network's announcement.
const genesisParent = "bafyreiaqpwbbyjo4a42saasj36kkrpv4tsherf2e7bvezkert2a7dhonoi"

// createMinerValue is sent along when the producer is created: its creation deposit
// and funds for penalties.
var createMinerValue = big.Mul(big.NewInt(1_000), big.NewInt(1e18))

// singletons are the actors with fixed ids whose constructors make their state.
var singletons = []struct {
	addr address.Address
	name string
}{
	{builtin.InitActorAddr, "init"},
	{builtin.RewardActorAddr, "reward"},
	{builtin.CronActorAddr, "cron"},
	{builtin.StoragePowerActorAddr, "storagepower"},
	{builtin.StorageMarketActorAddr, "storagemarket"},
	{builtin.VerifiedRegistryActorAddr, "verifiedregistry"},
	{builtin.DatacapActorAddr, "datacap"},
	{builtin.EthereumAddressManagerActorAddr, "eam"},
}

// makeGenesis builds the state and the tipset of epoch 0. It sets c.funded and
// c.miner.
func (c *Chain) makeGenesis(ctx context.Context) (*node, error) {
	for id, data := range c.engine.Blocks() {
		if err := c.store.Put(ctx, id, data); err != nil {
			return nil, fmt.Errorf("store the actors' code: %w", err)
		}
	}
	c.funded = big.Add(c.keys.owner.Balance, c.keys.root.Balance)
	for _, a := range c.keys.accounts {
		c.funded = big.Add(c.funded, a.Balance)
	}
	g := &genesis{c: c}
	root, err := g.bareState(ctx)
	if err != nil {
		return nil, err
	}
	config := c.machineConfig(c.store, root, 0, c.timestamp(0), big.Zero(), c.funded, genesisExterns{})
	if g.machine, err = c.engine.NewMachine(ctx, config); err != nil {
		return nil, err
	}
	if err := g.construct(ctx); err != nil {
		return nil, err
	}
	if root, err = g.machine.Flush(ctx); err != nil {
		return nil, fmt.Errorf("write the first state: %w", err)
	}
	return c.genesisNode(ctx, root)
}

// genesis is the making of the first state.
type genesis struct {
	c       *Chain
	machine *fvm.Machine
}

// bareState has the singletons without state, except for the system actor, which
// must be there to send anything.
func (g *genesis) bareState(ctx context.Context) (cid.Cid, error) {
	tree, err := fvm.NewStateTree(ctx, g.c.store)
	if err != nil {
		return cid.Undef, err
	}
	system, err := fvm.CBORStore(g.c.store).Put(ctx, &system18.State{BuiltinActors: g.c.engine.Manifest()})
	if err != nil {
		return cid.Undef, fmt.Errorf("system actor: %w", err)
	}
	if err := g.set(tree, builtin.SystemActorAddr, "system", system, big.Zero(), nil); err != nil {
		return cid.Undef, err
	}
	none, err := g.emptyState(ctx)
	if err != nil {
		return cid.Undef, err
	}
	for _, s := range singletons {
		balance := big.Zero()
		if s.addr == builtin.RewardActorAddr {
			balance = big.Sub(types.TotalFilecoinInt, g.c.funded)
		}
		if err := g.set(tree, s.addr, s.name, none, balance, nil); err != nil {
			return cid.Undef, err
		}
	}
	return tree.Flush(ctx)
}

func (g *genesis) emptyState(ctx context.Context) (cid.Cid, error) {
	const dagCBOR = 0x71
	return fvm.PutBlock(ctx, g.c.store, dagCBOR, []byte{0x80}) // an empty array, as new actors have
}

func (g *genesis) set(tree *fvm.StateTree, id address.Address, name string, head cid.Cid, balance abi.TokenAmount, delegated *address.Address) error {
	code := g.c.engine.Code(name)
	if !code.Defined() {
		return fmt.Errorf("the bundle has no actor %q: choose actors of version 10 or later", name)
	}
	number, err := address.IDFromAddress(id)
	if err != nil {
		return err
	}
	tree.SetActor(abi.ActorID(number), &types.Actor{Code: code, Head: head, Balance: balance, DelegatedAddress: delegated})
	return nil
}

// construct runs the constructors, the init actor's first since it gives accounts
// their ids, and creates the producer.
func (g *genesis) construct(ctx context.Context) error {
	if err := g.call(ctx, builtin.InitActorAddr, &init18.ConstructorParams{NetworkName: g.c.config.NetworkName}); err != nil {
		return err
	}
	if err := g.accounts(ctx); err != nil {
		return err
	}
	noPower := abi.NewStoragePower(0)
	registry := builtin.VerifiedRegistryActorAddr
	root, err := address.NewIDAddress(uint64(g.c.keys.root.ID))
	if err != nil {
		return err
	}
	for _, step := range []struct {
		to     address.Address
		params cbg.CBORMarshaler
	}{
		{builtin.RewardActorAddr, &noPower},
		{builtin.CronActorAddr, &cron18.State{Entries: []cron18.Entry{ // encoded as the constructor wants it
			{Receiver: builtin.StoragePowerActorAddr, MethodNum: builtin.MethodsPower.CronTick},
			{Receiver: builtin.StorageMarketActorAddr, MethodNum: builtin.MethodsMarket.CronTick},
		}}},
		{builtin.StoragePowerActorAddr, nil},
		{builtin.StorageMarketActorAddr, nil},
		{registry, &root},
		{builtin.DatacapActorAddr, &registry},
		{builtin.EthereumAddressManagerActorAddr, nil},
	} {
		if err := g.call(ctx, step.to, step.params); err != nil {
			return err
		}
	}
	return g.producer(ctx)
}

func (g *genesis) call(ctx context.Context, to address.Address, params cbg.CBORMarshaler) error {
	msg := &types.Message{To: to, Method: builtin.MethodConstructor, GasLimit: 1 << 40}
	if params != nil {
		encoded, err := encode(params)
		if err != nil {
			return err
		}
		msg.Params = encoded
	}
	return system(ctx, g.machine, msg, fmt.Sprintf("constructor of %s", to))
}

// accounts puts the funded accounts into the state and into the init actor's map.
// Ethereum accounts are placeholders, as money sent to them makes them; their first
// transaction promotes them. Only the zero address is an Ethereum account from the
// start, so that calls can be made in its name.
func (g *genesis) accounts(ctx context.Context) error {
	tree := g.machine.State()
	none, err := g.emptyState(ctx)
	if err != nil {
		return err
	}
	burnt, err := fvm.CBORStore(g.c.store).Put(ctx, &account18.State{Address: builtin.BurntFundsActorAddr})
	if err != nil {
		return err
	}
	if err := g.set(tree, builtin.BurntFundsActorAddr, "account", burnt, big.Zero(), nil); err != nil {
		return err
	}
	for _, a := range append([]Account{g.c.keys.root, g.c.keys.owner}, g.c.keys.accounts...) {
		if err := g.account(ctx, a, none); err != nil {
			return fmt.Errorf("account %s: %w", a.Address, err)
		}
	}
	if err := g.setNextID(ctx); err != nil {
		return fmt.Errorf("init actor: %w", err)
	}
	return nil
}

func (g *genesis) account(ctx context.Context, a Account, none cid.Cid) error {
	tree := g.machine.State()
	id, err := address.NewIDAddress(uint64(a.ID))
	if err != nil {
		return err
	}
	if err := tree.Bind(ctx, a.Address, a.ID); err != nil {
		return err
	}
	if a.Kind == Ethereum {
		return g.set(tree, id, "placeholder", none, a.Balance, &a.Address)
	}
	if err := g.set(tree, id, "account", none, a.Balance, nil); err != nil {
		return err
	}
	return g.call(ctx, id, &a.Address)
}

// setNextID lets new actors count from 1000, above the accounts.
func (g *genesis) setNextID(ctx context.Context) error {
	tree, store := g.machine.State(), fvm.CBORStore(g.machine.Store())
	actor, err := actorIn(ctx, tree, builtin.InitActorAddr)
	if err != nil {
		return err
	}
	var state init18.State
	if err := store.Get(ctx, actor.Head, &state); err != nil {
		return err
	}
	state.NextID = firstFreeID
	head, err := store.Put(ctx, &state)
	if err != nil {
		return err
	}
	return g.set(tree, builtin.InitActorAddr, "init", head, actor.Balance, nil)
}

// producer creates f01000 through the power actor, as any miner is created, and the
// zero address's account.
func (g *genesis) producer(ctx context.Context) error {
	owner, err := address.NewIDAddress(uint64(g.c.keys.owner.ID))
	if err != nil {
		return err
	}
	params, err := encode(&power18.CreateMinerParams{
		Owner: owner, Worker: owner, WindowPoStProofType: abi.RegisteredPoStProof_StackedDrgWindow2KiBV1_1,
	})
	if err != nil {
		return err
	}
	returned, err := systemReturning(ctx, g.machine, &types.Message{
		From: owner, To: builtin.StoragePowerActorAddr, Value: createMinerValue, GasLimit: 1 << 40,
		Method: builtin.MethodsPower.CreateMiner, Params: params,
	}, "create the producer")
	if err != nil {
		return err
	}
	var created power18.CreateMinerReturn
	if err := decode(returned, &created); err != nil {
		return fmt.Errorf("create the producer: %w", err)
	}
	g.c.miner = created.IDAddress
	return g.zeroAddress(ctx)
}

func (g *genesis) zeroAddress(ctx context.Context) error {
	tree := g.machine.State()
	none, err := g.emptyState(ctx)
	if err != nil {
		return err
	}
	zero, err := address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, make([]byte, 20))
	if err != nil {
		return err
	}
	number, err := tree.Register(ctx, zero)
	if err != nil {
		return err
	}
	id, err := address.NewIDAddress(uint64(number))
	if err != nil {
		return err
	}
	return g.set(tree, id, "ethaccount", none, big.Zero(), &zero)
}

// genesisNode makes the tipset of a first state.
func (c *Chain) genesisNode(ctx context.Context, root cid.Cid) (*node, error) {
	messages, err := c.messageMeta(ctx, nil, nil)
	if err != nil {
		return nil, err
	}
	receipts, err := receiptsRoot(ctx, c.store, nil)
	if err != nil {
		return nil, err
	}
	parent, err := cid.Decode(genesisParent)
	if err != nil {
		return nil, fmt.Errorf("parent of the genesis: %w", err)
	}
	header := &types.BlockHeader{
		Miner:                 builtin.SystemActorAddr,
		Ticket:                &types.Ticket{VRFProof: entropy(c.config.Seed, 32, "genesis ticket")},
		ElectionProof:         new(types.ElectionProof),
		BeaconEntries:         []types.BeaconEntry{beaconEntry(c.config.Seed, 0)},
		Parents:               []cid.Cid{parent},
		ParentWeight:          big.Zero(),
		ParentStateRoot:       root,
		ParentMessageReceipts: receipts,
		Messages:              messages,
		Timestamp:             c.timestamp(0),
		ParentBaseFee:         abi.NewTokenAmount(buildconstants.InitialBaseFee),
	}
	if err := c.putHeader(ctx, header); err != nil {
		return nil, err
	}
	ts, err := types.NewTipSet([]*types.BlockHeader{header})
	if err != nil {
		return nil, fmt.Errorf("genesis tipset: %w", err)
	}
	n := newNode(ts, nil)
	n.begin = root
	n.execution = &Execution{Root: root, Receipts: receipts}
	return n, nil
}

var errNoHistory = errors.New("there is no chain yet to draw from")

// genesisExterns is the chain as the genesis sees it: none.
type genesisExterns struct{}

func (genesisExterns) ChainRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoHistory
}

func (genesisExterns) BeaconRandomness(context.Context, abi.ChainEpoch) ([32]byte, error) {
	return [32]byte{}, errNoHistory
}

func (genesisExterns) TipsetCID(context.Context, abi.ChainEpoch) (cid.Cid, error) {
	return cid.Undef, errNoHistory
}
