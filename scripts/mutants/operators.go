package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// mutant is one change of one function.
type mutant struct {
	group    int
	file     string
	function string
	operator string
	at       int // byte of the file
	old, new string
	line     int
	text     string // the line that is changed, without the spaces around it
	again    int    // 2 for the second of the same key in a file, and so on
}

// key names a mutant in equivalent.txt, where lines may move.
func (m mutant) key() string {
	key := fmt.Sprintf("%s %s %s: %s [%s]", m.file, m.function, m.operator, m.text, m.change())
	if m.again > 1 {
		key += fmt.Sprintf(" #%d", m.again)
	}
	return key
}

func (m mutant) change() string { return strings.TrimSpace(m.old) + " -> " + strings.TrimSpace(m.new) }

func (m mutant) apply(source string) string {
	return source[:m.at] + m.new + source[m.at+len(m.old):]
}

// swaps are the operators that put one token in place of another. forge fmt sees
// to the spaces around them.
var swaps = []struct{ name, old, new string }{
	{"boundary", " < ", " <= "}, {"boundary", " <= ", " < "}, {"boundary", " > ", " >= "}, {"boundary", " >= ", " > "},
	{"equality", " == ", " != "}, {"equality", " != ", " == "},
	{"logic", " && ", " || "}, {"logic", " || ", " && "},
	{"arithmetic", " + ", " - "}, {"arithmetic", " - ", " + "}, {"arithmetic", " * ", " / "}, {"arithmetic", " / ", " * "},
	{"arithmetic", " += ", " -= "}, {"arithmetic", " -= ", " += "},
	{"boolean", "true", "false"}, {"boolean", "false", "true"},
}

var (
	number = regexp.MustCompile(`\b\d[\d_]*\b`)
	// A statement that is dropped: a call or an assignment to what exists, or a check.
	dropped = regexp.MustCompile(`(?m)^ +((?:if \(.*\) (?:revert|return) .*|if \(.*\) revert .*|else .*|\(?[a-zA-Z_][\w.\[\]()]*(?:, [\w.\[\]()]+)*\)? [-+|&]?= .*|[a-zA-Z_][\w.]*\(.*\));)$`)
	word    = regexp.MustCompile(`\w`)
)

// mutantsOf lists every change of a function's body.
func mutantsOf(group int, file, source, function string) ([]mutant, error) {
	var all []mutant
	for _, b := range bodies(source, function) {
		body := blank(source[b[0]:b[1]])
		add := func(operator string, from int, old, new string) {
			at := b[0] + from
			begin := strings.LastIndexByte(source[:at], '\n') + 1
			end := at + strings.IndexByte(source[at:], '\n')
			all = append(all, mutant{
				group: group, file: file, function: function, operator: operator, at: at, old: old, new: new,
				line: strings.Count(source[:at], "\n") + 1, text: strings.TrimSpace(source[begin:end]),
			})
		}
		for _, s := range swaps {
			for from := 0; ; {
				i := strings.Index(body[from:], s.old)
				if i < 0 {
					break
				}
				from += i
				whole := strings.HasPrefix(s.old, " ") || (!word.MatchString(body[from-1:from]) && !word.MatchString(body[from+len(s.old):from+len(s.old)+1]))
				if whole {
					add(s.name, from, s.old, s.new)
				}
				from += len(s.old)
			}
		}
		for _, m := range number.FindAllStringIndex(body, -1) {
			n, err := strconv.ParseUint(strings.ReplaceAll(body[m[0]:m[1]], "_", ""), 10, 64)
			if err == nil {
				add("constant", m[0], body[m[0]:m[1]], strconv.FormatUint(n+1, 10))
			}
		}
		for _, m := range dropped.FindAllStringSubmatchIndex(body, -1) {
			add("drop", m[2], source[b[0]+m[2]:b[0]+m[3]], "")
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: nothing to change in %s", file, function)
	}
	slices.SortFunc(all, func(a, b mutant) int {
		if a.at != b.at {
			return a.at - b.at
		}
		return strings.Compare(a.operator+a.new, b.operator+b.new)
	})
	return all, nil
}

// bodies finds the bodies of all functions of a name: their begins and ends.
func bodies(source, function string) [][2]int {
	var all [][2]int
	head := regexp.MustCompile(`\bfunction ` + regexp.QuoteMeta(function) + `\(`)
	code := blank(source)
	for _, m := range head.FindAllStringIndex(code, -1) {
		open := strings.IndexAny(code[m[1]:], "{;")
		if open < 0 || code[m[1]+open] == ';' {
			continue
		}
		begin, depth := m[1]+open, 0
		for i := begin; i < len(code); i++ {
			switch code[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
			if depth == 0 {
				all = append(all, [2]int{begin, i})
				break
			}
		}
	}
	return all
}

var quiet = regexp.MustCompile(`(?s)//[^\n]*|/\*.*?\*/|"(?:[^"\\\n]|\\.)*"|\bemit [^;]*;|\bassembly [^{]*\{[^}]*\}`)

// blank replaces what is not to be changed by spaces: comments, strings, events
// and assembly.
func blank(source string) string {
	return quiet.ReplaceAllStringFunc(source, func(s string) string {
		return strings.Map(func(r rune) rune {
			if r == '\n' {
				return r
			}
			return '~'
		}, asASCII(s))
	})
}

// asASCII keeps the length in bytes.
func asASCII(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] >= 0x80 {
			b[i] = '~'
		}
	}
	return string(b)
}
