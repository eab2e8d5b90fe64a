// Package status runs jobs of kind status: it says what Filecoin's actors said of a deal
// or a sector at the epoch of the request, and where the sector was.
//
// It proves nothing: the contract that gets the answer does, by asking the actors with
// that location. It reads no contract of ours, and no chain by itself (its Chain does).
//
// Map: status.go is all of it.
//
// Invariants: an answer follows from the payload and the chain up to the request's epoch, so that all
// operators give the same; what the actors did not say is answered as unknown, never guessed.
package status

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tidegate/tidegate/executor/job"
)

// mostLocation bounds the location in a result, which may have 1 KiB in all.
const mostLocation = 512

// Chain reads Filecoin's actors.
type Chain interface {
	// DealStatus is what they say at an epoch.
	DealStatus(ctx context.Context, of job.Status, epoch uint64) (job.StatusFound, error)
}

// Handler runs status jobs; it fits runner.Handler.
type Handler struct{ chain Chain }

// New checks that nothing is missing.
func New(chain Chain) (*Handler, error) {
	if chain == nil {
		return nil, errors.New("status handler: a chain is needed")
	}
	return &Handler{chain}, nil
}

// detail is Result.Detail, for people and the API.
type detail struct {
	Status string `json:"status"`
	Epoch  uint64 `json:"epoch"`
	Words  string `json:"words"`
}

// Handle asks the actors. A payload that names neither a deal nor a sector is invalid
// content; a chain that cannot be read now is asked again.
func (h *Handler) Handle(ctx context.Context, j job.Job, _ func(job.Progress)) (job.Result, error) {
	p, err := job.Decode[job.Status](j.Payload)
	if err != nil {
		return job.Result{}, err
	}
	if !p.Valid() {
		return job.Result{Outcome: job.Failed, Reason: job.ReasonInvalidContent}, nil
	}
	found, err := h.chain.DealStatus(ctx, p, j.Height)
	if err == nil && len(found.Location) > mostLocation {
		err = fmt.Errorf("a location of %d bytes, at most %d fit an answer", len(found.Location), mostLocation)
	}
	if err != nil {
		return job.Result{}, &job.Fault{Reason: job.ReasonUnreachable, Retry: true, Err: fmt.Errorf("asking the actors at epoch %d: %w", j.Height, err)}
	}
	d, err := json.Marshal(detail{found.Status.String(), j.Height, found.Words})
	if err != nil {
		return job.Result{}, fmt.Errorf("encoding the detail of a status: %w", err)
	}
	return job.Result{Outcome: job.Succeeded, Answer: encode(found.Status, j.Height, found.Location), Detail: d}, nil
}

// encode is abi.encode(uint8 status, uint64 epoch, bytes location).
func encode(s job.ChainStatus, epoch uint64, location []byte) []byte {
	const word = 32
	out := make([]byte, 4*word, 4*word+(len(location)+word-1)/word*word)
	out[word-1] = byte(s)
	binary.BigEndian.PutUint64(out[2*word-8:], epoch)
	out[3*word-1] = 3 * word // where the location begins
	binary.BigEndian.PutUint64(out[4*word-8:], uint64(len(location)))
	return append(out, location...)[:cap(out)]
}
