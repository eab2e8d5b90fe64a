package market

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/filecoin-project/go-state-types/abi"
	"github.com/ipfs/go-cid"
	cbg "github.com/whyrusleeping/cbor-gen"
)

// Limits of what is read, those of the generated code of Boost and Curio.
const (
	maxText   = 8192
	maxBytes  = 2 << 20
	maxFields = 4096
)

// field is a value under its name in a CBOR map.
type field struct {
	name string
	put  func(*cbg.CborWriter) error
	get  func(*cbg.CborReader) error
}

// record is a struct that travels as a map, as cbor-gen writes one with --map-encoding.
type record interface{ fields() []field }

// encodeRecord writes the fields in canonical order: shorter names first, then by bytes.
func encodeRecord(w io.Writer, r record) error {
	fields := r.fields()
	slices.SortFunc(fields, func(a, b field) int {
		return cmp.Or(len(a.name)-len(b.name), cmp.Compare(a.name, b.name))
	})
	out := cbg.NewCborWriter(w)
	if err := out.WriteMajorTypeHeader(cbg.MajMap, uint64(len(fields))); err != nil {
		return err
	}
	for _, f := range fields {
		if err := putText(out, f.name); err != nil {
			return err
		}
		if err := f.put(out); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return nil
}

// decodeRecord reads fields in any order. Those that are missing keep their values, and
// unknown ones are skipped: so 1.2.0 and 1.2.1 of the deal protocol are one type.
func decodeRecord(r io.Reader, into record) error {
	in := cbg.NewCborReader(r)
	major, count, err := in.ReadHeader()
	if err != nil {
		return err
	}
	if major != cbg.MajMap || count > maxFields {
		return fmt.Errorf("a struct should be a map of at most %d fields, got major type %d of %d", maxFields, major, count)
	}
	fields := into.fields()
	for range count {
		name, err := cbg.ReadStringWithMax(in, maxText)
		if err != nil {
			return fmt.Errorf("name of a field: %w", err)
		}
		at := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
		if at < 0 {
			err = cbg.ScanForLinks(in, func(cid.Cid) {})
		} else {
			err = fields[at].get(in)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func putText(w *cbg.CborWriter, s string) error {
	if len(s) > maxText {
		return fmt.Errorf("%d bytes of text, at most %d", len(s), maxText)
	}
	if err := w.WriteMajorTypeHeader(cbg.MajTextString, uint64(len(s))); err != nil {
		return err
	}
	_, err := w.WriteString(s)
	return err
}

func text(name string, s *string) field {
	return field{name,
		func(w *cbg.CborWriter) error { return putText(w, *s) },
		func(r *cbg.CborReader) (err error) { *s, err = cbg.ReadStringWithMax(r, maxText); return err },
	}
}

func number(name string, n *uint64) field {
	return field{name,
		func(w *cbg.CborWriter) error { return w.WriteMajorTypeHeader(cbg.MajUnsignedInt, *n) },
		func(r *cbg.CborReader) error {
			major, value, err := r.ReadHeader()
			if err == nil && major != cbg.MajUnsignedInt {
				err = fmt.Errorf("want a number, got major type %d", major)
			}
			*n = value
			return err
		},
	}
}

// epoch is a number that may be negative.
func epoch(name string, e *abi.ChainEpoch) field {
	return field{name,
		func(w *cbg.CborWriter) error { n := cbg.CborInt(*e); return n.MarshalCBOR(w) },
		func(r *cbg.CborReader) error {
			var n cbg.CborInt
			err := n.UnmarshalCBOR(r)
			*e = abi.ChainEpoch(n)
			return err
		},
	}
}

func yesNo(name string, b *bool) field {
	return field{name,
		func(w *cbg.CborWriter) error { return cbg.WriteBool(w, *b) },
		func(r *cbg.CborReader) error {
			var value cbg.CborBool
			err := value.UnmarshalCBOR(r)
			*b = bool(value)
			return err
		},
	}
}

func putBytes(w *cbg.CborWriter, b []byte) error {
	if len(b) > maxBytes {
		return fmt.Errorf("%d bytes, at most %d", len(b), maxBytes)
	}
	return cbg.WriteByteArray(w, b)
}

func byteString(name string, b *[]byte) field {
	return field{name,
		func(w *cbg.CborWriter) error { return putBytes(w, *b) },
		func(r *cbg.CborReader) (err error) { *b, err = cbg.ReadByteArray(r, maxBytes); return err },
	}
}

// digest is bytes of a fixed number.
func digest(name string, b []byte) field {
	return field{name,
		func(w *cbg.CborWriter) error { return putBytes(w, b) },
		func(r *cbg.CborReader) error {
			got, err := cbg.ReadByteArray(r, uint64(len(b)))
			if err == nil && len(got) != len(b) {
				err = fmt.Errorf("want %d bytes, got %d", len(b), len(got))
			}
			copy(b, got)
			return err
		},
	}
}

func link(name string, c *cid.Cid) field {
	return field{name,
		func(w *cbg.CborWriter) error { return cbg.WriteCid(w, *c) },
		func(r *cbg.CborReader) (err error) { *c, err = cbg.ReadCid(r); return err },
	}
}

// cborValue is a type that writes and reads itself.
type cborValue interface {
	cbg.CBORMarshaler
	cbg.CBORUnmarshaler
}

func value(name string, v cborValue) field {
	return field{name,
		func(w *cbg.CborWriter) error { return v.MarshalCBOR(w) },
		func(r *cbg.CborReader) error { return v.UnmarshalCBOR(r) },
	}
}

// nested is a record inside another.
func nested(name string, v record) field {
	return field{name,
		func(w *cbg.CborWriter) error { return encodeRecord(w, v) },
		func(r *cbg.CborReader) error { return decodeRecord(r, v) },
	}
}

// optional is a pointer, which may be null; the rest is a field of what it points to.
func optional[T any](name string, p **T, of func(string, *T) field) field {
	return field{name,
		func(w *cbg.CborWriter) error {
			if *p == nil {
				_, err := w.Write(cbg.CborNull)
				return err
			}
			return of(name, *p).put(w)
		},
		func(r *cbg.CborReader) error {
			first, err := r.ReadByte()
			if err != nil {
				return err
			}
			if first == cbg.CborNull[0] {
				*p = nil
				return nil
			}
			if err := r.UnreadByte(); err != nil {
				return err
			}
			*p = new(T)
			return of(name, *p).get(r)
		},
	}
}

// list is an array.
func list[T any](name string, items *[]T, of func(*T) field) field {
	return field{name,
		func(w *cbg.CborWriter) error {
			if err := w.WriteMajorTypeHeader(cbg.MajArray, uint64(len(*items))); err != nil {
				return err
			}
			for i := range *items {
				if err := of(&(*items)[i]).put(w); err != nil {
					return err
				}
			}
			return nil
		},
		func(r *cbg.CborReader) error {
			major, count, err := r.ReadHeader()
			if err != nil {
				return err
			}
			if major != cbg.MajArray || count > maxText {
				return errors.New("want an array of at most 8192 items")
			}
			*items = nil
			for range count {
				var item T
				if err := of(&item).get(r); err != nil {
					return err
				}
				*items = append(*items, item)
			}
			return nil
		},
	}
}
