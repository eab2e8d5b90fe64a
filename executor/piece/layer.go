package piece

import (
	"errors"
	"fmt"
	"io"
)

// RangeBytes is how many payload bytes one node of a Layer is over: 1 MiB after
// padding.
const RangeBytes = subtreeBytes / paddedQuad * quad

// Layer is the level of a piece's tree whose nodes are over RangeBytes each, or the
// root alone of a smaller piece. It costs 32 bytes a MiB, and with it any range can be
// proven to belong to the piece without the piece.
type Layer struct {
	c     Commitment
	nodes [][32]byte // those over payload; what follows is over zeros
}

// ReadLayer hashes a piece's payload, which must be c's. Errors: ErrMismatch for other
// bytes, those of r.
func ReadLayer(r io.Reader, c Commitment) (*Layer, error) {
	if err := checkSizes(c); err != nil {
		return nil, err
	}
	var nodes [][32]byte
	buf := make([]byte, min(RangeBytes, c.Payload+1))
	for size := uint64(0); ; {
		n, err := io.ReadFull(r, buf)
		size += uint64(n)
		if size > c.Payload {
			return nil, fmt.Errorf("more than %d bytes: %w", c.Payload, ErrMismatch)
		}
		if n > 0 {
			nodes = append(nodes, nodeOver(buf[:n], layerLevel(c)))
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return newLayer(c, nodes)
		}
		if err != nil {
			return nil, err
		}
	}
}

// ParseLayer reads what Bytes gave. Errors: ErrMismatch for a layer of something else.
func ParseLayer(b []byte, c Commitment) (*Layer, error) {
	if err := checkSizes(c); err != nil {
		return nil, err
	}
	nodes := make([][32]byte, len(b)/nodeSize)
	for i := range nodes {
		nodes[i] = [32]byte(b[i*nodeSize:])
	}
	if len(b)%nodeSize != 0 {
		return nil, fmt.Errorf("a layer of %d bytes: %w", len(b), ErrMismatch)
	}
	return newLayer(c, nodes)
}

func checkSizes(c Commitment) error {
	if err := CheckPadded(c.Padded); err != nil {
		return err
	}
	if c.Payload == 0 || c.Payload > MaxPayload(c.Padded) {
		return fmt.Errorf("a payload of %d bytes in a piece of %d: %w", c.Payload, c.Padded, ErrMismatch)
	}
	return nil
}

// newLayer checks the nodes against the root.
func newLayer(c Commitment, nodes [][32]byte) (*Layer, error) {
	l := &Layer{c, nodes}
	if uint64(len(nodes)) != l.Ranges() {
		return nil, fmt.Errorf("%d nodes in place of %d: %w", len(nodes), l.Ranges(), ErrMismatch)
	}
	path := l.Path(0)
	if climb(nodes[0], 0, path) != c.Root {
		return nil, ErrMismatch
	}
	return l, nil
}

// Bytes is the layer for ParseLayer.
func (l *Layer) Bytes() []byte {
	b := make([]byte, 0, len(l.nodes)*nodeSize)
	for i := range l.nodes {
		b = append(b, l.nodes[i][:]...)
	}
	return b
}

// Ranges is how many there are.
func (l *Layer) Ranges() uint64 { return (l.c.Payload + RangeBytes - 1) / RangeBytes }

// Range is where the i-th range is in the payload.
func (l *Layer) Range(i uint64) (offset, length uint64) {
	offset = i * RangeBytes
	return offset, min(RangeBytes, l.c.Payload-offset)
}

// Path are the nodes beside those from the i-th range up to the root, lowest first.
func (l *Layer) Path(i uint64) (path [][32]byte) {
	row := l.nodes
	for level := layerLevel(l.c); level < height(l.c.Padded); level++ {
		at := func(k uint64) *[32]byte {
			if k < uint64(len(row)) {
				return &row[k]
			}
			return &zeroRoots[level]
		}
		path = append(path, *at(i ^ 1))
		up := make([][32]byte, (len(row)+1)/2)
		for k := range up {
			up[k] = hashPair(at(uint64(2*k)), at(uint64(2*k+1)))
		}
		row, i = up, i/2
	}
	return path
}

// CheckRange tells whether data is the i-th range of the piece c, by its path. Errors:
// ErrMismatch.
func CheckRange(c Commitment, i uint64, data []byte, path [][32]byte) error {
	if err := checkSizes(c); err != nil {
		return err
	}
	if i >= (c.Payload+RangeBytes-1)/RangeBytes || len(path) != height(c.Padded)-layerLevel(c) {
		return fmt.Errorf("the piece has no such range: %w", ErrMismatch)
	}
	if want := min(RangeBytes, c.Payload-i*RangeBytes); uint64(len(data)) != want {
		return fmt.Errorf("%d bytes in place of %d: %w", len(data), want, ErrMismatch)
	}
	if climb(nodeOver(data, layerLevel(c)), i, path) != c.Root {
		return ErrMismatch
	}
	return nil
}

// layerLevel is the level of a piece's layer: of 1 MiB, or of the root of a smaller one.
func layerLevel(c Commitment) int { return min(subtreeHeight, height(c.Padded)) }

// climb hashes a node with those of its path.
func climb(node [32]byte, i uint64, path [][32]byte) [32]byte {
	for k := range path {
		if i&1 == 0 {
			node = hashPair(&node, &path[k])
		} else {
			node = hashPair(&path[k], &node)
		}
		i /= 2
	}
	return node
}

// nodeOver hashes up to RangeBytes of payload to a node of the given level.
func nodeOver(data []byte, level int) [32]byte {
	l := getLeaves()
	defer putLeaves(l)
	n := len(data) / quad
	padQuads(l[:], data, n)
	if rest := data[n*quad:]; len(rest) > 0 {
		var last [quad]byte
		copy(last[:], rest)
		padQuads(l[n*paddedQuad:], last[:], 1)
		n++
	}
	n *= paddedQuad / nodeSize
	if vectors() {
		return l.root(n, level)
	}
	clear(l[n*nodeSize:])
	return slowRoot(l[:nodeSize<<level])
}

// slowRoot hashes nodes with the standard library alone.
func slowRoot(b []byte) [32]byte {
	for ; len(b) > nodeSize; b = b[:len(b)/2] {
		for i := 0; i < len(b); i += 2 * nodeSize {
			node := hashPair((*[32]byte)(b[i:]), (*[32]byte)(b[i+nodeSize:]))
			copy(b[i/2:], node[:])
		}
	}
	return [32]byte(b)
}
