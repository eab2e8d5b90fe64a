package watch

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Reading the past is reading long lists of logs. Over HTTP they are asked for here,
// and not through the JSON-RPC client, which walks over an answer five times before it
// is decoded; and they are decoded in one pass where they look as every client writes
// them. Whatever looks otherwise is left to decodeLogs, so that there is one opinion on
// what is a log.

// bodies keeps the memory of answers between calls.
var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// keepBody is the size of the largest buffer that is kept.
const keepBody = 32 << 20

// postLogs makes an eth_getLogs call over HTTP.
func (c *RPC) postLogs(ctx context.Context, filter map[string]any) ([]chain.Log, error) {
	const method = "eth_getLogs"
	ask, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": []any{filter}})
	if err != nil {
		return nil, c.garbage(method, err)
	}
	body := bodies.Get().(*bytes.Buffer)
	body.Reset()
	defer func() {
		if body.Cap() <= keepBody {
			bodies.Put(body)
		}
	}()
	if err := c.post(ctx, ask, body); err != nil {
		return nil, c.fault(ctx, method, err)
	}
	if logs, ok := scanAnswer(body.Bytes()); ok {
		return logs, nil
	}
	raw, err := resultOf(body.Bytes())
	if err != nil {
		return nil, c.fault(ctx, method, err)
	}
	logs, err := decodeLogs(raw)
	if err != nil {
		return nil, c.garbage(method, err)
	}
	return logs, nil
}

// post sends a JSON-RPC call and reads the whole answer.
func (c *RPC) post(ctx context.Context, ask []byte, body *bytes.Buffer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(ask))
	if err != nil {
		return withoutURL(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	resp, err := c.http.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return rpc.HTTPError{Status: resp.Status, StatusCode: resp.StatusCode, Body: bytes.Clone(body.Bytes())}
	}
	return nil
}

// refusal is the error of a JSON-RPC answer.
type refusal struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string { return r.Message }

// ErrorCode implements rpc.Error.
func (r *refusal) ErrorCode() int { return r.Code }

// resultOf gives the result of a JSON-RPC answer, or its error.
func resultOf(body []byte) (json.RawMessage, error) {
	var answer struct {
		Error  *refusal        `json:"error"`
		Result json.RawMessage `json:"result"`
	}
	switch err := json.NewDecoder(bytes.NewReader(body)).Decode(&answer); {
	case errors.Is(err, io.EOF):
		return nil, io.ErrUnexpectedEOF
	case err != nil:
		return nil, err
	case answer.Error != nil:
		return nil, answer.Error
	case len(answer.Result) == 0:
		return nil, rpc.ErrNoResult
	}
	return answer.Result, nil
}

// scan walks over JSON that looks as expected; it gives up by setting bad.
type scan struct {
	b      []byte
	i      int
	bad    bool
	bytes  []byte        // where data of logs goes
	hashes []common.Hash // where topics go
}

// scanAnswer decodes a JSON-RPC answer that holds a list of logs; false where it is
// not written as expected, whether it is right or wrong.
func scanAnswer(body []byte) ([]chain.Log, bool) {
	s := &scan{b: body}
	var logs []chain.Log
	results := 0
	s.take('{')
	for more := true; more && !s.bad; more = s.more('}') {
		switch s.key() {
		case "jsonrpc", "id":
			s.skip()
		case "error":
			s.word("null")
		case "result":
			logs, results = s.logs(), results+1
		default:
			s.bad = true
		}
	}
	s.space()
	return logs, !s.bad && results == 1 && s.i == len(s.b)
}

// logs reads a list of logs.
func (s *scan) logs() []chain.Log {
	s.take('[')
	if s.space(); s.i < len(s.b) && s.b[s.i] == ']' {
		s.i++
		return []chain.Log{}
	}
	const least = 700 // bytes of the JSON of a log
	s.bytes = make([]byte, 0, (len(s.b)-s.i)/3)
	out := make([]chain.Log, 0, (len(s.b)-s.i)/least+1)
	for more := true; more && !s.bad; more = s.more(']') {
		out = append(out, s.log())
	}
	return out
}

// Fields of a log, each of which must be there once.
const (
	hasAddress = 1 << iota
	hasTopics
	hasData
	hasNumber
	hasBlock
	hasTx
	hasTxIndex
	hasIndex
	hasRemoved
	hasTime
	hasAll = hasTime - 1 - hasRemoved
)

