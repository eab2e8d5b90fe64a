package txmgr

import (
	"errors"
	"strings"

	"github.com/tidegate/tidegate/oracle/chain"
)

// class is what a reply to a broadcast proves, weakest claim last.
type class int

const (
	refused  class = iota // no copy of the bytes is left behind
	unknown               // the bytes may or may not be in a pool
	accepted              // they are in a pool
)

// why refines refused and unknown.
type why int

const (
	whyOther        why = iota // malformed, too large, gas out of range: these bytes never land
	whyFunds                   // the balance does not cover them now
	whyUnderpriced             // the fee is too low now, or for replacing what is in the pool
	whyNonceTooLow             // the nonce is used, by us or by another
	whyNoAnswer                // timeout, 5xx, garbage
	whyNonceTooHigh            // the endpoint has not seen the ones before
)

// reply is a classified answer to a broadcast.
type reply struct {
	class class
	why   why
	words string
}

// String is the form kept in the ledger: one of chain's Reply classes, then words.
func (r reply) String() string {
	name := chain.ReplyUnknown
	switch r.class {
	case accepted:
		name = chain.ReplyAccepted
	case refused:
		name = chain.ReplyDefinitive
	}
	if r.words == "" {
		return name
	}
	return name + ": " + clip(r.words, 500)
}

// phrases of go-ethereum, anvil, Lotus, Forest and Erigon, tried in order: a more
// specific phrase stands before one that it contains.
var phrases = []struct {
	phrase string
	class  class
	why    why
}{
	{"replacement transaction underpriced", unknown, whyUnderpriced},
	{"to trigger replace by fee", unknown, whyUnderpriced},
	{"replace by fee has too low", unknown, whyUnderpriced},
	{"already known", accepted, 0},
	{"known transaction", accepted, 0},
	{"already imported", accepted, 0},
	{"alreadyknown", accepted, 0},
	{"message with nonce already exists", accepted, 0},
	{"already in mpool", accepted, 0},
	{"nonce too low", unknown, whyNonceTooLow},
	{"minimum expected nonce", unknown, whyNonceTooLow},
	{"old nonce", unknown, whyNonceTooLow},
	{"nonce too high", unknown, whyNonceTooHigh},
	{"nonce gap", unknown, whyNonceTooHigh},
	{"gapped-nonce", unknown, whyNonceTooHigh},
	{"insufficient funds", refused, whyFunds},
	{"not enough funds", refused, whyFunds},
	{"insufficient balance", refused, whyFunds},
	{"actor not found", refused, whyFunds},
	{"resolution lookup failed", refused, whyFunds},
	{"underpriced", unknown, whyUnderpriced},
	{"less than block base fee", unknown, whyUnderpriced},
	{"fee cap too low", unknown, whyUnderpriced},
	{"gasfeecap", unknown, whyUnderpriced},
	{"gas premium", unknown, whyUnderpriced},
	{"exceeds the configured cap", refused, whyOther},
	{"intrinsic gas too low", refused, whyOther},
	{"floor data gas", refused, whyOther},
	{"exceeds block gas limit", refused, whyOther},
	{"gas limit too high", refused, whyOther},
	{"gas limit exceeds", refused, whyOther},
	{"'gaslimit' field", refused, whyOther},
	{"oversized data", refused, whyOther},
	{"message too big", refused, whyOther},
	{"exceeds maximum size", refused, whyOther},
	{"invalid sender", refused, whyOther},
	{"invalid signature", refused, whyOther},
	{"invalid chain id", refused, whyOther},
	{"transaction type not supported", refused, whyOther},
	{"unsupported transaction type", refused, whyOther},
	{"tip higher than fee cap", refused, whyOther},
	{"max initcode size exceeded", refused, whyOther},
}

// classify turns the error of a broadcast into what it proves. Whatever is not
// recognised proves nothing.
func classify(err error) reply {
	if err == nil {
		return reply{class: accepted}
	}
	text := err.Error()
	low := strings.ToLower(text)
	for _, p := range phrases {
		if strings.Contains(low, p.phrase) {
			return reply{class: p.class, why: p.why, words: text}
		}
	}
	return reply{class: unknown, why: whyNoAnswer, words: text}
}

// ErrFunds is returned by an endpoint's simulation when the key cannot pay.
var ErrFunds = errors.New("the balance does not cover it")

// isVerdict reports whether an error of a simulation is the chain's answer rather
// than the endpoint's trouble.
func isVerdict(err error) bool {
	var r *Revert
	return errors.As(err, &r) || errors.Is(err, ErrFunds)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
