package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// Field is one setting.
type Field struct {
	Path string // "chain.rpc"
	Flag string // "chain-rpc"
	Env  string // "TIDEGATE_CHAIN_RPC"
	Doc  string
	List bool

	index []int
}

// Fields lists every setting in the order of the types.
func Fields() []Field {
	var out []Field
	walk(reflect.TypeFor[Config](), "", nil, &out)
	return out
}

func walk(t reflect.Type, prefix string, index []int, out *[]Field) {
	for i := range t.NumField() {
		f := t.Field(i)
		path := prefix + f.Tag.Get("toml")
		at := append(append([]int(nil), index...), i)
		if f.Type.Kind() == reflect.Struct {
			walk(f.Type, path+".", at, out)
			continue
		}
		name := strings.NewReplacer(".", "_").Replace(path)
		*out = append(*out, Field{
			Path: path, Flag: strings.ReplaceAll(name, "_", "-"), Env: "TIDEGATE_" + strings.ToUpper(name),
			Doc: f.Tag.Get("doc"), List: f.Type.Kind() == reflect.Slice, index: at,
		})
	}
}

// Set parses text into the setting; lists are comma-separated.
func (f Field) Set(c *Config, text string) error {
	v := reflect.ValueOf(c).Elem().FieldByIndex(f.index)
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return f.wrap(u.UnmarshalText([]byte(text)))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		if err != nil {
			return fmt.Errorf("%s: %q is neither true nor false", f.Path, text)
		}
		v.SetBool(b)
	case reflect.Int:
		n, err := strconv.ParseInt(text, 10, 32)
		if err != nil {
			return fmt.Errorf("%s: %q is not a number", f.Path, text)
		}
		v.SetInt(n)
	case reflect.Uint64:
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return fmt.Errorf("%s: %q is not a number", f.Path, text)
		}
		v.SetUint(n)
	case reflect.Slice:
		var items []string
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		v.Set(reflect.ValueOf(items))
	default:
		panic("config: unhandled kind " + v.Kind().String())
	}
	return nil
}

// Get gives the setting as text, as Set would take it.
func (f Field) Get(c Config) string {
	v := reflect.ValueOf(c).FieldByIndex(f.index)
	if items, ok := v.Interface().([]string); ok {
		return strings.Join(items, ",")
	}
	return fmt.Sprint(v.Interface())
}

func (f Field) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", f.Path, err)
}

// bare says that TOML writes the value without quotes.
func (f Field) bare(c Config) bool {
	v := reflect.ValueOf(c).FieldByIndex(f.index)
	if _, ok := v.Interface().(encoding.TextMarshaler); ok {
		return false
	}
	return v.Kind() != reflect.String
}
