package piece

import (
	"crypto/sha256"
	"fmt"
	"sync"

	commp "github.com/filecoin-project/go-fil-commp-hashhash"
)

// vectors tells whether commitments are computed with vector instructions. They
// are not where the processor has none, and where the first hashes that it made
// were wrong; go-fil-commp-hashhash then does all.
var vectors = sync.OnceValue(func() bool { return hasVectors() && selfTest() })

// selfTest compares one layer of every length up to three vectors with the
// standard library.
func selfTest() bool {
	const most = 3 * 16
	var from [most * 2 * nodeSize]byte
	for i := range from {
		from[i] = byte(i*7 + i>>8)
	}
	for n := 1; n <= most; n++ {
		var to [most * nodeSize]byte
		hashLayer(to[:], from[:n*2*nodeSize])
		for i := range n {
			want := sha256.Sum256(from[i*64 : i*64+64])
			want[31] &= 0x3f
			if [32]byte(to[i*nodeSize:i*nodeSize+nodeSize]) != want {
				return false
			}
		}
	}
	return true
}

func (w *Writer) writeTwin(p []byte) (int, error) {
	if w.twin == nil {
		w.twin = new(commp.Calc)
	}
	n, err := w.twin.Write(p)
	w.size += uint64(n)
	if err != nil {
		w.err = fmt.Errorf("piece commitment: %w", err)
	}
	return n, w.err
}

// sumTwin asks the reference library, which ends with its answer.
func (w *Writer) sumTwin() (Commitment, error) {
	if w.reused != nil {
		return *w.reused, nil
	}
	root, padded, err := w.twin.Digest()
	if err != nil {
		return Commitment{}, fmt.Errorf("piece commitment: %w", err)
	}
	w.twin = nil
	w.reused = &Commitment{Root: [32]byte(root), Payload: w.size, Padded: padded}
	return *w.reused, nil
}
