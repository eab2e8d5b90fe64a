package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
)

// result is one row. Baseline values and ratio are null where there is nothing
// to compare with.
type result struct {
	Name          string   `json:"name"`
	Value         float64  `json:"value"`
	Unit          string   `json:"unit"`
	Baseline      string   `json:"baseline"`
	BaselineValue *float64 `json:"baseline_value"`
	Ratio         *float64 `json:"ratio"`
	Method        string   `json:"method"`
}

// against adds what the row is compared with.
func (r result) against(baseline string, value float64) result {
	if baseline == "" || value == 0 {
		return r
	}
	ratio := math.Round(r.Value/value*1000) / 1000
	r.Baseline, r.BaselineValue, r.Ratio = baseline, &value, &ratio
	return r
}

// table prints all rows for people.
func table(out io.Writer, rows []result) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tVALUE\tUNIT\tBASELINE\tITS VALUE\tRATIO\tMETHOD")
	for _, r := range rows {
		baseline, value, ratio := "-", "-", "-"
		if r.Ratio != nil {
			baseline, value, ratio = r.Baseline, short(*r.BaselineValue), strconv.FormatFloat(*r.Ratio, 'f', 2, 64)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, short(r.Value), r.Unit, baseline, value, ratio, r.Method)
	}
	return w.Flush()
}

// short gives whole numbers above a hundred, three digits below.
func short(v float64) string {
	if math.Abs(v) >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// lines writes one JSON object a row.
func lines(out io.Writer, rows []result) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for _, r := range rows {
		if err := e.Encode(r); err != nil {
			return fmt.Errorf("writing the result of %s: %w", r.Name, err)
		}
	}
	return nil
}
