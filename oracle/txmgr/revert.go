package txmgr

import (
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/rpc"
)

// Revert is returned by a simulation whose execution failed: repeating it on the
// same state fails the same way.
type Revert struct {
	Data  []byte // what the contract gave back; may be empty
	Words string // what the endpoint said
}

// Error is the endpoint's words; use a Decoder for the contract's.
func (r *Revert) Error() string { return "execution reverts: " + r.Words }

// Decoder turns revert data into words; "" when it does not know them.
type Decoder func(data []byte) string

// ABIDecoder knows the custom errors of the given contracts.
func ABIDecoder(contracts ...abi.ABI) Decoder {
	known := map[[4]byte]abi.Error{}
	for _, c := range contracts {
		for _, e := range c.Errors {
			known[[4]byte(e.ID[:4])] = e
		}
	}
	return func(data []byte) string {
		if len(data) < 4 {
			return ""
		}
		e, ok := known[[4]byte(data[:4])]
		if !ok {
			return ""
		}
		values, err := e.Inputs.Unpack(data[4:])
		if err != nil {
			return e.Name
		}
		args := make([]string, len(values))
		for i, v := range values {
			args[i] = argument(e.Inputs[i].Name, v)
		}
		return e.Name + "(" + strings.Join(args, ", ") + ")"
	}
}

func argument(name string, v any) string {
	text := fmt.Sprint(v)
	switch b := v.(type) {
	case []byte:
		text = hexutil.Encode(b)
	case [32]byte:
		text = hexutil.Encode(b[:])
	}
	if name == "" {
		return text
	}
	return name + " " + text
}

// describe is the best words for a revert: the contract's own, then Solidity's
// standard errors, then the selector, then what the endpoint said.
func describe(r *Revert, decode Decoder) string {
	if decode != nil {
		if s := decode(r.Data); s != "" {
			return clip(s, 500)
		}
	}
	if s, err := abi.UnpackRevert(r.Data); err == nil {
		return clip(s, 500)
	}
	if len(r.Data) >= 4 {
		return fmt.Sprintf("custom error 0x%x with %d bytes of arguments", r.Data[:4], len(r.Data)-4)
	}
	return clip(r.Words, 500)
}

// permanent are phrases of failed executions in nodes that give no code 3: the
// virtual machine's own verdicts, in go-ethereum, anvil, Lotus and Forest.
var permanent = []string{
	"execution reverted", "revert reason", "vm error", "vm execution error", "always failing transaction",
	"gas required exceeds allowance", "out of gas", "outofgas", "invalid opcode", "stack underflow", "message execution failed", "exit code 33", "exit=[",
}

var hexReason = regexp.MustCompile(`0x[0-9a-fA-F]{8,}`)

// asVerdict turns an endpoint's error into a *Revert or ErrFunds where it is one.
func asVerdict(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	low := strings.ToLower(text)
	if r := classify(err); r.class == refused && r.why == whyFunds {
		return fmt.Errorf("%w: %w", ErrFunds, err)
	}
	var coded rpc.Error
	failed := errors.As(err, &coded) && coded.ErrorCode() == 3
	for _, p := range permanent {
		failed = failed || strings.Contains(low, p)
	}
	if !failed {
		return err
	}
	return &Revert{Data: revertData(err, text), Words: clip(text, 1000)}
}

// revertData reads what came back from the error's data field, or from the words
// where a node puts it there (Lotus: "revert reason=[0x…]").
func revertData(err error, text string) []byte {
	var withData rpc.DataError
	if errors.As(err, &withData) {
		if s, ok := withData.ErrorData().(string); ok {
			if b, err := hex.DecodeString(strings.TrimPrefix(s, "0x")); err == nil && len(b) > 0 {
				return b
			}
		}
	}
	if i := strings.Index(text, "revert reason"); i >= 0 {
		if b, err := hexutil.Decode(hexReason.FindString(text[i:])); err == nil {
			return b
		}
	}
	return nil
}
