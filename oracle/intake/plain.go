package intake

import (
	"encoding/binary"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Requests are most of what is decoded, and the bindings decode by reflection. What the
// contract emits has one form, which is read here in place; what has any other is left
// to the bindings, so that there is one opinion on what is a request.

const (
	word       = 32
	termsWords = 11
	requestEnd = (termsWords + 2) * word // terms, then where payload and context are
	pinWords   = 6
)

// words is ABI-encoded data.
type words []byte

// at gives the word at an offset; nil where the data is shorter.
func (w words) at(offset int) []byte {
	if offset < 0 || offset > len(w)-word {
		return nil
	}
	return w[offset : offset+word]
}

// num reads an unsigned number of at most so many bytes.
func (w words) num(offset, size int) (uint64, bool) {
	v := w.at(offset)
	if v == nil || !zero(v[:word-size]) {
		return 0, false
	}
	return binary.BigEndian.Uint64(v[word-8:]), true
}

func (w words) address(offset int) (a common.Address, ok bool) {
	v := w.at(offset)
	if v == nil || !zero(v[:word-len(a)]) {
		return a, false
	}
	return common.Address(v[word-len(a):]), true
}

// dynamic reads the bytes whose place, counted from base, is in the word at offset.
func (w words) dynamic(base, offset int) ([]byte, bool) {
	from, ok := w.num(offset, 4)
	if !ok {
		return nil, false
	}
	start := base + int(from)
	n, ok := w.num(start, 4)
	if start += word; !ok || int(n) > len(w)-start {
		return nil, false
	}
	return w[start : start+int(n) : start+int(n)], true
}

func zero(b []byte) bool {
	for _, v := range b {
		if v != 0 {
			return false
		}
	}
	return true
}

// plainRequest reads an OracleRequested event as the contract writes it.
func plainRequest(l chain.Log) (announced, bool) {
	if len(l.Topics) != 4 || len(l.Data) < requestEnd {
		return announced{}, false
	}
	w := words(l.Data)
	a := announced{id: l.Topics[1], terms: l.Data[: termsWords*word : termsWords*word]}
	var ok [13]bool
	var action, indexed, deadline, until uint64
	a.seq, ok[0] = w.num(0, 8)
	a.consumer, ok[1] = w.address(1 * word)
	action, ok[2] = w.num(2*word, 2)
	_, ok[3] = w.num(3*word, 4)
	deadline, ok[4] = w.num(4*word, 5)
	until, ok[5] = w.num(5*word, 5)
	_, ok[6] = w.address(6 * word)
	ok[7] = zero(w.at(7 * word)[:word-12])
	ok[8] = zero(w.at(8 * word)[:word-12])
	a.payloadHash, a.contextHash = common.Hash(w.at(9*word)), common.Hash(w.at(10*word))
	a.payload, ok[9] = w.dynamic(0, 11*word)
	a.context, ok[10] = w.dynamic(0, 12*word)
	a.indexedConsumer, ok[11] = words(l.Topics[2][:]).address(0)
	indexed, ok[12] = words(l.Topics[3][:]).num(0, 2)
	a.action, a.indexedAction = uint16(action), uint16(indexed)
	a.deadline, a.attemptUntil = int64(deadline), int64(until)
	for _, fine := range ok {
		if !fine {
			return announced{}, false
		}
	}
	return a, true
}

// plainPin reads abi.encode(PinPayload) as Solidity writes it.
func plainPin(raw []byte) (pinPayload, bool) {
	var p pinPayload
	all := words(raw)
	if start, ok := all.num(0, 4); !ok || start != word || len(raw) < (1+pinWords)*word {
		return p, false
	}
	w := all[word:]
	var ok [5]bool
	var expiry uint64
	var name []byte
	p.Cid, ok[0] = w.dynamic(0, 0)
	p.Requester, ok[1] = w.address(1 * word)
	p.MaxBytes, ok[2] = w.num(2*word, 8)
	expiry, ok[3] = w.num(3*word, 5)
	name, ok[4] = w.dynamic(0, 5*word)
	list, fine := w.num(4*word, 4)
	count, counted := w.num(int(list), 4)
	if !fine || !counted || ok != [5]bool{true, true, true, true, true} || int(count) > len(w)/word {
		return p, false
	}
	p.Expiry, p.Name, p.Origins = new(big.Int).SetUint64(expiry), string(name), make([]string, count)
	base := int(list) + word
	for i := range p.Origins {
		origin, fine := w.dynamic(base, base+i*word)
		if !fine {
			return p, false
		}
		p.Origins[i] = string(origin)
	}
	return p, true
}
