-- Slots that providers have claimed, and what is known of handing them the deal.
-- +goose Up

CREATE TABLE claimed (
  slot      INTEGER PRIMARY KEY CHECK (slot > 0),
  miner     INTEGER NOT NULL CHECK (miner > 0),
  piece     TEXT NOT NULL,
  deadline  INTEGER NOT NULL,
  due_epoch INTEGER NOT NULL,
  looks     INTEGER NOT NULL,
  why       TEXT NOT NULL,
  alarm     TEXT NOT NULL
) STRICT;
CREATE INDEX claimed_due ON claimed (due_epoch);

-- Claims of before are found by reading the events once more.
DELETE FROM meta WHERE key LIKE 'deals:0x%';

-- +goose Down
DROP TABLE claimed;
