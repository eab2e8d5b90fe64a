package bindings_test

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/daoexecutionlib"
	"github.com/tidegate/tidegate/bindings/daointakelib"
	"github.com/tidegate/tidegate/bindings/daoruleslib"
	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/datadaofactory"
	"github.com/tidegate/tidegate/bindings/dealslib"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/estuarypinning"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/filecoinfacts"
	"github.com/tidegate/tidegate/bindings/inclusionverifier"
	"github.com/tidegate/tidegate/bindings/listinglib"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/pinnedart"
	"github.com/tidegate/tidegate/bindings/pinnednote"
	"github.com/tidegate/tidegate/bindings/proofslib"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/revertingnote"
	"github.com/tidegate/tidegate/bindings/sharetoken"
	"github.com/tidegate/tidegate/bindings/slotslib"
	"github.com/tidegate/tidegate/bindings/spellinglib"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/bindings/storagegovernor"
	"github.com/tidegate/tidegate/bindings/storagepools"
	"github.com/tidegate/tidegate/bindings/storageprize"
)

func TestRecordedHashesAreThoseOfTheBindings(t *testing.T) {
	record, err := bindings.Known()
	if err != nil {
		t.Fatal(err)
	}
	code := map[string]string{
		bindings.EstuaryProvider:   estuaryprovider.EstuaryProviderMetaData.Bin,
		bindings.EstuaryPinning:    estuarypinning.EstuaryPinningMetaData.Bin,
		bindings.PinnedNote:        pinnednote.PinnedNoteMetaData.Bin,
		bindings.RevertingNote:     revertingnote.RevertingNoteMetaData.Bin,
		bindings.InclusionVerifier: inclusionverifier.InclusionVerifierMetaData.Bin,
		bindings.DealStatusOracle:  dealstatusoracle.DealStatusOracleMetaData.Bin,
		bindings.StatusDesk:        statusdesk.StatusDeskMetaData.Bin,
		bindings.PerpetualStorage:  perpetualstorage.PerpetualStorageMetaData.Bin,
		bindings.StorageGate:       storagegate.StorageGateMetaData.Bin,
		bindings.StoragePools:      storagepools.StoragePoolsMetaData.Bin,
		bindings.FilecoinFacts:     filecoinfacts.FilecoinFactsMetaData.Bin,
		bindings.ProviderRegistry:  providerregistry.ProviderRegistryMetaData.Bin,
		bindings.Spelling:          spellinglib.SpellingMetaData.Bin,
		bindings.Deals:             dealslib.DealsMetaData.Bin,
		bindings.Slots:             slotslib.SlotsMetaData.Bin,
		bindings.Proofs:            proofslib.ProofsMetaData.Bin,
		bindings.Listing:           listinglib.ListingMetaData.Bin,
		bindings.PinnedArt:         pinnedart.PinnedArtMetaData.Bin,
		bindings.ShareToken:        sharetoken.ShareTokenMetaData.Bin,
		bindings.StorageGovernor:   storagegovernor.StorageGovernorMetaData.Bin,
		bindings.StoragePrize:      storageprize.StoragePrizeMetaData.Bin,
		bindings.DataDAO:           datadao.DataDAOMetaData.Bin,
		bindings.DataDAOFactory:    datadaofactory.DataDAOFactoryMetaData.Bin,
		bindings.DaoRules:          daoruleslib.DaoRulesMetaData.Bin,
		bindings.DaoIntake:         daointakelib.DaoIntakeMetaData.Bin,
		bindings.DaoExecution:      daoexecutionlib.DaoExecutionMetaData.Bin,
	}
	room := regexp.MustCompile(`__\$[0-9a-f]{34}\$__`) // for a library's address; zeros in the hash
	for name, hex := range code {
		hex = room.ReplaceAllString(hex, strings.Repeat("0", 40))
		if want := crypto.Keccak256Hash(common.FromHex(hex)); record.InitCode[name] != want {
			t.Errorf("%s: %s is recorded, its binding has %s", name, record.InitCode[name], want)
		}
	}
	if len(record.InitCode) != len(code) {
		t.Errorf("%d hashes are recorded, %d contracts have names here", len(record.InitCode), len(code))
	}
}

func TestNamesAreThoseOfTheList(t *testing.T) {
	raw, err := os.ReadFile("contracts.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Name string }
	if err := json.Unmarshal(raw, &list); err != nil {
		t.Fatal(err)
	}
	record, err := bindings.Known()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != len(record.InitCode) {
		t.Errorf("%d contracts are listed, %d recorded", len(list), len(record.InitCode))
	}
	for _, c := range list {
		if _, ok := record.InitCode[c.Name]; !ok {
			t.Errorf("%s is listed and not recorded", c.Name)
		}
	}
}

func TestUnknownChainSaysWhatToDo(t *testing.T) {
	_, err := bindings.On(31415926)
	if !errors.Is(err, bindings.ErrNotDeployed) || !strings.Contains(err.Error(), "contracts deploy") {
		t.Errorf("got %v", err)
	}
}

func TestBadRecordsAreRefused(t *testing.T) {
	const (
		code = `"initCode":{"EstuaryProvider":"0x0100000000000000000000000000000000000000000000000000000000000000"}`
		at   = `{"EstuaryProvider":"0x0100000000000000000000000000000000000000"}`
		good = `{"note":"",` + code + `,"deployments":[{"chainId":1,"startBlock":2,"contracts":` + at + `,"configDigest":"0x0100000000000000000000000000000000000000000000000000000000000000"}]}`
	)
	record, err := bindings.Read(strings.NewReader(good))
	if err != nil {
		t.Fatal(err)
	}
	if a, err := record.Deployments[0].Address(bindings.EstuaryProvider); err != nil || a != (common.Address{1}) {
		t.Errorf("address %s, %v", a, err)
	}
	for name, bad := range map[string]string{
		"unknown field":    strings.Replace(good, `"note"`, `"Noten"`, 1),
		"trailing data":    good + "{}",
		"no chain":         strings.Replace(good, `"chainId":1`, `"chainId":0`, 1),
		"chain twice":      strings.Replace(good, `"deployments":[`, `"deployments":[{"chainId":1,"contracts":`+at+`},`, 1),
		"no contract":      strings.Replace(good, `"contracts":`+at, `"contracts":{}`, 1),
		"unknown contract": strings.Replace(good, `"contracts":{"EstuaryProvider"`, `"contracts":{"Estuary"`, 1),
		"zero address":     strings.Replace(good, `"0x0100000000000000000000000000000000000000"`, `"0x0000000000000000000000000000000000000000"`, 1),
	} {
		if bad == good {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if _, err := bindings.Read(strings.NewReader(bad)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
