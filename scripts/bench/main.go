package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

func main() {
	only := flag.String("only", "", "run the benchmarks whose names begin so")
	file := flag.String("json", "", "write the results there too, one JSON object a line")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *only, *file, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures what is asked for, then prints it all, then fails if anything
// could not be measured.
func run(ctx context.Context, only, file string, out, log io.Writer) error {
	rows, failed := measure(ctx, only, log)
	if len(rows) == 0 && failed == nil {
		return fmt.Errorf("no benchmark begins with %q; there are %s", only, strings.Join(names(), ", "))
	}
	if err := table(out, rows); err != nil {
		return fmt.Errorf("printing the table: %w", err)
	}
	if file == "" {
		return failed
	}
	f, err := os.Create(file)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("creating the file of results: %w", err))
	}
	if err := errors.Join(lines(f, rows), f.Close()); err != nil {
		return errors.Join(failed, fmt.Errorf("writing the file of results: %w", err))
	}
	return failed
}

// measure runs one suite after the other: they must not disturb each other.
func measure(ctx context.Context, only string, log io.Writer) ([]result, error) {
	var rows []result
	var failed []error
	wantedGas := slices.DeleteFunc(slices.Clone(gasRows), func(r gasRow) bool { return !strings.HasPrefix(r.name, only) })
	if len(wantedGas) > 0 {
		found, err := gas(ctx, wantedGas, log)
		rows, failed = append(rows, found...), append(failed, err)
	}
	for _, suite := range goSuites {
		suite.rows = slices.DeleteFunc(slices.Clone(suite.rows), func(r goRow) bool { return !strings.HasPrefix(r.name, only) })
		if len(suite.rows) == 0 || ctx.Err() != nil {
			continue
		}
		found, err := suite.run(ctx, log)
		rows, failed = append(rows, found...), append(failed, err)
	}
	return rows, errors.Join(append(failed, ctx.Err())...)
}

// names lists every row that there is.
func names() []string {
	var all []string
	for _, r := range gasRows {
		all = append(all, r.name)
	}
	for _, suite := range goSuites {
		for _, r := range suite.rows {
			all = append(all, r.name)
		}
	}
	return all
}
