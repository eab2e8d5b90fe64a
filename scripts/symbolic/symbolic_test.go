package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func TestPlantedChangesFitTheSourcesAndEveryCheckHasOne(t *testing.T) {
	t.Chdir("../..")
	all, err := readPlanted(plantedFile)
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, p := range all {
		named[p.Check] = true
		source, err := os.ReadFile(p.File)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(source), p.From); n != 1 || p.From == p.To {
			t.Errorf("%q stands in %s %d times", p.From, p.File, n)
		}
	}
	checks := checksOf(t)
	for _, name := range checks {
		if !named[name] {
			t.Errorf("no planted change is for %s to find", name)
		}
		delete(named, name)
	}
	if len(checks) < 20 || len(named) != 0 {
		t.Errorf("%d checks; planted changes for others: %v", len(checks), named)
	}
}

// checksOf lists the checks of the groups that are run.
func checksOf(t *testing.T) (names []string) {
	files, err := os.ReadDir("test/symbolic")
	if err != nil {
		t.Fatal(err)
	}
	contract := regexp.MustCompile(`(?m)^contract (\w+Checks)`)
	function := regexp.MustCompile(`function (check_\w+)`)
	for _, f := range files {
		source, err := os.ReadFile("test/symbolic/" + f.Name())
		if err != nil {
			t.Fatal(err)
		}
		of := contract.FindSubmatch(source)
		if of == nil {
			continue
		}
		if !slices.Contains(groups, string(of[1])) {
			t.Errorf("%s is not run", of[1])
		}
		for _, m := range function.FindAllSubmatch(source, -1) {
			names = append(names, string(of[1])+"."+string(m[1]))
		}
	}
	return names
}
