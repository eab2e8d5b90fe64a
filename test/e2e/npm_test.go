package e2e

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/executor/piece"
)

// script runs a program of test/peers with node.
func script(t *testing.T, name string, args ...string) string {
	t.Helper()
	tool(t, "test/peers/node_modules/.package-lock.json")
	return output(t, nil, "node", append([]string{tool(t, "test/peers/"+name)}, args...)...)
}

// A dapp with viem, unchanged: transfers, reads, writes, estimates, events, a refusal with
// the contract's own error, and heads over WebSocket. The chain moves by itself: on one that
// stands still after a message viem can miss the last epoch's number and wait for ever.
func TestViemOnDevnet(t *testing.T) {
	t.Parallel()
	p := start(t, "devnet", true, nil, tidegate(t), devnetArgs(t, "200ms")...)
	n := devnetLine(t, p).dial(t, p)
	line, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	saw := decode[struct {
		Transfer, Balance, Refused, Asked, Estimate, Used, Transaction string
		Events                                                         []string
		Logs, Status                                                   int
		Head                                                           bool
	}](t, script(t, "viem.mjs", string(line), n.Keys[keyAlice].PrivateKey, "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"))
	if saw.Transfer != "success" || saw.Balance != "1500000000000000000" {
		t.Errorf("transfer %s, balance %s", saw.Transfer, saw.Balance)
	}
	if saw.Refused != "EstuaryProvider_Underpaid" {
		t.Errorf("too little money: %s", saw.Refused)
	}
	if saw.Asked != "success" || saw.Status != pinRequested || saw.Logs != 1 || !slices.Equal(saw.Events, []string{"PinRequested"}) {
		t.Errorf("asked: %s, status %d, %d logs, events %v", saw.Asked, saw.Status, saw.Logs, saw.Events)
	}
	if !saw.Head || saw.Transaction != "eip1559" {
		t.Errorf("head %v, transaction %s", saw.Head, saw.Transaction)
	}
	estimate, used := number(t, saw.Estimate), number(t, saw.Used)
	if estimate.Cmp(used) < 0 {
		t.Errorf("estimated %s, used %s", estimate, used)
	}
}

// pieceSizes end below, at and above whole quads, nodes and powers of two.
var pieceSizes = []int{65, 126, 127, 128, 254, 255, 1000, 127 << 3, 127<<6 - 1, 127<<6 + 1, 65_536, 127 << 10, 1_000_003}

func pieceFiles(t *testing.T) (files []string) {
	t.Helper()
	dir := t.TempDir()
	for i, size := range pieceSizes {
		files = append(files, writeFile(t, dir, fmt.Sprintf("%d.bin", size), content(7000+uint64(i), size)))
	}
	return files
}

// The piece CIDs that we print are those of the library that dapps on Filecoin use.
func TestPieceCIDsAreSynapses(t *testing.T) {
	files := pieceFiles(t)
	want := strings.Fields(script(t, "piececids.mjs", files...))
	if len(want) != len(files) {
		t.Fatalf("%d CIDs of %d files", len(want), len(files))
	}
	for i, file := range files {
		got := decode[struct {
			V2 string `json:"pieceCidV2"`
		}](t, output(t, nil, tidegate(t), "piece", "commp", "--json", file))
		if got.V2 != want[i] {
			t.Errorf("%d bytes: %s, synapse-core says %s", pieceSizes[i], got.V2, want[i])
		}
	}
}

// Proofs of inclusion lead to our aggregate by another's code too, and nowhere if a
// single bit of them is another.
func TestInclusionProofsHoldElsewhere(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "proofs.json")
	output(t, nil, tidegate(t), append([]string{"piece", "aggregate", "--proofs", at}, pieceFiles(t)...)...)
	proofs := decode[struct {
		Aggregate struct {
			PieceCID string `json:"pieceCid"`
			Padded   uint64 `json:"paddedSize"`
		} `json:"aggregate"`
		Segments []map[string]any `json:"segments"`
	}](t, readFile(t, at))
	whole, err := piece.Parse(proofs.Aggregate.PieceCID)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s %d", hex.EncodeToString(whole.Root[:]), bits.Len64(proofs.Aggregate.Padded/32)-1)
	lines := strings.Split(script(t, "podsi.mjs", at), "\n")
	if len(lines) != len(pieceSizes) {
		t.Fatalf("%d lines of %d segments", len(lines), len(pieceSizes))
	}
	for i, line := range lines {
		if line != want {
			t.Errorf("segment %d leads to %s, want %s", i, line, want)
		}
	}

	path := proofs.Segments[0]["proof"].(map[string]any)["proofSubtree"].(map[string]any)["path"].([]any)
	node, digit := path[0].(string), "0"
	if strings.HasSuffix(node, digit) {
		digit = "1"
	}
	path[0] = node[:len(node)-1] + digit
	b, err := json.Marshal(map[string]any{"segments": proofs.Segments[:1]})
	if err != nil {
		t.Fatal(err)
	}
	if got := script(t, "podsi.mjs", writeFile(t, dir, "forged.json", b)); !strings.HasPrefix(got, "none") {
		t.Errorf("a forged proof leads to %s", got)
	}
}
