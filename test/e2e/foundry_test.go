package e2e

import (
	"math/big"
	"path/filepath"
	"strings"
	"testing"
)

// depositGas is what a deposit into FilecoinPay takes on calibration, as published in
// docs/payments-gas-benchmarks.md of filecoin-pay.
const depositGas = 20_600_000

// A stranger's project is deployed with forge create and used with cast. A deposit like
// FilecoinPay's takes gas like it, within a factor of two either way.
func TestForgeCreateOnDevnet(t *testing.T) {
	n := sharedDevnet(t)
	project, build := filepath.Join(root(t), "test/e2e/testdata/payments"), t.TempDir()
	create := func(contract string, args ...string) string {
		t.Helper()
		return decode[struct {
			To string `json:"deployedTo"`
		}](t, output(t, nil, tool(t, "bin/forge"), append([]string{
			"create", "--root", project, "--out", filepath.Join(build, "out"), "--cache-path", filepath.Join(build, "cache"),
			"--use", filepath.Join(root(t), "scripts/solc.js"), "--rpc-url", n.RPC, "--private-key", n.Keys[keyAlice].PrivateKey,
			"--broadcast", "--json", "src/Payments.sol:" + contract,
		}, args...)...)).To
	}
	coin := create("Coin", "--constructor-args", "1000000")
	payments := create("Payments")
	n.send(keyAlice, nil, coin, "approve(address,uint256)", payments, "1000000")

	var used []string
	for range 2 { // the first makes the account's slots
		r := n.send(keyAlice, nil, payments, "deposit(address,address,uint256)", coin, n.Keys[keyBob].Address, "400000")
		used = append(used, r.GasUsed)
		gas, ok := new(big.Int).SetString(strings.TrimPrefix(r.GasUsed, "0x"), 16)
		if !ok || gas.Int64() < depositGas/2 || gas.Int64() > depositGas*2 {
			t.Errorf("a deposit took %s gas, FilecoinPay's takes %d", gas, depositGas)
		}
		if len(r.Logs) != 3 {
			t.Errorf("%d logs of a deposit, want 3", len(r.Logs))
		}
	}
	t.Logf("gas of the deposits: %s", strings.Join(used, ", "))
	if got := n.call(payments, "accounts(address,address)(uint256,uint256,uint256,uint256)", coin, n.Keys[keyBob].Address); number(t, got).Int64() != 800_000 {
		t.Errorf("the account holds %s", got)
	}
	if _, err := tryOutput(nil, cast(t), "send", "--rpc-url", n.RPC, "--private-key", n.Keys[keyAlice].PrivateKey, payments, "deposit(address,address,uint256)", coin, n.Keys[keyBob].Address, "0"); err == nil || !strings.Contains(err.Error(), "revert") {
		t.Errorf("a deposit of nothing: %v", err)
	}
}
