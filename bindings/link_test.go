package bindings_test

import (
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

func TestLinkPutsAddressesWhereTheCompilerLeftRoom(t *testing.T) {
	code := perpetualstorage.PerpetualStorageMetaData.Bin
	libraries := map[string]common.Address{}
	for i, name := range []string{"Deals", "Listing", "Proofs", "Slots"} {
		if _, err := bindings.Link(code, libraries); err == nil {
			t.Fatalf("linked without %s", name)
		}
		libraries["contracts/storage/"+name+".sol:"+name] = common.Address{19: byte(i + 1)}
	}
	linked, err := bindings.Link(code, libraries)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(linked, "__") || len(linked) != len(code) {
		t.Errorf("linked code has %d characters, and placeholders: %v", len(linked), strings.Contains(linked, "__"))
	}
	if len(common.FromHex(linked)) != len(linked)/2-strings.Count(linked[:2], "0x") {
		t.Error("linked code is no hex")
	}
}
