package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tidegate/tidegate/executor/job"
)

const offerColumns = `id, slot, miner, protocol, piece, request, choice, deadline, state, reason, attempts, due_at, due_epoch, evidence, sector,
	pay_start, pay_end, faulty, alarm, active_at, created, updated`

func scanOffer(s scanner) (o job.Offer, err error) {
	var due, active, created, updated int64
	err = s.Scan(&o.ID, &o.Slot, &o.Miner, &o.Protocol, &o.Piece, &o.Request, &o.Choice, &o.Deadline, &o.State, &o.Reason, &o.Attempts, &due, &o.DueEpoch,
		&o.Evidence, &o.Sector, &o.Start, &o.End, &o.Faulty, &o.Alarm, &active, &created, &updated)
	o.DueAt, o.ActiveAt, o.CreatedAt, o.UpdatedAt = at(due), at(active), at(created), at(updated)
	return o, err
}

// AddOffer stores a new offer in state proposing, before anybody is told of it.
// Where the slot has an offer that is not over, it changes nothing and returns
// job.ErrConflict. It is on disk when AddOffer returns.
func (s *Store) AddOffer(ctx context.Context, o job.Offer, now time.Time) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, `INSERT INTO offer (id, slot, miner, protocol, piece, request, choice, deadline, state, live, due_at, due_epoch, created, updated)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'proposing', 1, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			o.ID, int64(o.Slot), int64(o.Miner), o.Protocol, o.Piece, blob(o.Request), blob(o.Choice), int64(o.Deadline), ms(o.DueAt), int64(o.DueEpoch), ms(now), ms(now))
		if err == nil && n == 0 {
			err = job.ErrConflict
		}
		if err != nil {
			return err
		}
		return addOfferEvent(ctx, t, o.ID, job.OfferProposing, "", now)
	})
	if err != nil {
		return fmt.Errorf("storing the offer of slot %d to miner %d: %w", o.Slot, o.Miner, err)
	}
	return nil
}

func addOfferEvent(ctx context.Context, t conn, id string, state job.OfferState, words string, now time.Time) error {
	_, err := exec(ctx, t, "INSERT INTO offer_event (offer, at, state, words) VALUES (?, ?, ?, ?)", id, ms(now), string(state), words)
	return err
}

// UpdateOffer writes what may change of an offer that was read in state from, and
// an event where the state or words are new. An offer that is in another state by
// now is left as it is: job.ErrConflict.
func (s *Store) UpdateOffer(ctx context.Context, o job.Offer, from job.OfferState, words string, now time.Time) error {
	if (o.State == job.OfferFailed) != (o.Reason != "") {
		return errors.New("updating an offer: a reason is for what failed, and needed there")
	}
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		n, err := exec(ctx, t, `UPDATE offer SET state = ?, live = ?, reason = ?, attempts = ?, due_at = ?, due_epoch = ?, deadline = ?, evidence = ?, sector = ?,
			pay_start = ?, pay_end = ?, faulty = ?, alarm = ?, active_at = ?, updated = ? WHERE id = ? AND state = ?`,
			string(o.State), flag(!o.State.Over()), o.Reason, o.Attempts, ms(o.DueAt), int64(o.DueEpoch), int64(o.Deadline), int64(o.Evidence), int64(o.Sector),
			int64(o.Start), int64(o.End), flag(o.Faulty), o.Alarm, ms(o.ActiveAt), ms(now), o.ID, string(from))
		if err == nil && n == 0 {
			err = job.ErrConflict
		}
		if err != nil || o.State == from && words == "" {
			return err
		}
		return addOfferEvent(ctx, t, o.ID, o.State, words, now)
	})
	if err != nil {
		return fmt.Errorf("updating offer %s: %w", o.ID, err)
	}
	return nil
}

// Offer gives one offer with its steps, oldest first, or job.ErrNotFound.
func (s *Store) Offer(ctx context.Context, id string) (o job.Offer, steps []job.OfferEvent, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		if o, ok, err = one(ctx, t, scanOffer, "SELECT "+offerColumns+" FROM offer WHERE id = ?", id); err == nil && !ok {
			err = job.ErrNotFound
		}
		if err != nil {
			return err
		}
		steps, err = list(ctx, t, func(s scanner) (e job.OfferEvent, err error) {
			var when int64
			err = s.Scan(&when, &e.State, &e.Words)
			e.At = at(when)
			return e, err
		}, "SELECT at, state, words FROM offer_event WHERE offer = ? ORDER BY id", id)
		return err
	})
	if err != nil {
		return job.Offer{}, nil, fmt.Errorf("reading offer %s: %w", id, err)
	}
	return o, steps, nil
}

// briefColumns leave out what is large and of no use to whoever counts.
var briefColumns = strings.Replace(offerColumns, "request, choice", "NULL, NULL", 1)

// Offers lists offers, newest first.
func (s *Store) Offers(ctx context.Context, f job.OfferFilter) (out []job.Offer, err error) {
	columns := offerColumns
	if f.Brief {
		columns = briefColumns
	}
	q, args := "SELECT "+columns+" FROM offer WHERE 1 = 1", []any{}
	and := func(cond string, vals ...any) { q, args = q+" AND "+cond, append(args, vals...) }
	if f.Slot != 0 {
		and("slot = ?", int64(f.Slot))
	}
	if f.Miner != 0 {
		and("miner = ?", int64(f.Miner))
	}
	if f.State != "" {
		and("state = ?", string(f.State))
	}
	if f.Live {
		and("live = 1")
	}
	if !f.DueBy.IsZero() {
		and("live = 1 AND (due_at <= ? OR due_epoch <= ?)", ms(f.DueBy), int64(f.DueEpoch))
	}
	if !f.Since.IsZero() {
		and("created >= ?", ms(f.Since))
	}
	q += " ORDER BY created DESC, id"
	if !f.Brief {
		q, args = q+" LIMIT ?", append(args, limit(f.Limit))
	}
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanOffer, q, args...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing offers: %w", err)
	}
	return out, nil
}
