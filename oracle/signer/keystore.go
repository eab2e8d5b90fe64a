package signer

import (
	"bufio"
	"crypto/ecdsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// maxKeyFile bounds what is read of a file that should be a key: real ones have
// about 500 bytes.
const maxKeyFile = 64 << 10

// Account is a keystore file and the address that it says it holds.
type Account struct {
	Address common.Address
	Path    string
}

// Strength is the cost of guessing a keystore's password.
type Strength struct{ N, P int }

// Standard takes about a second and 256 MiB to open; Light a few milliseconds.
var (
	Standard = Strength{N: keystore.StandardScryptN, P: keystore.StandardScryptP}
	Light    = Strength{N: keystore.LightScryptN, P: keystore.LightScryptP}
)

// Create makes a new random key and stores it encrypted in dir, which is created
// with mode 0700 if need be; the file has mode 0600.
func Create(dir, password string, strength Strength) (Account, error) {
	key, err := crypto.GenerateKey()
	if err != nil {
		return Account{}, fmt.Errorf("making a key: %w", err)
	}
	return store(dir, key, password, strength)
}

// Import stores a private key given as 64 hex digits encrypted in dir. A key that
// is there already is refused with fs.ErrExist.
func Import(dir, hexKey, password string, strength Strength) (Account, error) {
	s, err := FromHex(strings.TrimSpace(hexKey))
	if err != nil {
		return Account{}, err
	}
	l := s.(*local)
	have, err := List(dir)
	if err != nil {
		return Account{}, err
	}
	for _, a := range have {
		if a.Address == l.address {
			return Account{}, fmt.Errorf("%s is in %s already: %w", a.Address, a.Path, fs.ErrExist)
		}
	}
	return store(dir, l.key(), password, strength)
}

func store(dir string, key *ecdsa.PrivateKey, password string, strength Strength) (Account, error) {
	if password == "" {
		return Account{}, errors.New("a keystore needs a password that is not empty")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Account{}, fmt.Errorf("making the keystore directory: %w", err)
	}
	made, err := keystore.NewKeyStore(dir, strength.N, strength.P).ImportECDSA(key, password)
	if err != nil {
		return Account{}, fmt.Errorf("storing a key in %s: %w", dir, err)
	}
	return Account{Address: made.Address, Path: made.URL.Path}, nil
}

// List names the keystore files in dir, by address. Files that are no keystores
// are left out; a directory that does not exist has none.
func List(dir string) ([]Account, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	var out []Account
	for _, e := range entries {
		if !e.Type().IsRegular() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		raw, err := readBounded(path)
		if err != nil {
			return nil, err
		}
		if a, ok := addressOf(raw); ok {
			out = append(out, Account{Address: a, Path: path})
		}
	}
	sort.Slice(out, func(i, j int) bool {
		if out[i].Address != out[j].Address {
			return out[i].Address.Cmp(out[j].Address) < 0
		}
		return out[i].Path < out[j].Path
	})
	return out, nil
}

// addressOf reads the clear-text address of a keystore file.
func addressOf(raw []byte) (common.Address, bool) {
	var head struct {
		Address string          `json:"address"`
		Crypto  json.RawMessage `json:"crypto"`
	}
	if json.Unmarshal(raw, &head) != nil || len(head.Crypto) == 0 || !common.IsHexAddress(head.Address) {
		return common.Address{}, false
	}
	return common.HexToAddress(head.Address), true
}

func openKeystore(spec Spec) (Signer, error) {
	path, err := keyFile(spec)
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	raw, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	password, err := readPassword(spec)
	if err != nil {
		return nil, err
	}
	key, err := keystore.DecryptKey(raw, password)
	if errors.Is(err, keystore.ErrDecrypt) {
		return nil, fmt.Errorf("keystore %s: wrong password: check %s", path, passwordSource(spec))
	}
	if err != nil {
		return nil, fmt.Errorf("keystore %s is not a readable key file: %w", path, err)
	}
	return newLocal(key.PrivateKey), nil
}

// keyFile resolves a directory to the one file that is meant.
func keyFile(spec Spec) (string, error) {
	info, err := os.Stat(spec.Keystore)
	if err != nil {
		return "", fmt.Errorf("%w: keystore: %w; `tidegate keys new` makes one", ErrNoKey, err)
	}
	if !info.IsDir() {
		return spec.Keystore, nil
	}
	accounts, err := List(spec.Keystore)
	if err != nil {
		return "", err
	}
	var found []Account
	for _, a := range accounts {
		if spec.Address == (common.Address{}) || a.Address == spec.Address {
			found = append(found, a)
		}
	}
	switch len(found) {
	case 0:
		return "", fmt.Errorf("%w: %s holds no fitting key file; `tidegate keys new` makes one", ErrNoKey, spec.Keystore)
	case 1:
		return found[0].Path, nil
	default:
		return "", fmt.Errorf("%s holds %d fitting key files: name the file or the address", spec.Keystore, len(found))
	}
}

func readPassword(spec Spec) (string, error) {
	switch {
	case spec.PasswordFile != "" && spec.PasswordEnv != "":
		return "", errors.New("password file and password variable are alternatives: keep one of them")
	case spec.PasswordEnv != "":
		p, ok := os.LookupEnv(spec.PasswordEnv)
		if !ok {
			return "", fmt.Errorf("the environment variable %s with the keystore's password is not set", spec.PasswordEnv)
		}
		return p, nil
	case spec.PasswordFile == "":
		return "", errors.New("the keystore needs a password: name a password file, or an environment variable that holds it")
	}
	if err := checkPrivate(spec.PasswordFile); err != nil {
		return "", err
	}
	raw, err := readBounded(spec.PasswordFile)
	if err != nil {
		return "", err
	}
	line, err := bufio.NewReader(strings.NewReader(string(raw))).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading password file %s: %w", spec.PasswordFile, err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

func passwordSource(spec Spec) string {
	if spec.PasswordEnv != "" {
		return "the environment variable " + spec.PasswordEnv
	}
	return "the password file " + spec.PasswordFile
}

// checkPrivate refuses a secret that others on this machine can read or replace.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoKey, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("%s has mode %04o and can be read by others: run `chmod 600 %s`", path, mode, path)
	}
	return nil
}

func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading a key file: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if len(raw) > maxKeyFile {
		return raw[:maxKeyFile], nil // no key file; the caller's decoder says so
	}
	return raw, nil
}
