package chain

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
)

// Claim is one report as operators show it to each other.
type Claim struct {
	Request    common.Hash `json:"request"`
	Outcome    job.Outcome `json:"outcome"`
	Reason     job.Reason  `json:"reason"`
	ResultHash common.Hash `json:"resultHash"` // keccak256 of the result's bytes
}

// Proposal is what one operator asks the others to judge, or to sign: claims in
// the order of a batch, under a configuration of operators.
type Proposal struct {
	ConfigDigest common.Hash `json:"configDigest"`
	Claims       []Claim     `json:"claims"`
}

// Verdict is what an operator says of another one's claim.
type Verdict string

const (
	Agree    Verdict = "agree"    // it found the same, and sees the request final and open
	Disagree Verdict = "disagree" // it found something else
	Unknown  Verdict = "unknown"  // it has no answer yet, or does not see the request final and open
)

// Judgement is a verdict; Own is what the judge found where it disagrees.
type Judgement struct {
	Verdict Verdict `json:"verdict"`
	Own     *Claim  `json:"own,omitempty"`
}
