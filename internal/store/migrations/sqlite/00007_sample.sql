-- Random ranges of pieces that were asked of storage providers.
-- +goose Up

CREATE TABLE sample (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  miner      INTEGER NOT NULL CHECK (miner > 0),
  slot       INTEGER NOT NULL,
  piece      TEXT NOT NULL,
  url        TEXT NOT NULL,
  start      INTEGER NOT NULL,
  length     INTEGER NOT NULL,
  good       INTEGER NOT NULL CHECK (good IN (0, 1)),
  first_byte INTEGER NOT NULL, -- µs
  took       INTEGER NOT NULL, -- µs
  words      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  CHECK ((good = 1) = (words = ''))
) STRICT;
CREATE INDEX sample_at ON sample (at);
CREATE INDEX sample_miner ON sample (miner, at);

-- +goose Down
DROP TABLE sample;
