package devnet

import (
	"crypto/ecdsa"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// Mnemonic is the well-known phrase that the funded accounts derive from, along
// m/44'/60'/0'/0/i. Everybody knows it: never use it where money is real.
const Mnemonic = "test test test test test test test test test test test junk"

// AccountBalance is what each account holds in the first block: 10,000 FIL, in attoFIL.
func AccountBalance() *big.Int {
	return new(big.Int).Mul(big.NewInt(10_000), big.NewInt(1e18))
}

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

var accounts = [...]Account{
	known("f39Fd6e51aad88F6F4ce6aB8827279cffFb92266", "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"),
	known("70997970C51812dc3A010C7d01b50e0d17dc79C8", "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"),
	known("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC", "5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"),
	known("90F79bf6EB2c4f870365E785982E1f101E93b906", "7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6"),
	known("15d34AAf54267DB7D7c367839AAf71A00a2C6A65", "47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a"),
	known("9965507D1a55bcC2695C58ba16FB37d819B0A4dc", "8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba"),
	known("976EA74026E726554dB657fA54763abd0C3a0aa9", "92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e"),
	known("14dC79964da2C08b23698B3D3cc7Ca32193d9955", "4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356"),
	known("23618e81E3f5cdF7f54C3d65f7FBc0aBf5B21E8f", "dbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97"),
	known("a0Ee7A142d267C1f36714E4a8F75612F20a79720", "2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6"),
}

func known(address, key string) Account {
	return Account{Address: common.HexToAddress(address), PrivateKey: "0x" + key}
}

// Accounts returns the ten funded accounts, always the same and in the same
// order. Each holds AccountBalance in the first block.
func Accounts() []Account { return append([]Account(nil), accounts[:]...) }

// KnownKeys returns the addresses whose private keys are public because they
// belong to devnets. A daemon must refuse them on a network where money is real.
func KnownKeys() map[common.Address]bool {
	known := make(map[common.Address]bool, len(accounts))
	for _, a := range accounts {
		known[a.Address] = true
	}
	return known
}
