package config

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration written as in Go: "1.5s", "2m", "24h".
type Duration time.Duration

// D gives the standard type.
func (d Duration) D() time.Duration { return time.Duration(d) }

func (d Duration) String() string { return time.Duration(d).String() }

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is not a duration like 30s or 5m", b)
	}
	*d = Duration(v)
	return nil
}

// FIL is an amount of FIL in decimal digits, "0.25"; "" for none.
type FIL string

// Atto is the amount in attoFIL, nil for none.
func (f FIL) Atto() *big.Int {
	r, ok := new(big.Rat).SetString(string(f))
	if !ok {
		return nil
	}
	r.Mul(r, new(big.Rat).SetInt64(1e18))
	return new(big.Int).Quo(r.Num(), r.Denom())
}

// MarshalText implements encoding.TextMarshaler.
func (f FIL) MarshalText() ([]byte, error) { return []byte(f), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *FIL) UnmarshalText(b []byte) error {
	text := strings.TrimSpace(string(b))
	if strings.Trim(text, "0123456789.") != "" || strings.Count(text, ".") > 1 || text == "." {
		return fmt.Errorf("%q is not an amount of FIL like 0.25", b)
	}
	*f = FIL(text)
	return nil
}

// PostgresURL is the URL of a database. It may hold a password, and is printed
// without.
type PostgresURL string

// String hides the credentials.
func (u PostgresURL) String() string {
	if u == "" {
		return ""
	}
	return Redact(string(u))
}

// Size is a number of bytes, written "512 MiB", "64GiB" or a plain number.
type Size uint64

var sizeUnits = []struct {
	name string
	mul  uint64
}{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}}

func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && uint64(s)%u.mul == 0 {
			return fmt.Sprintf("%d %s", uint64(s)/u.mul, u.name)
		}
	}
	return "0 B"
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Size) UnmarshalText(b []byte) error {
	text, mul := strings.TrimSpace(string(b)), uint64(1)
	for _, u := range sizeUnits {
		if rest, ok := strings.CutSuffix(text, u.name); ok {
			text, mul = strings.TrimSpace(rest), u.mul
			break
		}
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || (mul > 1 && n > ^uint64(0)/mul) {
		return fmt.Errorf("%q is not a size like 512 MiB", b)
	}
	*s = Size(n * mul)
	return nil
}
