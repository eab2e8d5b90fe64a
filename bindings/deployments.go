package bindings

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Names of the contracts, as contracts.json has them.
const (
	EstuaryProvider   = "EstuaryProvider"
	EstuaryPinning    = "EstuaryPinning"
	PinnedNote        = "PinnedNote"
	RevertingNote     = "RevertingNote"
	PinnedArt         = "PinnedArt"
	ShareToken        = "ShareToken"
	StorageGovernor   = "StorageGovernor"
	StoragePrize      = "StoragePrize"
	InclusionVerifier = "InclusionVerifier"
	DealStatusOracle  = "DealStatusOracle"
	StatusDesk        = "StatusDesk"
	PerpetualStorage  = "PerpetualStorage"
	StorageGate       = "StorageGate"
	StoragePools      = "StoragePools"
	FilecoinFacts     = "FilecoinFacts"
	ProviderRegistry  = "ProviderRegistry"
	// Libraries of StorageGate and of PerpetualStorage.
	Spelling       = "Spelling"
	Deals          = "Deals"
	Slots          = "Slots"
	Proofs         = "Proofs"
	Listing        = "Listing"
	DataDAO        = "DataDAO" // the implementation, which is no DAO itself
	DataDAOFactory = "DataDAOFactory"
	// Libraries of DataDAO.
	DaoRules     = "DaoRules"
	DaoIntake    = "DaoIntake"
	DaoExecution = "DaoExecution"
)

// ErrNotDeployed is returned by On for a chain without a public deployment.
var ErrNotDeployed = errors.New("no public deployment of Tidegate is known on this chain")

// Deployment is the suite on one chain.
type Deployment struct {
	ChainID uint64 `json:"chainId"`
	// StartBlock is the height of the first block that can hold an event of
	// ours: where a watcher starts.
	StartBlock uint64 `json:"startBlock"`
	// Contracts by name.
	Contracts map[string]common.Address `json:"contracts"`
	// ConfigDigest is the operator configuration that was in force after
	// deploying; the provider's own configDigest() says what is in force now.
	ConfigDigest common.Hash `json:"configDigest"`
}

// Address gives a contract's address, and an error that names what is missing.
func (d Deployment) Address(name string) (common.Address, error) {
	a, ok := d.Contracts[name]
	if !ok || a == (common.Address{}) {
		return common.Address{}, fmt.Errorf("the deployment on chain %d has no %s", d.ChainID, name)
	}
	return a, nil
}

// Record is the content of deployments.json.
type Record struct {
	Note string `json:"note"`
	// InitCode gives keccak256 of each contract's creation code, without
	// constructor arguments.
	InitCode    map[string]common.Hash `json:"initCode"`
	Deployments []Deployment           `json:"deployments"`
}

//go:embed deployments.json
var recorded []byte

// Known reads the record that is built in.
func Known() (Record, error) {
	return Read(bytes.NewReader(recorded))
}

// On gives the public deployment on a chain, or an error that wraps
// ErrNotDeployed.
func On(chainID uint64) (Deployment, error) {
	record, err := Known()
	if err != nil {
		return Deployment{}, err
	}
	for _, d := range record.Deployments {
		if d.ChainID == chainID {
			return d, nil
		}
	}
	return Deployment{}, fmt.Errorf("chain %d: %w; deploy with `tidegate contracts deploy` and name the addresses in the configuration", chainID, ErrNotDeployed)
}

// Read reads a record strictly: unknown fields, contracts without creation
// code, zero addresses and chains listed twice are errors.
func Read(r io.Reader) (Record, error) {
	var record Record
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&record); err != nil {
		return Record{}, fmt.Errorf("reading deployments: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Record{}, errors.New("reading deployments: trailing data")
	}
	return record, record.check()
}

func (r Record) check() error {
	seen := map[uint64]bool{}
	for _, d := range r.Deployments {
		if d.ChainID == 0 {
			return errors.New("deployments: an entry has no chainId")
		}
		if seen[d.ChainID] {
			return fmt.Errorf("deployments: chain %d is listed twice", d.ChainID)
		}
		seen[d.ChainID] = true
		if len(d.Contracts) == 0 {
			return fmt.Errorf("deployments: chain %d lists no contract", d.ChainID)
		}
		for _, name := range slices.Sorted(maps.Keys(d.Contracts)) {
			if _, ok := r.InitCode[name]; !ok {
				return fmt.Errorf("deployments: chain %d lists %q, which is no contract of contracts.json", d.ChainID, name)
			}
			if d.Contracts[name] == (common.Address{}) {
				return fmt.Errorf("deployments: chain %d has no address for %s", d.ChainID, name)
			}
		}
	}
	return nil
}
