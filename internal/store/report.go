package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/tidegate/tidegate/executor/job"
	"github.com/tidegate/tidegate/oracle/chain"
)

// sealable says when an answer may be sealed: its job still stands by it, and
// its request is final and open, and no cursor is frozen. Joined with ”, the
// job's state is no key of an index: jobs are looked up by answers, not walked.
const sealable = `a.state = 'pending' AND j.state || '' = 'done' AND r.state = 'open' AND r.final = 1
	AND NOT EXISTS (SELECT 1 FROM cursor WHERE frozen <> '')`

const answerJoin = " FROM answer a JOIN request r ON r.id = a.request JOIN job j ON j.id = a.job WHERE "

func scanAnswer(s scanner) (a chain.Answer, err error) {
	var request string
	var deadline int64
	err = s.Scan(&a.Job, &request, &a.Outcome, &a.Reason, &a.Result, &a.Terms, &a.Context, &deadline, &a.Batch, &a.Position, &a.Trace)
	a.Request, a.Deadline = common.HexToHash(request), at(deadline)
	return a, err
}

// PendingAnswers gives answers that may be sealed now: the request is final and
// open with a deadline after minDeadline, and the answer may be given by now.
// The nearest deadline comes first. It gives none while the money lane is frozen.
func (s *Store) PendingAnswers(ctx context.Context, now, minDeadline time.Time, n int) (out []chain.Answer, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanAnswer, `SELECT a.job, a.request, a.outcome, a.reason, a.result, r.terms, r.context, r.deadline, 0, 0, j.trace`+
			answerJoin+sealable+` AND a.not_before <= ? AND a.deadline > ? ORDER BY a.deadline, a.job LIMIT ?`, ms(now), ms(minDeadline), limit(n))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for answers to seal: %w", err)
	}
	return out, nil
}

// AnswerTo gives the answer that this ledger has to a request that is final and
// open, sealed or not; false when there is none, or the money lane is frozen.
func (s *Store) AnswerTo(ctx context.Context, request common.Hash) (a chain.Answer, ok bool, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		a, ok, err = one(ctx, t, scanAnswer, `SELECT a.job, a.request, a.outcome, a.reason, a.result, r.terms, r.context, r.deadline, 0, 0, j.trace`+
			answerJoin+`a.request = ? AND a.state IN ('pending', 'sealed') AND j.state || '' = 'done' AND r.state = 'open' AND r.final = 1
			AND NOT EXISTS (SELECT 1 FROM cursor WHERE frozen <> '')`, hash(request))
		return err
	})
	if err != nil {
		return chain.Answer{}, false, fmt.Errorf("looking for the answer to %s: %w", request, err)
	}
	return a, ok, nil
}

// NextAnswerAt gives the next moment in the future at which an answer, not yet
// allowed, may be sealed; false when none waits for its time.
func (s *Store) NextAnswerAt(ctx context.Context) (next time.Time, ok bool, err error) {
	now := ms(s.now())
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		var v int64
		v, ok, err = one(ctx, t, value[int64], "SELECT a.not_before"+answerJoin+sealable+" AND a.not_before > ? AND a.deadline > ? ORDER BY a.not_before LIMIT 1", now, now)
		next = at(v)
		return err
	})
	if err != nil {
		return time.Time{}, false, fmt.Errorf("looking for the next answer: %w", err)
	}
	return next, ok, nil
}

