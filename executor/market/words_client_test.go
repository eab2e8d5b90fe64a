package market

import (
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/bindings/datadao"
	"github.com/tidegate/tidegate/bindings/perpetualstorage"
)

// TestRefusalsAreForPeople packs errors as the contracts revert with them: what is said names
// things as the command line does, with money in FIL, times as dates and states as words.
func TestRefusalsAreForPeople(t *testing.T) {
	storage, dao := parsed(t, perpetualstorage.PerpetualStorageMetaData.ParseABI), parsed(t, datadao.DataDAOMetaData.ParseABI)
	who := common.HexToAddress("0x00000000000000000000000000000000000000a1")
	for _, c := range []struct {
		of   *abi.ABI
		name string
		args []any
		want string
	}{
		{storage, "PerpetualStorage_NotClient", []any{who}, "only the deal's client"},
		{storage, "PerpetualStorage_TermsOutOfRange", []any{field("baseBounty")}, "--max-bounty"},
		{storage, "PerpetualStorage_TermsOutOfRange", []any{field("replicas")}, "1 to 16"},
		{storage, "PerpetualStorage_AmountTooLarge", []any{big.NewInt(2e18), big.NewInt(5e17)}, "2 FIL are too much: there are 0.5 FIL"},
		{storage, "PerpetualStorage_WrongStatus", []any{uint64(3), uint8(3)}, "deal 3 is cancelled"},
		{dao, "DataDAO_AlreadyVoted", []any{big.NewInt(1), who}, "has voted on proposal 1 already"},
		{dao, "DataDAO_OwnProposal", []any{big.NewInt(2)}, "proposal 2 is the sender's own"},
		{dao, "DataDAO_TooYoung", []any{who, big.NewInt(1_795_483_219)}, "2026-11-24T01:20:19Z"},
		{dao, "DataDAO_VotingExpired", []any{big.NewInt(2), big.NewInt(1_795_483_219)}, "ended at 2026-11-24T01:20:19Z"},
		{dao, "DataDAO_NotReady", []any{big.NewInt(2), uint8(1)}, "still voted on"},
		{dao, "DataDAO_NotReady", []any{big.NewInt(2), uint8(6)}, "executed already"},
		{dao, "DataDAO_NotReady", []any{big.NewInt(2), uint8(99)}, "state 99"},
		{dao, "DataDAO_Underpaid", []any{big.NewInt(0), big.NewInt(18e16)}, "0.18 FIL are needed"},
		{dao, "DataDAO_BudgetExceeded", []any{big.NewInt(5e17), big.NewInt(4e17)}, "--budget"},
		{dao, "DataDAO_TermsOutOfRange", []any{field("term")}, "180 to 1278 days"},
		{dao, "DataDAO_TermsOutOfRange", []any{field("expiry")}, "expiry"},
	} {
		e, ok := c.of.Errors[c.name]
		if !ok {
			t.Fatalf("no error %s", c.name)
		}
		packed, err := e.Inputs.Pack(c.args...)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if said := Reverted(append(append([]byte{}, e.ID[:4]...), packed...)); !strings.Contains(said, c.want) {
			t.Errorf("%s %v: %q", c.name, c.args, said)
		}
	}
}

func parsed(t *testing.T, parse func() (*abi.ABI, error)) *abi.ABI {
	t.Helper()
	a, err := parse()
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func field(name string) (b [32]byte) {
	copy(b[:], name)
	return b
}
