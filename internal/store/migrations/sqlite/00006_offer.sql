-- Deals that are proposed to storage providers, and each step of theirs.
-- +goose Up

CREATE TABLE offer (
  id        TEXT PRIMARY KEY,
  slot      INTEGER NOT NULL CHECK (slot > 0),
  miner     INTEGER NOT NULL CHECK (miner > 0),
  protocol  TEXT NOT NULL CHECK (protocol IN ('mk12', 'mk20')),
  piece     TEXT NOT NULL,
  request   BLOB NOT NULL,
  choice    BLOB NOT NULL,
  deadline  INTEGER NOT NULL,
  state     TEXT NOT NULL CHECK (state IN ('proposing', 'accepted', 'transferring', 'sealing', 'published', 'active', 'ended', 'failed')),
  live      INTEGER NOT NULL CHECK (live IN (0, 1)),
  reason    TEXT NOT NULL DEFAULT '',
  attempts  INTEGER NOT NULL DEFAULT 0,
  due_at    INTEGER NOT NULL,
  due_epoch INTEGER NOT NULL,
  evidence  INTEGER NOT NULL DEFAULT 0,
  sector    INTEGER NOT NULL DEFAULT 0,
  pay_start INTEGER NOT NULL DEFAULT 0,
  pay_end   INTEGER NOT NULL DEFAULT 0,
  faulty    INTEGER NOT NULL DEFAULT 0 CHECK (faulty IN (0, 1)),
  alarm     TEXT NOT NULL DEFAULT '',
  active_at INTEGER NOT NULL DEFAULT 0,
  created   INTEGER NOT NULL,
  updated   INTEGER NOT NULL,
  CHECK ((live = 0) = (state IN ('ended', 'failed'))),
  CHECK ((reason <> '') = (state = 'failed')),
  CHECK (state NOT IN ('active', 'ended') OR pay_end > 0)
) STRICT;
CREATE UNIQUE INDEX offer_live ON offer (slot) WHERE live = 1; -- nothing is proposed twice
CREATE INDEX offer_slot ON offer (slot, created);
CREATE INDEX offer_miner ON offer (miner, created);
CREATE INDEX offer_created ON offer (created);
CREATE INDEX offer_due_at ON offer (due_at) WHERE live = 1;
CREATE INDEX offer_due_epoch ON offer (due_epoch) WHERE live = 1;

-- the edges of job.OfferTransitions
CREATE TABLE offer_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO offer_edge VALUES
  ('proposing', 'accepted'), ('proposing', 'published'), ('proposing', 'active'), ('proposing', 'failed'),
  ('accepted', 'transferring'), ('accepted', 'sealing'), ('accepted', 'published'), ('accepted', 'active'), ('accepted', 'failed'),
  ('transferring', 'sealing'), ('transferring', 'published'), ('transferring', 'active'), ('transferring', 'failed'),
  ('sealing', 'published'), ('sealing', 'active'), ('sealing', 'failed'),
  ('published', 'active'), ('published', 'failed'),
  ('active', 'ended'), ('active', 'failed');
-- +goose StatementBegin
CREATE TRIGGER offer_moves BEFORE UPDATE OF state ON offer WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'offer: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM offer_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER offer_same BEFORE UPDATE OF id, slot, miner, protocol, piece, request, choice ON offer
BEGIN
  SELECT RAISE(ABORT, 'offer: what is proposed never changes');
END;
-- +goose StatementEnd

CREATE TABLE offer_event (
  id    INTEGER PRIMARY KEY AUTOINCREMENT,
  offer TEXT NOT NULL REFERENCES offer (id),
  at    INTEGER NOT NULL,
  state TEXT NOT NULL,
  words TEXT NOT NULL
) STRICT;
CREATE INDEX offer_event_offer ON offer_event (offer, id);

-- +goose Down
DROP TABLE offer_event; DROP TABLE offer; DROP TABLE offer_edge;
