package solc

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSourcesComeWithWhatTheyImport(t *testing.T) {
	root := fstest.MapFS{
		"contracts/a/A.sol":                {Data: []byte("import { B } from \"../b/B.sol\";\nimport {\n    C,\n    D\n} from \"@openzeppelin/C.sol\";\n")},
		"contracts/b/B.sol":                {Data: []byte("import \"./../a/A.sol\";\n")},
		"node_modules/@openzeppelin/C.sol": {Data: []byte("import \"forge-std/T.sol\";\n")},
		stdIn + "T.sol":                    {},
	}
	all := Sources{}
	if err := all.Add(root, "contracts/a/A.sol"); err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Fatalf("%d files", len(all))
	}
	if err := (Sources{}).Add(fstest.MapFS{"a.sol": {Data: []byte("import \"./b.sol\";\n")}}, "a.sol"); err == nil {
		t.Fatal("an import that is missing was taken")
	}
}

// What is compiled here has to be what forge compiles.
func TestSettingsAreFoundrys(t *testing.T) {
	raw, err := os.ReadFile("../../foundry.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`evm_version = "cancun"`, "optimizer = true", "optimizer_runs = 200", "via_ir = false", `bytecode_hash = "none"`, "cbor_metadata = false",
		`"` + remapped + "=" + mappedTo + `"`, `"` + forgeStd + "=" + stdIn + `"`,
	} {
		if !strings.Contains(string(raw), line) {
			t.Errorf("foundry.toml has no %s: change scripts/solc too", line)
		}
	}
}

// A compiler that stays says of each input what one of its own would say.
func TestACompilerThatStaysSaysTheSame(t *testing.T) {
	want := Selection{"*": {"*": {"evm.bytecode.object"}}}
	good := Sources{"A.sol": "pragma solidity 0.8.30;\ncontract A { function f() external pure returns (string memory) { return \"a\\nb\"; } }\n"}.Input(want)
	bad := Sources{"A.sol": "pragma solidity 0.8.30;\ncontract A {\n"}.Input(want)
	alone, err := Compile(context.Background(), "../..", good)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start(context.Background(), "../..")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		var wrong *Error
		if _, err := c.Compile(bad); !errors.As(err, &wrong) {
			t.Fatalf("what is wrong gave %v", err)
		}
		got, err := c.Compile(good)
		if err != nil {
			t.Fatal(err)
		}
		if g, w := string(got.Contracts["A.sol"]["A"]["evm"]), string(alone.Contracts["A.sol"]["A"]["evm"]); g != w || len(g) < 100 {
			t.Fatalf("got %s, alone %s", g, w)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
