package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi/abigen"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/tidegate/tidegate/bindings"
)

const note = "Written by scripts/gen, but for deployments, which people add: the suite's public deployments, one a chain."

// unlinked is the room for a library's address in code, which counts as zeros
// in the code's hash.
var unlinked = regexp.MustCompile(`__\$[0-9a-f]{34}\$__`)

// nameless are the dependencies that abigen writes for libraries which it is not
// told of. bindings.Link puts them in, by the compiler's names.
var nameless = regexp.MustCompile(`(?m)^\tDeps: \[\]\*bind\.MetaData\{\n(?:\t\t&MetaData,\n)+\t\},\n`)

// render gives every generated file by its path from the root.
func render(root string, suite []contract) (map[string][]byte, error) {
	files := map[string][]byte{}
	hashes := map[string]common.Hash{}
	for _, c := range suite {
		source, err := c.binding()
		if err != nil {
			return nil, err
		}
		files[c.file()] = source
		snapshots, err := c.snapshots()
		if err != nil {
			return nil, err
		}
		maps.Copy(files, snapshots)
		code, err := hex.DecodeString(unlinked.ReplaceAllString(c.code, strings.Repeat("0", 40)))
		if err != nil {
			return nil, fmt.Errorf("decoding the creation code of %s: %w", c.Name, err)
		}
		hashes[c.Name] = crypto.Keccak256Hash(code)
	}
	record, err := renderRecord(root, hashes)
	if err != nil {
		return nil, err
	}
	files[recordFile] = record
	return files, nil
}

// file is where a contract's binding is.
func (c contract) file() string {
	return filepath.Join(bindingsDir, c.Package, c.Package+".go")
}

// binding gives the contract's Go package: abigen's output under our own first
// line, with a package comment.
func (c contract) binding() ([]byte, error) {
	source, err := abigen.BindV2([]string{c.Name}, []string{c.abi}, []string{c.code}, c.Package,
		map[string]string{}, map[string]string{})
	if err != nil {
		return nil, fmt.Errorf("binding %s: %w", c.Name, err)
	}
	clause := "\npackage " + c.Package + "\n"
	_, body, found := strings.Cut(source, clause)
	if !found {
		return nil, fmt.Errorf("binding %s: abigen's output has no package clause", c.Name)
	}
	body = nameless.ReplaceAllString(body, "")
	head := fmt.Sprintf(generatedBy+"(abigen v2) from %s. DO NOT EDIT.\n\n"+
		"//lint:file-ignore ST1005 abigen words its errors so\n\n"+
		"// Package %s binds the contract %s, which %s:\n"+
		"// pure functions that pack calls and unpack results, events and errors, and the\n"+
		"// creation code. It sends nothing.\n", c.Source, c.Package, c.Name, c.About)
	return []byte(head + strings.TrimPrefix(clause, "\n") + body), nil
}

// renderRecord renews the hashes of deployments.json and keeps the rest.
func renderRecord(root string, hashes map[string]common.Hash) ([]byte, error) {
	file, err := os.Open(filepath.Join(root, recordFile))
	if err != nil {
		return nil, fmt.Errorf("opening deployments: %w", err)
	}
	defer file.Close()
	record, err := bindings.Read(file)
	if err != nil {
		return nil, err
	}
	record.Note, record.InitCode = note, hashes
	raw, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("encoding deployments: %w", err)
	}
	return append(raw, '\n'), nil
}
