package piece

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestEachRangeIsProvenAndNoOther checks ranges of pieces of many sizes against the
// commitment that Writer, and by it the reference library, gives.
func TestEachRangeIsProvenAndNoOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.OneOf(rapid.IntRange(65, 4000), rapid.IntRange(RangeBytes-200, RangeBytes+200), rapid.IntRange(2*RangeBytes, 5*RangeBytes)).Draw(t, "size")
		data := make([]byte, size)
		source := rand.NewChaCha8([32]byte{byte(size)})
		_, _ = source.Read(data) // it never fails
		w := NewWriter()
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		c, err := w.Sum()
		w.Reset()
		if err == nil && rapid.Bool().Draw(t, "in a larger piece") {
			c, err = c.Pad(c.Padded * 4)
		}
		if err != nil {
			t.Fatal(err)
		}
		made, err := ReadLayer(bytes.NewReader(data), c)
		if err != nil {
			t.Fatal(err)
		}
		l, err := ParseLayer(made.Bytes(), c)
		if err != nil {
			t.Fatal(err)
		}
		i := rapid.Uint64Range(0, l.Ranges()-1).Draw(t, "range")
		offset, length := l.Range(i)
		part := bytes.Clone(data[offset : offset+length])
		if err := CheckRange(c, i, part, l.Path(i)); err != nil {
			t.Errorf("range %d of %d: %v", i, l.Ranges(), err)
		}
		part[rapid.IntRange(0, len(part)-1).Draw(t, "changed")] ^= 1
		for _, wrong := range []error{
			CheckRange(c, i, part, l.Path(i)), CheckRange(c, i+1, data[offset:offset+length], l.Path(i)), CheckRange(c, i, part[1:], l.Path(i)),
			second(ReadLayer(bytes.NewReader(data[1:]), c)), second(ReadLayer(bytes.NewReader(append(data, 0)), c)), second(ParseLayer(made.Bytes()[1:], c)),
		} {
			if !errors.Is(wrong, ErrMismatch) {
				t.Errorf("what is not the piece's gave %v", wrong)
			}
		}
	})
}

func second(_ *Layer, err error) error { return err }

func TestTheSlowRootIsTheSame(t *testing.T) {
	data := bytes.Repeat([]byte("tide"), 5000)
	l := getLeaves()
	defer putLeaves(l)
	n := len(data) / quad
	padQuads(l[:], data, n)
	clear(l[n*paddedQuad:])
	if got, want := slowRoot(bytes.Clone(l[:])), nodeOver(data[:n*quad], subtreeHeight); got != want {
		t.Errorf("%x in place of %x", got, want)
	}
}
