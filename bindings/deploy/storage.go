package deploy

import (
	"fmt"

	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/dealslib"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/listinglib"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/proofslib"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/slotslib"
	"github.com/tidegate/tidegate/bindings/spellinglib"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/bindings/storagepools"
)

// linked are the libraries, each after those that it uses.
var linked = []struct {
	name string
	meta *bind.MetaData
}{
	{bindings.Spelling, &spellinglib.SpellingMetaData},
	{bindings.Deals, &dealslib.DealsMetaData},
	{bindings.Slots, &slotslib.SlotsMetaData},
	{bindings.Proofs, &proofslib.ProofsMetaData},
	{bindings.Listing, &listinglib.ListingMetaData},
}

// libraries gives the libraries that are deployed, by the compiler's names.
func (r *run) libraries() map[string]common.Address {
	at := map[string]common.Address{}
	for _, l := range linked {
		if made, ok := r.made.Contracts[l.name]; ok {
			at["contracts/storage/"+l.name+".sol:"+l.name] = made
		}
	}
	for _, l := range daoLibraries {
		if made, ok := r.made.Contracts[l.name]; ok {
			at["contracts/dao/"+l.name+".sol:"+l.name] = made
		}
	}
	return at
}

// foresee computes where PerpetualStorage will be: an address follows from the
// deployer's nonce, and so many transactions come before.
func (r *run) foresee(p Plan) {
	// EstuaryPinning, two prices, DealStatusOracle, gate and facts and registry, libraries
	before := uint64(1 + 2 + 1 + 3 + len(linked))
	if p.Samples {
		before += 2
	}
	r.foreseen = crypto.CreateAddress(r.opts.From, r.nonce+before)
}

// storage deploys perpetual storage and binds its gate to it. The deployer owns
// the registry, may pause the intake, and says whose unnamed DataCap is.
func (r *run) storage(p Plan) error {
	for _, l := range linked {
		if _, err := r.deploy(l.name, l.meta, nil); err != nil {
			return err
		}
	}
	gate, err := r.deploy(bindings.StorageGate, &storagegate.StorageGateMetaData, storagegate.NewStorageGate().PackConstructor(r.opts.From))
	if err != nil {
		return err
	}
	facts, err := r.deploy(bindings.FilecoinFacts, &filecoinfacts.FilecoinFactsMetaData,
		filecoinfacts.NewFilecoinFacts().PackConstructor(gate))
	if err != nil {
		return err
	}
	registry, err := r.deploy(bindings.ProviderRegistry, &providerregistry.ProviderRegistryMetaData,
		providerregistry.NewProviderRegistry().PackConstructor(facts, r.opts.From))
	if err != nil {
		return err
	}
	made, err := r.deploy(bindings.PerpetualStorage, &perpetualstorage.PerpetualStorageMetaData,
		perpetualstorage.NewPerpetualStorage().PackConstructor(r.made.Contracts[bindings.EstuaryProvider], perpetualstorage.StorageConfig{
			Gate: gate, Facts: facts, Registry: registry, Owner: r.opts.From,
			BaseUrl: p.PieceURL, MostMaxBytes: p.Profile.Pinning.MostMaxBytes,
			RequestTerm: p.Profile.Pinning.RequestTerm, CallbackGas: p.Profile.StorageGas,
		}))
	if err != nil {
		return err
	}
	if made != r.foreseen {
		return fmt.Errorf("PerpetualStorage would be at %s and EstuaryPinning was told %s", made, r.foreseen)
	}
	if err := r.settle(); err != nil { // the gate asks it
		return err
	}
	c := storagegate.NewStorageGate()
	return r.call("attaching the gate", c.Instance(r.b, gate), c.PackAttach(made))
}

// pools deploys the client in whose deals small pieces are stored as one. It comes
// last, as piecePrices says why.
func (r *run) pools() error {
	_, err := r.deploy(bindings.StoragePools, &storagepools.StoragePoolsMetaData,
		storagepools.NewStoragePools().PackConstructor(r.made.Contracts[bindings.PerpetualStorage]))
	return err
}

// desk deploys where contracts ask what became of deals, and offers that. It comes last,
// so that the addresses on a development chain, which follow from nonces, stay what they were.
func (r *run) desk(p Profile) error {
	provider := r.made.Contracts[bindings.EstuaryProvider]
	if err := r.prices(provider, map[uint16]estuaryprovider.Price{actionStatus: p.Status}); err != nil {
		return err
	}
	_, err := r.deploy(bindings.StatusDesk, &statusdesk.StatusDeskMetaData,
		statusdesk.NewStatusDesk().PackConstructor(provider, r.made.Contracts[bindings.DealStatusOracle]))
	return err
}
