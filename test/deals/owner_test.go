package deals

import (
	"context"
	"crypto/ecdsa"
	"math/big"

	"github.com/ethereum/go-ethereum/crypto"
	"golang.org/x/crypto/blake2b"

	"github.com/tidegate/tidegate/devnet/chain"
	"github.com/tidegate/tidegate/devnet/market"
	"github.com/tidegate/tidegate/devnet/provider"
	filecoin "github.com/tidegate/tidegate/executor/market"
)

// ownerKey is a provider's key, as `tidegate sp` has it.
type ownerKey struct{ *ecdsa.PrivateKey }

func (k ownerKey) PublicKey() []byte { return crypto.FromECDSAPub(&k.PrivateKey.PublicKey) }

func (k ownerKey) SignFilecoin(_ context.Context, message []byte) ([]byte, error) {
	digest := blake2b.Sum256(message)
	return crypto.Sign(digest[:], k.PrivateKey)
}

// owned makes a provider whose owner's key is at hand.
func (r *real) owned() (*market.Provider, chain.Account) {
	r.Helper()
	var owner chain.Account
	for _, a := range r.net.Chain().Accounts() {
		if a.Kind == chain.Secp256k1 {
			owner = a
		}
	}
	p, err := r.market.Create(r.ctx, provider.Creation{Signer: owner})
	r.must(err)
	r.market.Allow(r.made.Contracts["StorageGate"])
	r.maker = r.newMaker()
	return p, owner
}

// push sends a call as `tidegate sp` does, by an f1 key.
func (r *real) push(from chain.Account, call filecoin.Call) {
	r.Helper()
	key, err := crypto.ToECDSA(from.Key.KeyInfo().PrivateKey)
	r.must(err)
	node, err := filecoin.Open(r.ctx, filecoin.Endpoint{URL: r.net.HTTPURL()})
	r.must(err)
	defer node.Close()
	sender, err := node.Local(r.ctx, ownerKey{key})
	r.must(err)
	priced, err := sender.Price(r.ctx, call, nil)
	r.must(err)
	message, err := sender.Push(r.ctx, priced, nil)
	r.must(err)
	landed, err := node.Await(r.ctx, message)
	r.must(err)
	if landed.Exit != 0 {
		r.Fatalf("the call of %s: exit %d", call.To, landed.Exit)
	}
}

// claim takes a deal's only seat for a miner, with a bond of 3 FIL.
func (r *real) claim(owner chain.Account, miner, deal uint64) {
	r.Helper()
	r.push(owner, filecoin.Call{To: r.at, Value: fil(3), Data: r.storage.PackClaimDeal(deal, 0, miner)})
}

func fil(n int64) *big.Int { return new(big.Int).Mul(big.NewInt(n), big.NewInt(1e18)) }
