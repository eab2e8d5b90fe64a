package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const printed = `goos: linux
BenchmarkPinSmall/kubo-2         	       1	8000000000 ns/op	       370.0 pins/s
BenchmarkPinSmall/tidegate-2     	       1	3000000000 ns/op	      1100 pins/s
BenchmarkPinSmall/kubo-2         	       1	8000000000 ns/op	       350.0 pins/s
BenchmarkPinSmall/tidegate-2     	       1	3000000000 ns/op	       900 pins/s
BenchmarkPinSmall/kubo-2         	       1	8000000000 ns/op	       400.0 pins/s
BenchmarkPinSmall/tidegate-2     	       1	3000000000 ns/op	      1000 pins/s
PASS
`

func TestRowsComeFromMedians(t *testing.T) {
	row := goRow{name: "pin", sub: "tidegate", unit: "pins/s", baselineSub: "kubo", baseline: "Kubo"}
	r, err := row.result(parseBench(strings.NewReader(printed), "BenchmarkPinSmall"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Value != 1000 || *r.BaselineValue != 370 || *r.Ratio != 2.703 {
		t.Errorf("value %v, baseline %v, ratio %v", r.Value, *r.BaselineValue, *r.Ratio)
	}
}

func TestAMissingMetricIsAnError(t *testing.T) {
	for _, row := range []goRow{
		{name: "pin", sub: "tidegate", unit: "MiB/s"},
		{name: "pin", sub: "nobody", unit: "pins/s"},
		{name: "pin", sub: "tidegate", unit: "pins/s", baselineSub: "nobody", baseline: "x"},
	} {
		if _, err := row.result(parseBench(strings.NewReader(printed), "BenchmarkPinSmall")); err == nil {
			t.Errorf("%+v gave a result", row)
		}
	}
}

func TestMetricsWithoutProcessorSuffix(t *testing.T) {
	got := parseBench(strings.NewReader("BenchmarkStart \t 12\t 5000000 ns/op\t 12 B/op\n"), "BenchmarkStart")
	row := goRow{name: "start", unit: "ns/op", as: "ms", scale: 1e-6, baseline: "ceiling", baselineValue: 1000}
	r, err := row.result(got)
	if err != nil {
		t.Fatal(err)
	}
	if r.Value != 5 || r.Unit != "ms" || *r.Ratio != 0.005 {
		t.Errorf("got %+v with ratio %v", r, *r.Ratio)
	}
}

func TestGasIsReadPerAnswer(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Answer.json"), []byte(`{"fifty": "1000000"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	row := gasRow{name: "gas/fifty", group: "Answer", entry: "fifty", each: 50, baseline: "ceiling", baselineValue: 25_000}
	value, err := row.read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r := row.result(value); r.Value != 20_000 || *r.Ratio != 0.8 || r.Unit != "gas" {
		t.Errorf("got %+v", r)
	}
	row.entry = "sixty"
	if _, err := row.read(dir); err == nil {
		t.Error("an entry that is not there was read")
	}
}

func TestLinesHaveEveryKey(t *testing.T) {
	var out bytes.Buffer
	rows := []result{{Name: "a", Value: 1, Unit: "x", Method: "m"}, result{Name: "b", Value: 3, Unit: "x"}.against("c", 2)}
	if err := lines(&out, rows); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		var keys map[string]any
		if err := json.Unmarshal([]byte(line), &keys); err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"name", "value", "unit", "baseline", "baseline_value", "ratio", "method"} {
			if _, ok := keys[key]; !ok {
				t.Errorf("%s has no %s", strings.TrimSpace(line), key)
			}
		}
	}
}

func TestUnknownPrefixNamesWhatThereIs(t *testing.T) {
	err := run(context.Background(), "nothing/", "", io.Discard, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "gas/ask-bytes") {
		t.Errorf("got %v", err)
	}
}

func TestNamesAreDistinct(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range names() {
		if seen[name] {
			t.Errorf("%s is there twice", name)
		}
		seen[name] = true
	}
}

// A suite whose benchmark was renamed or removed would fail only when somebody runs it.
func TestEveryBenchmarkExists(t *testing.T) {
	for _, suite := range goSuites {
		files, err := filepath.Glob(filepath.Join("../..", suite.pkg, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(source), "func "+suite.bench+"(b *testing.B)")
		}
		if !found {
			t.Errorf("%s has no %s", suite.pkg, suite.bench)
		}
	}
}
