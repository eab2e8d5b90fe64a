package e2e

import (
	"crypto/sha256"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/tidegate/tidegate/executor/piece"
)

const (
	termsTuple = "(uint8,bool,uint32,uint32,uint32,uint32,uint32,uint80,uint80,uint64,uint80,uint80,string)"
	createSig  = "(bytes,bytes,uint64,uint64," + termsTuple + ")"
	joinSig    = "join(uint64,(bytes,bytes,uint64),((uint64,bytes32[]),(uint64,bytes32[])))"
)

// storageTerms are those of a deal of one copy: 1 to 5 FIL of bounty, 1 µFIL an epoch.
func storageTerms(days int) string {
	return fmt.Sprintf("(1,false,%d,2880,86400,28800,0,%d,%d,%d,%d,0,\"https://client.example/piece/\")", days*2880, int64(1e18), int64(5e18), int64(1e12), int64(5e17))
}

// Clients and strangers call perpetual storage, its gate, its registry and its pools with
// cast, as anybody with a wallet would, where it succeeds and where it must not.
func TestStorageByCast(t *testing.T) {
	n := sharedDevnet(t)
	store, gate := n.Contracts["PerpetualStorage"], n.Contracts["StorageGate"]
	whole, parts, a := smallPieces(t, "cast, first", "cast, second")
	payload := fmt.Sprintf("0x01551220%x", sha256.Sum256([]byte("cast")))
	deal := n.call(store, "nextDeal()(uint64)")
	create := []string{payload, pieceHex(whole), "2048", "2000"}
	slot := n.shifted(deal, 24)

	n.send(keyAlice, attoFIL(9000), store, "createDeal"+createSig, append(create, storageTerms(180))...)
	n.refuses(keyAlice, attoFIL(1), "PerpetualStorage_TermsOutOfRange(bytes32)", store, "createDeal"+createSig, append(create, storageTerms(1))...)
	if got := n.call(store, "quoteBounty(uint64)(uint96)", slot); !strings.HasPrefix(got, "1000000000000000000") {
		t.Errorf("the bounty is %s", got)
	}
	n.send(keyBob, attoFIL(500), store, "fund(uint64)", deal)
	n.refuses(keyBob, nil, "PerpetualStorage_ZeroAmount()", store, "fund(uint64)", deal)
	for _, change := range []struct {
		sig  string
		args []string
	}{
		{"changeBounty(uint64,uint80,uint32)", []string{"2000000000000000000", "2880"}},
		{"changeReplicas(uint64,uint8)", []string{"2"}},
		{"suspend(uint64)", nil},
		{"resume(uint64)", nil},
		{"withdrawSurplus(uint64,uint96)", []string{"500000000000000000"}},
	} {
		args := append([]string{deal}, change.args...)
		n.refuses(keyBob, nil, "PerpetualStorage_NotClient(address)", store, change.sig, args...)
		n.send(keyAlice, nil, store, change.sig, args...)
	}
	// Bob is no provider, and the gate is for actors.
	n.refuses(keyBob, attoFIL(9000), "PerpetualStorage_NotController(uint64,address)", store, "claimDeal(uint64,uint8,uint64)", deal, "0", "1000")
	n.refuses(keyBob, nil, "PerpetualStorage_WrongState(uint64,uint8)", store, "expireClaim(uint64)", slot)
	n.refuses(keyBob, nil, "StorageGate_NotClaimable(uint64,bytes32)", gate, "announce(uint64)", slot) // nobody says that it is served
	n.refuses(keyBob, nil, "ProviderRegistry_NotController(uint64,address)", n.Contracts["ProviderRegistry"],
		"register(uint64,(uint64,uint64,uint64,bytes2,string,string))", "1000", "(128,2048,1,0x4348,\"https://sp.example\",\"\")")

	n.send(keyAlice, nil, store, "cancel(uint64)", deal)
	n.refuses(keyAlice, nil, "PerpetualStorage_WrongStatus(uint64,uint8)", store, "cancel(uint64)", deal)
	if got := n.call(store, "creditOf(address)(uint256)", n.Keys[keyAlice].Address); !strings.HasPrefix(got, attoFIL(9500).String()) {
		t.Errorf("the client's credit is %s, want all that was paid in", got)
	}
	n.send(keyAlice, nil, store, "withdrawEarned(address)", n.Keys[keyAlice].Address)
	n.refuses(keyAlice, nil, "PerpetualStorage_NothingToWithdraw(address)", store, "withdrawEarned(address)", n.Keys[keyAlice].Address)
	n.poolByCast(t, append(create, storageTerms(180)), parts, a)
}

