package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// finding is one of slither's results.
type finding struct {
	Check       string    `json:"check"`
	Impact      string    `json:"impact"`
	Description string    `json:"description"`
	Elements    []element `json:"elements"`
}

// element is a piece of source that a finding points at.
type element struct {
	Name   string `json:"name"`
	Fields struct {
		Parent *element `json:"parent"`
	} `json:"type_specific_fields"`
}

// path says where an element is, without file or line.
func (e element) path() string {
	name := strings.Join(strings.Fields(e.Name), " ")
	if p := e.Fields.Parent; p != nil && !strings.HasSuffix(p.Name, ".sol") {
		return p.path() + "." + name
	}
	return name
}

// key is what a finding is known by: its check, its place, and eight digits of
// the hash of all that it points at.
func (f finding) key() string {
	where := "everywhere"
	all := make([]string, len(f.Elements))
	for i, e := range f.Elements {
		all[i] = e.path()
	}
	if len(all) > 0 {
		where = all[0]
	}
	slices.Sort(all) // slither's own order changes from run to run
	hash := sha256.Sum256([]byte(strings.Join(all, "\n")))
	return f.Check + " " + where + " " + hex.EncodeToString(hash[:4])
}

// parseBaseline reads the keys of the findings that are known. A paragraph is a
// reason ("why: ..." and what follows it) and then, indented, the keys.
func parseBaseline(text string) (map[string]bool, error) {
	known := map[string]bool{}
	reason := false
	for number, line := range strings.Split(text, "\n") {
		switch trimmed := strings.TrimSpace(line); {
		case trimmed == "":
			reason = false
		case strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "why: ") && len(trimmed) > len("why: "):
			reason = true
		case !strings.HasPrefix(line, "    "):
			if !reason {
				return nil, fmt.Errorf("line %d: a reason begins with \"why: \"", number+1)
			}
		case !reason:
			return nil, fmt.Errorf("line %d: a finding without a reason", number+1)
		case known[trimmed]:
			return nil, fmt.Errorf("line %d: a second time", number+1)
		default:
			known[trimmed] = true
		}
	}
	if len(known) == 0 {
		return nil, errors.New("it names no finding")
	}
	return known, nil
}

// compare says which findings are new, and which keys nothing was found for.
func compare(known map[string]bool, found []finding) (fresh []finding, stale []string) {
	seen := map[string]bool{}
	for _, f := range found {
		seen[f.key()] = true
		if !known[f.key()] {
			fresh = append(fresh, f)
		}
	}
	for key := range known {
		if !seen[key] {
			stale = append(stale, key)
		}
	}
	slices.Sort(stale)
	return fresh, stale
}
