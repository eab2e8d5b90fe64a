package bindings

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
)

// placeholder is what the compiler leaves where a library's address belongs.
var placeholder = regexp.MustCompile(`__\$[0-9a-f]{34}\$__`)

// Link puts the addresses of libraries into creation code (hex, as in a
// binding's MetaData). Libraries are named as the compiler names them, by source
// and name: "contracts/storage/Deals.sol:Deals". Those that the code does not use
// are passed over; one that it uses and that is not given is an error.
func Link(code string, libraries map[string]common.Address) (string, error) {
	for name, at := range libraries {
		mark := fmt.Sprintf("__$%x$__", crypto.Keccak256([]byte(name))[:17])
		code = strings.ReplaceAll(code, mark, hex.EncodeToString(at[:]))
	}
	if missing := placeholder.FindString(code); missing != "" {
		return "", fmt.Errorf("linking: the code uses a library that was not given (%s)", missing)
	}
	return code, nil
}
