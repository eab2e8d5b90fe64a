package devnet

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/devnet/chain"
)

// Mnemonic is the well-known phrase that the funded accounts derive from, along
// m/44'/60'/0'/0/i. Everybody knows it: never use it where money is real.
const Mnemonic = chain.Mnemonic

// AccountBalance is what each account holds in the first tipset: 10,000 FIL, in attoFIL.
func AccountBalance() *big.Int { return chain.AccountBalance().Int }

// Account is one funded key of the devnet.
type Account struct {
	Address    common.Address `json:"address"`
	PrivateKey string         `json:"privateKey"` // 32 bytes in hex, with 0x
}

// Key is the account's private key, ready to sign.
func (a Account) Key() *ecdsa.PrivateKey {
	key, err := crypto.HexToECDSA(a.PrivateKey[2:])
	if err != nil {
		panic(fmt.Sprintf("devnet: account %s has a malformed private key: %v", a.Address, err))
	}
	return key
}

var accounts = sync.OnceValue(func() []Account {
	var out []Account
	for _, text := range chain.PhraseKeys() {
		a := Account{PrivateKey: "0x" + text}
		a.Address = crypto.PubkeyToAddress(a.Key().PublicKey)
		out = append(out, a)
	}
	return out
})

// Accounts returns the ten funded accounts, always the same and in the same
// order. Each holds AccountBalance in the first tipset.
func Accounts() []Account { return append([]Account(nil), accounts()...) }

// KnownKeys returns the addresses whose private keys are public because they
// belong to devnets. A daemon must refuse them on a network where money is real.
func KnownKeys() map[common.Address]bool {
	known := make(map[common.Address]bool)
	for _, a := range accounts() {
		known[a.Address] = true
	}
	return known
}
