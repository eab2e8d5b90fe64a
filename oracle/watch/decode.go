package watch

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/tidegate/tidegate/oracle/chain"
)

// maxTime is the last second of the year 9999: later ones are not times.
const maxTime = 253402300799

var errNull = errors.New("the answer is null")

// Header is a block as the endpoint shows it. Its hash is what the endpoint
// says: on Filecoin it cannot be recomputed from the other fields.
type Header struct {
	chain.Block
	Bloom *types.Bloom // nil when absent
}

// says reports whether the bloom proves to hold something of addr. An all-ones
// bloom, which Lotus gives when it does not know, proves nothing.
func (h Header) says(addr common.Address) bool {
	return h.Bloom != nil && !h.BloomUnknown() && types.BloomLookup(*h.Bloom, addr)
}

// BloomUnknown reports whether the bloom is all ones: its node does not know what is in the
// block.
func (h Header) BloomUnknown() bool {
	if h.Bloom == nil {
		return false
	}
	for _, b := range h.Bloom {
		if b != 0xff {
			return false
		}
	}
	return true
}

// isNull reports whether a JSON value is null or missing.
func isNull(raw json.RawMessage) bool {
	t := bytes.TrimSpace(raw)
	return len(t) == 0 || bytes.Equal(t, []byte("null"))
}

func decodeQuantity(raw json.RawMessage) (uint64, error) {
	if isNull(raw) {
		return 0, errNull
	}
	var v hexutil.Uint64
	if err := json.Unmarshal(raw, &v); err != nil {
		return 0, fmt.Errorf("not a quantity: %w", err)
	}
	return uint64(v), nil
}

func decodeHeader(raw json.RawMessage) (Header, error) {
	if isNull(raw) {
		return Header{}, errNull
	}
	var v struct {
		Number     *hexutil.Uint64 `json:"number"`
		Hash       *common.Hash    `json:"hash"`
		ParentHash *common.Hash    `json:"parentHash"`
		Timestamp  *hexutil.Uint64 `json:"timestamp"`
		LogsBloom  json.RawMessage `json:"logsBloom"`
	}
	if err := json.Unmarshal(raw, &v); err != nil {
		return Header{}, fmt.Errorf("not a block: %w", err)
	}
	switch {
	case v.Number == nil:
		return Header{}, errors.New("a block without number")
	case v.Hash == nil || *v.Hash == (common.Hash{}):
		return Header{}, errors.New("a block without hash")
	case v.ParentHash == nil:
		return Header{}, errors.New("a block without parentHash")
	case v.Timestamp == nil:
		return Header{}, errors.New("a block without timestamp")
	case uint64(*v.Number) > math.MaxInt64:
		return Header{}, fmt.Errorf("block number %d is out of range", uint64(*v.Number))
	case uint64(*v.Timestamp) > maxTime:
		return Header{}, fmt.Errorf("timestamp %d is out of range", uint64(*v.Timestamp))
	}
	h := Header{Block: chain.Block{
		Height: uint64(*v.Number), Hash: *v.Hash, Parent: *v.ParentHash,
		Time: time.Unix(int64(*v.Timestamp), 0).UTC(),
	}}
	if !isNull(v.LogsBloom) {
		h.Bloom = new(types.Bloom)
		if err := json.Unmarshal(v.LogsBloom, h.Bloom); err != nil {
			return Header{}, fmt.Errorf("logsBloom: %w", err)
		}
	}
	return h, nil
}

// rawLog is a log with every field a pointer, so that a missing one shows.
type rawLog struct {
	Address  *common.Address `json:"address"`
	Topics   *[]common.Hash  `json:"topics"`
	Data     *hexutil.Bytes  `json:"data"`
	Number   *hexutil.Uint64 `json:"blockNumber"`
	Block    *common.Hash    `json:"blockHash"`
	Tx       *common.Hash    `json:"transactionHash"`
	TxIndex  *hexutil.Uint64 `json:"transactionIndex"`
	LogIndex *hexutil.Uint64 `json:"logIndex"`
	Removed  bool            `json:"removed"`
}

// errRemoved is the cause of a fault when the logs of a block that is no longer
// canonical were asked for.
var errRemoved = errors.New("a log is marked removed: its block has left the chain")

func decodeLogs(raw json.RawMessage) ([]chain.Log, error) {
	if isNull(raw) {
		return nil, errNull
	}
	var list []rawLog
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, fmt.Errorf("not a list of logs: %w", err)
	}
	out := make([]chain.Log, 0, len(list))
	for i, v := range list {
		l, err := v.check()
		if err != nil {
			return nil, fmt.Errorf("log %d of %d: %w", i+1, len(list), err)
		}
		out = append(out, l)
	}
	return out, nil
}

func (v rawLog) check() (chain.Log, error) {
	switch {
	case v.Removed:
		return chain.Log{}, errRemoved
	case v.Address == nil, v.Topics == nil, v.Data == nil, v.Number == nil, v.Block == nil, v.Tx == nil,
		v.TxIndex == nil, v.LogIndex == nil:
		return chain.Log{}, errors.New("a field is missing")
	case len(*v.Topics) > 4:
		return chain.Log{}, fmt.Errorf("%d topics", len(*v.Topics))
	case uint64(*v.Number) > math.MaxInt64, uint64(*v.LogIndex) > math.MaxInt32, uint64(*v.TxIndex) > math.MaxInt32:
		return chain.Log{}, errors.New("a number is out of range")
	}
	return chain.Log{
		Height: uint64(*v.Number), Block: *v.Block, Index: uint(*v.LogIndex), Tx: *v.Tx, TxIndex: uint(*v.TxIndex),
		Address: *v.Address, Topics: *v.Topics, Data: *v.Data,
	}, nil
}
