// Package easm assembles small EVM contracts for tests of the devnet, which has no
// compiler: opcodes by name, numbers as pushes of the shortest form, "name:" a jump
// target, "@name" a push of its place.
//
// It is not an assembler for anything else: it knows the opcodes that tests use, and
// contracts up to 64 KiB.
package easm

import (
	"encoding/binary"
	"fmt"
	"math/big"
	"strings"
)

var opcodes = map[string]byte{
	"STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "EQ": 0x14, "ISZERO": 0x15, "SHL": 0x1b, "SHR": 0x1c, "CALLER": 0x33, "CALLVALUE": 0x34,
	"CALLDATALOAD": 0x35, "CALLDATASIZE": 0x36, "CALLDATACOPY": 0x37, "RETURNDATASIZE": 0x3d, "RETURNDATACOPY": 0x3e, "POP": 0x50,
	"MSTORE": 0x52, "SLOAD": 0x54, "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "GAS": 0x5a, "JUMPDEST": 0x5b, "TLOAD": 0x5c,
	"TSTORE": 0x5d, "PUSH0": 0x5f, "DUP1": 0x80, "DUP2": 0x81, "DUP3": 0x82, "SWAP1": 0x90, "LOG1": 0xa1, "LOG2": 0xa2, "CALL": 0xf1,
	"RETURN": 0xf3, "DELEGATECALL": 0xf4, "STATICCALL": 0xfa, "REVERT": 0xfd, "INVALID": 0xfe,
}

// Assemble turns assembly into code.
func Assemble(src string) ([]byte, error) {
	var code []byte
	labels, uses := map[string]int{}, map[int]string{}
	for _, word := range strings.Fields(src) {
		switch {
		case strings.HasSuffix(word, ":"):
			labels[strings.TrimSuffix(word, ":")] = len(code)
			code = append(code, opcodes["JUMPDEST"])
		case word[0] == '@':
			uses[len(code)+1] = word[1:]
			code = append(code, 0x61, 0, 0)
		case word[0] >= '0' && word[0] <= '9':
			n, ok := new(big.Int).SetString(word, 0)
			if !ok || n.BitLen() > 256 {
				return nil, fmt.Errorf("assemble: %q is no word", word)
			}
			b := n.Bytes()
			code = append(append(code, opcodes["PUSH0"]+byte(len(b))), b...)
		default:
			op, ok := opcodes[word]
			if !ok {
				return nil, fmt.Errorf("assemble: no opcode %q", word)
			}
			code = append(code, op)
		}
	}
	if len(code) > 1<<16-1 {
		return nil, fmt.Errorf("assemble: %d bytes of code", len(code))
	}
	for at, name := range uses {
		target, ok := labels[name]
		if !ok {
			return nil, fmt.Errorf("assemble: no label %q", name)
		}
		binary.BigEndian.PutUint16(code[at:], uint16(target))
	}
	return code, nil
}

// InitCode wraps a contract so that deploying it leaves it as it is.
func InitCode(code []byte) []byte {
	head := []byte{0x61, byte(len(code) >> 8), byte(len(code)), 0x80, 0x60, 0x0c, 0x60, 0, 0x39, 0x60, 0, 0xf3}
	return append(head, code...)
}
