package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/tidegate/tidegate/scripts/solc"
)

// contract is one entry of contracts.json with what forge made of it.
type contract struct {
	Name    string `json:"name"`
	Package string `json:"package"`
	Source  string `json:"source"`
	About   string `json:"about"`
	// Library: linked by other contracts. Its functions take pointers to storage,
	// which no ABI has, so it is bound without any.
	Library bool `json:"library"`

	abi  string // compact JSON
	code string // creation code, hex without 0x

	selectors map[string]string // by signature
	layout    layout
}

// Limits of chains: EIP-170 on code; on Filecoin a message has 64 KiB, of which
// the constructor's arguments need some.
const (
	mostCode    = 24_576
	mostMessage = 60_000
)

// hexBytes counts the bytes that a hex string stands for.
func hexBytes(object string) int { return len(strings.TrimPrefix(object, "0x")) / 2 }

var (
	goodName    = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	goodPackage = regexp.MustCompile(`^[a-z][a-z0-9]*$`)
)

// layoutsOf gives the storage layouts of contracts by their names, as the compiler
// writes them.
type layoutsOf func(root string, suite []contract) (map[string]json.RawMessage, error)

// compiledLayouts asks the compiler: forge would give the layouts of all that it
// compiles, tests and libraries too, and take twice as long.
func compiledLayouts(root string, suite []contract) (map[string]json.RawMessage, error) {
	sources, want := solc.Sources{}, solc.Selection{}
	for _, c := range suite {
		if err := sources.Add(os.DirFS(root), c.Source); err != nil {
			return nil, err
		}
		if want[c.Source] == nil {
			want[c.Source] = map[string][]string{}
		}
		want[c.Source][c.Name] = []string{"storageLayout"}
	}
	output, err := solc.Compile(context.Background(), root, sources.Input(want))
	if err != nil {
		return nil, err
	}
	out := map[string]json.RawMessage{}
	for _, c := range suite {
		out[c.Name] = output.Contracts[c.Source][c.Name]["storageLayout"]
	}
	return out, nil
}

// readSuite reads the list, the artefact of each contract and its layout.
func readSuite(root string, layouts layoutsOf) ([]contract, error) {
	raw, err := os.ReadFile(filepath.Join(root, listFile))
	if err != nil {
		return nil, fmt.Errorf("reading the list of contracts: %w", err)
	}
	var suite []contract
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&suite); err != nil {
		return nil, fmt.Errorf("reading %s: %w", listFile, err)
	}
	if len(suite) == 0 {
		return nil, fmt.Errorf("%s lists no contract", listFile)
	}
	seen := map[string]bool{}
	for i := range suite {
		c := &suite[i]
		if !goodName.MatchString(c.Name) || !goodPackage.MatchString(c.Package) || c.Source == "" || c.About == "" {
			return nil, fmt.Errorf("%s: entry %d (%s) needs name, package, source and about", listFile, i+1, c.Name)
		}
		if seen[c.Name] || seen[c.Package] {
			return nil, fmt.Errorf("%s: %s is listed twice", listFile, c.Name)
		}
		seen[c.Name], seen[c.Package] = true, true
		if err := c.readArtefact(root); err != nil {
			return nil, err
		}
	}
	found, err := layouts(root, suite)
	if err != nil {
		return nil, fmt.Errorf("storage layouts: %w", err)
	}
	for i := range suite {
		if err := suite[i].layout.unmarshal(suite[i].Name, found[suite[i].Name]); err != nil {
			return nil, err
		}
	}
	return suite, nil
}

func (c *contract) readArtefact(root string) error {
	file := filepath.Join(root, "out", path.Base(c.Source), c.Name+".json")
	raw, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s has no artefact %s: run forge build", c.Name, file)
	}
	if err != nil {
		return fmt.Errorf("reading the artefact of %s: %w", c.Name, err)
	}
	var artefact struct {
		ABI      json.RawMessage `json:"abi"`
		Bytecode struct {
			Object string `json:"object"`
		} `json:"bytecode"`
		Deployed struct {
			Object string `json:"object"`
		} `json:"deployedBytecode"`
		Selectors map[string]string `json:"methodIdentifiers"`
	}
	if err := json.Unmarshal(raw, &artefact); err != nil {
		return fmt.Errorf("reading the artefact of %s: %w", c.Name, err)
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, artefact.ABI); err != nil {
		return fmt.Errorf("reading the ABI of %s: %w", c.Name, err)
	}
	c.abi = compact.String()
	if c.Library {
		c.abi = "[]"
	}
	c.code = strings.TrimPrefix(artefact.Bytecode.Object, "0x")
	if c.code == "" {
		return fmt.Errorf("%s has no creation code: is it abstract?", c.Name)
	}
	if size := hexBytes(artefact.Deployed.Object); size > mostCode {
		return fmt.Errorf("the code of %s has %d bytes, a chain takes %d: split it", c.Name, size, mostCode)
	}
	if size := hexBytes(c.code); size > mostMessage {
		return fmt.Errorf("the creation code of %s has %d bytes, a Filecoin message may have %d: split it", c.Name, size, mostMessage)
	}
	c.selectors = artefact.Selectors
	return nil
}
