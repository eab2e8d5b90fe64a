package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// goSuite is one Go benchmark function with what is reported of it.
type goSuite struct {
	pkg, bench string
	benchtime  string // "" for go test's own
	count      int    // runs, of which the median counts
	rows       []goRow
}

// goRow is one metric of a benchmark.
type goRow struct {
	name string
	sub  string // sub-benchmark, "" for the function itself
	unit string // as the benchmark prints it
	// as and scale turn it into another unit for the report.
	as    string
	scale float64
	// What it is compared with: baselineSub's same metric, the benchmark's own metric
	// baselineUnit, or baselineValue.
	baseline      string
	baselineSub   string
	baselineUnit  string
	baselineValue float64
	method        string
}

// samples are the values of each metric of each benchmark, by "sub unit".
type samples map[string][]float64

// run measures a suite.
func (s goSuite) run(ctx context.Context, log io.Writer) ([]result, error) {
	args := []string{"test", "-run", "^$", "-bench", "^" + s.bench + "$", "-count", strconv.Itoa(max(s.count, 1)), "-timeout", "60m"}
	if s.benchtime != "" {
		args = append(args, "-benchtime", s.benchtime)
	}
	args = append(args, s.pkg)
	fmt.Fprintln(log, "go", strings.Join(args, " "))
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Stdout = io.MultiWriter(&out, log)
	cmd.Stderr = log
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", s.bench, s.pkg, err)
	}
	measured := parseBench(&out, s.bench)
	var found []result
	for _, row := range s.rows {
		r, err := row.result(measured)
		if err != nil {
			return found, fmt.Errorf("%s of %s: %w", s.bench, s.pkg, err)
		}
		found = append(found, r)
	}
	return found, nil
}

// benchLine is "BenchmarkName/sub-8   N   value unit   value unit …".
var benchLine = regexp.MustCompile(`^(Benchmark[^\s]*?)(?:-\d+)?\s+\d+\s+(.*)$`)

// parseBench reads what go test prints of one benchmark function.
func parseBench(in io.Reader, bench string) samples {
	found := samples{}
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		m := benchLine.FindStringSubmatch(strings.TrimSpace(scanner.Text()))
		if m == nil {
			continue
		}
		sub := strings.TrimPrefix(strings.TrimPrefix(m[1], bench), "/")
		fields := strings.Fields(m[2])
		for i := 0; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				key := sub + " " + fields[i+1]
				found[key] = append(found[key], value)
			}
		}
	}
	return found
}

func (r goRow) result(measured samples) (result, error) {
	value, ok := median(measured[r.sub+" "+r.unit])
	if !ok {
		return result{}, fmt.Errorf("%s: printed no %s", r.name, r.unit)
	}
	scale := cmp.Or(r.scale, 1)
	baseline := r.baselineValue
	if r.baselineSub != "" || r.baselineUnit != "" {
		sub, unit := cmp.Or(r.baselineSub, r.sub), cmp.Or(r.baselineUnit, r.unit)
		of, ok := median(measured[sub+" "+unit])
		if !ok {
			return result{}, fmt.Errorf("%s: its baseline %s printed no %s", r.name, sub, unit)
		}
		baseline = of * scale
	}
	return result{
		Name: r.name, Value: value * scale, Unit: cmp.Or(r.as, r.unit), Method: r.method,
	}.against(r.baseline, baseline), nil
}

// median of an even number of values is the mean of the middle two.
func median(values []float64) (float64, bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle], true
	}
	return (sorted[middle-1] + sorted[middle]) / 2, true
}
