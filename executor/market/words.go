package market

import (
	"bytes"
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/dealstatusoracle"
	"github.com/tidegate/tidegate/bindings/estuaryprovider"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/bindings/providerregistry"
	"github.com/tidegate/tidegate/bindings/statusdesk"
	"github.com/tidegate/tidegate/bindings/storagegate"
	"github.com/tidegate/tidegate/bindings/storagepools"
)

// word reads a reason of the contracts: ASCII in 32 bytes.
func word(b [32]byte) string { return string(bytes.TrimRight(b[:], "\x00")) }

// FIL writes attoFIL as FIL, with all of its decimals that are none at the end.
func FIL(atto *big.Int) string {
	digits := fmt.Sprintf("%019s", atto)
	at := len(digits) - 18
	return strings.TrimRight(strings.TrimRight(digits[:at]+"."+digits[at:], "0"), ".") + " FIL"
}

// Why says in words why the contract would not let a claim or an f05 deal through; the
// reason's own name where it is not known.
func Why(reason string) string {
	if text, ok := reasons[reason]; ok {
		return text
	}
	return reason
}

// reasonDataCap is ours: see Preview.
const reasonDataCap = "datacap"

// reasons are those of contracts/storage/Offers.sol and Listing.sol.
var reasons = map[string]string{
	"not open":            "the deal is not open: it is being prepared, was cancelled, or does not exist",
	"no such seat":        "the deal has no such seat",
	"taken":               "somebody has that slot already",
	"first refusal":       "only the miner that stores it now may claim what follows, for the first third of the renewal window",
	"suspended":           "the client has suspended the deal",
	"ended":               "the deal ends before the slot would begin",
	"not served":          "no operators vouch at present that the piece can be fetched; anyone may ask them (requestServed)",
	"not funded":          "the deal's money does not cover the slot",
	"paused":              "the contract takes no claims at present",
	"not controller":      "the sender is no controlling address (owner, worker, control) of the miner",
	"client":              "the miner belongs to the deal's client, or has no owner that is known",
	"not distinct":        "a copy of the deal lies with the same miner, owner or organisation already",
	"unknown slot":        "there is no such slot, or it is over",
	"piece":               "the deal's piece or size is another",
	"price":               "the f05 deal has a price; it must be 0",
	"client collateral":   "the f05 deal has client collateral; it must be 0",
	"provider collateral": "the f05 deal's provider collateral is below what the deal asks for",
	"verified":            "the f05 deal is verified and the deal is not, or the other way round",
	"claim first":         "a slot with DataCap must be claimed before its deal is published",
	"provider":            "another miner has claimed the slot",
	"start":               "the f05 deal starts in the past or after the seal deadline",
	"term":                "the f05 deal ends before the slot's term would",
	"not exact":           "a deal with DataCap must start at the seal deadline and end with the term, with the collateral asked for",
	reasonDataCap:         "the deal has too little DataCap left for the slot: a notary grants it to the gate, whose steward says which deal it is for",
	"context":             "the arguments are not those that were asked with",
}

