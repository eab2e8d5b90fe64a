package watch

import "strings"

// A dialect is what one client, or one kind of hosted endpoint, says when it cannot
// answer. A phrase is found in the lower-cased message.
type dialect struct {
	client string
	codes  map[int]FaultKind
	says   []phrase
}

type phrase struct {
	words string
	kind  FaultKind
}

// dialects are the error tables by client. Sources: lotus api/api_errors.go, node/impl/eth/events.go,
// chain/index/events.go and gateway/node.go; forest src/rpc/methods/eth; venus
// venus-shared/types and app/submodule/eth; go-ethereum eth/filters and rpc;
// anvil crates/anvil/src/eth/error.rs.
var dialects = []dialect{
	{client: "hosted", codes: map[int]FaultKind{429: FaultThrottled}, says: []phrase{
		{"rate limit", FaultThrottled}, {"rate-limit", FaultThrottled}, {"ratelimit", FaultThrottled},
		{"too many requests", FaultThrottled}, {"request count exceeded", FaultThrottled}, {"throttl", FaultThrottled},
		{"capacity exceeded", FaultThrottled}, {"compute units", FaultThrottled},
		{"block range", FaultTooMany}, {"range is too large", FaultTooMany}, {"range too large", FaultTooMany},
		{"range limit", FaultTooMany}, {"exceeds the range", FaultTooMany}, {"response size", FaultTooMany},
		{"limited to a", FaultTooMany}, {"max results", FaultTooMany}, {"logs matched", FaultTooMany},
		{"bad gateway", FaultTransport}, {"upstream", FaultTransport}, {"service unavailable", FaultTransport},
		{"try again later", FaultTransport}, {"timed out", FaultTransport}, {"timeout", FaultTransport},
	}},
	{client: "lotus", codes: map[int]FaultKind{12: FaultNullRound, -32005: FaultTooMany, -39001: FaultNotYet}, says: []phrase{
		{"null round", FaultNullRound}, {"filter matches too many events", FaultTooMany},
		{"future epoch", FaultNotYet}, {"not yet available", FaultNotYet}, {"beyond the head", FaultNotYet},
		{"not indexed", FaultNotYet}, {"extends beyond", FaultNotYet}, {"failed to lookup tipset", FaultNotYet},
		{"state fork", FaultNotYet}, {"lookbacks of more than", FaultRefused},
	}},
	{client: "forest", says: []phrase{
		{"null tipset", FaultNullRound}, {"too many events", FaultTooMany}, {"exceeds maximum", FaultTooMany},
		{"looking for tipset with null", FaultNullRound}, {"requested epoch is in the future", FaultNotYet},
		{"tipset does not exist", FaultNotYet}, {"cannot find tipset", FaultNotYet},
	}},
	{client: "venus", says: []phrase{
		{"max results", FaultTooMany}, {"epoch is null", FaultNullRound}, {"tipset is not found", FaultNotYet},
		{"head tipset is behind", FaultNotYet},
	}},
	{client: "geth", says: []phrase{
		{"query returned more than", FaultTooMany}, {"header not found", FaultNotYet}, {"block not found", FaultNotYet},
		{"unknown block", FaultNotYet}, {"finalized block", FaultNotYet}, {"safe block", FaultNotYet},
		{"beyond current head", FaultNotYet}, {"future block", FaultNotYet}, {"missing trie node", FaultNotYet},
	}},
	{client: "anvil", says: []phrase{
		{"blockoutofrange", FaultNotYet}, {"block out of range", FaultNotYet}, {"too many results", FaultTooMany},
	}},
}

// order is which kinds are looked for first: words of throttling also stand beside
// the code of a range that is too wide, and "timeout" in many an answer.
var order = []FaultKind{FaultThrottled, FaultNullRound, FaultNotYet, FaultTooMany, FaultRefused, FaultTransport}

// classify says what kind of failure a JSON-RPC error is.
func classify(code int, message string) FaultKind {
	m := strings.ToLower(message)
	for _, kind := range order {
		for _, d := range dialects {
			if d.codes[code] == kind {
				return kind
			}
			for _, p := range d.says {
				if p.kind == kind && strings.Contains(m, p.words) {
					return kind
				}
			}
		}
	}
	return FaultRefused
}
