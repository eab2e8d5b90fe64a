package peers

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/tidegate/tidegate/oracle/chain"
)

// Paths of the two calls.
const (
	judgePath = "/v1/judge"
	signPath  = "/v1/sign"
)

// Bounds of a call.
const (
	maxBody   = 1 << 20
	maxClaims = 1000
	callLife  = time.Minute // from a call's making to its expiry
	maxNonces = 100_000     // of calls that have not expired
)

// call is the body of both calls.
type call struct {
	Nonce   string    `json:"nonce"` // 16 random bytes in hex, used once
	Expires time.Time `json:"expires"`
	chain.Proposal
}

// judged and signed are the answers.
type judged struct {
	Judgements []chain.Judgement `json:"judgements"`
}

type signed struct {
	Signature hexutil.Bytes `json:"signature"`
}

// refusal is the answer to a call that gets none of these.
type refusal struct {
	Error string `json:"error"`
}

func newCall(p chain.Proposal, now time.Time) (call, error) {
	var nonce [16]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return call{}, fmt.Errorf("making a nonce: %w", err)
	}
	return call{Nonce: hex.EncodeToString(nonce[:]), Expires: now.Add(callLife), Proposal: p}, nil
}

// nonces remembers calls until they expire.
type nonces struct {
	mu   sync.Mutex
	seen map[string]time.Time // by operator and nonce, with the expiry
}

var errReplayed = errors.New("the call has expired, or was taken before")

// take accepts a call once.
func (n *nonces) take(from common.Address, c call, now time.Time) error {
	raw, err := hex.DecodeString(c.Nonce)
	if err != nil || len(raw) != 16 {
		return errors.New("the nonce is not 16 bytes in hex")
	}
	if !c.Expires.After(now) || c.Expires.After(now.Add(callLife+skew)) {
		return errReplayed
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := from.Hex() + c.Nonce
	if _, taken := n.seen[key]; taken {
		return errReplayed
	}
	if len(n.seen) >= maxNonces/2 {
		for k, expires := range n.seen {
			if !expires.After(now) {
				delete(n.seen, k)
			}
		}
	}
	if len(n.seen) >= maxNonces {
		return errors.New("too many calls")
	}
	n.seen[key] = c.Expires
	return nil
}
