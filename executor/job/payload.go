package job

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Pin is the payload of KindPin.
type Pin struct {
	CID     []byte   `json:"cid"`               // canonical CID bytes
	Origins []string `json:"origins,omitempty"` // multiaddrs ending in /p2p/…; at most 5
	Name    string   `json:"name,omitempty"`
	// MaxBytes caps the unique block bytes of the DAG; 0 means the operator's cap.
	MaxBytes uint64 `json:"maxBytes"`
	// Expiry is when the pin ends, unix seconds; 0 means never (local pins only).
	Expiry int64 `json:"expiry"`
	// Owner scopes unpin: "<consumer>:<requester>" in lower-case hex, or "local".
	Owner string `json:"owner"`
	// Seq orders requests of one provider; 0 for local work.
	Seq uint64 `json:"seq"`
}

// Unpin is the payload of KindUnpin: drop what Owner holds of CID through
// requests with a Seq below this one's.
type Unpin struct {
	CID   []byte `json:"cid"`
	Owner string `json:"owner"`
	Seq   uint64 `json:"seq"`
}

// Release is the payload of KindRelease: drop what one request holds.
type Release struct {
	Request string `json:"request"`
	Why     string `json:"why"` // retracted, refunded, cancelled, expired
}

// Keep is the payload of KindKeep: a call that anyone may make.
type Keep struct {
	To   string `json:"to"`   // the contract, 0x…
	Data []byte `json:"data"` // calldata
	Tip  string `json:"tip"`  // what the caller is credited, decimal attoFIL
	// Value is what is sent with it, decimal attoFIL; empty for nothing.
	Value string `json:"value,omitempty"`
	// Pays allows no loss at all, and has the tip looked at again before the call is sent.
	Pays bool   `json:"pays,omitempty"`
	What string `json:"what"` // for people: the function and its subject
}

// Encode gives the ledger form of a payload. It panics only on a type that
// cannot be marshalled, which is a programming error.
func Encode(payload any) json.RawMessage {
	b, err := json.Marshal(payload)
	if err != nil {
		panic(fmt.Sprintf("job: encoding payload: %v", err))
	}
	return b
}

// Decode reads a payload strictly: unknown fields and trailing data are errors.
func Decode[T any](raw json.RawMessage) (T, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("decoding %T payload: %w", v, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, fmt.Errorf("decoding %T payload: trailing data", v)
	}
	return v, nil
}
