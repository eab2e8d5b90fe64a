package words

import (
	"strings"
	"testing"
)

func TestShort(t *testing.T) {
	for _, c := range [][2]string{
		{"deal rejected:\n\tprice too low ", "deal rejected: price too low"},
		{"a\x1b[31mred\x00\xff", "a [31mred"},
		{strings.Repeat("é", Most+1), strings.Repeat("é", Most) + "…"},
		{"", ""},
	} {
		if got := Short(c[0]); got != c[1] {
			t.Errorf("%q became %q, not %q", c[0], got, c[1])
		}
	}
}
