package rpc

import (
	"context"
	"errors"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	actorstypes "github.com/filecoin-project/go-state-types/actors"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/manifest"
	"github.com/filecoin-project/go-state-types/network"
	"github.com/filecoin-project/lotus/api"
	apitypes "github.com/filecoin-project/lotus/api/types"
	"github.com/filecoin-project/lotus/chain/types"
	"github.com/filecoin-project/lotus/node/modules/dtypes"
	"github.com/ipfs/go-cid"

	"github.com/tidegate/tidegate/devnet/chain"
)

// The state of a tipset key in Filecoin.State* is that in which the tipset's
// messages begin to run: its parent's messages are done, its own are not.

// before is the tipset after whose messages the state of key is, and the tipset.
func (n *node) before(key types.TipSetKey) (parent, ts *types.TipSet, err error) {
	if ts, err = n.tipset(key); err != nil {
		return nil, nil, err
	}
	parent, err = n.parent(ts)
	return parent, ts, err
}

// StateGetActor is Filecoin.StateGetActor.
func (n *node) StateGetActor(ctx context.Context, addr address.Address, key types.TipSetKey) (*types.Actor, error) {
	parent, _, err := n.before(key)
	if err != nil {
		return nil, err
	}
	return n.chain.Actor(ctx, addr, parent)
}

// StateLookupID is Filecoin.StateLookupID. An unknown address is error 11.
func (n *node) StateLookupID(ctx context.Context, addr address.Address, key types.TipSetKey) (address.Address, error) {
	parent, _, err := n.before(key)
	if err != nil {
		return address.Undef, err
	}
	if addr.Protocol() == address.ID {
		return addr, nil
	}
	id, err := n.chain.Resolve(ctx, addr, parent)
	if errors.Is(err, chain.ErrUnknownAddr) {
		return address.Undef, &api.ErrActorNotFound{}
	}
	if err != nil {
		return address.Undef, err
	}
	return address.NewIDAddress(uint64(id))
}

// StateAccountKey is Filecoin.StateAccountKey: the address that signs, or the f4
// address of a contract.
func (n *node) StateAccountKey(ctx context.Context, addr address.Address, key types.TipSetKey) (address.Address, error) {
	_, ts, err := n.before(key)
	if err != nil {
		return address.Undef, err
	}
	return n.keyAddress(ctx, addr, ts)
}

// keyAddress is the f1, f3 or f4 address of an actor in or after ts.
func (n *node) keyAddress(ctx context.Context, addr address.Address, ts *types.TipSet) (address.Address, error) {
	switch addr.Protocol() {
	case address.BLS, address.SECP256K1, address.Delegated:
		return addr, nil
	case address.Actor:
		return address.Undef, errors.New("cannot resolve actor address to key address")
	}
	actor, err := n.chain.Actor(ctx, addr, ts)
	if err != nil {
		return address.Undef, fmt.Errorf("failed to get actor: %w", err)
	}
	if actor.DelegatedAddress != nil {
		return *actor.DelegatedAddress, nil
	}
	if name := n.chain.Engine().Name(actor.Code); name != manifest.AccountKey {
		return address.Undef, fmt.Errorf("failed to get account actor state for %s: actor is of kind %q", addr, name)
	}
	return n.accountKey(ctx, actor)
}

// StateLookupRobustAddress is Filecoin.StateLookupRobustAddress.
func (n *node) StateLookupRobustAddress(ctx context.Context, addr address.Address, key types.TipSetKey) (address.Address, error) {
	id, err := address.IDFromAddress(addr)
	if err != nil {
		return address.Undef, fmt.Errorf("failed to decode provided address as id addr: %w", err)
	}
	parent, _, err := n.before(key)
	if err != nil {
		return address.Undef, err
	}
	return n.robustAddress(ctx, abi.ActorID(id), parent)
}

// StateNetworkName is Filecoin.StateNetworkName.
func (n *node) StateNetworkName(context.Context) (dtypes.NetworkName, error) {
	return dtypes.NetworkName(n.chain.NetworkName()), nil
}

