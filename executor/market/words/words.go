// Package words makes what strangers say fit for logs, rows and terminals. It does
// not judge what they say.
package words

import (
	"strings"
	"unicode"
)

// Most is how many runes are kept.
const Most = 500

// Short puts s on one line, without anything that a terminal would act on, and
// cuts it to Most runes.
func Short(s string) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))), " ")
	if runes := []rune(s); len(runes) > Most {
		return string(runes[:Most]) + "…"
	}
	return s
}