// SealBatch makes an immutable batch of pending answers, in the order given. It
// returns job.ErrConflict, with nothing sealed, when one of them may not be
// sealed any more or is not what is stored, or when an open batch has the same
// digest; once that has ended, the same answers may be sealed again.
func (s *Store) SealBatch(ctx context.Context, b chain.Seal, now time.Time) (id int64, err error) {
	if len(b.Answers) == 0 || b.Threshold <= 0 {
		return 0, fmt.Errorf("sealing a batch of %d answers with threshold %d: both must be positive", len(b.Answers), b.Threshold)
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		var ok bool
		id, ok, err = one(ctx, t, value[int64], `INSERT INTO batch (config_digest, digest, state, threshold, created, updated)
			VALUES (?, ?, 'sealed', ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id`, hash(b.ConfigDigest), hash(b.Digest), b.Threshold, ms(now), ms(now))
		if err == nil && !ok {
			err = fmt.Errorf("digest %s is in an open batch: %w", b.Digest, job.ErrConflict)
		}
		if err != nil {
			return err
		}
		for i, a := range b.Answers {
			if err := sealAnswer(ctx, t, id, i, a, ms(now)); err != nil {
				return fmt.Errorf("answer to %s: %w", a.Request, err)
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("sealing a batch of %d answers: %w", len(b.Answers), err)
	}
	return id, nil
}

func sealAnswer(ctx context.Context, t conn, batch int64, position int, a chain.Answer, now int64) error {
	type stored struct {
		job     int64
		outcome job.Outcome
		reason  job.Reason
		result  []byte
	}
	have, ok, err := one(ctx, t, func(s scanner) (v stored, err error) {
		err = s.Scan(&v.job, &v.outcome, &v.reason, &v.result)
		return v, err
	}, "SELECT a.job, a.outcome, a.reason, a.result"+answerJoin+sealable+" AND a.request = ?", hash(a.Request))
	switch {
	case err != nil:
		return err
	case !ok:
		return fmt.Errorf("it is not waiting to be sealed: %w", job.ErrConflict)
	case have.outcome != a.Outcome || have.reason != a.Reason || !bytes.Equal(have.result, a.Result):
		return fmt.Errorf("it is not the stored answer: %w", job.ErrConflict)
	}
	if _, err := exec(ctx, t, "INSERT INTO batch_item (batch, position, job, request, outcome, reason, result) VALUES (?, ?, ?, ?, ?, ?, ?)",
		batch, position, have.job, hash(a.Request), int64(a.Outcome), int64(a.Reason), blob(a.Result)); err != nil {
		return err
	}
	_, err = exec(ctx, t, "UPDATE answer SET state = 'sealed', batch = ?, position = ?, updated = ? WHERE job = ?", batch, position, now, have.job)
	return err
}

// RecordSigned binds a signer to results, all or none, before it signs them; it
// is on disk when RecordSigned returns. The same result again is fine; another
// one for a request gives chain.ErrConflictingResult.
func (s *Store) RecordSigned(ctx context.Context, signer common.Address, results []chain.SignedResult, now time.Time) error {
	err := s.writeFull(ctx, func(ctx context.Context, t conn) error {
		for _, r := range results {
			if _, err := exec(ctx, t, "INSERT INTO signed_result (signer, request, result_hash, created) VALUES (?, ?, ?, ?) ON CONFLICT (signer, request) DO NOTHING",
				address(signer), hash(r.Request), hash(r.ResultHash), ms(now)); err != nil {
				return err
			}
			have, _, err := one(ctx, t, value[string], "SELECT result_hash FROM signed_result WHERE signer = ? AND request = ?", address(signer), hash(r.Request))
			if err != nil {
				return err
			}
			if have != hash(r.ResultHash) {
				return fmt.Errorf("request %s: signed %s, asked to sign %s: %w", r.Request, have, r.ResultHash, chain.ErrConflictingResult)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("recording what %s signs: %w", signer, err)
	}
	return nil
}

func batchState(ctx context.Context, t conn, id int64) (st chain.BatchState, tx int64, err error) {
	type row struct {
		state chain.BatchState
		tx    int64
	}
	r, ok, err := one(ctx, t, func(s scanner) (r row, err error) {
		err = s.Scan(&r.state, &r.tx)
		return r, err
	}, "SELECT state, coalesce(tx, 0) FROM batch WHERE id = ?", id)
	if err == nil && !ok {
		err = job.ErrNotFound
	}
	return r.state, r.tx, err
}

// AddSignature stores one operator's signature. It reports true when the batch
// has its threshold and is signed, by this signature or by earlier ones. Another
// signature of the same signer replaces nothing.
func (s *Store) AddSignature(ctx context.Context, batch int64, sig chain.Signature, now time.Time) (signed bool, err error) {
	if len(sig.Sig) != 65 {
		return false, fmt.Errorf("adding a signature to batch %d: it has %d bytes, not 65", batch, len(sig.Sig))
	}
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		state, _, err := batchState(ctx, t, batch)
		if err != nil {
			return err
		}
		if state != chain.BatchSealed {
			signed = state == chain.BatchSigned || state == chain.BatchSubmitted
			if signed {
				return nil
			}
			return fmt.Errorf("it is %s: %w", state, job.ErrConflict)
		}
		if _, err := exec(ctx, t, "INSERT INTO signature (batch, signer, sig) VALUES (?, ?, ?) ON CONFLICT (batch, signer) DO NOTHING",
			batch, address(sig.Signer), sig.Sig); err != nil {
			return err
		}
		n, err := exec(ctx, t, `UPDATE batch SET state = 'signed', updated = ? WHERE id = ?
			AND threshold <= (SELECT count(*) FROM signature WHERE signature.batch = batch.id)`, ms(now), batch)
		signed = n == 1
		return err
	})
	if err != nil {
		return false, fmt.Errorf("adding a signature to batch %d: %w", batch, err)
	}
	return signed, nil
}

// OpenBatches gives every batch that is sealed, signed or submitted, oldest
// first, and what became of its transaction; with its items and signatures unless
// it waits for that transaction.
func (s *Store) OpenBatches(ctx context.Context) (out []chain.ReportBatch, err error) {
	err = s.view(ctx, func(ctx context.Context, t conn) error {
		out, err = list(ctx, t, scanBatch, `SELECT b.id, b.config_digest, b.digest, b.state, b.threshold, coalesce(b.tx, 0), coalesce(x.state, ''),
				coalesce(x.reverted, 0), coalesce(x.why, ''), coalesce(x.created, 0), coalesce(x.updated, 0),
				coalesce((SELECT min(t.created) FROM tx_attempt t WHERE t.tx = x.id AND t.broadcast > 0), 0), b.created, b.updated
			FROM batch b LEFT JOIN tx x ON x.id = b.tx WHERE b.state IN ('sealed', 'signed', 'submitted') ORDER BY b.id`)
		if err != nil {
			return err
		}
		for i := range out {
			b := &out[i]
			if b.State == chain.BatchSubmitted && !b.TxState.Ended() {
				continue // most are that, and are asked for with each answer
			}
			if b.Items, err = list(ctx, t, scanAnswer, `SELECT i.job, i.request, i.outcome, i.reason, i.result, r.terms, r.context, r.deadline, i.batch, i.position, j.trace
				FROM batch_item i JOIN request r ON r.id = i.request JOIN job j ON j.id = i.job WHERE i.batch = ? ORDER BY i.position`, b.ID); err != nil {
				return err
			}
			if b.Signatures, err = list(ctx, t, func(s scanner) (v chain.Signature, err error) {
				var signer string
				err = s.Scan(&signer, &v.Sig)
				v.Signer = common.HexToAddress(signer)
				return v, err
			}, "SELECT signer, sig FROM signature WHERE batch = ? ORDER BY signer", b.ID); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("listing open batches: %w", err)
	}
	return out, nil
}

func scanBatch(s scanner) (b chain.ReportBatch, err error) {
	var config, digest string
	var queued, moved, sent, created, updated int64
	err = s.Scan(&b.ID, &config, &digest, &b.State, &b.Threshold, &b.Tx, &b.TxState, &b.TxReverted, &b.TxWhy, &queued, &moved, &sent, &created, &updated)
	b.TxQueued, b.TxUpdated, b.TxSent = at(queued), at(moved), at(sent)
	b.ConfigDigest, b.Digest, b.CreatedAt, b.UpdatedAt = common.HexToHash(config), common.HexToHash(digest), at(created), at(updated)
	return b, err
}

// SubmitBatch hands a signed batch to the sender as one intent, in one
// transaction. The same intent again gives the same row; another one, or a batch
// that is not signed, job.ErrConflict.
func (s *Store) SubmitBatch(ctx context.Context, batch int64, i chain.Intent, now time.Time) (txID int64, err error) {
	err = s.writeFull(ctx, func(ctx context.Context, t conn) error {
		state, tx, err := batchState(ctx, t, batch)
		if err != nil {
			return err
		}
		x, _, err := queueIntent(ctx, t, i, ms(now))
		if err != nil {
			return err
		}
		txID = x.ID
		switch {
		case state == chain.BatchSubmitted && tx == txID:
			return nil
		case state != chain.BatchSigned:
			return fmt.Errorf("it is %s: %w", state, job.ErrConflict)
		}
		_, err = exec(ctx, t, "UPDATE batch SET state = 'submitted', tx = ?, updated = ? WHERE id = ?", txID, ms(now), batch)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("submitting batch %d: %w", batch, err)
	}
	return txID, nil
}

// errUnread stops a resolution until the watcher has read what the transaction did.
var errUnread = errors.New("the watcher has not read the batch's block as final yet")

// ResolveBatch ends a submitted batch whose transaction has ended: final, or
// failed when it reverted or will never land. Answers whose request may still
// want one go back to pending, the others are settled or withdrawn; reopened
// counts those whose request is open. While the watcher has not yet read the
// transaction's block as final nothing happens and the batch stays submitted:
// call again later. A batch that is resolved already gives 0, one whose
// transaction has not ended job.ErrConflict.
func (s *Store) ResolveBatch(ctx context.Context, batch int64, now time.Time) (reopened int, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		state, tx, err := batchState(ctx, t, batch)
		switch {
		case err != nil:
			return err
		case state == chain.BatchFinal || state == chain.BatchFailed:
			return nil
		case state != chain.BatchSubmitted:
			return fmt.Errorf("it is %s: %w", state, job.ErrConflict)
		}
		end, err := endOf(ctx, t, batch, tx)
		if err != nil {
			return err
		}
		reopened, err = closeBatch(ctx, t, batch, end, ms(now))
		return err
	})
	if errors.Is(err, errUnread) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("resolving batch %d: %w", batch, err)
	}
	return reopened, nil
}

// endOf says how a submitted batch ends by what became of its transaction.
func endOf(ctx context.Context, t conn, batch, tx int64) (chain.BatchState, error) {
	x, err := txByID(ctx, t, tx)
	if err != nil {
		return "", err
	}
	if !x.State.Ended() {
		return "", fmt.Errorf("its transaction is %s: %w", x.State, job.ErrConflict)
	}
	if x.State != chain.TxFinal || x.Reverted {
		return chain.BatchFailed, nil
	}
	behind, err := list(ctx, t, value[string], `SELECT DISTINCT c.filter FROM batch_item i JOIN request r ON r.id = i.request
		JOIN log l ON l.block = r.log_block AND l.idx = r.log_idx JOIN cursor c ON c.filter = l.filter
		WHERE i.batch = ? AND c.final < ?`, batch, int64(x.MinedHeight))
	if err == nil && len(behind) > 0 {
		err = errUnread
	}
	return chain.BatchFinal, err
}

// closeBatch ends a batch and lets its answers go.
func closeBatch(ctx context.Context, t conn, batch int64, end chain.BatchState, now int64) (int, error) {
	for _, q := range []struct{ to, which string }{
		{"withdrawn", "(r.state = 'retracted' OR (r.closed_final = 1 AND r.state = 'refunded'))"},
		{"settled", "r.closed_final = 1"},
	} {
		if _, err := exec(ctx, t, "UPDATE answer SET state = ?, batch = NULL, updated = ? WHERE batch = ?"+
			" AND EXISTS (SELECT 1 FROM request r WHERE r.id = answer.request AND "+q.which+")", q.to, now, batch); err != nil {
			return 0, err
		}
	}
	// what is closed, but not for good, waits as pending: if the closing is rolled
	// back the answer is wanted again, and nobody offers it before
	var reopened int
	if err := t.QueryRowContext(ctx, "SELECT count(*) FROM answer a JOIN request r ON r.id = a.request WHERE a.batch = ? AND r.state = 'open'", batch).Scan(&reopened); err != nil {
		return 0, err
	}
	if _, err := exec(ctx, t, "UPDATE answer SET state = 'pending', batch = NULL, updated = ? WHERE batch = ?", now, batch); err != nil {
		return 0, err
	}
	_, err := exec(ctx, t, "UPDATE batch SET state = ?, updated = ? WHERE id = ?", string(end), now, batch)
	return reopened, err
}

// AbandonBatch gives up a batch that is sealed or signed but was never
// submitted, because its operator set is out of date or most of it is stale. Its
// answers are let go as by ResolveBatch. What was signed stays bound.
func (s *Store) AbandonBatch(ctx context.Context, batch int64, now time.Time) (reopened int, err error) {
	err = s.write(ctx, func(ctx context.Context, t conn) error {
		state, _, err := batchState(ctx, t, batch)
		switch {
		case err != nil:
			return err
		case state == chain.BatchFailed:
			return nil
		case state != chain.BatchSealed && state != chain.BatchSigned:
			return fmt.Errorf("it is %s: %w", state, job.ErrConflict)
		}
		reopened, err = closeBatch(ctx, t, batch, chain.BatchFailed, ms(now))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("abandoning batch %d: %w", batch, err)
	}
	return reopened, nil
}
