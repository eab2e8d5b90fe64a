package mk12

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"

	"github.com/tidegate/tidegate/executor/market/words"
)

const (
	mostKeys = 32   // of a map
	mostText = 8192 // bytes of a text
)

// errMalformed is wrapped by what is wrong with an answer's form.
var errMalformed = errors.New("malformed CBOR")

// field is one entry of a map.
type field struct {
	key   string
	value func(w *cbg.CborWriter) error
}

// writeMap writes a map whose keys come as given: cbor-gen has them shortest
// first, then by the alphabet.
func writeMap(w io.Writer, fields ...field) error {
	cw := cbg.NewCborWriter(w)
	if err := cw.WriteMajorTypeHeader(cbg.MajMap, uint64(len(fields))); err != nil {
		return err
	}
	for _, f := range fields {
		if err := text(f.key)(cw); err != nil {
			return err
		}
		if err := f.value(cw); err != nil {
			return fmt.Errorf("%s: %w", f.key, err)
		}
	}
	return nil
}

func text(s string) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error {
		if len(s) > mostText {
			return fmt.Errorf("a text of %d bytes, at most %d", len(s), mostText)
		}
		if err := w.WriteMajorTypeHeader(cbg.MajTextString, uint64(len(s))); err != nil {
			return err
		}
		_, err := w.WriteString(s)
		return err
	}
}

func octets(b []byte) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error {
		if err := w.WriteMajorTypeHeader(cbg.MajByteString, uint64(len(b))); err != nil {
			return err
		}
		_, err := w.Write(b)
		return err
	}
}

func boolean(b bool) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error { return cbg.WriteBool(w, b) }
}

func unsigned(v uint64) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error { return w.WriteMajorTypeHeader(cbg.MajUnsignedInt, v) }
}

func link(c cid.Cid) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error {
		if !c.Defined() {
			return errors.New("no CID")
		}
		return cbg.WriteCid(w, c)
	}
}

func nested(m cbg.CBORMarshaler) func(*cbg.CborWriter) error {
	return func(w *cbg.CborWriter) error { return m.MarshalCBOR(w) }
}

func buffered(write func(io.Writer) error) ([]byte, error) {
	var b bytes.Buffer
	err := write(&b)
	return b.Bytes(), err
}

// readMap reads a map; take reads the values of the keys it knows, and says false
// for the others, which are skipped.
func readMap(r *cbg.CborReader, take func(key string, r *cbg.CborReader) (bool, error)) error {
	n, err := header(r, cbg.MajMap)
	if err != nil {
		return err
	}
	if n > mostKeys {
		return fmt.Errorf("%w: a map of %d keys", errMalformed, n)
	}
	for range n {
		key, err := readText(r)
		if err != nil {
			return err
		}
		known, err := take(key, r)
		if err == nil && !known {
			err = cbg.ScanForLinks(r, func(cid.Cid) {})
		}
		if err != nil {
			return fmt.Errorf("%q: %w", words.Short(key), err)
		}
	}
	return nil
}

func header(r *cbg.CborReader, major byte) (uint64, error) {
	maj, n, err := r.ReadHeader()
	if err != nil {
		return 0, noEOF(err)
	}
	if maj != major {
		return 0, fmt.Errorf("%w: major type %d where %d should be", errMalformed, maj, major)
	}
	return n, nil
}

func readText(r *cbg.CborReader) (string, error) {
	n, err := header(r, cbg.MajTextString)
	if err != nil {
		return "", err
	}
	b, err := take(r, n, mostText)
	return string(b), err
}

func readBytes(r *cbg.CborReader, most uint64) ([]byte, error) {
	n, err := header(r, cbg.MajByteString)
	if err != nil {
		return nil, err
	}
	return take(r, n, most)
}

func take(r io.Reader, n, most uint64) ([]byte, error) {
	if n > most {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", errMalformed, n, most)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, noEOF(err)
}

func readBool(r *cbg.CborReader) (bool, error) {
	n, err := header(r, cbg.MajOther)
	if err != nil {
		return false, err
	}
	if n != 20 && n != 21 {
		return false, fmt.Errorf("%w: simple value %d is no boolean", errMalformed, n)
	}
	return n == 21, nil
}

// readEpoch reads a signed number.
func readEpoch(r *cbg.CborReader) (int64, error) {
	maj, n, err := r.ReadHeader()
	if err != nil {
		return 0, noEOF(err)
	}
	if n > 1<<62 || maj != cbg.MajUnsignedInt && maj != cbg.MajNegativeInt {
		return 0, fmt.Errorf("%w: no epoch", errMalformed)
	}
	if maj == cbg.MajNegativeInt {
		return -1 - int64(n), nil
	}
	return int64(n), nil
}

// readNullable reads null as false, and anything else with read.
func readNullable(r *cbg.CborReader, read func() error) error {
	b, err := r.ReadByte()
	if err != nil {
		return noEOF(err)
	}
	if b == cbg.CborNull[0] {
		return nil
	}
	if err := r.UnreadByte(); err != nil {
		return err
	}
	return read()
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
