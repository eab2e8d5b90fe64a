package cli

import (
	"fmt"
	"os"
	"strings"
	"unicode"
)

// shellEnv gives what a shell needs to use the devnet, as lines to `source`: the
// endpoint by the name that cast and forge know, each contract, the keys and their
// addresses, the miners.
func shellEnv(info devnetInfo) string {
	var b strings.Builder
	set := func(name, value string) { fmt.Fprintf(&b, "export %s='%s'\n", name, value) }
	set("ETH_RPC_URL", info.withToken(info.RPC))
	set("CHAIN_ID", fmt.Sprint(info.ChainID))
	for _, name := range sortedKeys(info.Contracts) {
		set(shoutingSnake(name), info.Contracts[name].Hex())
	}
	for i, k := range info.Keys {
		set(fmt.Sprintf("ADDRESS_%d", i), k.Address.Hex())
		set(fmt.Sprintf("KEY_%d", i), k.PrivateKey)
	}
	for i, m := range info.Miners {
		set(fmt.Sprintf("MINER_%d", i), m)
	}
	return b.String()
}

// shoutingSnake turns DataDAOFactory into DATA_DAO_FACTORY.
func shoutingSnake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToUpper(r))
	}
	return b.String()
}

// writeShellEnv writes the file of --env-out at once, so that who waits for it
// finds it whole.
func writeShellEnv(path string, info devnetInfo) error {
	if path == "" {
		return nil
	}
	if err := os.WriteFile(path+".new", []byte(shellEnv(info)), 0o600); err != nil {
		return fmt.Errorf("--env-out: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("--env-out: %w", err)
	}
	return nil
}
