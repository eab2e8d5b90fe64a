-- Pieces that a slot needs, that are not here any more, and that are fetched back from who stores them.
-- +goose Up

CREATE TABLE repair (
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  piece   TEXT NOT NULL,
  deal    INTEGER NOT NULL,
  slot    INTEGER NOT NULL CHECK (slot > 0),
  size    INTEGER NOT NULL CHECK (size > 0),
  state   TEXT NOT NULL CHECK (state IN ('wanted', 'fetching', 'stuck', 'restored', 'dropped')),
  live    INTEGER NOT NULL CHECK (live IN (0, 1)),
  miner   INTEGER NOT NULL DEFAULT 0,
  got     INTEGER NOT NULL DEFAULT 0,
  rounds  INTEGER NOT NULL DEFAULT 0,
  words   TEXT NOT NULL,
  due_at  INTEGER NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  CHECK ((live = 0) = (state IN ('restored', 'dropped'))),
  CHECK (state <> 'stuck' OR words <> ''),
  CHECK (got <= size)
) STRICT;
CREATE UNIQUE INDEX repair_live ON repair (piece) WHERE live = 1; -- nothing is fetched twice at a time
CREATE INDEX repair_piece ON repair (piece, id);
CREATE INDEX repair_due ON repair (due_at) WHERE live = 1;

-- the edges of job.RepairTransitions
CREATE TABLE repair_edge (from_state TEXT NOT NULL, to_state TEXT NOT NULL, PRIMARY KEY (from_state, to_state)) STRICT;
INSERT INTO repair_edge VALUES
  ('wanted', 'fetching'), ('wanted', 'stuck'), ('wanted', 'restored'), ('wanted', 'dropped'),
  ('fetching', 'stuck'), ('fetching', 'restored'), ('fetching', 'dropped'),
  ('stuck', 'fetching'), ('stuck', 'restored'), ('stuck', 'dropped');
-- +goose StatementBegin
CREATE TRIGGER repair_moves BEFORE UPDATE OF state ON repair WHEN OLD.state <> NEW.state
BEGIN
  SELECT RAISE(ABORT, 'repair: no such transition')
  WHERE NOT EXISTS (SELECT 1 FROM repair_edge WHERE from_state = OLD.state AND to_state = NEW.state);
END;
-- +goose StatementEnd

CREATE TABLE repair_event (
  id     INTEGER PRIMARY KEY AUTOINCREMENT,
  repair INTEGER NOT NULL REFERENCES repair (id),
  at     INTEGER NOT NULL,
  state  TEXT NOT NULL,
  miner  INTEGER NOT NULL,
  words  TEXT NOT NULL
) STRICT;
CREATE INDEX repair_event_repair ON repair_event (repair, id);

-- +goose Down
DROP TABLE repair_event; DROP TABLE repair; DROP TABLE repair_edge;
