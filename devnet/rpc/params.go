package rpc

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/filecoin-project/go-address"
	"github.com/filecoin-project/go-jsonrpc"
	"github.com/filecoin-project/lotus/chain/types/ethtypes"
)

// The controls take what tools really send: numbers as 5, "5" or "0x5", and fewer
// parameters than a method has.

// optional reads parameters by position into targets; missing ones and null leave
// their target alone. The first need ones must be there.
func optional(p jsonrpc.RawParams, need int, targets ...any) error {
	var raw []json.RawMessage
	if len(p) > 0 {
		if err := json.Unmarshal(p, &raw); err != nil {
			return badParams("parameters must be a list: %v", err)
		}
	}
	if len(raw) > len(targets) {
		return badParams("%d parameters: at most %d are taken", len(raw), len(targets))
	}
	if len(raw) < need {
		return badParams("%d parameters: %d are needed", len(raw), need)
	}
	for i, value := range raw {
		if string(value) == "null" {
			if i < need {
				return badParams("parameter %d is null", i+1)
			}
			continue
		}
		if err := json.Unmarshal(value, targets[i]); err != nil {
			return badParams("parameter %d: %v", i+1, err)
		}
	}
	return nil
}

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

// count is the quantity as a number of things, at most most.
func (q quantity) count(most int) (int, error) {
	if q > quantity(most) {
		return 0, badParams("%d is too much: at most %d", q, most)
	}
	return int(q), nil
}

// amount is attoFIL: a number, or a string in decimal or hex of any size.
type amount big.Int

// UnmarshalJSON implements json.Unmarshaler.
func (a *amount) UnmarshalJSON(raw []byte) error {
	n, ok := new(big.Int).SetString(strings.Trim(string(raw), `"`), 0)
	if !ok || n.Sign() < 0 || n.BitLen() > 256 {
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
		if ms > math.MaxInt64/quantity(time.Millisecond) {
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

// anyAddress is an address in either world's form: 0x…, f1…, t410f….
type anyAddress struct{ address.Address }

// UnmarshalJSON implements json.Unmarshaler.
func (a *anyAddress) UnmarshalJSON(raw []byte) error {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return fmt.Errorf("want an address like \"0x…\" or \"f1…\": %w", err)
	}
	var err error
	if strings.HasPrefix(text, "0x") {
		var eth ethtypes.EthAddress
		if eth, err = ethtypes.ParseEthAddress(text); err == nil {
			a.Address, err = eth.ToFilecoinAddress()
		}
	} else {
		a.Address, err = address.NewFromString(text)
	}
	if err != nil {
		return fmt.Errorf("want an address like \"0x…\" or \"f1…\", got %q: %w", text, err)
	}
	return nil
}
