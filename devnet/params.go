package devnet

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// quantity is a whole number as tools send it: 5, "5", "0x5", 5.0.
type quantity uint64

// UnmarshalJSON implements json.Unmarshaler.
func (q *quantity) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if n, err := strconv.ParseUint(text, 0, 64); err == nil {
		*q = quantity(n)
		return nil
	}
	var f float64
	if err := json.Unmarshal(raw, &f); err == nil && f >= 0 && f < 1<<53 && f == math.Trunc(f) {
		*q = quantity(f)
		return nil
	}
	return fmt.Errorf("want a whole number like 5 or \"0x5\", got %s", raw)
}

func (q *quantity) or(other uint64) uint64 {
	if q == nil {
		return other
	}
	return uint64(*q)
}

// amount is attoFIL: a number, or a string in decimal or hex of any size.
type amount big.Int

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(raw []byte) error {
	n, ok := new(big.Int).SetString(strings.Trim(string(raw), `"`), 0)
	if !ok || n.Sign() < 0 {
		return fmt.Errorf("want an amount in attoFIL, decimal or hex, got %s", raw)
	}
	*a = amount(*n)
	return nil
}

// span is a time: a number of milliseconds, or a string like "250ms".
type span time.Duration

// UnmarshalJSON implements json.Unmarshaler.
func (s *span) UnmarshalJSON(raw []byte) error {
	var ms quantity
	if err := ms.UnmarshalJSON(raw); err == nil {
		if ms > math.MaxInt64/1_000_000 {
			return fmt.Errorf("%d ms is too long", ms)
		}
		*s = span(time.Duration(ms) * time.Millisecond)
		return nil
	}
	d, err := time.ParseDuration(strings.Trim(string(raw), `"`))
	if err != nil || d < 0 {
		return fmt.Errorf("want milliseconds or a duration like \"250ms\", got %s", raw)
	}
	*s = span(d)
	return nil
}