// Reverted says in words with what a call of one of our contracts reverted.
func Reverted(data []byte) string {
	if len(data) < 4 {
		return "it reverted without words"
	}
	if text, err := abi.UnpackRevert(data); err == nil {
		return text
	}
	said, ok := unpacked(data)
	if !ok {
		return fmt.Sprintf("it reverted with 0x%x", data)
	}
	switch e := said.(type) {
	case *perpetualstorage.PerpetualStoragePerpetualStorageNotController:
		return fmt.Sprintf("%s is no controlling address (owner, worker, control) of f0%d", e.Caller, e.MinerId)
	case *perpetualstorage.PerpetualStoragePerpetualStorageNotOwnerOfMiner:
		return fmt.Sprintf("%s is not the owner of f0%d", e.Caller, e.MinerId)
	case *providerregistry.ProviderRegistryProviderRegistryNotController:
		return fmt.Sprintf("%s is no controlling address (owner, worker, control) of f0%d", e.Caller, e.MinerId)
	case *perpetualstorage.PerpetualStoragePerpetualStorageWrongState:
		return fmt.Sprintf("slot %d is %s", e.SlotId, SlotState(e.State))
	case *perpetualstorage.PerpetualStoragePerpetualStorageNotDistinct:
		return fmt.Sprintf("a copy of deal %d, on seat %d, lies with the same miner, owner or organisation as f0%d", e.DealId, e.OtherIndex, e.MinerId)
	case *perpetualstorage.PerpetualStoragePerpetualStorageClientIsProvider:
		return fmt.Sprintf("the miner's owner f0%d is the deal's client", e.OwnerId)
	case *perpetualstorage.PerpetualStoragePerpetualStorageBondTooLow:
		return fmt.Sprintf("the bond is %s attoFIL and must be %s", e.Sent, e.Needed)
	case *perpetualstorage.PerpetualStoragePerpetualStorageFetchWindowOver:
		return fmt.Sprintf("claims can be given back for a day; this one could until epoch %d", e.Since)
	case *perpetualstorage.PerpetualStoragePerpetualStorageTooEarly:
		return fmt.Sprintf("that is possible from epoch %d on", e.Epoch)
	case *perpetualstorage.PerpetualStoragePerpetualStorageRefused:
		return Why(word(e.Why))
	case *perpetualstorage.PerpetualStoragePerpetualStorageNotProven:
		return fmt.Sprintf("slot %d was not shown to be stored: Filecoin's actors know no such deal or claim of the slot and its miner, do not have it active yet, or the proof is of an older place of the sector", e.SlotId)
	case *perpetualstorage.PerpetualStoragePerpetualStorageNothingToWithdraw:
		return fmt.Sprintf("%s has no credit", e.Account)
	case *perpetualstorage.PerpetualStoragePerpetualStorageIntakePaused:
		return Why("paused")
	case *storagegate.StorageGateStorageGateNotController:
		return fmt.Sprintf("%s is no controlling address (owner, worker, control) of f0%d", e.Caller, e.MinerId)
	case *storagegate.StorageGateStorageGateNoDataCap:
		return fmt.Sprintf("deal %d has DataCap for %s bytes, and %s are needed", e.DealId, e.Has, e.Needed)
	case *storagegate.StorageGateStorageGateWrongState:
		return fmt.Sprintf("slot %d is not claimed, is no slot with DataCap, or has its DataCap already", e.SlotId)
	case *storagegate.StorageGateStorageGateActorFailed:
		return fmt.Sprintf("the actor refused it, exit code %s: a piece may be too small for DataCap (1 MiB, padded), or the term too long", e.Exit)
	case *estuaryprovider.EstuaryProviderEstuaryProviderUnderpaid:
		return fmt.Sprintf("%s attoFIL were sent for what operators do, and %s are needed: prices or the price of gas may have risen, ask for the quote anew", e.Sent, e.Needed)
	case *estuaryprovider.EstuaryProviderEstuaryProviderNotOffered:
		return fmt.Sprintf("the operators do not offer that (action %d)", e.Action)
	case *estuaryprovider.EstuaryProviderEstuaryProviderIntakePaused:
		return "the provider takes no requests at present"
	case *estuaryprovider.EstuaryProviderEstuaryProviderNotOpen:
		return "the request was answered or refunded already"
	case *estuaryprovider.EstuaryProviderEstuaryProviderNotRefundable:
		return "the request may still be answered, until " + time.Unix(e.From.Int64()-1, 0).UTC().Format(time.RFC3339)
	case *estuaryprovider.EstuaryProviderEstuaryProviderCallbackGasTooHigh:
		return fmt.Sprintf("the answer is promised %d gas, at most %d can be", e.Asked, e.Most)
	case *statusdesk.StatusDeskStatusDeskNoRefundee:
		return "nobody is named who gets back what is paid too much"
	case *dealstatusoracle.DealStatusOracleDealStatusOracleBadRef:
		return "that is neither a deal of f05 nor a sector with its piece"
	case *storagepools.StoragePoolsStoragePoolsUnknownPool:
		return fmt.Sprintf("%d is no pool: a pool has the number of its deal", e.DealId)
	case *storagepools.StoragePoolsStoragePoolsPriceNotPaid:
		return fmt.Sprintf("%s attoFIL were sent, and the piece's part is %s", e.Sent, e.Price)
	case *storagepools.StoragePoolsStoragePoolsAlreadyJoined:
		return fmt.Sprintf("%s is in pool %d with that piece already: pay adds to it", e.Member, e.DealId)
	case *storagepools.StoragePoolsStoragePoolsNoShares:
		return fmt.Sprintf("%s shares are to be given up, and the sender has %s", e.Asked, e.Held)
	case *storagepools.StoragePoolsStoragePoolsNothingFree:
		return fmt.Sprintf("all that pool %d has is reserved for running slots: leave when a term is over", e.DealId)
	case *storagepools.StoragePoolsStoragePoolsNothingToWithdraw:
		return fmt.Sprintf("%s has no credit with the pools: leave a pool first", e.Account)
	}
	return otherwise(said)
}

// unpacked reads an error of one of our contracts.
func unpacked(data []byte) (any, bool) {
	for _, read := range []func([]byte) (any, error){
		perpetualstorage.NewPerpetualStorage().UnpackError, datadao.NewDataDAO().UnpackError, storagegate.NewStorageGate().UnpackError,
		estuaryprovider.NewEstuaryProvider().UnpackError, storagepools.NewStoragePools().UnpackError,
		statusdesk.NewStatusDesk().UnpackError, dealstatusoracle.NewDealStatusOracle().UnpackError, providerregistry.NewProviderRegistry().UnpackError,
	} {
		if said, err := read(data); err == nil {
			return said, true
		}
	}
	return nil, false
}

// plain spells an error out that has no words of its own.
func plain(said any) string {
	v := reflect.Indirect(reflect.ValueOf(said))
	name := v.Type().Name()
	for _, contract := range []string{"PerpetualStorage", "DataDAO", "StorageGate", "EstuaryProvider", "StoragePools", "StatusDesk", "DealStatusOracle", "ProviderRegistry"} {
		name = strings.TrimPrefix(strings.TrimPrefix(name, contract), contract)
	}
	var fields []string
	for i := range v.NumField() {
		value := v.Field(i).Interface()
		switch x := value.(type) {
		case [32]byte:
			value = word(x)
		case *big.Int:
			value = x.String()
		case common.Address:
			value = x.Hex()
		}
		fields = append(fields, fmt.Sprintf("%s %v", v.Type().Field(i).Name, value))
	}
	return strings.TrimSpace(name + " " + strings.Join(fields, ", "))
}