// StateNetworkVersion is Filecoin.StateNetworkVersion.
func (n *node) StateNetworkVersion(_ context.Context, key types.TipSetKey) (apitypes.NetworkVersion, error) {
	ts, err := n.tipset(key)
	if err != nil {
		return network.VersionMax, err
	}
	return n.chain.NetworkVersion(ts.Height()), nil
}

// StateGetNetworkParams is Filecoin.StateGetNetworkParams. There are no upgrades.
func (n *node) StateGetNetworkParams(context.Context) (*api.NetworkParams, error) {
	return &api.NetworkParams{
		NetworkName:            dtypes.NetworkName(n.chain.NetworkName()),
		BlockDelaySecs:         uint64(n.chain.Epoch().Seconds()),
		ConsensusMinerMinPower: big.Zero(),
		Eip155ChainID:          int(n.chain.ChainID()),
		GenesisTimestamp:       n.chain.Genesis().Blocks()[0].Timestamp,
	}, nil
}

// current refuses other network versions than the chain's, whose actors the devnet
// has not loaded.
func (n *node) current(version network.Version) error {
	if ours := n.chain.NetworkVersion(n.chain.Head().Height()); version != ours {
		return fmt.Errorf("the devnet runs network version %d and knows the actors of no other", ours)
	}
	return nil
}

// StateActorCodeCIDs is Filecoin.StateActorCodeCIDs, of the chain's own version.
func (n *node) StateActorCodeCIDs(_ context.Context, version network.Version) (map[string]cid.Cid, error) {
	if err := n.current(version); err != nil {
		return nil, err
	}
	actors, err := actorstypes.VersionForNetwork(version)
	if err != nil {
		return nil, fmt.Errorf("invalid network version %d: %w", version, err)
	}
	out := map[string]cid.Cid{}
	for _, name := range manifest.GetBuiltinActorsKeys(actors) {
		if c := n.chain.Engine().Code(name); c.Defined() {
			out[name] = c
		}
	}
	return out, nil
}

// StateActorManifestCID is Filecoin.StateActorManifestCID.
func (n *node) StateActorManifestCID(_ context.Context, version network.Version) (cid.Cid, error) {
	if err := n.current(version); err != nil {
		return cid.Undef, err
	}
	return n.chain.Engine().Manifest(), nil
}

// StateVMCirculatingSupplyInternal is Filecoin.StateVMCirculatingSupplyInternal.
func (n *node) StateVMCirculatingSupplyInternal(ctx context.Context, key types.TipSetKey) (api.CirculatingSupply, error) {
	parent, _, err := n.before(key)
	if err != nil {
		return api.CirculatingSupply{}, err
	}
	s, err := n.chain.Supply(ctx, parent)
	if err != nil {
		return api.CirculatingSupply{}, err
	}
	return api.CirculatingSupply{
		FilVested: s.Vested, FilMined: s.Mined, FilBurnt: s.Burnt, FilLocked: s.Locked,
		FilCirculating: s.Circulating, FilReserveDisbursed: s.ReserveDisbursed,
	}, nil
}

// StateCirculatingSupply is Filecoin.StateCirculatingSupply.
func (n *node) StateCirculatingSupply(ctx context.Context, key types.TipSetKey) (abi.TokenAmount, error) {
	supply, err := n.StateVMCirculatingSupplyInternal(ctx, key)
	return supply.FilCirculating, err
}

// WalletBalance is Filecoin.WalletBalance: zero for what has no actor.
func (n *node) WalletBalance(ctx context.Context, addr address.Address) (types.BigInt, error) {
	parent, _, err := n.before(types.EmptyTSK)
	if err != nil {
		return big.Zero(), err
	}
	actor, err := n.actor(ctx, addr, parent)
	if err != nil || actor == nil {
		return big.Zero(), err
	}
	return actor.Balance, nil
}

// WalletValidateAddress is Filecoin.WalletValidateAddress.
func (n *node) WalletValidateAddress(_ context.Context, text string) (address.Address, error) {
	return address.NewFromString(text)
}
