package chain_test

import (
	"testing"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/builtin"
	account18 "github.com/filecoin-project/go-state-types/builtin/v18/account"
	cron18 "github.com/filecoin-project/go-state-types/builtin/v18/cron"
	datacap18 "github.com/filecoin-project/go-state-types/builtin/v18/datacap"
	init18 "github.com/filecoin-project/go-state-types/builtin/v18/init"
	market18 "github.com/filecoin-project/go-state-types/builtin/v18/market"
	miner18 "github.com/filecoin-project/go-state-types/builtin/v18/miner"
	power18 "github.com/filecoin-project/go-state-types/builtin/v18/power"
	reward18 "github.com/filecoin-project/go-state-types/builtin/v18/reward"
	system18 "github.com/filecoin-project/go-state-types/builtin/v18/system"
	"github.com/filecoin-project/go-state-types/builtin/v18/util/adt"
	verifreg18 "github.com/filecoin-project/go-state-types/builtin/v18/verifreg"
	"github.com/filecoin-project/lotus/chain/state"
	"github.com/filecoin-project/lotus/chain/types"
	cbor "github.com/ipfs/go-ipld-cbor"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/fvm"
)

// The genesis is read with Lotus's state tree and the actors' own Go types.
func TestGenesisActors(t *testing.T) {
	n := start(t)
	root, _, err := n.StateAt(n.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := state.LoadStateTree(cbor.NewCborStore(fvm.LegacyBlocks(n.Store())), root)
	if err != nil {
		t.Fatal(err)
	}
	head := func(addr address.Address, name string, into cbg.CBORUnmarshaler) *types.Actor {
		t.Helper()
		actor, err := tree.GetActor(addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Engine().Name(actor.Code); got != name {
			t.Errorf("%s is a %q, want %q", addr, got, name)
		}
		if err := fvm.CBORStore(n.Store()).Get(n.ctx, actor.Head, into); err != nil {
			t.Errorf("state of %s: %v", addr, err)
		}
		return actor
	}
	var (
		system  system18.State
		initial init18.State
		reward  reward18.State
		cron    cron18.State
		power   power18.State
		market  market18.State
		verif   verifreg18.State
		datacap datacap18.State
		miner   miner18.State
		burnt   account18.State
	)
	head(builtin.SystemActorAddr, "system", &system)
	head(builtin.InitActorAddr, "init", &initial)
	head(builtin.RewardActorAddr, "reward", &reward)
	head(builtin.CronActorAddr, "cron", &cron)
	head(builtin.StoragePowerActorAddr, "storagepower", &power)
	head(builtin.StorageMarketActorAddr, "storagemarket", &market)
	head(builtin.VerifiedRegistryActorAddr, "verifiedregistry", &verif)
	head(builtin.DatacapActorAddr, "datacap", &datacap)
	head(builtin.BurntFundsActorAddr, "account", &burnt)
	producer, owner := n.Miner()
	head(producer, "storageminer", &miner)

	if system.BuiltinActors != n.Engine().Manifest() {
		t.Error("the system actor records another manifest")
	}
	if initial.NetworkName != chain.DefaultNetworkName || producer.String() != "f01000" {
		t.Errorf("network %q, producer %s", initial.NetworkName, producer)
	}
	if len(cron.Entries) != 2 || cron.Entries[0].Receiver != builtin.StoragePowerActorAddr || cron.Entries[1].Receiver != builtin.StorageMarketActorAddr {
		t.Errorf("cron calls %+v", cron.Entries)
	}
	if power.MinerCount != 1 || verif.RootKey.String() != "f080" || datacap.Governor != builtin.VerifiedRegistryActorAddr {
		t.Errorf("%d miners, root key %s, governor %s", power.MinerCount, verif.RootKey, datacap.Governor)
	}
	info, err := miner.GetInfo(adt.WrapStore(n.ctx, fvm.CBORStore(n.Store())))
	if err != nil {
		t.Fatal(err)
	}
	if id := ownerID(t, owner.ID); info.Owner != id || info.Worker != id || info.SectorSize != 2048 {
		t.Errorf("the producer: %+v", info)
	}
	if total := n.total(n.Genesis()); !total.Equals(types.TotalFilecoinInt) {
		t.Errorf("%s attoFIL exist, want %s", total, types.TotalFilecoinInt)
	}
}

func ownerID(t *testing.T, id abi.ActorID) address.Address {
	t.Helper()
	a, err := address.NewIDAddress(uint64(id))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestGenesisAccounts(t *testing.T) {
	n := start(t, func(c *chain.Config) { c.Secp256k1Accounts, c.BLSAccounts = 2, 1 })
	names := map[chain.AccountKind]string{chain.Ethereum: "placeholder", chain.Secp256k1: "account", chain.BLS: "account"}
	accounts := n.Accounts()
	if len(accounts) != 13 {
		t.Fatalf("%d accounts", len(accounts))
	}
	if got := accounts[0].Address.Payload(); string(got[1:]) != "\xf3\x9f\xd6\xe5\x1a\xad\x88\xf6\xf4\xce\x6a\xb8\x82\x72\x79\xcf\xff\xb9\x22\x66" {
		t.Errorf("the phrase's first address is %x", got)
	}
	for _, a := range append(accounts, n.RegistryRoot()) {
		if !n.actor(a.Address).Balance.Equals(chain.AccountBalance()) || n.code(a.Address) != names[a.Kind] {
			t.Errorf("%s is a %s with %s", a.Address, n.code(a.Address), n.actor(a.Address).Balance)
		}
		if id, err := n.Resolve(n.ctx, a.Address, nil); err != nil || id != a.ID {
			t.Errorf("%s is %d (%v), want %d", a.Address, id, err, a.ID)
		}
	}
	zero, err := address.NewDelegatedAddress(builtin.EthereumAddressManagerActorID, make([]byte, 20))
	if err != nil {
		t.Fatal(err)
	}
	if n.code(zero) != "ethaccount" {
		t.Errorf("the zero address is a %s", n.code(zero))
	}
}

func TestSupply(t *testing.T) {
	n := start(t)
	before, err := n.Supply(n.ctx, n.Genesis())
	if err != nil {
		t.Fatal(err)
	}
	if !before.Mined.IsZero() || !before.Burnt.IsZero() || before.Circulating.LessThan(chain.AccountBalance()) {
		t.Errorf("at the genesis: %+v", before)
	}
	n.mine(3)
	after, err := n.Supply(n.ctx, n.Head())
	if err != nil {
		t.Fatal(err)
	}
	if after.Mined.LessThanEqual(big.Zero()) {
		t.Errorf("three blocks have mined %s", after.Mined)
	}
	if got := big.Sub(big.Sub(big.Add(after.Vested, after.Mined), after.Burnt), after.Locked); !got.Equals(after.Circulating) {
		t.Errorf("circulating %s, the parts make %s", after.Circulating, got)
	}
}
