package cli

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/perpetualstorage"
	"github.com/tidegate/tidegate/executor/job"
)

// TestEachPayeeIsTold has three slots proven at once, two of them of one payee.
func TestEachPayeeIsTold(t *testing.T) {
	a, b := common.Address{1}, common.Address{2}
	credit := map[common.Address]*big.Int{a: big.NewInt(1e18), b: big.NewInt(5e17)}
	got, err := creditsText([]slotState{{Payee: a.Hex()}, {Payee: b.Hex()}, {Payee: a.Hex()}}, func(p common.Address) (*big.Int, error) { return credit[p], nil })
	if want := "The payee " + a.Hex() + " can withdraw 1 FIL.\nThe payee " + b.Hex() + " can withdraw 0.5 FIL."; err != nil || got != want {
		t.Errorf("%q, %v", got, err)
	}
}

// TestAKeepersJobSaysWhatItCalls reads the keys that executor/market/keeper.go makes.
func TestAKeepersJobSaysWhatItCalls(t *testing.T) {
	for _, c := range []struct{ kind, key, want string }{
		{"keep", "keep:314:0x9a9f:requestServed:4:0.4", "requestServed 4"},
		{"keep", "keep:314:0xcf7e:openDeal:0x4ae929d87b5bc9da:0", "openDeal 0x4ae929d8…"},
		{"pin", "pin:314:a:b:c:d", ""},
		{"keep", "keep", ""},
	} {
		if got := keptCall(jobView{Kind: c.kind, Key: c.key}); got != c.want {
			t.Errorf("%s: %q, want %q", c.key, got, c.want)
		}
	}
}

// TestAnUnknownStatusSaysWhy has an answer in which neither actors nor operators could say.
func TestAnUnknownStatusSaysWhy(t *testing.T) {
	got := (&question{words: "sector 0 of f01010"}).say(dealAnswer{Status: job.StatusUnknown.String()})
	if !strings.HasPrefix(got, "Sector 0 of f01010: unknown.") || !strings.Contains(got, "shown to hold its piece") {
		t.Errorf("%q", got)
	}
}

// TestLookSaysWhatKeepsSlotsFromBeingClaimed has deals that are vouched for, not any more, and not open.
func TestLookSaysWhatKeepsSlotsFromBeingClaimed(t *testing.T) {
	for _, c := range []struct {
		d    perpetualstorage.DealView
		want string
	}{
		{perpetualstorage.DealView{Status: 2}, "tidegate deals vouch 7"},
		{perpetualstorage.DealView{Status: 2, ServedUntil: 100}, "tidegate deals vouch 7"},
		{perpetualstorage.DealView{Status: 2, ServedUntil: 101}, "until epoch 101"},
		{perpetualstorage.DealView{Status: 1}, ""},
		{perpetualstorage.DealView{Status: 3, ServedUntil: 50}, ""},
	} {
		if got := vouchedText(7, c.d, 100); !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("status %d, vouched for until %d: %q", c.d.Status, c.d.ServedUntil, got)
		}
	}
	terms := perpetualstorage.DealTerms{Replicas: 3, Term: 10, Rate: 1e17, BaseBounty: big.NewInt(5e17), MaxBounty: big.NewInt(1e18)}
	if got := costText(terms); got != "4.5 FIL to 6 FIL for all copies" {
		t.Errorf("three copies of ten epochs: %q", got)
	}
}