func (s *scan) log() chain.Log {
	var l chain.Log
	has := 0
	s.take('{')
	for more := true; more && !s.bad; more = s.more('}') {
		field := 0
		switch s.key() {
		case "address":
			field = hasAddress
			s.fixed(l.Address[:])
		case "topics":
			field = hasTopics
			l.Topics = s.topics()
		case "data":
			field = hasData
			l.Data = s.data()
		case "blockNumber":
			field = hasNumber
			l.Height = s.quantity(1 << 62)
		case "blockHash":
			field = hasBlock
			s.fixed(l.Block[:])
		case "transactionHash":
			field = hasTx
			s.fixed(l.Tx[:])
		case "transactionIndex":
			field = hasTxIndex
			l.TxIndex = uint(s.quantity(1 << 30))
		case "logIndex":
			field = hasIndex
			l.Index = uint(s.quantity(1 << 30))
		case "removed":
			field = hasRemoved
			s.word("false")
		case "blockTimestamp":
			field = hasTime
			s.skip()
		default:
			s.bad = true
		}
		s.bad = s.bad || has&field != 0
		has |= field
	}
	s.bad = s.bad || has&hasAll != hasAll
	return l
}

func (s *scan) topics() []common.Hash {
	s.take('[')
	if s.space(); s.i < len(s.b) && s.b[s.i] == ']' {
		s.i++
		return []common.Hash{}
	}
	const most, chunk = 4, 4096
	if cap(s.hashes)-len(s.hashes) < most {
		s.hashes = make([]common.Hash, 0, chunk)
	}
	from := len(s.hashes)
	for more := true; more && !s.bad; more = s.more(']') {
		if len(s.hashes)-from == most {
			s.bad = true
			return nil
		}
		s.hashes = append(s.hashes, common.Hash{})
		s.fixed(s.hashes[len(s.hashes)-1][:])
	}
	return s.hashes[from:len(s.hashes):len(s.hashes)]
}

func (s *scan) data() []byte {
	digits := s.hex()
	n := len(digits) / 2
	if len(digits)%2 != 0 || cap(s.bytes)-len(s.bytes) < n {
		s.bad = s.bad || len(digits)%2 != 0
		s.bytes = make([]byte, 0, max(n, 64<<10))
	}
	from := len(s.bytes)
	s.bytes = s.bytes[:from+n]
	out := s.bytes[from : from+n : from+n]
	s.decode(out, digits)
	return out
}

// fixed reads exactly len(to) bytes of hex.
func (s *scan) fixed(to []byte) {
	digits := s.hex()
	if len(digits) != 2*len(to) {
		s.bad = true
		return
	}
	s.decode(to, digits)
}

func (s *scan) decode(to, digits []byte) {
	if s.bad {
		return
	}
	if _, err := hex.Decode(to, digits); err != nil {
		s.bad = true
	}
}

// quantity reads a number in hex without leading zeros, less than bound.
func (s *scan) quantity(bound uint64) uint64 {
	digits := s.hex()
	if len(digits) == 0 || len(digits) > 16 || digits[0] == '0' && len(digits) > 1 {
		s.bad = true
		return 0
	}
	var v uint64
	for _, d := range digits {
		n := strings.IndexByte("0123456789abcdef", d)
		if n < 0 {
			s.bad = true
			return 0
		}
		v = v<<4 | uint64(n)
	}
	s.bad = s.bad || v >= bound
	return v
}

// hex reads a string that begins with 0x and gives what follows.
func (s *scan) hex() []byte {
	v := s.text()
	if len(v) < 2 || v[0] != '0' || v[1] != 'x' {
		s.bad = true
		return nil
	}
	return v[2:]
}

// key reads the name of a member and its colon.
func (s *scan) key() string {
	k := s.text()
	s.take(':')
	return string(k)
}

// text reads a string without escapes.
func (s *scan) text() []byte {
	s.take('"')
	if s.bad {
		return nil
	}
	n := bytes.IndexByte(s.b[s.i:], '"')
	if n < 0 {
		s.bad = true
		return nil
	}
	v := s.b[s.i : s.i+n]
	s.i += n + 1
	return v
}

// skip reads a short string or number that says nothing to us.
func (s *scan) skip() {
	s.space()
	if s.i < len(s.b) && s.b[s.i] == '"' {
		for _, c := range s.text() {
			s.bad = s.bad || c == '\\' || c < ' ' || c > '~'
		}
		return
	}
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	s.bad = s.bad || s.i == from || s.i-from > 1 && s.b[from] == '0'
}

func (s *scan) word(w string) {
	s.space()
	if !bytes.HasPrefix(s.b[s.i:], []byte(w)) {
		s.bad = true
		return
	}
	s.i += len(w)
}

// more reads what is between two members: true after a comma, false after end.
func (s *scan) more(end byte) bool {
	s.space()
	if s.bad || s.i >= len(s.b) {
		s.bad = true
		return false
	}
	c := s.b[s.i]
	s.i++
	s.bad = c != ',' && c != end
	return c == ','
}

func (s *scan) take(c byte) {
	s.space()
	if s.i >= len(s.b) || s.b[s.i] != c {
		s.bad = true
		return
	}
	s.i++
}

func (s *scan) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\n' || s.b[s.i] == '\t' || s.b[s.i] == '\r') {
		s.i++
	}
}