// poolByCast has two join a pool and one leave, by the line of docs/pools.md.
func (n *network) poolByCast(t *testing.T, create []string, parts []piece.Commitment, a *piece.Aggregate) {
	t.Helper()
	pools := n.Contracts["StoragePools"]
	pool := n.call(n.Contracts["PerpetualStorage"], "nextDeal()(uint64)")
	n.send(keyBob, nil, pools, "openPool"+createSig, create...)
	price, _, _ := strings.Cut(n.call(pools, "priceOf(uint64,uint64)(uint256)", pool, "256"), " ")
	least, ok := new(big.Int).SetString(price, 10)
	if !ok || least.Sign() <= 0 {
		t.Fatalf("a piece costs %s", price)
	}
	for i, key := range []int{keyAlice, keyBob} {
		own := fmt.Sprintf("(0x01551220%x,%s,256)", sha256.Sum256([]byte{byte(i)}), pieceHex(parts[i]))
		n.refuses(key, least, "Podsi_RootsDiffer(bytes32,bytes32)", pools, joinSig, pool, own, proofText(t, a, 1-i))
		n.send(key, least, pools, joinSig, pool, own, proofText(t, a, i))
	}
	shares, _, _ := strings.Cut(n.call(pools, "sharesOf(uint64,address)(uint256)", pool, n.Keys[keyAlice].Address), " ")
	n.refuses(keySender, nil, "StoragePools_NoShares(uint256,uint256)", pools, "leave(uint64,uint256)", pool, "1")
	n.send(keyAlice, nil, pools, "leave(uint64,uint256)", pool, shares)
	if got := n.call(pools, "creditOf(address)(uint256)", n.Keys[keyAlice].Address); !strings.HasPrefix(got, price) {
		t.Errorf("who left has %s, want %s", got, price)
	}
	n.send(keyAlice, nil, pools, "withdraw(address)", n.Keys[keyAlice].Address)
}

// shifted is a decimal number times 2^by.
func (n *network) shifted(text string, by uint) string {
	n.t.Helper()
	v, ok := new(big.Int).SetString(text, 10)
	if !ok {
		n.t.Fatalf("%q is no number", text)
	}
	return v.Lsh(v, by).String()
}

// smallPieces are pieces of 256 bytes in an aggregate of 2 KiB.
func smallPieces(t *testing.T, names ...string) (whole piece.Commitment, parts []piece.Commitment, a *piece.Aggregate) {
	t.Helper()
	for _, name := range names {
		root := sha256.Sum256([]byte(name))
		root[31] &= 0x3f
		parts = append(parts, piece.Commitment{Root: root, Payload: 200, Padded: 256})
	}
	a, err := piece.NewAggregate(parts, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return a.Commitment(), parts, a
}

func pieceHex(c piece.Commitment) string { return fmt.Sprintf("0x%x", c.CID().Bytes()) }

// proofText is a proof of inclusion as cast takes it.
func proofText(t *testing.T, a *piece.Aggregate, i int) string {
	t.Helper()
	p, err := a.Proof(i)
	if err != nil {
		t.Fatal(err)
	}
	path := func(m piece.MerklePath) string {
		var nodes []string
		for _, node := range m.Path {
			nodes = append(nodes, fmt.Sprintf("0x%x", node[:]))
		}
		return fmt.Sprintf("(%d,[%s])", m.Index, strings.Join(nodes, ","))
	}
	return "(" + path(p.Subtree) + "," + path(p.Index) + ")"
}
