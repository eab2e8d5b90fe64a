package cli

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/devnet"
)

// A shell that sources the lines has the values, whatever is in them.
func TestShellEnvIsForShells(t *testing.T) {
	text := shellEnv(devnetInfo{
		RPC: "http://127.0.0.1:1/rpc/v1", ChainID: 5, Token: "a$b", Miners: []string{"f01004"},
		Contracts: map[string]common.Address{"DataDAOFactory": {1}, "EstuaryPinning": {2}, "DataDAO": {3}},
		Keys:      []devnet.Account{{Address: common.Address{4}, PrivateKey: "0x05"}},
	})
	out, err := exec.Command("bash", "-c", text+`echo "$ETH_RPC_URL $CHAIN_ID $DATA_DAO_FACTORY $ESTUARY_PINNING $DATA_DAO $ADDRESS_0 $KEY_0 $MINER_0"`).CombinedOutput()
	want := strings.Join([]string{"http://127.0.0.1:1/rpc/v1?token=a$b", "5", common.Address{1}.Hex(), common.Address{2}.Hex(), common.Address{3}.Hex(),
		common.Address{4}.Hex(), "0x05", "f01004"}, " ")
	if err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%v\n got %s\nwant %s", err, out, want)
	}
}
