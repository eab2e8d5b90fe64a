package solc

import (
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
