package chain

import (
	"encoding/hex"
	"fmt"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-state-types/abi"
	"github.com/filecoin-project/go-state-types/big"
	"github.com/filecoin-project/go-state-types/crypto"
	"github.com/filecoin-project/lotus/chain/types"

	"github.com/tidegate/tidegate/devnet/fvm/sig"
)

// Mnemonic is the well-known phrase that the Ethereum accounts derive from, along
// m/44'/60'/0'/0/i. Everybody knows it: never use it where money is real.
const Mnemonic = "test test test test test test test test test test test junk"

// phraseKeys are its first ten keys.
var phraseKeys = [...]string{
	"ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
	"59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
	"5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
	"7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
	"47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
	"8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
	"92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
	"4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
	"dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
	"2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
}

// PhraseKeys are the private keys of the Ethereum accounts, 32 bytes each in hex.
func PhraseKeys() []string { return append([]string(nil), phraseKeys[:]...) }

// AccountKind tells how an account signs.
type AccountKind string

// Kinds of accounts.
const (
	Ethereum  AccountKind = "ethereum"  // f410, the known phrase's keys
	Secp256k1 AccountKind = "secp256k1" // f1
	BLS       AccountKind = "bls"       // f3
)

// Account is a funded account and its key, which everybody can know.
type Account struct {
	Kind    AccountKind
	Address address.Address // f410, f1 or f3
	ID      abi.ActorID
	Balance abi.TokenAmount // in the first tipset
	Key     *sig.Key
}

// AccountBalance is what each funded account holds in the first tipset: 10,000 FIL,
// in attoFIL. The producer's owner holds a hundred times as much.
func AccountBalance() abi.TokenAmount {
	return big.Mul(big.NewInt(10_000), big.NewInt(1e18))
}

// Ids of the genesis, as Lotus gives them: accounts from 100, the first miner 1000.
const (
	firstAccountID abi.ActorID = 100
	firstFreeID    abi.ActorID = 1000
)

// Numbers of the keys made from the seed; accounts count from 0.
const (
	workerKey = 1 << 32
	rootKey   = workerKey + 1
)

// keyring is every key of the genesis.
type keyring struct {
	accounts []Account
	owner    Account // owner and worker of the producer, a BLS account
	root     Account // f080, who appoints notaries of the verified registry
}

func newKeyring(config Config) (*keyring, error) {
	ring := &keyring{}
	next := firstAccountID
	add := func(kind AccountKind, key *sig.Key) {
		ring.accounts = append(ring.accounts, Account{Kind: kind, Address: key.Address(), ID: next, Balance: AccountBalance(), Key: key})
		next++
	}
	for _, text := range phraseKeys {
		private, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("key of the known phrase: %w", err)
		}
		key, err := sig.ParseKey(crypto.SigTypeDelegated, private)
		if err != nil {
			return nil, fmt.Errorf("key of the known phrase: %w", err)
		}
		add(Ethereum, key)
	}
	for i := range config.Secp256k1Accounts {
		key, err := sig.GenerateKey(crypto.SigTypeSecp256k1, config.Seed, uint64(i))
		if err != nil {
			return nil, fmt.Errorf("secp256k1 account %d: %w", i, err)
		}
		add(Secp256k1, key)
	}
	for i := range config.BLSAccounts {
		key, err := sig.GenerateKey(crypto.SigTypeBLS, config.Seed, uint64(i))
		if err != nil {
			return nil, fmt.Errorf("BLS account %d: %w", i, err)
		}
		add(BLS, key)
	}
	worker, err := sig.GenerateKey(crypto.SigTypeBLS, config.Seed, workerKey)
	if err != nil {
		return nil, fmt.Errorf("the producer's key: %w", err)
	}
	root, err := sig.GenerateKey(crypto.SigTypeSecp256k1, config.Seed, rootKey)
	if err != nil {
		return nil, fmt.Errorf("the verified registry's root key: %w", err)
	}
	ring.owner = Account{Kind: BLS, Address: worker.Address(), ID: next, Balance: big.Mul(AccountBalance(), big.NewInt(100)), Key: worker}
	ring.root = Account{Kind: Secp256k1, Address: root.Address(), ID: 80, Balance: AccountBalance(), Key: root}
	return ring, nil
}

// funded is what the genesis gives to accounts, all together.
func (k *keyring) funded() abi.TokenAmount {
	total := big.Add(k.owner.Balance, k.root.Balance)
	for _, a := range k.accounts {
		total = big.Add(total, a.Balance)
	}
	return total
}

// Accounts are the funded ones: ten Ethereum, then f1, then f3.
func (c *Chain) Accounts() []Account { return append([]Account(nil), c.keys.accounts...) }

// Miner is the block producer, f01000, and its owner and worker, who signs its blocks.
func (c *Chain) Miner() (miner address.Address, owner Account) { return c.miner, c.keys.owner }

// RegistryRoot is f080, the root key holder of the verified registry.
func (c *Chain) RegistryRoot() Account { return c.keys.root }

// worker signs blocks.
type worker struct{ key *sig.Key }

func (w worker) sign(data []byte) (*crypto.Signature, error) {
	s, err := w.key.Sign(data)
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// aggregateOf is the aggregate of a block's BLS signatures; of none, the point at
// infinity.
func aggregateOf(bls []*types.SignedMessage) (*crypto.Signature, error) {
	if len(bls) == 0 {
		infinity := make([]byte, sig.BLSSignatureSize)
		infinity[0] = 0xc0
		return &crypto.Signature{Type: crypto.SigTypeBLS, Data: infinity}, nil
	}
	all := make([][]byte, len(bls))
	for i, m := range bls {
		all[i] = m.Signature.Data
	}
	data, err := sig.AggregateBLS(all)
	if err != nil {
		return nil, err
	}
	return &crypto.Signature{Type: crypto.SigTypeBLS, Data: data}, nil
}
