package deals

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/executor/market/mk12"
	"github.com/tidegate/tidegate/executor/market/mk20"
)

const (
	statusEvery = time.Minute
	silentEvery = 10 * statusEvery // where a provider does not answer, or tells nothing
)

// askStatus asks a provider how far a deal is: its word, which leads up to sealing and
// no further.
func (m *Maker) askStatus(ctx context.Context, o job.Offer) error {
	next := o
	if o.State == job.OfferActive || o.State == job.OfferPublished || strings.HasSuffix(o.ID, lateSuffix) {
		next.DueAt = m.d.Now().Add(24 * time.Hour) // the chain's clock counts
		return m.update(ctx, next, o.State, "")
	}
	next.DueAt = m.d.Now().Add(statusEvery)
	within, cancel := m.patience(ctx)
	defer cancel()
	ask := m.askStatus20
	if o.Protocol == job.ProtocolMK12 {
		ask = m.askStatus12
	}
	words, err := ask(within, &next)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		next.State, next.Reason = o.State, ""
		next.DueAt = m.d.Now().Add(silentEvery)
		m.d.Log.Debug("deal's status", "deal", o.ID, "error", err)
	}
	return m.update(ctx, next, o.State, words)
}

func (m *Maker) askStatus20(ctx context.Context, o *job.Offer) (words string, err error) {
	var r offer20
	if err := json.Unmarshal(o.Request, &r); err != nil {
		return "", fmt.Errorf("reading the stored offer: %w", err)
	}
	s, err := m.d.MK20.Status(ctx, r.Base, r.Deal.Identifier)
	switch {
	case err != nil:
		return "", err
	case s.State == mk20.Processing && o.State == job.OfferAccepted:
		o.State = job.OfferTransferring
	case s.State == mk20.Sealing || s.State == mk20.Indexing || s.State == mk20.Complete:
		o.State = job.OfferSealing // that it is stored is for the contract to say
	case s.State == mk20.Failed:
		if words = s.Words; words == "" {
			words = "without a reason"
		}
		o.State, o.Reason = job.OfferFailed, whyGivenUp+words
	}
	return words, nil
}

// stages are the statuses of MK12 from which on the data is with the provider: those of
// Boost (storagemarket/types/dealcheckpoints/checkpoints.go) after the first, and of Curio
// (market/mk12/mk12_utils.go, GetDealStatus) but "Processing", which may be anything.
var stages = map[string]job.OfferState{
	"Transferred": job.OfferTransferring,
	"Published":   job.OfferSealing, "PublishConfirmed": job.OfferSealing, "AddedPiece": job.OfferSealing, "IndexedAndAnnounced": job.OfferSealing,
	"Complete": job.OfferSealing, "Sealing": job.OfferSealing, "Sealed": job.OfferSealing, "Sealed and Indexed": job.OfferSealing,
}

const (
	// boostDone is the status of a deal of Boost that is over: sealed, or failed where it has an error.
	boostDone = "Complete"
	// boostUnsigned is what Boost says of a deal that it has to who is not its client (storagemarket/lp2pimpl/net.go, getDealStatus).
	boostUnsigned = "signature verification failed"
)

// askStatus12 asks over MK12. Curio answers anybody, Boost only whom the client's signature
// shows to be the client, which no contract has: what becomes of its deals is for the chain to say.
func (m *Maker) askStatus12(ctx context.Context, o *job.Offer) (words string, err error) {
	var r proposal12
	q := mk12.DealStatusRequest{}
	if err = json.Unmarshal(o.Request, &r); err == nil {
		q.UUID, err = uuid.Parse(o.ID)
	}
	if err != nil {
		return "", fmt.Errorf("reading the stored proposal: %w", err)
	}
	s, err := m.d.MK12.Status(ctx, r.Addrs, q)
	switch {
	case err != nil:
		return "", err
	case s.UUID != q.UUID:
		return "", fmt.Errorf("the provider speaks of deal %s", s.UUID)
	case s.Status == nil && s.Error == boostUnsigned: // it has the deal, and tells a contract no more
		o.DueAt = m.d.Now().Add(24 * time.Hour)
		return "", nil
	case s.Status == nil:
		o.DueAt = m.d.Now().Add(silentEvery)
		return m.news(o.ID, s.Error), nil
	case s.Status.Error != "" && s.Status.Status == boostDone:
		o.State, o.Reason = job.OfferFailed, whyGivenUp+s.Status.Error
		return s.Status.Error, nil
	}
	stage := stages[s.Status.Status]
	if s.Status.Status == "Accepted" && s.Received > 0 { // Boost counts, Curio does not
		stage = job.OfferTransferring
	}
	if stage == job.OfferSealing || stage == job.OfferTransferring && o.State == job.OfferAccepted {
		o.State = stage
	}
	return m.news(o.ID, s.Status.Error), nil
}

// news gives what a provider says of a live deal where it is not what it said before.
func (m *Maker) news(id, words string) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.said[id] == words {
		return ""
	}
	m.said[id] = words
	return words
}
