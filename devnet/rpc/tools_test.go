package rpc_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// cast runs Foundry's cast against the server.
func (n *net) cast(tb testing.TB, args ...string) string {
	tb.Helper()
	binary, err := filepath.Abs("../../bin/cast")
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := os.Stat(binary); err != nil {
		tb.Fatalf("Foundry's cast is not installed: run make tools (%v)", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	command := exec.CommandContext(ctx, binary, append(args, "--rpc-url", "http://"+n.server.Address())...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		tb.Fatalf("cast %s: %v\n%s%s", strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return strings.TrimSpace(stdout.String())
}

func TestCast(t *testing.T) {
	n := start(t)
	key, from := n.wallet(t, 0)
	private := "0x" + hex.EncodeToString(crypto.FromECDSA(key))
	to := common.HexToAddress("0x00000000000000000000000000000000000a11ce")
	if got := n.cast(t, "chain-id"); got != "31415926" {
		t.Errorf("chain-id %s", got)
	}
	if got := n.cast(t, "balance", from.Hex()); got != "10000000000000000000000" {
		t.Errorf("balance %s", got)
	}
	if got := n.cast(t, "estimate", "--from", from.Hex(), to.Hex(), "--value", "1"); len(got) < 6 {
		t.Errorf("estimate %s: not in Filecoin's gas", got)
	}
	sent := n.cast(t, "send", "--private-key", private, "--value", "1ether", to.Hex())
	if !strings.Contains(sent, "transactionHash") || !strings.Contains(sent, "1 (success)") {
		t.Fatalf("send: %s", sent)
	}
	if got := n.cast(t, "balance", to.Hex(), "--ether"); !strings.HasPrefix(got, "1") {
		t.Errorf("balance of the recipient %s", got)
	}
	contract := n.sample(t)
	if got := n.cast(t, "call", contract.Hex()); new(big.Int).SetBytes(common.FromHex(got)).Int64() != 42 {
		t.Errorf("call %s", got)
	}
	receipt := n.send(t, 0, &contract, new(big.Int), nil, 0)
	if got := n.cast(t, "receipt", receipt.TxHash.Hex(), "status"); !strings.Contains(got, "1") && !strings.Contains(got, "true") {
		t.Errorf("receipt %s", got)
	}
	logs := n.cast(t, "logs", "--from-block", fmt.Sprint(receipt.BlockNumber), "--to-block", fmt.Sprint(receipt.BlockNumber), "--address", contract.Hex())
	if !strings.Contains(strings.ToLower(logs), receipt.TxHash.Hex()) {
		t.Errorf("logs: %s", logs)
	}
	if got := n.cast(t, "nonce", from.Hex()); got != "3" {
		t.Errorf("nonce %s", got)
	}
	if got := n.cast(t, "block", "latest", "--field", "number"); got != fmt.Sprint(n.Head().Height()-1) {
		t.Errorf("block number %s, head %d", got, n.Head().Height())
	}
}
