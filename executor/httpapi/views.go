package httpapi

import (
	"encoding/json"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

// Page is every listing.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"` // value of ?before= for the next page
}

// Job is a row of the ledger's jobs.
type Job struct {
	ID        int64           `json:"id"`
	Key       string          `json:"key"`
	Kind      job.Kind        `json:"kind"`
	State     job.State       `json:"state"`
	Request   string          `json:"request,omitempty"`
	Requester string          `json:"requester,omitempty"`
	Payload   json.RawMessage `json:"payload,omitempty"`
	Attempt   int             `json:"attempt"`
	RunAt     *time.Time      `json:"runAt,omitempty"`
	Deadline  *time.Time      `json:"deadline,omitempty"`
	Outcome   string          `json:"outcome,omitempty"`
	Reason    string          `json:"reason,omitempty"`
	LastError string          `json:"lastError,omitempty"`
	NodeID    string          `json:"nodeId,omitempty"`
	Progress  job.Progress    `json:"progress"`
	Detail    json.RawMessage `json:"detail,omitempty"` // what its work had to say; of one job alone
	CreatedAt *time.Time      `json:"createdAt,omitempty"`
	UpdatedAt *time.Time      `json:"updatedAt,omitempty"`
}

func viewJob(j job.Job) Job {
	v := Job{
		ID: j.ID, Key: j.Key, Kind: j.Kind, State: j.State, Request: j.Request, Requester: j.Requester, Payload: j.Payload,
		Attempt: j.Attempt, Deadline: when(j.Deadline), Reason: j.Reason.String(), LastError: j.LastError, NodeID: j.NodeID,
		Progress: j.Progress, CreatedAt: when(j.CreatedAt), UpdatedAt: when(j.UpdatedAt),
	}
	if j.Outcome != job.OutcomeNone {
		v.Outcome = j.Outcome.String()
	}
	if j.State.Claimable() {
		v.RunAt = when(j.RunAt)
	}
	return v
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Request is an on-chain request, as the ledger knows it.
type Request struct {
	ID             string     `json:"id"`
	Action         string     `json:"action"`
	Seq            uint64     `json:"seq"`
	State          string     `json:"state"`
	Final          bool       `json:"final"`
	ClosedFinal    bool       `json:"closedFinal"`
	Provider       string     `json:"provider"`
	Consumer       string     `json:"consumer"`
	Requester      string     `json:"requester"`
	Outcome        string     `json:"outcome,omitempty"`
	Reason         string     `json:"reason,omitempty"`
	CallbackFailed bool       `json:"callbackFailed"`
	Deadline       *time.Time `json:"deadline,omitempty"`
	Block          uint64     `json:"block"`
	Tx             string     `json:"tx"`
	CloseTx        string     `json:"closeTx,omitempty"`
	CreatedAt      *time.Time `json:"createdAt,omitempty"`
	UpdatedAt      *time.Time `json:"updatedAt,omitempty"`
}

// RequestQuery narrows a listing; zero fields do not.
type RequestQuery struct {
	State     string
	Requester string
	BeforeSeq uint64
	Limit     int
}

// Pin is what the node holds for one request.
type Pin struct {
	Ref       string     `json:"ref"` // request id, or local:<ulid>
	Owner     string     `json:"owner"`
	CID       string     `json:"cid"`
	Name      string     `json:"name,omitempty"`
	State     string     `json:"state"` // pinning, pinned, dropping
	Blocks    uint64     `json:"blocks"`
	Bytes     uint64     `json:"bytes"`
	CreatedAt *time.Time `json:"createdAt,omitempty"`
}

// Verification is a recount of the node's references from scratch.
type Verification struct {
	OK       bool     `json:"ok"`
	Pins     int      `json:"pins"`
	Blocks   uint64   `json:"blocks"`
	Problems []string `json:"problems,omitempty"`
}

// Added is a file or directory that the node now holds.
type Added struct {
	CID    string `json:"cid"`
	Ref    string `json:"ref"`
	Blocks uint64 `json:"blocks"`
	Bytes  uint64 `json:"bytes"`
}
